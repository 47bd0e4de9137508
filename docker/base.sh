#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# base.sh - makes sure that the image debian:trixie-slim is here. Where there is none it is made from Debian packages
# (debootstrap, a minute), for no registry may be in reach; without debootstrap it is pulled. `docker pull
# debian:trixie-slim` beforehand does as well.
set -euo pipefail
# shellcheck source=/dev/null
. "$(cd "$(dirname "$0")" && pwd)/lib.sh"
image=debian:trixie-slim
need_docker
docker image inspect "$image" >/dev/null 2>&1 && exit 0

if ! bash "$ROOT/tests/lib/install.sh" debootstrap debian-archive-keyring; then
	echo "base.sh: no debootstrap here: pulling $image" >&2
	exec docker pull "$image"
fi
work=$(mktemp -d)
trap 'as_root rm -rf "$work"' EXIT
mirror=$(apt_mirror) security=$(apt_security)
echo "== making $image by debootstrap"
as_root debootstrap --variant=minbase --include=ca-certificates trixie "$work/root" "$mirror" >"$work/log" 2>&1 || {
	tail -n 20 "$work/log" >&2
	die "debootstrap failed"
}

# As the public image has them.
as_root tee "$work/root/etc/apt/sources.list" >/dev/null <<SOURCES
deb $mirror trixie main
deb $mirror trixie-updates main
${security:+deb $security trixie-security main}
SOURCES
as_root tee "$work/root/etc/dpkg/dpkg.cfg.d/slim" >/dev/null <<'SLIM'
path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/man/*
path-exclude /usr/share/info/*
path-exclude /usr/share/locale/*
SLIM
as_root tee "$work/root/etc/apt/apt.conf.d/slim" >/dev/null <<'SLIM'
Acquire::Languages "none";
Acquire::GzipIndexes "true";
APT::Install-Recommends "false";
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin"; };
SLIM
as_root find "$work/root/usr/share/doc" -type f ! -name copyright -delete
as_root tar -C "$work/root" -c --exclude='./var/cache/apt/*.bin' --exclude='./var/cache/apt/archives/*.deb' \
	--exclude='./var/lib/apt/lists/*' --exclude='./var/log/*' --exclude='./usr/share/man/*' --exclude='./usr/share/info/*' \
	--exclude='./usr/share/locale/*' --exclude='./etc/resolv.conf' --exclude='./etc/hostname' --exclude='./dev/*' . |
	docker import --change "LABEL $LABEL=base.sh" --change 'CMD ["bash"]' - "$image" >/dev/null
echo "made: $image, $(docker image inspect -f '{{.Size}}' "$image") bytes"
