"""What an endpoint tells its driver. Events carry the keys: the driver hands them to a data plane and to a key log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from ipsecbench.algorithms.proposals import PRF_OF_INTEGRITY
from ipsecbench.esp.mode import Mode
from ipsecbench.esp.traffic_selector import TrafficSelector
from ipsecbench.ike.identification import Identity
from ipsecbench.ike.lifetime import Expiry
from ipsecbench.ike.path import Path
from ipsecbench.secret import Secret

NO_KEYS: Mapping[str, Secret] = MappingProxyType({})
"""No keys."""


@dataclass(frozen=True, slots=True)
class NegotiatedIke:
    """The transforms of an IKE SA."""

    encryption: str
    """Encryption transform."""
    integrity: str | None
    """Integrity transform; None beside a combined mode. In IKEv1: the token of the hash."""
    prf: str
    """Pseudo-random function."""
    key_exchange: str
    """Key exchange method."""
    additional_key_exchanges: tuple[str, ...] = ()
    """Additional key exchange methods in the order in which they were done (RFC 9370)."""

    @property
    def text(self) -> str:
        """Spelled as a proposal."""
        prf = None if PRF_OF_INTEGRITY.get(self.integrity or "") == self.prf else self.prf
        return _joined(
            self.encryption, self.integrity, prf, *_exchanges(self.key_exchange, self.additional_key_exchanges)
        )


@dataclass(frozen=True, slots=True)
class NegotiatedEsp:
    """The transforms of a Child SA."""

    encryption: str
    """Encryption transform."""
    integrity: str | None
    """Integrity transform; None beside a combined mode."""
    esn: bool
    """Extended sequence numbers."""
    key_exchange: str | None = None
    """Key exchange method for perfect forward secrecy; None: without."""
    additional_key_exchanges: tuple[str, ...] = ()
    """Additional key exchange methods."""

    @property
    def text(self) -> str:
        """Spelled as a proposal."""
        exchanges = _exchanges(self.key_exchange, self.additional_key_exchanges)
        return _joined(self.encryption, self.integrity, *exchanges, "esn" if self.esn else None)


def _exchanges(first: str | None, additional: tuple[str, ...]) -> list[str | None]:
    return [first, *(f"ke{number}_{name}" for number, name in enumerate(additional, 1))]


def _joined(*words: str | None) -> str:
    return "-".join(word for word in words if word)


@dataclass(frozen=True, slots=True)
class IkeSaInfo:
    """One IKE SA; an ISAKMP SA in IKEv1."""

    unique_id: int
    """Number within the endpoint."""
    version: int
    """1 or 2."""
    connection: str
    """Name of the connection."""
    is_initiator: bool
    """Role of this end."""
    spi_i: bytes
    """Initiator's SPI."""
    spi_r: bytes
    """Responder's SPI."""
    path: Path
    """Both ends."""
    local_identity: Identity
    """This end."""
    remote_identity: Identity
    """The peer, as proven."""
    negotiated: NegotiatedIke
    """Transforms."""
    nat_local: bool
    """Whether this end is behind a NAT, or pretends to be."""
    nat_remote: bool
    """Whether the peer is behind a NAT."""
    keys: Mapping[str, Secret] = field(default_factory=lambda: NO_KEYS, repr=False)
    """``sk_ei``, ``sk_er``, ``sk_ai``, ``sk_ar`` (combined modes: salt at the end of ``sk_e*``, no ``sk_a*``); in
    IKEv1 ``encryption_key``."""


@dataclass(frozen=True, slots=True)
class SaKeys:
    """Keys of one direction of a Child SA."""

    encryption: Secret
    """Key and salt, as KEYMAT gives them."""
    integrity: Secret | None
    """Key of the integrity transform; None beside a combined mode."""


