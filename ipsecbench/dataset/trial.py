"""Results of the laboratory that are no time per packet: rates without loss, latencies, loss curves, set-ups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ipsecbench.bench.measurement import Estimate, Status, Tier

CLEARTEXT = "cleartext"
"""Stands for the suite where nothing is protected."""
PLAIN_VETH = "veth"
"""Stands for the data plane where there is none: two hosts and the pair of devices between them."""


class TrialKind(StrEnum):
    """What was tried."""

    THROUGHPUT = "throughput"
    """Highest rate without loss and with 0.5% (RFC 2544 section 26.1)."""
    LATENCY = "latency"
    """Delay at that rate (section 26.2)."""
    FRAME_LOSS = "frame-loss"
    """Loss at falling rates (section 26.3)."""
    TCP_STREAM = "tcp-stream"
    """One TCP connection."""
    SETUP_RATE = "setup-rate"
    """IKE SAs with their Child SA per second."""
    FIRST_PACKET = "first-packet"
    """From the start of the negotiation to the first packet through the SA."""
    MANY_SAS = "many-sas"
    """Cost of a packet with many SAs beside the one that carries it."""


@dataclass(frozen=True, slots=True)
class LabTrial:
    """One result, with the raw figures that it comes from."""

    kind: TrialKind
    """What was tried."""
    tier: Tier
    """``tun-lab``, ``kernel`` or ``on-wire``."""
    provider: str
    """Whose data plane: ``agent``, ``reference``, ``kernel``, ``strongswan``, or ``veth`` where there is none."""
    algorithm: str
    """ESP suite, or :data:`CLEARTEXT`."""
    peer: str | None = None
    """Whose data plane is at the other end; None where there is none."""
    direction: str | None = None
    """``outbound``, ``inbound`` or ``both``, seen from ``provider``; None where it has no meaning."""
    size_bytes: int | None = None
    """Octets of the inner packets; None for a mix and where size has no meaning."""
    mix: str | None = None
    """Mix of sizes instead."""
    encapsulation: str | None = None
    """``udp`` or ``none`` (IP protocol 50); None without ESP."""
    status: Status = Status.OK
    """What became of it."""
    message: str | None = None
    """Why the status is not ``ok``."""
    limited_by: str | None = None
    """``plane`` or ``generator``: what kept the result from being better; None where it has no meaning."""
    values: Mapping[str, Estimate] = field(default_factory=dict)
    """Results by name; the unit is in the name, such as ``ndr_pps``."""
    raw: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Raw figures as columns of equal length, such as ``offered_pps``, ``sent``, ``received``."""
    detail: Mapping[str, Any] = field(default_factory=dict)
    """Facts about what was run."""

    @property
    def key(self) -> tuple[object, ...]:
        """What a dataset has only once."""
        return (
            *(self.kind, self.tier, self.provider, self.peer, self.algorithm),
            *(self.direction, self.size_bytes, self.mix, self.encapsulation),
        )

    @property
    def usable(self) -> bool:
        """Whether it carries a figure."""
        return bool(self.values)
