#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# serve.sh WORD... - what the .vtc files beside it need and varnishtest has no word for. They call it as $SERVE, in
# the folder of the test (${tmpdir}); every address is a unix socket in there, so that no two tests meet. It waits for
# conditions, never for a time; whatever `exec $SERVE penstock` and the like start dies with varnishtest.
#
#   routes [-f FILE] [-l SOCKET] [-a SOCKET] [-x TEXT] [LINE...]   writes routes.yaml; LINEs go into its one route
#   penstock [FILE]          penstock itself; as process p1, because its log, sent there, is looked for in p1/stderr
#   listening [N]            waits until it listens on N addresses (default 2: uploads and agent)
#   gateway [-s] [-n] [-f] [FILE]  gw/haproxy.cfg as `penstock haproxy` writes it. Without -s the agent may take 20 s
#                            instead of 100 ms (a busy machine is no failure); -n: no health checks, for a server that
#                            is a fake; -f: with the filter instead of the agent
#   plain [-u] [-w WORDS] [LINE...]  gw/haproxy.cfg with nothing but the filter, whose line ends in WORDS, and LINEs
#                            behind it; -u: on gw.sock, for a HAProxy that varnishtest does not start
#   http-2                   gw/haproxy.cfg takes nothing but HTTP/2, for varnishtest's preface may come in pieces
#   faulty CALL|layout       fault.so, the filter for LD_PRELOAD in which that call of mem.h fails while `fault` exists, or
#                            to which HAProxy seems to have another layout
#   status STATUS [PATH]     waits until an upload to gw.sock is answered so
#   reloaded STATUS [PATH]   tells the HAProxy of master.pid to reload, until an upload to gw.sock is answered so
#   agent MODE               a fake agent on fake.sock, see below
#   tap                      tap.sock, passed on to spoa.sock; tap/N.to and tap/N.from keep the bytes of connection N
#   answered BYTES...        tap/1.from holds exactly these bytes: 0a1b is hex, 07=version hex and text, *36 any 36 bytes
#   exists PATH              waits for it
#   logged N TEXT            waits for N lines with TEXT in penstock's log
#   saw N [TEXT]             penstock, which has ended, was given N requests (with TEXT in the line of its log)
#   stored N                 N files are in the folder of uploads
#   agent-is UP|DOWN         waits until HAProxy h1's health check says so of the agent
#   stat FIELD               of HAProxy h1's backend of the agent
set -u
word=$1
shift

fail() {
	echo "$word: $*" >&2
	exit 1
}

until_true() { # WHAT COMMAND...
	local what=$1 end=$((SECONDS + 60))
	shift
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || fail "in vain: $what"
		sleep 0.02
	done
}

as_child() { exec setpriv --pdeathsig KILL "$@"; }

has_lines() { [ "$(grep -c -F -e "$2" p1/stderr)" -ge "$1" ]; } # N TEXT

write_routes() {
	local file=routes.yaml in=in.sock agent=spoa.sock more='' option OPTIND=1
	while getopts f:l:a:x: option; do
		case $option in
		f) file=$OPTARG ;;
		l) in=$OPTARG ;;
		a) agent=$OPTARG ;;
		x) more=", $OPTARG" ;;
		*) exit 2 ;;
		esac
	done
	shift $((OPTIND - 1))
	mkdir -p files
	cat >"$file" <<-END
		version: 1
		listen: ["unix:$PWD/$in"]
		log: { level: debug }
		spoa: { listen: ["unix:$PWD/$agent"]$more }
		destinations:
		  files: { type: directory, path: "$PWD/files" }
		routes:
		  - id: album
		    match: { path: "/album/**" }
		    fields:
		      - { name: "*", store: { to: files, key: "{uuid}" } }
	END
	printf '    %s\n' "$@" >>"$file"
	printf -- '--x\r\nContent-Disposition: form-data; name="photo"; filename="a.jpg"\r\n\r\nhello\r\n--x--\r\n' >form
}

