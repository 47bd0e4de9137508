#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Gates on the source text: gates.py [ROOT]. Prints one line per gate and exits 1 if one refuses.

Each gate is a function that takes the root of a tree and returns a list of complaints. self_test.py feeds each a
tree that it must refuse.
"""
import os
import re
import subprocess
import sys

# A room includes only rooms before it in this list; those on one line may not include each other, but for the
# pairs in SAME_LEVEL.
ROOMS = [["base"], ["config"], ["loop"], ["channel"], ["state"], ["stage"], ["route"], ["source"], ["decide"], ["sink"], ["txn"], ["part"], ["reply"],
         ["request"], ["http", "spoa", "native"], ["admin"], ["daemon"], ["cmd"], [""]]
SAME_LEVEL = {("spoa", "http")}
LIBRARIES = {"microhttpd.h": {"http", "source"}, "curl/": {"sink"}, "yaml.h": {"config"}, "expat.h": {"sink"},
             "magic.h": {"stage"}, "openssl/ssl.h": {"sink"},
             "haproxy/": {"native"}}
CONSTANT = re.compile(r"extern const struct \w+ (\*const )?\w+(\[\])?(, \w+)*;$")
POISON = ["strcpy", "strcat", "sprintf", "strtok", "atoi", "gets"]
ATOMICS = {"channel", "loop"}
ATOMIC_FILES = {"sidecar/base/mem.c", "sidecar/base/counter.h", "sidecar/base/refcount.h"}
TOP = {"sidecar", "filter", "config", "tests", "docker"}
TOP_FILES = {"CMakeLists.txt", "CMakePresets.json", "README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "LICENSE",
             "demo.sh"}
MAX_FILE, MAX_TEST_FILE, MAX_FUNCTION = 400, 600, 80


def files(root, *folders, ends=(".c", ".h")):
    for folder in folders:
        for at, _, names in os.walk(os.path.join(root, folder)):
            for name in sorted(names):
                if name.endswith(ends):
                    yield os.path.relpath(os.path.join(at, name), root)


def tracked(root):
    out = subprocess.run(["git", "-C", root, "ls-files"], stdout=subprocess.PIPE, text=True, check=False).stdout
    return set(out.splitlines())


def program(root):
    return list(files(root, "sidecar", "config", "filter"))


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as f:
        return f.read()


def without_comments(text):
    keep = lambda m: re.sub(r"[^\n]", " ", m.group()) if m.group().startswith("/") else '""'
    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', keep, text, flags=re.S)


def room_of(path):
    parts = path.split("/")
    if parts[0] == "config":
        return "config"
    return parts[1] if len(parts) > 2 else ""


def level(room):
    for i, row in enumerate(ROOMS):
        if room in row:
            return i
    return None


def includes(root, path):
    for n, line in enumerate(read(root, path).splitlines(), 1):
        m = re.match(r'\s*#\s*include\s+([<"])([^>"]+)[>"]', line)
        if m:
            yield n, m.group(1), m.group(2)


def gate_include_directions(root):
    bad = []
    for path in program(root):
        room = room_of(path)
        if level(room) is None:
            bad.append(f"{path}: {room} is not a room of the list")
            continue
        for n, kind, name in includes(root, path):
            if kind == "<":
                continue
            other = name.split("/")[0] if "/" in name else ""
            if other == room:
                continue
            if level(other) is None:
                bad.append(f"{path}:{n}: includes {name}, which is in no room")
            elif level(other) > level(room) or (level(other) == level(room) and (room, other) not in SAME_LEVEL):
                bad.append(f"{path}:{n}: {room or 'the program'} may not include {name}")
    return bad


def gate_library_rooms(root):
    bad = []
    for path in program(root):
        for n, kind, name in includes(root, path):
            for prefix, rooms in LIBRARIES.items():
                if kind == "<" and name.startswith(prefix) and room_of(path) not in rooms:
                    bad.append(f"{path}:{n}: {name} belongs into {', '.join(sorted(rooms))} only")
    return bad


def gate_file_length(root):
    bad = []
    for path in files(root, "sidecar", "config", "filter", "tests"):
        n, most = read(root, path).count("\n"), MAX_TEST_FILE if path.startswith("tests") else MAX_FILE
        if n > most:
            bad.append(f"{path}: {n} lines, more than {most}")
    return bad


def gate_function_length(root):
    """A function begins with '{' in the first column and ends with '}' there: that is how this tree is formatted."""
    bad = []
    for path in files(root, "sidecar", "config", "filter", "tests"):
        start = None
        for n, line in enumerate(read(root, path).splitlines(), 1):
            if line == "{":
                start = n
            elif line.startswith("}") and start is not None:
                if n - start - 1 > MAX_FUNCTION:
                    bad.append(f"{path}:{start}: a function of {n - start - 1} lines, more than {MAX_FUNCTION}")
                start = None
    return bad


def gate_poison(root):
    bad = []
    pattern = re.compile(r"(?<![\w.>])(" + "|".join(POISON) + r")\s*\(")
    for path in files(root, "sidecar", "config", "filter", "tests"):
        for n, line in enumerate(without_comments(read(root, path)).splitlines(), 1):
            m = pattern.search(line)
            if m:
                bad.append(f"{path}:{n}: {m.group(1)}()")
    return bad


def gate_no_extern_variables(root):
    bad = []
    for path in program(root):
        if not path.endswith(".h"):
            continue
        for n, line in enumerate(without_comments(read(root, path)).splitlines(), 1):
            if re.match(r"\s*extern\s", line) and "(" not in line and not CONSTANT.match(line):
                bad.append(f"{path}:{n}: extern variable in a header")
    return bad


def sinks(root):
    at = os.path.join(root, "sidecar/sink")
    return sorted(name for name in os.listdir(at) if os.path.isdir(os.path.join(at, name))) if os.path.isdir(at) else []


def gate_kinds_of_destinations(root):
    """Outside sidecar/sink nobody asks of what kind a destination is, only for its traits and hooks (config/kind.h,
    sink/sink.h), and nobody includes what is a kind's own."""
    names = "|".join(map(re.escape, sinks(root))) or "(?!)"
    asks = [(re.compile(r"(\bto|\bd|destination\w*(\[\w+\])?)(->|\.)kind\s*[=!]=(?!\s*NULL)"), "compares kinds"),
            (re.compile(r"\b(" + names + r")_(kind|sink|settings|keys)\b"), "names a kind"),
            (re.compile(r"kind->word\b|\bkind_find\("), "asks for a kind's word"),
            (re.compile(r"\bDESTINATION_[A-Z]+\b|\benum\s+destination_\w+"), "numbers kinds")]
    own = {"config/kind.h", "config/kind.c", "config/read.c"}
    bad = []
    for path in program(root):
        if path.startswith(("sidecar/sink/", "sidecar/base/")) or path in own:
            continue
        bad += [f"{path}:{n}: {name} belongs to its kind alone" for n, _, name in includes(root, path)
                if re.match(r"sink/(" + names + r")/", name)]
        for n, line in enumerate(without_comments(read(root, path)).splitlines(), 1):
            bad += [f"{path}:{n}: {what}; ask for a trait" for pattern, what in asks if pattern.search(line)]
    return bad


