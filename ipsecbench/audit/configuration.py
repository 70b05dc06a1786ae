"""What a configuration says, in one form for all formats: connections with what they offer to the other end.

Names of algorithms are this project's (strongSwan's proposal tokens); what has no entry in
:mod:`ipsecbench.algorithms` keeps the name that :mod:`ipsecbench.audit.unassessed` knows it by.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Format(StrEnum):
    """What kind of text a configuration came from."""

    PROPOSALS = "proposals"
    """One or two proposal strings, such as ``aes256-sha1-modp1024/aes128-md5``."""
    SWANCTL = "swanctl"
    """strongSwan's swanctl.conf."""
    STRONGSWAN = "strongswan"
    """strongSwan's ipsec.conf."""
    LIBRESWAN = "libreswan"
    """libreswan's ipsec.conf."""
    IKE_SCAN = "ike-scan"
    """What ``ike-scan`` prints."""


class Exchange(StrEnum):
    """How an IKEv1 connection agrees on its ISAKMP SA."""

    MAIN = "main"
    AGGRESSIVE = "aggressive"


@dataclass(frozen=True, slots=True)
class Note:
    """Something that the reader could not follow or that the program itself would ignore."""

    text: str
    """What, for people."""
    line: int | None = None
    """Line of the text, from 1."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One proposal that a connection offers or accepts; in every tuple the preferred transform stands first."""

    text: str
    """As the configuration spells it."""
    line: int | None
    """Line of the text, from 1; None where the program adds the proposal itself."""
    encryption: tuple[str, ...]
    """Encryption transforms."""
    integrity: tuple[str, ...] = ()
    """Integrity transforms; empty beside combined-mode transforms, and where they are missing."""
    prf: tuple[str, ...] = ()
    """IKE: pseudo-random functions."""
    key_exchange: tuple[str, ...] = ()
    """Key exchange methods; ``none`` among them makes perfect forward secrecy optional."""
    additional_key_exchanges: tuple[tuple[str, ...], ...] = ()
    """Methods of the first, second, … additional key exchange (RFC 9370)."""
    esn: tuple[bool, ...] = ()
    """ESP: extended sequence numbers, in the order of preference; empty where the text does not say."""
    implied: bool = False
    """Whether the program adds it though it is not written."""
    carrier: str = "esp"
    """``esp`` or ``ah`` for a Child SA; of no meaning for IKE."""


@dataclass(frozen=True, slots=True)
class Life:
    """How long an SA may live: the hard limits. None means no limit, or that it is not known."""

    seconds: int | None = None
    bytes: int | None = None
    packets: int | None = None
    known: bool = False
    """Whether the configuration decides it, so that None means no limit."""
    line: int | None = None
    """Line that sets the time, if one does."""
    implied: bool = False
    """Whether the time is the program's own default."""


@dataclass(frozen=True, slots=True)
class Authentication:
    """How one side proves its identity."""

    method: str
    """``psk``, ``rsa``, ``ecdsa``, ``eddsa``, ``pubkey`` (any of them), ``dss``, ``eap``, ``xauth``, ``null``,
    ``hybrid`` or ``other``."""
    text: str
    """As the configuration spells it."""
    side: str = ""
    """``local``, ``remote`` or empty for both."""
    key_bits: int | None = None
    """Least size of the key that the configuration demands."""
    hashes: tuple[str, ...] = ()
    """Hashes that signatures may use, where the configuration says so."""
    line: int | None = None
    """Line of the text, from 1."""


@dataclass(frozen=True, slots=True)
class Child:
    """One kind of Child SA (IKEv1: IPsec SA) of a connection."""

    name: str
    """As the configuration calls it."""
    line: int | None
    """Where it begins."""
    offers: tuple[Offer, ...]
    """What is offered, in order of preference."""
    life: Life = field(default_factory=Life)
    """Hard limits."""
    perfect_forward_secrecy: bool | None = None
    """Whether it is switched on beside the proposals, as libreswan does; None where the proposals alone say it."""
    truncated_sha256: bool = False
    """Whether HMAC-SHA2-256 is cut to 96 bits, as before RFC 4868."""


@dataclass(frozen=True, slots=True)
class Connection:
    """One connection: an IKE SA and its Child SAs."""

    name: str
    """As the configuration calls it; the address of a host that was scanned."""
    line: int | None
    """Where it begins."""
    ike_versions: tuple[str, ...] = ()
    """``1``, ``2`` or both, the one that is initiated with first; empty where it is not known."""
    exchange: Exchange | None = None
    """IKEv1: main or aggressive mode; None where it is not known or not IKEv1."""
    authentication: tuple[Authentication, ...] = ()
    """Methods of both sides; empty where they are not known."""
    offers: tuple[Offer, ...] = ()
    """What is offered for the IKE SA, in order of preference."""
    life: Life = field(default_factory=Life)
    """Hard limits of the IKE SA."""
    children: tuple[Child, ...] = ()
    """Its Child SAs; empty where nothing is known of them."""
    chosen: bool = False
    """Whether the proposals are answers of a peer, which chose them from what it was offered."""
    notes: tuple[Note, ...] = ()
    """What was not followed."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """All that a text says."""

    format: Format
    """What it was read as."""
    connections: tuple[Connection, ...]
    """In the order of the text."""
    notes: tuple[Note, ...] = ()
    """What was not followed outside of the connections."""
