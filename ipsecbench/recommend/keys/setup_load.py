"""What setting up, rekeying and bringing back tunnels costs, as data. Times of processors are microseconds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ipsecbench.bench.measurement import Estimate
from ipsecbench.recommend.reasons import Reason


class ProtocolBasis(StrEnum):
    """Where the cost of messages, state machines and datagrams comes from."""

    MEASURED = "measured with ipsecbench's own stack, in Python"
    """Rows of the tier ``handshake`` of this box: above what a daemon in C takes."""
    STATED = "not measured: a stated default with wide bounds"
    """The dataset has no such row."""


@dataclass(frozen=True, slots=True)
class EndCost:
    """Processor time of one exchange at one end, by what it goes to."""

    key_exchange_us: Estimate
    """Key pairs and shared secrets."""
    authentication_us: Estimate
    """Signatures made and verified, the peer's certificates included; none with a pre-shared key."""
    prf_us: Estimate
    """The PRF: key derivation, and with a pre-shared key the authentication."""
    cryptography_us: Estimate
    """The sum of these: what no implementation on this library goes below."""
    protocol_us: Estimate
    """Messages, their protection, state machines, datagrams: see :class:`ProtocolBasis`."""
    cpu_us: Estimate
    """Cryptography and protocol."""


@dataclass(frozen=True, slots=True)
class Message:
    """The largest message of one step of an exchange."""

    name: str
    """Such as ``IKE_INTERMEDIATE (mlkem768), request``."""
    udp_payload_bytes: int
    """Octets behind the UDP header, without the non-ESP marker."""
    fragments: int
    """IKE fragments that it takes at the link MTU (RFC 7383); 1 if it fits."""
    ip_fragmented: bool
    """Whether it would have to be fragmented by IP: too large for the link, and sent before IKE can fragment."""


@dataclass(frozen=True, slots=True)
class ExchangeCost:
    """What one kind of exchange costs."""

    name: str
    """Such as ``IKE_SA_INIT, IKE_AUTH`` or ``main mode, quick mode with PFS``."""
    messages: int
    """Messages of both ends together, IKE fragments counted as one."""
    round_trips: int
    """Round trips until the initiator may send traffic."""
    initiator: EndCost
    """At the initiator."""
    responder: EndCost
    """At the responder."""
    wall_ms: Estimate
    """Until the initiator may send traffic: both ends' work and the round trips."""
    measured: bool
    """Whether every cryptographic step of it was measured on this box."""


