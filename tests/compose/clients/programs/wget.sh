#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# wget.sh URL FOLDER wget|wget2 - they make no forms: a body is made here, as a user of theirs would, and they send the file.
set -eu
url=$1 folder=$2 program=$3 body=$2/body
boundary=wget-$$-form
while IFS=$'\t' read -r kind name path filename type; do
	printf -- '--%s\r\nContent-Disposition: form-data; name="%s"' "$boundary" "${name//\"/%22}"
	[ "$kind" = value ] || printf '; filename="%s"\r\nContent-Type: %s' "${filename//\"/%22}" "$type"
	printf '\r\n\r\n'
	cat "$path"
	printf '\r\n'
done <"$folder/form.tsv" >"$body"
printf -- '--%s--\r\n' "$boundary" >>"$body"
rm -f "$folder/answer"
"$program" --post-file="$body" -q -O "$folder/answer" --tries=1 --timeout=240 --save-headers --content-on-error \
	--header="Content-Type: multipart/form-data; boundary=$boundary" "$url" || true
rm "$body"
# HTTP/1.1 201 Created, other headers, an empty line, the body
sed -n '1s/^[^ ]* \([0-9]*\).*/\1/p' "$folder/answer"
sed '1,/^\r*$/d' "$folder/answer"
