# SPDX-License-Identifier: MIT
"""Each table of the bench: a function that measures it and returns its rows. What they are called and how they are shown is in report.py."""
import json
import time
from collections import namedtuple

import disk
import programs
from measure import in_turns, load, load_behind, measure
from programs import BUFFER, CONCAT, CONCAT_POST, DROP, HTTP, KEY, NONE, S3, SHA256, STORE, TYPES, cpu_seconds, memory, reset_peak

MIB = 1 << 20
REUSE = HTTP.replace(" }}", ", reuse: always }}")

# forms: of each of 32 clients. slow: seconds. crowds: (memory in MiB, slow uploads at once, seconds). beside: small forms. sizes: the
# largest is 10 to that power. files: on the disk, of all clients together, and in one form.
Scale = namedtuple("Scale", "rounds one many small forms slow crowds burst beside sizes files in_form")
SCALES = {
    "smoke": Scale(1, 2 * MIB, MIB, 2, 2, (10, 1), ((64, 20, 1),), 20, 20, 5, 8, 20),
    "quick": Scale(1, 256 * MIB, 16 * MIB, 300, 20, (200, 4), ((64, 1500, 8),), 500, 200, 8, 320, 1000),
    "whole": Scale(3, 512 * MIB, 16 * MIB, 300, 50, (200, 6), ((64, 1500, 15), (256, 5000, 15)), 500, 500, 10, 480, 10_000),
}


class Bench:
    """`known`: makers of the programs that every row may ask for. `missing`: why one of them is not there."""

    def __init__(self, args, folder, scale, axum, why_no_axum):
        self.args, self.folder, self.scale, self.axum = args, folder, scale, axum
        self.proxies, self.running, self.missing, self.asked = [], {}, {}, set()
        if why_no_axum:
            self.missing["axum"] = self.missing["axum-buffered"] = why_no_axum
        for program, names in (("nginx", ("nginx-64k", "nginx-buffered")), ("haproxy", ("haproxy",))):
            if not programs.shutil.which(program):
                self.missing.update((name, f"{program} is not in PATH") for name in names)
        self.drain_process, self.drain = programs.drain(folder)

    def penstock(self, name, route, memory_mib=64, **how):
        proxy = programs.penstock(self.args, self.folder, name, self.drain, route, memory_mib, **how)
        self.proxies.append(proxy)
        return proxy

    def start(self, name):
        """A fresh one."""
        makers = {
            "penstock": lambda: programs.penstock(self.args, self.folder, name, self.drain, STORE + NONE, 64),
            "axum": lambda: programs.axum(self.axum, name, self.drain, "stream"),
            "axum-buffered": lambda: programs.axum(self.axum, name, self.drain, "buffer"),
            "nginx-64k": lambda: programs.nginx(self.folder, name, self.drain, "off", "64k"),
            "nginx-buffered": lambda: programs.nginx(self.folder, name, self.drain, "on", "64k"),
            "haproxy": lambda: programs.haproxy(self.folder, name, self.drain),
            "floor": lambda: programs.floor(self.folder, name, self.drain),
        }
        proxy = makers[name]()
        self.proxies.append(proxy)
        return proxy

    def peers(self, *names):
        """Those that are there, each started once for all tables that ask for it so."""
        self.asked.update(names)
        for name in names:
            if name not in self.missing and name not in self.running:
                self.running[name] = self.start(name)
        return [self.running[name] for name in names if name in self.running]

    def fresh(self, *names):
        self.asked.update(names)
        return [self.start(name) for name in names if name not in self.missing]

    def tables(self, name):
        """A peer that is missing has a row that says why."""
        self.asked = set()
        found = ROWS[name](self)
        for table in found.values():
            table.update({peer: {"missing": why} for peer, why in self.missing.items() if peer in self.asked})
        return found

    def stop(self):
        for proxy in self.proxies:
            proxy.stop()
        self.drain_process.kill()
        self.drain_process.wait()


