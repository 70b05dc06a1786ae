"""The kernel's counters of dropped packets, /proc/net/xfrm_stat."""

from __future__ import annotations

import os
from pathlib import Path

from ipsecbench.errors import DataPlaneError

_PATH = Path("/proc/thread-self/net/xfrm_stat")
"""Of the thread, not of the process: threads may be in different network namespaces."""
_MAXIMUM_BYTES = 65536


def parse_xfrm_stat(text: str) -> dict[str, int]:
    """Counters by name; lines that are no counter are passed over."""
    pairs = (line.split() for line in text.splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdecimal()}


class DropCounters:
    """The counters of the namespace that the calling thread is in, also when another thread reads them later.

    Raises:
        DataPlaneError: there is no such file: the kernel does not count (CONFIG_XFRM_STATISTICS).
    """

    def __init__(self) -> None:
        try:
            self._file = os.open(_PATH, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise DataPlaneError(
                f"cannot read {_PATH}: {error.strerror}; the kernel needs CONFIG_XFRM_STATISTICS"
            ) from error
        self._start = self.read()

    def read(self) -> dict[str, int]:
        """Counters since the namespace exists."""
        return parse_xfrm_stat(os.pread(self._file, _MAXIMUM_BYTES, 0).decode("ascii", "replace"))

    def since_opened(self) -> dict[str, int]:
        """What was counted since this was made; without what is 0."""
        grown = {name: count - self._start.get(name, 0) for name, count in self.read().items()}
        return {name: count for name, count in grown.items() if count}

    def close(self) -> None:
        """Close it. Safe to call more than once."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
