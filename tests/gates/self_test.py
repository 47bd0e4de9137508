#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Proves that each gate can refuse: a tree made up for it in a temporary folder must be refused by that gate, and a
clean tree by none."""
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import circles  # noqa: E402
import gates  # noqa: E402

HEAD = "// SPDX-License-Identifier: MIT\n"
LONG = "int\nf(void)\n{\n" + "\tg();\n" * 81 + "}\n"
BAD = {
    "gate_include_directions": ("sidecar/base/a.c", HEAD + '#include "loop/loop.h"\n'),
    "gate_library_rooms": ("sidecar/part/a.c", HEAD + "#include <curl/curl.h>\n"),
    "gate_file_length": ("sidecar/base/a.c", HEAD + "\n" * 400),
    "gate_function_length": ("sidecar/base/a.c", HEAD + LONG),
    "gate_poison": ("config/a.c", HEAD + "void f(char *a)\n{\n\tstrcpy(a, a);\n}\n"),
    "gate_no_extern_variables": ("sidecar/base/a.h", HEAD + "extern int count;\n"),
    "gate_kinds_of_destinations": ("sidecar/txn/a.c", HEAD + "int a = order->to->kind == other->kind;\n"),
    "gate_formats_of_bodies": ("sidecar/part/a.c", HEAD + '#include "source/multipart/form.h"\n'),
    "gate_atomics": ("sidecar/sink/a.c", HEAD + "static _Atomic int n;\n"),
    "gate_rooms_of_log_lines": ("sidecar/part/a.c", HEAD + 'log_event(LOG_INFO,\n\t"intake", "a", NULL, 0);\n'),
    "gate_spdx": ("sidecar/base/a.c", "int a;\n"),
    "gate_top_level": ("extra/a.txt", "x\n"),
    "gate_links_of_pages": ("docker/a.md", "# A\n\n[gone](b.md)\n"),
    "gate_files_named_on_pages": ("docker/a.md", "Look at `form/gone.h`.\n"),
    "gate_files_named_in_comments": ("sidecar/part/a.c", HEAD + "int a; /* form/gone.h */\n"),
}
MORE_BAD = [  # further ways to be wrong
    ("gate_file_length", "tests/unit/a.c", HEAD + "\n" * 600),
    ("gate_include_directions", "sidecar/request/a.c", HEAD + '#include "http/worker.h"\n'),
    ("gate_library_rooms", "sidecar/request/a.c", HEAD + "#include <microhttpd.h>\n"),
    ("gate_no_extern_variables", "sidecar/base/a.h", HEAD + "extern const struct a *list[];\n"),
    ("gate_kinds_of_destinations", "config/a.c", HEAD + "enum destination_type { DESTINATION_S3 };\n"),
    ("gate_kinds_of_destinations", "sidecar/part/a.c", HEAD + 'int a = strcmp(to->kind->word, "s3") == 0;\n'),
    ("gate_kinds_of_destinations", "sidecar/intake/a.c", HEAD + "int a = c->destinations[i].kind != mine;\n"),
    ("gate_kinds_of_destinations", "sidecar/txn/a.c", HEAD + '#include "sink/s3/settings.h"\n'),
    ("gate_kinds_of_destinations", "sidecar/a.c", HEAD + '#include "sink/s3/lookout.h"\n'),
    ("gate_kinds_of_destinations", "sidecar/a.c", HEAD + "const void *a = &s3_kind;\n"),
    ("gate_kinds_of_destinations", "config/a.c", HEAD + 'const void *a = kind_find(STR("s3"));\n'),
    ("gate_links_of_pages", "docker/a.md", "# One heading\n\n[gone](a.md#another-heading)\n"),
    ("gate_links_of_pages", "docker/a.md", "# A\n\n```\n# Not a heading\n```\n\n[gone](#not-a-heading)\n"),
    ("gate_links_of_pages", "docker/a.md", "![gone](a.png)\n"),
    ("gate_links_of_pages", "docker/a.md", "A [page][1].\n\n[1]: ../sidecar/gone\n"),
    ("gate_files_named_on_pages", "docker/a.md", "Look at `gone.c`.\n"),
    ("gate_files_named_on_pages", "docker/a.md", "It is in `sidecar/gone/`.\n"),
    ("gate_files_named_on_pages", "CONTRIBUTING.md", "It is in `sidecar/gone.c`.\n"),
    ("gate_files_named_on_pages", "docker/a.md", "As `sink/s3/gone.c:there` does.\n"),
    ("gate_files_named_on_pages", "docker/a.md", "As `sink/s3/there.c:gone` does.\n"),
    ("gate_files_named_on_pages", "docker/a.md", "As `there.c:called` does.\n"),
    ("gate_files_named_in_comments", "sidecar/part/a.c", HEAD + "int a;\n/* x\n * gone.c says why. */\n"),
    ("gate_files_named_in_comments", "sidecar/part/a.c", HEAD + "int a; // gone/ does it\n"),
]
GOOD = [
    ("sidecar/base/a.h", HEAD + "extern const struct a *const list[];\nextern const struct a b, c;\n"),
    ("sidecar/txn/a.c", HEAD + "int a = rule->kind == PART_FILE || to->kind == NULL;\n"),
    ("sidecar/part/a.c", HEAD + '#include "base/must.h"\n/* strcpy() is not for us, a.c knows, and part/ does */\n'
     'const char *a = "/* gone.c */"; // and/or <sys/socket.h>\n'),
    ("docker/a.md", "# What `x:` says, twice\n\n[here](#what-x-says-twice) [there](a.md) [it](../docker) "
     "[out](https://example.org/x) `[gone](gone.md)`\n\n```\n[gone](gone.md)\n```\n"),
    ("docker/b.md", "# A\n\n## A\n\n[1](b.md#a) [2](#a-1) `b.md` `docker/` `docker/b.md` `/etc/x/y.yaml` `DIR/x.md`\n"),
    ("CONTRIBUTING.md", "`sink/s3/there.c:there` `there.c:there` `sidecar/sink/NAME/kind.c:is_of` `there.c:4`\n"),
]


def tree(path, text):
    root = tempfile.mkdtemp(prefix="penstock-gate-")
    os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
    with open(os.path.join(root, path), "w") as f:
        f.write(text)
    os.makedirs(os.path.join(root, "sidecar/sink/s3"), exist_ok=True)
    with open(os.path.join(root, "sidecar/sink/s3/there.c"), "w") as f:
        f.write(HEAD + "int\nthere(void)\n{\n\treturn called();\n}\n")
    subprocess.run(["git", "init", "-q", root], check=True)
    subprocess.run(["git", "-C", root, "add", "-A"], check=True)
    return root


def in_circles(*arrows):
    """How many files each circle has, where FILE:NEEDS are arrows. Each file has one symbol, of its own name."""
    pairs = [arrow.split(":") for arrow in arrows]
    listing = [(file, file, "T") for pair in pairs for file in pair] + [(file, to, "U") for file, to in pairs]
    return [len(circle) for circle in circles.circles_of(circles.arrows_of(listing))]


def check_circles():
    """What circles.py says of arrows that are made up for it."""
    drawn = [(["a:b", "b:c", "c:d", "d:a", "d:e", "e:f"], [4]),  # e and f are needed by the circle, and need none of it
             (["a:b", "b:a", "b:c", "c:d", "d:c"], [2, 2]),
             (["a:b", "b:c", "c:a", "c:d", "d:b"], [4]),  # two that share files are one
             (["a:b", "b:c", "a:c", "c:printf"], [])]
    return [f"circles.py finds {in_circles(*arrows)} in {arrows}" for arrows, found in drawn if in_circles(*arrows) != found]


def main():
    failed = check_circles()
    for gate in gates.GATES:
        bad = [BAD[gate.__name__]] if gate.__name__ in BAD else []
        bad += [(path, text) for name, path, text in MORE_BAD if name == gate.__name__]
        failed += [f"{gate.__name__} does not refuse {text!r}" for path, text in bad if not gate(tree(path, text))]
        failed += [f"{gate.__name__} refuses a clean tree, {path}" for path, text in GOOD if gate(tree(path, text))]
        if not bad:
            failed.append(gate.__name__ + " refuses nothing")
    for line in failed:
        print("   " + line)
    return len(failed) > 0


if __name__ == "__main__":
    sys.exit(main())
