"""Where a run is measured: this machine, or another box that is reached from it."""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ipsecbench.agent.client import Agent, AgentClient

if TYPE_CHECKING:
    from ipsecbench.hardware.activity import Activity
    from ipsecbench.hardware.clock import MeasureClock


class Place(Protocol):
    """What a session needs of the box that it measures."""

    def agent(self, environment: Mapping[str, str]) -> AbstractContextManager[Agent]:
        """Start the measuring agent there.

        Args:
            environment: variables that it is given.

        Raises:
            AgentError: there is none, or it does not start.
            RemoteError: the box is out of reach.
        """

    def hardware(self, measure_clock: MeasureClock) -> Mapping[str, Any]:
        """What the box is, as :meth:`ipsecbench.hardware.Hardware.to_dict` says it.

        Args:
            measure_clock: measures the clock of one of its processors.
        """

    def activity(self) -> Activity:
        """What its processors did since it was started; with nothing known in it where it cannot be asked."""

    def clock(self) -> float:
        """Seconds in which measuring was possible: they only grow, and stand still while the box is out of reach."""

    def facts(self) -> Mapping[str, Any]:
        """What else belongs to the environment of a run."""

    def warnings(self) -> list[tuple[str, str]]:
        """Doubts about the run that come from the way to the box, as (code, message)."""


class ThisMachine:
    """The machine on which this program runs; see :class:`Place`."""

    def agent(self, environment: Mapping[str, str]) -> AgentClient:
        """See :class:`Place`."""
        return AgentClient(environment=environment)

    def hardware(self, measure_clock: MeasureClock) -> Mapping[str, Any]:
        """See :class:`Place`."""
        from ipsecbench.hardware import detect

        return detect(Path("/"), measure_clock).to_dict()

    def activity(self) -> Activity:
        """See :class:`Place`."""
        from ipsecbench.hardware.activity import read_activity
        from ipsecbench.hardware.source import Source

        return read_activity(Source(Path("/")))

    def clock(self) -> float:
        """See :class:`Place`."""
        return time.monotonic()

    def facts(self) -> Mapping[str, Any]:
        """See :class:`Place`."""
        return {"python": platform.python_version()}

    def warnings(self) -> list[tuple[str, str]]:
        """See :class:`Place`."""
        return []
