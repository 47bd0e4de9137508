#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# build.sh [TARGET] [OPTION...] - builds a target of docker/Dockerfile (penstock, the default; haproxy) as
# image TARGET:$PENSTOCK_TAG (latest). Further options go to `docker build`. Needs docker/base.sh to have run.
set -euo pipefail
# shellcheck source=/dev/null
. "$(cd "$(dirname "$0")" && pwd)/lib.sh"
target=${1:-penstock}
[ $# -eq 0 ] || shift
case $target in
penstock) name=penstock ;;
haproxy) name=penstock-haproxy ;;
*) name=penstock-$target ;;
esac
need_docker
cd "$ROOT"
version=$(sed -n 's/^project(penstock VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
[ -z "$(git status --porcelain 2>/dev/null)" ] || revision+=-modified

# What is sent to the engine, without build trees and with nothing that differs between two checkouts.
context() {
	tar --create --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$epoch" --mode=go=rX,u+rw \
		--exclude=__pycache__ CMakeLists.txt LICENSE README.md config sidecar filter tests/lib docker
}
context | docker_build --file docker/Dockerfile --target "$target" --tag "$name:$PENSTOCK_TAG" --build-arg VERSION="$version" \
	--build-arg REVISION="$revision" --build-arg SOURCE_DATE_EPOCH="$epoch" \
	--build-arg CREATED="$(date --utc --date="@$epoch" +%FT%TZ)" "$@" - >/dev/null
echo "made: $name:$PENSTOCK_TAG, $(docker image inspect -f '{{.Size}}' "$name:$PENSTOCK_TAG") bytes"
