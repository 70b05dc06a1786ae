"""How long keys live, as data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ipsecbench.recommend.peers.peer import Peer
from ipsecbench.recommend.reasons import Reason


class Unit(StrEnum):
    """What a limit counts."""

    SECONDS = "seconds"
    BYTES = "bytes"
    """Octets of inner packets."""
    PACKETS = "packets"
    FORGERIES = "forgeries"
    """Packets whose ICV was wrong. No product counts them as a life: shown, and not among what binds."""


class Effect(StrEnum):
    """What a limit does to a life."""

    AT_MOST = "at most"
    """The key is gone before it."""
    AT_LEAST = "at least"
    """A shorter life would cost more than the bound on rekeying says."""
    REPORTED = "reported"
    """Nothing that a life is set by."""


@dataclass(frozen=True, slots=True)
class LifeConditions:
    """What a life depends on beside the policy and the cipher."""

    ike_version: int = 2
    """IKEv1 negotiates lives, IKEv2 does not."""
    peer: Peer | None = None
    """The other end, whose lives may be shorter."""
    least_seconds: float = 0.0
    """The shortest life at which rekeying keeps to :data:`~ipsecbench.recommend.keys.lifetimes.REKEY_SHARE`."""
    round_trip_ms: float = 20.0
    """Between the two ends."""


@dataclass(frozen=True, slots=True)
class LifeLimit:
    """One limit on a key's life, whether it is the one that binds or not."""

    name: str
    """Such as ``policy's rekey time``, ``sequence numbers`` or ``cipher``."""
    unit: Unit
    """What it counts."""
    value: int
    """How many of them."""
    effect: Effect
    """What it does to the life."""
    reached_after_seconds: float | None
    """When it is reached at this box's rate; for forgeries, if every packet that the box can take were one."""
    reason: Reason
    """Where it comes from."""


@dataclass(frozen=True, slots=True)
class Jitter:
    """How the rekeying is spread, so that the two ends, and many tunnels, do not rekey at the same moment."""

    rand_seconds: int
    """strongSwan's ``rand_time``: the most by which a rekey comes before the soft life (swanctl.conf)."""
    earliest_seconds: int
    """Soft life less ``rand_seconds``: the first moment at which a rekey may start."""
    latest_seconds: int
    """The soft life: the last moment at which it starts."""
    margin_seconds: int
    """``margintime`` of ipsec.conf, ``rekeymargin`` of libreswan, that gives the same earliest and latest moment."""
    fuzz_percent: int
    """``rekeyfuzz`` to go with it."""
    rand_bytes: int | None
    """``rand_bytes``; None without a limit on octets."""
    rand_packets: int | None
    """``rand_packets``; None without a limit on packets."""
    both_at_once: float
    """Chance that both ends, each with this jitter, begin the same rekey within one round trip of each other."""
    reasons: tuple[Reason, ...]
    """Why so much, and what the peer's own life does to it."""


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
    limits: tuple[LifeLimit, ...]
    """Every limit that was looked at, what is reached first at this box's rate first."""
    binding: str
    """Name of the limit that the life comes from."""
    jitter: Jitter
    """How the rekeying is spread."""
    uncounted_soft_seconds: int
    """Soft life for products that count neither octets nor packets: short enough that no limit on these is passed at
    the most that one SA carries here, but never below the policy's shortest rekey."""
    uncounted_hard_seconds: int
    """Hard life to go with it."""
    negotiated: bool
    """Whether the two ends agree on the life (IKEv1); IKEv2 leaves each end its own (RFC 7296 section 2.8)."""
