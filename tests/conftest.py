"""For all tests: where those run that need the kernel's ESP, which begin first, what Ctrl-C does, no deadlines."""

from __future__ import annotations

import gc
import signal

from hypothesis import settings

from tests.dearest_first import pytest_xdist_make_scheduler
from tests.virtual_machine.forwarding import pytest_runtest_protocol

__all__ = ["pytest_runtest_protocol", "pytest_xdist_make_scheduler"]

# A shell starts what it runs in the background deaf to Ctrl-C, and programs that tests start would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes is a matter of what else the box does: no property of what is tested.
settings.register_profile("any box", deadline=None)
settings.load_profile("any box")


def pytest_collection_finish() -> None:
    """Ten thousand tests and all modules stay to the end: the garbage collector need not go through them ever again.

    It took a tenth of the processor time of the unit tests, and came into what some of them time.
    """
    gc.collect()
    gc.freeze()
