{{/* The receivers that the collector and Jaeger share. */}}
{{- define "platform.otlp" -}}
otlp:
  protocols:
    grpc: {endpoint: "0.0.0.0:4317"}
    http: {endpoint: "0.0.0.0:4318"}
{{- end -}}

{{/* Health and own metrics of the collector and of Jaeger, which is one. Takes further extensions. */}}
{{- define "platform.telemetry" -}}
telemetry:
  logs: {level: warn, encoding: json}
  metrics:
    level: normal
    readers:
      - pull:
          exporter:
            prometheus: {host: 0.0.0.0, port: 8888}
{{- end -}}

{{/* Spans come in, are counted, and go on to Jaeger; while it is away they wait in a bounded queue. Takes the context. */}}
{{- define "platform.config.otel-collector/config.yaml" -}}
{{- $jaeger := .settings.observability.jaeger -}}
{{- $exporters := list "spanmetrics" -}}
{{- if $jaeger.enabled }}{{ $exporters = append $exporters (eq $jaeger.mode "External" | ternary "otlphttp" "otlp") }}{{ end -}}
extensions:
  healthcheckv2:
    use_v2: true
    http: {endpoint: "0.0.0.0:13133"}
receivers:
  {{- include "platform.otlp" . | nindent 2 }}
processors:
  memory_limiter: {check_interval: 1s, limit_percentage: 75, spike_limit_percentage: 20}
  batch: {timeout: 1s, send_batch_size: 512, send_batch_max_size: 1024}
connectors:
  spanmetrics:
    namespace: traces_spanmetrics
    metrics_flush_interval: 15s
    metrics_expiration: 1h
    # The pods of a service come and go; their counters go on.
    resource_metrics_key_attributes: [service.name]
    aggregation_cardinality_limit: 2000
    dimensions:
      - {name: http.request.method}
      - {name: http.route}
      - {name: http.response.status_code}
    histogram:
      unit: s
      explicit:
        buckets: [1ms, 2500us, 5ms, 10ms, 25ms, 50ms, 100ms, 250ms, 500ms, 1s, 2500ms, 5s, 10s, 30s]
exporters:
  {{- if has "otlp" $exporters }}
  otlp:
    endpoint: jaeger:4317
    tls: {insecure: true}
    sending_queue: {queue_size: 256}
    retry_on_failure: {max_interval: 10s, max_elapsed_time: 300s}
  {{- else if has "otlphttp" $exporters }}
  otlphttp:
    endpoint: {{ $jaeger.external.url | quote }}
    {{- if .settings.derived.jaegerSecret }}
    headers: {authorization: "${env:JAEGER_AUTHORIZATION}"}
    {{- end }}
    sending_queue: {queue_size: 256}
    retry_on_failure: {max_interval: 10s, max_elapsed_time: 300s}
  {{- end }}
  prometheus:
    endpoint: 0.0.0.0:8889
    metric_expiration: 1h
service:
  extensions: [healthcheckv2]
  {{- include "platform.telemetry" . | nindent 2 }}
  pipelines:
    traces:
      receivers: [otlp]
      processors: [memory_limiter, batch]
      exporters: {{ $exporters | mustToJson }}
    metrics:
      receivers: [otlp, spanmetrics]
      processors: [memory_limiter, batch]
      exporters: [prometheus]
{{- end -}}

{{/* Traces in memory, the oldest ones give way. Takes the context. */}}
{{- define "platform.config.jaeger/config.yaml" -}}
extensions:
  healthcheckv2:
    use_v2: true
    http: {endpoint: "0.0.0.0:13133"}
  jaeger_storage:
    backends:
      memory:
        memory: {max_traces: {{ int .settings.observability.jaeger.maxTraces }}}
  jaeger_query:
    storage: {traces: memory}
    http: {endpoint: "0.0.0.0:16686"}
    grpc: {endpoint: "0.0.0.0:16685"}
receivers:
  {{- include "platform.otlp" . | nindent 2 }}
processors:
  memory_limiter: {check_interval: 1s, limit_percentage: 90, spike_limit_percentage: 10}
  batch: {timeout: 200ms}
exporters:
  jaeger_storage_exporter: {trace_storage: memory}
service:
  extensions: [healthcheckv2, jaeger_storage, jaeger_query]
  {{- include "platform.telemetry" . | nindent 2 }}
  pipelines:
    traces:
      receivers: [otlp]
      processors: [memory_limiter, batch]
      exporters: [jaeger_storage_exporter]
{{- end -}}

{{/* What is scraped, by job; names are asked anew, so that pods which come and go are found. Takes the context. */}}
{{- define "platform.config.prometheus/prometheus.yml" -}}
{{- $jobs := dict -}}
{{- range include "platform.targets" . | mustFromJson -}}
{{- $_ := set $jobs .job (append (get $jobs .job | default list) .) -}}
{{- end -}}
global:
  scrape_interval: 15s
  scrape_timeout: 10s
  evaluation_interval: 15s
  external_labels:
    platform: {{ .name }}
    namespace: {{ .namespace }}
