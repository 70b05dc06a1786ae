"""Secrets that do not show in logs and are compared in constant time."""

from __future__ import annotations

from hmac import compare_digest
from typing import final


@final
class Secret:
    """Octets that must not be seen: a pre-shared key, a Diffie-Hellman secret, keying material.

    ``repr`` and ``str`` show the length only; pickling and hashing are refused; ``==`` takes the same time wherever
    the first difference is.

    Args:
        octets: the secret itself.
    """

    __slots__ = ("_octets",)

    def __init__(self, octets: bytes) -> None:
        self._octets = bytes(octets)

    def reveal(self) -> bytes:
        """The octets, for a computation; never for a log."""
        return self._octets

    def __len__(self) -> int:
        return len(self._octets)

    def __bool__(self) -> bool:
        return True

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return compare_digest(self._octets, other._octets)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Secret({len(self._octets)} octets)"

    def __reduce__(self) -> str:
        raise TypeError("a Secret is not pickled")
