#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds and tests penstock with Debian trixie's libraries (libcurl 8.14, libmicrohttpd 1.0.1) in a chroot below
# $BUILD_ROOT, made by debootstrap from the mirror that this machine uses. Root only. Then the agent and the filter with
# trixie's HAProxy (3.0): there the filter is preloaded only, also by the library that was built for bookworm's, which
# has to be refused.
set -u
cd "$(dirname "$0")/../.." || exit 1
root=${BUILD_ROOT:-$PWD/build}
chroot=$root/trixie-root
skip() {
	echo "SKIPPED trixie: $1"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
}
mapfile -t packages < <(bash tests/setup.sh --list in-trixie)
why=$(bash tests/lib/chroot.sh trixie trixie-root "${packages[@]}" 2>&1) || skip "$why"
rm -rf "$chroot/src" && mkdir "$chroot/src"
git ls-files -z | xargs -0 cp --parents -t "$chroot/src"
[ ! -e "$root/filter/penstock-filter.so" ] || cp "$root/filter/penstock-filter.so" "$chroot/src/other-filter.so"
unshare --mount bash -c "mount -t proc proc '$chroot/proc' && mount --rbind /dev '$chroot/dev' && exec chroot '$chroot' bash -c '
	cd /src && export BUILD_ROOT=/src/build && bash tests/lib/ctest.sh release \"unit|stress\"
	build/release/penstock version
	PENSTOCK=build/release/penstock E2E_TREE=trixie STATE_KILLS=5 python3 tests/e2e/e2e.py
	FILTER_ONLY=1 bash tests/vtc/suite.sh
	bash tests/trixie/abi.sh'" >"$root/trixie.out" 2>&1
cat "$root/trixie.out"
awk '/^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$/ { p += $1; f += $3; s += $5; n++ }
	END { if (n != 4) f++; print p + 0 " passed, " f + 0 " failed, " s + 0 " skipped"; exit f > 0 }' "$root/trixie.out"
