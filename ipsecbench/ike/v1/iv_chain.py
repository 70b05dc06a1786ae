"""Initialization vectors of encrypted messages (RFC 2409 appendix B), and the encryption itself.

The first IV of phase 1 is the hash of both public values; that of an exchange of phase 2 is the hash of the last
ciphertext block of phase 1 and the Message ID. After that the last ciphertext block of each message, sent or received,
is the IV of the next. A message that is sent or received again, and one that turns out to be forged, does not move the
chain: whoever uses a chain says when a message counts.
"""

from __future__ import annotations

import hashlib

from ipsecbench.errors import MalformedError
from ipsecbench.ike.v1.identifiers import NotifyType
from ipsecbench.providers.interface import Cipher
from ipsecbench.secret import Secret


def phase1_iv(hash_name: str, public_i: bytes, public_r: bytes, block_bytes: int) -> bytes:
    """The first IV of phase 1: ``hash(g^xi | g^xr)``."""
    return _digest(hash_name, public_i + public_r)[:block_bytes]


def phase2_iv(hash_name: str, last_phase1_block: bytes, message_id: int, block_bytes: int) -> bytes:
    """The first IV of an exchange of phase 2: ``hash(last phase 1 CBC output block | M-ID)``."""
    return _digest(hash_name, last_phase1_block + message_id.to_bytes(4))[:block_bytes]


def _digest(hash_name: str, data: bytes) -> bytes:
    return hashlib.new(hash_name, data, usedforsecurity=False).digest()


class IvChain:
    """The IVs of one exchange under one key.

    Args:
        cipher: the cipher with the phase 1 encryption key.
        iv: the first IV.
    """

    __slots__ = ("_cipher", "iv")

    def __init__(self, cipher: Cipher, iv: bytes) -> None:
        self._cipher = cipher
        self.iv = iv

    def encrypt(self, payloads: bytes) -> bytes:
        """The body of a message to send, padded with zeros; the chain moves on."""
        block = self._cipher.block_bytes
        body = self._cipher.encrypt(self.iv, payloads + bytes(-len(payloads) % block))
        self.accept(body)
        return body

    def decrypt(self, body: bytes) -> bytes:
        """The payloads of a received message; the chain stays until :meth:`accept`.

        Raises:
            MalformedError: the body is not a number of blocks.
        """
        if not body or len(body) % self._cipher.block_bytes:
            raise MalformedError(f"encrypted body of {len(body)} octets", NotifyType.PAYLOAD_MALFORMED)
        return self._cipher.decrypt(self.iv, body)

    def accept(self, body: bytes) -> None:
        """An encrypted body counts: its last block is the next IV."""
        self.iv = body[-self._cipher.block_bytes :]


class PhaseKeys:
    """The phase 1 encryption key with the chains that begin from it.

    Args:
        cipher: the cipher with the key.
        key: the key, for the key log.
        hash_name: the negotiated hash.
        first_iv: the first IV of phase 1.
    """

    __slots__ = ("_cipher", "_hash_name", "key", "phase1")

    def __init__(self, cipher: Cipher, key: Secret, hash_name: str, first_iv: bytes) -> None:
        self._cipher = cipher
        self._hash_name = hash_name
        self.key = key
        self.phase1 = IvChain(cipher, first_iv)

    def exchange(self, message_id: int) -> IvChain:
        """The chain of an exchange after phase 1; also of an informational one while phase 1 goes on."""
        iv = phase2_iv(self._hash_name, self.phase1.iv, message_id, self._cipher.iv_bytes)
        return IvChain(self._cipher, iv)
