# SPDX-License-Identifier: MIT
"""filter_rooms.py BUILD - the files that filter/native/build.sh takes into HAProxy need no function of those that it leaves out."""
import glob
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def symbols(objects):
    """What each of them defines and what it wants, by file of the source."""
    defined, wanted = {}, {}
    for path in objects:
        source = path.split(".dir/", 1)[1][:-2]
        listing = subprocess.run(["nm", "--portability", path], check=True, capture_output=True, text=True).stdout
        for name, kind in (line.split()[:2] for line in listing.splitlines()):
            if kind == "U":
                wanted.setdefault(source, set()).add(name)
            elif kind.isupper():
                defined.setdefault(name, set()).add(source)
    return defined, wanted


def main():
    objects = glob.glob(f"{sys.argv[1]}/CMakeFiles/penstock_*.dir/**/*.o", recursive=True)
    rooms = set(subprocess.run(["bash", f"{ROOT}/filter/native/build.sh", "--rooms"], check=True, capture_output=True, text=True).stdout.split())
    defined, wanted = symbols(objects)
    missing = rooms - {source for sources in defined.values() for source in sources}
    left_out = [f"{room} needs {name}() of {', '.join(sorted(defined[name]))}"
                for room in sorted(rooms) for name in sorted(wanted.get(room, ())) if name in defined and not defined[name] & rooms]
    for problem in [f"{room} is in no room of CMakeLists.txt" for room in sorted(missing)] + left_out:
        print(problem)
    return 1 if missing or left_out or len(rooms) < 10 else 0


sys.exit(main())
