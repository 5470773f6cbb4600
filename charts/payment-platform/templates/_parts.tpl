{{/* Settings that follow from `observability`, under settings.derived; in place. */}}
{{- define "platform.deriveObservability" -}}
{{- $settings := .settings -}}
{{- $watch := $settings.observability -}}
{{- $derived := $settings.derived -}}
{{- $collector := and $watch.collector.enabled (eq $watch.collector.mode "Builtin") -}}
{{- $own := and $collector (empty $watch.tracing.endpoint) -}}
{{- $endpoint := $own | ternary (printf "http://otel-collector:%d" (int (index .catalog.observability "otel-collector").port)) $watch.tracing.endpoint -}}
{{- $_ := set $derived "traceEndpoint" ($watch.tracing.enabled | ternary $endpoint "") -}}
{{- $_ := set $derived "tracePeer" ($own | ternary "otel-collector" "outside") -}}
{{- $_ := set $derived "traceSecret" (and (not (empty $derived.traceEndpoint)) (not $own) | ternary ($watch.tracing.credentialsSecretRef.name | default "") "") -}}
{{- range $name := list "jaeger" "prometheus" -}}
{{- $part := index $watch $name -}}
{{- $_ := set $derived (printf "%sSecret" $name) (and $part.enabled (eq $part.mode "External") | ternary ($part.external.credentialsSecretRef.name | default "") "") -}}
{{- end -}}
{{- $tls := eq $settings.postgres.mode "External" | ternary "require" "disable" -}}
{{- $_ := set $derived "metricsDatabase" (printf "%s:%d/%s?sslmode=%s" $derived.databaseHost (int $derived.databasePort) $derived.databaseName $tls) -}}
{{- range $name := list "search" "influxdb" -}}
{{- $part := index $watch $name -}}
{{- $outside := eq $part.mode "External" -}}
{{- $url := $outside | ternary ($part.external.url | default "") (printf "http://%s:%d" $name (int (index $.catalog.observability $name).port)) -}}
{{- $secret := $outside | ternary ($part.external.credentialsSecretRef.name | default "") (index $.catalog.observability $name).secret -}}
{{- $_ := set $derived (printf "%sUrl" $name) ($part.enabled | ternary $url "") -}}
{{- $_ := set $derived (printf "%sSecret" $name) ($part.enabled | ternary $secret "") -}}
{{- end -}}
{{- $_ := set $derived "prometheusUrl" "http://prometheus:9090" -}}
{{- if eq $watch.prometheus.mode "External" }}{{ $_ := set $derived "prometheusUrl" ($watch.prometheus.external.url | default "") }}{{ end -}}
{{- /* Eight tenths of the volume: the journal and a compaction need the rest. */ -}}
{{- with $watch.prometheus.storage.size }}{{ $_ := set $derived "prometheusSize" (printf "%dMB" (div (mul 8 (include "platform.mebibytes" .)) 10)) }}{{ end -}}
{{- end -}}

{{/* What watches and runs in this platform, as a JSON map of name to {part, runtime, settings, secret}. Takes the context. */}}
{{- define "platform.parts" -}}
{{- $ctx := . -}}
{{- $parts := dict -}}
{{- range $name, $entry := .catalog.observability -}}
{{- $part := index $ctx.settings.observability $entry.part -}}
{{- $runs := and $part.enabled (or $entry.external (eq $part.mode "Builtin")) -}}
{{- range $entry.when -}}
{{- if ne (include "platform.setting" (dict "ctx" $ctx "path" . "as" "text")) "true" }}{{ $runs = false }}{{ end -}}
{{- end -}}
{{- if $runs -}}
{{- $runtime := $entry.runtime | default $name -}}
{{- if kindIs "map" $runtime -}}
{{- $runtime = index $runtime (include "platform.setting" (dict "ctx" $ctx "path" $runtime.setting "as" "text")) -}}
{{- end -}}
{{- $own := dict -}}
{{- with $entry.settings -}}
{{- $own = $ctx.settings -}}
{{- range $key := splitList "." . }}{{ $own = index $own $key }}{{ end -}}
{{- end -}}
{{- $_ := set $parts $name (dict "part" $entry.part "runtime" $runtime "settings" $own "secret" ($entry.secret | default "")) -}}
{{- end -}}
{{- end -}}
{{- $parts | mustToJson -}}
{{- end -}}

{{/* All variables of what watches, as JSON. Takes ctx, name, runtime. */}}
{{- define "platform.partEnv" -}}
{{- $env := dict -}}
{{- $needs := (index .ctx.catalog.observability .name).needs -}}
{{- include "platform.dependencyEnv" (dict "ctx" .ctx "into" $env "postgres" "" "redis" (has "redis" $needs) "kafka" (has "kafka" $needs)) -}}
{{- include "platform.envFrom" (dict "ctx" .ctx "from" .runtime.env "into" $env) -}}
{{- $env | mustToJson -}}
{{- end -}}

