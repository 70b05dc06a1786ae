"""One line on a terminal's standard error that says how far a run is."""

from __future__ import annotations

import shutil
import sys
import time

from ipsecbench.bench.scheduler import CALIBRATING, Progress

_REDRAW_SECONDS = 0.1


def format_duration(seconds: float) -> str:
    """Minutes and seconds, such as ``1:40``."""
    whole = max(0, round(seconds))
    return f"{whole // 60}:{whole % 60:02d}"


class ProgressLine:
    """Draws progress, and nothing where standard error is not a terminal.

    Args:
        quiet: draw nothing.
    """

    def __init__(self, quiet: bool) -> None:
        self._shown = not quiet and sys.stderr.isatty()
        self._last = 0.0
        self._last_phase = ""

    def __call__(self, progress: Progress) -> None:
        """Draw one state, at most ten times a second."""
        now = time.monotonic()
        if not self._shown or (now - self._last < _REDRAW_SECONDS and progress.phase == self._last_phase):
            return
        self._last, self._last_phase = now, progress.phase
        where = "calibrating" if progress.phase == CALIBRATING else f"round {progress.round + 1}"
        left = format_duration(progress.remaining_seconds)
        settled = "" if progress.phase == CALIBRATING else f", {progress.settled} precise"
        work = progress.workload
        size = work.mix or (f"{work.size_bytes} B" if work.size_bytes else "")
        line = (
            f"[{where} {progress.done + 1}/{progress.total}{settled}] "
            f"{work.provider} {work.algorithm} {work.operation} {size}  at most {left} left"
        )
        width = shutil.get_terminal_size().columns - 1
        sys.stderr.write(f"\r{line[:width]:<{width}}")
        sys.stderr.flush()

    def close(self) -> None:
        """Remove the line."""
        if self._shown:
            width = shutil.get_terminal_size().columns - 1
            sys.stderr.write(f"\r{'':<{width}}\r")
            sys.stderr.flush()
            self._shown = False


class StepLine:
    """Draws which step a command is at, and nothing where standard error is not a terminal.

    Args:
        quiet: draw nothing.
    """

    def __init__(self, quiet: bool) -> None:
        self._shown = not quiet and sys.stderr.isatty()

    def __call__(self, words: str) -> None:
        """Draw one step in the place of the one before."""
        if self._shown:
            width = shutil.get_terminal_size().columns - 1
            sys.stderr.write(f"\r{words[:width]:<{width}}")
            sys.stderr.flush()

    def close(self) -> None:
        """Remove the line."""
        self("")
        if self._shown:
            sys.stderr.write("\r")
