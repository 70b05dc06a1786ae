"""What the user asks of the recommendation."""

from __future__ import annotations

from dataclasses import dataclass

from ipsecbench.algorithms.authentication import AUTHENTICATION
from ipsecbench.bench.measurement import MIXES, SIMPLE_IMIX, mix_mean_bytes
from ipsecbench.errors import UsageError

_MINIMUM_PACKET_BYTES = 20
_MAXIMUM_PACKET_BYTES = 65_535
_RATE_UNITS = {"": 1e-6, "k": 1e-3, "m": 1.0, "g": 1e3, "t": 1e6}


@dataclass(frozen=True, slots=True)
class Traffic:
    """The packets that are to be carried: one size, or a mix of sizes."""

    size_bytes: int | None = None
    """Octets of the inner IP packet."""
    mix: str | None = None
    """Key of :data:`ipsecbench.bench.measurement.MIXES`, instead of a size."""

    @property
    def mean_bytes(self) -> float:
        """Mean octets of the inner packets."""
        return mix_mean_bytes(self.mix) if self.mix is not None else float(self.size_bytes or 0)

    def __str__(self) -> str:
        """For people, such as ``1400-byte packets`` or ``imix-simple``."""
        return self.mix if self.mix is not None else f"{self.size_bytes}-byte packets"


@dataclass(frozen=True, slots=True)
class PeerConstraints:
    """What the other end can do; None means that nothing is known against it."""

    name: str
    """The peer, for people."""
    key_exchange: frozenset[str] | None = None
    """Key exchange methods that it has."""
    prf: frozenset[str] | None = None
    """Pseudo-random functions that it has."""
    ike_encryption: frozenset[str] | None = None
    """Encryption transforms that it has for IKE."""
    authentication: frozenset[str] | None = None
    """Authentication methods that it has."""
    esp_suites: frozenset[str] | None = None
    """ESP suites that it has."""


@dataclass(frozen=True, slots=True)
class Requirements:
    """What the recommendation has to satisfy. Part of its input, and shown with it."""

    goal_mbit_per_second: float | None = None
    """Throughput wanted, in 10^6 bit/s of inner IP packets in each direction; None: as much as can be had."""
    traffic: Traffic = Traffic(mix=SIMPLE_IMIX)
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
    """Child SAs that share the traffic. One SA is one core's work in most data planes."""
    peer: PeerConstraints | None = None
    """What the other end can do."""

    def __post_init__(self) -> None:
        """Refuse nonsense.

        Raises:
            UsageError: a value is out of range; the message names it.
        """
        goal = self.goal_mbit_per_second
        if goal is not None and not 0 < goal < 1e9:
            raise UsageError(f"goal {goal:g} Mbit/s: give a positive rate, such as 500M or 1G")
        size = self.traffic.size_bytes
        if (size is None) == (self.traffic.mix is None):
            raise UsageError("traffic: give either a packet size or a mix, and not both")
        if self.traffic.mix is not None and self.traffic.mix not in MIXES:
            raise UsageError(f"profile {self.traffic.mix!r} is not known; there are {', '.join(MIXES)}, or a size")
        if size is not None and not _MINIMUM_PACKET_BYTES <= size <= _MAXIMUM_PACKET_BYTES:
            raise UsageError(f"profile {size}: a packet has {_MINIMUM_PACKET_BYTES} to {_MAXIMUM_PACKET_BYTES} octets")
        if self.min_strength_bits is not None and not 0 < self.min_strength_bits <= 256:
            raise UsageError(f"strength of {self.min_strength_bits} bits: give 1 to 256, such as 128 or 192")
        if self.outer not in ("ipv4", "ipv6"):
            raise UsageError(f"outer header {self.outer!r}: it is 'ipv4' or 'ipv6'")
        least = 1280 if self.outer == "ipv6" else 576
        if not least <= self.link_mtu_bytes <= _MAXIMUM_PACKET_BYTES:
            raise UsageError(f"MTU {self.link_mtu_bytes}: a link for {self.outer} has {least} to 65535 octets")
        if self.authentication is not None and self.authentication not in AUTHENTICATION:
            raise UsageError(
                f"authentication {self.authentication!r} is not known; there are {', '.join(AUTHENTICATION)}"
            )
        if self.tunnels < 1:
            raise UsageError(f"{self.tunnels} tunnels: there is at least one")


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


def parse_traffic(text: str) -> Traffic:
    """The traffic that a name or a size stands for: ``imix``, ``imix-csit``, ``1400``.

    Raises:
        UsageError: the text names no mix and is no packet size.
    """
    plain = text.strip().lower()
    if plain == "imix":
        return Traffic(mix=SIMPLE_IMIX)
    if plain in MIXES:
        return Traffic(mix=plain)
    if plain.isascii() and plain.isdigit() and len(plain) <= 6:
        return Traffic(size_bytes=int(plain))
    raise UsageError(
        f"profile {text!r} is not known; there are imix, {', '.join(MIXES)}, or a packet size such as 1400"
    )
