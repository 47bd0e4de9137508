#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# demo.sh [--gateway|--app] [--keep] - penstock's main job, seen on this machine: one form of 20 files concatenated into one
# upload, another one field by field into a folder, and a form that is refused and leaves nothing. --gateway: HAProxy in front,
# which asks penstock's agent before it takes a body. --app: an application behind it, which says who may upload and keeps a
# row of each form. --keep: everything goes on running until Ctrl-C, to be looked at.
# Installs what is missing (Debian bookworm or trixie, as root or with sudo), builds into build/demo, and cleans up behind
# itself.
set -euo pipefail
cd "$(dirname "$0")"
gateway='' app='' keep=''
for option in "$@"; do
	case $option in
	--gateway) gateway=yes ;;
	--app) app=yes ;;
	--keep) keep=yes ;;
	*) echo "usage: demo.sh [--gateway|--app] [--keep]" >&2 && exit 2 ;;
	esac
done
bash tests/lib/install.sh ${gateway:+haproxy} gcc cmake ninja-build pkg-config libmicrohttpd-dev libcurl4-openssl-dev libyaml-dev \
	libjansson-dev libexpat1-dev libmagic-dev libssl-dev curl python3

build=${BUILD_ROOT:-$PWD/build}/demo
mkdir -p "$build"
echo "== building"
if ! { cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release && cmake --build "$build" --target penstock; } \
	>"$build.log" 2>&1; then
	tail -n 30 "$build.log"
	exit 1
fi
penstock=$build/penstock

