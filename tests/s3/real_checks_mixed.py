# SPDX-License-Identifier: MIT
"""Forms of which a part goes to a real bucket, one to an HTTP store and one to a folder: whichever fails, what is visible is what
the client was told. Of each kind one fails at its commit, when others are visible already."""
import types

from s3 import *
from test_s3_commit import MIXED, ORDER, UNDO, WHOLE, mixed, visible


def real_visible(store, http, p):
    def read(key):
        whole = WHOLE["s" + key]
        if len(whole) > PART and not store.joins_parts:  # only that it is there can be seen
            return whole if store.client.head_object(Bucket="bkt", Key=key)["ContentLength"] == len(whole) else None
        return store.get(key)["Body"].read()
    found = {key: read(key) for key in store.keys()}
    return visible(types.SimpleNamespace(store=types.SimpleNamespace(objects=lambda: found)), http, p)


def http_fails_at(path):
    def script(request):
        if request.path == path and request.method != "DELETE":
            request.read_all()
            request.answer(500, extra="Connection: close\r\n")
            return "done"
        return None
    return script


def put_in_the_way(store, p, name, number):
    """What stands where this part is to go; it must stay."""
    there = b"it was here"
    if name == "s":
        store.client.put_object(Bucket="bkt", Key=str(number), Body=there)
    else:
        with open(os.path.join(p.out, str(number)), "wb") as f:
            f.write(there)
    return {f"{name}{number}": there}


def check_that_of_three_kinds_each_may_fail(store):
    more = ", exists: refuse" + ("" if store.takes_parts_at_once else ", in_flight: 1")
    for commit in ("all", "each"):
        for number, (name, _) in enumerate([(None, 0), *ORDER]):
            if name == "s" and not store.keeps_conditions:
                continue  # nothing stands in its way there
            store.empty()
            script = http_fails_at(f"/{number}") if name == "h" else None
            with Upstream(script) as http, Penstock(mixed(http, commit, UNDO + more), store, memory="64MiB") as p:
                before = put_in_the_way(store, p, name, number) if name in ("s", "d") else {}
                check_one(store, http, p, commit, number, before)


def check_one(store, http, p, commit, number, before):
    """Part `number` cannot be stored; with 0 all can."""
    what, answer = (commit, number and ORDER[number - 1]), post(p.port, "/s", MIXED)
    told = states(answer)
    assert answer.status == (409 if before else 502 if number else 201), (what, answer.body)
    named = [f"{name}{i + 1}" for i, (name, _) in enumerate(ORDER)]
    committed = {name for name, state in zip(named, told) if state == "committed"}
    assert committed == set(named) if number == 0 else (commit == "each" or not committed), (what, answer.body)
    wait_for(lambda: not store.unfinished(), "no upload is left")  # a refusal does not wait for that
    assert real_visible(store, http, p) == {**{name: WHOLE[name] for name in committed}, **before}, (what, answer.body)
    assert set(told) <= {"committed", "aborted", "undone"} and not store.unfinished(), (what, answer.body, store.unfinished())
