"""The pseudo-random functions of IKE over a library's MACs, and prf+.

A PRF takes a key of any length, where the MAC below may want exactly 16 octets: RFC 4434 section 2 (AES-XCBC) and
RFC 4615 section 3 (AES-CMAC) say how such a key is made. HMAC takes any key by itself (RFC 2104).
"""

from __future__ import annotations

from collections.abc import Callable

from ipsecbench.algorithms.prf import PRF
from ipsecbench.errors import ProviderError
from ipsecbench.providers.interface import Mac, Prf

AES_KEY_BYTES = 16
_ZERO_KEY = bytes(AES_KEY_BYTES)

MacFactory = Callable[[str, bytes], Mac]
"""A provider's ``mac``: from the name of an integrity transform and a key to a MAC."""


class MacPrf:
    """A PRF that is a MAC, whatever the MAC is."""

    __slots__ = ("_mac", "algorithm", "output_bytes")

    def __init__(self, algorithm: str, mac: Mac) -> None:
        self.algorithm = algorithm
        self.output_bytes = PRF[algorithm].output_bytes
        self._mac = mac

    def __repr__(self) -> str:
        return f"MacPrf({self.algorithm!r})"

    def compute(self, seed: bytes) -> bytes:
        """See :meth:`ipsecbench.providers.interface.Prf.compute`."""
        return self._mac.authenticate(seed)

    def expand(self, seed: bytes, length_bytes: int) -> bytes:
        """See :meth:`ipsecbench.providers.interface.Prf.expand`."""
        rounds = -(-length_bytes // self.output_bytes)
        if not 0 < rounds <= 255:
            raise ProviderError(
                f"{self.algorithm}: prf+ gives 1 to {255 * self.output_bytes} octets (RFC 7296 section 2.13), "
                f"not {length_bytes}"
            )
        authenticate = self._mac.authenticate
        block = b""
        output = b""
        for counter in range(1, rounds + 1):
            block = authenticate(b"%b%b%c" % (block, seed, counter))
            output += block
        return output[:length_bytes]


def build_prf(algorithm: str, key: bytes, mac: MacFactory) -> Prf:
    """The PRF of a provider.

    Args:
        algorithm: such as ``prfsha256``.
        key: octets of any length.
        mac: the provider's MACs.

    Raises:
        UnsupportedError: the library lacks the MAC below it.
    """
    transform = algorithm.removeprefix("prf")
    if transform == "aesxcbc":
        key = (
            mac(transform, _ZERO_KEY).authenticate(key) if len(key) > AES_KEY_BYTES else key.ljust(AES_KEY_BYTES, b"\0")
        )
    elif transform == "aescmac" and len(key) != AES_KEY_BYTES:
        key = mac(transform, _ZERO_KEY).authenticate(key)
    return MacPrf(algorithm, mac(transform, key))
