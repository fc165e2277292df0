{{/*
What the operator may do, in each namespace that it works for. Secrets can be read by name only, never listed. It also holds
what it hands on to each stream's driver, because nobody can grant what they do not hold.
*/}}
{{- define "fink-distribution.rules" -}}
- apiGroups: [distribution.fink-broker.org]
  resources: [kafkaconnections, alerttopics, kafkausers, kafkaacls, distributionstreams]
  verbs: [get, list, watch, patch, update]
# A stream's own user and permissions.
- apiGroups: [distribution.fink-broker.org]
  resources: [kafkausers, kafkaacls]
  verbs: [create, delete]
- apiGroups: [distribution.fink-broker.org]
  resources:
    - kafkaconnections/status
    - alerttopics/status
    - kafkausers/status
    - kafkaacls/status
    - distributionstreams/status
  verbs: [get, patch, update]
- apiGroups: [distribution.fink-broker.org]
  resources:
    - kafkaconnections/finalizers
    - alerttopics/finalizers
    - kafkausers/finalizers
    - kafkaacls/finalizers
    - distributionstreams/finalizers
  verbs: [update]
- apiGroups: ["", events.k8s.io]
  resources: [events]
  verbs: [create, patch]
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, create, patch, update, delete]
- apiGroups: [""]
  resources: [configmaps, serviceaccounts]
  verbs: [get, create, patch, update, delete]
- apiGroups: [rbac.authorization.k8s.io]
  resources: [roles, rolebindings]
  verbs: [get, create, patch, update, delete]
- apiGroups: [apps]
  resources: [statefulsets]
  verbs: [get, list, watch, create, patch, update, delete]
# The Slack notifiers of streams.
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, watch, create, patch, delete]
# The operator watches the drivers and ends outdated ones. The rest is for the drivers: executors are their pods, and
# SparkContext.stop() deletes by label what it may have made.
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch, create, patch, delete, deletecollection]
- apiGroups: [""]
  resources: [configmaps, services, persistentvolumeclaims]
  verbs: [list, deletecollection]
- apiGroups: [""]
  resources: [persistentvolumeclaims]
  verbs: [get]
{{- end -}}
