#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# gather.sh BINARY OUT - inside the build: lays out the files of the image. OUT/base is what any program of its kind
# needs (glibc, OpenSSL, zlib, authorities, a user), OUT/penstock what this one adds: itself and the
# libraries it links to, each with the record of its Debian package and its copyright, so that scanners find versions.
set -euo pipefail
binary=$1 out=$2
base=(libc6 libgcc-s1 libssl3t64 zlib1g libzstd1)
mkdir -p "$out"/{base,penstock}
recorded=' '

# record PACKAGE INTO
record() {
	case $recorded in *" $1 "*) return ;; esac
	recorded+="$1 "
	mkdir -p "$2/var/lib/dpkg/status.d" "$2/usr/share/doc/$1"
	dpkg-query --status "$1" | sed '/^Conffiles:/,/^[A-Z]/{/^[A-Z]/!d;/^Conffiles:/d}' >"$2/var/lib/dpkg/status.d/$1"
	cp -L "/usr/share/doc/$1/copyright" "$2/usr/share/doc/$1/"
}

package_of() { # FILE; dpkg may know it by a path from before /usr was merged
	local found
	found=$(dpkg-query --search "$1" "${1#/usr}" 2>/dev/null | head -n 1)
	found=${found%%:*}
	[ -n "$found" ] || { echo "gather.sh: no package has $1" >&2; exit 1; }
	echo "$found"
}

library() { # PATH
	local real package into
	real=$(readlink -f "$1")
	package=$(package_of "$real")
	into=$out/penstock
	case " ${base[*]} " in *" $package "*) into=$out/base ;; esac
	install -D -m 755 "$real" "$into/usr/lib/$(basename "$(dirname "$real")")/$(basename "$1")"
	record "$package" "$into"
}

# usr/lib/<triplet> is a folder here: a link would not survive a COPY onto another.
ln -s usr/lib "$out/base/lib"
ln -s usr/lib64 "$out/base/lib64"
mkdir -p "$out/base/usr/lib64"
for path in $(ldd "$binary" /usr/lib/*/libgcc_s.so.1 | grep -oE '/[^ ]+\.so[^ ]*' | grep -v ':$' | sort -u); do
	case $path in
	*/ld-linux*) install -D -m 755 "$(readlink -f "$path")" "$out/base/usr/${path#/usr}" ;;
	*) library "$path" ;;
	esac
done
library "$(ls /usr/lib/*/libgcc_s.so.1)"

mkdir -p "$out/base/etc/ssl/certs" "$out/base/tmp"
chmod 1777 "$out/base/tmp"
cp -L /etc/ssl/certs/ca-certificates.crt "$out/base/etc/ssl/certs/"
cp /usr/lib/os-release "$out/base/etc/os-release"
record ca-certificates "$out/base"
echo 'hosts: files dns' >"$out/base/etc/nsswitch.conf"
printf '%s\n' 'root:x:0:0::/root:/nonexistent' 'penstock:x:10001:10001::/run/penstock:/nonexistent' >"$out/base/etc/passwd"
printf '%s\n' 'root:x:0:' 'penstock:x:10001:' >"$out/base/etc/group"

# What libmagic knows, at the place where it looks for it.
database=/usr/share/misc/magic.mgc
install -D -m 644 "$(readlink -f $database)" "$out/penstock$database"
record "$(package_of "$(readlink -f $database)")" "$out/penstock"

install -D -m 755 "$binary" "$out/penstock/usr/bin/penstock"
install -D -m 644 LICENSE "$out/penstock/usr/share/doc/penstock/copyright"
mkdir -p "$out"/penstock/{etc/penstock,run/penstock,var/lib/penstock}
chown 10001:10001 "$out"/penstock/{run/penstock,var/lib/penstock}
find "$out" -exec touch -h --date="@${SOURCE_DATE_EPOCH:-0}" {} +
