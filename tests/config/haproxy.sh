#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# haproxy.sh PENSTOCK [--write] - the configurations in config/haproxy are what `penstock haproxy` writes, and HAProxy
# takes them without a word. --write makes them anew.
set -u
cd "$(dirname "$0")/../.." || exit 1
penstock=$1
write=${2:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0 skipped=0
say() { # VERDICT WHAT
	echo "$1 $2"
	case $1 in ok) passed=$((passed + 1)) ;; FAIL) failed=$((failed + 1)) ;; *) skipped=$((skipped + 1)) ;; esac
}
grep -v '^spoa:' config/haproxy/routes.yaml >"$work/rules.yaml"

# As they would be in /etc: so the sum of the first line is another.
as_installed() { # FILE
	sed -e "1s/; not edited: .*//; s#$(realpath "$(dirname "$1")")/#/etc/haproxy/#" -e "s#config '[^']*routes.yaml'#config '/etc/penstock/routes.yaml'#" "$1"
}

make_one() { # FLAVOUR ROUTES OPTION...
	local flavour=$1 routes=$2
	shift 2
	mkdir "$work/$flavour"
	"$penstock" haproxy --out "$work/$flavour" "$@" "$routes" >"$work/log" 2>&1 || cat "$work/log"
	as_installed "$work/$flavour"/*.cfg >"$work/$flavour.cfg"
}
make_one rules "$work/rules.yaml" --listen :8080
make_one spoe config/haproxy/routes.yaml --listen :8080
make_one native config/haproxy/routes.yaml --listen :8080 --native
make_one penstock config/haproxy/routes.yaml --backend
as_installed "$work/spoe/penstock.spoe.conf" >"$work/penstock.spoe.conf"

for file in rules.cfg spoe.cfg native.cfg penstock.cfg penstock.spoe.conf; do
	[ "$write" = --write ] && cp "$work/$file" "config/haproxy/$file"
	if diff -u "config/haproxy/$file" "$work/$file"; then say ok "config/haproxy/$file is what is written"; else say FAIL "config/haproxy/$file differs"; fi
done

parses() { # NAME FILE HAPROXY...
	local name=$1 file=$2 out
	shift 2
	if out=$("$@" -c -f "$file" 2>&1) && ! grep -qE 'WARNING|ALERT' <<<"$out"; then say ok "$name parses without a warning"; else echo "$out" && say FAIL "$name"; fi
}
if command -v haproxy >/dev/null; then
	parses rules.cfg "$work/rules/haproxy.cfg" haproxy
	parses spoe.cfg "$work/spoe/haproxy.cfg" haproxy
	printf '%s\n' 'defaults' '    mode http' '    timeout client 60s' 'frontend site' '    bind :8080' '    use_backend penstock' >"$work/site.cfg"
	parses penstock.cfg "$work/site.cfg" haproxy -f "$work/penstock/penstock.cfg"
else
	say skip "haproxy -c: haproxy is not installed"
fi
if [ -x "${PENSTOCK_FILTER:-}/haproxy" ]; then
	parses native.cfg "$work/native/haproxy.cfg" "$PENSTOCK_FILTER/haproxy"
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
