"""What a processor's cryptographic instructions are, and whether that is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Presence(StrEnum):
    """Whether something is there. Absent and unknown are different answers."""

    PRESENT = "present"
    ABSENT = "absent"
    DISABLED = "disabled"
    """The hardware is there, but firmware or a licence keeps it off."""
    UNKNOWN = "unknown"


FUNCTIONS: Final[Mapping[str, str]] = {
    "aes": "AES",
    "carryless-multiply": "carry-less multiply (GHASH)",
    "sha1": "SHA-1",
    "sha256": "SHA-256",
    "sha512": "SHA-512",
    "sha3": "SHA-3",
    "vector": "vectors (ChaCha20)",
}
"""What instructions can do for IPsec, by the same name on every architecture."""


@dataclass(frozen=True, slots=True)
class Capability:
    """One named group of instructions."""

    name: str
    """As the architecture names it, such as `vaes`, `sha512` or `zvkned`."""
    presence: Presence
    evidence: str
    """How this is known."""


@dataclass(frozen=True, slots=True)
class CryptoFeatures:
    """The cryptographic instructions of a processor."""

    capabilities: tuple[Capability, ...]
    """Every group of instructions that this architecture can have."""
    functions: Mapping[str, Presence]
    """A summary with the keys of `FUNCTIONS`, comparable between architectures."""

    def named(self, presence: Presence) -> tuple[str, ...]:
        """The names of the capabilities with this presence."""
        return tuple(one.name for one in self.capabilities if one.presence is presence)


def combine(
    capabilities: Iterable[Capability],
    needs: Mapping[str, tuple[tuple[str, ...], ...]],
) -> dict[str, Presence]:
    """Which functions the capabilities offer.

    Args:
        capabilities: what was found.
        needs: for each function the alternatives, each a set of capabilities that must all be present. A function
            without alternatives has no instructions on this architecture.
    """
    presence = {one.name: one.presence for one in capabilities}
    found = {}
    for function in FUNCTIONS:
        alternatives = [{presence[name] for name in names} for names in needs.get(function, ())]
        found[function] = _best(alternatives)
    return found


def _best(alternatives: list[set[Presence]]) -> Presence:
    if any(each == {Presence.PRESENT} for each in alternatives):
        return Presence.PRESENT
    possible = [each for each in alternatives if Presence.ABSENT not in each]
    if any(Presence.DISABLED not in each for each in possible):
        return Presence.UNKNOWN
    return Presence.DISABLED if possible else Presence.ABSENT


def unknown_features(reason: str) -> CryptoFeatures:
    """The features of a processor about which nothing is known.

    Args:
        reason: why; kept as the evidence.
    """
    return CryptoFeatures((Capability("crypto", Presence.UNKNOWN, reason),), dict.fromkeys(FUNCTIONS, Presence.UNKNOWN))
