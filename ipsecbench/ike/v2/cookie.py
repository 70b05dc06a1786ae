"""Stateless cookies against floods of initial requests from forged addresses (RFC 7296 section 2.6).

A cookie is the number of the secret that made it, and a MAC over the initiator's nonce, address and SPI. The secret is
replaced every minute; the one before it stays valid, so that a cookie lives one to two minutes.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable

from ipsecbench.ike.path import Address

SECRET_SECONDS = 60.0
"""How long cookies are made with one secret."""
_SECRET_BYTES = 32


class CookieSecrets:
    """The two newest secrets of an endpoint.

    Args:
        random: octets for the secrets.
    """

    __slots__ = ("_current", "_generation", "_made_at", "_previous", "_random")

    def __init__(self, random: Callable[[int], bytes]) -> None:
        self._random = random
        self._current = random(_SECRET_BYTES)
        self._previous = random(_SECRET_BYTES)
        self._generation = 0
        self._made_at: float | None = None

    def __repr__(self) -> str:
        return "CookieSecrets()"

    def make(self, nonce: bytes, address: Address, spi_i: bytes, now: float) -> bytes:
        """The cookie for an initial request: 33 octets (at most 64 are allowed)."""
        self._rotate(now)
        return self._cookie(self._generation, self._current, nonce, address, spi_i)

    def verify(self, cookie: bytes, nonce: bytes, address: Address, spi_i: bytes, now: float) -> bool:
        """Whether a cookie was made here for this request, not long ago."""
        self._rotate(now)
        return any(
            hmac.compare_digest(cookie, self._cookie(generation, secret, nonce, address, spi_i))
            for generation, secret in ((self._generation, self._current), (self._generation - 1, self._previous))
        )

    def _rotate(self, now: float) -> None:
        if self._made_at is None:
            self._made_at = now
        age = now - self._made_at
        if age < SECRET_SECONDS:
            return
        self._previous = self._current if age < 2 * SECRET_SECONDS else self._random(_SECRET_BYTES)
        self._current = self._random(_SECRET_BYTES)
        self._generation += 1
        self._made_at = now

    @staticmethod
    def _cookie(generation: int, secret: bytes, nonce: bytes, address: Address, spi_i: bytes) -> bytes:
        covered = b"".join((len(nonce).to_bytes(2), nonce, f"{address.host} {address.port}".encode(), b"\0", spi_i))
        return bytes([generation & 0xFF]) + hmac.digest(secret, covered, "sha256")
