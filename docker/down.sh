#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# down.sh - removes every trace of up.sh: containers, networks, volumes, the images that were built and the base that
# was made for them. `--keep-images` leaves those, so that the next start is quick. PROJECT (penstock).
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

# An image goes only after those made from it, so as long as one goes there is another round.
ours() { docker image ls --all --quiet --no-trunc --filter "label=$LABEL" | sort -u; }
used() { docker ps --all --quiet | xargs -r docker inspect --format '{{.Image}}'; }
while [ -n "$(ours)" ]; do
	went=
	for id in $(ours | grep -vxF "$(used)"); do
		docker image rm --force "$id" >/dev/null 2>&1 && went=yes
	done
	[ -n "$went" ] || break
done
[ -z "$(ours)" ] || die "some images are in use by other containers, and stay: $(ours | tr '\n' ' ')"
