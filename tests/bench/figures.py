"""How measurements are summed up and headed in what the scripts print."""

from __future__ import annotations

import contextlib
import datetime
import os
import platform
import statistics
from collections.abc import Sequence
from pathlib import Path


def middle(values: Sequence[float], digits: int = 2) -> str:
    """Median with the middle half."""
    if not values:
        return ""
    first, second, third = statistics.quantiles(values, n=4) if len(values) > 1 else (values[0],) * 3
    return f"{second:.{digits}f} ({first:.{digits}f} to {third:.{digits}f})"


def ratios(values: Sequence[float], others: Sequence[float], digits: int = 2) -> str:
    """Median with the middle half of what each round's value is to the other's of the same round."""
    return middle([value / other for value, other in zip(values, others, strict=True)], digits)


def processor_name() -> str:
    """Model of the processor."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def heading() -> str:
    """Date and machine, on one line."""
    today = datetime.datetime.now(datetime.UTC).date()
    return (
        f"{today}, {processor_name()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, "
        f"Linux {platform.release()}, Python {platform.python_version()}"
    )


def go_before_others() -> None:
    """Let this process, and what it starts, go before other work on the machine; silently not, without the right."""
    with contextlib.suppress(OSError):
        os.nice(-20)
    with contextlib.suppress(OSError):
        # Where the scheduler groups processes by session, niceness counts inside a session only.
        Path("/proc/self/autogroup").write_text("-20")


def as_urgent_as_this(process_id: int) -> None:
    """Let a process that has a session of its own go before others as much as this one does."""
    with contextlib.suppress(OSError):
        # The file is there and empty where the scheduler has put this process into no such group.
        match Path("/proc/self/autogroup").read_text().split():
            case [*_, nice]:
                Path(f"/proc/{process_id}/autogroup").write_text(nice)
