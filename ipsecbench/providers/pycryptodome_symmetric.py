"""Ciphers and MACs of the library PyCryptodome. Imported by :mod:`ipsecbench.providers.pycryptodome` only.

Its objects serve one message each, so that a new one is made, with the key set up again, for every message. HMAC is
keyed anew too, because copying its object takes longer; copying CMAC's takes less.
"""

from __future__ import annotations

from collections.abc import Callable
from hmac import compare_digest
from types import ModuleType
from typing import Any

from Crypto.Cipher import AES, CAST, DES, DES3, Blowfish, ChaCha20_Poly1305
from Crypto.Hash import CMAC, HMAC, MD5, SHA1, SHA256, SHA384, SHA512

from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.integrity import INTEGRITY
from ipsecbench.errors import ProviderError, RejectedError, UnsupportedError
from ipsecbench.providers.constructions import CbcEncrypt

_AES_BLOCK_BYTES = 16
_ZERO_BLOCK = bytes(_AES_BLOCK_BYTES)


class PycryptodomeAead:
    """GCM, CCM or ChaCha20-Poly1305."""

    __slots__ = ("_new", "algorithm", "icv_bytes")

    def __init__(self, algorithm: str, key: bytes) -> None:
        row = ENCRYPTION[algorithm]
        self.algorithm = algorithm
        self.icv_bytes = icv_bytes = row.icv_bytes
        new: Any = AES.new
        self._new: Callable[[bytes, int, int], Any]
        if row.mode == "chacha20-poly1305":
            self._new = lambda nonce, _length, _associated: ChaCha20_Poly1305.new(key=key, nonce=nonce)
        elif row.mode == "gcm":
            self._new = lambda nonce, _length, _associated_length: new(
                key, AES.MODE_GCM, nonce=nonce, mac_len=icv_bytes
            )
        else:
            # With the lengths known beforehand the library need not keep the message until its end.
            self._new = lambda nonce, length, associated: new(
                key, AES.MODE_CCM, nonce=nonce, mac_len=icv_bytes, msg_len=length, assoc_len=associated
            )

    def __repr__(self) -> str:
        return f"PycryptodomeAead({self.algorithm!r})"

    def seal(self, nonce: bytes, plaintext: bytes, associated_data: bytes) -> bytes:
        """See :meth:`ipsecbench.providers.interface.Aead.seal`."""
        try:
            context = self._new(nonce, len(plaintext), len(associated_data))
            context.update(associated_data)
            ciphertext, icv = context.encrypt_and_digest(plaintext)
        except ValueError as error:
            raise ProviderError(f"{self.algorithm}: PyCryptodome refuses to seal: {error}") from error
        sealed: bytes = ciphertext + icv
        return sealed

    def open(self, nonce: bytes, sealed: bytes, associated_data: bytes) -> bytes:
        """See :meth:`ipsecbench.providers.interface.Aead.open`."""
        length = len(sealed) - self.icv_bytes
        if length < 0:
            raise RejectedError(f"{self.algorithm}: {len(sealed)} octets are too short for the ICV")
        try:
            context = self._new(nonce, length, len(associated_data))
            context.update(associated_data)
        except ValueError as error:
            raise ProviderError(f"{self.algorithm}: PyCryptodome refuses to open: {error}") from error
        try:
            plaintext: bytes = context.decrypt_and_verify(sealed[:length], sealed[length:])
        except ValueError as error:
            raise RejectedError(f"{self.algorithm}: the ICV does not match") from error
        return plaintext


_CBC_MODULES: dict[str, ModuleType] = {"aes": AES, "des": DES, "3des": DES3, "blowfish": Blowfish, "cast": CAST}


class PycryptodomeCbc:
    """A block cipher in CBC without padding."""

    __slots__ = ("_key", "_mode", "_new", "algorithm", "block_bytes", "iv_bytes")

    def __init__(self, algorithm: str, key: bytes) -> None:
        name = algorithm.rstrip("0123456789")
        module = _CBC_MODULES.get(name)
        if module is None:
            raise UnsupportedError(f"PyCryptodome has no {name.capitalize()}")
        self.algorithm = algorithm
        self.block_bytes = self.iv_bytes = ENCRYPTION[algorithm].block_bytes
        self._new: Callable[..., Any] = module.new
        self._mode: int = module.MODE_CBC
        self._key = key
        try:
            self._new(key, self._mode, iv=bytes(self.iv_bytes))
        except ValueError as error:
            raise ProviderError(f"{algorithm}: PyCryptodome refuses the key: {error}") from error

    def __repr__(self) -> str:
        return f"PycryptodomeCbc({self.algorithm!r})"

    def encrypt(self, iv: bytes, plaintext: bytes) -> bytes:
        """See :meth:`ipsecbench.providers.interface.Cipher.encrypt`."""
        try:
            ciphertext: bytes = self._new(self._key, self._mode, iv=iv).encrypt(plaintext)
        except ValueError as error:
            raise ProviderError(f"{self.algorithm}: PyCryptodome refuses to encrypt: {error}") from error
        return ciphertext

    def decrypt(self, iv: bytes, ciphertext: bytes) -> bytes:
        """See :meth:`ipsecbench.providers.interface.Cipher.decrypt`."""
        try:
            plaintext: bytes = self._new(self._key, self._mode, iv=iv).decrypt(ciphertext)
        except ValueError as error:
            raise ProviderError(f"{self.algorithm}: PyCryptodome refuses to decrypt: {error}") from error
        return plaintext


