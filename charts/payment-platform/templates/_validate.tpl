{{/* Refuses what cannot work, by field and with the remedy. Takes the context before its flows. */}}
{{- define "platform.validate" -}}
{{- $s := .settings -}}
{{- $policy := .policy -}}
{{- $profile := .profile -}}
{{- range $name := list "postgres" "redis" "kafka" -}}
{{- if not (has (index $s $name).mode (list "Builtin" "External")) -}}
{{- fail (printf "%s.mode: %q is unknown; use Builtin or External" $name (index $s $name).mode) -}}
{{- end -}}
{{- end -}}
{{- if not (has (int $s.kafka.brokers) (list 1 3)) -}}
{{- fail (printf "kafka.brokers: %d is not supported; use 1 or 3" (int $s.kafka.brokers)) -}}
{{- end -}}
{{- if eq $s.postgres.mode "External" -}}
{{- if not $s.postgres.external.host }}{{ fail "postgres.external.host: required with postgres.mode External; name the server" }}{{ end -}}
{{- if not $s.postgres.external.superuserSecretRef.name -}}
{{- fail "postgres.external.superuserSecretRef.name: required with postgres.mode External; name a Secret with the keys username and password" -}}
{{- end -}}
{{- end -}}
{{- if eq $s.redis.mode "External" -}}
{{- if not $s.redis.external.host }}{{ fail "redis.external.host: required with redis.mode External; name the server" }}{{ end -}}
{{- if not $s.redis.external.credentialsSecretRef.name -}}
{{- fail "redis.external.credentialsSecretRef.name: required with redis.mode External; name a Secret with the key password" -}}
{{- end -}}
{{- end -}}
{{- if and (eq $s.kafka.mode "External") (not $s.kafka.external.bootstrapServers) -}}
{{- fail "kafka.external.bootstrapServers: required with kafka.mode External; name the brokers as host:port, separated by commas" -}}
{{- end -}}
{{- if eq $s.kafka.mode "External" -}}
{{- if and (eq $s.kafka.external.mechanism "PLAIN") (not $s.kafka.external.tls.enabled) -}}
{{- fail "kafka.external.mechanism: PLAIN sends the password itself; set kafka.external.tls.enabled to true or use SCRAM-SHA-512" -}}
{{- end -}}
{{- if and $s.kafka.external.tls.caSecretRef.name (not $s.kafka.external.tls.enabled) -}}
{{- fail "kafka.external.tls.caSecretRef: has no effect without TLS; set kafka.external.tls.enabled to true" -}}
{{- end -}}
{{- end -}}

{{- if and $s.demo.enabled (not $policy.allowDemo) -}}
{{- fail (printf "demo.enabled: must be false in the profile %s, since the demo customers' passwords are public; use the profile dev or staging" $profile) -}}
{{- end -}}
{{- if and $s.webhooks.allowPrivateAddresses (not $policy.allowPrivateWebhooks) -}}
{{- fail (printf "webhooks.allowPrivateAddresses: must be false in the profile %s, since customers could make the platform call its own network; remove it" $profile) -}}
{{- end -}}
{{- range $channel := list "sms" "email" "push" -}}
{{- $notification := index $s.notifications $channel -}}
{{- $provider := $notification.provider | default "" -}}
{{- if and (not $policy.allowSandboxProviders) (has $provider (list "" "sandbox")) -}}
{{- fail (printf "notifications.%s.provider: required in the profile %s and not sandbox, which delivers nothing; use twilio, sendgrid or fcm" $channel $profile) -}}
{{- end -}}
{{- if and (not (has $provider (list "" "sandbox"))) (not $notification.credentialsSecretRef.name) -}}
{{- fail (printf "notifications.%s.credentialsSecretRef.name: required with the provider %s; name the Secret with its credentials" $channel $provider) -}}
{{- end -}}
{{- end -}}

