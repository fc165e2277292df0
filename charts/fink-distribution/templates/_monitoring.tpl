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
