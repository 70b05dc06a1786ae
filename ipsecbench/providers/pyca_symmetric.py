"""Ciphers and MACs of the library ``cryptography``. Imported by :mod:`ipsecbench.providers.pyca` only.

AES-GCM, AES-CCM and ChaCha20-Poly1305 use the library's AEAD classes, which keep their context per key. Its CBC has no
such thing: a context is made for every message. CTR can be given a new counter block, so its contexts are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from hmac import compare_digest
from typing import Protocol

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.cmac import CMAC
from cryptography.hazmat.primitives.hmac import HMAC

from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.integrity import INTEGRITY
from ipsecbench.errors import ProviderError, RejectedError, UnsupportedError
from ipsecbench.providers.constructions import CbcEncrypt

_AES_BLOCK_BYTES = 16


class _LibraryAead(Protocol):
    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes: ...

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes: ...


class PycaAead:
    """An AEAD whose ICV length the library's class has: GCM with 16 octets, CCM, ChaCha20-Poly1305."""

    __slots__ = ("_decrypt", "_encrypt", "algorithm", "icv_bytes")

    def __init__(self, algorithm: str, key: bytes) -> None:
        row = ENCRYPTION[algorithm]
        self.algorithm = algorithm
        self.icv_bytes = row.icv_bytes
        try:
            library: _LibraryAead
            if row.mode == "ccm":
                library = AESCCM(key, row.icv_bytes)
            else:
                library = AESGCM(key) if row.mode == "gcm" else ChaCha20Poly1305(key)
        except UnsupportedAlgorithm as error:
            raise UnsupportedError(f"cryptography cannot do {algorithm}: {error}") from error
        self._encrypt = library.encrypt
        self._decrypt = library.decrypt

    def __repr__(self) -> str:
        return f"PycaAead({self.algorithm!r})"

    def seal(self, nonce: bytes, plaintext: bytes, associated_data: bytes) -> bytes:
        """See :meth:`ipsecbench.providers.interface.Aead.seal`."""
        try:
            return self._encrypt(nonce, plaintext, associated_data)
        except (ValueError, OverflowError) as error:
            raise ProviderError(f"{self.algorithm}: cryptography refuses to seal: {error}") from error

    def open(self, nonce: bytes, sealed: bytes, associated_data: bytes) -> bytes:
        """See :meth:`ipsecbench.providers.interface.Aead.open`."""
        try:
            return self._decrypt(nonce, sealed, associated_data)
        except InvalidTag as error:
            raise RejectedError(f"{self.algorithm}: the ICV does not match") from error
        except (ValueError, OverflowError) as error:
            raise ProviderError(f"{self.algorithm}: cryptography refuses to open: {error}") from error


class PycaShortGcm:
    """GCM with an ICV of 8 or 12 octets, which the library's AEAD class does not have.

    Sealing cuts the full ICV; opening needs the general cipher interface, with a context per packet.
    """

    __slots__ = ("_aes", "_encrypt", "algorithm", "icv_bytes")

    def __init__(self, algorithm: str, key: bytes) -> None:
        self.algorithm = algorithm
        self.icv_bytes = ENCRYPTION[algorithm].icv_bytes
        self._encrypt = AESGCM(key).encrypt
        self._aes = algorithms.AES(key)

    def __repr__(self) -> str:
        return f"PycaShortGcm({self.algorithm!r})"

    def seal(self, nonce: bytes, plaintext: bytes, associated_data: bytes) -> bytes:
        """See :meth:`ipsecbench.providers.interface.Aead.seal`."""
        try:
            return self._encrypt(nonce, plaintext, associated_data)[: self.icv_bytes - 16]
        except (ValueError, OverflowError) as error:
            raise ProviderError(f"{self.algorithm}: cryptography refuses to seal: {error}") from error

    def open(self, nonce: bytes, sealed: bytes, associated_data: bytes) -> bytes:
        """See :meth:`ipsecbench.providers.interface.Aead.open`."""
        icv_bytes = self.icv_bytes
        if len(sealed) < icv_bytes:
            raise RejectedError(f"{self.algorithm}: {len(sealed)} octets are too short for the ICV")
        try:
            context = Cipher(self._aes, modes.GCM(nonce, sealed[-icv_bytes:], min_tag_length=icv_bytes)).decryptor()
            context.authenticate_additional_data(associated_data)
            plaintext = context.update(sealed[:-icv_bytes])
            context.finalize()
        except InvalidTag as error:
            raise RejectedError(f"{self.algorithm}: the ICV does not match") from error
        except ValueError as error:
            raise ProviderError(f"{self.algorithm}: cryptography refuses to open: {error}") from error
        return plaintext


