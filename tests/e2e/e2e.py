#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs every test_* function of the test_*.py files beside it, or in the folder $TESTS_IN: e2e.py [NAME|FILE...]. One
line each; a test that raises Skip is skipped, anything else that it raises is a failure."""
import glob
import importlib
import os
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.abspath(os.environ.get("TESTS_IN", HERE))
sys.path[:0] = [FOLDER, HERE]
import lib  # noqa: E402


def main():
    count = {"ok": 0, "FAIL": 0, "skip": 0}
    wanted = sys.argv[1:]
    for path in sorted(glob.glob(os.path.join(FOLDER, "test_*.py"))):
        module = importlib.import_module(os.path.basename(path)[:-3])
        for name, test in list(vars(module).items()):
            if not name.startswith("test_") or (wanted and not any(w in name or w == module.__name__ for w in wanted)):
                continue
            began, why = time.monotonic(), ""
            try:
                test()
                verdict = "ok"
            except lib.Skip as skip:
                verdict, why = "skip", f": {skip}"
            except Exception:
                verdict, why = "FAIL", "\n" + traceback.format_exc(limit=8)[-6000:]
            count[verdict] += 1
            print(f"{verdict} {module.__name__[5:]}: {name[5:].replace('_', ' ')} ({time.monotonic() - began:.1f} s){why}", flush=True)
    print(f"{count['ok']} passed, {count['FAIL']} failed, {count['skip']} skipped", flush=True)
    os._exit(count["FAIL"] > 0)  # threads of scripted upstreams may still hang on a socket


if __name__ == "__main__":
    main()
