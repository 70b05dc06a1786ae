"""Finds processes that a test started, and those that these started."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def marked(mark: str) -> list[int]:
    """Numbers of the other processes that have ``NAME=value`` in their environment."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if (
                entry.name.isdigit()
                and int(entry.name) != os.getpid()
                and mark.encode() in (entry / "environ").read_bytes()
            ):
                found.append(int(entry.name))
    return found
