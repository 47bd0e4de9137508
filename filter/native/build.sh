#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# build.sh [--debian | --version V | --source DIR] --out DIR [--filter-only] - penstock's filter for HAProxy.
# build.sh --rooms                                              - prints the files of penstock that are in it.
#
# Leaves DIR/haproxy, with the filter inside, and DIR/penstock-filter.so, for the packaged binary:
#     LD_PRELOAD=DIR/penstock-filter.so haproxy -f haproxy.cfg
# --debian (the default) takes this distribution's source package, --version V (3.2, 3.2.4) that of any Debian release
# that has such a version, --source a tree that is unpacked already. Options are those of the installed haproxy, where
# its version is the same, so that both fit. --filter-only leaves out DIR/haproxy. Needs gcc, make, libyaml-dev, and what
# HAProxy needs; installs what is missing as root.
# Exit 77: no source package can be had.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
from=debian version='' source='' out='' whole=1

# All of penstock that the filter is made of: what writes pages about the route file is not in it.
shopt -s extglob
rooms=("$root"/config/!(manual|reference|schema|schema_values).c "$root"/sidecar/base/*.c "$root"/sidecar/route/!(bucket|clients|table).c
	"$root"/sidecar/source/formats.c "$root"/sidecar/source/*/!(form|postproc|source).c
	"$root"/sidecar/sink/{kinds,*/kind,*/kind_*,*/keys}.c "$root"/sidecar/reply/{problem,status}.c "$root"/filter/decide/*.c
	"$root"/filter/native/*.c)
if [ "${1:-}" = --rooms ]; then
	printf '%s\n' "${rooms[@]#"$root"/}"
	exit
fi
usage() {
	sed -n '3,12s/^# \{0,1\}//p' "$0" >&2
	exit 2
}
while [ $# -gt 0 ]; do
	case $1 in
	--debian) ;;
	--version) version=${2:?} && shift ;;
	--source) from=folder source=${2:?} && shift ;;
	--out) out=${2:?} && shift ;;
	--filter-only) whole='' ;;
	*) usage ;;
	esac
	shift
done
[ -n "$out" ] || usage
mkdir -p "$out"
out=$(cd "$out" && pwd)

# What the installed haproxy says of itself; nothing where there is none.
about=$(haproxy -vv 2>/dev/null || /usr/sbin/haproxy -vv 2>/dev/null || true)
say_installed() { sed -n "$1" <<<"$about"; }
lua=$(say_installed 's/.*Lua version : Lua \([0-9]*\.[0-9]*\).*/\1/p')
lua=lua${lua:-5.4}
bash "$root/tests/lib/install.sh" gcc make binutils libyaml-dev libpcre2-dev libssl-dev "lib$lua-dev" libsystemd-dev libcrypt-dev \
	zlib1g-dev || true

# Lists of source packages, apart from the machine's own: of this distribution, and for --version of later ones too.
list_sources() { # FOLDER
	local file mirror suite
	for file in /etc/apt/sources.list.d/*.sources; do
		[ ! -e "$file" ] || ! grep -q '/debian' "$file" || sed 's/^Types: .*/Types: deb-src/' "$file" >"$1/$(basename "$file")"
	done
	cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null | sed -n '/\/debian/s/^deb /deb-src /p' >"$1/main.list" || true
	[ -n "$version" ] || return 0
	mirror=$(grep -rhoE 'https?://[^ ]*debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null | grep -v security | head -n 1 | tr -d ' ')
	for suite in trixie forky sid; do
		echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main"
	done >"$1/later.list"
}

unpack() { # FOLDER WITH A SOURCE PACKAGE, VERSION
	rm -rf "$out/src"
	if [ -e "$1/haproxy_$2.dsc" ]; then
		dpkg-source -x "$1/haproxy_$2.dsc" "$out/src" >>"$out/apt.log" 2>&1
	else # without the distribution's patches: they fix bugs, and leave the layout of structures alone
		echo "build.sh: the patches of $2 cannot be had: taking the tree of the HAProxy project" >&2
		mkdir "$out/src"
		tar xzf "$1/haproxy_${2%-*}.orig.tar.gz" -C "$out/src" --strip-components=1
	fi
	echo "$2" >"$out/src.version"
}

# The newest source package that is still on the mirror or, if that is none, the newest upstream tree.
get_debian() {
	local lists=$out/apt candidates candidate only
	bash "$root/tests/lib/install.sh" dpkg-dev
	rm -rf "$lists/parts"
	mkdir -p "$lists/parts" "$lists/lists/partial" "$lists/got"
	list_sources "$lists/parts"
	local where=(-o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$lists/parts" -o "Dir::State::lists=$lists/lists")
	apt-get -q "${where[@]}" update >"$out/apt.log" 2>&1 || true
	candidates=$(apt-cache "${where[@]}" showsrc haproxy 2>/dev/null | sed -n 's/^Version: //p' | grep -E "^${version//./\\.}" | sort -rVu || true)
	for only in '' --tar-only; do
		for candidate in $candidates; do
			[ "$(cat "$out/src.version" 2>/dev/null)" != "$candidate" ] || return 0
			if (cd "$lists/got" && apt-get -q "${where[@]}" source --download-only $only "haproxy=$candidate" >>"$out/apt.log" 2>&1); then
				unpack "$lists/got" "$candidate"
				return
			fi
		done
	done
	echo "build.sh: no source package of haproxy ${version:-} can be had: see $out/apt.log" >&2
	exit 77
}

[ "$from" = folder ] || { get_debian && source=$out/src; }
[ -e "$source/include/haproxy/filters.h" ] || { echo "build.sh: $source is no source tree of HAProxy" >&2; exit 1; }

full=$(sed -n '1s/^\([0-9]*\.[0-9]*[-.a-z0-9]*\).*/\1/p' "$source/VERSION")
number=$(awk -F'[.-]' '{ print $1 * 100 + $2 }' <<<"$full")
objects=$out/objects-$full # one folder per version: an object for another one links, runs, and does the wrong thing
rm -rf "$objects" && mkdir -p "$objects"

# The OpenTracing add-on and Prometheus are not needed here, and change no structure that the filter sees.
options=(USE_PCRE2=1 USE_OPENSSL=1 USE_LUA=1)
debug=
if [ "$(say_installed '1s/.*version \([0-9]*\.[0-9]*\).*/\1/p')" = "$(awk -F'[.-]' '{ print $1 "." $2 }' <<<"$full")" ]; then
	read -ra options <<<"$(say_installed 's/^ *OPTIONS = //p' | tr ' ' '\n' | grep -vE 'USE_OT=|USE_PROMEX=|^$' | tr '\n' ' ')"
	debug=$(say_installed 's/^ *DEBUG *= //p')
fi
make_args=(TARGET=linux-glibc "${options[@]}" "DEBUG=$debug" "LUA_INC=/usr/include/$lua" "LUA_LIB_NAME=$lua")

run_make() { # ARGUMENT...
	make -s -j"$(nproc)" -C "$source" "${make_args[@]}" "$@" >>"$objects/make.log" 2>&1 || { tail -n 30 "$objects/make.log"; exit 1; }
}

echo "== penstock's rooms"
# shellcheck disable=SC2016 # sh expands it
printf '%s\n' "${rooms[@]}" | while read -r file; do
	echo "$file" "$objects/$(basename "$(dirname "$file")")-$(basename "$file" .c).o"
done | xargs -n 2 -P "$(nproc)" sh -c 'exec gcc -std=c17 -O2 -g1 -fPIC -fvisibility=hidden -ffile-prefix-map="$0"/= \
	-D_GNU_SOURCE -I"$0" -I"$0/sidecar" -I"$0/filter" \
	-c "$1" -o "$2"' "$root"

echo "== the filter, with the headers of HAProxy $full"
for file in "$here"/glue/*.c; do
	cp "$file" "$objects/glue-$(basename "$file")"
done
glue=("$objects"/glue-*.c)
run_make "ADDINC=-fPIC -fvisibility=hidden -I$root/filter -DPENSTOCK_HAPROXY=$number -DPENSTOCK_HAPROXY_VERSION='\"$full\"'" "${glue[@]/%.c/.o}"

# One object whose names nobody else sees: HAProxy has functions of the same names.
ld -r -o "$objects/filter.o" "$objects"/*-*.o
objcopy --localize-hidden "$objects/filter.o"
# Preloaded, it comes into HAProxy's children too, which have none of the names that it wants.
nm -u "$objects/filter.o" | awk '{ print $2 }' >"$objects/wanted"
nm -D --defined-only "$(gcc -print-file-name=libc.so.6)" | awk '{ sub(/@.*/, "", $3); print $3 }' | sort -u >"$objects/of-libc"
grep -vE '^(yaml_|_GLOBAL_|__cpu_|__tls_)' "$objects/wanted" | sort | comm -23 - "$objects/of-libc" >"$objects/of-haproxy"
objcopy "--weaken-symbols=$objects/of-haproxy" "$objects/filter.o" "$objects/preload.o"
gcc -shared -o "$out/penstock-filter.so" "$objects/preload.o" -lyaml
echo "made: $out/penstock-filter.so"

if [ -n "$whole" ]; then
	echo "== HAProxy $full with the filter inside"
	if [ "$number" -ge 304 ]; then
		run_make "EXTRA_MAKE=$here/glue" "PENSTOCK_OBJECT=$objects/filter.o" haproxy
	else
		run_make "EXTRA_OBJS=$objects/filter.o" ADDLIB=-lyaml haproxy
	fi
	cp "$source/haproxy" "$out/haproxy"
	echo "made: $out/haproxy"
fi
