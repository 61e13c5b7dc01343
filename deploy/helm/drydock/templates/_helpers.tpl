{{/* Each takes a dict of root, name (gateway or controller) and own (its values). */}}

{{- define "drydock.selector" -}}
app.kubernetes.io/name: drydock-{{ .name }}
{{- end }}

{{- define "drydock.labels" -}}
{{ include "drydock.selector" . }}
app.kubernetes.io/part-of: drydock
{{- end }}

{{- define "drydock.metadata" -}}
name: drydock-{{ .name }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "drydock.labels" . | nindent 2 }}
{{- end }}

{{- define "drydock.image" -}}
{{- $digest := get .root.Values.image (print .name "Digest") -}}
{{ .root.Values.image.prefix }}-{{ .name }}
{{- if $digest }}@{{ $digest }}{{ else }}:{{ .root.Values.image.tag | default .root.Chart.AppVersion }}{{ end }}
{{- end }}

{{/* The settings as flags; the program's own win. */}}
{{- define "drydock.args" -}}
{{- $settings := merge (dict) .own.settings .root.Values.settings .fixed -}}
{{- range $flag, $value := $settings }}
{{- if kindIs "slice" $value }}
{{- $value = join "," $value }}
{{- else if and (kindIs "float64" $value) (eq $value (floor $value)) }}
{{- $value = int64 $value }}
{{- end }}
- {{ printf "--%s=%v" $flag $value | quote }}
{{- end }}
{{- end }}

{{/* What both programs take from Secrets and from their pod. */}}
{{- define "drydock.env" -}}
- name: DRYDOCK_NAMESPACE
  valueFrom:
    fieldRef: {fieldPath: metadata.namespace}
- name: STRIPE_SECRET_KEY_FILE
  value: /etc/drydock/stripe/secret-key
- name: DRYDOCK_SIGNING_KEYS
  valueFrom:
    secretKeyRef: {name: {{ .root.Values.secrets.signing }}, key: signing-keys, optional: true}
{{- end }}

{{- define "drydock.pod" -}}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .own.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .own.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .own.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .own.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .own.topologySpread }}
topologySpreadConstraints:
  {{- range . }}
  - labelSelector:
      matchLabels:
        {{- include "drydock.selector" $ | nindent 8 }}
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile:
    type: RuntimeDefault
{{- end }}

{{- define "drydock.container" -}}
image: {{ include "drydock.image" . }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
resources:
  {{- toYaml .own.resources | nindent 2 }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end }}

{{- define "drydock.budget" -}}
{{- if .own.disruptionBudget.enabled }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "drydock.metadata" . | nindent 2 }}
spec:
  maxUnavailable: {{ .own.disruptionBudget.maxUnavailable }}
  selector:
    matchLabels:
      {{- include "drydock.selector" . | nindent 6 }}
{{- end }}
{{- end }}

{{/* A part of the installation that is a file: it is of drydock-system there, and of the release's namespace here. */}}
{{- define "drydock.file" -}}
{{ .root.Files.Get .file | replace "drydock-system" .root.Release.Namespace }}
{{- end }}
