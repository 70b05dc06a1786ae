"""What Python has without a further library: HMAC through ``hashlib``, and one curve in its own arithmetic.

This provider is for the protocol stacks only and is not measured. One call of ``hmac.digest`` takes a key and a
message at once, where the other libraries first build an object for the key: IKE uses most of its keys once or twice.
"""

from __future__ import annotations

import hashlib
import platform
from functools import cache
from hmac import compare_digest, digest
from typing import NoReturn

from ipsecbench.algorithms.integrity import INTEGRITY
from ipsecbench.errors import RejectedError, UnsupportedError
from ipsecbench.providers.interface import (
    Aead,
    Cipher,
    KeyEncapsulation,
    KeyExchange,
    LibraryInfo,
    Mac,
    NonceMac,
    Prf,
    Signer,
    Verifier,
)
from ipsecbench.providers.kinds import Kind, require_kind
from ipsecbench.providers.prf import build_prf
from ipsecbench.providers.python_curve import PythonEcp

NAME = "python"
_HASHES = ("md5", "sha1", "sha256", "sha384", "sha512")


@cache
def _check_hash(name: str) -> None:
    try:
        digest(b"key", b"", name)
    except ValueError as error:
        # Such as MD5 where the box's libcrypto runs in FIPS mode.
        raise UnsupportedError(f"this Python cannot do HMAC with {name}: {error}") from error


class PythonHmac:
    """HMAC (RFC 2104), without state."""

    __slots__ = ("_key", "algorithm", "icv_bytes")

    def __init__(self, algorithm: str, key: bytes) -> None:
        self.algorithm = algorithm
        self.icv_bytes = INTEGRITY[algorithm].icv_bytes
        self._key = key

    def __repr__(self) -> str:
        return f"PythonHmac({self.algorithm!r})"

    def authenticate(self, message: bytes) -> bytes:
        """See :meth:`ipsecbench.providers.interface.Mac.authenticate`."""
        return digest(self._key, message, self.algorithm)

    def verify(self, message: bytes, icv: bytes) -> None:
        """See :meth:`ipsecbench.providers.interface.Mac.verify`."""
        if not compare_digest(digest(self._key, message, self.algorithm)[: self.icv_bytes], icv):
            raise RejectedError(f"{self.algorithm}: the ICV does not match")


def _refuse(algorithm: str, kind: Kind) -> NoReturn:
    require_kind(algorithm, kind)
    raise UnsupportedError(f"Python has no {algorithm} of its own")


class PythonProvider:
    """Python's own means."""

    name = NAME

    def __repr__(self) -> str:
        return "PythonProvider()"

    def library_info(self) -> LibraryInfo:
        """See :meth:`ipsecbench.providers.interface.Provider.library_info`."""
        return LibraryInfo(
            provider=NAME,
            status="loaded",
            path=hashlib.__file__,
            version=f"Python {platform.python_version()}",
            modules=[],
            cpu_settings=None,
            note=None,
        )

    def aead(self, algorithm: str, key: bytes) -> Aead:
        """See :meth:`ipsecbench.providers.interface.Provider.aead`."""
        _refuse(algorithm, Kind.AEAD)

    def cipher(self, algorithm: str, key: bytes) -> Cipher:
        """See :meth:`ipsecbench.providers.interface.Provider.cipher`."""
        _refuse(algorithm, Kind.CIPHER)

    def mac(self, algorithm: str, key: bytes) -> Mac:
        """See :meth:`ipsecbench.providers.interface.Provider.mac`."""
        if algorithm not in _HASHES:
            _refuse(algorithm, Kind.MAC)
        _check_hash(algorithm)
        return PythonHmac(algorithm, key)

    def nonce_mac(self, algorithm: str, key: bytes) -> NonceMac:
        """See :meth:`ipsecbench.providers.interface.Provider.nonce_mac`."""
        _refuse(algorithm, Kind.NONCE_MAC)

    def prf(self, algorithm: str, key: bytes) -> Prf:
        """See :meth:`ipsecbench.providers.interface.Provider.prf`."""
        if algorithm.removeprefix("prf") not in _HASHES:
            _refuse(algorithm, Kind.PRF)
        return build_prf(algorithm, key, self.mac)

    def key_exchange(self, algorithm: str, exponent_bits: int | None = None) -> KeyExchange:
        """See :meth:`ipsecbench.providers.interface.Provider.key_exchange`."""
        if algorithm != "ecp224bp":
            _refuse(algorithm, Kind.KEY_EXCHANGE)
        return PythonEcp(algorithm)

    def key_encapsulation(self, algorithm: str) -> KeyEncapsulation:
        """See :meth:`ipsecbench.providers.interface.Provider.key_encapsulation`."""
        _refuse(algorithm, Kind.KEY_ENCAPSULATION)

    def signer(self, algorithm: str, private_key: bytes) -> Signer:
        """See :meth:`ipsecbench.providers.interface.Provider.signer`."""
        _refuse(algorithm, Kind.SIGNATURE)

    def verifier(self, algorithm: str, public_key: bytes) -> Verifier:
        """See :meth:`ipsecbench.providers.interface.Provider.verifier`."""
        _refuse(algorithm, Kind.SIGNATURE)
