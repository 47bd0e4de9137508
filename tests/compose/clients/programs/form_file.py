# SPDX-License-Identifier: MIT
"""form.tsv for the programs in Python: (name, value) pairs, and (name, path, filename, type) of the files."""


def read(folder):
    values, files = [], []
    with open(f"{folder}/form.tsv", encoding="utf-8") as f:
        for line in f:
            kind, name, path, *rest = line.rstrip("\n").split("\t")
            if kind == "file":
                files.append((name, path, *rest))
            else:
                with open(path, "rb") as value:
                    values.append((name, value.read().decode()))
    return values, files
