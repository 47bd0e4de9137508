#!/bin/sh
# SPDX-License-Identifier: MIT
# gateway - starts HAProxy with /etc/haproxy/haproxy.cfg or, where none is mounted, with what `penstock haproxy` writes for
# the route files in /etc/penstock. For that /run/haproxy must be writable: --tmpfs /run/haproxy:uid=10001,gid=10001.
# $LISTEN (:8080) is where.
set -eu
config=/etc/haproxy/haproxy.cfg
if [ ! -e "$config" ]; then
	penstock haproxy --native --out /run/haproxy --listen "${LISTEN:-:8080}" /etc/penstock
	config=/run/haproxy/haproxy.cfg
fi
exec haproxy -W -f "$config" "$@"