@dataclass(frozen=True, slots=True)
class ChildSaInfo:
    """One Child SA: a pair of ESP SAs."""

    ike_unique_id: int
    """IKE SA that it belongs to."""
    name: str
    """Name of the configuration."""
    version: int
    """Version of IKE that made it."""
    is_initiator: bool
    """Whether this end asked for it."""
    inbound_spi: bytes
    """SPI of packets to here; 4 octets, chosen here."""
    outbound_spi: bytes
    """SPI of packets from here; 4 octets, chosen by the peer."""
    mode: Mode
    """Mode."""
    local_ts: tuple[TrafficSelector, ...]
    """This end's traffic."""
    remote_ts: tuple[TrafficSelector, ...]
    """The peer's traffic."""
    negotiated: NegotiatedEsp
    """Transforms."""
    inbound: SaKeys = field(repr=False)
    """Keys of packets to here."""
    outbound: SaKeys = field(repr=False)
    """Keys of packets from here."""
    udp_encapsulation: bool
    """Whether ESP is in UDP."""
    path: Path
    """Both ends."""
    expiry: Expiry
    """Limits."""


@dataclass(frozen=True, slots=True)
class IkeSaEstablished:
    """An IKE SA is set up and both ends are authenticated."""

    sa: IkeSaInfo


@dataclass(frozen=True, slots=True)
class IkeSaKeysDerived:
    """Keys of an IKE SA exist (before authentication); for the key log only."""

    sa: IkeSaInfo


@dataclass(frozen=True, slots=True)
class IkeSaRekeyed:
    """An IKE SA replaces another; its Child SAs move over."""

    old_unique_id: int
    sa: IkeSaInfo


@dataclass(frozen=True, slots=True)
class IkeSaDeleted:
    """An IKE SA is gone, its Child SAs too (a ``ChildSaDeleted`` precedes for each)."""

    unique_id: int
    connection: str
    reason: str
    """One line: who deleted it, or why."""


@dataclass(frozen=True, slots=True)
class IkeSaFailed:
    """An IKE SA could not be set up."""

    unique_id: int
    connection: str
    is_initiator: bool
    reason: str
    """One line."""
    notify: int | None = None
    """Notify Message Type that says why, sent or received."""


@dataclass(frozen=True, slots=True)
class ChildSaPrepared:
    """The peer may send with a Child SA before this end knows that it is set up: its inbound keys are to be installed.

    The responder of an IKEv1 quick mode has the keys before the last message, and packets may overtake that message.
    ``ChildSaEstablished`` or ``ChildSaRekeyed`` follows, or ``ChildSaWithdrawn``.
    """

    sa: ChildSaInfo


@dataclass(frozen=True, slots=True)
class ChildSaWithdrawn:
    """A Child SA that was prepared is not to be: its keys are to be removed."""

    ike_unique_id: int
    name: str
    inbound_spi: bytes


@dataclass(frozen=True, slots=True)
class ChildSaEstablished:
    """A Child SA is set up; its keys are to be installed."""

    sa: ChildSaInfo


@dataclass(frozen=True, slots=True)
class ChildSaRekeyed:
    """A Child SA replaces another, which is deleted later (``ChildSaDeleted``)."""

    old_inbound_spi: bytes
    sa: ChildSaInfo


@dataclass(frozen=True, slots=True)
class ChildSaDeleted:
    """A Child SA is gone; its keys are to be removed."""

    ike_unique_id: int
    name: str
    inbound_spi: bytes
    outbound_spi: bytes
    reason: str
    """One line."""


@dataclass(frozen=True, slots=True)
class ChildSaFailed:
    """A Child SA could not be set up or rekeyed; the IKE SA stays."""

    ike_unique_id: int
    name: str
    reason: str
    """One line."""
    notify: int | None = None
    """Notify Message Type that says why, sent or received."""


@dataclass(frozen=True, slots=True)
class PathChanged:
    """The peer's address changed (RFC 7296 section 2.23): outbound ESP goes to the new one."""

    unique_id: int
    path: Path


@dataclass(frozen=True, slots=True)
class PeerAlive:
    """The peer answered a liveness check."""

    unique_id: int


ChildSaEvent = ChildSaPrepared | ChildSaWithdrawn | ChildSaEstablished | ChildSaRekeyed | ChildSaDeleted | ChildSaFailed

Event = (
    IkeSaEstablished
    | IkeSaKeysDerived
    | IkeSaRekeyed
    | IkeSaDeleted
    | IkeSaFailed
    | ChildSaEvent
    | PathChanged
    | PeerAlive
)
