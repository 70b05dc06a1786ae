"""What an end of the laboratory says of itself, alike for ours and for strongSwan."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ipsecbench.ike.events import ChildSaInfo, IkeSaInfo
from ipsecbench.lab.strongswan import PeerChildSa, PeerIkeSa


@dataclass(frozen=True, slots=True)
class ChildSaStatus:
    """A Child SA (IKEv1: a pair of IPsec SAs)."""

    name: str
    mode: str
    proposal: str
    """Transforms, spelled as in proposals; for strongSwan its own names."""
    inbound_spi: str
    """Eight hexadecimal digits; what this end receives on."""
    outbound_spi: str
    udp_encapsulation: bool | None
    """None: this end does not say."""
    local_ts: tuple[str, ...]
    remote_ts: tuple[str, ...]
    packets_in: int = 0
    bytes_in: int = 0
    packets_out: int = 0
    bytes_out: int = 0
    replayed: int = 0
    forged: int = 0


@dataclass(frozen=True, slots=True)
class IkeSaStatus:
    """An IKE SA (IKEv1: an ISAKMP SA)."""

    unique_id: int
    version: int
    role: str
    state: str
    proposal: str
    spi_i: str
    """Sixteen hexadecimal digits."""
    spi_r: str
    local: str
    remote: str
    nat_local: bool
    nat_remote: bool
    children: tuple[ChildSaStatus, ...]


@dataclass(frozen=True, slots=True)
class EndStatus:
    """One end."""

    side: str
    """A or B."""
    host: str
    """Name of its network namespace."""
    program: str
    """``ipsecbench`` or ``strongswan``."""
    dataplane: str
    """Which data plane carries its ESP."""
    running: bool
    outer_address: str
    inner_address: str
    ike_sas: tuple[IkeSaStatus, ...] = ()
    packets_in: int = 0
    bytes_in: int = 0
    packets_out: int = 0
    bytes_out: int = 0
    dropped: Mapping[str, int] = dataclasses.field(default_factory=dict)
    """By Linux's names of the counters."""
    cpu_ns: Mapping[str, int] = dataclasses.field(default_factory=dict)
    """Processor time of the data plane by part."""
    failure: str = ""
    """Why it is not running, where it has ended by itself."""

    def to_dict(self) -> dict[str, Any]:
        """For a program."""
        return dataclasses.asdict(self)

    @property
    def children(self) -> tuple[ChildSaStatus, ...]:
        """Child SAs of every IKE SA."""
        return tuple(child for sa in self.ike_sas for child in sa.children)


def own_ike_sa(sa: IkeSaInfo, children: tuple[ChildSaStatus, ...]) -> IkeSaStatus:
    """An IKE SA of ours."""
    return IkeSaStatus(
        unique_id=sa.unique_id,
        version=sa.version,
        role="initiator" if sa.is_initiator else "responder",
        state="established",
        proposal=sa.negotiated.text,
        spi_i=sa.spi_i.hex(),
        spi_r=sa.spi_r.hex(),
        local=str(sa.path.local),
        remote=str(sa.path.remote),
        nat_local=sa.nat_local,
        nat_remote=sa.nat_remote,
        children=children,
    )


def own_child_sa(child: ChildSaInfo, **counted: int) -> ChildSaStatus:
    """A Child SA of ours, with what it has carried."""
    return ChildSaStatus(
        name=child.name,
        mode=str(child.mode),
        proposal=child.negotiated.text,
        inbound_spi=child.inbound_spi.hex(),
        outbound_spi=child.outbound_spi.hex(),
        udp_encapsulation=child.udp_encapsulation,
        local_ts=tuple(map(str, child.local_ts)),
        remote_ts=tuple(map(str, child.remote_ts)),
        **counted,
    )


def strongswan_ike_sa(sa: PeerIkeSa) -> IkeSaStatus:
    """An IKE SA of strongSwan."""
    return IkeSaStatus(
        unique_id=sa.unique_id,
        version=sa.version,
        role="initiator" if sa.is_initiator else "responder",
        state=sa.state.lower(),
        proposal="/".join(word for word in (sa.encryption, sa.integrity, sa.prf, sa.key_exchange) if word),
        spi_i=sa.spi_i,
        spi_r=sa.spi_r,
        local=sa.local_id,
        remote=f"{sa.remote_host}:{sa.remote_port}",
        nat_local=sa.nat_local,
        nat_remote=sa.nat_remote,
        children=tuple(_strongswan_child_sa(child) for child in sa.children),
    )


def _strongswan_child_sa(child: PeerChildSa) -> ChildSaStatus:
    words = (child.encryption, child.integrity, child.key_exchange, "ESN" if child.extended_sequence_numbers else "")
    return ChildSaStatus(
        name=child.name,
        mode=child.mode.lower(),
        proposal="/".join(word for word in words if word),
        inbound_spi=child.spi_in,
        outbound_spi=child.spi_out,
        udp_encapsulation=None,
        local_ts=child.local_selectors,
        remote_ts=child.remote_selectors,
        packets_in=child.packets_in,
        bytes_in=child.bytes_in,
        packets_out=child.packets_out,
        bytes_out=child.bytes_out,
    )
