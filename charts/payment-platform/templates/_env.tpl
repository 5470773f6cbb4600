{{/* Turns variables of the catalog's form into Kubernetes' and puts them into `into`. Takes ctx, from, into. */}}
{{- define "platform.envFrom" -}}
{{- $ctx := .ctx -}}
{{- $into := .into -}}
{{- range $variable, $source := .from -}}
{{- if $source.secret -}}
{{- $_ := set $into $variable (dict "valueFrom" (dict "secretKeyRef" (dict "name" $source.secret "key" $source.key))) -}}
{{- else if $source.secretOf -}}
{{- with include "platform.setting" (dict "ctx" $ctx "path" $source.secretOf "as" "text") -}}
{{- $_ := set $into $variable (dict "valueFrom" (dict "secretKeyRef" (dict "name" . "key" $source.key))) -}}
{{- end -}}
{{- else if $source.setting -}}
{{- $_ := set $into $variable (dict "value" (include "platform.setting" (dict "ctx" $ctx "path" $source.setting "as" $source.as))) -}}
{{- else -}}
{{- $_ := set $into $variable (dict "value" (toString $source.value)) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Variables that lead to the dependencies. Takes ctx, into, postgres (name of the Secret), redis, kafka. */}}
{{- define "platform.dependencyEnv" -}}
{{- $derived := .ctx.settings.derived -}}
{{- $from := dict -}}
{{- if .postgres -}}
{{- $_ := set $from "DATABASE_HOST" (dict "value" $derived.databaseHost) -}}
{{- $_ := set $from "DATABASE_PORT" (dict "value" $derived.databasePort) -}}
{{- $_ := set $from "DATABASE_NAME" (dict "value" $derived.databaseName) -}}
{{- $_ := set $from "DATABASE_USER" (dict "secret" .postgres "key" "username") -}}
{{- $_ := set $from "DATABASE_PASSWORD" (dict "secret" .postgres "key" "password") -}}
{{- end -}}
{{- if .redis -}}
{{- $_ := set $from "REDIS_HOST" (dict "value" $derived.redisHost) -}}
{{- $_ := set $from "REDIS_PORT" (dict "value" $derived.redisPort) -}}
{{- $_ := set $from "REDIS_PASSWORD" (dict "secret" $derived.redisSecret "key" "password") -}}
{{- end -}}
{{- if .kafka -}}
{{- $_ := set $from "KAFKA_BOOTSTRAP_SERVERS" (dict "value" $derived.kafkaBootstrap) -}}
{{- $kafka := .ctx.settings.kafka -}}
{{- if eq $kafka.mode "External" -}}
{{- if $kafka.external.tls.enabled -}}
{{- $_ := set $from "KAFKA_TLS" (dict "value" "true") -}}
{{- with $kafka.external.tls.caSecretRef.name }}{{ $_ := set $from "KAFKA_CA" (dict "secret" . "key" "ca.crt") }}{{ end -}}
{{- end -}}
{{- with $kafka.external.credentialsSecretRef.name -}}
{{- $_ := set $from "KAFKA_SASL_MECHANISM" (dict "value" $kafka.external.mechanism) -}}
{{- $_ := set $from "KAFKA_USERNAME" (dict "value" ($kafka.external.username | default .)) -}}
{{- $_ := set $from "KAFKA_PASSWORD" (dict "secret" . "key" "password") -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- include "platform.envFrom" (dict "ctx" .ctx "from" $from "into" .into) -}}
{{- end -}}

{{/* Variables that every program of ours has. Takes ctx, into. */}}
{{- define "platform.commonEnv" -}}
{{- $_ := set .into "PLATFORM_PROFILE" (dict "value" .ctx.profile) -}}
{{- $_ := set .into "LOG_LEVEL" (dict "value" .ctx.policy.logLevel) -}}
{{- $_ := set .into "POD_NAME" (dict "valueFrom" (dict "fieldRef" (dict "fieldPath" "metadata.name"))) -}}
{{- end -}}