{{- if $s.derived.restoring -}}
{{- if not $s.operator.managed }}{{ fail "restoreFrom: needs the operator, which keeps payments closed until the books are proven right; restore by hand with the Job's scripts otherwise" }}{{ end -}}
{{- end -}}
{{- if $s.backup.pointInTime.enabled -}}
{{- if not $s.backup.enabled }}{{ fail "backup.pointInTime.enabled: needs backups to begin from; set backup.enabled, or remove it" }}{{ end -}}
{{- if eq $s.postgres.mode "External" }}{{ fail "backup.pointInTime.enabled: needs the builtin PostgreSQL; an External one archives its log itself: remove it" }}{{ end -}}
{{- end -}}
{{- if and $s.restoreFrom.name $s.restoreFrom.targetTime -}}
{{- fail "restoreFrom.targetTime: excludes restoreFrom.name; name a backup or a moment" -}}
{{- end -}}
{{- range $field, $place := dict "backup.storage.s3" $s.backup.storage.s3 "restoreFrom.s3" $s.restoreFrom.s3 -}}
{{- if and $place.bucket (not $place.credentialsSecretRef.name) -}}
{{- fail (printf "%s.credentialsSecretRef.name: required with a bucket; name a Secret with the keys access-key-id and secret-access-key" $field) -}}
{{- end -}}
{{- end -}}
{{- include "platform.validateObservability" . -}}
{{- include "platform.validateEntrance" . -}}
{{- include "platform.validateConnections" . -}}
{{- end -}}

