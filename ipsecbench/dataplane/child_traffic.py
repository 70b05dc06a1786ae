"""From what IKE has negotiated to what a data plane is told: SAs and policies of a Child SA."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from types import MappingProxyType

from ipsecbench.algorithms.suites import EspSuite, parse_esp_suite
from ipsecbench.errors import DataPlaneError
from ipsecbench.esp.configuration import (
    Action,
    Direction,
    DontFragment,
    Layering,
    PolicyConfiguration,
    SaConfiguration,
    SaLimits,
    SelectorPair,
    UdpEncapsulation,
)
from ipsecbench.esp.mode import Mode
from ipsecbench.esp.traffic_selector import ANY_PROTOCOL, TrafficSelector
from ipsecbench.ike.events import ChildSaInfo, NegotiatedEsp
from ipsecbench.ike.path import Path

REPLAY_WINDOW_PACKETS = 64
"""Width of the anti-replay window where none is configured (RFC 4303 section 3.4.3 wants 64)."""
PATH_MTU_BYTES = 1500
"""Largest outer packet where nothing else is known."""
MAX_SELECTOR_PAIRS = 1024
"""More combinations of both ends' selectors are refused."""
_SEQUENCE_NUMBERS = 2**32 - 1
_SOFT_SHARE = 0.9
"""Part of the sequence numbers of an SA without ESN after which it is rekeyed."""


@dataclass(frozen=True, slots=True)
class ChildTraffic:
    """How the traffic of one configured Child SA is carried: what IKE does not negotiate."""

    layering: Layering = Layering.NONE
    """What is put between the packets and ESP, in transport mode only."""
    layered_local_ts: tuple[TrafficSelector, ...] = ()
    """With layering: this end's traffic, within GRE or IP-in-IP; empty: any."""
    layered_remote_ts: tuple[TrafficSelector, ...] = ()
    """With layering: the peer's traffic, within GRE or IP-in-IP."""
    replay_window_packets: int = REPLAY_WINDOW_PACKETS
    """Width of the anti-replay window; 0: no protection against replays."""
    dont_fragment: DontFragment = DontFragment.COPY
    """DF of outer IPv4 headers in tunnel mode."""
    copy_dscp: bool = True
    """Whether DSCP goes outside in tunnel mode."""
    tfc_bytes: int = 0
    """Every payload in tunnel mode is padded to at least so many octets."""


@dataclass(frozen=True, slots=True)
class Shunt:
    """Traffic that no Child SA carries: BYPASS or DISCARD (RFC 4301 section 4.4.1)."""

    name: str
    """Name of the configuration."""
    action: Action
    """BYPASS or DISCARD."""
    local_ts: tuple[TrafficSelector, ...]
    """This end's traffic."""
    remote_ts: tuple[TrafficSelector, ...]
    """The other end's traffic."""


@dataclass(frozen=True, slots=True)
class TrafficConfiguration:
    """Everything about traffic in the configuration of an endpoint."""

    children: Mapping[tuple[str, str], ChildTraffic] = field(default_factory=lambda: MappingProxyType({}))
    """By names of connection and child; those that are missing have the defaults."""
    shunts: tuple[Shunt, ...] = ()
    """BYPASS and DISCARD."""
    path_mtu_bytes: int = PATH_MTU_BYTES
    """Largest outer packet."""

    def of(self, connection: str, child: str) -> ChildTraffic:
        """How a child's traffic is carried."""
        return self.children.get((connection, child), _DEFAULT)


_DEFAULT = ChildTraffic()
ALL_ADDRESSES = (TrafficSelector(4, 0, 2**32 - 1), TrafficSelector(6, 0, 2**128 - 1))
"""Selectors of every packet."""


def suite_of(negotiated: NegotiatedEsp) -> EspSuite:
    """The ESP suite that was negotiated."""
    words = (negotiated.encryption, negotiated.integrity)
    return parse_esp_suite("-".join(word for word in words if word))


def carried(info: ChildSaInfo, traffic: ChildTraffic) -> tuple[Sequence[TrafficSelector], Sequence[TrafficSelector]]:
    """What goes through the TUN device for a Child SA: local and remote selectors. With layering, those within."""
    if traffic.layering is Layering.NONE:
        return info.local_ts, info.remote_ts
    return traffic.layered_local_ts or ALL_ADDRESSES, traffic.layered_remote_ts


