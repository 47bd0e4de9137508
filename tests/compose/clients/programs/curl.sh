#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# curl.sh URL FOLDER [OPTION...] - curl -F for each part.
set -eu
url=$1 folder=$2
shift 2
quoted() { # as curl wants it in -F
	local text=${1//\\/\\\\}
	printf '"%s"' "${text//\"/\\\"}"
}
arguments=()
while IFS=$'\t' read -r kind name path filename type; do
	case $kind in
	value) arguments+=(-F "$name=<$path") ;;
	file) arguments+=(-F "$name=@$path;filename=$(quoted "$filename");type=$type") ;;
	esac
done <"$folder/form.tsv"
curl -sS --max-time 240 --cacert "$CA" "$@" -o "$folder/answer" -w '%{http_code}\n' "${arguments[@]}" "$url"
cat "$folder/answer"
