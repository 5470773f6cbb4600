{{/*
Annotations that make a pod roll when a file or a Secret that it uses changes. The operator knows the hashes of Secrets;
under plain Helm only the chart's own files count. Takes ctx, root, workload.
*/}}
{{- define "platform.podAnnotations" -}}
{{- with .workload.runtime }}
{{- if or .files .generated }}
paymentplatform.dev/files: {{ include "platform.allFiles" (dict "ctx" $.ctx "root" $.root "runtime" . "key" $.workload.runtimeKey) | trim | sha256sum | trunc 16 | quote }}
{{- end }}
{{- end }}
{{- $documents := dict -}}
{{- if eq .workload.kind "service" -}}
{{- range (index .ctx.catalog.services .workload.name).documents -}}
{{- with index $.ctx.settings .setting }}{{ $_ := set $documents "all" . }}{{ end -}}
{{- end -}}
{{- end -}}
{{- if $documents }}
paymentplatform.dev/documents: {{ $documents | mustToJson | sha256sum | trunc 16 | quote }}
{{- end -}}
{{- $hashes := dict -}}
{{- $known := .ctx.settings.operator.secretHashes -}}
{{- $own := eq .workload.kind "dependency" | ternary (index .ctx.catalog.dependencies .workload.name | default dict).secret "" -}}
{{- range include "platform.used" . | mustFromJson -}}
{{- /* What a dependency checks passwords by, it reads again when it changes. */ -}}
{{- if and (hasKey $known .) (ne . ($own | default "")) }}{{ $_ := set $hashes . (get $known .) }}{{ end -}}
{{- end -}}
{{- if $hashes }}
paymentplatform.dev/secrets: {{ $hashes | mustToJson | sha256sum | trunc 16 | quote }}
{{- end -}}
{{- end -}}

{{/* The files of a folder as a ConfigMap's data. Takes root, folder. */}}
{{- define "platform.files" -}}
{{- (.root.Files.Glob (printf "files/%s/*" .folder)).AsConfig -}}
{{- end -}}

{{/* All files of a runtime as a ConfigMap's data: those of its folder, those of its globs, the generated ones. Takes ctx, root, runtime, key (the runtime's name). */}}
{{- define "platform.allFiles" -}}
{{- with .runtime.files }}
{{ include "platform.files" (dict "root" $.root "folder" .) }}
{{- end }}
{{- range .runtime.globs }}
{{- range $path, $content := $.root.Files.Glob . }}
{{ base $path }}: |
  {{- $content | toString | trim | nindent 2 }}
{{- end }}
{{- end }}
{{- range .runtime.generated }}
{{ . }}: |
  {{- include (printf "platform.config.%s/%s" $.key .) $.ctx | trim | nindent 2 }}
{{- end }}
{{- end -}}

{{/* The images of a version beside the services' own, by their names in images.json, as a JSON list. Takes ctx. */}}
{{- define "platform.imagesOf" -}}
{{- $ctx := .ctx -}}
{{- $names := list -}}
{{- range $name, $service := $ctx.catalog.services }}{{ $names = append $names (index $ctx.runtimes ($service.runtime | default "payments")).image }}{{ end -}}
{{- range $name, $dependency := $ctx.catalog.dependencies -}}
{{- if eq (index $ctx.settings $name).mode "Builtin" }}{{ $names = append $names (index $ctx.runtimes $name).image }}{{ end -}}
{{- end -}}
{{- without $names "services" | uniq | sortAlpha | mustToJson -}}
{{- end -}}

{{/* A pod template that Pod Security `restricted` accepts. Takes ctx, root, workload. */}}
{{- define "platform.podTemplate" -}}
{{- $ctx := .ctx -}}
{{- $w := .workload -}}
{{- $runtime := $w.runtime -}}
{{- $labels := dict "ctx" $ctx "name" $w.name "component" $w.component -}}
metadata:
  labels:
    {{- include "platform.podLabels" $labels | nindent 4 }}
  {{- with include "platform.podAnnotations" . | trim }}
  annotations:
    {{- . | nindent 4 }}
  {{- end }}
