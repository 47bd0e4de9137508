#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Shows what a run of the bench has found, from its JSON: as the tables of a page, and drawn.
report.py RESULTS.json [--svg FILE] [--page FILE]: writes FILE, of a page what stands between the two comments that name the JSON."""
import argparse
import json
import re
import sys

import draw as drawing

# key -> head of the column, how its values look
COLUMNS = {
    "cpu_us": ("CPU µs/form", "{:.0f}"), "cpu_s_per_gb": ("CPU s/GB", "{:.2f}"), "forms_per_s": ("forms/s", "{:,.0f}"), "mb_per_s": ("MB/s", "{:,.0f}"),
    "files_per_s": ("files/s", "{:,.0f}"), "seconds": ("seconds", "{:.3f}"), "p50_ms": ("p50 ms", "{:.1f}"), "p99_ms": ("p99 ms", "{:.1f}"),
    "alone_p50_ms": ("p50 ms alone", "{:.2f}"), "alone_p99_ms": ("p99 ms alone", "{:.2f}"), "beside": ("beside / alone", "{:.2f}"),
    "alone_ms": ("normal one alone, ms", "{:.0f}"), "beside_ms": ("beside them, ms", "{:.0f}"), "peak_mib": ("peak MiB", "{:.1f}"),
    "idle_mib": ("idle MiB", "{:.1f}"), "after_mib": ("after it MiB", "{:.1f}"), "start_ms": ("listens after ms", "{:.0f}"),
    "kib_per_upload": ("KiB each", "{:.0f}"), "clients": ("slow clients", "{:,}"), "taken": ("taken", "{:,}"), "refused": ("refused", "{:,}"), "beside_refused": ("normal ones refused", "{}"),
    "cores": ("cores used", "{:.2f}"), "axum_cpu_us": ("axum: µs", "{:.0f}"), "axum_cpu_s_per_gb": ("axum: s/GB", "{:.2f}"),
    "axum_peak_mib": ("axum: peak MiB", "{:.1f}"), "failures": ("failures", "{}"),
}
LARGE = ["cpu_s_per_gb", "/ axum", "/ nginx-64k", "mb_per_s", "peak_mib", "failures"]
DISK = ["files_per_s", "/ floor", "p50_ms", "p99_ms", "cpu_us"]
# name -> title, columns. "/ PEER": the first column as a multiple of that peer's.
TABLES = {
    "small": ("small forms: a file of 8 KiB and three values, 32 kept connections", ["cpu_us", "/ axum", "forms_per_s", "p50_ms", "p99_ms", "failures"]),
    "durable-1": ("files of 8 KiB for good, one at a time", DISK),
    "durable-8": ("files of 8 KiB for good, 8 at a time", DISK),
    "durable-32": ("files of 8 KiB for good, 32 at a time", DISK),
    "durable-form": ("one form of many files of 200 bytes for good", ["files_per_s", "seconds", "cpu_us"]),
    "one": ("1 upload at a time", LARGE),
    "many": ("32 uploads at once", LARGE),
    "form": ("one form of 20 files of 2,493,109 bytes", ["cpu_s_per_gb", "/ axum", "seconds", "peak_mib", "failures"]),
    "extras-1": ("forms of 3 files of 1,000 bytes, one at a time", ["cpu_us", "/ without-state", "forms_per_s", "p50_ms", "failures"]),
    "extras-32": ("forms of 3 files of 1,000 bytes, 32 at a time", ["cpu_us", "/ without-state", "forms_per_s", "p50_ms", "failures"]),
    "slow": ("200 slow uploads at once, 100 KB/s each", ["kib_per_upload", "peak_mib", "failures"]),
    "crowds": ("many slow uploads at once, 4 KB/s each", ["clients", "taken", "refused", "peak_mib", "beside_refused", "alone_ms", "beside_ms", "beside"]),
    "idle": ("idle, and after a burst of 500 uploads at once", ["start_ms", "idle_mib", "peak_mib", "after_mib", "failures"]),
    "latency": ("a small form, alone and beside 8 large uploads", ["alone_p50_ms", "alone_p99_ms", "p50_ms", "p99_ms", "beside", "cores", "failures"]),
    "sizes": ("cost against size, one upload at a time, default answer", ["cpu_us", "cpu_s_per_gb", "peak_mib", "axum_cpu_us", "axum_cpu_s_per_gb", "axum_peak_mib"]),
}


def cell(column, first, row, rows):
    if column.startswith("/ "):
        by = rows.get(column[2:], {}).get(first)
        return f"{row[first] / by:.2f}" if by and first in row else "–"
    return COLUMNS[column][1].format(row[column]) if column in row else "–"


def markdown(name, rows):
    title, columns = TABLES[name]
    heads = [column if column.startswith("/ ") else COLUMNS[column][0] for column in columns]
    lines = ["", f"**{title}**", "", f"| | {' | '.join(heads)} |", "|---" * (len(columns) + 1) + "|"]
    for name, row in rows.items():
        cells = [f"not there: {row['missing']}"] + [""] * (len(columns) - 1) if "missing" in row else [cell(c, columns[0], row, rows) for c in columns]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def rounded(value):
    """Four digits say all that a run can say."""
    if isinstance(value, dict):
        return {key: rounded(v) for key, v in value.items()}
    return float(f"{value:.4g}") if isinstance(value, float) else value


def draw(results):
    return drawing.svg(rounded(results))


def tables(results):
    return "\n".join(markdown(name, rows) for name, rows in results["tables"].items()) + "\n"


def page_with(text, results):
    """The page with these tables. Whatever else stands there is left alone."""
    return re.sub(r"(<!-- tables of \S+ -->\n).*?(<!-- end of tables -->)", lambda m: m[1] + tables(results) + "\n" + m[2], text, flags=re.S)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results")
    parser.add_argument("--svg")
    parser.add_argument("--page")
    args = parser.parse_args()
    with open(args.results, encoding="utf-8") as f:
        results = json.load(f)
    if args.svg:
        with open(args.svg, "w", encoding="utf-8") as f:
            f.write(draw(results))
    if args.page:
        with open(args.page, encoding="utf-8") as f:
            text = f.read()
        with open(args.page, "w", encoding="utf-8") as f:
            f.write(page_with(text, results))
    if not (args.svg or args.page):
        print(tables(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
