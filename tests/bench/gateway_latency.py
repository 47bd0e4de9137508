#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the agent and the filter add to a request's time, not in CI: gateway_latency.py [REQUESTS [AT_ONCE]].

Same small uploads, one after the other on kept connections, in turns to four gateways in front of one penstock: rules alone
(the base), the agent over a unix socket and over TCP, the filter. A turn is one request to each, so whatever
else the machine does meets all alike. GATEWAY_HAPROXIES, GATEWAY_FILTERS: as in tests/gateway/run.sh (paths; the first of each)."""
import os
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "gateway"), os.path.join(HERE, "..", "e2e")]
from gw import *  # noqa: E402
from lib import *  # noqa: E402

ROUTES = 'routes:\n  - { id: drop, match: { path: "/albums/*/photos" }, limits: { body: 1MiB }, fields: [ { name: a, drop: true } ] }\n'
BODY = form(part("a", b"hello"))
REQUEST = head_of("/albums/7/photos", len(BODY)) + BODY


def ask(s):
    began = time.perf_counter()
    s.sendall(REQUEST)
    answer = read_answer(s)
    assert answer is not None and answer.status == 201, answer and answer.body
    return (time.perf_counter() - began) * 1e6


def turns(ports, n, times):
    sockets = {name: connect(port) for name, port in ports.items()}
    names = list(sockets)
    for turn in range(n + 50):
        names.append(names.pop(0))  # nobody is always the first, who finds colder caches
        for name in names:
            took = ask(sockets[name])
            if turn >= 50:  # the first ones find cold connections
                times[name].append(took)


def at(sorted_times, share):
    return sorted_times[min(len(sorted_times) - 1, int(len(sorted_times) * share))]


def main():
    n, at_once = int(sys.argv[1]) if len(sys.argv) > 1 else 5000, int(sys.argv[2]) if len(sys.argv) > 2 else 1
    unix, tcp = 'spoa: { listen: ["unix:{dir}/spoa.sock"] }', f'spoa: {{ listen: ["127.0.0.1:{free_port()}"] }}'
    with contextlib.ExitStack() as stack:
        base = stack.enter_context(Penstock(ROUTES))
        to_base = lambda text: re.sub(r"server penstock \S+", f"server penstock 127.0.0.1:{base.port}", text)
        start = lambda name, head, **how: (name, stack.enter_context(Gateway(stack.enter_context(Penstock(ROUTES, head=head)), edit=to_base, **how)).port)
        ports = dict((start("rules", ""), start("agent, unix", unix), start("agent, TCP", tcp)))
        for version, program in (with_filter() if os.environ.get("GATEWAY_FILTERS") else {}).items():
            ports.update((start(f"filter {version}", "", program=program, native=True),))
        times = {name: [] for name in ports}
        threads = [threading.Thread(target=turns, args=(ports, n // at_once, times)) for _ in range(at_once)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    print(f"HAProxy {version_of(list(haproxies().values())[0])}, {n} requests each, {at_once} at once, microseconds\n")
    print("| gateway | p50 | p99 | added p50 | added p99 |\n|---|---|---|---|---|")
    rules = sorted(times["rules"])
    for name, values in times.items():
        values.sort()
        p50, p99 = at(values, 0.5), at(values, 0.99)
        print(f"| {name} | {p50:.0f} | {p99:.0f} | {p50 - at(rules, 0.5):+.0f} | {p99 - at(rules, 0.99):+.0f} |")


if __name__ == "__main__":
    main()