@dataclass(frozen=True, slots=True)
class RekeyLoad:
    """What rekeying all tunnels takes of this box, if the peers are like it."""

    tunnels: int
    """Peers."""
    child_sas: int
    """Child SAs of all tunnels."""
    child_rekeys_per_second: float
    """Of all Child SAs, with the jitter of both ends."""
    ike_rekeys_per_second: float
    """Of all IKE SAs."""
    cpu_share: Estimate
    """Share of one core that rekeying takes, protocol included: 0.01 is 1%."""
    cryptography_share: Estimate
    """The same for cryptography alone."""
    cores: int
    """Cores that it may be spread over."""
    core_seconds_per_day: Estimate
    """Processor time of a day, protocol included."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """How long it takes until all tunnels are back, from the moment when IKE runs again."""

    tunnels: int
    """Peers."""
    cores: int
    """Cores that the set-ups are spread over; most IKE daemons use several."""
    as_responder_seconds: Estimate
    """All peers come at once and this box answers."""
    as_initiator_seconds: Estimate
    """This box begins all tunnels at once, and the peers have time for it."""
    one_by_one_seconds: Estimate
    """This box begins each tunnel when the one before is up: round trips and not processors count."""
    one_core_seconds: Estimate
    """As responder, on one core."""
    half_open: int
    """IKE SAs that are half-open at once while peers come as fast as this box can answer."""
    cookies: bool
    """Whether that is above the threshold at which strongSwan asks for cookies, which costs a round trip more."""
    reasons: tuple[Reason, ...]
    """What is in it and what is not."""


@dataclass(frozen=True, slots=True)
class HybridPrice:
    """What an additional key exchange costs (RFC 9370): set-up by IKE_INTERMEDIATE, rekey by IKE_FOLLOWUP_KE."""

    method: str
    """Such as ``mlkem768``."""
    chosen: bool
    """Whether the recommendation has it; otherwise it is what it would cost."""
    initiator_us: Estimate | None
    """Cryptography at the initiator: key pair and decapsulation; None if this box has no figure for it."""
    responder_us: Estimate | None
    """Cryptography at the responder: encapsulation."""
    round_trips: int
    """More round trips in a set-up, and in a rekey with a key exchange."""
    messages: tuple[Message, ...]
    """Request and response that carry it."""
    reason: Reason
    """In words."""


@dataclass(frozen=True, slots=True)
class SetupLoad:
    """What phase 1 and the rekeying cost on this box."""

    ike_version: int
    """Version that all of this is of."""
    authentication: str
    """Method of both ends."""
    certificate_chain: int
    """Certificates of the peer that are verified in each set-up; 0 with a pre-shared key."""
    round_trip_ms: float
    """Round-trip time that the wall times are for."""
    protocol_basis: ProtocolBasis
    """Where the cost of everything but cryptography comes from."""
    setup: ExchangeCost
    """A set-up of the IKE SA with its first Child SA."""
    child_rekey: ExchangeCost
    """A rekey of a Child SA as recommended: with PFS or without."""
    ike_rekey: ExchangeCost
    """A rekey of the IKE SA; IKEv1 has none, and sets up a new one."""
    other_setups: tuple[ExchangeCost, ...]
    """The same parameters by the other ways that IKE has: IKEv2, main mode, aggressive mode."""
    setups_per_second: Estimate
    """Set-ups that one core answers in a second, protocol included."""
    cryptography_setups_per_second: Estimate
    """The same were there nothing but cryptography."""
    rekeying: RekeyLoad
    """What rekeying all tunnels at the recommended lives takes."""
    recovery: Recovery
    """Until all tunnels are back after a reboot."""
    hybrids: tuple[HybridPrice, ...]
    """What key exchanges that withstand quantum computers cost beside the one that was chosen."""
    messages: tuple[Message, ...]
    """The large messages of a set-up."""
    reasons: tuple[Reason, ...]
    """What the figures are."""


@dataclass(frozen=True, slots=True)
class PfsPrice:
    """Perfect forward secrecy: what it costs here, and what is open without it."""

    on: bool
    """Whether a Child SA's rekey has a key exchange of its own."""
    key_exchange: str | None
    """Its method; None without."""
    with_pfs: ExchangeCost
    """A rekey with it."""
    without_pfs: ExchangeCost
    """A rekey without it."""
    share_with: Estimate
    """Share of one core for all rekeys of Child SAs with it."""
    share_without: Estimate
    """The same without it."""
    opened_with_bytes: float
    """Octets of traffic that one broken key exchange opens with it: one Child SA's hard life at this box's rate."""
    opened_without_bytes: float
    """Octets that one broken key exchange opens without it: all Child SAs of one IKE SA's hard life."""
    reasons: tuple[Reason, ...]
    """Why it is on or off, and the figures in words."""


@dataclass(frozen=True, slots=True)
class DayLongLives:
    """The answer to "why are we using 24-hour key lifetimes?" with this box's figures."""

    text: str
    """The answer."""
    opened_without_pfs_bytes: float
    """What 24 hours of one SA at this box's rate come to: all of it opens with one key exchange, without PFS."""
    opened_recommended_bytes: float
    """What one key exchange opens with the recommended PFS and lives."""
    hourly_rekey_core_seconds_per_day: Estimate
    """Processor time of a day if every Child SA is rekeyed each hour with PFS, all tunnels together."""
    daily_rekey_core_seconds_per_day: Estimate
    """The same if it is done once a day."""
    sequence_numbers_last_seconds: float
    """How long 32-bit sequence numbers last at the wanted traffic's rate."""
    cipher_lasts_seconds: float | None
    """How long until the cipher's cap at that rate; None without a cap."""
    sources: tuple[str, ...]
    """Where 24 hours come from."""