def selector_pairs(
    sources: Sequence[TrafficSelector], destinations: Sequence[TrafficSelector]
) -> tuple[SelectorPair, ...]:
    """Every combination that a packet can have: one IP version, one protocol.

    Raises:
        DataPlaneError: there are none, or too many.
    """
    pairs: list[SelectorPair] = []
    for source in sources:
        for destination in destinations:
            one_protocol = ANY_PROTOCOL in (source.protocol, destination.protocol) or (
                source.protocol == destination.protocol
            )
            if source.version == destination.version and one_protocol:
                pairs.append(SelectorPair(source, destination))
                if len(pairs) > MAX_SELECTOR_PAIRS:
                    raise DataPlaneError(f"more than {MAX_SELECTOR_PAIRS} combinations of traffic selectors")
    if not pairs:
        raise DataPlaneError("no packet fits the traffic selectors of both ends")
    return tuple(pairs)


def limits_of(info: ChildSaInfo, now: float) -> SaLimits:
    """Lives as a data plane counts them. Soft limits in time are IKE's own business.

    Without ESN an SA has 2^32 - 1 packets (RFC 4303 section 3.3.3): it is to be replaced before they are used up.
    """
    expiry = info.expiry
    soft_packets = ceil(expiry.soft_packets or 0)
    if not info.negotiated.esn:
        soft_packets = min(soft_packets or _SEQUENCE_NUMBERS, int(_SEQUENCE_NUMBERS * _SOFT_SHARE))
    return SaLimits(
        soft_bytes=ceil(expiry.soft_bytes or 0),
        hard_bytes=ceil(expiry.hard_bytes or 0),
        soft_packets=soft_packets,
        hard_packets=ceil(expiry.hard_packets or 0),
        hard_seconds=0.0 if expiry.hard_at is None else max(0.001, expiry.hard_at - now),
    )


def encapsulation_of(info: ChildSaInfo, path: Path, direction: Direction) -> UdpEncapsulation | None:
    """The ports of ESP in UDP: those of IKE behind a NAT (RFC 3948 section 2)."""
    if not info.udp_encapsulation:
        return None
    if direction is Direction.OUTBOUND:
        return UdpEncapsulation(path.local.port, path.remote.port)
    return UdpEncapsulation(path.remote.port, path.local.port)


def ends_of(path: Path, direction: Direction) -> tuple[str, str]:
    """Source and destination of outer packets."""
    local, remote = path.local.host, path.remote.host
    return (local, remote) if direction is Direction.OUTBOUND else (remote, local)


def sa_of(
    info: ChildSaInfo, direction: Direction, reqid: int, traffic: ChildTraffic, path_mtu_bytes: int, now: float
) -> SaConfiguration:
    """One of the two SAs of a Child SA.

    Raises:
        DataPlaneError: its selectors cannot be had.
    """
    outbound = direction is Direction.OUTBOUND
    keys = info.outbound if outbound else info.inbound
    source, destination = ends_of(info.path, direction)
    local, remote = carried(info, traffic)
    return SaConfiguration(
        direction=direction,
        spi=int.from_bytes(info.outbound_spi if outbound else info.inbound_spi),
        reqid=reqid,
        suite=suite_of(info.negotiated),
        encryption_key=keys.encryption,
        integrity_key=keys.integrity,
        mode=info.mode,
        source=source,
        destination=destination,
        esn=info.negotiated.esn,
        replay_window_packets=0 if outbound else traffic.replay_window_packets,
        encapsulation=encapsulation_of(info, info.path, direction),
        layering=traffic.layering if info.mode is Mode.TRANSPORT else Layering.NONE,
        # With layering the policies hold the inner packet against its own selectors.
        selectors=selector_pairs(remote, local) if not outbound and traffic.layering is Layering.NONE else (),
        limits=limits_of(info, now),
        path_mtu_bytes=path_mtu_bytes,
        dont_fragment=traffic.dont_fragment,
        copy_dscp=traffic.copy_dscp,
        tfc_bytes=traffic.tfc_bytes if outbound and info.mode is Mode.TUNNEL else 0,
    )


def policy_of(info: ChildSaInfo, direction: Direction, reqid: int, traffic: ChildTraffic) -> PolicyConfiguration:
    """The policy of a Child SA in one direction.

    Raises:
        DataPlaneError: its selectors cannot be had.
    """
    local, remote = carried(info, traffic)
    ends = (local, remote) if direction is Direction.OUTBOUND else (remote, local)
    return PolicyConfiguration(direction, selector_pairs(*ends), Action.PROTECT, reqid)


SHUNT_PRIORITY = 100
"""BYPASS and DISCARD go before PROTECT."""


def shunt_policies(shunt: Shunt) -> tuple[PolicyConfiguration, ...]:
    """The policies of traffic that no Child SA carries, in both directions."""
    return (
        PolicyConfiguration(
            Direction.OUTBOUND, selector_pairs(shunt.local_ts, shunt.remote_ts), shunt.action, 0, SHUNT_PRIORITY
        ),
        PolicyConfiguration(
            Direction.INBOUND, selector_pairs(shunt.remote_ts, shunt.local_ts), shunt.action, 0, SHUNT_PRIORITY
        ),
    )