class PycaCbc:
    """A block cipher in CBC without padding."""

    __slots__ = ("_cipher", "algorithm", "block_bytes", "iv_bytes")

    def __init__(self, algorithm: str, cipher: algorithms.AES) -> None:
        self.algorithm = algorithm
        self.block_bytes = self.iv_bytes = ENCRYPTION[algorithm].block_bytes
        self._cipher = cipher

    def __repr__(self) -> str:
        return f"PycaCbc({self.algorithm!r})"

    def encrypt(self, iv: bytes, plaintext: bytes) -> bytes:
        """See :meth:`ipsecbench.providers.interface.Cipher.encrypt`."""
        if len(plaintext) % self.block_bytes:
            raise ProviderError(_odd_length(self.algorithm, plaintext, self.block_bytes))
        try:
            # finalize() would only look for an incomplete block, which there is not.
            return Cipher(self._cipher, modes.CBC(iv)).encryptor().update(plaintext)
        except ValueError as error:
            raise ProviderError(f"{self.algorithm}: cryptography refuses to encrypt: {error}") from error

    def decrypt(self, iv: bytes, ciphertext: bytes) -> bytes:
        """See :meth:`ipsecbench.providers.interface.Cipher.decrypt`."""
        if len(ciphertext) % self.block_bytes:
            raise ProviderError(_odd_length(self.algorithm, ciphertext, self.block_bytes))
        try:
            return Cipher(self._cipher, modes.CBC(iv)).decryptor().update(ciphertext)
        except ValueError as error:
            raise ProviderError(f"{self.algorithm}: cryptography refuses to decrypt: {error}") from error


class PycaCtr:
    """AES in counter mode (RFC 3686), with the contexts kept."""

    __slots__ = ("_context", "_reset", "_update", "algorithm")

    block_bytes = 1
    iv_bytes = _AES_BLOCK_BYTES

    def __init__(self, algorithm: str, key: bytes) -> None:
        self.algorithm = algorithm
        # Encryption and decryption are the same operation in counter mode.
        self._context: CipherContext = Cipher(algorithms.AES(key), modes.CTR(bytes(_AES_BLOCK_BYTES))).encryptor()
        self._reset = self._context.reset_nonce
        self._update = self._context.update

    def __repr__(self) -> str:
        return f"PycaCtr({self.algorithm!r})"

    def encrypt(self, iv: bytes, plaintext: bytes) -> bytes:
        """See :meth:`ipsecbench.providers.interface.Cipher.encrypt`."""
        try:
            self._reset(iv)
            return self._update(plaintext)
        except ValueError as error:
            raise ProviderError(f"{self.algorithm}: cryptography refuses the counter block: {error}") from error

    decrypt = encrypt


def _odd_length(algorithm: str, octets: bytes, block_bytes: int) -> str:
    return f"{algorithm}: {len(octets)} octets are no multiple of the block of {block_bytes}: pad them first"


_LIBRARY_NAMES = {
    "des": "TripleDES",
    "3des": "TripleDES",
    "blowfish": "Blowfish",
    "cast": "CAST5",
    "camellia": "Camellia",
}


def _block_cipher(name: str, key: bytes) -> algorithms.AES:
    """The library's algorithm object of a transform without its key length, such as ``camellia``.

    The return type stands for any block cipher: the base class of the library is not public.
    """
    if name == "aes":
        return algorithms.AES(key)
    if name not in _LIBRARY_NAMES:
        raise UnsupportedError(f"cryptography has no {name.capitalize()}")
    # One after the other they move here from the module of AES: Camellia is still there in version 44.
    from cryptography.hazmat.decrepit.ciphers import algorithms as decrepit

    library_name = _LIBRARY_NAMES[name]
    factory: Callable[[bytes], algorithms.AES] | None = getattr(decrepit, library_name, None)
    if factory is None:
        factory = getattr(algorithms, library_name, None)
    if factory is None:
        raise UnsupportedError(f"this version of cryptography has no {library_name}")
    # The library has no DES, but EDE with three equal keys is DES.
    return factory(key * 3 if name == "des" else key)


