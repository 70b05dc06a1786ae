"""What the other end of a tunnel can do."""

from __future__ import annotations

from dataclasses import dataclass

from ipsecbench.recommend.reasons import Reason

LISTS = (
    "ike_versions",
    "key_exchange",
    "additional_key_exchange",
    "prf",
    "ike_encryption",
    "ike_integrity",
    "authentication",
    "esp_suites",
    "child_key_exchange",
)
"""Fields of :class:`Peer` that list what it has."""
OTHERS = "others"
"""Stands in :attr:`Peer.uncertain` for whatever a list does not name."""


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
    """Key exchange methods that it has for perfect forward secrecy, where they are not those of phase 1; empty: it
    has none, and no perfect forward secrecy."""
    additional_key_exchange: frozenset[str] | None = None
    """Methods that it has for additional key exchanges (RFC 9370); empty: it has no hybrids."""
    ike_versions: frozenset[int] | None = None
    """IKE versions that it has."""
    esn: bool | None = None
    """Whether it has extended sequence numbers."""
    ike_seconds: int | None = None
    """Its life of the IKE SA, which IKEv2 does not negotiate."""
    child_seconds: int | None = None
    """Its life of a Child SA."""
    uncertain: frozenset[str] = frozenset()
    """What its sources do not confirm: ``field`` for all of a field above, ``field.name`` for one name of it, and
    ``field.others`` where the list may lack something that it has."""
    notes: tuple[Reason, ...] = ()
    """What one should know of it, with sources."""
    spec: str | None = None
    """What ``--peer`` takes for it: a preset's name or a proposal string; None where it was made otherwise."""
    describes: str | None = None
    """Models and releases that the lists are about."""
    sources: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Keys of the sources of each field that has some."""

    def has(self, field: str, name: str | int) -> bool | None:
        """Whether it has something.

        Args:
            field: one of :data:`LISTS`; ``child_key_exchange`` is ``key_exchange`` where it has no list of its own.
            name: the algorithm, suite or IKE version.

        Returns:
            None where nothing is known.
        """
        names: frozenset[str] | frozenset[int] | None = getattr(self, field)
        if names is None and field == "child_key_exchange":
            names = self.key_exchange
        return None if names is None else name in names

    def is_uncertain(self, field: str, name: str | int | None = None) -> bool:
        """Whether the sources leave it open if it has something: the whole field, or one name."""
        if field == "child_key_exchange" and self.child_key_exchange is None:
            field = "key_exchange"
        if field in self.uncertain or f"{field}.{name}" in self.uncertain:
            return True
        return name is not None and not self.has(field, name) and f"{field}.{OTHERS}" in self.uncertain

    def sources_of(self, field: str) -> tuple[str, ...]:
        """Keys of the sources of a field."""
        return dict(self.sources).get(field, ())