def gate_formats_of_bodies(root):
    """Outside sidecar/source a body is read through source.h and format.h, whatever its format. The gateway's scanner alone
    has the guard of forms, too."""
    bad = []
    for path in program(root):
        if path.startswith(("sidecar/source/", "filter/native/")):
            continue
        bad += [f"{path}:{n}: {name} belongs to its format alone" for n, _, name in includes(root, path)
                if re.match(r"source/\w+/", name)]
    return bad


def gate_atomics(root):
    bad = []
    for path in program(root):
        if room_of(path) in ATOMICS or path in ATOMIC_FILES:
            continue
        for n, line in enumerate(without_comments(read(root, path)).splitlines(), 1):
            if re.search(r"\b_Atomic\b|stdatomic\.h|\batomic_", line):
                bad.append(f"{path}:{n}: atomics belong into channel/, loop/ and the counters of base/")
    return bad


def gate_rooms_of_log_lines(root):
    """A line of the log names the room that it is from: whoever reads it looks there. base/ has the log itself."""
    bad = []
    pattern = re.compile(r'\blog_(?:line|event)\(\s*[^",]+,\s*"(\w+)"')
    for path in program(root):
        text = read(root, path)
        bad += [f"{path}:{text.count(chr(10), 0, m.start()) + 1}: a line of the log that says it is from {m.group(1)}"
                for m in pattern.finditer(text) if m.group(1) != room_of(path) and room_of(path) != "base"]
    return bad


def gate_spdx(root):
    return [f"{path}: no SPDX line" for path in files(root, "sidecar", "config", "filter", "tests")
            if not read(root, path).startswith("// SPDX-License-Identifier: MIT\n")]


def gate_top_level(root):
    bad = []
    for name in sorted({path.split("/")[0] + ("/" if "/" in path else "") for path in tracked(root)}):
        bare = name.rstrip("/")
        known = bare in TOP if name.endswith("/") else bare in TOP_FILES
        if not known and not bare.startswith("."):
            bad.append(f"{name}: nothing else belongs at the top")
    return bad


def prose(text):
    """Markdown with its fences as empty lines: what stands in them is typed, and links nowhere."""
    return re.sub(r"^```.*?^```[^\n]*", lambda m: "\n" * m.group().count("\n"), text, flags=re.S | re.M)


