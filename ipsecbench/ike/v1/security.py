"""What phase 1 leaves behind: the suite and the keys that protect all that follows; and what is known of the peer."""

from __future__ import annotations

from dataclasses import dataclass, field

from ipsecbench.ike.identification import Identity
from ipsecbench.ike.nat_traversal import nat_detection_hash
from ipsecbench.ike.path import Path
from ipsecbench.ike.v1.identifiers import PayloadType, Vendor
from ipsecbench.ike.v1.iv_chain import PhaseKeys
from ipsecbench.ike.v1.keymat import Prf, SkeyidFamily
from ipsecbench.ike.v1.payloads import OctetsPayload
from ipsecbench.ike.v1.phase1_negotiation import Phase1Suite


@dataclass(frozen=True, slots=True)
class Security:
    """The keys of an ISAKMP SA."""

    suite: Phase1Suite
    """What was negotiated."""
    prf: Prf
    """``prf(key, message)``."""
    family: SkeyidFamily
    """SKEYID, SKEYID_d, SKEYID_a, SKEYID_e."""
    phase: PhaseKeys
    """Encryption key and IVs."""


@dataclass(slots=True)
class Peer:
    """What the peer has announced and what was found out about the way to it."""

    vendors: set[Vendor] = field(default_factory=set)
    """Its Vendor IDs that mean something here."""
    nat_local: bool = False
    """Whether this end is behind a NAT, or pretends to be."""
    nat_remote: bool = False
    """Whether the peer is behind a NAT."""
    identity: Identity | None = None
    """Its identity, once proven."""

    @property
    def nat(self) -> bool:
        """Whether ESP goes over UDP."""
        return self.nat_local or self.nat_remote

    @property
    def nat_traversal(self) -> str | None:
        """Which numbers NAT traversal has with this peer: ``rfc``, ``draft``, or None without it."""
        if Vendor.NAT_T in self.vendors:
            return "rfc"
        drafts = {Vendor.NAT_T_03, Vendor.NAT_T_02, Vendor.NAT_T_02_NEWLINE}
        return "draft" if self.vendors & drafts else None

    def nat_d_payloads(
        self, cookies: tuple[bytes, bytes], path: Path, hash_name: str, pretended: bytes | None
    ) -> list[OctetsPayload]:
        """NAT-D of the destination and then of the source (RFC 3947 section 3.2); none without NAT traversal.

        Args:
            cookies: CKY-I and CKY-R.
            path: the way that the message goes.
            hash_name: the negotiated hash.
            pretended: random octets in place of the source's hash, to pretend that there is a NAT.
        """
        if self.nat_traversal is None:
            return []
        kind = PayloadType.NAT_D if self.nat_traversal == "rfc" else PayloadType.NAT_D_DRAFT
        there = nat_detection_hash(*cookies, path.remote, hash_name)
        here = nat_detection_hash(*cookies, path.local, hash_name)
        return [OctetsPayload(kind, there), OctetsPayload(kind, here if pretended is None else pretended[: len(here)])]

    def note_nat(self, hashes: list[bytes], cookies: tuple[bytes, bytes], path: Path, hash_name: str) -> None:
        """Compare the peer's NAT-D payloads with the way that they came.

        Args:
            hashes: bodies of the payloads, the first for this end.
            cookies: CKY-I and CKY-R.
            path: the way that the message came.
            hash_name: the negotiated hash.
        """
        if len(hashes) < 2 or self.nat_traversal is None:
            return
        self.nat_local = hashes[0] != nat_detection_hash(*cookies, path.local, hash_name)
        self.nat_remote = nat_detection_hash(*cookies, path.remote, hash_name) not in hashes[1:]
