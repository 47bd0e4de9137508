# SPDX-License-Identifier: MIT
"""What two parsers might read differently, behind each HAProxy, and behind one with the filter inside: the rows are
those of tests/e2e/test_smuggling.py. And what the filter and penstock say of one body, which are two readings too."""
from front import Haproxy
from gw import with_filter
from lib import *
from test_smuggling import check_behind, test_behind_haproxy_both_read_the_same  # noqa: F401

ROUTES = """destinations:
  files: { type: directory, path: "{dir}/out" }
routes:
  - { id: d, match: { path: /d }, limits: { body: 4KiB, parts: 3, part_head: 256B }, fields: [ { name: "*", store: { to: files, key: "{uuid}" } } ] }
"""
B = BOUNDARY.encode()
GOOD = part("a", b"1")
FAULTS = {  # each is a part, or what stands in place of one
    "no colon in a head": b"--" + B + b"\r\nno colon\r\n\r\n1\r\n",
    "a blank before a colon": b"--" + B + b"\r\nContent-Disposition : form-data; name=a\r\n\r\n1\r\n",
    "two filenames": b"--" + B + b"\r\nContent-Disposition: form-data; name=a; filename=a; filename*=utf-8\'\'b\r\n\r\n1\r\n",
    "no disposition": b"--" + B + b"\r\n\r\n1\r\n",
    "a nested form": b"--" + B + b"\r\nContent-Disposition: form-data; name=a\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n1\r\n",
    "a head that is too long": b"--" + B + b"\r\nX: " + b"x" * 300 + b"\r\n\r\n1\r\n",
    "a head that is too long and has no colon": b"--" + B + b"\r\n" + b"x" * 300 + b"\r\n\r\n1\r\n",
    "text behind a delimiter": b"--" + B + b"x\r\n\r\n1\r\n",
    "a delimiter behind LF alone": GOOD[:-2] + b"\n--" + B + b"\r\n\r\n1\r\n",
    "a form behind the end": GOOD + b"--" + B + b"--\r\n" + GOOD,
    "too many parts": GOOD * 4,
    "too many bytes": part("a", b"x" * 4096),
}


def test_behind_the_filter_both_read_the_same():
    for program in with_filter().values():
        check_behind(program, "    filter penstock config '{file}'")


def told(port, body):
    answer = post(port, "/d", body)
    problem = answer.json() if answer.status >= 400 else {}
    return (answer.status, problem.get("detail"), problem.get("limit"), problem.get("offset")), "date" not in answer.headers


def check_faults(program, wrong):
    with Penstock(ROUTES) as p, Haproxy(f"127.0.0.1:{p.port}", program=program, frontend=f"    filter penstock config \'{p.file}\'") as h:
        for first, a in FAULTS.items():
            for second, b in FAULTS.items():
                body = a + b + b"--" + B + b"--\r\n"
                straight, by_filter = told(p.port, body)[0], told(h.port, body)
                if straight[0] < 400 or by_filter != (straight, True):
                    wrong.append(f"{first}, then {second}: the filter {by_filter}, penstock {straight}")


def test_of_two_faults_of_a_body_filter_and_penstock_tell_the_same():
    wrong = []
    for program in with_filter().values():
        check_faults(program, wrong)
    assert not wrong, f"{len(wrong)}:\n" + "\n".join(wrong)
