#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# pod.sh container ROOT VOLUMES UID GID WORD... - runs one container of a pod as a runtime would: a root of its own that
# cannot be written, VOLUMES ("SOURCE:PATH:ro" or ":rw", blanks between) mounted into it, a user without capabilities.
# ROOT is an empty folder; programs come from the machine's /usr, and penstock from $PENSTOCK.
# pod.sh network SECONDS - a network namespace with loopback only; says "up" and stays.
set -eu
word=$1
shift
case $word in
network)
	# shellcheck disable=SC2016 # the inner shell takes it
	exec setpriv --pdeathsig KILL unshare --net bash -c 'ip link set lo up && echo up && exec sleep "$0"' "$1"
	;;
container)
	# shellcheck disable=SC2016 # the inner shell takes them
	exec setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child bash -c '
		set -e
		root=$0 volumes=$1 uid=$2 gid=$3
		shift 3
		mount --make-rprivate /
		mount -t tmpfs tmpfs "$root" && cd "$root"
		mkdir -p usr etc/ssl proc dev opt run tmp
		mount --bind /usr usr && mount -o remount,bind,ro usr
		ln -s usr/bin usr/sbin usr/lib usr/lib64 .
		mount --bind /etc/ssl etc/ssl && mount -o remount,bind,ro etc/ssl
		printf "127.0.0.1 localhost storage\n" >etc/hosts
		touch opt/penstock && mount --bind "$PENSTOCK" opt/penstock
		for device in null urandom; do touch dev/$device && mount --bind /dev/$device dev/$device; done
		mount -t proc proc proc
		for volume in $volumes; do
			IFS=: read -r source path mode <<<"$volume"
			mkdir -p ".$path" && mount --bind "$source" ".$path"
			[ "$mode" = rw ] || mount -o remount,bind,ro ".$path"
		done
		mount -o remount,ro .
		exec chroot . /usr/bin/env -i PATH=/opt:/usr/sbin:/usr/bin setpriv --pdeathsig KILL --reuid "$uid" --regid "$gid" --clear-groups \
			--bounding-set=-all --inh-caps=-all --no-new-privs "$@"' "$@"
	;;
esac
