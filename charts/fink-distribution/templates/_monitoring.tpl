{{/* Whether to render a kind of Prometheus Operator, "true" or nothing. Takes a list: the kind, and the root. */}}
{{- define "fink-distribution.rendersMonitoring" -}}
{{- $kind := index . 0 -}}
{{- $root := index . 1 -}}
{{- $mode := $root.Values.metrics.renderMode -}}
{{- if or (eq $mode "alwaysRender") ($root.Capabilities.APIVersions.Has (printf "monitoring.coreos.com/v1/%s" $kind)) -}}
true
{{- else if eq $mode "failIfMissing" -}}
{{- fail (printf "the cluster has no kind %s (monitoring.coreos.com/v1): install Prometheus Operator first, or set metrics.renderMode to skipIfMissing" $kind) -}}
{{- end -}}
{{- end -}}

{{/* A PrometheusRule of the alerts in a file; docs/operations.md says what to do about each. Takes a list: the end of its name, the file, and the root. */}}
{{- define "fink-distribution.prometheusRule" -}}
{{- $root := index . 2 }}
{{- if include "fink-distribution.rendersMonitoring" (list "PrometheusRule" $root) }}
---
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: {{ include "fink-distribution.fullname" $root }}{{ index . 0 }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    {{- mustMergeOverwrite (deepCopy $root.Values.metrics.labels) (include "fink-distribution.labels" $root | fromYaml) | toYaml | nindent 4 }}
spec:
  groups:
    - name: fink-distribution{{ index . 0 }}
      rules:
        {{- tpl ($root.Files.Get (index . 1)) $root | nindent 8 }}
{{- end }}
{{- end -}}

{{/* A PodMonitor of the pods of streams that have a role. Takes a list: the role, and the root. */}}
{{- define "fink-distribution.podMonitor" -}}
{{- $role := index . 0 }}
{{- $root := index . 1 }}
{{- if include "fink-distribution.rendersMonitoring" (list "PodMonitor" $root) }}
---
apiVersion: monitoring.coreos.com/v1
kind: PodMonitor
metadata:
  name: {{ include "fink-distribution.fullname" $root }}-{{ $role }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    {{- mustMergeOverwrite (deepCopy $root.Values.metrics.labels) (include "fink-distribution.labels" $root | fromYaml) | toYaml | nindent 4 }}
spec:
  namespaceSelector:
    {{- if $root.Values.watchNamespaces }}
    matchNames: {{ append $root.Values.watchNamespaces $root.Release.Namespace | uniq | sortAlpha | toJson }}
    {{- else }}
    any: true
    {{- end }}
  selector:
    matchLabels:
      distribution.fink-broker.org/role: {{ $role }}
  podTargetLabels: [distribution.fink-broker.org/stream]
  podMetricsEndpoints:
    - port: metrics
      path: /metrics
      interval: {{ $root.Values.metrics.interval }}
{{- end }}
{{- end -}}
