{{- define "port-hardening.name" -}}
{{- $name := default (ternary .Release.Name (printf "%s-%s" .Release.Name .Chart.Name) (contains .Chart.Name .Release.Name)) .Values.fullnameOverride -}}
{{- $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "port-hardening.labels" -}}
app.kubernetes.io/name: port-hardening
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- /* What a selector may hold: it cannot be changed by an upgrade. */ -}}
{{- define "port-hardening.selector" -}}
app.kubernetes.io/name: port-hardening
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "port-hardening.image" -}}
{{- $tag := default .Chart.AppVersion .Values.image.tag -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ $tag }}
{{- end -}}
{{- end -}}

{{- /* The settings of the install, as `--settings` reads them. */ -}}
{{- define "port-hardening.settings" -}}
{{- $settings := dict "allowedSysctls" .Values.allowedSysctls "podsOnUplink" .Values.podsOnUplink "failsafes" .Values.failsafes -}}
{{- if .Values.podInterfaces }}{{ $_ := set $settings "podInterfaces" .Values.podInterfaces }}{{ end -}}
{{- toYaml $settings -}}
{{- end -}}
