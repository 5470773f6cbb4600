{{/*
What a pod of any kind needs, as JSON, for platform.podTemplate. Takes ctx, name, kind (service, dependency, job, cronJob, part) and
gives {name, component, runtime, env, mounts, ports, resources}.
*/}}
{{- define "platform.workload" -}}
{{- $ctx := .ctx -}}
{{- $name := .name -}}
{{- $entry := index $ctx.catalog (dict "service" "services" "dependency" "dependencies" "job" "jobs" "cronJob" "cronJobs" "part" "observability" | dig .kind "") $name -}}
{{- $key := $name -}}
{{- if eq .kind "service" }}{{ $key = $entry.runtime | default "payments" }}{{ else if $entry.runtime }}{{ $key = $entry.runtime }}{{ end -}}
{{- if eq .kind "part" }}{{ $key = (index $ctx.parts $name).runtime }}{{ end -}}
{{- $runtime := index $ctx.runtimes $key -}}
{{- $args := dict "ctx" $ctx "name" $name "runtime" $runtime -}}
{{- $env := dict -}}
{{- $mounts := list -}}
{{- range concat $runtime.mounts ($entry.mounts | default list) -}}
{{- $mount := . -}}
{{- with .given -}}
{{- $name := include "platform.setting" (dict "ctx" $ctx "path" .setting "as" "text") -}}
{{- $mount = $name | empty | ternary dict (merge (dict .as $name) (omit $mount "given")) -}}
{{- end -}}
{{- with $mount }}{{ $mounts = append $mounts . }}{{ end -}}
{{- end -}}
{{- $ports := dict -}}
{{- $resources := $runtime.resources -}}
{{- if eq .kind "service" -}}
{{- $env = include "platform.serviceEnv" $args | mustFromJson -}}
{{- $_ := set $ports "http" $entry.port -}}
{{- $resources = (index $ctx.settings.services $name).resources -}}
{{- range $ref := $entry.secretRefs -}}
{{- with include "platform.setting" (dict "ctx" $ctx "path" $ref.setting "as" "text") -}}
{{- $mounts = append $mounts (dict "name" $ref.name "path" $ref.path "secret" .) -}}
{{- end -}}
{{- end -}}
{{- range $document := $entry.documents -}}
{{- if index $ctx.settings .setting -}}
{{- $mounts = append $mounts (dict "name" .setting "path" .path "configMap" .configMap) -}}
{{- end -}}
{{- end -}}
{{- if and (eq $entry.component "load-balancer") $ctx.settings.derived.tls -}}
{{- $mounts = append $mounts (dict "name" "tls" "path" "/etc/payment-platform/tls" "secret" $ctx.settings.loadBalancer.ingress.tlsSecretName) -}}
{{- $_ := set $ports "https" 8443 -}}
{{- end -}}
{{- else if has .kind (list "job" "cronJob") -}}
{{- $env = include "platform.jobEnv" $args | mustFromJson -}}
{{- if and $runtime.entersByLoadBalancer $ctx.settings.derived.tls -}}
{{- /* By the certificate itself, for it names the public host and not this Service. */ -}}
{{- $_ := set $env "SYNTHETIC_CERTIFICATE" (dict "value" "/etc/payment-platform/tls/tls.crt") -}}
{{- $mounts = append $mounts (dict "name" "tls" "path" "/etc/payment-platform/tls" "secret" $ctx.settings.loadBalancer.ingress.tlsSecretName "key" "tls.crt") -}}
{{- end -}}
{{- else if eq .kind "part" -}}
{{- $env = include "platform.partEnv" $args | mustFromJson -}}
{{- $_ := set $ports "client" $entry.port -}}
{{- $_ := merge $ports ($entry.ports | default dict) -}}
{{- $resources = (index $ctx.parts $name).settings.resources | default $runtime.resources -}}
{{- else -}}
{{- include "platform.envFrom" (dict "ctx" $ctx "from" $runtime.env "into" $env) -}}
{{- $_ := set $ports "client" $entry.port -}}
{{- $resources = (index $ctx.settings $name).resources -}}
{{- end -}}
{{- with $runtime.memoryEnv -}}
{{- $_ := set $env . (dict "valueFrom" (dict "resourceFieldRef" (dict "resource" "limits.memory" "divisor" "1Mi" "containerName" $name))) -}}
{{- end -}}
{{- with (($resources | default dict).limits | default dict).memory -}}
{{- if $runtime.goMemory -}}
{{- $_ := set $env "GOMEMLIMIT" (dict "value" (printf "%dMiB" (div (mul 9 (include "platform.mebibytes" .)) 10))) -}}
{{- end -}}
{{- end -}}
{{- if or $runtime.files $runtime.generated -}}
{{- $mounts = append $mounts (dict "name" "files" "path" $runtime.filesPath "configMap" $name) -}}
{{- end -}}
{{- $_ := merge $ports ($runtime.ports | default dict) -}}
{{- dict "name" $name "component" $entry.component "kind" .kind "retry" (empty $entry.final | ternary "OnFailure" "Never") "runtime" $runtime "runtimeKey" $key "env" $env "mounts" $mounts "near" (and $ctx.settings.backup.pointInTime.enabled (not (empty $ctx.settings.derived.backup.claim)) | ternary $entry.near list) "ports" $ports "resources" $resources | mustToJson -}}
{{- end -}}

