# SPDX-License-Identifier: MIT
"""A real Ceph radosgw: see real_checks.py."""
from real import RadosGW, Shared
from real_checks import tests_of

shared = Shared(RadosGW)
globals().update(tests_of(shared))