{{/*
Everything that has metrics, as a JSON list of {job, host, port, path, service}. `host` is a name that leads to every pod,
or to the only one. Takes the context.
*/}}
{{- define "platform.targets" -}}
{{- $ctx := . -}}
{{- $targets := list -}}
{{- range $name, $service := .catalog.services -}}
{{- $job := $service.module | empty | ternary "infrastructure" "payment-services" -}}
{{- $port := $service.module | empty | ternary 8090 $service.port -}}
{{- $targets = append $targets (dict "job" $job "host" (printf "%s-headless" $name) "port" $port "service" $name) -}}
{{- end -}}
{{- range $name, $_ := .parts -}}
{{- range (index $ctx.catalog.observability $name).metrics -}}
{{- $targets = append $targets (dict "job" .job "host" $name "port" .port "path" .path "service" $name) -}}
{{- end -}}
{{- end -}}
{{- with .settings.operator.metrics -}}
{{- $targets = append $targets (dict "job" "payment-operator" "host" (splitList ":" . | first) "port" (splitList ":" . | last | int) "service" "payment-operator") -}}
{{- end -}}
{{- $targets | mustToJson -}}
{{- end -}}

{{/* Connections of what watches, as platform.flows has them. Takes the context. */}}
{{- define "platform.partFlows" -}}
{{- $ctx := . -}}
{{- $flows := list -}}
{{- $watch := .settings.observability -}}
{{- range $name, $part := .parts -}}
{{- $entry := index $ctx.catalog.observability $name -}}
{{- range $peer, $port := $entry.reaches -}}
{{- if hasKey $ctx.parts $peer }}{{ $flows = append $flows (dict "from" $name "to" $peer "ports" (list (int $port))) }}{{ end -}}
{{- end -}}
{{- range $client := $entry.clients }}{{ $flows = append $flows (dict "from" $client "to" $name "ports" (list (int $entry.port))) }}{{ end -}}
{{- if $part.settings.nodePort }}{{ $flows = append $flows (dict "from" "outside" "to" $name "ports" (list (int $entry.port))) }}{{ end -}}
{{- end -}}
{{- if and (hasKey .parts "otel-collector") $watch.jaeger.enabled (eq $watch.jaeger.mode "External") -}}
{{- $flows = append $flows (dict "from" "otel-collector" "to" "outside" "ports" (list (include "platform.urlPort" $watch.jaeger.external.url | int))) -}}
{{- end -}}
{{- range $name := list "search" "influxdb" -}}
{{- if and (index $watch $name).enabled (eq (index $watch $name).mode "External") -}}
{{- $ports := list (include "platform.urlPort" (index $ctx.settings.derived (printf "%sUrl" $name)) | int) -}}
{{- range $client := concat (index $ctx.catalog.observability $name).clients (hasKey $ctx.parts "grafana" | ternary (list "grafana") list) -}}
{{- $flows = append $flows (dict "from" $client "to" "outside" "ports" $ports) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and (hasKey .parts "grafana") $watch.prometheus.enabled (eq $watch.prometheus.mode "External") $watch.prometheus.external.url -}}
{{- $flows = append $flows (dict "from" "grafana" "to" "outside" "ports" (list (include "platform.urlPort" $watch.prometheus.external.url | int))) -}}
{{- end -}}
{{- if $watch.prometheus.enabled -}}
{{- $builtin := hasKey .parts "prometheus" -}}
{{- range include "platform.targets" . | mustFromJson -}}
{{- if eq .service "payment-operator" -}}
{{- if $builtin }}{{ $flows = append $flows (dict "from" "prometheus" "to" "outside" "ports" (list (int .port))) }}{{ end -}}
{{- if $builtin }}{{ $flows = append $flows (dict "from" "operator" "to" "prometheus" "ports" (list (int (index $ctx.catalog.observability "prometheus").port))) }}{{ end -}}
{{- else if ne .service "prometheus" -}}
{{- $flows = append $flows (dict "from" ($builtin | ternary "prometheus" "outside") "to" .service "ports" (list (int .port))) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $flows | mustToJson -}}
{{- end -}}

{{/* Mebibytes of a quantity such as 512Mi, rounded down. Takes it. */}}
{{- define "platform.mebibytes" -}}
{{- $text := toString . -}}
{{- $unit := regexFind "[A-Za-z]*$" $text -}}
{{- $number := trimSuffix $unit $text | float64 -}}
{{- $bytes := get (dict "" 1 "k" 1000 "M" 1000000 "G" 1000000000 "T" 1000000000000 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 "Pi" 1125899906842624) $unit | float64 -}}
{{- divf (mulf $number $bytes) 1048576 | floor | int64 -}}
{{- end -}}