{{/*
The level of a service's logs: its own, else the one that its variables set, else that of all. Takes ctx, name.
*/}}
{{- define "platform.logLevel" -}}
{{- $settings := index .ctx.settings.services .name -}}
{{- $level := .ctx.settings.observability.logs.level -}}
{{- range $settings.env }}{{ if eq .name "LOG_LEVEL" }}{{ $level = .value }}{{ end }}{{ end -}}
{{- $settings.logLevel | default $level -}}
{{- end -}}

{{/* All variables of a service, as JSON. Takes ctx, name, runtime. What the user sets wins. */}}
{{- define "platform.serviceEnv" -}}
{{- $ctx := .ctx -}}
{{- $name := .name -}}
{{- $service := index $ctx.catalog.services $name -}}
{{- $env := dict "HTTP_PORT" (dict "value" (toString $service.port)) -}}
{{- if $service.module -}}
{{- include "platform.commonEnv" (dict "ctx" $ctx "into" $env) -}}
{{- $callers := list -}}
{{- range $caller, $other := $ctx.catalog.services -}}
{{- if has $name ($other.calls | default list) }}{{ $callers = append $callers $caller }}{{ end -}}
{{- end -}}
{{- $_ := set $env "SERVICE" (dict "value" $name) -}}
{{- $_ := set $env "LOG_LEVEL_FILE" (dict "value" (printf "/etc/payment-platform/log-levels/%s" $name)) -}}
{{- $_ := set $env "SERVICE_VERSION" (dict "value" ($ctx.settings.image.tag | default $ctx.appVersion)) -}}
{{- $_ := set $env "IDENTITY_NAMESPACE" (dict "value" $ctx.namespace) -}}
{{- $_ := set $env "ALLOWED_CALLERS" (dict "value" (join "," $callers)) -}}
{{- if $service.schema -}}
{{- $_ := set $env "DATABASE_POOL_MAX" (dict "value" (include "platform.pool" (dict "ctx" $ctx "name" $name))) -}}
{{- end -}}
{{- include "platform.dependencyEnv" (dict "ctx" $ctx "into" $env
  "postgres" ($service.schema | empty | ternary "" (printf "%s-database" $service.schema))
  "redis" $service.redis "kafka" $service.kafka) -}}
{{- end -}}
{{- range $callee := $service.calls -}}
{{- $url := printf "http://%s:%d" $callee (int (index $ctx.catalog.services $callee).port) -}}
{{- $_ := set $env (printf "%s_URL" ($callee | upper | replace "-" "_")) (dict "value" $url) -}}
{{- end -}}
{{- include "platform.envFrom" (dict "ctx" $ctx "from" .runtime.env "into" $env) -}}
{{- include "platform.envFrom" (dict "ctx" $ctx "from" $service.env "into" $env) -}}
{{- range $service.secretRefs -}}
{{- if include "platform.setting" (dict "ctx" $ctx "path" .setting "as" "text") }}{{ $_ := set $env .env (dict "value" .path) }}{{ end -}}
{{- end -}}
{{- range $service.documents -}}
{{- if index $ctx.settings .setting }}{{ $_ := set $env .env (dict "value" (printf "%s/%s" .path .file)) }}{{ end -}}
{{- end -}}
{{- range (index $ctx.settings.services $name).env -}}
{{- $_ := set $env .name (omit . "name") -}}
{{- end -}}
{{- $env | mustToJson -}}
{{- end -}}

{{/* All variables of a job, as JSON: as the role of its schema, else as the superuser. Takes ctx, name, runtime. */}}
{{- define "platform.jobEnv" -}}
{{- $job := get .ctx.catalog.jobs .name | default (get .ctx.catalog.cronJobs .name) -}}
{{- $needs := $job.needs -}}
{{- $secret := $job.schema | empty | ternary .ctx.settings.derived.superuserSecret (printf "%s-database" $job.schema) -}}
{{- $env := dict -}}
{{- include "platform.commonEnv" (dict "ctx" .ctx "into" $env) -}}
{{- include "platform.dependencyEnv" (dict "ctx" .ctx "into" $env
  "postgres" (has "postgres" $needs | ternary $secret "")
  "redis" (has "redis" $needs) "kafka" (has "kafka" $needs)) -}}
{{- include "platform.envFrom" (dict "ctx" .ctx "from" .runtime.env "into" $env) -}}
{{- $env | mustToJson -}}
{{- end -}}
