#!/bin/bash
# SPDX-License-Identifier: MIT
# start.sh - starts SeaweedFS with the bucket `uploads`: whoever has AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY may do
# anything, anybody else may read. Files are in /srv/bucket; /tmp must be writable.
# start.sh health - exit 0 if the bucket answers.
set -eu
if [ "${1:-}" = health ]; then
	exec 3<>/dev/tcp/127.0.0.1/8333
	printf 'GET /uploads/?list-type=2&max-keys=1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
	read -r _ status _ <&3
	[ "$status" = 200 ]
	exit
fi
umask 077
cat >/tmp/s3.json <<JSON
{ "identities": [
  { "name": "penstock", "actions": ["Admin"],
    "credentials": [{ "accessKey": "$AWS_ACCESS_KEY_ID", "secretKey": "$AWS_SECRET_ACCESS_KEY" }] },
  { "name": "anonymous", "actions": ["Read:uploads", "List:uploads"] } ] }
JSON
exec weed mini -dir=/srv/bucket -ip=127.0.0.1 -ip.bind=0.0.0.0 -bucket=uploads -s3.config=/tmp/s3.json -s3.autoCreateBucket=false \
	-s3.port.iceberg=0 -s3.port.lance=0 -admin.ui=false -webdav=false -master.telemetry=false -master.volumeSizeLimitMB=1024
