"""For all tests: where those run that need the kernel's ESP, which begin first, and what Ctrl-C does."""

from __future__ import annotations

import signal

from tests.dearest_first import pytest_xdist_make_scheduler
from tests.virtual_machine.forwarding import pytest_runtest_protocol

__all__ = ["pytest_runtest_protocol", "pytest_xdist_make_scheduler"]

# A shell starts what it runs in the background deaf to Ctrl-C, and programs that tests start would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
