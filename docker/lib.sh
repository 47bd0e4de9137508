# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# lib.sh - what base.sh, build.sh, up.sh and down.sh share. To be sourced; the folder of the repository is $ROOT.
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export LABEL=org.penstock.made # on each image that is made here, stages too: by it down.sh finds them
export PROJECT=${PROJECT:-penstock} PORT=${PORT:-8080} PENSTOCK_TAG=${PENSTOCK_TAG:-latest}
# The classic builder: what it leaves are images, which carry our label. BuildKit keeps a cache that belongs to no project.
export DOCKER_BUILDKIT=${DOCKER_BUILDKIT:-0}

die() {
	echo "$(basename "$0"): $*" >&2
	exit 1
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}

# The engine answers, started here if it was not running.
need_docker() {
	command -v docker >/dev/null || bash "$ROOT/tests/lib/install.sh" docker.io || true
	command -v docker >/dev/null || die "DOCKER IS NOT INSTALLED, and could not be"
	docker info >/dev/null 2>&1 && return
	[ -z "${DOCKER_HOST:-}" ] || die "THE DOCKER DAEMON AT $DOCKER_HOST DOES NOT ANSWER"
	echo "the Docker daemon does not answer: starting it" >&2
	as_root service docker start >/dev/null 2>&1 || as_root systemctl start docker >/dev/null 2>&1 || true
	local end=$((SECONDS + 60))
	until docker info >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || die "THE DOCKER DAEMON IS NOT RUNNING and could not be started: $(docker info 2>&1 | tail -n 1)"
		sleep 0.5
	done
}

# Sets COMPOSE to the command, whichever of the two is here. $COMPOSE_MORE is a further file that changes ours.
need_compose() {
	if docker compose version >/dev/null 2>&1; then
		COMPOSE=(docker compose)
	else
		command -v docker-compose >/dev/null || bash "$ROOT/tests/lib/install.sh" docker-compose || true
		command -v docker-compose >/dev/null || die "NEITHER docker compose NOR docker-compose IS HERE, and none could be installed"
		COMPOSE=(docker-compose)
	fi
	COMPOSE+=(--project-name "$PROJECT" --file "$ROOT/docker/compose.yaml" ${COMPOSE_MORE:+--file "$COMPOSE_MORE"})
}

# The one that debootstrap takes if it is told none.
public_mirror() { sed -n 's/^DEF_MIRROR="\(.*\)"$/\1/p' /usr/sbin/debootstrap 2>/dev/null; }

# The mirror that this machine's apt uses, if it is one of Debian; else the public one.
apt_mirror() {
	local found
	found=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | grep -vE '^ *#' |
		grep -oE 'https?://[^ ]*debian/?( |$)' | head -n 1 | tr -d ' ')
	found=${APT_MIRROR:-${found:-$(public_mirror)}}
	echo "${found%/}"
}

# That of security updates; nothing where this machine's apt has none.
apt_security() {
	local mirror found
	mirror=$(apt_mirror)
	found=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | grep -vE '^ *#' |
		grep -oE 'https?://[^ ]*debian-security/?( |$)' | head -n 1 | tr -d ' ')
	[ -n "$found" ] || [ "$mirror" != "$(public_mirror)" ] || found=$mirror-security
	echo "${found%/}"
}

# How this machine's apt gets there (proxies, clocks, certificates), as one line of apt.conf. Goes into the stages of a
# build as an argument; no image that is shipped, its history neither, and no file here holds it. The demo's images do, and stay here.
apt_conf() {
	command -v apt-config >/dev/null || return 0
	apt-config dump | grep -E '^Acquire::(http|https|Retries|Check-Valid-Until|Check-Date|ForceIPv4|ForceIPv6)[: ]' |
		grep -vE '""|CaInfo|SslCert|SslKey|Timeout' | tr '\n' ' '
}

# A proxy or mirror on this machine itself is reached from a build only in this machine's network.
build_network() {
	if [[ "$(apt_conf) $(apt_mirror)" =~ (127\.0\.0\.1|localhost|\[::1\]) ]]; then echo host; else echo default; fi
}

# `docker build` without the classic builder's notice of its age.
docker_build() {
	docker build --quiet --force-rm --network "$(build_network)" --build-arg APT_CONF="$(apt_conf)" "$@" \
		2> >(grep -vE '^$|DEPRECATED: |BuildKit is currently disabled|environment-variable' >&2)
}
