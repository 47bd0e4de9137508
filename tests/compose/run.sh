#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# run.sh [NAME...] - the images and the stack of docker/, from outside: builds them, starts them, uploads through
# HAProxy, looks at what lies in the store, removes them. Needs Docker, and says so loudly where there is none.
set -u
cd "$(dirname "$0")/../.." || exit 1
skip() {
	echo "SKIPPED compose: $1"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
}
bash tests/setup.sh compose || true
# shellcheck source=/dev/null
(. docker/lib.sh && need_docker && need_compose) || skip "DOCKER IS NOT TO BE HAD HERE: NO IMAGE AND NO STACK WAS TESTED"
if ! docker/base.sh || ! docker/build.sh penstock || ! bash tests/lib/build.sh release; then
	echo "FAIL the image does not build"
	echo "0 passed, 1 failed, 0 skipped"
	exit 1
fi
export TESTS_IN=tests/compose
exec python3 tests/e2e/e2e.py "$@"