{{/* The schemas that somebody owns, which are roles' names too, as a JSON list. Takes the context. */}}
{{- define "platform.schemas" -}}
{{- $schemas := list -}}
{{- range concat (values .catalog.services) (values .catalog.cronJobs) }}{{ with .schema }}{{ $schemas = append $schemas . }}{{ end }}{{ end -}}
{{- $schemas | sortAlpha | mustToJson -}}
{{- end -}}

{{/* The roles whose passwords the migration gives them, as a JSON list: owners of schemas, and who only watches. Takes the context. */}}
{{- define "platform.roles" -}}
{{- $roles := include "platform.schemas" . | mustFromJson -}}
{{- if .settings.observability.prometheus.enabled }}{{ $roles = append $roles "metrics" }}{{ end -}}
{{- $roles | sortAlpha | mustToJson -}}
{{- end -}}

{{/* The Secrets and ConfigMaps that a workload uses, as a JSON list; `database-logins` stands for which logins overlap. Takes ctx, workload. */}}
{{- define "platform.used" -}}
{{- $names := list -}}
{{- $ctx := .ctx -}}
{{- range .workload.env -}}
{{- with (.valueFrom | default dict).secretKeyRef }}{{ $names = append $names .name }}{{ end -}}
{{- end -}}
{{- range .workload.mounts -}}
{{- with .secret }}{{ $names = append $names . }}{{ end -}}
{{- with .configMap }}{{ $names = append $names . }}{{ end -}}
{{- if .rolePasswords -}}
{{- $names = append $names "database-logins" -}}
{{- range include "platform.roles" $ctx | mustFromJson }}{{ $names = append $names (printf "%s-database" .) }}{{ end -}}
{{- end -}}
{{- end -}}
{{- uniq $names | sortAlpha | mustToJson -}}
{{- end -}}

{{/* A volume, but for its name. Takes ctx, mount. */}}
{{- define "platform.volume" -}}
{{- $mount := .mount -}}
{{- if $mount.persistent -}}
persistentVolumeClaim:
  claimName: {{ $mount.persistent }}
{{- else if hasKey $mount "emptyDir" -}}
emptyDir:
  {{- toYaml $mount.emptyDir | nindent 2 }}
{{- else if $mount.secret -}}
secret:
  secretName: {{ $mount.secret }}
  {{- with $mount.key }}
  items: [{key: {{ . }}, path: {{ . }}}]
  {{- end }}
  defaultMode: 0440
{{- else if $mount.configMap -}}
configMap:
  name: {{ $mount.configMap }}
  defaultMode: 0444
  {{- with $mount.file }}
  items: [{key: {{ . }}, path: {{ . }}}]
  {{- end }}
{{- else if $mount.token -}}
projected:
  defaultMode: 0440
  sources:
    - serviceAccountToken:
        path: token
        audience: {{ $mount.token.audience }}
        expirationSeconds: {{ int $mount.token.expirationSeconds }}
{{- else if $mount.rolePasswords -}}
projected:
  defaultMode: 0440
  sources:
    {{- range include "platform.roles" .ctx | mustFromJson }}
    - secret:
        name: {{ . }}-database
        items: [{key: username, path: {{ . }}/username}, {key: password, path: {{ . }}/password}]
    - secret:
        name: {{ . }}-database
        items: [{key: previous-username, path: {{ . }}/previous-username}]
        optional: true
    {{- end }}
{{- else -}}
{{ fail (printf "runtimes.yaml: mount %s has no source" $mount.name) }}
{{- end -}}
{{- end -}}