rule_files:
  - /etc/payment-platform/prometheus/*.yaml
scrape_configs:
  {{- range $job, $targets := $jobs }}
  - job_name: {{ $job }}
    dns_sd_configs:
      {{- range $targets }}
      - {names: [{{ .host }}], type: A, port: {{ int .port }}, refresh_interval: 15s}
      {{- end }}
    relabel_configs:
      - source_labels: [__meta_dns_name]
        regex: (.+?)(-headless|-metrics\..+)?
        target_label: service
      {{- /* The operator says itself of which namespace it speaks. */}}
      {{- if ne $job "payment-operator" }}
      - {target_label: namespace, replacement: {{ $.namespace }}}
      {{- end }}
  {{- end }}
{{- end -}}

{{/* Pages of OpenSearch; its engine asks for no password. Takes the context. */}}
{{- define "platform.config.opensearch-dashboards/dashboards.yml" -}}
server.host: 0.0.0.0
server.port: 5601
opensearch.hosts: [http://search:9200]
opensearch_security.enabled: false
path.data: /tmp/data
{{- end -}}

{{/* Kibana replaces variables of the environment. Takes the context. */}}
{{- define "platform.config.kibana/dashboards.yml" -}}
server.host: 0.0.0.0
server.port: 5601
elasticsearch.hosts: [http://search:9200]
elasticsearch.username: kibana_system
elasticsearch.password: ${ELASTICSEARCH_PASSWORD}
telemetry.enabled: false
{{- end -}}

{{/* Where Grafana finds the dashboards. Takes the context. */}}
{{- define "platform.config.grafana/providers.yaml" -}}
apiVersion: 1
providers:
  - name: payment-platform
    folder: Payment platform
    type: file
    allowUiUpdates: false
    options: {path: /etc/payment-platform/grafana}
{{- end -}}

{{/* What Grafana asks: those parts that are enabled. Grafana replaces variables of the environment. Takes the context. */}}
{{- define "platform.config.grafana/datasources.yaml" -}}
{{- $watch := .settings.observability -}}
{{- $derived := .settings.derived -}}
{{- $sources := list -}}
{{- if and $watch.prometheus.enabled $derived.prometheusUrl -}}
{{- $source := dict "name" "Prometheus" "uid" "prometheus" "type" "prometheus" "url" $derived.prometheusUrl "isDefault" true "jsonData" (dict "timeInterval" "15s") -}}
{{- if $derived.prometheusSecret -}}
{{- $_ := set $source.jsonData "httpHeaderName1" "Authorization" -}}
{{- $_ := set $source "secureJsonData" (dict "httpHeaderValue1" "$PROMETHEUS_AUTHORIZATION") -}}
{{- end -}}
{{- $sources = append $sources $source -}}
{{- end -}}
{{- if and $watch.jaeger.enabled (eq $watch.jaeger.mode "Builtin") -}}
{{- $sources = append $sources (dict "name" "Jaeger" "uid" "jaeger" "type" "jaeger" "url" "http://jaeger:16686") -}}
{{- end -}}
{{- with $derived.searchUrl -}}
{{- $open := eq $watch.search.engine "OpenSearch" -}}
{{- $json := dict "database" "payment-audit-*" "timeField" "@timestamp" -}}
{{- if $open }}{{ $_ := merge $json (dict "flavor" "opensearch" "version" "2.19.1" "pplEnabled" false) }}{{ else }}{{ $_ := set $json "index" "payment-audit-*" }}{{ end -}}
{{- $source := dict "name" "Audit trail" "uid" "search" "type" ($open | ternary "grafana-opensearch-datasource" "elasticsearch") "url" . "jsonData" $json -}}
{{- if $derived.searchSecret -}}
{{- $_ := merge $source (dict "basicAuth" true "basicAuthUser" "$SEARCH_USERNAME" "secureJsonData" (dict "basicAuthPassword" "$SEARCH_PASSWORD")) -}}
{{- end -}}
{{- $sources = append $sources $source -}}
{{- end -}}
{{- with $derived.influxdbUrl -}}
{{- $sources = append $sources (dict "name" "InfluxDB" "uid" "influxdb" "type" "influxdb" "url" .
  "jsonData" (dict "version" "Flux" "organization" $watch.influxdb.organization "defaultBucket" $watch.influxdb.bucket) "secureJsonData" (dict "token" "$INFLUXDB_TOKEN")) -}}
{{- end -}}
apiVersion: 1
datasources:
  {{- range $sources }}
  - {{ merge (dict "access" "proxy" "editable" false) . | toYaml | nindent 4 | trim }}
  {{- else }} []
  {{- end }}
{{- end -}}
