# SPDX-License-Identifier: MIT
"""What /metrics says of buckets: each number is what was done, exactly, and goes on over a reload."""
import datetime

import misbehave as mis
from s3 import *
from test_ops import Admin, get, read_metrics

ROUTES = routes("retry: { parts: 2, connect: 1 }")


def s3_metrics(p):
    """Of buckets: name and labels -> number."""
    return {key: n for key, n in read_metrics(p).items() if key.startswith("penstock_s3_")}


def expected(calls=(), again=(), to="s", **totals):
    """All that is not 0. `calls`: {(call, status): n}."""
    found = {f'penstock_s3_calls_total{{destination="{to}",call="{call}",status="{status}"}}': n for (call, status), n in dict(calls).items()}
    found.update({f'penstock_s3_calls_again_total{{destination="{to}",call="{call}"}}': n for call, n in dict(again).items()})
    found.update({f'penstock_s3_{name}_total{{destination="{to}"}}': n for name, n in totals.items()})
    return found


def check_counted(p, calls, **more):
    want, now = expected(calls, **more), lambda: {key: n for key, n in s3_metrics(p).items() if n > 0}
    with contextlib.suppress(AssertionError):
        wait_for(lambda: now() == want, "the numbers")
    assert now() == want, (now(), want)


def wait_for_parts(p, n):
    """That the store has sent the answer is too early: a client that leaves then has the part cut."""
    name = 'penstock_s3_calls_total{destination="s",call="UploadPart",status="2xx"}'
    wait_for(lambda: read_metrics(p)[name] == n, f"penstock knows that {n} parts are there")


def reload(p, n):
    p.process.send_signal(signal.SIGHUP)
    wait_for(lambda: read_metrics(p)['penstock_reloads_total{result="good"}'] == n, "a reload: " + p.log())


def test_each_call_is_counted_by_what_became_of_it_also_over_reloads():
    with FakeS3() as fake, Admin(ROUTES, fake, memory="64MiB") as p:
        check_counted(p, {})
        assert post(p.port, "/s", form(*files(noise(KEPT), noise(LONG)))).status == 201
        calls, sent = {("PutObject", "2xx"): 1, ("CreateMultipartUpload", "2xx"): 1, ("UploadPart", "2xx"): 3, ("CompleteMultipartUpload", "2xx"): 1}, KEPT + LONG
        check_counted(p, calls, bytes=sent)

        reload(p, 1)
        check_counted(p, calls, bytes=sent)

        fake.on("part", 2, mis.status(503, "SlowDown"))
        fake.on("part", 3, mis.status(503, "SlowDown"))
        fake.on("complete", 1, mis.error_in_200("InternalError"))
        assert post(p.port, "/s", form(*files(noise(LONG)))).status == 201
        calls |= {("CreateMultipartUpload", "2xx"): 2, ("UploadPart", "2xx"): 6, ("UploadPart", "5xx"): 2, ("CompleteMultipartUpload", "other"): 1, ("CompleteMultipartUpload", "2xx"): 2}
        again, sent = {"UploadPart": 2, "CompleteMultipartUpload": 1}, sent + LONG
        check_counted(p, calls, again=again, bytes=sent)

        fake.on("put", 1, mis.status(403, "AccessDenied"))
        assert post(p.port, "/s", form(*files(noise(KEPT)))).status == 502
        calls |= {("PutObject", "4xx"): 1}
        check_counted(p, calls, again=again, bytes=sent)

        reload(p, 2)
        check_counted(p, calls, again=again, bytes=sent)


def test_a_call_without_an_answer_is_counted():
    for behaviour, n, calls, again, sent in (
            (mis.lost_before, 1, {("PutObject", "none"): 1, ("PutObject", "2xx"): 1}, 1, KEPT),
            (mis.lost_after, EVERY, {("PutObject", "none"): 3, ("HeadObject", "2xx"): 1}, 2, 0)):  # three tries, then HeadObject finds it
        with FakeS3() as fake, Admin(ROUTES, fake) as p:
            fake.on("put", n, behaviour)
            assert post(p.port, "/s", form(*files(noise(KEPT)))).status == 201
            check_counted(p, calls, again={"PutObject": again}, **({"bytes": sent} if sent else {}))


