"""What the cost of an exchange depends on: one record for phase 1 and phase 2 together."""

from __future__ import annotations

from dataclasses import dataclass

from ipsecbench.algorithms.authentication import AUTHENTICATION


@dataclass(frozen=True, slots=True)
class IkeParameters:
    """Transforms and methods that exchanges are priced with."""

    encryption: str
    """Encryption transform of the IKE SA."""
    integrity: str | None
    """Integrity transform of the IKE SA; None beside a combined mode."""
    prf: str
    """Pseudo-random function; with IKEv1 the HMAC of its hash."""
    key_exchange: str
    """Key exchange method of the first exchange."""
    authentication: str
    """Method of both ends."""
    suite: str
    """ESP suite of the Child SA."""
    additional_key_exchanges: tuple[str, ...] = ()
    """Methods of ADDKE1 and following (RFC 9370)."""
    ike_version: int = 2
    """1 or 2."""
    certificate_chain: int = 0
    """Certificates of the peer that are verified; of no account with a pre-shared key."""

    exchange_mode: str = "main"
    """IKEv1: ``main`` or ``aggressive``."""

    @property
    def signed(self) -> bool:
        """Whether the ends authenticate by signature."""
        return AUTHENTICATION[self.authentication].strength_bits is not None
