{{/*
Puts what `over` sets over `base`, in place and at every depth. Unset (null) leaves the base; false, 0 and "" are set.
*/}}
{{- define "platform.overlay" -}}
{{- $base := .base -}}
{{- range $key, $value := .over -}}
{{- if and (kindIs "map" $value) (kindIs "map" (index $base $key)) -}}
{{- include "platform.overlay" (dict "base" (index $base $key) "over" $value) -}}
{{- else if not (kindIs "invalid" $value) -}}
{{- $_ := set $base $key (kindIs "map" $value | ternary (deepCopy $value) $value) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A file of the chart, parsed. */}}
{{- define "platform.file" -}}
{{- $parsed := .root.Files.Get .path | fromYaml -}}
{{- if not $parsed }}{{ fail (printf "%s of the chart is missing or empty" .path) }}{{ end -}}
{{- if hasKey $parsed "Error" }}{{ fail (printf "%s: %s" .path $parsed.Error) }}{{ end -}}
{{- $parsed | mustToJson -}}
{{- end -}}

{{/* The context, made once for each render: it takes longer than all the rest. Every template begins with it. */}}
{{- define "platform.context" -}}
{{- if not (hasKey .Values "_context") }}{{ $_ := set .Values "_context" (include "platform.newContext" .) }}{{ end -}}
{{- .Values._context -}}
{{- end -}}

{{/*
Everything the templates work from, as JSON: catalog, runtimes, images, the merged settings and what follows from them.
Refuses values that cannot work.
*/}}
{{- define "platform.newContext" -}}
{{- $catalog := include "platform.file" (dict "root" . "path" "files/catalog.yaml") | mustFromJson -}}
{{- $runtimes := include "platform.file" (dict "root" . "path" "files/runtimes.yaml") | mustFromJson -}}
{{- $profiles := include "platform.file" (dict "root" . "path" "files/profiles.yaml") | mustFromJson -}}
{{- $images := .Files.Get "files/images.json" | mustFromJson -}}
{{- $profile := .Values.profile | default "dev" -}}
{{- if not (and (ne $profile "all") (hasKey $profiles $profile)) -}}
{{- fail (printf "profile: %q is unknown; use dev, staging or production" $profile) -}}
{{- end -}}
{{- range $name, $_ := .Values.services -}}
{{- if not (hasKey $catalog.services $name) -}}
{{- fail (printf "services.%s: there is no such service; use one of %s" $name (keys $catalog.services | sortAlpha | join ", ")) -}}
{{- end -}}
{{- end -}}

{{- $chosen := deepCopy $profiles.all -}}
{{- include "platform.overlay" (dict "base" $chosen "over" (index $profiles $profile)) -}}
{{- $settings := $chosen.settings -}}
{{- range $name, $_ := $catalog.services -}}
{{- $service := deepCopy $chosen.serviceDefaults -}}
{{- include "platform.overlay" (dict "base" $service "over" (index $settings.services $name | default dict)) -}}
{{- $_ := set $settings.services $name $service -}}
{{- end -}}
{{- include "platform.overlay" (dict "base" $settings "over" .Values) -}}

{{- $context := dict
  "name" .Release.Name
  "namespace" .Release.Namespace
  "revision" .Release.Revision
  "managedBy" ($settings.operator.managed | ternary "payment-operator" .Release.Service)
  "version" (.Values.version | default .Chart.AppVersion)
  "appVersion" .Chart.AppVersion
  "profile" $profile
  "policy" $chosen.policy
  "settings" $settings
  "catalog" $catalog
  "runtimes" $runtimes
  "images" $images
-}}
{{- include "platform.derive" $context -}}
{{- range $group := list "jobs" "cronJobs" -}}
{{- range $name, $job := index $catalog $group -}}
{{- $wanted := or (not $job.when) (eq "true" (include "platform.setting" (dict "ctx" $context "path" ($job.when | default "") "as" "text"))) -}}
{{- if or (not $wanted) (and $job.phase (not $settings.operator.managed)) }}{{ $_ := unset (index $catalog $group) $name }}{{ end -}}
{{- end -}}
{{- end -}}
{{- $_ := set $context "parts" (include "platform.parts" $context | mustFromJson) -}}
{{- include "platform.validate" $context -}}
{{- $_ := set $context "flows" (include "platform.flows" $context | mustFromJson) -}}
{{- $context | mustToJson -}}
{{- end -}}

