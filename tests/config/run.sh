#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Golden files of route file errors, and agreement of table, schema, reference and examples; under ASan.
set -u
cd "$(dirname "$0")/../.." || exit 1
root=${BUILD_ROOT:-$PWD/build}
bash tests/lib/build.sh asan || { echo "0 passed, 1 failed, 0 skipped"; exit 1; }
bash tests/setup.sh config
venv=$root/venv-config
python=python3
[ -e "$venv/ok" ] && python=$venv/bin/python
"$python" tests/config/config.py "$root/asan/penstock" | tee "$root/config.out"
bash tests/config/haproxy.sh "$root/asan/penstock" | tee -a "$root/config.out"
awk '/^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$/ { p += $1; f += $3; s += $5; n++ }
	END { if (n != 2) f++; print p + 0 " passed, " f + 0 " failed, " s + 0 " skipped"; exit f > 0 }' "$root/config.out"
