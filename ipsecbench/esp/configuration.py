"""What a data plane is told: Security Associations and policies (RFC 4301 section 4.4), alike for every plane."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from ipsecbench.algorithms.suites import EspSuite
from ipsecbench.esp.mode import Layering as Layering
from ipsecbench.esp.mode import Mode
from ipsecbench.esp.traffic_selector import TrafficSelector
from ipsecbench.secret import Secret


class Direction(StrEnum):
    """Of traffic, seen from this host."""

    INBOUND = "inbound"
    """From the peer."""
    OUTBOUND = "outbound"
    """To the peer."""


class Action(StrEnum):
    """What a policy does with a packet (RFC 4301 section 4.4.1)."""

    PROTECT = "protect"
    """ESP."""
    BYPASS = "bypass"
    """As it is."""
    DISCARD = "discard"
    """Nothing: it is dropped and counted."""


class DontFragment(StrEnum):
    """The DF bit of an outer IPv4 header in tunnel mode (RFC 4301 section 8.1)."""

    COPY = "copy"
    SET = "set"
    CLEAR = "clear"


class Fragmentation(StrEnum):
    """What is done in tunnel mode with an inner IPv4 packet that may be fragmented and does not fit the path."""

    BEFORE = "before"
    """It is fragmented, and each fragment gets ESP: the other end has nothing to put together."""
    AFTER = "after"
    """It gets ESP, and the outer packet is fragmented; always so in transport mode (RFC 4303 section 3.3.4)."""


@dataclass(frozen=True, slots=True)
class UdpEncapsulation:
    """ESP in UDP (RFC 3948)."""

    source_port: int
    """Port of the sender."""
    destination_port: int
    """Port of the receiver."""


@dataclass(frozen=True, slots=True)
class SaLimits:
    """How much an SA may carry; 0 is no limit. Beyond soft a new one is wanted, beyond hard nothing passes."""

    soft_bytes: int = 0
    hard_bytes: int = 0
    soft_packets: int = 0
    hard_packets: int = 0
    soft_seconds: float = 0.0
    hard_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class SelectorPair:
    """Packets that a policy or an SA is for: source and destination. Protocol and ports are those of both."""

    source: TrafficSelector
    destination: TrafficSelector


@dataclass(frozen=True, slots=True)
class SaConfiguration:
    """One ESP SA: one direction, one SPI."""

    direction: Direction
    """Whether it opens or seals."""
    spi: int
    """Security Parameters Index, 256 or more."""
    reqid: int
    """Ties SAs to policies, as in Linux: a policy that protects uses the newest outbound SA with its reqid."""
    suite: EspSuite
    """Transforms."""
    encryption_key: Secret
    """Key and salt, as KEYMAT gives them."""
    integrity_key: Secret | None
    """Key of the integrity transform; None beside a combined mode."""
    mode: Mode
    """Mode."""
    source: str
    """IP address of the outer packet's sender."""
    destination: str
    """IP address of the outer packet's receiver."""
    esn: bool = False
    """Extended sequence numbers."""
    replay_window_packets: int = 64
    """Inbound: width of the anti-replay window; 0: no protection against replays."""
    encapsulation: UdpEncapsulation | None = None
    """Ports, where ESP is in UDP; None: IP protocol 50."""
    layering: Layering = Layering.NONE
    """What is put between the packet and ESP, in transport mode only."""
    selectors: tuple[SelectorPair, ...] = ()
    """Inbound: what may be inside (RFC 4301 section 5.2 step 4); empty: anything that a policy admits."""
    limits: SaLimits = field(default_factory=SaLimits)
    """Lives."""
    path_mtu_bytes: int = 1500
    """Outbound: largest outer packet."""
    dont_fragment: DontFragment = DontFragment.COPY
    """Outbound in tunnel mode over IPv4."""
    fragmentation: Fragmentation = Fragmentation.BEFORE
    """Outbound in tunnel mode."""
    copy_dscp: bool = True
    """Outbound in tunnel mode: DSCP goes outside; False: 0 outside. ECN follows RFC 6040 in both directions."""
    tfc_bytes: int = 0
    """Outbound in tunnel mode and with a layering: every payload is padded to at least so many octets, where they fit
    the path (RFC 4303 section 2.7)."""


@dataclass(frozen=True, slots=True)
class PolicyConfiguration:
    """One entry of the SPD."""

    direction: Direction
    """Which packets it is for."""
    selectors: tuple[SelectorPair, ...]
    """Packets that it is for; any one pair."""
    action: Action
    """What is done with them."""
    reqid: int = 0
    """With PROTECT: which SAs."""
    priority: int = 1000
    """The lowest number goes first; of equal ones, the one that was added first."""