def small(bench):
    ours = [bench.penstock("penstock-put", CONCAT + NONE), bench.penstock("penstock-post", CONCAT_POST + NONE, to=REUSE),
            bench.penstock("penstock-post-safe", CONCAT_POST + NONE), bench.penstock("penstock-four", STORE + NONE),
            bench.penstock("penstock-drop", DROP + NONE), bench.penstock("penstock-answer", CONCAT)]
    peers = bench.peers("axum", "axum-buffered", "nginx-64k", "haproxy", "floor")
    how = {"connections": 32, "size": 8192, "values": 3}
    in_turns(bench.args, ours + peers, 1, uploads=2, **how)  # connections that are kept, and memory that is there
    return {"small": in_turns(bench.args, ours + peers, bench.scale.rounds, uploads=bench.scale.small, **how)}


def large(bench):
    ours = bench.peers("penstock") + [
        bench.penstock("penstock-answer-one", STORE), bench.penstock("penstock-sha256", STORE + SHA256), bench.penstock("penstock-types", TYPES + NONE),
        bench.penstock("penstock-s3", KEY + NONE, 256, to=S3)]
    ours[1].name = "penstock-answer"  # the other one of that name reads small forms
    all_of = ours + bench.peers("axum", "nginx-64k", "nginx-buffered", "haproxy", "floor")
    return {"one": in_turns(bench.args, all_of, bench.scale.rounds, connections=1, uploads=2, size=bench.scale.one),
            "many": in_turns(bench.args, all_of, bench.scale.rounds, connections=32, uploads=2, size=bench.scale.many)}


def form(bench):
    ours = [bench.penstock("penstock-streaming", CONCAT + NONE), bench.penstock("penstock-buffering", BUFFER + NONE, 128)]
    peers = bench.peers("axum", "axum-buffered", "nginx-64k")
    return {"form": in_turns(bench.args, ours + peers, bench.scale.rounds, connections=1, uploads=1, size=2_493_109, fields=20)}


