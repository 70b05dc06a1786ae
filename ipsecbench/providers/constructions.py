"""What every provider builds itself because no library has it: AES-XCBC-MAC, and the NULL cipher.

AES-XCBC (RFC 3566) is CBC over the library's AES with a zero IV, so that all of the work is one call of the library.
"""

from __future__ import annotations

from collections.abc import Callable
from hmac import compare_digest

from ipsecbench.algorithms.integrity import INTEGRITY
from ipsecbench.errors import ProviderError, RejectedError

_BLOCK_BYTES = 16

CbcEncrypt = Callable[[bytes], bytes]
"""AES-128-CBC with a zero IV under a fixed key, over whole blocks."""


class XcbcMac:
    """AES-XCBC-MAC (RFC 3566 section 4), 128 bits untruncated.

    Args:
        key: 16 octets.
        cbc: from a 16-octet key to CBC encryption with a zero IV.
    """

    __slots__ = ("_encrypt", "_padded_block_mask", "_whole_block_mask", "icv_bytes")

    def __init__(self, key: bytes, cbc: Callable[[bytes], CbcEncrypt]) -> None:
        if len(key) != _BLOCK_BYTES:
            raise ProviderError(f"aesxcbc takes a key of {_BLOCK_BYTES} octets, not {len(key)}")
        derive = cbc(key)
        self._encrypt = cbc(derive(b"\x01" * _BLOCK_BYTES))
        self._whole_block_mask = int.from_bytes(derive(b"\x02" * _BLOCK_BYTES))
        self._padded_block_mask = int.from_bytes(derive(b"\x03" * _BLOCK_BYTES))
        self.icv_bytes = INTEGRITY["aesxcbc"].icv_bytes

    def __repr__(self) -> str:
        return "XcbcMac()"

    def authenticate(self, message: bytes) -> bytes:
        """See :meth:`ipsecbench.providers.interface.Mac.authenticate`."""
        # The last block is whole or padded; which one depends only on the length, which is public.
        tail_bytes = len(message) % _BLOCK_BYTES
        if tail_bytes == 0 and message:
            head, last = message[:-_BLOCK_BYTES], message[-_BLOCK_BYTES:]
            mask = self._whole_block_mask
        else:
            head = message[: len(message) - tail_bytes]
            last = message[len(head) :] + b"\x80".ljust(_BLOCK_BYTES - tail_bytes, b"\0")
            mask = self._padded_block_mask
        masked = (int.from_bytes(last) ^ mask).to_bytes(_BLOCK_BYTES)
        return self._encrypt(head + masked)[-_BLOCK_BYTES:]

    def verify(self, message: bytes, icv: bytes) -> None:
        """See :meth:`ipsecbench.providers.interface.Mac.verify`."""
        if not compare_digest(self.authenticate(message)[: self.icv_bytes], icv):
            raise RejectedError("aesxcbc: the ICV does not match")


class NullCipher:
    """The NULL cipher (RFC 2410): the plaintext, copied as any cipher would write it."""

    __slots__ = ()

    block_bytes = 1
    iv_bytes = 0

    def __repr__(self) -> str:
        return "NullCipher()"

    def encrypt(self, iv: bytes, plaintext: bytes) -> bytes:
        """See :meth:`ipsecbench.providers.interface.Cipher.encrypt`."""
        if iv:
            raise ProviderError(f"null takes no IV, but {len(iv)} octets were given")
        # bytes(plaintext) would be the same object; a view makes it a copy.
        return bytes(memoryview(plaintext))

    decrypt = encrypt