{{/* What watches: a part that runs elsewhere needs an address. */}}
{{- define "platform.validateObservability" -}}
{{- $watch := .settings.observability -}}
{{- if (index .settings.services "load-balancer").logLevel -}}
{{- fail "services.load-balancer.logLevel: nginx writes an access log and has no level; remove it" -}}
{{- end -}}
{{- range $name, $part := omit $watch "tracing" "logs" -}}
{{- if and (eq $name "search") (not (has $part.engine (list "OpenSearch" "Elasticsearch"))) -}}
{{- fail (printf "observability.search.engine: %q is unknown; use OpenSearch or Elasticsearch" $part.engine) -}}
{{- end -}}
{{- if not (has $part.mode (list "Builtin" "External")) -}}
{{- fail (printf "observability.%s.mode: %q is unknown; use Builtin or External" $name $part.mode) -}}
{{- end -}}
{{- if and $part.enabled (eq $part.mode "External") -}}
{{- if eq $name "collector" -}}
{{- if not $watch.tracing.endpoint -}}
{{- fail "observability.tracing.endpoint: required with observability.collector.mode External; name the collector as http://host:4318" -}}
{{- end -}}
{{- else if and (has $name (list "jaeger" "search" "influxdb")) (not $part.external.url) -}}
{{- fail (printf "observability.%s.external.url: required with observability.%s.mode External; say where it runs" $name $name) -}}
{{- else if and (eq $name "influxdb") (not $part.external.credentialsSecretRef.name) -}}
{{- fail "observability.influxdb.external.credentialsSecretRef.name: required with observability.influxdb.mode External; name a Secret with the key token" -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The way in: load balancer, Ingress, TLS, CORS. */}}
{{- define "platform.validateEntrance" -}}
{{- $lb := .settings.loadBalancer -}}
{{- $ingress := $lb.ingress -}}
{{- if not (has $lb.type (list "ClusterIP" "NodePort" "LoadBalancer")) -}}
{{- fail (printf "loadBalancer.type: %q is unknown; use ClusterIP, NodePort or LoadBalancer" $lb.type) -}}
{{- end -}}
{{- if and $lb.nodePort (eq $lb.type "ClusterIP") -}}
{{- fail "loadBalancer.nodePort: has no effect with loadBalancer.type ClusterIP; set the type to NodePort or remove nodePort" -}}
{{- end -}}
{{- if and $ingress.className (not $ingress.host) -}}
{{- fail "loadBalancer.ingress.host: required with an Ingress; name the public host or remove loadBalancer.ingress.className" -}}
{{- end -}}
{{- if and $ingress.host (not $ingress.tlsSecretName) .policy.requireTLS -}}
{{- fail (printf "loadBalancer.ingress.tlsSecretName: required for an Ingress in the profile %s; name a Secret of type kubernetes.io/tls" .profile) -}}
{{- end -}}
{{- if and (ne $lb.type "ClusterIP") .policy.requireTLS -}}
{{- if $ingress.host -}}
{{- fail (printf "loadBalancer.type: %s beside an Ingress would open a second way in without TLS; use ClusterIP in the profile %s" $lb.type .profile) -}}
{{- else if not $ingress.tlsSecretName -}}
{{- fail (printf "loadBalancer.ingress.tlsSecretName: required with loadBalancer.type %s in the profile %s; name a Secret of type kubernetes.io/tls" $lb.type .profile) -}}
{{- end -}}
{{- end -}}
{{- $profile := .profile -}}
{{- $policy := .policy -}}
{{- range $origin := .settings.security.cors.allowedOrigins -}}
{{- if contains "*" $origin -}}
{{- fail (printf "security.cors.allowedOrigins: %q has a wildcard; name each origin as scheme://host[:port]" $origin) -}}
{{- end -}}
{{- if and $policy.requireTLS (not (hasPrefix "https://" $origin)) -}}
{{- fail (printf "security.cors.allowedOrigins: %q is without TLS; use https:// in the profile %s" $origin $profile) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Connections of a service's pool; a variable the user sets counts. Takes ctx (policy, settings), name. */}}
{{- define "platform.pool" -}}
{{- $pools := .ctx.policy.databasePool -}}
{{- $pool := get $pools .name | default $pools.default -}}
{{- range (index .ctx.settings.services .name).env -}}
{{- if eq .name "DATABASE_POOL_MAX" }}{{ $pool = .value }}{{ end -}}
{{- end -}}
{{- int $pool -}}
{{- end -}}

{{/* Most pods of a service at a time: while it rolls there is one more. Takes a service's settings. */}}
{{- define "platform.maxPods" -}}
{{- if .autoscaling.enabled -}}
{{- add1 (int (.autoscaling.maxReplicas | default .replicas)) -}}
{{- else -}}
{{- add1 (int .replicas) -}}
{{- end -}}
{{- end -}}

{{/* All pools, full, with every service at its most pods, fit into the database's connections. */}}
{{- define "platform.validateConnections" -}}
{{- $ctx := . -}}
{{- range $name, $service := .settings.services -}}
{{- $auto := $service.autoscaling -}}
{{- if and $auto.enabled (lt (int ($auto.maxReplicas | default $service.replicas)) (int ($auto.minReplicas | default $service.replicas))) -}}
{{- fail (printf "services.%s.autoscaling.maxReplicas: must be at least minReplicas (%d)" $name (int ($auto.minReplicas | default $service.replicas))) -}}
{{- end -}}
{{- end -}}
{{- if eq .settings.postgres.mode "Builtin" -}}
{{- $needed := 0 -}}
{{- $parts := list -}}
{{- range $name, $service := .catalog.services -}}
{{- if $service.schema -}}
{{- $pool := include "platform.pool" (dict "ctx" $ctx "name" $name) | int -}}
{{- $pods := include "platform.maxPods" (index $ctx.settings.services $name) | int -}}
{{- $needed = add $needed (mul $pool $pods) -}}
{{- $parts = append $parts (printf "%s %d x %d" $name $pods $pool) -}}
{{- end -}}
{{- end -}}
{{- $most := sub (int .settings.postgres.maxConnections) (int .policy.databaseReserve) -}}
{{- if gt (int $needed) (int $most) -}}
{{- fail (printf "postgres.maxConnections: %d is too small: the services may open %d connections (%s; pods counted with one more while rolling) and %d stay reserved; set at least %d, or lower replicas, maxReplicas or DATABASE_POOL_MAX"
  (int .settings.postgres.maxConnections) $needed (join ", " $parts) (int .policy.databaseReserve) (add $needed .policy.databaseReserve)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
