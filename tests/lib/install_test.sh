#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# cmake --install puts the binary, the schema and an example where they belong, and they work from there.
set -u
root=${BUILD_ROOT:-$PWD/build}
bash tests/lib/build.sh release || { echo "0 passed, 1 failed, 0 skipped"; exit 1; }
to=$(mktemp -d)
trap 'rm -rf "$to"' EXIT
passed=0 failed=0
check() { # NAME COMMAND...
	local name=$1
	shift
	if "$@" >"$to/out" 2>&1; then
		echo "ok $name" && passed=$((passed + 1))
	else
		echo "FAIL $name" && cat "$to/out" && failed=$((failed + 1))
	fi
}
check "cmake --install" cmake --install "$root/release" --prefix "$to/usr"
check "binary runs" "$to/usr/bin/penstock" version
check "schema is what the program prints" bash -c "'$to/usr/bin/penstock' schema | cmp - '$to/usr/share/penstock/routes.schema.json'"
check "example is good" "$to/usr/bin/penstock" check "$to/usr/share/penstock/routes.example.yaml"
check "minimal example is good" "$to/usr/bin/penstock" check "$to/usr/share/penstock/routes.minimal.yaml"
check "the manual names the files where they are" bash -c "
	share=\$(sed -n 's/^CMAKE_INSTALL_PREFIX:PATH=//p' '$root/release/CMakeCache.txt')/share/penstock
	for file in '$to'/usr/share/penstock/*; do
		'$to/usr/bin/penstock' man 1 | sed 's/.f[BR]//g' | grep -qF \"\$share/\$(basename \"\$file\")\" || exit 1
	done"
check "hardened: position independent" bash -c "readelf -h '$to/usr/bin/penstock' | grep -q 'DYN'"
check "hardened: relro and bind now" bash -c "readelf -d '$to/usr/bin/penstock' | grep -q 'BIND_NOW\|FLAGS.*NOW'"
check "must() is still on" bash -c "strings -a '$to/usr/bin/penstock' | grep -q 'penstock: bug: must'"
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
