# SPDX-License-Identifier: MIT
"""One load on one program, and several programs in turns."""
import json
import statistics
import subprocess

from programs import cpu_seconds, memory, reset_peak


def load_command(args, proxy, connections, uploads, size, fields=1, values=0, rate=0):
    return [args.load, "--port", str(proxy.port), "--path", proxy.path, "--connections", str(connections), "--uploads", str(uploads),
            "--size", str(size), "--fields", str(fields), "--values", str(values), "--rate", str(rate)]


def load(args, proxy, **how):
    result = subprocess.run(load_command(args, proxy, **how), stdout=subprocess.PIPE, timeout=600)
    return json.loads(result.stdout)


def load_behind(args, proxy, **how):
    """The load while something else is measured; it goes on until it is ended, or done."""
    return subprocess.Popen(load_command(args, proxy, **how), stdout=subprocess.PIPE)


def measure(args, proxy, **how):
    pid = proxy.process.pid
    reset_peak(pid)
    before = cpu_seconds(pid)
    result = load(args, proxy, **how)
    cpu = cpu_seconds(pid) - before
    gb, forms = result["bytes"] / 1e9, result["good"]
    return {"cpu_s_per_gb": cpu / gb if gb else 0, "cpu_us": cpu * 1e6 / forms if forms else 0, "mb_per_s": result["bytes"] / 1e6 / result["seconds"],
            "forms_per_s": forms / result["seconds"], "p50_ms": result["p50_ms"], "p99_ms": result["p99_ms"],
            "peak_mib": memory(pid, "VmHWM"), "seconds": result["seconds"], "failures": result["bad"]}


def median_of(rows):
    return {key: (sum if key == "failures" else statistics.median)([r[key] for r in rows]) for key in rows[0]}


def in_turns(args, proxies, rounds, **how):
    """Interleaved, so that a slow minute of the machine hits all of them."""
    rows = {p.name: [] for p in proxies}
    for _ in range(rounds):
        for p in proxies:
            rows[p.name].append(measure(args, p, **how))
    return {name: median_of(r) for name, r in rows.items()}
