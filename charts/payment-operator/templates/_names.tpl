{{/* Labels that select; they never change. */}}
{{- define "operator.selector" -}}
app.kubernetes.io/name: payment-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "operator.labels" -}}
{{ include "operator.selector" . }}
app.kubernetes.io/component: operator
app.kubernetes.io/part-of: payment-platform
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end -}}

{{/* Rights in a namespace, or in all: generated from the operator's table of kinds. */}}
{{- define "operator.rules" -}}
{{- $rights := .Files.Get "files/rights.json" | mustFromJson -}}
{{- $secrets := deepCopy $rights.secrets -}}
{{- $_ := set $secrets "resourceNames" (concat $secrets.resourceNames .Values.secretNames | uniq | sortAlpha) -}}
{{- append $rights.rules $secrets | toYaml -}}
{{- end -}}
