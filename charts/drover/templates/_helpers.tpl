{{- define "drover.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains "drover" .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-drover" .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "drover.controller" -}}{{ include "drover.fullname" . }}-controller{{- end -}}
{{- define "drover.agent" -}}{{ include "drover.fullname" . }}-agent{{- end -}}

{{- define "drover.controllerAccount" -}}
{{- .Values.controller.serviceAccount.name | default (include "drover.controller" .) -}}
{{- end -}}

{{- define "drover.agentAccount" -}}
{{- .Values.agent.serviceAccount.name | default (include "drover.agent" .) -}}
{{- end -}}

{{- define "drover.controllerSelector" -}}
app.kubernetes.io/name: drover
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: controller
{{- end -}}

{{- define "drover.agentSelector" -}}
app.kubernetes.io/name: drover-agent
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: agent
{{- end -}}

{{/* Labels and annotations of an object. Takes {root, component, labels, annotations}. */}}
{{- define "drover.meta" -}}
{{- $root := .root -}}
labels:
  {{- $own := dict
    "app.kubernetes.io/name" (eq .component "agent" | ternary "drover-agent" "drover")
    "app.kubernetes.io/instance" $root.Release.Name
    "app.kubernetes.io/component" .component
    "app.kubernetes.io/version" $root.Chart.AppVersion
    "app.kubernetes.io/managed-by" $root.Release.Service
    "helm.sh/chart" (printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_") }}
  {{- toYaml (merge $own (default dict .labels) $root.Values.commonLabels) | nindent 2 }}
{{- with merge (dict) (default dict .annotations) $root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Takes {root, image}. */}}
{{- define "drover.image" -}}
{{- if .image.digest -}}
{{ .image.repository }}@{{ .image.digest }}
{{- else -}}
{{ .image.repository }}:{{ .image.tag | default .root.Values.image.tag | default .root.Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- define "drover.pullSecrets" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* What Pod Security calls restricted. */}}
{{- define "drover.podSecurity" -}}
runAsNonRoot: true
{{- if not .Values.openshift.enabled }}
runAsUser: 65532
runAsGroup: 65532
{{- end }}
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- define "drover.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}

{{/* The settings of the agents of one system. Takes {root, os}. */}}
{{- define "drover.agentConfig" -}}
{{- $agent := .root.Values.agent -}}
{{- $own := get $agent .os -}}
{{- $set := dict "metricsAddress" (printf ":%d" (int $agent.metricsPort)) -}}
{{- if eq .os "linux" -}}
{{- /* Without the node's /run the file would be looked for in the container, where it never is. */ -}}
{{- $_ := set $set "sentinelFile" ($own.hostRun | ternary "/host/run/reboot-required" "") -}}
{{- else -}}
{{- $_ := set $set "sentinelFile" "" -}}
{{- $_ := set $set "windowsRegistry" $own.hostProcess -}}
{{- end -}}
{{- /* Key by key: sprig's merge takes an empty value, as false, for one that is not there. */ -}}
{{- range $key, $value := $agent.config }}{{ $_ := set $set $key $value }}{{ end -}}
{{- range $key, $value := $own.config }}{{ $_ := set $set $key $value }}{{ end -}}
{{- toYaml $set -}}
{{- end -}}

{{- define "drover.needsAgentConstraints" -}}
{{- if and .Values.openshift.enabled .Values.agent.enabled .Values.agent.linux.enabled (or .Values.agent.linux.hostRun .Values.agent.hostNetwork) -}}yes{{- end -}}
{{- end -}}

{{- define "drover.scrape" -}}
prometheus.io/scrape: "true"
prometheus.io/path: /metrics
prometheus.io/port: {{ . | quote }}
{{- end -}}
