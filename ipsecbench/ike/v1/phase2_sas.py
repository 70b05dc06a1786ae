"""The phase 2 SAs of an ISAKMP SA: set up, rekeyed, deleted, expired, and handed over to the next ISAKMP SA."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from ipsecbench.esp.traffic_selector import TrafficSelector
from ipsecbench.ike.configuration import ChildConfiguration
from ipsecbench.ike.events import ChildSaInfo, SaKeys
from ipsecbench.ike.lifetime import Expiry, Lifetime, Limit, draw
from ipsecbench.ike.v1.phase2_negotiation import Phase2Lives, Phase2Suite

KILOBYTE = 1024
"""Octets in a kilobyte of a life (RFC 2407 section 4.5)."""
DELETE_REPLACED_SECONDS = 5.0
"""How long an SA that was rekeyed stays for packets under way."""
DELETE_FORSAKEN_SECONDS = 15.0
"""When an SA that was made in vain, and that the peer ought to delete, is deleted here: where rekeyings of both ends
overlap, the peer may not have noticed."""
RETRY_REKEY_SECONDS = 10.0
"""Wait before a rekeying that failed is tried again."""
_SOFT_SHARE = 0.9


@dataclass(frozen=True, slots=True)
class Agreement:
    """What a quick mode has agreed on."""

    configuration: ChildConfiguration
    """What it is for."""
    is_initiator: bool
    """Whether this end began."""
    inbound_spi: bytes
    """SPI of packets to here."""
    outbound_spi: bytes
    """SPI of packets from here."""
    local_ts: TrafficSelector
    """This end's traffic."""
    remote_ts: TrafficSelector
    """The peer's traffic."""
    suite: Phase2Suite
    """Transforms."""
    lives: Phase2Lives
    """The shorter of both ends' lives."""
    inbound: SaKeys = field(repr=False)
    """Keys of packets to here."""
    outbound: SaKeys = field(repr=False)
    """Keys of packets from here."""
    lowest_nonce: bytes
    """The smaller of both nonces; decides between two SAs that replace the same one."""


@dataclass(slots=True)
class Phase2Sa:
    """A pair of ESP SAs that is installed."""

    info: ChildSaInfo
    """What the driver knows of it."""
    configuration: ChildConfiguration
    """What it was made for."""
    lowest_nonce: bytes
    """See :class:`Agreement`."""
    replaced: bool = False
    """Whether a newer one has its place: it is not rekeyed any more."""
    rekeying: bool = False
    """Whether a quick mode for its successor goes on."""
    rekey_at: float | None = None
    """When it is rekeyed."""
    delete_at: float | None = None
    """When it is deleted: it was replaced."""

    @property
    def expires_at(self) -> float | None:
        """When it ends whatever happens."""
        return self.info.expiry.hard_at

    def timeouts(self) -> Iterator[float | None]:
        """When something is to be done about it."""
        yield self.expires_at
        yield self.delete_at
        if not (self.replaced or self.rekeying):
            yield self.rekey_at


def lives_of(lifetime: Lifetime) -> Phase2Lives:
    """The hard limits as a transform names them."""
    seconds = None if lifetime.seconds is None else max(1, int(lifetime.seconds.life))
    kilobytes = None if lifetime.bytes is None else max(1, int(lifetime.bytes.life) // KILOBYTE)
    return Phase2Lives(seconds, kilobytes)


def shorter(left: Phase2Lives, right: Phase2Lives) -> Phase2Lives:
    """The shorter of two lives; a missing one has no limit."""
    return Phase2Lives(_least(left.seconds, right.seconds), _least(left.kilobytes, right.kilobytes))


def _least(left: int | None, right: int | None) -> int | None:
    known = [each for each in (left, right) if each is not None]
    return min(known, default=None)


def limited(lifetime: Lifetime, seconds: int | None, octets: int | None) -> Lifetime:
    """A configured life cut to what was negotiated; the soft limits shrink with the hard ones."""
    return Lifetime(_cut(lifetime.seconds, seconds), _cut(lifetime.bytes, octets), lifetime.packets)


def _cut(limit: Limit | None, life: int | None) -> Limit | None:
    if life is None or (limit is not None and limit.life <= life):
        return limit
    if limit is None:
        return Limit(rekey=life * _SOFT_SHARE, life=life, rand=life * (1 - _SOFT_SHARE) / 2)
    share = life / limit.life
    return Limit(rekey=limit.rekey * share, life=life, rand=limit.rand * share)


def expiry_of(agreement: Agreement, now: float, random_octets: bytes) -> Expiry:
    """The limits of a new SA."""
    lives = agreement.lives
    octets = None if lives.kilobytes is None else lives.kilobytes * KILOBYTE
    return draw(limited(agreement.configuration.lifetime, lives.seconds, octets), now, random_octets)


class Phase2Sas:
    """Those of one ISAKMP SA, by inbound SPI."""

    __slots__ = ("_by_spi",)

    def __init__(self) -> None:
        self._by_spi: dict[bytes, Phase2Sa] = {}

    def __iter__(self) -> Iterator[Phase2Sa]:
        return iter(tuple(self._by_spi.values()))

    def __len__(self) -> int:
        return len(self._by_spi)

    def add(self, sa: Phase2Sa) -> None:
        """One more."""
        self._by_spi[sa.info.inbound_spi] = sa

    def get(self, inbound_spi: bytes) -> Phase2Sa | None:
        """The one of an inbound SPI."""
        return self._by_spi.get(inbound_spi)

    def remove(self, inbound_spi: bytes) -> Phase2Sa | None:
        """Take one out."""
        return self._by_spi.pop(inbound_spi, None)

    def with_outbound(self, spi: bytes) -> Phase2Sa | None:
        """The one whose packets to the peer have an SPI: by it the peer names it in a Delete payload."""
        return next((sa for sa in self if sa.info.outbound_spi == spi), None)

    def current(self, name: str, local_ts: TrafficSelector, remote_ts: TrafficSelector) -> Phase2Sa | None:
        """The newest one for a child and its traffic that was not replaced."""
        found = [
            sa
            for sa in self
            if not sa.replaced
            and sa.info.name == name
            and (sa.info.local_ts, sa.info.remote_ts) == ((local_ts,), (remote_ts,))
        ]
        return found[-1] if found else None

    def adopt(self, others: Phase2Sas, unique_id: int) -> None:
        """Take over all SAs of another ISAKMP SA."""
        for sa in others:
            others.remove(sa.info.inbound_spi)
            sa.info = replace(sa.info, ike_unique_id=unique_id)
            sa.rekeying = False
            self.add(sa)