def extras(bench):
    """Beside the journal itself: what two waits for the disk cost a form of three small objects; and what libmagic does."""
    state = f"state: {bench.folder}/state"
    ours = [bench.penstock("without-state", STORE + NONE), bench.penstock("with-state", STORE + NONE, head=state), bench.penstock("with-types", TYPES + NONE)]
    return {f"extras-{n}": in_turns(bench.args, ours, bench.scale.rounds, connections=n, uploads=max(2, bench.scale.forms * 32 // n), size=1000, fields=3)
            for n in (1, 32)}


def durable(bench):
    return disk.tables({"penstock": bench.args.penstock}, (1, 8, 32), bench.scale.files, bench.scale.in_form, bench.scale.rounds)


def slow_uploads(bench, proxy, rate=100_000):
    count, seconds = bench.scale.slow
    pid = proxy.process.pid
    before = memory(pid, "VmRSS")
    reset_peak(pid)
    told = load(bench.args, proxy, connections=count, uploads=1, size=rate * seconds, rate=rate)
    peak = memory(pid, "VmHWM")
    return {"uploads": count, "kib_per_upload": (peak - before) * 1024 / count, "peak_mib": peak, "failures": told["bad"]}


def slow(bench):
    return {"slow": {p.name: slow_uploads(bench, p) for p in bench.fresh("penstock", "axum", "nginx-64k", "haproxy", "floor")}}


def crowd(bench, proxy, clients, seconds, rate=4000):
    """A normal upload alone, and beside so many slow ones, when all of them stream: for the second or two in which thousands turn out too long to be
    kept, and connect to the store, the worker has all that it can do, and so has the machine."""
    normal = {"connections": 1, "uploads": 5, "size": 8 * MIB}
    alone = load(bench.args, proxy, **normal)
    reset_peak(proxy.process.pid)
    behind = load_behind(bench.args, proxy, connections=clients, uploads=1, size=rate * seconds, rate=rate)
    time.sleep(seconds * 0.6)
    beside = load(bench.args, proxy, **normal)
    told = json.loads(behind.communicate(timeout=300)[0])
    row = {"clients": clients, "taken": told["good"], "refused": told["bad"], "peak_mib": memory(proxy.process.pid, "VmHWM"),
           "alone_ms": alone["p50_ms"], "beside_refused": beside["bad"], "failures": alone["bad"]}
    if beside["bad"] == 0:  # a refusal is quick, and its time no upload's
        row.update(beside_ms=beside["p50_ms"], beside=beside["p50_ms"] / alone["p50_ms"])
    return row


def crowds(bench):
    rows = {}
    for mib, clients, seconds in bench.scale.crowds:
        rows[f"penstock, {mib} MiB"] = crowd(bench, bench.penstock(f"crowd-{mib}", STORE + NONE, mib), clients, seconds)
    for proxy in bench.fresh("axum", "nginx-64k"):
        rows[proxy.name] = crowd(bench, proxy, clients, seconds)
    return {"crowds": rows}


def after_a_burst(bench, proxy):
    idle, pid = proxy.idle_mib, proxy.process.pid
    told = measure(bench.args, proxy, connections=bench.scale.burst, uploads=1, size=MIB)
    end, least = time.monotonic() + 3, told["peak_mib"]
    while time.monotonic() < end:
        least = min(least, memory(pid, "VmRSS"))
        time.sleep(0.1)
    return {"start_ms": proxy.start_ms, "idle_mib": idle, "peak_mib": told["peak_mib"], "after_mib": least, "more_mib": least - idle, "failures": told["failures"]}


def idle(bench):
    return {"idle": {p.name: after_a_burst(bench, p) for p in bench.fresh("penstock", "axum", "nginx-64k", "haproxy")}}


def late(bench, proxy):
    """How long a small form takes, alone and while eight large uploads run."""
    form_of = {"connections": 1, "uploads": bench.scale.beside, "size": 8192, "values": 3}
    load(bench.args, proxy, **dict(form_of, uploads=20))
    alone = load(bench.args, proxy, **form_of)
    behind = load_behind(bench.args, proxy, connections=8, uploads=1000, size=1024 * MIB)
    try:
        time.sleep(0.3)
        began = cpu_seconds(proxy.process.pid)
        beside = load(bench.args, proxy, **form_of)
        share = (cpu_seconds(proxy.process.pid) - began) / beside["seconds"]
    finally:
        behind.kill()
        behind.communicate()
    return {"alone_p50_ms": alone["p50_ms"], "alone_p99_ms": alone["p99_ms"], "p50_ms": beside["p50_ms"], "p99_ms": beside["p99_ms"],
            "beside": beside["p99_ms"] / alone["p99_ms"], "cores": share, "failures": alone["bad"] + beside["bad"]}


def latency(bench):
    ours = bench.penstock("penstock-late", CONCAT + NONE)
    ours.name = "penstock"
    return {"latency": {p.name: late(bench, p) for p in [ours] + bench.peers("axum", "nginx-64k", "haproxy", "floor")}}


def in_words(size):
    for word, unit in (("GB", 10 ** 9), ("MB", 10 ** 6), ("KB", 10 ** 3)):
        if size >= unit:
            return f"{size // unit} {word}"
    return f"{size} B"


def sizes(bench):
    """With the default answer. The peer has no more than 1 GB, because ten take long."""
    ours, peers, rows = bench.penstock("penstock-sizes", CONCAT), bench.peers("axum"), {}
    for size in (10 ** n for n in range(3, bench.scale.sizes + 1)):
        uploads = max(1, min(2000, 3 * 10 ** 8 // size)) if bench.scale.sizes > 5 else 2
        rows[in_words(size)] = row = measure(bench.args, ours, connections=1, uploads=uploads, size=size)
        for peer in peers if size <= 10 ** 9 else []:
            row.update({f"axum_{key}": value for key, value in measure(bench.args, peer, connections=1, uploads=uploads, size=size).items()
                        if key in ("cpu_us", "cpu_s_per_gb", "peak_mib")})
    return {"sizes": rows}


ROWS = {f.__name__: f for f in (small, durable, large, form, extras, slow, crowds, idle, latency, sizes)}
