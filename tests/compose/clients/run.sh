#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# run.sh [--local] [NAME...] - real clients upload the same form through HAProxy in front of penstock. The clients run on this
# machine, the gateway is the stack of docker/; --local, or where Docker is not to be had: HAProxy and penstock on this machine
# too, and a folder for a store. Installs what it needs; what cannot be had is skipped, loudly. NAME: only clients with it in
# their name. PENSTOCK_WRITE=1 writes the table in tests/compose/README.md anew.
set -u
cd "$(dirname "$0")/../../.." || exit 1
here=$PWD/tests/compose/clients
root=${BUILD_ROOT:-$PWD/build}
export CLIENTS_BUILT=$root/clients PENSTOCK_VENV=$root/clients/venv PENSTOCK=$root/release/penstock PYTHONDONTWRITEBYTECODE=1
mkdir -p "$CLIENTS_BUILT"

# Each program is built by itself, so that a compiler that is missing takes one client away and no other.
built() { # WHAT COMMAND...
	local what=$1 began=$SECONDS log=$CLIENTS_BUILT/$2.log
	shift
	"$@" >"$log" 2>&1 || echo "DID NOT BUILD: $what: $(tail -n 3 "$log")"
	[ $((SECONDS - began)) -lt 10 ] || echo "built $what in $((SECONDS - began)) s"
}
rust_program() {
	CARGO_TARGET_DIR=$CLIENTS_BUILT/rust CARGO_PROFILE_DEV_DEBUG=0 cargo build --locked --quiet --manifest-path "$here/programs/rust/Cargo.toml" &&
		ln -sf rust/debug/upload "$CLIENTS_BUILT/reqwest"
}
# The .NET runtime is in a package of PyPI. There is no compiler in it; Mono's makes the program for both.
dotnet_runtime() {
	[ -e "$CLIENTS_BUILT/dotnet" ] && return
	"$PENSTOCK_VENV/bin/pip" install -q --no-deps dotnetcore2 || return
	local at
	at=$(echo "$PENSTOCK_VENV"/lib/python3*/site-packages/dotnetcore2/bin)
	chmod +x "$at/dotnet" && ln -sf "$at/dotnet" "$CLIENTS_BUILT/dotnet"
}
dotnet_program() {
	mcs -r:System.Net.Http.dll -out:"$CLIENTS_BUILT/Dotnet.exe" "$here/programs/Dotnet.cs" &&
		echo '{"runtimeOptions": {"framework": {"name": "Microsoft.NETCore.App", "version": "3.1.0"}}}' >"$CLIENTS_BUILT/Dotnet.runtimeconfig.json"
}
java_program() { # CLASS
	local jars=(/usr/share/java/{httpclient,httpmime,httpcore,httpclient5,httpcore5}.jar)
	javac -cp "$(IFS=:; echo "${jars[*]}")" -d "$CLIENTS_BUILT" "$here/programs/$1.java"
}
go_program() { GOCACHE=$CLIENTS_BUILT/go-cache GO111MODULE=off go build -o "$CLIENTS_BUILT/net_http" "$here/programs/net_http.go"; }

# The slowest first, while packages are fetched: it needs nothing of them but what penstock is built with.
built Rust rust_program &
rust=$!
bash tests/setup.sh clients || true
built .NET dotnet_runtime
built "the program for .NET" dotnet_program
for name in Net Apache4 Apache5; do built "$name.java" java_program "$name"; done
built net_http.go go_program
wait "$rust"

# shellcheck source=/dev/null
if [[ " $* " != *" --local "* ]] && ! (. docker/lib.sh && need_docker && need_compose && docker/base.sh); then
	echo "DOCKER IS NOT TO BE HAD HERE: HAProxy and penstock run on this machine instead, and the page is skipped"
	set -- --local "$@"
fi
if ! bash tests/lib/build.sh release; then
	echo "0 passed, 1 failed, 0 skipped"
	exit 1
fi
exec python3 "$here/clients.py" "$@"
