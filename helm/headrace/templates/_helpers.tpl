{{- /* Room is left for what is added, such as -worker and a number. */ -}}
{{- define "headrace.name" -}}
{{- .Values.nameOverride | default "headrace" | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "headrace.fullname" -}}
{{- $name := include "headrace.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- /* What selects a component's pods; never changes over the life of a release. */ -}}
{{- define "headrace.selector" -}}
app.kubernetes.io/name: {{ include "headrace.name" .root }}
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
{{- with .values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- /* A digest names the image more exactly than a tag. */ -}}
{{- define "headrace.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{- /* The part of a pod that runs once: a Job or a test. The chart's ServiceAccount may not exist yet. */ -}}
{{- define "headrace.shortPod" -}}
restartPolicy: Never
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile:
    type: RuntimeDefault
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "headrace.shortContainer" -}}
image: {{ include "headrace.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
resources:
  requests: {cpu: 100m, memory: 256Mi}
  limits: {memory: 512Mi}
{{- end -}}

{{- /* A name that is no setting would end each pod; say so before anything is installed. */ -}}
{{- define "headrace.checkSettings" -}}
{{- $known := .Files.Lines "settings.txt" -}}
{{- range $name, $value := .Values.settings -}}
{{- if not (has $name $known) -}}
{{- if has $name ($.Files.Lines "settings-of-the-chart.txt") -}}
{{- fail (printf "settings.%s cannot be set here, because the chart sets it itself; see helm/headrace/README.md." $name) -}}
{{- else -}}
{{- fail (printf "settings.%s is not a setting of Headrace; .env.example lists all of them." $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* The value of a setting as text. */ -}}
{{- define "headrace.text" -}}
{{- kindIs "string" . | ternary . (toJson .) -}}
{{- end -}}

{{- /* The part of a container that worker and look-ups share. */ -}}
{{- define "headrace.container" -}}
image: {{ include "headrace.image" .root }}
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

{{- /* How Headrace logs in to Kafka. */ -}}
{{- define "headrace.kafkaLogin" -}}
{{- with .Values.kafkaLoginSecret }}
{{- if .name }}
- name: HEADRACE_KAFKA_SASL_USERNAME
  valueFrom:
    secretKeyRef:
      name: {{ .name }}
      key: {{ .usernameKey }}
- name: HEADRACE_KAFKA_SASL_PASSWORD
  valueFrom:
    secretKeyRef:
      name: {{ .name }}
      key: {{ .passwordKey }}
{{- end }}
{{- end }}
{{- with .Values.kafkaTlsSecret }}
{{- if .name }}
- name: HEADRACE_KAFKA_TLS_CA_FILE
  value: /etc/headrace/kafka-tls/ca.crt
{{- if .clientCertificate }}
- name: HEADRACE_KAFKA_TLS_CERTIFICATE_FILE
  value: /etc/headrace/kafka-tls/tls.crt
- name: HEADRACE_KAFKA_TLS_KEY_FILE
  value: /etc/headrace/kafka-tls/tls.key
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- /* The certificates, as files. */ -}}
{{- define "headrace.certificateMounts" -}}
{{- if .Values.kafkaTlsSecret.name }}
- name: kafka-tls
  mountPath: /etc/headrace/kafka-tls
  readOnly: true
{{- end }}
{{- if .Values.redisTlsSecret.name }}
- name: redis-tls
  mountPath: /etc/headrace/redis-tls
  readOnly: true
{{- end }}
{{- end -}}

{{- define "headrace.certificateVolumes" -}}
{{- if .Values.kafkaTlsSecret.name }}
- name: kafka-tls
  secret:
    secretName: {{ .Values.kafkaTlsSecret.name }}
{{- end }}
{{- if .Values.redisTlsSecret.name }}
- name: redis-tls
  secret:
    secretName: {{ .Values.redisTlsSecret.name }}
{{- end }}
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

{{- define "headrace.annotations" -}}
{{ include "headrace.settingsSum" . }}
{{- with .values.podAnnotations }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* A change of the settings must restart the pods that read them. */ -}}
{{- define "headrace.settingsSum" -}}
checksum/settings: {{ include (print .root.Template.BasePath "/configmap.yaml") .root | sha256sum }}
{{- end -}}
