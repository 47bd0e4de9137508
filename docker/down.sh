#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# down.sh - removes every trace of up.sh: containers, networks, volumes, the images that were built (those of $PENSTOCK_TAG)
# and the base that was made for them. `--keep-images` leaves those, so that the next start is quick; while another stack
# is up they stay, too. PROJECT (penstock).
set -euo pipefail
# shellcheck source=/dev/null
. "$(cd "$(dirname "$0")" && pwd)/lib.sh"
need_docker
mine=(--filter "label=com.docker.compose.project=$PROJECT")

remove() { # COMMAND..., for the ids on standard input
	local ids
	mapfile -t ids
	[ ${#ids[@]} -eq 0 ] || "$@" "${ids[@]}" >/dev/null
}
docker ps --all --quiet "${mine[@]}" | remove docker rm --force --volumes
docker network ls --quiet "${mine[@]}" | remove docker network rm
docker volume ls --quiet "${mine[@]}" | remove docker volume rm
[ "${1:-}" != --keep-images ] || exit 0

# images FORMAT: what was made here, one a line: its id, or NAME:TAG, or <none>:<none> for a stage
images() { docker image ls --all --no-trunc --filter "label=$LABEL" --format "$1" | sort -u; }
# By name too: an image that somebody made from one of ours has our label.
targets=$(sed -n 's/^FROM .* AS //p' "$ROOT"/docker/Dockerfile "$ROOT"/docker/{demo,bucket}/Dockerfile | paste -sd '|')
ours() { images '{{.Repository}}:{{.Tag}}' | grep -xE "penstock(-($targets))?:$PENSTOCK_TAG" || true; }
users() { # containers of those images: project and name
	local name
	for name in $(ours); do
		docker ps --all --filter "ancestor=$name" --format '{{.Label "com.docker.compose.project"}} {{.Names}}'
	done | sort -u
}
busy=$(users)
[ -z "$busy" ] || die "the images :$PENSTOCK_TAG stay, for other containers use them (PROJECT, name):"$'\n'"$busy"

# Nothing is forced: what another tag was made from stays, and so does its base. An image goes only after those made from
# it, so as long as one goes there is another round.
ours | remove docker image rm
while :; do
	went=
	for id in $(images '{{.ID}} {{.Repository}}' | sed -n 's/ <none>$//p'); do
		! docker image rm "$id" >/dev/null 2>&1 || went=yes
	done
	[ -n "$went" ] || break
done
base=$(docker image ls --no-trunc --filter "label=$LABEL=base.sh" --format '{{.ID}}')
[ "$(images '{{.ID}}')" != "$base" ] || [ -z "$base" ] || docker image rm "$base" >/dev/null
