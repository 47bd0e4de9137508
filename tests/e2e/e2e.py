#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs every test_* function of the test_*.py files beside it, or in the folder $TESTS_IN: e2e.py [NAME|FILE...]. One
line each; a test that raises Skip is skipped, anything else that it raises is a failure. What failed runs once more at the
end (lib.second_run); what passes then is named on a line `unsteady`, which tests/run.sh shows again beside its sum."""
import atexit
import glob
import importlib
import os
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.abspath(os.environ.get("TESTS_IN", HERE))
sys.path[:0] = [FOLDER, HERE, os.path.join(HERE, "../lib")]
import lib  # noqa: E402


def tests(wanted):
    for path in sorted(glob.glob(os.path.join(FOLDER, "test_*.py"))):
        module = importlib.import_module(os.path.basename(path)[:-3])
        for name, test in list(vars(module).items()):
            if name.startswith("test_") and (not wanted or any(w in name or w in (module.__name__, module.__name__[5:]) for w in wanted)):
                yield f"{module.__name__[5:]}: {name[5:].replace('_', ' ')}", test


def run(name, test):
    """Its verdict and, of a failure, the traceback."""
    began, why = time.monotonic(), ""
    try:
        test()
        verdict = "ok"
    except lib.Skip as skip:
        verdict, why = "skip", f": {skip}"
    except Exception:
        verdict, why = "FAIL", "\n" + traceback.format_exc(limit=8)[-6000:]
    print(f"{verdict} {name} ({time.monotonic() - began:.1f} s){why}", flush=True)
    return verdict, why


def main():
    count, failures = {"ok": 0, "FAIL": 0, "skip": 0}, []
    for name, test in tests(sys.argv[1:]):
        verdict, why = run(name, test)
        count[verdict] += 1
        if verdict == "FAIL":
            failures.append((name, test, why))
    if lib.second_run(why for _, _, why in failures):
        for name, test, _ in failures:
            if run(name, test)[0] == "ok":
                print(f"unsteady {name}", flush=True)
                count["ok"], count["FAIL"] = count["ok"] + 1, count["FAIL"] - 1
    if not any(count.values()):
        print("FAIL: no test is named so: " + " ".join(sys.argv[1:]), flush=True)
        count["FAIL"] = 1
    print(f"{count['ok']} passed, {count['FAIL']} failed, {count['skip']} skipped", flush=True)
    atexit._run_exitfuncs()  # which os._exit() leaves out
    os._exit(count["FAIL"] > 0)  # threads of scripted upstreams may still hang on a socket


if __name__ == "__main__":
    main()
