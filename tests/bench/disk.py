# SPDX-License-Identifier: MIT
"""Small files that have to be on the disk: forms into a folder, beside a C program (durable.c) that does nothing but store as many files
for good."""
import argparse
import json
import os
import shutil
import subprocess
import tempfile

import programs
from measure import median_of

FOLDER = 'files: {{ type: directory, path: "%s" }}'
ROUTE = 'fields: [ { name: "*", store: { to: files, path: "{uuid}" } } ]\n    response: { json: none }'
SIZE = 8192


class Disk:
    """`binaries`: name -> a penstock."""

    def __init__(self, binaries):
        self.at = tempfile.mkdtemp(prefix="penstock-durable-")
        self.load, self.floor = programs.build(self.at, "load"), programs.build(self.at, "durable")
        self.out = os.path.join(self.at, "out")
        os.mkdir(self.out)
        self.proxies = {name: programs.penstock(argparse.Namespace(penstock=binary), self.at, f"p{i}", 0, ROUTE, 64, to=FOLDER % self.out,
                                                limits="body: none, parts: 10000")
                        for i, (name, binary) in enumerate(binaries.items())}

    def floor_rate(self, clients, uploads):
        place = os.path.join(self.at, "floor")
        os.mkdir(place)
        told = subprocess.run([self.floor, place, str(clients), str(uploads), str(SIZE)], stdout=subprocess.PIPE, text=True, check=True)
        shutil.rmtree(place)
        return {"files_per_s": float(told.stdout)}

    def forms(self, proxy, clients, uploads, fields=1, size=SIZE):
        began = programs.cpu_seconds(proxy.process.pid)
        told = subprocess.run([self.load, "--port", str(proxy.port), "--connections", str(clients), "--uploads", str(uploads), "--fields",
                               str(fields), "--size", str(size)], stdout=subprocess.PIPE, text=True, check=True)
        cpu, row = programs.cpu_seconds(proxy.process.pid) - began, json.loads(told.stdout)
        self.empty(clients * uploads * fields)
        return {"files_per_s": clients * uploads * fields / row["seconds"], "p50_ms": row["p50_ms"], "p99_ms": row["p99_ms"],
                "seconds": row["seconds"], "cpu_us": cpu * 1e6 / (clients * uploads)}

    def empty(self, expected):
        stored = [name for name in os.listdir(self.out) if not name.startswith(".penstock-")]
        assert len(stored) == expected, f"{len(stored)} files are there, not {expected}"
        for name in os.listdir(self.out):
            os.unlink(os.path.join(self.out, name))

    def small_files(self, clients, uploads, rounds):
        rows = {name: [] for name in ("floor", *self.proxies)}
        for _ in range(rounds):
            rows["floor"].append(self.floor_rate(clients, uploads))
            for name, proxy in self.proxies.items():
                rows[name].append(self.forms(proxy, clients, uploads))
        return {name: median_of(row) for name, row in rows.items()}

    def one_form(self, files, rounds):
        return {name: median_of([self.forms(proxy, 1, 1, files, 200) for _ in range(rounds)]) for name, proxy in self.proxies.items()}

    def stop(self):
        for proxy in self.proxies.values():
            proxy.stop()
        shutil.rmtree(self.at, ignore_errors=True)


def tables(binaries, clients, uploads, files, rounds):
    """`uploads`: of all clients together."""
    disk = Disk(binaries)
    try:
        found = {f"durable-{n}": disk.small_files(n, max(2, uploads // n), rounds) for n in clients}
        found["durable-form"] = disk.one_form(files, rounds)
        return found
    finally:
        disk.stop()
