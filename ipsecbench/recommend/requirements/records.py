"""What the user asks of the recommendation."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ipsecbench.algorithms.authentication import AUTHENTICATION
from ipsecbench.errors import UsageError
from ipsecbench.esp.overhead import IPV6_LEAST_MTU_BYTES
from ipsecbench.recommend.peers.peer import Peer
from ipsecbench.recommend.requirements.traffic import IMIX, LARGEST_PACKET_BYTES, Traffic

_RATE_UNITS = {"": 1e-6, "k": 1e-3, "m": 1.0, "g": 1e3, "t": 1e6}


class Objective(StrEnum):
    """What the choice is for, within the policy."""

    BALANCED = "balanced"
    """Phase 1 for security, phase 2 for speed: the rule of thumb that this program began with."""
    THROUGHPUT = "throughput"
    """The most traffic, in phase 2; the cheapest phase 1 that the policy allows."""
    CPU = "cpu"
    """The least processor time at the wanted rate, rekeying included."""
    LATENCY = "latency"
    """The least time for one packet of the wanted traffic, and for a set-up."""
    SECURITY = "security"
    """The strongest that the policy allows and that still reaches the goal, where there is one."""

    @classmethod
    def parse(cls, text: str) -> Objective:
        """The objective of that name.

        Raises:
            UsageError: there is none.
        """
        if text not in list(cls):
            raise UsageError(f"objective {text!r} is not known; there are {', '.join(cls)}")
        return cls(text)


MODES = ("tunnel", "transport", "gre", "ipip")
"""How inner packets are carried; ``gre`` and ``ipip`` are layered over transport mode."""
_MOST_CORES = 1024
_MOST_MILLISECONDS = 10_000
_MOST_CERTIFICATES = 10
_MOST_TUNNELS = 1_000_000


@dataclass(frozen=True, slots=True)
class Requirements:
    """What the recommendation has to satisfy. Part of its input, and shown with it."""

    goal_mbit_per_second: float | None = None
    """Throughput wanted, in 10^6 bit/s of inner IP packets: in each direction, or the sum of both where
    ``outbound_share`` is given; None: as much as can be had."""
    traffic: Traffic = IMIX
    """Packets that the goal and the ranking are about."""
    min_strength_bits: int | None = None
    """Strength wanted; None: the policy's minimum. A value below the policy's minimum does not lower it."""
    link_mtu_bytes: int = 1500
    """MTU of the link that the ESP packets leave by."""
    nat_traversal: bool = False
    """Whether ESP is encapsulated in UDP (RFC 3948)."""
    outer: str = "ipv4"
    """Outer IP header: ``ipv4`` or ``ipv6``."""
    authentication: str | None = None
    """Authentication method wanted; None: the cheapest signature of sufficient strength."""
    tunnels: int = 1
    """Peers, each with an IKE SA and its Child SAs, that share the traffic evenly."""
    sas_per_tunnel: int = 1
    """Child SAs of each tunnel. One SA is one core's work in most data planes."""
    cores: int | None = None
    """Cores that may be used for the traffic; None: as many as the dataset has several-core figures for, at most one
    for each Child SA."""
    outbound_share: float | None = None
    """Share of the octets that leave protected, 0 to 1, where one core does both directions and the goal is their sum;
    None: each direction has a core of its own, and the goal and the headline are of the slower one."""
    mode: str = "tunnel"
    """One of :data:`MODES`."""
    inner: str = "ipv4"
    """IP version of the inner packets: ``ipv4`` or ``ipv6``; it decides the TCP MSS and the inner headers of GRE."""
    ike_version: int | None = None
    """1 or 2; None: the policy's first that the peer has too."""
    objective: Objective = Objective.BALANCED
    """What the choice is for."""
    peer: Peer | None = None
    """What the other end can do."""
    round_trip_ms: float = 20.0
    """Round-trip time between the ends: for how long a set-up takes, and how likely both ends rekey at once."""
    reordering_ms: float = 0.0
    """By how much a packet may arrive later than packets that were sent after it: for the anti-replay window."""
    certificate_chain: int = 1
    """Certificates of a peer whose signatures are verified where the ends authenticate by signature: its own, and any
    between it and the trust anchor. An exchange has one signature more, the AUTH payload's."""

    def __post_init__(self) -> None:
        """Refuse nonsense.

        Raises:
            UsageError: a value is out of range; the message names it.
        """
        goal = self.goal_mbit_per_second
        if goal is not None and not 0 < goal < 1e9:
            raise UsageError(f"goal {goal:g} Mbit/s: give a positive rate, such as 500M or 1G")
        if self.min_strength_bits is not None and not 0 < self.min_strength_bits <= 256:
            raise UsageError(f"strength of {self.min_strength_bits} bits: give 1 to 256, such as 128 or 192")
        if self.outer not in ("ipv4", "ipv6"):
            raise UsageError(f"outer header {self.outer!r}: it is 'ipv4' or 'ipv6'")
        least = IPV6_LEAST_MTU_BYTES if self.outer == "ipv6" else 576
        if not least <= self.link_mtu_bytes <= LARGEST_PACKET_BYTES:
            raise UsageError(f"MTU {self.link_mtu_bytes}: a link for {self.outer} has {least} to 65535 octets")
        if self.authentication is not None and self.authentication not in AUTHENTICATION:
            raise UsageError(
                f"authentication {self.authentication!r} is not known; there are {', '.join(AUTHENTICATION)}"
            )
        if self.inner not in ("ipv4", "ipv6"):
            raise UsageError(f"inner header {self.inner!r}: it is 'ipv4' or 'ipv6'")
        if self.mode not in MODES:
            raise UsageError(f"mode {self.mode!r} is not known; there are {', '.join(MODES)}")
        if self.ike_version not in (None, 1, 2):
            raise UsageError(f"IKE version {self.ike_version}: it is 1 or 2")
        if self.outbound_share is not None and not 0 <= self.outbound_share <= 1:
            raise UsageError(f"outbound share {self.outbound_share:g}: give 0 to 1, such as 0.7")
        self._check_numbers()

    def _check_numbers(self) -> None:
        for value, what, most in (
            (self.tunnels, "tunnels", _MOST_TUNNELS),
            (self.sas_per_tunnel, "SAs per tunnel", _MOST_TUNNELS),
            (self.cores, "cores", _MOST_CORES),
        ):
            if value is not None and not 1 <= value <= most:
                raise UsageError(f"{value} {what}: give 1 to {most}")
        for milliseconds, what in ((self.round_trip_ms, "round-trip time"), (self.reordering_ms, "reordering")):
            if not 0 <= milliseconds <= _MOST_MILLISECONDS:
                raise UsageError(f"{what} of {milliseconds:g} ms: give 0 to {_MOST_MILLISECONDS}")
        if not 0 <= self.certificate_chain <= _MOST_CERTIFICATES:
            raise UsageError(f"chain of {self.certificate_chain} certificates: give 0 to {_MOST_CERTIFICATES}")


