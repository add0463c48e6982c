{{- define "opd-gateway.containerSecurity" -}}
allowPrivilegeEscalation: false
privileged: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- define "opd-gateway.items" -}}
{{- range $key, $path := . }}
- key: {{ $key | quote }}
  path: {{ $path | quote }}
{{- end }}
{{- end -}}

{{- define "opd-gateway.pod" -}}
metadata:
  labels:
    {{- include "opd-gateway.labels" . | nindent 4 }}
    app.kubernetes.io/component: gateway
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    checksum/config: {{ include (print $.Template.BasePath "/configmaps.yaml") . | sha256sum }}
    kubectl.kubernetes.io/default-container: gateway
    {{- with .Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "opd-gateway.serviceAccount" . }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  # What a stop takes: proxies hear of it, requests under way end, the ledger is closed.
  terminationGracePeriodSeconds: {{ add (int .Values.preStopSeconds) (int .Values.longestDeadline) 10 }}
  securityContext:
    {{- toYaml .Values.podSecurityContext | nindent 4 }}
  {{- with .Values.image.pullSecrets }}
  imagePullSecrets:
    {{- range . }}
    - name: {{ . }}
    {{- end }}
  {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if eq .Values.mode "distributed" }}
  topologySpreadConstraints:
    {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
    - topologyKey: {{ . }}
      maxSkew: 1
      whenUnsatisfiable: {{ $.Values.topologySpread }}
      matchLabelKeys: [pod-template-hash]
      labelSelector:
        matchLabels:
          {{- include "opd-gateway.selector" $ | nindent 10 }}
    {{- end }}
  {{- end }}
  containers:
    - name: gateway
      image: {{ include "opd-gateway.image" . }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args: [run]
      workingDir: /etc/opd-gateway
      env:
        - name: GATEWAY_KEY
          valueFrom:
            secretKeyRef:
              name: {{ .Values.ledger.keySecret }}
              key: {{ .Values.ledger.keySecretKey }}
        - name: GATEWAY_LEDGER
          {{- if eq .Values.mode "embedded" }}
          value: sqlite:/var/lib/opd-gateway/ledger.db
          {{- else }}
          valueFrom:
            secretKeyRef:
              name: {{ .Values.postgresql.secret }}
              key: {{ .Values.postgresql.secretKey }}
          {{- end }}
        {{- with .Values.extraEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- with .Values.secrets }}
      envFrom:
        {{- range . }}
        - secretRef:
            name: {{ . }}
        {{- end }}
      {{- end }}
      ports:
        - name: http
          containerPort: 8080
        - name: metrics
          containerPort: 9090
        {{- if .Values.sftp.enabled }}
        - name: sftp
          containerPort: 2222
        {{- end }}
      startupProbe:
        httpGet: {path: /livez, port: http}
        timeoutSeconds: 2
        {{- toYaml .Values.probes.startup | nindent 8 }}
      readinessProbe:
        httpGet: {path: /readyz, port: http}
        timeoutSeconds: 3
        {{- toYaml .Values.probes.readiness | nindent 8 }}
      livenessProbe:
        httpGet: {path: /livez, port: http}
        timeoutSeconds: 5
        {{- toYaml .Values.probes.liveness | nindent 8 }}
      lifecycle:
        preStop:
          exec:
            command: [sleep, {{ .Values.preStopSeconds | quote }}]
      resources:
        {{- toYaml .Values.resources | nindent 8 }}
      securityContext:
        {{- include "opd-gateway.containerSecurity" . | nindent 8 }}
      volumeMounts:
        - name: configuration
          mountPath: /etc/opd-gateway
          readOnly: true
        - name: tmp
          mountPath: /tmp
        {{- if eq .Values.mode "embedded" }}
        - name: ledger
          mountPath: /var/lib/opd-gateway
        {{- end }}
        {{- with .Values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    - name: tmp
      emptyDir:
        sizeLimit: {{ .Values.tmpSize }}
    - name: configuration
      projected:
        defaultMode: 0440
        sources:
          {{- if .Values.config }}
          - configMap:
              name: {{ include "opd-gateway.name" . }}-config
          {{- end }}
          {{- range $folder := list "mappings" "wsdl" }}
          {{- with get $.Values $folder }}
          - configMap:
              name: {{ include "opd-gateway.name" $ }}-{{ $folder }}
              items:
                {{- range $path, $_ := . }}
                - key: {{ replace "/" "__" $path | quote }}
                  path: {{ printf "%s/%s" $folder $path | quote }}
                {{- end }}
          {{- end }}
          {{- end }}
          {{- range .Values.configMaps }}
          - configMap:
              name: {{ .name }}
              items:
                {{- include "opd-gateway.items" .items | nindent 16 }}
          {{- end }}
          {{- range .Values.certificates }}
          - secret:
              name: {{ .secret }}
              items:
                {{- include "opd-gateway.items" .items | nindent 16 }}
          {{- end }}
    {{- with .Values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}
