#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""config.py PENSTOCK: golden messages of bad route files, good ones, and one story told by the key table, the JSON
Schema, the reference and the examples. `--write` makes the .expect files anew: read the diff before you keep it."""
import difflib
import glob
import json
import os
import re
import subprocess
import sys

BAD, GOOD = "tests/config/bad", "tests/config/good"
counts = {"ok": 0, "FAIL": 0, "skip": 0}


def say(verdict, name, why=""):
    counts[verdict] += 1
    if verdict != "ok" or not name.startswith("bad/"):
        print(f"{verdict} {name}{': ' + why if why else ''}")


def check(penstock, *paths):
    env = {k: v for k, v in os.environ.items() if k != "PENSTOCK_TEST_NOT_SET"} | {"ASAN_OPTIONS": "detect_leaks=1", "PENSTOCK_TEST_SHORT": 31 * "k"}
    result = subprocess.run([penstock, "check", *paths], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, timeout=60)
    return result.returncode, result.stderr.decode("utf-8", "replace")


def golden(penstock, write):
    cases = sorted(glob.glob(f"{BAD}/*.yaml"))
    say("ok" if len(cases) >= 60 else "FAIL", f"there are {len(cases)} bad files, at least 60")
    for path in cases:
        name, expect = "bad/" + os.path.basename(path), path[:-5] + ".expect"
        code, text = check(penstock, path)
        if write:
            with open(expect, "w", encoding="utf-8") as f:
                f.write(text)
        wanted = open(expect, encoding="utf-8").read()
        ends = 2 if ": error: " in wanted else 0  # what is only warned of is good
        if code != ends:
            say("FAIL", name, f"exit {code}, not {ends}: {text[-500:]}")
        elif text != wanted:
            say("FAIL", name, "\n" + "".join(difflib.unified_diff(wanted.splitlines(True), text.splitlines(True), "expected", "got")))
        else:
            say("ok", name)
    print(f"ok {len(cases)} bad files give exactly the expected messages" if not counts["FAIL"] else "")


def good_files(penstock):
    for paths in (*([p] for p in sorted(glob.glob(f"{GOOD}/*.yaml"))), [f"{GOOD}/folder"], sorted(glob.glob(f"{GOOD}/folder/*")),
                  ["config/routes.example.yaml"], ["config/routes.minimal.yaml"]):
        code, text = check(penstock, *paths)
        say("ok" if code == 0 and ": error:" not in text else "FAIL", "good/" + " ".join(map(os.path.basename, paths)), text if code else "")


def all_problems_of_all_files(penstock):
    code, text = check(penstock, f"{BAD}/unknown-top-key.yaml", f"{BAD}/commit-word.yaml")
    both = "unknown-top-key.yaml:2:1" in text and "commit-word.yaml:8:13" in text
    say("ok" if code == 2 and both else "FAIL", "all problems of all files in one run", "" if both else text)


def keys_of_schema(node, found):
    if isinstance(node, dict):
        for key, value in node.get("properties", {}).items():
            found.add(key)
        for value in node.values():
            keys_of_schema(value, found)
    elif isinstance(node, list):
        for value in node:
            keys_of_schema(value, found)


def one_story(penstock):
    schema = json.loads(subprocess.run([penstock, "schema"], stdout=subprocess.PIPE, check=True).stdout)
    keys = set()
    keys_of_schema(schema, keys)
    readme = open("config/README.md", encoding="utf-8").read()
    reference = readme.split("<!-- keys:begin -->")[1].split("<!-- keys:end -->")[0]
    named = set(re.findall(r"^\| `([a-z_.]+)`", reference, re.M))
    named = {name.split(".")[-1] for name in named}
    missing = {k for k in keys if k not in named and not k.startswith("^") and k not in ("env", "file", "template")}
    say("ok" if not missing else "FAIL", "every key of the schema stands in the reference", str(sorted(missing)) if missing else "")
    example = open("config/routes.example.yaml", encoding="utf-8").read()
    unexplained = {k for k in keys if not re.search(rf"\b{k}\b", example)}
    say("ok" if not unexplained else "FAIL", "every key of the schema stands in the example", str(sorted(unexplained)) if unexplained else "")
    try:
        import jsonschema
        import yaml
    except ImportError:
        say("skip", "good files pass the JSON Schema", "jsonschema or yaml is not installed here")
        return
    for path in (*sorted(glob.glob(f"{GOOD}/*.yaml")), "config/routes.example.yaml"):
        errors = list(jsonschema.Draft202012Validator(schema).iter_errors(yaml.safe_load(open(path, encoding="utf-8"))))
        say("ok" if not errors else "FAIL", f"{os.path.basename(path)} passes the JSON Schema", str(errors[:2]) if errors else "")
    for name in ("unknown-top-key", "memory-negative", "rule-two-actions", "commit-word", "response-status"):
        errors = list(jsonschema.Draft202012Validator(schema).iter_errors(yaml.safe_load(open(f"{BAD}/{name}.yaml", encoding="utf-8"))))
        say("ok" if errors else "FAIL", f"the JSON Schema refuses {name}")


def main():
    penstock, write = sys.argv[1], "--write" in sys.argv
    golden(penstock, write)
    good_files(penstock)
    all_problems_of_all_files(penstock)
    one_story(penstock)
    print(f"{counts['ok']} passed, {counts['FAIL']} failed, {counts['skip']} skipped")
    return counts["FAIL"] > 0


if __name__ == "__main__":
    sys.exit(main())
