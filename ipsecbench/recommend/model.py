"""What a recommendation says, as data. Rates are 10^6 bit/s of inner IP packets, times are microseconds.

Nothing here computes; :meth:`Recommendation.to_dict` gives it ready for JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from typing import Any

from ipsecbench.bench.measurement import Estimate, Tier
from ipsecbench.recommend.handshake_cost import HandshakeCost
from ipsecbench.recommend.requirements import Requirements, Traffic


class Basis(StrEnum):
    """How a predicted figure came about."""

    MEASURED = "measured"
    """A row of the dataset says it."""
    FIT = "from the fit"
    """The line through the measured sizes says it; the interval includes the line's worst residual."""
    BOUND = "bounded by one size"
    """Only one size was measured: the interval spans from a cost per packet alone to a cost per octet alone."""
    COMPOSED = "composed"
    """The sum of cipher and MAC calls says it: no packet was built, so it is an upper bound of a lower tier."""


class Role(StrEnum):
    """What an algorithm is wanted for."""

    KEY_EXCHANGE = "key-exchange"
    PRF = "prf"
    IKE_ENCRYPTION = "ike-encryption"
    AUTHENTICATION = "authentication"
    ESP_SUITE = "esp-suite"


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
class Prediction:
    """How much one core carries of one kind of traffic with one suite."""

    traffic: Traffic
    """The packets."""
    outbound_mbit_per_second: Estimate
    """A core that only protects packets."""
    inbound_mbit_per_second: Estimate
    """A core that only unprotects packets."""
    one_way_mbit_per_second: Estimate
    """The headline: the slower of the two, for a core that does one direction."""
    both_ways_mbit_per_second: Estimate
    """The sum of both directions, for a core that does both with equal traffic."""
    packets_per_second: Estimate
    """The headline in packets."""
    basis: Basis
    """How the figures came about."""
    tier: Tier
    """Tier of evidence."""
    provider: str
    """Library that did the work."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An ESP suite that the policy allows and that was measured, with its predicted figures."""

    name: str
    """ESP suite."""
    strength_bits: int
    """Estimated strength."""
    level: str
    """RFC 8221 on its transforms: the weaker of the two where it has two."""
    headline: Prediction
    """For the traffic that was asked for."""
    predictions: tuple[Prediction, ...]
    """For 64, 576 and 1400 octets and the mixes, as far as they can be predicted."""
    tied: bool
    """Whether its headline interval overlaps with the fastest's."""
    meets_goal: bool | None
    """Whether the lower bound reaches the goal; None without a goal."""


@dataclass(frozen=True, slots=True)
class Ceiling:
    """What the multi-buffer library does here: the bound for VPP and DPDK, not for a kernel or libcrypto data plane."""

    suite: str
    """ESP suite, or encryption transform where only that was measured."""
    provider: str
    """Such as ``libipsec-mb``."""
    tier: Tier
    """Tier of evidence."""
    traffic: Traffic
    """The packets."""
    mbit_per_second: Estimate
    """Rate of one core, outbound."""


@dataclass(frozen=True, slots=True)
class Lifetime:
    """When a key is replaced (soft) and when it is thrown away at the latest (hard)."""

    soft_seconds: int
    """Rekey after this time."""
    hard_seconds: int
    """Delete after this time."""
    soft_bytes: int | None
    """Rekey after this many octets; None without a limit on octets."""
    hard_bytes: int | None
    """Delete after this many octets."""
    soft_packets: int | None
    """Rekey after this many packets; None without a limit on packets."""
    hard_packets: int | None
    """Delete after this many packets."""
    expected_seconds: float
    """When the first soft limit is reached at the predicted rate."""
    reasons: tuple[Reason, ...]
    """Why."""


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


@dataclass(frozen=True, slots=True)
class Phase1:
    """The IKE SA."""

    ike_version: int
    """2. IKEv1 was deprecated by RFC 9395."""
    encryption: str
    """Encryption transform."""
    integrity: str | None
    """Integrity transform; None beside a combined-mode transform."""
    prf: str
    """Pseudo-random function."""
    key_exchange: str
    """Key exchange method."""
    authentication: str
    """Authentication method."""
    proposal: str
    """strongSwan's spelling of the IKE proposal."""
    fallback_proposals: tuple[str, ...]
    """Further proposals for old peers, in order of preference."""
    strength_bits: int
    """The weakest of its parts."""
    handshake: HandshakeCost
    """What setting it up costs."""
    lifetime: Lifetime
    """When it is rekeyed."""
    reasons: tuple[Reason, ...]
    """Why these."""


