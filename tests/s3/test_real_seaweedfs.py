# SPDX-License-Identifier: MIT
"""A real SeaweedFS: see real_checks.py."""
from real import SeaweedFS, Shared
from real_checks import tests_of

shared = Shared(SeaweedFS)
globals().update(tests_of(shared))