{{/* Settings that follow from others, under settings.derived; in place. */}}
{{- define "platform.derive" -}}
{{- $settings := .settings -}}
{{- $lb := $settings.loadBalancer -}}
{{- $ingress := not (empty $lb.ingress.host) -}}
{{- $replicated := ge (int $settings.kafka.brokers) 3 -}}
{{- $externalDatabase := eq $settings.postgres.mode "External" -}}
{{- $restore := $settings.restoreFrom -}}
{{- $restoring := or (not (empty $restore.name)) (not (empty $restore.targetTime)) -}}
{{- $backup := $settings.backup.storage -}}
{{- $elsewhere := or (not (empty $restore.s3.bucket)) (not (empty $restore.volume.claimName)) -}}
{{- $_ := set $settings "derived" (dict
  "ingress" $ingress
  "behindIngress" (and $ingress (eq $lb.type "ClusterIP"))
  "tls" (and (not $ingress) (ne $lb.type "ClusterIP") (not (empty $lb.ingress.tlsSecretName)))
  "kafkaReplication" ($replicated | ternary 3 1)
  "kafkaMinInSync" ($replicated | ternary 2 1)
  "topicPartitions" .catalog.topics.partitions
  "entrance" (and (not $ingress) (ne $lb.type "ClusterIP") (not (empty $lb.ingress.tlsSecretName)) | ternary "https://load-balancer:443" "http://load-balancer:8080")
  "databaseHost" ($externalDatabase | ternary ($settings.postgres.external.host | default "") "postgres")
  "databasePort" ($externalDatabase | ternary (int $settings.postgres.external.port) 5432)
  "databaseName" ($externalDatabase | ternary $settings.postgres.external.database .policy.databaseName)
  "superuserSecret" ($externalDatabase | ternary ($settings.postgres.external.superuserSecretRef.name | default "") .catalog.dependencies.postgres.secret)
  "redisHost" (eq $settings.redis.mode "External" | ternary ($settings.redis.external.host | default "") "redis")
  "redisPort" (eq $settings.redis.mode "External" | ternary (int $settings.redis.external.port) 6379)
  "redisSecret" (eq $settings.redis.mode "External" | ternary ($settings.redis.external.credentialsSecretRef.name | default "") .catalog.dependencies.redis.secret)
  "kafkaBootstrap" (eq $settings.kafka.mode "External" | ternary ($settings.kafka.external.bootstrapServers | default "") "kafka:9092")
  "seedSynthetic" (and $settings.health.syntheticPayment.enabled (not (and $restoring (not $settings.operator.restored))))
  "seedDemo" (and $settings.demo.enabled (not $restoring))
  "restoring" $restoring
  "restorePending" (and $restoring (not $settings.operator.restored))
  "backup" (include "platform.place" (dict "s3" $backup.s3 "claim" "backup") | mustFromJson)
  "restore" (include "platform.place" (dict "s3" ($elsewhere | ternary $restore.s3 $backup.s3) "claim" ($restore.volume.claimName | default "backup")) | mustFromJson)
  "appVersion" .appVersion
) -}}
{{- include "platform.deriveObservability" . -}}
{{- end -}}

{{/*
Where backups lie, as the settings of their programs: {claim, folder} or {bucket, endpoint, region, prefix, secret, port}.
Takes s3, claim.
*/}}
{{- define "platform.place" -}}
{{- if .s3.bucket -}}
{{- $endpoint := .s3.endpoint | default "https://s3.amazonaws.com" -}}
{{- dict "bucket" .s3.bucket "endpoint" $endpoint "region" (.s3.region | default "us-east-1") "prefix" (.s3.prefix | default "")
  "secret" .s3.credentialsSecretRef.name "port" (include "platform.urlPort" $endpoint | int) | mustToJson -}}
{{- else -}}
{{- dict "claim" .claim "folder" "/backup/payments" | mustToJson -}}
{{- end -}}
{{- end -}}