def anchors(text):
    """Of each heading the one that GitHub makes; of two alike the second gets -1."""
    found, seen = set(re.findall(r'<a (?:id|name)="([^"]+)"', text)), {}
    for heading in re.findall(r"^#{1,6} +(.*?) *#*$", prose(text), re.M):
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if slug in seen else slug)
        seen[slug] = seen.get(slug, 0) + 1
    return found


def links(text):
    """Line and target of each link and picture that is on this side of the network."""
    pattern = re.compile(r"\]\(<?([^)>\s]+)|^\[[^\]]+\]:\s*(\S+)|(?:href|src)=\"([^\"]+)")
    for n, line in enumerate(prose(text).splitlines(), 1):
        for m in pattern.finditer(re.sub(r"`[^`]*`", "", line)):
            target = next(group for group in m.groups() if group)
            if not re.match(r"[a-z]+:", target):
                yield n, target


def gate_links_of_pages(root):
    """A link of a page leads to a file that is tracked (or a folder of such), and its #anchor to a heading of it."""
    bad, known = [], tracked(root)
    folders = {os.path.dirname(path) for path in known}
    for page in sorted(path for path in known if path.endswith(".md")):
        for n, target in links(read(root, page)):
            path, _, anchor = target.partition("#")
            path = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
            if path not in known and not any(f == path or f.startswith(path + "/") for f in folders):
                bad.append(f"{page}:{n}: {target}: no such file")
            elif anchor and anchor not in anchors(read(root, path)):
                bad.append(f"{page}:{n}: {target}: no such heading")
    return bad


# Where names begin that a page or a comment says: at the top, or in a folder from which much is named.
STARTS = ("", "sidecar", "filter", "filter/native", "docker", "tests")


def is_there(name, path, known):
    return any(os.path.normpath(os.path.join(start, name)) in known for start in (*STARTS, os.path.dirname(path)))


def names_and_folders(root):
    known = tracked(root)
    return known | {os.path.dirname(path) for path in known} | {os.path.basename(path) for path in known}


def has_function(root, name, page, function):
    """Is it defined in the source of this name, or promised in the header?"""
    paths = [path for path in tracked(root) if is_there(name, page, {path, os.path.basename(path)})]
    return any(re.search(rf"^{function}\(" if path.endswith(".c") else rf"\b{function}\(", read(root, path), re.M) for path in paths)


def gate_files_named_on_pages(root):
    """A file or room that a page names in backticks is there; of a source without its folder some file has the name. In
    `FILE.c:FUNCTION` the function is there, too. What has a word in capitals for a folder (`NAME/x.c`) is a pattern."""
    bad, known = [], names_and_folders(root)
    pattern = re.compile(r"([\w.][\w./-]*(?:/[\w.-]*\.(?:md|py|c|h|sh|yaml|cfg|pml|def|cmake|conf|svg|mk)|\.[ch]|[\w-]/))(?::(\w+))?")
    for page in sorted(path for path in tracked(root) if path.endswith(".md")):
        for n, line in enumerate(prose(read(root, page)).splitlines(), 1):
            for m in filter(None, map(pattern.fullmatch, " ".join(re.findall(r"`([^`]+)`", line)).split())):
                name, function = m.groups()
                if re.search(r"(^|[/_])[A-Z]+(/|\.(?!md$))", name):
                    continue
                if not is_there(name, page, known):
                    bad.append(f"{page}:{n}: {name}: no such file")
                elif function and not function.isdigit() and not has_function(root, name, page, function):
                    bad.append(f"{page}:{n}: {name}: no function {function}")
    return bad


def gate_files_named_in_comments(root):
    """The same for what a comment of a source names."""
    bad, known = [], names_and_folders(root)
    pattern = re.compile(r"(?<![\w/.<:{}-])(?:[\w-]+/)*(?:[\w-]+\.[ch]\b(?![(\w])|[\w-]+/(?=[\s.,;:)]))")
    for path in files(root, "sidecar", "config", "filter", "tests"):
        text = re.sub(r'"(?:\\.|[^"\\\n])*"', "", read(root, path))
        for comment in re.finditer(r"/\*.*?\*/|//[^\n]*", text, flags=re.S):
            line = text.count("\n", 0, comment.start()) + 1
            bad += [f"{path}:{line}: the comment here names {name}: no such file"
                    for name in pattern.findall(comment.group()) if not is_there(name, path, known)]
    return bad


GATES = [f for name, f in sorted(globals().items()) if name.startswith("gate_")]


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else "."
    failed = 0
    for gate in GATES:
        bad = gate(root)
        print(("FAIL " if bad else "ok ") + gate.__name__[5:].replace("_", " "))
        for line in bad:
            print("   " + line)
        failed += bool(bad)
    print(f"{len(GATES) - failed} passed, {failed} failed, 0 skipped")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