class PycryptodomeCtr:
    """AES in counter mode (RFC 3686)."""

    __slots__ = ("_key", "algorithm")

    block_bytes = 1
    iv_bytes = _AES_BLOCK_BYTES

    def __init__(self, algorithm: str, key: bytes) -> None:
        self.algorithm = algorithm
        self._key = key

    def __repr__(self) -> str:
        return f"PycryptodomeCtr({self.algorithm!r})"

    def encrypt(self, iv: bytes, plaintext: bytes) -> bytes:
        """See :meth:`ipsecbench.providers.interface.Cipher.encrypt`."""
        if len(iv) != _AES_BLOCK_BYTES:
            raise ProviderError(f"{self.algorithm} takes a counter block of {_AES_BLOCK_BYTES} octets, not {len(iv)}")
        return AES.new(self._key, AES.MODE_CTR, nonce=b"", initial_value=iv).encrypt(plaintext)

    decrypt = encrypt


def zero_iv_cbc(key: bytes) -> CbcEncrypt:
    """AES-128-CBC with a zero IV, for AES-XCBC."""
    return lambda blocks: AES.new(key, AES.MODE_CBC, iv=_ZERO_BLOCK).encrypt(blocks)


_HASHES: dict[str, Any] = {"md5": MD5, "sha1": SHA1, "sha256": SHA256, "sha384": SHA384, "sha512": SHA512}


class PycryptodomeMac:
    """HMAC or AES-CMAC."""

    __slots__ = ("_digest", "algorithm", "icv_bytes")

    def __init__(self, algorithm: str, key: bytes) -> None:
        self.algorithm = algorithm
        self.icv_bytes = INTEGRITY[algorithm].icv_bytes
        self._digest: Callable[[bytes], bytes]
        if algorithm == "aescmac":
            if len(key) != _AES_BLOCK_BYTES:
                raise ProviderError(f"aescmac takes a key of {_AES_BLOCK_BYTES} octets, not {len(key)}")
            copy = CMAC.new(key, ciphermod=AES).copy
            self._digest = lambda message: copy().update(message).digest()
        else:
            digest = _HASHES[algorithm]
            self._digest = lambda message: HMAC.new(key, message, digestmod=digest).digest()

    def __repr__(self) -> str:
        return f"PycryptodomeMac({self.algorithm!r})"

    def authenticate(self, message: bytes) -> bytes:
        """See :meth:`ipsecbench.providers.interface.Mac.authenticate`."""
        return self._digest(message)

    def verify(self, message: bytes, icv: bytes) -> None:
        """See :meth:`ipsecbench.providers.interface.Mac.verify`."""
        if not compare_digest(self._digest(message)[: self.icv_bytes], icv):
            raise RejectedError(f"{self.algorithm}: the ICV does not match")


class PycryptodomeGmac:
    """AES-GMAC: GCM with nothing to encrypt (RFC 4543 section 3)."""

    __slots__ = ("_key", "algorithm", "icv_bytes")

    def __init__(self, algorithm: str, key: bytes) -> None:
        self.algorithm = algorithm
        self.icv_bytes = ENCRYPTION[algorithm].icv_bytes
        self._key = key

    def __repr__(self) -> str:
        return f"PycryptodomeGmac({self.algorithm!r})"

    def authenticate(self, nonce: bytes, message: bytes) -> bytes:
        """See :meth:`ipsecbench.providers.interface.NonceMac.authenticate`."""
        try:
            return AES.new(self._key, AES.MODE_GCM, nonce=nonce).update(message).digest()
        except ValueError as error:
            raise ProviderError(f"{self.algorithm}: PyCryptodome refuses the message: {error}") from error

    def verify(self, nonce: bytes, message: bytes, icv: bytes) -> None:
        """See :meth:`ipsecbench.providers.interface.NonceMac.verify`."""
        if not compare_digest(self.authenticate(nonce, message), icv):
            raise RejectedError(f"{self.algorithm}: the ICV does not match")
