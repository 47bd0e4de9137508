# SPDX-License-Identifier: MIT
"""What is aimed at, as ratios within one run, or as memory. No seconds: those are the machine's."""
from collections import namedtuple

# table, row, key: what is compared; by: with which row (None: a number of its own), or with another (row, key). most, or least.
Goal = namedtuple("Goal", "title table row key by most least", defaults=(None, None, None))

GOALS = [
    Goal("small form, one object by PUT: CPU / axum's", "small", "penstock-put", "cpu_us", "axum", 1.4),
    Goal("small form, one object by POST, `reuse: always`: CPU / axum's", "small", "penstock-post", "cpu_us", "axum", 1.4),
    Goal("small form of four objects: CPU / that of one", "small", "penstock-four", "cpu_us", "penstock-put", 2.5),
    Goal("small form, default answer: CPU / without", "small", "penstock-answer", "cpu_us", "penstock-put", 1.1),
    Goal("durable files, 32 clients: files/s / the C program's", "durable-32", "penstock", "files_per_s", "floor", None, 0.5),
    Goal("32 uploads: CPU / axum's", "many", "penstock", "cpu_s_per_gb", "axum", 1.25),
    Goal("32 uploads: CPU / nginx's", "many", "penstock", "cpu_s_per_gb", "nginx-64k", 0.75),
    Goal("1 upload: CPU / axum's", "one", "penstock", "cpu_s_per_gb", "axum", 1.05),
    Goal("200 slow uploads: KiB each", "slow", "penstock", "kib_per_upload", None, 40),
    Goal("1,500 slow uploads in 64 MiB: refused", "crowds", "penstock, 64 MiB", "refused", None, 0),
    Goal("beside them: normal ones refused, of 5", "crowds", "penstock, 64 MiB", "beside_refused", None, 0),
    Goal("beside them: time of a normal one / alone", "crowds", "penstock, 64 MiB", "beside", None, 1.5),
    Goal("5,000 slow uploads in 256 MiB: refused", "crowds", "penstock, 256 MiB", "refused", None, 0),
    Goal("beside them: normal ones refused, of 5", "crowds", "penstock, 256 MiB", "beside_refused", None, 0),
    Goal("beside them: time of a normal one / alone", "crowds", "penstock, 256 MiB", "beside", None, 1.5),
    Goal("idle: MiB", "idle", "penstock", "idle_mib", None, 10),
    Goal("after a burst of 500: MiB more than before", "idle", "penstock", "more_mib", None, 8),
    Goal("small form beside 8 large uploads: p99 / alone", "latency", "penstock", "beside", None, 3),
]


def value_of(goal, tables):
    """None: this run has no such rows."""
    rows = tables.get(goal.table, {})
    if goal.key not in rows.get(goal.row, {}) or (goal.by and not rows.get(goal.by, {}).get(goal.key)):
        return None
    return rows[goal.row][goal.key] / (rows[goal.by][goal.key] if goal.by else 1)


def is_met(goal, value):
    return value >= goal.least if goal.most is None else value <= goal.most


def sizes_spread(tables):
    """Of files from 1 MB on: the dearest byte / the cheapest, and the most memory / the least. Both are 1 if cost is linear and memory flat."""
    rows = [row for size, row in tables.get("sizes", {}).items() if size.endswith((" MB", " GB"))]
    return [max(row[key] for row in rows) / min(row[key] for row in rows) for key in ("cpu_s_per_gb", "peak_mib")] if rows else None


def all_of(tables):
    """(title, what was measured, what is aimed at, met?) of each goal that this run can tell of."""
    found = [(goal.title, value, f"≥ {goal.least}" if goal.most is None else f"≤ {goal.most}", is_met(goal, value))
             for goal, value in ((goal, value_of(goal, tables)) for goal in GOALS) if value is not None]
    spread = sizes_spread(tables)
    if spread:
        found += [("1 MB to the largest: CPU of the dearest byte / of the cheapest", spread[0], "≤ 2", spread[0] <= 2),
                  ("1 MB to the largest: most memory / least", spread[1], "≤ 1.25", spread[1] <= 1.25)]
    return found


def missed(tables):
    return [row for row in all_of(tables) if not row[3]]


def markdown(tables):
    lines = ["", "**Goals**", "", "| | measured | goal | |", "|---|---|---|---|"]
    lines += [f"| {title} | {value:.2f} | {aim} | {'met' if met else 'missed'} |" for title, value, aim, met in all_of(tables)]
    return "\n".join(lines)
