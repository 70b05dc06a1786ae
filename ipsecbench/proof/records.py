"""What a proof says, as data. Rates are 10^6 bit/s of inner IP packets in one direction on one core."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import IntEnum
from typing import Any

from ipsecbench.bench.measurement import Estimate


class Outcome(IntEnum):
    """What the process ends with: the documented exit codes."""

    PROVEN = 0
    """Negotiated exactly, and nothing that was predicted is contradicted."""
    NOT_RUN = 1
    """The recommended set cannot be run here."""
    NOT_MET = 3
    """A set was not negotiated exactly, or the recommended one does not carry the goal."""
    UNSTABLE = 4
    """Measured, but the recommended set's rate lies outside the stated interval, or the figures are too uncertain."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that an end holds otherwise than it was recommended."""

    end: str
    """``local`` or ``peer``."""
    what: str
    """Such as ``anti-replay window``."""
    wanted: str
    """As it was recommended."""
    held: str
    """As the end has it."""


@dataclass(frozen=True, slots=True)
class DirectionProof:
    """One direction: predicted against measured."""

    direction: str
    """``outbound`` or ``inbound``."""
    predicted: Estimate | None
    """With its 90% interval; None where nothing was predicted of the laboratory's data plane."""
    measured: Estimate
    """Encapsulated as the evidence of the prediction is."""
    error: float | None
    """Measured over predicted, less 1: -0.1 is 10% slower than predicted."""
    inside: bool | None
    """Whether what was measured lies within the predicted interval; None where there is no prediction."""
    as_negotiated: Estimate
    """Measured with ESP travelling as the set says; the same as ``measured`` where the evidence travels so too."""
    box_change: float | None = None
    """How much faster the suite's packet loop was beside it than in the dataset: 0.1 is 10% faster. The same code on
    the same box: what it differs by is the box's doing (its clock, its neighbours). None where nothing says so."""


@dataclass(frozen=True, slots=True)
class SetUpProof:
    """How long a set-up takes: the work of both ends, one after the other."""

    predicted_ms: Estimate
    """Milliseconds; what it is, says ``basis``."""
    basis: str
    """What the prediction is of."""
    whole: bool
    """Whether the prediction is of a whole set-up; otherwise of its cryptography alone, which is a lower bound."""
    measured_ms: Estimate
    """Milliseconds."""


@dataclass(frozen=True, slots=True)
class SetProof:
    """One parameter set."""

    name: str
    """``recommended`` or ``runner-up``."""
    ike_version: int
    ike_proposal: str
    authentication: str
    suite: str
    esp_proposal: str
    mode: str
    skipped: str | None
    """Why it was not run; nothing below says anything then."""
    failure: str | None = None
    """Why the two ends did not come to terms."""
    differences: tuple[Difference, ...] = ()
    """What was not negotiated as recommended."""
    pfs: str = ""
    """What a rekeying of the Child SA did, for people."""
    set_up: SetUpProof | None = None
    directions: tuple[DirectionProof, ...] = ()
    unmeasured: str | None = None
    """Why its traffic could not be measured, although it was negotiated."""
    encapsulation: str = ""
    """How ESP travels in the set: ``udp`` or ``none``."""
    compared_encapsulation: str = ""
    """How it travels in the evidence of the prediction."""
    carried_mbit_per_second: float | None = None
    """What one core carries of what the goal asks for, ESP travelling as the set says."""
    wanted_mbit_per_second: float | None = None
    """What the goal asks of one core; None without a goal."""

    @property
    def exact(self) -> bool:
        """Whether it was negotiated exactly."""
        return self.skipped is None and self.failure is None and not self.differences

    @property
    def outside(self) -> tuple[DirectionProof, ...]:
        """Directions that are outside the stated interval."""
        return tuple(each for each in self.directions if each.inside is False)

    @property
    def meets_goal(self) -> bool | None:
        """Whether one core carries what the goal asks of it; None where there is no goal, or nothing was measured."""
        if self.carried_mbit_per_second is None or self.wanted_mbit_per_second is None:
            return None
        return self.carried_mbit_per_second >= self.wanted_mbit_per_second


@dataclass(frozen=True, slots=True)
class Proof:
    """The sets, and what comes of them."""

    box: str
    """Processor that it was run on."""
    core: int
    """Which of its cores both data planes had."""
    dataplane: str
    """Whose data plane was measured."""
    traffic: str
    """What was sent, for people."""
    sets: tuple[SetProof, ...]
    """The recommended set first."""
    outcome: Outcome
    """What the process ends with."""
    verdict: str
    """In one line."""
    not_compared: str | None
    """Why predicted and measured were not compared; None where they were."""
    doubts: tuple[str, ...]
    """What disturbed the measurement."""
    proves_not: tuple[str, ...]
    """What none of this says anything about."""

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        plain = asdict(self)
        for each, made in zip(plain["sets"], self.sets, strict=True):
            each |= {"negotiated_exactly": made.exact, "meets_goal": made.meets_goal}
        return {**plain, "outcome": self.outcome.name.lower().replace("_", "-"), "exit_code": int(self.outcome)}
