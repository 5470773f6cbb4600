{{/*
Every connection the platform makes, as a JSON list of {from, to, ports}. `from` and `to` are names of workloads;
"outside" is anything that is not of this platform, "internet" is public addresses only, "operator" is the payment operator.
Takes the context.
*/}}
{{- define "platform.flows" -}}
{{- $ctx := . -}}
{{- $s := .settings -}}
{{- $flows := list -}}
{{- $needs := dict -}}
{{- range $name, $service := .catalog.services -}}
{{- range $callee := $service.calls -}}
{{- if not (hasKey $ctx.catalog.services $callee) }}{{ fail (printf "catalog.yaml: %s calls %s, which is no service" $name $callee) }}{{ end -}}
{{- $flows = append $flows (dict "from" $name "to" $callee "ports" (list (int (index $ctx.catalog.services $callee).port))) -}}
{{- end -}}
{{- range $path := $service.internet -}}
{{- if not (has (include "platform.setting" (dict "ctx" $ctx "path" $path "as" "text")) (list "" "sandbox" "false")) -}}
{{- $flows = append $flows (dict "from" $name "to" "internet" "ports" (list 443)) -}}
{{- end -}}
{{- end -}}
{{- with $service.anywhere -}}
{{- $all := true -}}
{{- range $path := . -}}
{{- if ne (include "platform.setting" (dict "ctx" $ctx "path" $path "as" "text")) "true" }}{{ $all = false }}{{ end -}}
{{- end -}}
{{- if $all }}{{ $flows = append $flows (dict "from" $name "to" "outside" "ports" (list 80 443)) }}{{ end -}}
{{- end -}}
{{- $of := list -}}
{{- if $service.schema }}{{ $of = append $of "postgres" }}{{ end -}}
{{- if $service.redis }}{{ $of = append $of "redis" }}{{ end -}}
{{- if $service.kafka }}{{ $of = append $of "kafka" }}{{ end -}}
{{- $_ := set $needs $name $of -}}
{{- if and $service.module $s.derived.traceEndpoint -}}
{{- $flows = append $flows (dict "from" $name "to" $s.derived.tracePeer "ports" (list (include "platform.urlPort" $s.derived.traceEndpoint | int))) -}}
{{- end -}}
{{- end -}}
{{- range $name, $job := merge (dict) .catalog.jobs .catalog.cronJobs -}}
{{- $_ := set $needs $name $job.needs -}}
{{- range $callee := $job.calls -}}
{{- $port := int (index $ctx.catalog.services $callee).port -}}
{{- if and (eq (index $ctx.catalog.services $callee).component "load-balancer") $s.derived.tls }}{{ $port = 8443 }}{{ end -}}
{{- $flows = append $flows (dict "from" $name "to" $callee "ports" (list $port)) -}}
{{- end -}}
{{- with $job.place -}}
{{- with (index $s.derived .).port }}{{ $flows = append $flows (dict "from" $name "to" "outside" "ports" (list (int .))) }}{{ end -}}
{{- end -}}
{{- end -}}
{{- range $name, $_ := .parts }}{{ $_ := set $needs $name ((index $ctx.catalog.observability $name).needs | default list) }}{{ end -}}
{{- range $name, $of := $needs -}}
{{- range $dependency := $of -}}
{{- if eq (index $s $dependency).mode "Builtin" -}}
{{- $flows = append $flows (dict "from" $name "to" $dependency "ports" (list (int (index $ctx.catalog.dependencies $dependency).port))) -}}
{{- else if eq $dependency "kafka" -}}
{{- range splitList "," $s.derived.kafkaBootstrap -}}
{{- $flows = append $flows (dict "from" $name "to" "outside" "ports" (list (splitList ":" (trim .) | last | int))) -}}
{{- end -}}
{{- else -}}
{{- $flows = append $flows (dict "from" $name "to" "outside" "ports" (list (int (index $s.derived (eq $dependency "postgres" | ternary "databasePort" "redisPort"))))) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $name, $dependency := .catalog.dependencies -}}
{{- if eq (index $s $name).mode "Builtin" -}}
{{- with $dependency.peerPorts }}{{ $flows = append $flows (dict "from" $name "to" $name "ports" .) }}{{ end -}}
{{- if (index $s $name).nodePort }}{{ $flows = append $flows (dict "from" "outside" "to" $name "ports" (list (int $dependency.port))) }}{{ end -}}
{{- end -}}
{{- end -}}
{{- range $name, $service := .catalog.services -}}
{{- if eq $service.component "load-balancer" -}}
{{- $flows = append $flows (dict "from" "outside" "to" $name "ports" (list ($s.derived.tls | ternary 8443 (int $service.port)))) -}}
{{- end -}}
{{- end -}}
{{- $flows = concat $flows (include "platform.partFlows" . | mustFromJson) -}}
{{- if not $s.operator.managed -}}
{{- /* The API server's address is the cluster's own affair. */ -}}
{{- $flows = append $flows (dict "from" "credentials" "to" "outside" "ports" (list 443 6443)) -}}
{{- end -}}
{{- uniq $flows | mustToJson -}}
{{- end -}}

{{/* The port of a URL without a path. Takes the URL. */}}
{{- define "platform.urlPort" -}}
{{- regexFind ":[0-9]+$" . | trimPrefix ":" | default (hasPrefix "https:" . | ternary "443" "80") -}}
{{- end -}}

{{/* Names of the workloads that run now, as a JSON map of name to component. Takes ctx. */}}
{{- define "platform.workloads" -}}
{{- $ctx := .ctx -}}
{{- $names := dict -}}
{{- range $name, $service := $ctx.catalog.services }}{{ $_ := set $names $name $service.component }}{{ end -}}
{{- range $name, $dependency := $ctx.catalog.dependencies -}}
{{- if eq (index $ctx.settings $name).mode "Builtin" }}{{ $_ := set $names $name $dependency.component }}{{ end -}}
{{- end -}}
{{- range $name, $job := merge (dict) $ctx.catalog.jobs $ctx.catalog.cronJobs }}{{ $_ := set $names $name $job.component }}{{ end -}}
{{- range $name, $_ := $ctx.parts }}{{ $_ := set $names $name (index $ctx.catalog.observability $name).component }}{{ end -}}
{{- $names | mustToJson -}}
{{- end -}}

{{/* One rule of a NetworkPolicy. Takes ctx, key (from or to), peer, ports. */}}
{{- define "platform.peer" -}}
{{- if eq .peer "internet" -}}
{{ .key }}:
  - ipBlock:
      cidr: 0.0.0.0/0
      except: [10.0.0.0/8, 100.64.0.0/10, 169.254.0.0/16, 172.16.0.0/12, 192.168.0.0/16]
  - ipBlock:
      cidr: ::/0
      except: [fc00::/7, fe80::/10]
{{- else if eq .peer "operator" -}}
{{ .key }}:
  - namespaceSelector:
      matchLabels:
        kubernetes.io/metadata.name: {{ splitList ":" .ctx.settings.operator.metrics | first | splitList "." | last }}
    podSelector:
      matchLabels:
        app.kubernetes.io/name: payment-operator
{{- else if ne .peer "outside" -}}
{{ .key }}:
  - podSelector:
      matchLabels:
        {{- include "platform.selector" (dict "ctx" .ctx "name" .peer) | nindent 8 }}
{{- end }}
ports:
  {{- range .ports }}
  - {protocol: TCP, port: {{ int . }}}
  {{- end }}
{{- end -}}