@dataclass(frozen=True, slots=True)
class Phase2:
    """The Child SA."""

    suite: str
    """ESP suite."""
    key_exchange: str | None
    """Key exchange method of a rekey (perfect forward secrecy); None without."""
    esn: bool
    """Whether sequence numbers have 64 bits."""
    mode: str
    """``tunnel``."""
    replay_window_packets: int
    """Anti-replay window."""
    proposal: str
    """strongSwan's spelling of the ESP proposal."""
    fallback_proposals: tuple[str, ...]
    """Further proposals for old peers, in order of preference."""
    strength_bits: int
    """Of the suite."""
    candidate: Candidate
    """Its predicted figures."""
    inner_mtu_bytes: int
    """Largest inner packet that leaves in one outer packet."""
    mss_ipv4_bytes: int
    """TCP maximum segment size for inner IPv4."""
    mss_ipv6_bytes: int
    """TCP maximum segment size for inner IPv6."""
    goodput_ratio: float
    """Inner octets per octet of link MTU, at the largest inner packet."""
    overhead_bytes: int
    """Octets added to the largest inner packet."""
    lifetime: Lifetime
    """When it is rekeyed."""
    reasons: tuple[Reason, ...]
    """Why these."""


class GoalVerdict(StrEnum):
    """How the prediction stands to the goal."""

    MET = "meets the goal"
    """The lower bound reaches it."""
    UNCERTAIN = "may meet the goal"
    """The goal lies within the interval."""
    MISSED = "does not meet the goal"
    """The upper bound stays below it."""


@dataclass(frozen=True, slots=True)
class Goal:
    """The goal and the margin against it."""

    mbit_per_second: float
    """What was asked for."""
    predicted_mbit_per_second: Estimate
    """What the chosen suite is predicted to carry with the tunnels that were asked for."""
    cores: int
    """Cores that the prediction is for."""
    verdict: GoalVerdict
    """How it stands."""
    headroom_percent: Estimate
    """Predicted over wanted, minus 100%."""
    text: str
    """For people."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """How good the evidence is."""

    tier: Tier
    """Tier of the phase 2 figures."""
    rank: int
    """1 (primitive) to 5 (on-wire)."""
    basis: Basis
    """How the headline came about."""
    provider: str
    """Library that the phase 2 figures come from."""
    library: str | None
    """Its version and path, as far as the dataset says."""
    summary: str
    """One line: what was measured and what was not."""
    warnings: tuple[Reason, ...]
    """Doubts: about the run, the rows that were used, the machine."""


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The answer."""

    policy: str
    """Name of the policy, such as ``modern``."""
    policy_version: str
    """Version of the policy, such as ``2026.1``."""
    policy_title: str
    """What the policy is, for people."""
    requirements: Requirements
    """What was asked for."""
    target_strength_bits: int
    """The strength that everything chosen has at least."""
    box: str
    """The box, for people: label and processor as far as the dataset says."""
    dataset_created: str
    """When the measurement started."""
    dataset_sha256: str | None
    """Digest of the dataset file."""
    phase1: Phase1
    """The IKE SA."""
    phase2: Phase2
    """The Child SA."""
    candidates: tuple[Candidate, ...]
    """Every suite that could have been chosen, fastest first, the chosen one among them."""
    offered: tuple[Offered, ...]
    """Parts of the fallback proposals that are not part of the first choice (legacy policies)."""
    exclusions: tuple[Exclusion, ...]
    """Everything else that was considered, by role, each with its one main reason."""
    prices: tuple[Price, ...]
    """What more security would cost."""
    ceilings: tuple[Ceiling, ...]
    """What the multi-buffer library does here."""
    goal: Goal | None
    """The goal; None where none was given."""
    evidence: Evidence
    """How good the evidence is."""
    what_would_change_this: tuple[Reason, ...]
    """Under which circumstances the answer would be another."""
    warnings: tuple[Reason, ...]
    """What the chosen parameters themselves have against them (legacy policies)."""

    def excluded(self, role: Role) -> tuple[Exclusion, ...]:
        """The exclusions of one role."""
        return tuple(exclusion for exclusion in self.exclusions if exclusion.role is role)

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON: dictionaries, lists, strings, numbers, booleans and None only."""
        plain: dict[str, Any] = _plain(self)
        return plain


def _plain(value: object) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (frozenset, set)):
        return sorted(_plain(item) for item in value)
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
