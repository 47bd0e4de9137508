#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# up.sh [spoe|native|socket|s3] - builds the images and starts the demo: HAProxy, penstock, a store, an app with a page to
# upload from. Waits until all of it answers, and prints the address. A stack that is up with another profile is stopped
# first; what it stored stays. PORT (8080), PROJECT (penstock).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=/dev/null
. "$here/lib.sh"
profile=${1:-spoe}
profile=${profile#--}
case $profile in spoe | native | socket | s3) ;; *) sed -n '3,5s/^# //p' "$0" >&2 && exit 2 ;; esac
need_docker
need_compose
is_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null; }
is_ours() { [ -n "$(docker ps --quiet --filter "label=com.docker.compose.project=$PROJECT" --filter "publish=$PORT")" ]; }
! is_taken || is_ours || die "port $PORT of 127.0.0.1 is taken: PORT=8090 $0 $profile would use another"
"$here/base.sh"
echo "== building"
# NO_BUILD=1: an image that is here already is taken as it is.
is_here() { [ -n "${NO_BUILD:-}" ] && docker image inspect "$1:$PENSTOCK_TAG" >/dev/null 2>&1; }
is_here penstock || "$here/build.sh" penstock
[ "$profile" != native ] || is_here penstock-haproxy || "$here/build.sh" haproxy
[ "$profile" != s3 ] || is_here penstock-bucket || "$here/build.sh" bucket
for name in gateway storage app; do
	case $profile-$name in native-gateway | s3-storage) continue ;; esac
	is_here "penstock-$name" && continue
	docker_build --file "$here/demo/Dockerfile" --target "$name" --tag "penstock-$name:$PENSTOCK_TAG" "$here" >/dev/null
	echo "made: penstock-$name:$PENSTOCK_TAG"
done

echo "== starting"
members() { # PROFILE; its services
	case $1 in
	spoe) echo haproxy penstock storage app ;;
	native | socket) echo "haproxy-$1" "penstock-$1" storage app ;;
	s3) echo haproxy-s3 penstock-s3 bucket app-s3 ;;
	esac
}
there=$(docker ps --all --filter "label=com.docker.compose.project=$PROJECT" --format '{{.Label "com.docker.compose.service"}}')
for other in spoe native socket s3; do # compose knows of no profile but the one that it is told
	mapfile -t old < <(members "$other" | tr ' ' '\n' | grep -Fxv "$(members "$profile" | tr ' ' '\n')" | grep -Fx "$there")
	[ ${#old[@]} -eq 0 ] || "${COMPOSE[@]}" --profile "$other" rm --stop --force "${old[@]}" >/dev/null
done
"${COMPOSE[@]}" --profile "$profile" up --detach --no-build --remove-orphans

status_of() { # METHOD PATH BODY; the status that the gateway answers, without any tool
	exec 3<>"/dev/tcp/127.0.0.1/$PORT" || return
	printf '%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %s\r\nConnection: close\r\n\r\n%s' "$1" "$2" "${#3}" "$3" >&3
	local status=
	read -r -t 10 _ status _ <&3 || true
	exec 3>&-
	echo "$status"
}
# The last is no form: penstock, not HAProxy, refuses it, and the gateway leads to a page that says so.
ready() { [ "$(status_of GET / '') $(status_of GET /files/ '') $(status_of GET /gallery '') $(status_of POST '/upload?then=page' x)" = "200 200 200 303" ]; }

end=$((SECONDS + 120))
until ready 2>/dev/null; do
	if [ "$SECONDS" -ge "$end" ]; then
		"${COMPOSE[@]}" --profile "$profile" ps >&2
		"${COMPOSE[@]}" --profile "$profile" logs --tail 20 >&2
		die "the stack did not become ready"
	fi
	sleep 0.2
done
echo "ready: http://127.0.0.1:$PORT/"
