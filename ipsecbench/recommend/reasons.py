"""What a recommendation says in words: reasons with their sources, and what was not chosen and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ipsecbench.bench.measurement import Estimate


class Role(StrEnum):
    """What an algorithm is wanted for."""

    KEY_EXCHANGE = "key-exchange"
    PRF = "prf"
    IKE_ENCRYPTION = "ike-encryption"
    AUTHENTICATION = "authentication"
    ESP_SUITE = "esp-suite"
    IKE_INTEGRITY = "ike-integrity"
    ADDITIONAL_KEY_EXCHANGE = "additional-key-exchange"
    IKE_VERSION = "ike-version"


class ExclusionKind(StrEnum):
    """The main reason why something was not chosen: the first that applies, in this order."""

    INCORRECT = "incorrect"
    """It gave a wrong answer on this box."""
    FORBIDDEN = "forbidden"
    """A standard says MUST NOT, or has deprecated it."""
    NO_NUMBER = "no-number"
    """No registry has a number for it, so that it cannot be negotiated."""
    NO_ENCRYPTION = "no-encryption"
    """It hides nothing."""
    DATA_LIMIT = "data-limit"
    """Its 64-bit block allows too few octets per key."""
    TOO_WEAK = "too-weak"
    """It is weaker than the policy or the user asks for."""
    NOT_IN_POLICY = "not-in-policy"
    """The policy does not list it."""
    PEER = "peer"
    """The other end does not have it."""
    NOT_MEASURED = "not-measured"
    """There is no figure for it on this box."""
    OTHER_TIER = "other-tier"
    """Its figure is of a lower tier of evidence than the others'."""
    BELOW_GOAL = "below-goal"
    """Its predicted rate does not reach the goal."""
    SLOWER = "slower"
    """It is slower than what was chosen, beyond the intervals."""
    WEAKER = "weaker"
    """Its cost is a tie or acceptable, and it is weaker, less recommended or simply second in name."""
    OTHER_WANTED = "other-wanted"
    """The user asked for another, or a rule of the policy wants another beside the rest."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One sentence, and where its facts come from."""

    text: str
    """The sentence."""
    sources: tuple[str, ...] = ()
    """Keys of :func:`ipsecbench.algorithms.sources.sources`; empty where this box's measurement is the source."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What an objective chooses by, in words."""

    phase1: Reason
    """The IKE SA."""
    phase2: Reason
    """The Child SA."""


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Something that was considered and not chosen, with its one main reason."""

    role: Role
    """What it was considered for."""
    name: str
    """Proposal token or ESP suite."""
    kind: ExclusionKind
    """The main reason."""
    reason: Reason
    """The main reason in words."""
    mbit_per_second: Estimate | None = None
    """ESP suites: the headline rate for the wanted traffic, where there is one."""
    cost_us: Estimate | None = None
    """Key exchange, authentication: the measured cost, where there is one."""
    chance: float | None = None
    """The chance that the chosen one costs less by the objective; None where it did not come to that comparison."""


@dataclass(frozen=True, slots=True)
class Offered:
    """Part of a proposal that is offered to old peers after the first choice."""

    role: Role
    """What it is for."""
    name: str
    """Proposal token or ESP suite."""
    reason: Reason
    """What is wrong with it, or why it is there."""


@dataclass(frozen=True, slots=True)
class Price:
    """What a stronger choice would cost."""

    role: Role
    """What the choice is for."""
    chosen: str
    """What was chosen."""
    stronger: str
    """The next stronger one that the policy allows and that was measured."""
    cost_percent: Estimate
    """ESP suites: throughput lost; otherwise: time added. Below 0 where the stronger one is cheaper."""
    text: str
    """For people."""
