#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""circles.py BUILD - no circle of our files has more than three of them: whoever changes one file of a circle must know all of it.

A file's arrow goes to the file that defines a symbol which it leaves undefined, as nm lists them of the objects of a built tree."""
import glob
import subprocess
import sys

MOST = 3
LARGER = {  # circles within these files may have more
    "sidecar/sink/s3/s3": "an order that fails is aborted, the answer to that may be a look for the object, and that may end or fail the order",
}


def listing_of(build):
    """(file, name, kind) of each symbol of each object of ours."""
    for path in glob.glob(f"{build}/CMakeFiles/penstock*.dir/**/*.c.o", recursive=True):
        listing = subprocess.run(["nm", "--portability", path], check=True, capture_output=True, text=True).stdout
        for name, kind in (line.split()[:2] for line in listing.splitlines()):
            yield path.split(".dir/", 1)[1][:-2], name, kind


def arrows_of(listing):
    """{file: {file that it needs: one symbol of it}}"""
    listing = sorted(listing)
    home = {name: file for file, name, kind in listing if kind.isupper() and kind != "U"}
    arrows = {file: {} for file, _, _ in listing}
    for file, name, kind in listing:
        if kind == "U" and home.get(name, file) != file:
            arrows[file].setdefault(home[name], name)
    return arrows


def reached_from(start, arrows):
    seen, left = set(), [start]
    while left:
        for to in set(arrows[left.pop()]) - seen:
            seen.add(to)
            left.append(to)
    return seen


def circles_of(arrows):
    """The largest sets of files each of which needs every other, the largest first."""
    reached = {file: reached_from(file, arrows) for file in arrows}
    circles = {frozenset(to for to in reached[file] if file in reached[to]) for file in arrows}
    return sorted((sorted(circle) for circle in circles if circle), key=lambda circle: (-len(circle), circle))


def is_refused(circle):
    return len(circle) > MOST and not any(all(file.startswith(files) for file in circle) for files in LARGER)


def show(circle, arrows):
    print(f"a circle of {len(circle)} files; at most {MOST} may need each other:")
    for file in circle:
        for to in sorted(set(arrows[file]) & set(circle)):
            print(f"  {file} needs {to}: {arrows[file][to]}")


def main(build):
    arrows = arrows_of(listing_of(build))
    too_large = [circle for circle in circles_of(arrows) if is_refused(circle)]
    for circle in too_large:
        show(circle, arrows)
    if len(arrows) < 10:
        print(f"{build}: there are objects of {len(arrows)} files, so it is not built")
    return 1 if too_large or len(arrows) < 10 else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
