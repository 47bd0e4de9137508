#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# boot.sh ROOT CGROUP - boots the Debian in the folder ROOT with systemd as PID 1, in namespaces of its own (no network but
# loopback) and in the cgroup CGROUP, an empty folder of a cgroup2. Becomes the parent of that PID 1, and all of it dies
# with this process. Kernel settings, modules and the clock cannot be touched from inside.
set -eu
echo $$ >"$2/cgroup.procs"
# shellcheck disable=SC2016 # the inner shell takes them
exec setpriv --pdeathsig KILL unshare --mount --uts --ipc --net --pid --cgroup --fork --kill-child bash -c '
	set -e
	mount --make-rprivate /
	mount --bind "$0" "$0" && cd "$0"
	mount -t proc proc proc
	mount --bind proc/sys proc/sys && mount -o remount,bind,ro proc/sys
	mount -t sysfs -o ro sysfs sys
	mount -t cgroup2 cgroup2 sys/fs/cgroup
	mount -t tmpfs -o mode=755 tmpfs dev
	mkdir dev/pts dev/shm
	mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
	mount -t tmpfs tmpfs dev/shm
	for device in "null 3" "zero 5" "full 7" "random 8" "urandom 9"; do
		mknod -m 666 dev/${device% *} c 1 ${device#* }
	done
	mknod -m 666 dev/tty c 5 0
	ln -s pts/ptmx dev/ptmx
	ln -s /proc/self/fd dev/fd
	mount -t tmpfs -o mode=755 tmpfs run
	mount -t tmpfs -o mode=1777 tmpfs tmp
	ip link set lo up
	mkdir -p .old && pivot_root . .old && umount -l /.old && rmdir /.old
	mount --make-rshared / # as systemd wants it: credentials are mounted by a helper
	exec setpriv --bounding-set=-sys_module,-sys_rawio,-sys_time,-syslog env -i container=other \
		PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --log-target=journal --show-status=no </dev/null' "$1"