def parse_rate(text: str) -> float:
    """Mbit/s from a rate such as ``500M``, ``1G``, ``1.5 Gbit/s`` or ``100000000`` (bit/s).

    Raises:
        UsageError: the text is no positive rate.
    """
    plain = text.strip().lower().replace(" ", "")
    for ending in ("bit/s", "bps", "bit"):
        plain = plain.removesuffix(ending)
    unit = plain[-1:] if plain[-1:] in _RATE_UNITS and not plain[-1:].isdigit() else ""
    try:
        value = float(plain.removesuffix(unit) if unit else plain) * _RATE_UNITS[unit]
    except ValueError:
        raise UsageError(f"goal {text!r} is no rate; write it as 500M, 1G or 2.5G (bit/s)") from None
    if not 0 < value < 1e9:
        raise UsageError(f"goal {text!r}: give a positive rate, such as 500M or 1G")
    return value


def rate_text(mbit_per_second: float) -> str:
    """What :func:`parse_rate` reads as exactly this rate, such as ``500M``."""
    short = f"{mbit_per_second:g}"
    return f"{short if float(short) == mbit_per_second else repr(mbit_per_second)}M"


def parse_direction(text: str | float) -> float | None:
    """Share of the octets that leave protected, from ``70:30`` (outbound:inbound) or the share itself.

    Returns:
        None for ``each``: every direction has a core of its own.

    Raises:
        UsageError: it is none of these.
    """
    if not isinstance(text, str):
        return float(text)
    plain = text.strip().lower()
    if plain == "each":
        return None
    parts = plain.split(":")
    try:
        outbound, inbound = (float(part) for part in parts)
        if not (outbound >= 0 and inbound >= 0 and 0 < outbound + inbound < 1e9):
            raise ValueError
    except ValueError:
        raise UsageError(
            f"direction {text!r}: write outbound:inbound, such as 70:30, or 'each' for each direction by itself"
        ) from None
    return outbound / (outbound + inbound)


def direction_text(share: float | None) -> str | float:
    """What :func:`parse_direction` reads as this share."""
    if share is None:
        return "each"
    percent = round(share * 100)
    text = f"{percent}:{100 - percent}"
    return text if parse_direction(text) == share else share
