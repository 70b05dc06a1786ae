"""What a scenario is, and what comes of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ipsecbench.errors import IpsecbenchError
from ipsecbench.lab.arrangement import Arrangement
from ipsecbench.lab.end_status import EndStatus
from ipsecbench.lab.laboratory import Laboratory

STREAM_SECONDS = 2.0
"""How long a TCP stream runs where nothing else was asked for."""


@dataclass(frozen=True, slots=True)
class Check:
    """Something that the scenario claims."""

    claim: str
    held: bool
    seen: str
    """What was seen, in a few words."""


@dataclass(frozen=True, slots=True)
class Overhead:
    """What a packet of one size is on the wire."""

    inner_bytes: int
    """Octets of the IP packet that was sent."""
    wire_bytes: int
    """Octets of the IP packet that left the host."""
    computed_bytes: int
    """The same, computed from the parameters."""


@dataclass(slots=True)
class Outcome:
    """What came of a scenario."""

    name: str
    title: str
    checks: list[Check] = field(default_factory=list)
    negotiated: Mapping[str, str] = field(default_factory=dict)
    """Phase 1, phase 2, mode and encapsulation, as A says."""
    overheads: list[Overhead] = field(default_factory=list)
    inner_mtu_bytes: int = 0
    """Longest packet that goes through in one piece; 0: not tried."""
    tcp_mss_bytes: int = 0
    ping_ms: float = 0.0
    """Median time of an echo request and its answer."""
    tcp_mbit: float = 0.0
    """Mbit/s of TCP payload, A to B; 0: not tried."""
    tcp_program: str = ""
    parts: list[Outcome] = field(default_factory=list)
    """Of a scenario that sets others side by side."""

    @property
    def passed(self) -> bool:
        """Whether everything that was claimed held."""
        return all(check.held for check in self.checks) and all(part.passed for part in self.parts)

    def to_dict(self) -> dict[str, Any]:
        """For a program."""
        return {**dataclasses.asdict(self), "passed": self.passed, "parts": [part.to_dict() for part in self.parts]}


@dataclass(slots=True)
class Run:
    """A scenario while it runs: its laboratory, and where its steps put what they find."""

    laboratory: Laboratory
    outcome: Outcome
    seconds: float = STREAM_SECONDS
    own_stream: bool = False
    """Our own TCP stream even where there is iperf3."""
    status: dict[str, EndStatus] = field(default_factory=dict)
    """What the ends said when the Child SA stood."""
    say: Callable[[str], None] = lambda text: None
    """Takes a line for whoever watches."""

    @property
    def arrangement(self) -> Arrangement:
        """Of the laboratory."""
        return self.laboratory.arrangement

    def check(self, claim: str, held: bool, seen: object = "") -> bool:
        """Put down whether a claim holds; the scenario goes on either way."""
        self.outcome.checks.append(Check(claim, bool(held), str(seen)))
        self.say(f"{'ok  ' if held else 'FAIL'}  {claim}: {seen}")
        return bool(held)


Step = Callable[[Run], None]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A setting, and what is done in it."""

    name: str
    title: str
    """One line."""
    arrangement: Arrangement
    steps: tuple[Step, ...] = ()
    parts: tuple[str, ...] = ()
    """Names of other scenarios that this one sets side by side; it has no steps of its own then."""


def run(scenario: Scenario, **settings: Any) -> Outcome:
    """Run a scenario that has steps. A step that cannot be done is a claim that did not hold.

    Args:
        scenario: which one.
        settings: fields of :class:`Run`.

    Raises:
        IpsecbenchError: the hosts or the ends could not be set up at all.
    """
    outcome = Outcome(scenario.name, scenario.title)
    with Laboratory(scenario.arrangement) as laboratory:
        state = Run(laboratory, outcome, **settings)
        for step in scenario.steps:
            try:
                step(state)
            except IpsecbenchError as error:
                state.check(f"'{step.__name__.replace('_', ' ')}' can be done", False, error)
                break
    return outcome
