{{- define "headrace.fullname" -}}
{{- if contains "headrace" .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-headrace" .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- /* What selects a component's pods; never changes over the life of a release. */ -}}
{{- define "headrace.selector" -}}
app.kubernetes.io/name: headrace
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "headrace.labels" -}}
{{ include "headrace.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{- /* The part of a pod that is the same for worker and look-ups. */ -}}
{{- define "headrace.pod" -}}
serviceAccountName: {{ include "headrace.fullname" .root }}
automountServiceAccountToken: false
# For a service named headrace-serve, Kubernetes would set HEADRACE_SERVE_PORT=tcp://…, which is a setting.
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "headrace.selector" . | nindent 8 }}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- /* The part of a container that worker and look-ups share. */ -}}
{{- define "headrace.container" -}}
image: {{ printf "%s:%s" .root.Values.image.repository (.root.Values.image.tag | default .root.Chart.AppVersion) }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
resources:
  {{- toYaml .values.resources | nindent 2 }}
envFrom:
  - configMapRef:
      name: {{ include "headrace.fullname" .root }}
{{- end -}}

{{- define "headrace.redisUrl" -}}
- name: HEADRACE_REDIS_URL
  valueFrom:
    secretKeyRef:
      name: {{ .Values.redisUrlSecret.name }}
      key: {{ .Values.redisUrlSecret.key }}
{{- end -}}

{{- /* The Secret of the tokens; empty if anyone may ask. */ -}}
{{- define "headrace.tokensSecret" -}}
{{- if .Values.httpTokensSecret.name -}}
{{- .Values.httpTokensSecret.name -}}
{{- else if ne (toString .Values.settings.HEADRACE_HTTP_ALLOW_ANYONE) "true" -}}
{{- printf "%s-http" (include "headrace.fullname" .) -}}
{{- end -}}
{{- end -}}

{{- define "headrace.tokens" -}}
{{- with include "headrace.tokensSecret" . -}}
- name: HEADRACE_HTTP_TOKENS
  valueFrom:
    secretKeyRef:
      name: {{ . }}
      key: {{ $.Values.httpTokensSecret.key }}
- name: HEADRACE_HTTP_METRICS_TOKENS
  valueFrom:
    secretKeyRef:
      name: {{ . }}
      key: {{ $.Values.httpTokensSecret.metricsKey }}
      optional: true
- name: HEADRACE_LOG_PSEUDONYM_KEY
  valueFrom:
    secretKeyRef:
      name: {{ . }}
      key: pseudonyms
      optional: true
{{- end -}}
{{- end -}}

{{- /* A change of the settings must restart the pods that read them. */ -}}
{{- define "headrace.settingsSum" -}}
checksum/settings: {{ include (print .root.Template.BasePath "/configmap.yaml") .root | sha256sum }}
{{- end -}}
