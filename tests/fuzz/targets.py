"""All fuzz targets."""

from __future__ import annotations

from tests.fuzz.endpoints import ENDPOINTS
from tests.fuzz.esp import ESP
from tests.fuzz.parsers import PARSERS
from tests.fuzz.protected import PROTECTED
from tests.fuzz.target import Target

TARGETS: tuple[Target, ...] = (*PARSERS, *PROTECTED, *ENDPOINTS, *ESP)
"""Every target, by which the tests and the fuzzer find it."""
