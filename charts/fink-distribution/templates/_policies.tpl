{{/* Names that a policy does not permit, as a CEL variable. Takes a list: the variable, the field of the policy, the names. */}}
{{- define "fink-distribution.policy.refused" -}}
{{- $variable := index . 0 -}}
{{- $field := index . 1 -}}
{{- $names := index . 2 -}}
- name: {{ $field }}
  expression: "!variables.governed || !has(variables.matching[0].{{ $field }}) ? [] : variables.matching[0].{{ $field }}.map(p, p.replace('{namespace}', request.namespace))"
- name: {{ $variable }}
  expression: >-
    !variables.governed ? [] :
    {{ $names }}.filter(n, !variables.{{ $field }}.exists(p, p == '*' || (n != '*' && n.startsWith(p))))
{{- end -}}

{{/* The refusal of such names. Takes a list: the variable, the field of the policy, what it is about, an end of the message. */}}
{{- define "fink-distribution.policy.refusal" -}}
{{- $variable := index . 0 -}}
{{- $field := index . 1 -}}
- expression: size(variables.{{ $variable }}) == 0
  reason: Forbidden
  messageExpression: >-
    '{{ index . 2 }} ' + variables.{{ $variable }}.join(', ') + ' does not start with what ' + variables.by + ' allows namespace ' + request.namespace
    + ': ' + (size(variables.{{ $field }}) == 0 ? 'nothing' : variables.{{ $field }}.join(', ')) + '; choose such a name{{ index . 3 }}'
{{- end -}}

{{/* A refusal unless the policy allows something. Takes a list: the field of allow, whether it is wanted, what is not allowed. */}}
{{- define "fink-distribution.policy.flag" -}}
{{- $field := index . 0 -}}
- expression: >-
    !variables.governed || !({{ index . 1 }}) || (has(variables.matching[0].allow) && has(variables.matching[0].allow.{{ $field }})
    && variables.matching[0].allow.{{ $field }})
  reason: Forbidden
  messageExpression: variables.by + ' does not allow {{ index . 2 }}'
{{- end -}}

{{- define "fink-distribution.policy.alerttopics.variables" -}}
{{ include "fink-distribution.policy.refused" (list "refusedTopics" "topicPrefixes" "[has(object.spec.topicName) ? object.spec.topicName : object.metadata.name]") }}
- name: partitions
  expression: "variables.governed && has(variables.matching[0].limits) && has(variables.matching[0].limits.partitionsPerTopic) ? variables.matching[0].limits.partitionsPerTopic : -1"
{{- end -}}

{{- define "fink-distribution.policy.alerttopics.validations" -}}
{{ include "fink-distribution.policy.refusal" (list "refusedTopics" "topicPrefixes" "topic" "") }}
- expression: variables.partitions < 0 || (has(object.spec.partitions) && object.spec.partitions <= variables.partitions)
  reason: Forbidden
  messageExpression: >-
    (has(object.spec.partitions) ? 'partitions: ' + string(object.spec.partitions) + ' is more than ' + variables.by + ' allows'
    : 'partitions has to be given, because ' + variables.by + ' limits partitionsPerTopic') + '; set ' + string(variables.partitions) + ' or less'
{{- end -}}

{{- define "fink-distribution.policy.kafkausers.variables" -}}
{{ include "fink-distribution.policy.refused" (list "refusedUsers" "userPrefixes" "[has(object.spec.userName) ? object.spec.userName : object.metadata.name]") }}
{{- end -}}

{{- define "fink-distribution.policy.kafkausers.validations" -}}
{{ include "fink-distribution.policy.refusal" (list "refusedUsers" "userPrefixes" "user" "") }}
{{- end -}}

{{- define "fink-distribution.policy.kafkaacls.variables" -}}
- name: rules
  expression: "has(object.spec.rules) ? object.spec.rules : []"
- name: topics
  expression: >-
    (has(object.spec.consumer) ? object.spec.consumer.topics.filter(t, has(t.name)).map(t, t.name) : [])
    + (has(object.spec.producer) ? object.spec.producer.topics.filter(t, has(t.name)).map(t, t.name) : [])
    + variables.rules.filter(r, r.resource.type == 'Topic' && has(r.resource.name)).map(r, r.resource.name)
- name: groups
  expression: >-
    (has(object.spec.consumer) ? [object.spec.consumer.group.name] : [])
    + variables.rules.filter(r, r.resource.type == 'Group').map(r, r.resource.name)
- name: transactionalIds
  expression: >-
    (has(object.spec.producer) && has(object.spec.producer.transactionalId) ? [object.spec.producer.transactionalId.name] : [])
    + variables.rules.filter(r, r.resource.type == 'TransactionalId').map(r, r.resource.name)
{{ include "fink-distribution.policy.refused" (list "refusedTopics" "topicPrefixes" "variables.topics") }}
{{ include "fink-distribution.policy.refused" (list "refusedGroups" "groupPrefixes" "variables.groups") }}
{{ include "fink-distribution.policy.refused" (list "refusedTransactionalIds" "transactionalIdPrefixes" "variables.transactionalIds") }}
{{- end -}}

{{- define "fink-distribution.policy.kafkaacls.validations" -}}
{{ include "fink-distribution.policy.flag" (list "rawPrincipals" "has(object.spec.principal)" "raw principals; name a KafkaUser (userRef)") }}
{{ include "fink-distribution.policy.flag" (list "denyRules" "variables.rules.exists(r, has(r.permission) && r.permission == 'Deny')" "permission Deny") }}
{{ include "fink-distribution.policy.flag" (list "clusterOperations" "variables.rules.exists(r, r.resource.type in ['Cluster', 'DelegationToken', 'User'])" "rules about the Cluster, delegation tokens and users") }}
{{ include "fink-distribution.policy.refusal" (list "refusedTopics" "topicPrefixes" "topic" " or name an AlertTopic (topicRef)") }}
{{ include "fink-distribution.policy.refusal" (list "refusedGroups" "groupPrefixes" "group" "") }}
{{ include "fink-distribution.policy.refusal" (list "refusedTransactionalIds" "transactionalIdPrefixes" "transactional id" "") }}
{{- end -}}

{{- define "fink-distribution.policy.distributionstreams.variables" -}}
{{- end -}}

{{- define "fink-distribution.policy.distributionstreams.validations" -}}
{{- end -}}