_FOUND: set[str] = set()
"""CBC ciphers that libcrypto was seen to have."""


def build_cbc(algorithm: str, key: bytes) -> PycaCbc:
    """The CBC cipher of a transform.

    Raises:
        UnsupportedError: the library or its libcrypto lacks the cipher.
    """
    cipher = PycaCbc(algorithm, _block_cipher(algorithm.rstrip("0123456789"), key))
    if algorithm not in _FOUND:
        try:
            # Whether libcrypto has the cipher shows only when a context is made.
            cipher.encrypt(bytes(cipher.iv_bytes), bytes(cipher.block_bytes))
        except UnsupportedAlgorithm as error:
            raise UnsupportedError(f"the libcrypto in cryptography cannot do {algorithm}: {error}") from error
        _FOUND.add(algorithm)
    return cipher


def zero_iv_cbc(key: bytes) -> CbcEncrypt:
    """AES-128-CBC with a zero IV, for AES-XCBC."""
    aes = algorithms.AES(key)
    mode = modes.CBC(bytes(_AES_BLOCK_BYTES))

    def encrypt(blocks: bytes) -> bytes:
        return Cipher(aes, mode).encryptor().update(blocks)

    return encrypt


_HASHES: dict[str, Callable[[], hashes.HashAlgorithm]] = {
    "md5": hashes.MD5,
    "sha1": hashes.SHA1,
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}


class PycaMac:
    """HMAC or AES-CMAC: one keyed context, copied for each message."""

    __slots__ = ("_copy", "algorithm", "icv_bytes")

    def __init__(self, algorithm: str, key: bytes) -> None:
        self.algorithm = algorithm
        self.icv_bytes = INTEGRITY[algorithm].icv_bytes
        if algorithm == "aescmac" and len(key) != _AES_BLOCK_BYTES:
            raise ProviderError(f"aescmac takes a key of {_AES_BLOCK_BYTES} octets, not {len(key)}")
        try:
            keyed = CMAC(algorithms.AES(key)) if algorithm == "aescmac" else HMAC(key, _HASHES[algorithm]())
        except UnsupportedAlgorithm as error:
            raise UnsupportedError(f"the libcrypto in cryptography cannot do {algorithm}: {error}") from error
        self._copy: Callable[[], HMAC | CMAC] = keyed.copy

    def __repr__(self) -> str:
        return f"PycaMac({self.algorithm!r})"

    def authenticate(self, message: bytes) -> bytes:
        """See :meth:`ipsecbench.providers.interface.Mac.authenticate`."""
        context = self._copy()
        context.update(message)
        return context.finalize()

    def verify(self, message: bytes, icv: bytes) -> None:
        """See :meth:`ipsecbench.providers.interface.Mac.verify`."""
        if not compare_digest(self.authenticate(message)[: self.icv_bytes], icv):
            raise RejectedError(f"{self.algorithm}: the ICV does not match")


class PycaGmac:
    """AES-GMAC: GCM with nothing to encrypt (RFC 4543 section 3)."""

    __slots__ = ("_seal", "algorithm", "icv_bytes")

    def __init__(self, algorithm: str, key: bytes) -> None:
        self.algorithm = algorithm
        self.icv_bytes = ENCRYPTION[algorithm].icv_bytes
        self._seal = AESGCM(key).encrypt

    def __repr__(self) -> str:
        return f"PycaGmac({self.algorithm!r})"

    def authenticate(self, nonce: bytes, message: bytes) -> bytes:
        """See :meth:`ipsecbench.providers.interface.NonceMac.authenticate`."""
        try:
            return self._seal(nonce, b"", message)
        except (ValueError, OverflowError) as error:
            raise ProviderError(f"{self.algorithm}: cryptography refuses the message: {error}") from error

    def verify(self, nonce: bytes, message: bytes, icv: bytes) -> None:
        """See :meth:`ipsecbench.providers.interface.NonceMac.verify`."""
        if not compare_digest(self.authenticate(nonce, message), icv):
            raise RejectedError(f"{self.algorithm}: the ICV does not match")
