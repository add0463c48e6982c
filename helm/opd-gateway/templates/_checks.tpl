{{- /* What a schema can't see: whether gateway.toml fits the pod that it will run in. */ -}}
{{- define "opd-gateway.checks" -}}
{{- if .Values.config -}}
{{- $given := dict
    "listen" (list "0.0.0.0:8080" `(0\.0\.0\.0|\[::\]):8080`)
    "metrics" (list "0.0.0.0:9090" `(0\.0\.0\.0|\[::\]):9090`)
    "ledger" (list "${GATEWAY_LEDGER}" `\$\{GATEWAY_LEDGER\}`)
    "ledger_key" (list "${GATEWAY_KEY}" `\$\{GATEWAY_KEY\}`) -}}
{{- range $key, $value := $given -}}
{{- if not (regexMatch (printf "(?m)^[ \t]*(gateway\\.)?%s[ \t]*=[ \t]*[\"']%s[\"']" $key (last $value)) $.Values.config) -}}
{{- fail (printf "config: write %s = %q under [gateway]; the chart's probes, services and volumes expect it" $key (first $value)) -}}
{{- end -}}
{{- end -}}
{{- if .Values.sftp.enabled -}}
{{- if not (regexMatch "[\"'](0\\.0\\.0\\.0|\\[::\\]):2222[\"']" .Values.config) -}}
{{- fail "config: write listen = \"0.0.0.0:2222\" under [gateway.sftp]; sftp.enabled expects it" -}}
{{- end -}}
{{- end -}}
{{- $seconds := dict "ms" 0.001 "s" 1.0 "m" 60.0 "min" 60.0 "h" 3600.0 "d" 86400.0 -}}
{{- range regexFindAll "\\bdeadline[ \t]*=[ \t]*[\"'][0-9.]+[ \t]*(ms|s|min|m|h|d)[\"']" .Values.config -1 -}}
{{- $number := regexFind "[0-9.]+" . | float64 -}}
{{- $unit := regexFind "[a-z]+[\"']$" . | trimAll "\"'" -}}
{{- if gt (mulf $number (get $seconds $unit)) (float64 $.Values.longestDeadline) -}}
{{- fail (printf "longestDeadline: is %v, but gateway.toml has %s; give the longest of them, in seconds" $.Values.longestDeadline .) -}}
{{- end -}}
{{- end -}}
{{- else -}}
{{- $paths := list -}}
{{- range .Values.configMaps }}{{ $paths = concat $paths (values .items) }}{{ end -}}
{{- if not (has "gateway.toml" $paths) -}}
{{- fail "config: is empty, so one of configMaps must have an item with the path gateway.toml" -}}
{{- end -}}
{{- end -}}
{{- end -}}