def test_uploads_that_are_given_up_are_counted():
    with FakeS3() as fake, Admin(ROUTES, fake) as p:
        held = Held(p, files(noise(SHORT)) + files(b"so that the one before has ended"))
        wait_for_parts(p, 1)
        held.socket.close()
        calls = {("CreateMultipartUpload", "2xx"): 1, ("UploadPart", "2xx"): 1, ("AbortMultipartUpload", "2xx"): 1}
        check_counted(p, calls, bytes=SHORT, uploads_aborted=1)

        fake.on("abort", 1, mis.status(403, "AccessDenied"))
        held = Held(p, files(noise(SHORT)) + files(b""))
        wait_for_parts(p, 2)
        held.socket.close()
        calls = {("CreateMultipartUpload", "2xx"): 2, ("UploadPart", "2xx"): 2, ("AbortMultipartUpload", "2xx"): 1, ("AbortMultipartUpload", "4xx"): 1}
        check_counted(p, calls, bytes=2 * SHORT, uploads_aborted=1, uploads_left=1)

        go = threading.Event()
        fake.on("part", 1, mis.takes_until(go))  # it is stored after the abort, so its upload is aborted twice
        held = Held(p, files(noise(SHORT)) + files(b""))
        wait_for(lambda: len(fake.of("part")) == 3 and fake.of("part")[2].is_read, "the part is on its way")
        held.socket.close()
        wait_for(lambda: len(fake.of("abort")) == 3, "it is aborted")
        go.set()
        calls |= {("CreateMultipartUpload", "2xx"): 3, ("UploadPart", "2xx"): 3, ("AbortMultipartUpload", "2xx"): 3}
        check_counted(p, calls, bytes=3 * SHORT, uploads_aborted=2, uploads_left=1)


def test_a_form_that_a_reload_overtakes_is_counted_where_its_destination_still_is():
    with FakeS3() as fake, Admin(ROUTES, fake) as p:
        held = Held(p, files(noise(SHORT)) + files(b""))
        wait_for(lambda: [call.status for call in fake.of("part")] == [200], "the part is there")
        reload(p, 1)
        assert held.finish().status == 201
        calls = {("CreateMultipartUpload", "2xx"): 1, ("UploadPart", "2xx"): 1, ("CompleteMultipartUpload", "2xx"): 1, ("PutObject", "2xx"): 1}
        check_counted(p, calls, bytes=SHORT)

        with open(p.file, encoding="utf-8") as f:
            text = f.read()
        with open(p.file, "w", encoding="utf-8") as f:
            f.write(text.replace("  s: {", "  other: {").replace("to: s,", "to: other,"))
        reload(p, 2)
        assert {key: n for key, n in s3_metrics(p).items() if n > 0 or '"s"' in key} == {}, s3_metrics(p)
        assert post(p.port, "/s", form(*files(noise(KEPT)))).status == 201
        check_counted(p, {("PutObject", "2xx"): 1}, to="other", bytes=KEPT)


def container(left):
    """An endpoint for keys that expire; {"left"}: after so many seconds, None: it gives none. {"access"}: which."""
    def script(request):
        request.read_all()
        if left["left"] is None:
            request.answer(500)
            return "next"
        end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=left["left"])
        keys = {"AccessKeyId": left.get("access", "AKTEST"), "SecretAccessKey": "SKTESTSECRET", "Expiration": end.strftime("%Y-%m-%dT%H:%M:%SZ")}
        request.answer(200, json.dumps(keys).encode(), "Content-Type: application/json\r\n")
        return "next"
    return Upstream(script)


def environment(keys):
    """With such an endpoint as the only source."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return env | {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://127.0.0.1:{keys.port}/keys", "HOME": "/nonexistent"}


def test_when_keys_expire():
    text = "destinations:\n" + destination() + destination("style: path", name="t").replace("credentials: { access_key: AKTEST, secret_key: SKTESTSECRET }, ", "")
    text += 'routes:\n  - { id: s, match: { path: "/s" }, fields: [ { name: a, store: { to: s, key: "{uuid}" } }, { name: "*", store: { to: t, key: "{uuid}" } } ] }\n'
    name = 'penstock_s3_credentials_left_seconds{destination="t"}'
    for left, least, most in ((3600, 3500, 3600), (None, 0, 0)):
        with FakeS3() as fake, container({"left": left}) as keys:
            with Admin(text, fake, env=environment(keys)) as p:
                wait_for(lambda: keys.seen and least <= read_metrics(p)[name] <= most, "the seconds that are left")
                told = [key for key in s3_metrics(p) if "credentials" in key]
                assert told == [name], told  # of keys that never expire nothing is told


def test_the_manual_names_each():
    with open("sidecar/sink/s3/README.md", encoding="utf-8") as f:
        named = re.findall(r"^\| `(penstock_s3_\w+)` \|", f.read(), re.M)
    with FakeS3() as fake, Admin(ROUTES, fake) as p:
        told = re.findall(r"^# HELP (penstock_s3_\w+) ", get(p.admin, "/metrics").body.decode(), re.M)
    assert told and named == told, (named, told)
