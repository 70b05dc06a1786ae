"""A box that is measured over ssh, as :class:`ipsecbench.bench.place.Place` wants it."""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ipsecbench.errors import RemoteError
from ipsecbench.hardware.activity import Activity, read_activity
from ipsecbench.hardware.source import Source
from ipsecbench.remote.agent import RemoteAgent
from ipsecbench.remote.connection import Connection
from ipsecbench.remote.files import fetch_files, lay_out
from ipsecbench.remote.survey import Survey
from ipsecbench.remote.workplace import Workplace

if TYPE_CHECKING:
    from ipsecbench.hardware.clock import MeasureClock

RECONNECTED = "reconnected"
_LONGEST_STAT = 1 << 20
_UNKNOWN = Activity(None, None, None, None, None)


class RemotePlace:
    """See :class:`ipsecbench.bench.place.Place`.

    Args:
        connection: the way to the box.
        workplace: where the agent is there, prepared.
        box: what the box said of itself.
    """

    def __init__(self, connection: Connection, workplace: Workplace, box: Survey) -> None:
        self._connection = connection
        self._workplace = workplace
        self._box = box
        self._agents: list[RemoteAgent] = []

    @contextmanager
    def agent(self, environment: Mapping[str, str]) -> Iterator[RemoteAgent]:
        """See :class:`ipsecbench.bench.place.Place`."""
        with RemoteAgent(self._connection, self._workplace, environment) as agent:
            self._agents.append(agent)
            yield agent

    def hardware(self, measure_clock: MeasureClock) -> Mapping[str, Any]:
        """See :class:`ipsecbench.bench.place.Place`."""
        from ipsecbench.hardware import detect

        parts = fetch_files(self._connection)
        with tempfile.TemporaryDirectory(prefix="ipsecbench-box-") as folder:
            root = Path(folder)
            lay_out(parts, root)
            arch = root / "proc/sys/kernel/arch"
            if not arch.exists() and arch.parent.is_dir():
                # Kernels have it since 6.1; uname says the same.
                arch.write_text(self._box.system.rpartition(" ")[2], encoding="utf-8")
            found = detect(root, measure_clock).to_dict()
        return {**found, "root": "/"}

    def activity(self) -> Activity:
        """See :class:`ipsecbench.bench.place.Place`."""
        try:
            reply = self._connection.run_once("cat /proc/stat", limit_bytes=_LONGEST_STAT, timeout=20)
        except RemoteError:
            return _UNKNOWN
        with tempfile.TemporaryDirectory(prefix="ipsecbench-box-") as folder:
            # Before it a login shell may have said anything.
            begin = re.search(rb"^cpu +\d", reply.output, re.MULTILINE)
            lay_out([("file /proc/stat", reply.output[begin.start() if begin else 0 :])], Path(folder))
            return read_activity(Source(Path(folder)))

    def clock(self) -> float:
        """See :class:`ipsecbench.bench.place.Place`: time on the way does not count either."""
        travelled = sum(agent.travel_seconds for agent in self._agents)
        return time.monotonic() - self._connection.outage_seconds - travelled

    def facts(self) -> Mapping[str, Any]:
        """See :class:`ipsecbench.bench.place.Place`."""
        return {}

    def warnings(self) -> list[tuple[str, str]]:
        """See :class:`ipsecbench.bench.place.Place`."""
        count = self._connection.reconnections
        if not count:
            return []
        times = "once" if count == 1 else f"{count} times"
        return [
            (
                RECONNECTED,
                f"the connection to the box was lost {times}, for {self._connection.outage_seconds:.0f} s in all; the "
                "agent was started again, and what was under way was measured again",
            )
        ]
