#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What is made of a run's JSON: the drawing, the tables and the verdicts on goals, from numbers that are given here; and that the
drawing and the tables on our pages are those of the run that lies beside them. It measures nothing."""
import json
import os
import re
import sys
import xml.etree.ElementTree as ET

import draw
import goals
import report

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
COMMITTED = os.path.join(ROOT, "docker", "comparison.json")
SVG = "{http://www.w3.org/2000/svg}"
RUN = {
    "about": {"when": "2000-01-01 00:00 UTC", "cores": 2, "load": [0.5, 1.5]},
    "tables": {
        "small": {"penstock-put": {"cpu_us": 100.0}, "penstock-four": {"cpu_us": 200.0}, "nginx-64k": {"cpu_us": 25.0}, "floor": {"cpu_us": 12.5},
                  "axum": {"missing": "cargo build: <everything> & its linker failed"}},
        "latency": {"penstock": {"alone_p99_ms": 1.0, "p99_ms": 3.0, "beside": 3.0}, "floor": {"alone_p99_ms": 0.5, "p99_ms": 4.0, "beside": 8.0}},
        "sizes": {"1 KB": {"cpu_s_per_gb": 90.0, "peak_mib": 9}, "1 MB": {"cpu_s_per_gb": 0.5, "peak_mib": 10}, "1 GB": {"cpu_s_per_gb": 1.5, "peak_mib": 11}},
    },
}


def drawn(run):
    return ET.fromstring(draw.svg(run))


def bars(svg):
    return [rect for rect in svg.iter(SVG + "rect") if rect.get("class") != "paper"]


def texts(svg):
    return [text.text for text in svg.iter(SVG + "text")]


def test_a_bar_is_as_long_as_its_number():
    widths = [float(bar.get("width")) / draw.BAR for bar in bars(drawn(RUN))]
    of_what = [0.5, 1, 0.125, 0.0625, 0.25, 0.75, 0.125, 1, 1 / 3, 1]  # latency: alone and beside, of two programs
    assert all(abs(a - b) < 0.001 for a, b in zip(widths, of_what)) and len(widths) == len(of_what), widths


def test_the_largest_of_each_panel_fills_it_whatever_it_is():
    for factor in (0.001, 1, 1e9):
        run = {"tables": {"small": {name: {"cpu_us": n * factor} for name, n in (("penstock-put", 2), ("floor", 1))}}}
        assert max(float(bar.get("width")) for bar in bars(drawn(run))) == draw.BAR


def test_zeros_are_drawn():
    assert all(float(bar.get("width")) == 1 for bar in bars(drawn({"tables": {"small": {"penstock-put": {"cpu_us": 0.0}, "floor": {"cpu_us": 0}}}})))


def test_ours_are_in_colour_and_peers_are_not():
    kinds = [bar.get("class") for bar in bars(drawn(RUN))]
    assert kinds == ["own", "own", "peer", "peer", "ownpale", "own", "peerpale", "peer", "own", "own"], kinds


def test_every_class_has_a_colour_on_white_and_on_black():
    light, dark = draw.STYLE.split("@media (prefers-color-scheme: dark)")
    for kind in {"paper", "axis"} | {bar.get("class") for bar in bars(drawn(RUN))}:
        colours = [re.search(rf"\.{kind} \{{ (?:fill|stroke): (#\w+)", style) for style in (light, dark)]
        assert all(colours) and colours[0][1] != colours[1][1], kind


def test_what_is_missing_is_said_and_what_was_not_measured_left_out():
    said = texts(drawn(RUN))
    assert said.count("axum, reqwest") == 1 and "not there: cargo build: <everythi…" in said, said
    assert "1 upload" not in said and "HAProxy" not in said, said


def test_everything_stays_inside():
    """A letter of the sans-serif faces that browsers take is no wider than 0.62 of its height, on the average of a line."""
    for run in (RUN, committed()):
        svg = drawn(run)
        width, height = (float(n) for n in svg.get("viewBox").split()[2:])
        for text in svg.iter(SVG + "text"):
            x, long = float(text.get("x")), len(text.text) * (12.5 if text.get("class") != "t" else 14.5) * 0.62
            left, right = (x - long, x) if text.get("text-anchor") == "end" else (x, x + long)
            assert left >= 0 and right <= width and float(text.get("y")) <= height, text.text
        assert all(float(bar.get("y")) + float(bar.get("height")) < height for bar in bars(svg))


def test_a_run_of_nothing_is_an_empty_picture():
    assert bars(drawn({"tables": {}})) == []


def test_a_table_has_each_row_and_multiples_of_the_peer():
    told = report.markdown("small", dict(RUN["tables"]["small"], axum={"cpu_us": 50.0})).splitlines()
    assert "| penstock-four | 200 | 4.00 | – | – | – | – |" in told, told
    alone = report.markdown("small", RUN["tables"]["small"]).splitlines()
    assert "| penstock-put | 100 | – | – | – | – | – |" in alone, alone
    assert "| axum | not there: cargo build: <everything> & its linker failed |  |  |  |  |  |" in alone, alone


def test_every_column_of_a_table_is_known():
    for name, (_, columns) in report.TABLES.items():
        assert all(column in report.COLUMNS or column.startswith("/ ") for column in columns), name
    assert all(panel.table in report.TABLES for panel in draw.PANELS)


def test_goals_are_ratios_of_one_run():
    told = {title: (value, met) for title, value, _, met in goals.all_of(RUN["tables"])}
    assert told["small form of four objects: CPU / that of one"] == (2.0, True)
    assert told["small form beside 8 large uploads: p99 / alone"] == (3.0, True)
    assert told["1 MB to the largest: CPU of the dearest byte / of the cheapest"] == (3.0, False)
    assert told["1 MB to the largest: most memory / least"] == (1.1, True)
    assert len(told) == 4, told  # of what has no peer in this run nothing is said
    crowd = {"crowds": {"penstock, 64 MiB": {"refused": 0, "beside_refused": 5}}}  # so no time of theirs is known
    assert [row[3] for row in goals.all_of(crowd)] == [True, False], goals.all_of(crowd)
    more = {"durable-32": {"penstock": {"files_per_s": 49.0}, "floor": {"files_per_s": 100.0}}, "small": dict(RUN["tables"]["small"], **{"penstock-four": {"cpu_us": 251.0}})}
    assert len(goals.missed(more)) == 2, goals.missed(more)


def test_a_page_gets_the_tables_and_keeps_its_words():
    page = "before\n<!-- tables of x.json -->\nold\n<!-- end of tables -->\nafter\n"
    once = report.page_with(page, RUN)
    assert once.startswith("before\n") and once.endswith("after\n") and "old" not in once and "| penstock-put | 100 |" in once
    assert report.page_with(once, RUN) == once


def committed():
    with open(COMMITTED, encoding="utf-8") as f:
        return json.load(f)


def test_our_pages_show_the_run_that_lies_beside_them():
    with open(os.path.join(ROOT, "docker", "comparison.svg"), encoding="utf-8") as f:
        picture = f.read()
    with open(os.path.join(ROOT, "docker", "comparison.md"), encoding="utf-8") as f:
        page = f.read()
    assert picture == report.draw(committed()), "tests/bench/report.py docker/comparison.json --svg docker/comparison.svg"
    assert "<!-- tables of" in page and page == report.page_with(page, committed()), "tests/bench/report.py docker/comparison.json --page docker/comparison.md"
    assert len(picture.encode()) < 30_000, f"{len(picture.encode())} bytes"
    assert not any("missing" in row for table in committed()["tables"].values() for row in table.values()), "a run on a page has every peer"


def main():
    tests = [f for name, f in globals().items() if name.startswith("test_")]
    failed = 0
    for test in tests:
        try:
            test()
        except (AssertionError, OSError) as error:
            failed += 1
            print(f"FAIL {test.__name__}: {error}")
    print(f"{'FAIL' if failed else 'ok'} bench report: {len(tests) - failed} of {len(tests)}")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
