# SPDX-License-Identifier: MIT
"""Draws the results of a run as one SVG: a panel of bars for each of some tables, penstock's in colour, its peers' in grey. It needs no
screen, and is legible on white and on black."""
from collections import namedtuple
from html import escape

# keys: one bar for each, the first pale, if there are two. rows: those that are drawn, and what they are called.
Panel = namedtuple("Panel", "table title unit keys rows form")

PEERS = {"axum": "axum, reqwest", "nginx-64k": "nginx", "haproxy": "HAProxy", "floor": "recv, scan, send"}
PANELS = [
    Panel("small", "Small form, 32 clients", "µs of CPU a form", ["cpu_us"],
          {"penstock-drop": "penstock, dropped", "penstock-put": "penstock, PUT", "penstock-post": "penstock, POST", "penstock-answer": "penstock, PUT, summary",
           "penstock-four": "penstock, 4 objects", **PEERS}, "{:.0f}"),
    Panel("durable-32", "Files of 8 KiB on the disk, 32 clients", "files a second (more is better)", ["files_per_s"],
          {"penstock": "penstock", "floor": "write, fsync, rename"}, "{:,.0f}"),
    Panel("one", "1 upload", "seconds of CPU a GB", ["cpu_s_per_gb"], {"penstock": "penstock", "penstock-answer": "penstock, summary", **PEERS}, "{:.2f}"),
    Panel("many", "32 uploads at once", "seconds of CPU a GB", ["cpu_s_per_gb"], {"penstock": "penstock", "penstock-answer": "penstock, summary", **PEERS}, "{:.2f}"),
    Panel("slow", "200 slow uploads at once", "KiB of memory each", ["kib_per_upload"], {"penstock": "penstock", **PEERS}, "{:.0f}"),
    Panel("idle", "Idle, and after 500 uploads at once", "MiB (pale: idle)", ["idle_mib", "after_mib"], {"penstock": "penstock", **PEERS}, "{:.0f}"),
    Panel("latency", "Small form beside 8 large uploads", "p99 in ms (pale: alone)", ["alone_p99_ms", "p99_ms"], {"penstock": "penstock", **PEERS}, "{:.1f}"),
    Panel("sizes", "Cost against size, default answer", "seconds of CPU a GB", ["cpu_s_per_gb"],
          {size: f"penstock, {size}" for size in ("1 MB", "10 MB", "100 MB", "1 GB", "10 GB")}, "{:.2f}"),
]
WIDTH, COLUMN, LABEL, BAR, HEAD, GAP = 900, 442, 172, 205, 44, 22
STYLE = """.paper { fill: #ffffff } text { fill: #1f2328 } .small { font-size: 12px; fill: #57606a } .t { font-weight: 600; font-size: 14.5px }
		.own { fill: #0b62c4 } .ownpale { fill: #a3c8f0 } .peer { fill: #8c959f } .peerpale { fill: #d0d7de } .axis { stroke: #57606a; stroke-width: 1 }
		@media (prefers-color-scheme: dark) {
			.paper { fill: #0d1117 } text { fill: #e6edf3 } .small { fill: #9da7b1 } .own { fill: #58a6ff } .ownpale { fill: #1f4a7d }
			.peer { fill: #8b949e } .peerpale { fill: #424a53 } .axis { stroke: #8b949e }
		}"""


def lines_of(panel, results):
    """(label, class, values, why) of each row; one that is missing has no values, and says why."""
    rows = results["tables"].get(panel.table, {})
    for name, label in panel.rows.items():
        row = rows.get(name, {})
        if panel.keys[0] in row or "missing" in row:
            yield label, "own" if label.startswith("penstock") else "peer", [row[key] for key in panel.keys if key in row], row.get("missing", "")


def bar(x, y, kind, value, most, height, form):
    width = max(1, value / most * BAR) if most else 1
    return (f'<rect class="{kind}" x="{x}" y="{y}" width="{width:.1f}" height="{height}"/>'
            f'<text class="small" x="{x + width + 5:.1f}" y="{y + height / 2 + 4:.1f}">{form.format(value)}</text>')


def short(text, most=34):
    return text if len(text) <= most else text[:most - 1] + "…"


def line_height(panel):
    return 20 if len(panel.keys) == 1 else 30


def draw_panel(panel, lines, x, y):
    out = [f'<text class="t" x="{x}" y="{y + 15}">{escape(panel.title)}</text><text class="small" x="{x}" y="{y + 32}">{escape(panel.unit)}</text>']
    most, top = max((value for _, _, values, _ in lines for value in values), default=0), y + HEAD
    line, height = line_height(panel), 14 if len(panel.keys) == 1 else 12
    for i, (label, kind, values, why) in enumerate(lines):
        at = top + i * line
        out.append(f'<text x="{x + LABEL - 8}" y="{at + line / 2 + 1:.0f}" text-anchor="end" font-size="12.5">{escape(label)}</text>')
        if not values:
            out.append(f'<text class="small" x="{x + LABEL + 5}" y="{at + 11}">{escape(short("not there: " + why))}</text>')
        for k, value in enumerate(values):
            pale = "pale" if len(values) > 1 and k == 0 else ""
            out.append(bar(x + LABEL, at + k * (height + 1), kind + pale, value, most, height, panel.form))
    out.append(f'<path class="axis" d="M{x + LABEL},{top - 3} V{top + len(lines) * line - 3}"/>')
    return out


def what_was_run(results):
    about = results.get("about", {})
    load = f"load {about['load'][0]} before and {about['load'][1]} after" if "load" in about else ""
    return ", ".join(part for part in (about.get("when", ""), f"{about['cores']} cores" if "cores" in about else "", load) if part)


def svg(results):
    """Panels of which nothing was measured are left out."""
    panels = [(panel, lines) for panel, lines in ((panel, list(lines_of(panel, results))) for panel in PANELS) if any(values for _, _, values, _ in lines)]
    body, y = [], 12
    for i in range(0, len(panels), 2):
        pair = panels[i:i + 2]
        for k, (panel, lines) in enumerate(pair):
            body += draw_panel(panel, lines, 15 + k * COLUMN, y)
        y += HEAD + max(len(lines) * line_height(panel) for panel, lines in pair) + GAP
    body.append(f'<text class="small" x="15" y="{y + 4}">One run; less is better where nothing else is said. {escape(what_was_run(results))}</text>')
    told = "; ".join(f"{panel.title}, {panel.unit}: " + ", ".join(f"{label} {' and '.join(panel.form.format(v) for v in values)}"
                                                               for label, _, values, _ in lines if values) for panel, lines in panels)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y + 18}" role="img" aria-labelledby="t d" font-family="system-ui, 'DejaVu Sans', sans-serif">
	<title id="t">penstock beside its peers</title>
	<desc id="d">{escape(told)}</desc>
	<style>
		{STYLE}
	</style>
	<rect class="paper" width="{WIDTH}" height="{y + 18}"/>
	""" + "\n\t".join(body) + "\n</svg>\n"
