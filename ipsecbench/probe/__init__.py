"""The shell script that describes and measures a box on which nothing of ours can run: docs/probe.md.

What it prints is read by :mod:`ipsecbench.importers.readers.probe.reader`.
"""

from __future__ import annotations

from importlib.resources import files

__all__ = ["script"]


def script() -> str:
    """The script, for a POSIX shell; it needs no argument, and prints one text for ``ipsecbench import``."""
    return files("ipsecbench.probe").joinpath("probe.sh").read_text(encoding="utf-8")
