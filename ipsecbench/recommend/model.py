"""What a recommendation says, as data. Rates are 10^6 bit/s of inner IP packets, times are microseconds.

Nothing here computes; :meth:`Recommendation.to_dict` gives it ready for JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from typing import Any

from ipsecbench.bench.measurement import Estimate, Tier
from ipsecbench.recommend.alternatives import Change, FrontPoint, RunnerUp
from ipsecbench.recommend.keys.esn import EsnChoice
from ipsecbench.recommend.keys.handshake_cost import HandshakeCost
from ipsecbench.recommend.keys.lives import Lifetime
from ipsecbench.recommend.keys.replay_window import WindowChoice
from ipsecbench.recommend.keys.setup_load import DayLongLives, PfsPrice, SetupLoad
from ipsecbench.recommend.pair import BoxPair
from ipsecbench.recommend.prediction.capacity import Capacity
from ipsecbench.recommend.prediction.predictions import Basis, Candidate, Ceiling
from ipsecbench.recommend.reasons import Exclusion, Offered, Price, Reason, Role, Rule
from ipsecbench.recommend.requirements.records import Requirements


@dataclass(frozen=True, slots=True)
class Phase1:
    """The IKE SA."""

    ike_version: int
    """2, or 1 where the policy allows it and the peer has nothing else (RFC 9395 deprecated it)."""
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
    additional_key_exchanges: tuple[str, ...] = ()
    """Key exchange methods of ADDKE1 and following (RFC 9370); their tokens stand in ``proposal`` as ``ke1_…``."""
    exchange_mode: str | None = None
    """``main`` or ``aggressive`` (RFC 2409); None for IKEv2."""


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
    """One of :data:`~ipsecbench.recommend.requirements.records.MODES`; ``gre`` and ``ipip`` are layered over transport
    mode."""
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
    additional_key_exchanges: tuple[str, ...] = ()
    """Additional key exchange methods of a rekey (RFC 9370)."""


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
    setup: SetupLoad
    """What setting up, rekeying and bringing back tunnels costs."""
    pfs: PfsPrice
    """Perfect forward secrecy, priced."""
    esn: EsnChoice
    """Extended sequence numbers: whether they are needed and used."""
    replay_window: WindowChoice
    """The anti-replay window and where it comes from."""
    day_long_lives: DayLongLives
    """Why keys should not live for 24 hours, with this box's figures."""
    chosen_by: Rule
    """What the objective compares and chooses by."""
    candidates: tuple[Candidate, ...]
    """Every suite that could have been chosen, best first by the objective, the chosen one among them."""
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
    capacity: Capacity | None
    """What the box will carry with the chosen suite; None where nothing supports a figure."""
    evidence: Evidence
    """How good the evidence is."""
    runner_up: RunnerUp
    """What would be next in each phase."""
    front: tuple[FrontPoint, ...]
    """The trade-off between strength, traffic and set-ups over everything that is allowed, weakest first."""
    sensitivity: tuple[Change, ...]
    """What would change the answer, and where."""
    pair: BoxPair | None
    """The other end, where it was measured too, and which end decides what."""
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