write_gateway() {
	local shipped='' no_checks='' filter=() option OPTIND=1
	while getopts snf option; do
		case $option in
		s) shipped=yes ;;
		n) no_checks=yes ;;
		f) filter=(--native) ;;
		*) exit 2 ;;
		esac
	done
	shift $((OPTIND - 1))
	# shellcheck disable=SC2016 # HAProxy takes ${fe} from varnishtest
	"$PENSTOCK" haproxy --force --out gw --listen 'fd@${fe}' "${filter[@]}" "${1:-routes.yaml}" || exit 1
	[ -n "$shipped" ] || sed -i -E 's/^( *timeout (hello|processing|connect)) [0-9]+ms$/\1 20s/' gw/*
	[ -z "$no_checks" ] || sed -i -E 's/^( *server .*) check.*$/\1/' gw/haproxy.cfg
}

# shellcheck disable=SC2016 # HAProxy takes ${fe} from varnishtest
write_plain() {
	local words='' bind='fd@${fe}' option OPTIND=1
	while getopts uw: option; do
		case $option in
		u) bind=unix@$PWD/gw.sock ;;
		w) words=$OPTARG ;;
		*) exit 2 ;;
		esac
	done
	shift $((OPTIND - 1))
	mkdir -p gw
	{
		printf '%s\n' defaults '    mode http' '    timeout connect 20s' '    timeout client 60s' '    timeout server 60s' \
			'frontend uploads' "    bind $bind" "    filter penstock config '$PWD/routes.yaml' $words"
		[ $# -eq 0 ] || printf '    %s\n' "$@"
		printf '%s\n' '    default_backend penstock' 'backend penstock' "    server penstock unix@$PWD/in.sock"
	} >gw/haproxy.cfg
}

# The filter's own objects, linked anew with something that is not as it should be: a CALL of mem.h that can be made to
# fail (how many arguments it takes does not matter: they are passed on in registers), or a HAProxy of another layout.
make_faulty() { # CALL|layout
	if [ "$1" = layout ]; then
		echo 'unsigned pool[64]; void *pool_head_stream = pool;' >fault.c
	else
		printf '%s\n' '#include <stddef.h>' '#include <unistd.h>' "void *__real_$1(void *p, size_t a, size_t b);" \
			"void *__wrap_$1(void *p, size_t a, size_t b);" "void *__wrap_$1(void *p, size_t a, size_t b)" \
			"{ return access(\"$PWD/fault\", F_OK) == 0 ? NULL : __real_$1(p, a, b); }" >fault.c
	fi
	gcc -O2 -fPIC -fvisibility=hidden -shared -o fault.so fault.c "$PENSTOCK_FILTER_OBJECTS"/*-*.o -Wl,--wrap="$1" -lyaml
}

answers() { # STATUS PATH
	[ "$(curl -s -o answer -w '%{http_code}' --unix-socket gw.sock -F photo=hello "http://a$2")" = "$1" ]
}

# A master that has only just started its worker can miss a signal, so it is told again.
reloads() { # STATUS PATH
	[ "$SECONDS" -lt "${told:-0}" ] || { kill -USR2 "$(cat master.pid)" && told=$((SECONDS + 5)); }
	answers "$@"
}

# One line of `show stat` about the server of the agent, or (BACKEND) about its whole backend.
show_stat() { # agent|BACKEND FIELD
	python3 - "$1" "$2" <<-'END'
		import csv, socket, sys
		with socket.socket(socket.AF_UNIX) as s:
		    s.connect("h1/stats.sock")
		    s.sendall(b"show stat\n")
		    text = s.makefile().read()
		for row in csv.DictReader(text.removeprefix("# ").splitlines()):
		    if (row["pxname"], row["svname"]) == ("penstock-agent", sys.argv[1]):
		        print(row[sys.argv[2]])
	END
}

# A server is taken for UP before its first check: then check_status is empty.
agent_is() {
	[ "$(show_stat agent status)" = "$1" ] || return 1
	[ "$1" != UP ] || [ "$(show_stat agent check_status)" = L7OK ]
}

# Greets as an agent does, health checks too, and answers a NOTIFY in the way of its MODE. Keeps the payload of each
# NOTIFY in notify.N, and says in agents' names what it has done.
fake_agent() {
	as_child python3 - "$1" <<-'END'
		import itertools, os, socket, struct, sys, threading
		mode, count = sys.argv[1], itertools.count(1)

		def frame(kind, payload, ids=b"\0\0"):
		    body = bytes([kind]) + struct.pack(">I", 1) + ids + payload
		    return struct.pack(">I", len(body)) + body

		def text(key, value):
		    return bytes([len(key)]) + key + b"\x08" + bytes([len(value)]) + value

		def number(key, value):
		    return bytes([len(key)]) + key + b"\x03" + value

		def varint(data, at):
		    end = at + 1
		    if data[at] >= 240:
		        while data[end] >= 128:
		            end += 1
		        end += 1
		    return end

		HELLO = frame(101, text(b"version", b"2.0") + number(b"max-frame-size", b"\xfc\xf0\x06")
		              + text(b"capabilities", b"pipelining"))
		SET_ALLOW = b"\x01\x03\x02\x05allow"
		SET_STATUS = b"\x01\x03\x02\x06status"

		def answer(ids):
		    if mode == "empty-ack":
		        return frame(103, b"", ids)
		    if mode == "other-frame":  # allows, but not what was asked
		        return frame(103, SET_ALLOW + b"\x11", b"\xef\xef")
		    if mode == "other-variable":
		        return frame(103, b"\x01\x03\x02\x07allowed\x11", ids)
		    if mode == "not-allowed":
		        return frame(103, SET_ALLOW + b"\x01", ids)
		    if mode == "allowed":
		        return frame(103, SET_ALLOW + b"\x11" + SET_STATUS + b"\x03\xc8", ids)
		    if mode == "disconnect":
		        return frame(102, number(b"status-code", b"\x4d") + text(b"message", b"not today"))
		    if mode == "garbage":
		        return b"HTTP/1.0 400 Bad Request\r\n\r\n"
		    return b""

		def serve(peer):
		    with peer, peer.makefile("rb") as stream:
		        while len(head := stream.read(4)) == 4:
		            data = stream.read(struct.unpack(">I", head)[0])
		            if mode == "deaf":
		                continue
		            if data[0] == 1:
		                peer.sendall(HELLO)
		            if data[0] == 1 and b"healthcheck" in data or data[0] == 2:
		                return
		            if data[0] == 3:
		                end = varint(data, varint(data, 5))
		                with open("notify.%d" % next(count), "wb") as file:
		                    file.write(data[end:])
		                if mode == "hang-up":
		                    return
		                peer.sendall(answer(data[5:end]))

		def safely(peer):
		    try:
		        serve(peer)
		    except OSError:
		        pass  # a reset is a normal end

		listener = socket.socket(socket.AF_UNIX)
		listener.bind("fake.sock.new")
		listener.listen(64)
		os.rename("fake.sock.new", "fake.sock")
		while True:
		    threading.Thread(target=safely, args=(listener.accept()[0],), daemon=True).start()
	END
}

tap() {
	mkdir -p tap
	as_child python3 - <<-'END'
		import itertools, os, socket, threading

		def pump(source, target, name):
		    with open(name, "wb", buffering=0) as file:
		        try:
		            while data := source.recv(65536):
		                file.write(data)
		                target.sendall(data)
		            target.shutdown(socket.SHUT_WR)
		        except OSError:
		            pass  # the other side has gone

		listener = socket.socket(socket.AF_UNIX)
		listener.bind("tap.sock.new")
		listener.listen(1024)
		os.rename("tap.sock.new", "tap.sock")
		for n in itertools.count(1):
		    near, far = listener.accept()[0], socket.socket(socket.AF_UNIX)
		    far.connect("spoa.sock")
		    for args in ((near, far, "tap/%d.to" % n), (far, near, "tap/%d.from" % n)):
		        threading.Thread(target=pump, args=args, daemon=True).start()
	END
}

check_answer() {
	python3 - "$@" <<-'END'
		import sys
		with open("tap/1.from", "rb") as file:
		    got, wanted = file.read(), []
		for word in sys.argv[1:]:
		    digits, _, text = word.partition("=")
		    if digits.startswith("*"):
		        wanted += [None] * int(digits[1:])
		    else:
		        wanted += bytes.fromhex(digits) + text.encode()
		show = lambda data: " ".join("??" if b is None else "%02x" % b for b in data)
		if len(got) != len(wanted) or any(w not in (None, g) for g, w in zip(got, wanted)):
		    sys.exit("answered: not as wanted\n got    %s\n wanted %s" % (show(got), show(wanted)))
	END
}

case $word in
routes) write_routes "$@" ;;
penstock) as_child "$PENSTOCK" run "${1:-routes.yaml}" >&2 ;;
listening) until_true "penstock listens" has_lines "${1:-2}" '"msg":"listening"' ;;
gateway) write_gateway "$@" ;;
plain) write_plain "$@" ;;
http-2) sed -i 's/^ *bind .*/& proto h2/' gw/haproxy.cfg ;;
faulty) make_faulty "$@" ;;
status) until_true "an upload is answered with $1" answers "$1" "${2:-/album/1}" ;;
reloaded) until_true "after a reload an upload is answered with $1" reloads "$1" "${2:-/album/1}" ;;
agent) fake_agent "$@" ;;
tap) tap ;;
exists) until_true "$1 exists" test -e "$1" ;;
answered) check_answer "$@" ;;
logged) until_true "$1 lines with $2" has_lines "$@" ;;
saw)
	n=$(grep -F '"msg":"request"' p1/stderr | grep -c -F -e "${2:-}")
	[ "$n" -eq "$1" ] || fail "penstock was given $n requests, not $1"
	;;
stored)
	n=$(find files -type f | wc -l)
	[ "$n" -eq "$1" ] || fail "$n files are there, not $1"
	;;
agent-is) until_true "the agent is $1" agent_is "$1" ;;
stat) show_stat BACKEND "$1" ;;
*) fail "no such word" ;;
esac
