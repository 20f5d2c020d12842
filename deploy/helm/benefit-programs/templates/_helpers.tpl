{{/* The name of the chart's things in a release. */}}
{{- define "benefits.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What never changes about a part: (list ROOT PART). */}}
{{- define "benefits.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ default $root.Chart.Name $root.Values.nameOverride }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "benefits.labels" -}}
{{- $root := index . 0 -}}
{{ include "benefits.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- with $root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* What is there for the migration alone, before everything else, and goes with it. */}}
{{- define "benefits.hook" -}}
helm.sh/hook: pre-install,pre-upgrade
helm.sh/hook-weight: {{ . | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end -}}

{{- define "benefits.image" -}}
{{- $image := .Values.image -}}
{{- $repository := required "image.repository: name the repository that has the image" $image.repository -}}
{{- if $image.digest -}}
{{ printf "%s@%s" $repository $image.digest }}
{{- else -}}
{{ printf "%s:%s" $repository (default .Chart.AppVersion $image.tag) }}
{{- end -}}
{{- end -}}

{{- define "benefits.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{ default (include "benefits.fullname" .) .Values.serviceAccount.name }}
{{- else -}}
{{ default "default" .Values.serviceAccount.name }}
{{- end -}}
{{- end -}}

{{- define "benefits.secret" -}}
{{ default (include "benefits.fullname" .) .Values.secret.existing }}
{{- end -}}

{{/* Variables that name the files of secrets: (list ROOT KEYS). */}}
{{- define "benefits.secretFiles" -}}
{{- range index . 1 }}
- name: BENEFITS_{{ . | upper | replace "-" "_" }}_FILE
  value: /etc/benefits/secrets/{{ . }}
{{- end }}
{{- end -}}

{{/* The settings of a deployment that aren't secret. A change of them starts its pods anew. */}}
{{- define "benefits.settings" -}}
- name: BENEFITS_LOG_FORMAT
  value: {{ dig "log_format" "json" .Values.settings | quote }}
{{- range $name, $value := omit .Values.settings "log_format" }}
- name: BENEFITS_{{ upper $name }}
  value: {{ if kindIs "slice" $value }}{{ join "," $value | quote }}{{ else if kindIs "float64" $value }}{{ int64 $value | quote }}{{ else }}{{ $value | quote }}{{ end }}
{{- end }}
{{- end -}}

{{/* What all pods have: (list ROOT PART NAME-OF-SERVICE-ACCOUNT). */}}
{{- define "benefits.pod" -}}
{{- $root := index . 0 -}}
serviceAccountName: {{ index . 2 }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with $root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  {{- toYaml $root.Values.podSecurityContext | nindent 2 }}
{{- end -}}

{{- define "benefits.volumes" -}}
- name: secrets
  secret:
    secretName: {{ index . 1 }}
    defaultMode: 0440
    items:
      {{- range index . 2 }}
      - key: {{ . }}
        path: {{ . }}
      {{- end }}
- name: tmp
  emptyDir: {medium: Memory, sizeLimit: 64Mi}
{{- end -}}

{{- define "benefits.mounts" -}}
- name: secrets
  mountPath: /etc/benefits/secrets
  readOnly: true
- name: tmp
  mountPath: /tmp
{{- end -}}

{{/* Where pods may be: (list ROOT PART VALUES-OF-PART). */}}
{{- define "benefits.placement" -}}
{{- $root := index . 0 -}}
{{- $values := index . 2 -}}
{{- if $root.Values.spread }}
topologySpreadConstraints:
  {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "benefits.selector" (list $root (index $ 1)) | nindent 8 }}
    matchLabelKeys: [pod-template-hash]
  {{- end }}
{{- end }}
{{- range $field := list "nodeSelector" "tolerations" "affinity" "priorityClassName" }}
{{- with index $values $field }}
{{ $field }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end -}}

{{/* The probes of a port. A start may wait for a slow database. */}}
{{- define "benefits.probes" -}}
startupProbe:
  httpGet: {path: /healthz, port: {{ . }}}
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /healthz, port: {{ . }}}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
readinessProbe:
  httpGet: {path: /readyz, port: {{ . }}}
  periodSeconds: 5
  timeoutSeconds: 6
  failureThreshold: 2
{{- end -}}

{{/* Where pods may go. */}}
{{- define "benefits.egress" -}}
{{- if .Values.networkPolicy.to -}}
- ports:
    - {port: 53, protocol: UDP}
    - {port: 53, protocol: TCP}
- to:
    {{- toYaml .Values.networkPolicy.to | nindent 4 }}
{{- else -}}
- {}
{{- end -}}
{{- end -}}
