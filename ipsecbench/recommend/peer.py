"""What the other end of a tunnel can do."""

from __future__ import annotations

from dataclasses import dataclass

from ipsecbench.recommend.reasons import Reason


@dataclass(frozen=True, slots=True)
class Peer:
    """What the other end can do; None means that nothing is known against it."""

    name: str
    """The peer, for people."""
    key_exchange: frozenset[str] | None = None
    """Key exchange methods that it has."""
    prf: frozenset[str] | None = None
    """Pseudo-random functions that it has."""
    ike_encryption: frozenset[str] | None = None
    """Encryption transforms that it has for IKE."""
    authentication: frozenset[str] | None = None
    """Authentication methods that it has."""
    ike_integrity: frozenset[str] | None = None
    """Integrity transforms that it has for IKE."""
    esp_suites: frozenset[str] | None = None
    """ESP suites that it has."""
    child_key_exchange: frozenset[str] | None = None
    """Key exchange methods that it has for perfect forward secrecy, where they are not those of phase 1."""
    ike_versions: frozenset[int] | None = None
    """IKE versions that it has."""
    esn: bool | None = None
    """Whether it has extended sequence numbers."""
    ike_seconds: int | None = None
    """Its life of the IKE SA, which IKEv2 does not negotiate."""
    child_seconds: int | None = None
    """Its life of a Child SA."""
    uncertain: frozenset[str] = frozenset()
    """Fields and names above that its sources do not confirm."""
    notes: tuple[Reason, ...] = ()
    """What one should know of it, with sources."""
