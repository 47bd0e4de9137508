#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Proves that each gate can refuse: a tree made up for it in a temporary folder must be refused by that gate, and a
clean tree by none."""
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import gates  # noqa: E402

HEAD = "// SPDX-License-Identifier: MIT\n"
LONG = "int\nf(void)\n{\n" + "\tg();\n" * 81 + "}\n"
BAD = {
    "gate_include_directions": ("sidecar/base/a.c", HEAD + '#include "loop/loop.h"\n'),
    "gate_library_rooms": ("sidecar/part/a.c", HEAD + "#include <curl/curl.h>\n"),
    "gate_file_length": ("sidecar/base/a.c", HEAD + "\n" * 600),
    "gate_function_length": ("sidecar/base/a.c", HEAD + LONG),
    "gate_poison": ("config/a.c", HEAD + "void f(char *a)\n{\n\tstrcpy(a, a);\n}\n"),
    "gate_no_extern_variables": ("sidecar/base/a.h", HEAD + "extern int count;\n"),
    "gate_atomics": ("sidecar/sink/a.c", HEAD + "static _Atomic int n;\n"),
    "gate_spdx": ("sidecar/base/a.c", "int a;\n"),
    "gate_top_level": ("extra/a.txt", "x\n"),
}
GOOD = ("sidecar/part/a.c", HEAD + '#include "base/must.h"\n/* strcpy() is not for us */\nint a;\n')


def tree(path, text):
    root = tempfile.mkdtemp(prefix="penstock-gate-")
    os.makedirs(os.path.dirname(os.path.join(root, path)))
    with open(os.path.join(root, path), "w") as f:
        f.write(text)
    subprocess.run(["git", "init", "-q", root], check=True)
    subprocess.run(["git", "-C", root, "add", "-A"], check=True)
    return root


def main():
    failed = []
    for gate in gates.GATES:
        if gate.__name__ not in BAD or not gate(tree(*BAD[gate.__name__])):
            failed.append(gate.__name__ + " refuses nothing")
        if gate(tree(*GOOD)):
            failed.append(gate.__name__ + " refuses a clean tree")
    for line in failed:
        print("   " + line)
    return len(failed) > 0


if __name__ == "__main__":
    sys.exit(main())
