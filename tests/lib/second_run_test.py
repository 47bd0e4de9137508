#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Proves that a second run excuses what it may (second_run.sh) and nothing else, in Python's suites and in the script; and
that what has failed for good is named (failed.sh)."""
import os
import subprocess
import sys
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
RACE = "WARNING: ThreadSanitizer: data race"
ONCE = "def test_{n}(seen=[]):\n    seen.append(1)\n    assert len(seen) > 1, '{why}'\n"
ALWAYS = "def test_{n}():\n    assert False, '{why}'\n"


def suite(bodies, why="", steady=""):
    """The suite's last line and how often it says `unsteady`."""
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "test_made_up.py"), "w", encoding="utf-8") as f:
            f.write("def test_good():\n    pass\n" + "".join(body.format(n=n, why=why) for n, body in enumerate(bodies)))
        env = {**os.environ, "TESTS_IN": folder, "PENSTOCK_STEADY": steady, "PYTHONDONTWRITEBYTECODE": "1", "PENSTOCK": "/bin/true"}
        done = subprocess.run([sys.executable, "tests/e2e/e2e.py"], cwd=ROOT, env=env, stdout=subprocess.PIPE, check=False)
    lines = done.stdout.decode().splitlines()
    assert done.returncode == (", 0 failed," not in lines[-1]), lines
    return lines[-1], sum(line.startswith("unsteady ") for line in lines)


def script(count, text, steady=""):
    with tempfile.NamedTemporaryFile("w") as f:
        f.write(text)
        f.flush()
        return subprocess.run(["bash", "tests/lib/second_run.sh", str(count), f.name], cwd=ROOT, check=False,
                              env={**os.environ, "PENSTOCK_STEADY": steady}).returncode == 0


PRINTED = """ok e2e: good (0.1 s)
FAIL e2e: late, but it passes then (1.0 s)
FAIL e2e: never passes (0.1 s)
Traceback: FAIL is no name here
ok e2e: late, but it passes then (1.0 s)
unsteady e2e: late, but it passes then
  1/4 Test   #1: test_accept ......................   Passed    0.00 sec
  2/4 Test   #6: test_ask .........................Subprocess aborted***Exception:   0.12 sec
  3/4 Test #100: test_txn .........................***Failed    0.12 sec
  4/4 Test   #7: test_types .......................***Skipped   0.12 sec
unsteady test_txn
"""


def named(text):
    with tempfile.NamedTemporaryFile("w") as f:
        f.write(text)
        f.flush()
        return subprocess.run(["bash", "tests/lib/failed.sh", "s", f.name], cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout.decode()


def main():
    wrong = [name for name, right in {
        "what fails once is excused and named": suite([ONCE]) == ("2 passed, 0 failed, 0 skipped", 1),
        "what fails twice has failed": suite([ALWAYS, ONCE]) == ("2 passed, 1 failed, 0 skipped", 1),
        "four are no accident": suite([ONCE] * 4) == ("1 passed, 4 failed, 0 skipped", 0),
        "a race is no accident": suite([ONCE], why=RACE) == ("1 passed, 1 failed, 0 skipped", 0),
        "PENSTOCK_STEADY excuses nothing": suite([ONCE], steady="1") == ("1 passed, 1 failed, 0 skipped", 0),
        "the script excuses three": script(1, "late") and script(3, "late"),
        "the script excuses no more": not script(4, "late") and not script(0, "late"),
        "what failed for good is named": named(PRINTED) == "FAILED s: e2e: never passes\nFAILED s: test_ask\n",
        "a failure without a name is said": named("1 passed, 2 failed, 0 skipped\n") == "FAILED s: its log says what\n",
        "nothing is named where all passed": named("ok a\n1 passed, 0 failed, 0 skipped\n") == "",
        "the script excuses no race": not script(1, RACE) and not script(1, "late", "1"),
    }.items() if not right]
    for name in wrong:
        print("   not so: " + name)
    return len(wrong) > 0


if __name__ == "__main__":
    sys.exit(main())
