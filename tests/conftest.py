"""For all tests: where those run that need the kernel's ESP."""

from __future__ import annotations

from tests.virtual_machine.forwarding import pytest_runtest_protocol

__all__ = ["pytest_runtest_protocol"]