spec:
  serviceAccountName: {{ $w.name }}
  automountServiceAccountToken: {{ $w.apiToken | default false }}
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ int $runtime.grace }}
  {{- with $ctx.settings.image.pullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if eq $w.kind "job" }}
  restartPolicy: {{ $w.retry | default "OnFailure" }}
  {{- else if eq $w.kind "cronJob" }}
  restartPolicy: Never
  {{- else }}
  topologySpreadConstraints:
    - topologyKey: kubernetes.io/hostname
      maxSkew: 1
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "platform.selector" $labels | nindent 10 }}
      {{- if eq $w.kind "service" }}
      matchLabelKeys: [pod-template-hash]
      {{- end }}
  {{- /* Not by a second constraint: the scheduler then counts only nodes with both labels, and many clusters have no zones. */}}
  affinity:
    podAntiAffinity:
      preferredDuringSchedulingIgnoredDuringExecution:
        - weight: 100
          podAffinityTerm:
            topologyKey: topology.kubernetes.io/zone
            labelSelector:
              matchLabels:
                {{- include "platform.selector" $labels | nindent 16 }}
  {{- end }}
  {{- with $w.near }}
  affinity:
    podAffinity:
      requiredDuringSchedulingIgnoredDuringExecution:
        - topologyKey: kubernetes.io/hostname
          labelSelector:
            matchExpressions:
              - {key: app.kubernetes.io/name, operator: In, values: {{ . | mustToJson }}}
              - {key: app.kubernetes.io/instance, operator: In, values: [{{ $ctx.name | quote }}]}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: {{ int $runtime.user }}
    runAsGroup: {{ int $runtime.user }}
    fsGroup: {{ int $runtime.user }}
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile:
      type: RuntimeDefault
  {{- if $runtime.startsImages }}
  initContainers:
    {{- range $image := include "platform.imagesOf" (dict "ctx" $ctx) | mustFromJson }}
    - name: image-{{ $image }}
      image: {{ include "platform.image" (dict "ctx" $ctx "image" $image) | quote }}
      imagePullPolicy: {{ $ctx.settings.image.pullPolicy }}
      command: [/bin/sh, -c, "exit 0"]
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities:
          drop: [ALL]
      resources:
        {{- toYaml $w.resources | nindent 8 }}
    {{- end }}
  {{- end }}
  {{- with $runtime.first }}
  initContainers:
    - name: {{ .name }}
      image: {{ include "platform.image" (dict "ctx" $ctx "image" .image) | quote }}
      imagePullPolicy: {{ $ctx.settings.image.pullPolicy }}
      command:
        {{- toYaml .command | nindent 8 }}
      terminationMessagePolicy: FallbackToLogsOnError
      {{- include "platform.inside" $w | nindent 6 }}
      {{- with $w.resources }}
      resources:
        {{- toYaml . | nindent 8 }}
      {{- end }}
  {{- end }}
  containers:
    - name: {{ $w.name }}
      image: {{ include "platform.image" (dict "ctx" $ctx "image" $runtime.image) | quote }}
      imagePullPolicy: {{ $ctx.settings.image.pullPolicy }}
      command:
        {{- toYaml (concat $runtime.command ($w.args | default list)) | nindent 8 }}
      {{- if has $w.kind (list "job" "cronJob") }}
      terminationMessagePolicy: FallbackToLogsOnError
      {{- end }}
      {{- include "platform.inside" $w | nindent 6 }}
      {{- if $w.ports }}
      ports:
        {{- range $port, $number := $w.ports }}
        - name: {{ $port }}
          containerPort: {{ int $number }}
        {{- end }}
      {{- end }}
      {{- with $runtime.probes }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
      {{- with $runtime.lifecycle }}
      lifecycle:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $w.resources }}
      resources:
        {{- toYaml . | nindent 8 }}
      {{- end }}
  volumes:
    {{- range $mount := $w.mounts }}
    {{- if not $mount.claim }}
    - name: {{ $mount.name }}
      {{- include "platform.volume" (dict "ctx" $ctx "mount" $mount) | nindent 6 }}
    {{- end }}
    {{- end }}
{{- end -}}

{{/* What all containers of a pod have alike: limits to what they may do, variables, files. Takes the workload. */}}
{{- define "platform.inside" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- if .env }}
env:
  {{- range $variable, $source := .env }}
  - name: {{ $variable }}
    {{- if hasKey $source "valueFrom" }}
    valueFrom:
      {{- toYaml $source.valueFrom | nindent 6 }}
    {{- else }}
    value: {{ $source.value | toString | quote }}
    {{- end }}
  {{- end }}
{{- end }}
volumeMounts:
  {{- range $mount := .mounts }}
  - name: {{ $mount.name }}
    mountPath: {{ $mount.path }}
    {{- if or $mount.secret $mount.configMap $mount.token $mount.rolePasswords }}
    readOnly: true
    {{- end }}
  {{- end }}
{{- end -}}
