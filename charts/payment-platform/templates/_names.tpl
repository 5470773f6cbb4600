{{/* Labels that select; they never change. Takes ctx, name. */}}
{{- define "platform.selector" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/instance: {{ .ctx.name | quote }}
{{- end -}}

{{/* Labels of pods: no version, so that a new chart alone restarts nothing. Takes ctx, name, component. */}}
{{- define "platform.podLabels" -}}
{{ include "platform.selector" . }}
app.kubernetes.io/component: {{ .component }}
app.kubernetes.io/part-of: payment-platform
paymentplatform.dev/platform: {{ .ctx.name | quote }}
{{- end -}}

{{/* Labels of objects. Takes ctx, name, component. What watches says of which part of `observability` it is. */}}
{{- define "platform.labels" -}}
{{ include "platform.podLabels" . }}
{{- with index (.ctx.parts | default dict) .name }}
paymentplatform.dev/part: {{ .part }}
{{- end }}
app.kubernetes.io/managed-by: {{ .ctx.managedBy }}
app.kubernetes.io/version: {{ .ctx.version | quote }}
{{- end -}}

{{/* Takes ctx, name, component, wave; objectName when it is not the name. */}}
{{- define "platform.metadata" -}}
name: {{ .objectName | default .name }}
namespace: {{ .ctx.namespace }}
labels:
  {{- include "platform.labels" . | nindent 2 }}
annotations:
  paymentplatform.dev/wave: {{ .wave | quote }}
{{- end -}}

{{/* Wave of what follows the Jobs; a restore that is not through takes two waves more. Takes ctx, wave. */}}
{{- define "platform.wave" -}}
{{- .ctx.settings.derived.restorePending | ternary (add .wave 2) .wave -}}
{{- end -}}

{{/* Wave of a service. Takes ctx, name. */}}
{{- define "platform.serviceWave" -}}
{{- include "platform.wave" (dict "ctx" .ctx "wave" (eq (index .ctx.catalog.services .name).component "load-balancer" | ternary 4 3)) -}}
{{- end -}}

{{/* Reference of an image. Our own carry the tag of the platform. Takes ctx, image. */}}
{{- define "platform.image" -}}
{{- $image := index .ctx.images .image -}}
{{- $settings := .ctx.settings.image -}}
{{- $tag := $image.tag | default ($settings.tag | default .ctx.appVersion) -}}
{{- with $settings.registry }}{{ trimSuffix "/" . }}/{{ end }}{{ $image.repository }}:{{ $tag }}
{{- end -}}

{{/* Seconds of a duration such as 15m. Takes value, field. */}}
{{- define "platform.seconds" -}}
{{- $value := toString .value -}}
{{- if not (regexMatch "^[1-9][0-9]*[smhd]$" $value) -}}
{{- fail (printf "%s: %q is no duration; write for example 90s, 15m, 1h or 1d" .field $value) -}}
{{- end -}}
{{- $unit := dict "s" 1 "m" 60 "h" 3600 "d" 86400 -}}
{{- mul (trimSuffix (regexFind "[smhd]$" $value) $value | int) (index $unit (regexFind "[smhd]$" $value)) -}}
{{- end -}}

{{/* A time between two runs, 1m to 59m or 1h to 23h, as cron has it. Takes every, field. */}}
{{- define "platform.everyCron" -}}
{{- if not (regexMatch "^([1-9]|[1-5][0-9])m$|^([1-9]|1[0-9]|2[0-3])h$" .every) -}}
{{- fail (printf "%s: %q is no time between two runs; write 1m to 59m or 1h to 23h" .field .every) -}}
{{- end -}}
{{- $n := trimSuffix (regexFind "[mh]$" .every) .every -}}
{{- hasSuffix "m" .every | ternary (printf "*/%s * * * *" $n) (printf "0 */%s * * *" $n) -}}
{{- end -}}

{{/* The setting at a dotted path, as text. Takes ctx, path, as (text, list or seconds). */}}
{{- define "platform.setting" -}}
{{- $value := .ctx.settings -}}
{{- range $part := splitList "." .path -}}
{{- $value = kindIs "map" $value | ternary (get ($value | default dict) $part) "" -}}
{{- end -}}
{{- if eq .as "list" -}}
{{- $value | join "," -}}
{{- else if eq .as "seconds" -}}
{{- include "platform.seconds" (dict "value" $value "field" .path) -}}
{{- else if and (kindIs "float64" $value) (eq $value (floor $value)) -}}
{{- int64 $value -}}
{{- else -}}
{{- $value -}}
{{- end -}}
{{- end -}}

{{/* Annotations of a hook before install and upgrade. Takes the weight. */}}
{{- define "platform.hook" -}}
helm.sh/hook: pre-install,pre-upgrade
helm.sh/hook-weight: {{ . | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end -}}