work=$(mktemp -d)
mkdir "$work/stored"
pids=()
cleanup() {
	for pid in "${pids[@]}"; do
		kill "$pid" 2>/dev/null || continue
		wait "$pid" 2>/dev/null || true
	done
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 0' INT TERM

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
wait_for() { # COMMAND...: until it succeeds
	local i
	for ((i = 0; i < 500; i++)); do
		"$@" >/dev/null 2>&1 && return
		sleep 0.02
	done
	echo "FAIL: gave up waiting for: $*"
	exit 1
}
same() { # WHAT A B
	if [ "$2" = "$3" ]; then echo "   same: $1"; else echo "FAIL: $1: $2 is not $3" && exit 1; fi
}

# What runs and where to look, until the reader has seen enough.
keep_running() { # URL: where uploads go
	cat >"$work/form.html" <<-FORM
		<!DOCTYPE html>
		<title>penstock</title>
		<form method="post" enctype="multipart/form-data" action="$1">
		<input type="file" name="photo[]" multiple> <button>Upload</button>
		</form>
	FORM
	cat <<-WHAT
		== everything goes on running
		   upload      curl -F 'photo[]=@FILE' $1
		   in browser  file://$work/form.html
		   stored      $work/stored
		   routes      $work/routes.yaml
		   log         $work/penstock.log
		   ready?      http://127.0.0.1:$admin_port/readyz
		   metrics     http://127.0.0.1:$admin_port/metrics
	WHAT
	shift
	[ $# -eq 0 ] || printf '   %s\n' "$@"
	echo "== Ctrl-C ends it and removes $work"
	wait "${pids[@]}" || true
}

run_penstock() {
	"$penstock" run "$work/routes.yaml" >>"$work/penstock.log" 2>&1 &
	pids+=($!)
	wait_for curl -sf -o /dev/null "http://127.0.0.1:$admin_port/readyz"
}

admin_port=$(free_port)
with_gateway() {
	local in_port front_port agent_port n
	in_port=$(free_port) front_port=$(free_port) agent_port=$(free_port)
	cat >"$work/routes.yaml" <<-ROUTES
		version: 1
		listen: ["127.0.0.1:$in_port"]
		spoa: { listen: ["127.0.0.1:$agent_port"] }
		admin: { listen: ["127.0.0.1:$admin_port"] }
		log: { level: debug, format: text }
		destinations:
		  files: { type: directory, path: "$work/stored" }
		routes:
		  - id: album
		    match: { path: "/albums/*", method: [POST] }
		    limits: { body: 4MiB }
		    digest: [sha256]
		    fields: [ { name: "photo[]", kind: file, store: { to: files, key: "{path.1}/{part}-{file.name}" } } ]
	ROUTES
	echo "== the route file" && cat "$work/routes.yaml"
	run_penstock

	echo "== HAProxy's configuration, from the route file"
	"$penstock" haproxy --out "$work/gw" --listen "127.0.0.1:$front_port" "$work/routes.yaml"
	haproxy=$(command -v haproxy || echo /usr/sbin/haproxy)
	"$haproxy" -v | sed -n 1p
	"$haproxy" -db -f "$work/gw/haproxy.cfg" >"$work/haproxy.log" 2>&1 &
	pids+=($!)
	wait_for curl -s -o /dev/null "http://127.0.0.1:$front_port/"

	ask() { curl -sS -H 'Expect: 100-continue' "$@" | sed 's/^/   /' && echo; }
	head -c 3000000 /dev/urandom >"$work/beach.jpg"
	head -c 9000000 /dev/urandom >"$work/large.jpg"
	echo "== an upload of 3 MB: the agent says yes, penstock stores it"
	curl -sS -H 'Expect: 100-continue' -F "photo[]=@$work/beach.jpg" "http://127.0.0.1:$front_port/albums/42" | python3 -m json.tool | sed 's/^/   /'
	grep ' spoa msg="allowed"' "$work/penstock.log" | tail -n 1 | sed 's/^[^ ]* /   /'
	same "beach.jpg" "$(sha256sum <"$work/beach.jpg")" "$(sha256sum <"$work/stored/42/1-beach.jpg")"

	n=$(grep -c ' intake msg="request"' "$work/penstock.log" || true)
	echo "== 9 MB, more than the route takes: HAProxy refuses before a byte of it is sent"
	ask -w '\n%{http_code}, %{size_upload} bytes sent' -F "photo[]=@$work/large.jpg" "http://127.0.0.1:$front_port/albums/42"
	echo "== not a form: refused for its type"
	ask -w '\n%{http_code}, %{size_upload} bytes sent' -H 'Content-Type: application/zip' --data-binary "@$work/large.jpg" "http://127.0.0.1:$front_port/albums/42"
	same "requests that penstock saw before and after" "$n" "$(grep -c ' intake msg="request"' "$work/penstock.log" || true)"
	echo "== the same 9 MB from a client that sends without asking: penstock says it, and the answer arrives"
	curl -sS -H 'Expect:' -w '\n%{http_code}' -F "photo[]=@$work/large.jpg" "http://127.0.0.1:$front_port/albums/42" | sed 's/^/   /' && echo

	echo "== penstock, and the agent with it, is stopped: nobody gets in"
	kill "${pids[0]}" && wait "${pids[0]}"
	ask -w '\n%{http_code}' -F "photo[]=@$work/beach.jpg" "http://127.0.0.1:$front_port/albums/43"
	same "the folder of that upload" "no" "$([ -e "$work/stored/43" ] && echo yes || echo no)"
	echo "== all good"
	[ -n "$keep" ] || return 0
	pids=("${pids[1]}")
	run_penstock
	# shellcheck disable=SC2317 # wait_for calls it
	lets_in() { [ "$(curl -s -o /dev/null -w '%{http_code}' -F none=x "http://127.0.0.1:$front_port/albums/42")" = 422 ]; }
	wait_for lets_in # the agent is up for HAProxy: only what it admits is read, and then no rule takes that field
	keep_running "http://127.0.0.1:$front_port/albums/42" "HAProxy     $work/gw/haproxy.cfg"
}
with_app() {
	local port app_port
	port=$(free_port) app_port=$(free_port)
	export APP_PORT=$app_port APP_DB=$work/rows.db APP_KEY
	APP_KEY=$(head -c 32 /dev/urandom | base64)
	python3 -c 'import sqlite3, sys; sqlite3.connect(sys.argv[1]).executescript(open(sys.argv[2]).read())' "$APP_DB" tests/apps/schema.sql
	start_app() {
		python3 tests/apps/plain/app.py 2>>"$work/app.log" &
		pids+=($!)
		disown # bash would say how it dies
		wait_for curl -s -o /dev/null "http://127.0.0.1:$app_port/"
	}
	start_app
	cat >"$work/routes.yaml" <<-ROUTES
		version: 1
		listen: ["127.0.0.1:$port"]
		admin: { listen: ["127.0.0.1:$admin_port"] }
		log: { level: info, format: text }
		state: "$work/state"
		destinations:
		  files: { type: directory, path: "$work/stored" }
		  backend: { type: http, url: "http://127.0.0.1:$app_port" }
		routes:
		  - id: album
		    match: { path: "/albums/*" }
		    authorize: { to: backend, path: /uploads/authorize, pass: [cookie] }
		    fields:
		      - { name: title, kind: value, required: true, max_size: 1KiB, forward: true }
		      - { name: "photo[]", kind: file, max_count: 20, max_size: 4MiB, store: { to: files, key: "{grant.user}/{uuid}" } }
		    app: { to: backend, sign: { key: { env: APP_KEY } }, pass: [cookie], failed: { path: /uploads/failed }, resolve: { path: /uploads/resolve } }
		    response: { from: app }
	ROUTES
	echo "== the route file" && cat "$work/routes.yaml"
	run_penstock
	head -c 3000000 /dev/urandom >"$work/beach.jpg"
	rows() { python3 -c 'import sqlite3, sys; [print("   row:", *row) for row in sqlite3.connect(sys.argv[1]).execute("SELECT title, owner, name, size, target FROM album JOIN photo USING (request)")]' "$APP_DB"; }
	both() { echo "$(rows | wc -l) rows, $(find "$work/stored" -type f | wc -l) files"; }
	upload() { # TITLE [OPTION...]
		local title=$1
		shift
		curl -sS -w ' %{http_code} %{redirect_url}\n' -F title="$title" -F "photo[]=@$work/beach.jpg" "$@" "http://127.0.0.1:$port/albums/42" | sed 's/^/   /'
	}
	echo "== nobody is logged in: the application refuses before a byte of the form is taken"
	upload Summer -H 'Expect: 100-continue'
	echo "== alice: her form is stored, the application writes a row, and its answer is the answer"
	upload Summer -b session=alice-cookie
	rows
	same "rows and files" "1 rows, 1 files" "$(both)"
	echo "== a title that the application refuses leaves neither row nor file"
	upload no -b session=alice-cookie
	same "rows and files" "1 rows, 1 files" "$(both)"
	echo "== the application writes its row and dies without an answer: the files are taken back at once ..."
	upload die -b session=alice-cookie
	echo "   $(both)"
	echo "== ... and once it runs again it is told that this form failed"
	start_app
	# shellcheck disable=SC2317 # wait_for calls it
	agree() { [ "$(both)" = "1 rows, 1 files" ]; }
	wait_for agree
	same "rows and files" "1 rows, 1 files" "$(both)"
	echo "== all good"
	[ -z "$keep" ] || keep_running "http://127.0.0.1:$port/albums/42" "who may     -b session=alice-cookie -F title=TITLE" "rows        $APP_DB"
}
if [ -n "$gateway" ]; then
	with_gateway
	exit 0
fi
if [ -n "$app" ]; then
	with_app
	exit 0
fi

port=$(free_port)
"$penstock" sink --port 0 >"$work/sink.log" &
pids+=($!)
wait_for grep -q listening "$work/sink.log"
sink=$(sed -n '1s/.*listening on //p' "$work/sink.log")

cat >"$work/routes.yaml" <<ROUTES
version: 1
listen: ["127.0.0.1:$port"]
admin: { listen: ["127.0.0.1:$admin_port"] }
memory: 32MiB
log: { level: info, format: text }
destinations:
  sink: { type: http, url: "$sink" }
  files: { type: directory, path: "$work/stored" }
routes:
  - id: together
    match: { path: /together }
    fields:
      - { name: file, kind: file, max_count: 20, concat: { to: sink, method: PUT, path: "/blobs/{uuid}" } }
  - id: each-its-own
    match: { path: "/albums/*" }
    fields:
      - { name: title, kind: value, max_size: 1KiB, store: { to: files, key: "{path.1}/title-{part}.txt" } }
      - { name: "photo[]", kind: file, max_size: 4MiB, store: { to: files, key: "{path.1}/{part}-{file.name}" } }
ROUTES
echo "== the route file"
cat "$work/routes.yaml"
"$penstock" check "$work/routes.yaml"
run_penstock

echo "== 20 files of 2,493,109 bytes in one form, concatenated into one upload"
forms=()
for i in $(seq 20); do
	head -c 2493109 /dev/urandom >"$work/$i.bin"
	forms+=(-F "file=@$work/$i.bin")
done
curl -sS "${forms[@]}" "http://127.0.0.1:$port/together" >"$work/answer.json"
python3 -c 'import json, sys; a = json.load(open(sys.argv[1])); p = a["parts"]
print("   status", a["status"], "parts", len(p), "bytes", sum(x["size"] for x in p), "->", p[0]["target"])' "$work/answer.json"
sent=$(for i in $(seq 20); do cat "$work/$i.bin"; done | sha256sum | cut -d' ' -f1)
wait_for grep -q "bytes sha256" "$work/sink.log"
sed -n '/^PUT/,/^$/s/^/   sink: /p' "$work/sink.log"
same "SHA-256 of what was sent and what arrived" "$sent" "$(sed -n 's/.*bytes sha256 //p' "$work/sink.log")"

echo "== another form, field by field into a folder"
curl -sS -F title="Summer 2026" -F "photo[]=@$work/1.bin;filename=beach.jpg" -F "photo[]=@$work/2.bin;filename=../../etc/passwd" \
	"http://127.0.0.1:$port/albums/42" >"$work/answer.json"
python3 -m json.tool "$work/answer.json" | sed 's/^/   /'
(cd "$work/stored" && find . -type f -printf '   %P  %s bytes\n' | sort)
same "beach.jpg" "$(sha256sum <"$work/1.bin")" "$(sha256sum <"$work/stored/42/2-beach.jpg")"
same "the one with a hostile name" "$(sha256sum <"$work/2.bin")" "$(sha256sum <"$work/stored/42/3-passwd")"

echo "== a form with one file too large: refused, and nothing of it is there"
before=$(find "$work/stored" | sort)
cat "$work/1.bin" "$work/2.bin" >"$work/large.bin"
curl -sS -F title=x -F "photo[]=@$work/3.bin" -F "photo[]=@$work/large.bin" "http://127.0.0.1:$port/albums/43" | sed 's/^/   /'
same "the folder before and after" "$before" "$(find "$work/stored" | sort)"

echo "== peak memory of penstock: $(awk '/VmHWM/ { print $2, $3 }' "/proc/${pids[1]}/status")"
if [ -n "$keep" ]; then
	echo "== all good"
	keep_running "http://127.0.0.1:$port/albums/42" "sink        $work/sink.log"
	exit 0
fi
kill "${pids[1]}" && wait "${pids[1]}"
pids=("${pids[0]}")
echo "== all good"
