#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""coverage.py TREE - how many lines of each room the tests have run that ran in this tree (built with --coverage), as gcov
counts them. Of rooms that are pure at least 95 % must have run, and each statement that did not has a reason in `reasons`:

    Why nothing runs these.
        FILE:FUNCTION: the first line of the statement
        FILE:FUNCTION

The second is for a function of which nothing runs. An entry for what does run, or is not there, is refused: reasons are true."""
import collections
import fnmatch
import glob
import json
import os
import re
import subprocess
import sys

LEAST = 95.0
# What decides and has no file, socket, thread or library that does: unit tests reach all of it.
PURE = ["sidecar/base/*", "sidecar/channel/keep.*", "sidecar/channel/blocks.*", "config/*", "sidecar/stage/*", "sidecar/route/*", "sidecar/source/*", "filter/decide/*",
        "filter/native/*", "sidecar/part/*", "sidecar/txn/*", "sidecar/reply/*", "sidecar/loop/timers.*", "sidecar/state/record.*",
        "sidecar/request/trust.*", "sidecar/request/identity.*", "sidecar/sink/exchange_fault.*", "sidecar/sink/s3/credentials_profile.*",
        "sidecar/sink/s3/credentials_url.*", "sidecar/sink/safe_name.*", "sidecar/sink/http/verdict.*", "sidecar/sink/s3/sign.*", "sidecar/sink/s3/canonical.*",
        "sidecar/sink/s3/answer*", "sidecar/sink/s3/judge.*", "sidecar/sink/s3/sum.*", "filter/spoa/frame.*"]
NOT_PURE = {  # in the folders of PURE
    "sidecar/base/lock.c": "flock()",
    "sidecar/base/log_queue.c": "a thread that writes",
    "sidecar/base/whole_file.c": "read()",
    "config/load.c": "opens files and folders",
    "config/headers.c": "reads secrets from files and the environment",
    "sidecar/source/multipart/finder.c": "which of two loops runs is the processor's to say",
    "sidecar/source/multipart/postproc.c": "starts a daemon of libmicrohttpd's",
}


def is_pure(path):
    return path not in NOT_PURE and any(fnmatch.fnmatch(path, pattern) for pattern in PURE)


def room_of(path):
    return re.sub("^(sidecar|filter)/", "", os.path.dirname(path)) or "sidecar"


def counted(tree, root):
    """{path: {line: (times, function)}} of everything in the tree, also of what no test has linked."""
    found = collections.defaultdict(dict)
    notes = [os.path.relpath(path, tree) for path in glob.glob(f"{tree}/**/*.gcno", recursive=True)]
    for at in range(0, len(notes), 40):
        out = subprocess.run(["gcov", "--json-format", "--stdout", *notes[at : at + 40]], cwd=tree, stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, check=True).stdout
        for one in map(json.loads, out.splitlines()):
            for file in one["files"]:
                path = os.path.relpath(os.path.join(one["current_working_directory"], file["file"]), root)
                if path.startswith(("sidecar/", "config/", "filter/")) and os.path.exists(path):  # else moved since, and its object is left
                    for line in file["lines"]:
                        n = line["line_number"]
                        times = found[path].get(n, (0, ""))[0] + line["count"]
                        found[path][n] = (times, line.get("function_name", ""))
    return found


def bare(line):
    """Without texts and comments."""
    return re.sub(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])+\'|/\*.*?(\*/|$)|//.*', "", line).strip()


def is_head(text):
    """Of an if, a loop or an else, and all of it: what follows is a statement of its own."""
    return re.match(r"(} )?(else$|(else )?(if|for|while|switch)\b)", text) and text.count("(") == text.count(")")


def statement(source, n):
    """The line on which the statement of line n begins."""
    first = n
    while first > 1 and bare(source[first - 2]) and not re.search("[;{}:]$", bare(source[first - 2])) and not source[first - 2].startswith("#"):
        first -= 1
    for at in range(first, n):
        if is_head(" ".join(map(bare, source[first - 1 : at]))):
            first = at + 1
    return first


def left_out(lines, source):
    """What has not run: {(function, first line of the statement)}, and (function, None) for a function of which nothing has. Of the
    lines of one statement compilers count some and others not, so it has run if any of them has."""
    functions = {function for times, function in lines.values() if times > 0}
    ran = {statement(source, n) for n, (times, _) in lines.items() if times > 0}
    found = {(function, source[statement(source, n) - 1].strip() if function in functions else None)
             for n, (_, function) in lines.items() if statement(source, n) not in ran}
    return {one for one in found if one[1] != "must_not_get_here();"}  # which says so itself


def read_reasons(text):
    """{(path, function, statement or None): reason}, and what is wrong with the list itself."""
    reasons, bad, why = {}, [], ""
    for n, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if not line.startswith("\t"):
            why = line
            continue
        entry = re.fullmatch(r"([^:]+):(\w+)(?:: (.+))?", line.strip())
        if entry is None or not why:
            bad.append(f"reasons:{n}: " + ("no reason stands above it" if entry else "it is no FILE:FUNCTION"))
        elif entry.groups() in reasons:
            bad.append(f"reasons:{n}: it stands there twice")
        else:
            reasons[entry.groups()] = why
    return reasons, bad


def complaints(missing, reasons):
    """missing: {(path, function, statement)} of pure files."""
    name = lambda entry: f"{entry[0]}:{entry[1]}" + (f": {entry[2]}" if entry[2] else "")
    return [f"nothing runs it, and no reason says why: {name(entry)}" for entry in sorted(missing - set(reasons), key=name)] + \
           [f"the reason is not true any more: {name(entry)}" for entry in sorted(set(reasons) - missing, key=name)]


def percent(ran, of):
    return 100.0 * ran / of if of else 100.0


def too_few(rooms):
    """rooms: {room: (lines of pure files that ran, all of them)}"""
    return [f"{room}: {percent(*rooms[room]):.1f} % of the lines of what is pure, at least {LEAST:.0f} are wanted"
            for room in sorted(rooms) if percent(*rooms[room]) < LEAST]


def sums(found, wanted):
    rooms = collections.defaultdict(lambda: (0, 0))
    for path, lines in found.items():
        if wanted(path):
            ran, of = rooms[room_of(path)]
            rooms[room_of(path)] = ran + sum(times > 0 for times, _ in lines.values()), of + len(lines)
    return rooms


def main():
    tree, root = sys.argv[1], os.getcwd()
    found, missing = counted(tree, root), set()
    for path in filter(is_pure, found):
        with open(path, encoding="utf-8") as f:
            missing |= {(path, *one) for one in left_out(found[path], f.read().splitlines())}
    with open("tests/coverage/reasons", encoding="utf-8") as f:
        reasons, bad = read_reasons(f.read())
    every, pure = sums(found, lambda path: True), sums(found, is_pure)
    for room in sorted(every):
        told = f", of what is pure {percent(*pure[room]):.1f} %" if room in pure else ""
        print(f"ok {room}: {percent(*every[room]):.1f} % of {every[room][1]} lines{told}")
    bad += too_few(pure) + complaints(missing, reasons)
    bad += [f"coverage.py names {path}, which is not there" for path in NOT_PURE if path not in found]
    for line in bad:
        print(f"FAIL {line}")
    print(f"{len(every)} passed, {len(bad)} failed, 0 skipped")
    return len(bad) > 0


if __name__ == "__main__":
    sys.exit(main())
