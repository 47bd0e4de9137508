#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# cmake --install puts the binary, the schema and an example where they belong, and they work from there. And
# install.sh, which installs what tests need, says why it cannot.
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
check "README's pages are there, and every link of theirs leads somewhere" python3 - "$to/usr/share/doc/penstock" <<'END'
import pathlib, re, sys
root = pathlib.Path(sys.argv[1])
pages = list(root.rglob("*.md"))
links = [(page, link) for page in pages for link in re.findall(r'(?:\]\(|src=")([^)"#]+)', page.read_text())]
told = [(page, path) for page in [root / "README.md"] for path in re.findall(r"`((?:[\w.]+/)*README\.md)`", page.read_text())]
dead = [f"{page}: {link}" for page, link in links + told if "://" not in link and not (page.parent / link).exists()]
print(*dead, sep="\n")
sys.exit(bool(dead) or len(pages) < 8 or len(links) < 1)
END
apt_fails() { # with an apt that can do nothing: its words, and 77
	local said code
	mkdir "$to/bin"
	printf '#!/bin/sh\necho "E: Unable to reach the mirror" >&2\nexit 100\n' >"$to/bin/apt-get"
	printf '#!/bin/sh\nexec "$@"\n' >"$to/bin/sudo"
	chmod +x "$to"/bin/*
	said=$(PATH=$to/bin:$PATH bash tests/lib/install.sh no-such-package 2>&1)
	code=$?
	echo "$code: $said"
	[ "$code" -eq 77 ] && [[ $said == *"COULD NOT INSTALL: no-such-package"*"E: Unable to reach the mirror"* ]]
}
check "install.sh says why" apt_fails
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
