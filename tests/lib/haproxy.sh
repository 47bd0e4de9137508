#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# haproxy.sh SUITE DIR - Debian's HAProxy of another release (bookworm: 2.6, trixie: 3.0) with all its libraries, unpacked
# below DIR and touching nothing else. Leaves DIR/haproxy, which starts it. Needs no root, only the mirror that this
# machine uses. Exit 77: it cannot be had (says why).
set -u
suite=$1
mkdir -p "$2"
dir=$(cd "$2" && pwd)
[ -x "$dir/haproxy" ] && "$dir/haproxy" -v >/dev/null 2>&1 && exit 0
fail() {
	echo "haproxy of $suite: $*" >&2
	exit 77
}
mirror=$(grep -rhoE 'https?://[^ ]*debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null | grep -v security | head -n 1 | tr -d ' ')
[ -n "$mirror" ] || fail "this machine names no Debian mirror"
rm -rf "$dir/apt" "$dir/root" "$dir/haproxy"
mkdir -p "$dir/apt/lists/partial" "$dir/apt/cache/archives/partial" "$dir/apt/etc" "$dir/root"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >"$dir/apt/etc/sources.list"
: >"$dir/apt/status"
apt=(apt-get -qq -o Dir::Etc::SourceList="$dir/apt/etc/sources.list" -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists="$dir/apt/lists"
	-o Dir::State::status="$dir/apt/status" -o Dir::Cache="$dir/apt/cache" -o APT::Sandbox::User=root -o Debug::NoLocking=1
	-o APT::Install-Recommends=false)
"${apt[@]}" update >"$dir/apt/log" 2>&1 || fail "apt-get update: $(tail -n 1 "$dir/apt/log")"
"${apt[@]}" --download-only -y install haproxy >>"$dir/apt/log" 2>&1 || fail "download: $(tail -n 1 "$dir/apt/log")"
for package in "$dir"/apt/cache/archives/*.deb; do
	dpkg-deb --fsys-tarfile "$package" | tar -x -C "$dir/root" --no-same-owner ./usr ./lib ./lib64 2>>"$dir/apt/log"
done
loader=$(find "$dir/root" -name 'ld-linux*.so.*' | head -n 1)
program=$dir/root/usr/sbin/haproxy
if [ -z "$loader" ] || [ ! -x "$program" ]; then fail "the packages do not hold it"; fi
triplet=$(gcc -print-multiarch 2>/dev/null || dpkg-architecture -qDEB_HOST_MULTIARCH)
libraries=$dir/root/usr/lib/$triplet:$dir/root/lib/$triplet:$dir/root/usr/lib
# A reload starts the program by its own first argument, which therefore has to be this script.
cat >"$dir/haproxy.new" <<END
#!/bin/sh
exec "$loader" --argv0 "$dir/haproxy" --library-path "$libraries" "$program" "\$@"
END
chmod +x "$dir/haproxy.new" && mv "$dir/haproxy.new" "$dir/haproxy"
rm -rf "$dir/apt/cache" "$dir/apt/lists"
"$dir/haproxy" -v >/dev/null 2>"$dir/apt/log" || fail "it does not start: $(head -n 1 "$dir/apt/log")"
