"""The library ``cryptography`` (pyca) as a provider: what it offers is the libcrypto that its wheel bundles."""

from __future__ import annotations

import os
from pathlib import Path

from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.errors import ProviderError
from ipsecbench.providers.constructions import NullCipher, XcbcMac
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
from ipsecbench.providers.kinds import Kind, require_encryption, require_kind
from ipsecbench.providers.prf import build_prf

NAME = "cryptography"
_CPU_SETTINGS = ("OPENSSL_ia32cap", "OPENSSL_armcap", "OPENSSL_ppccap", "OPENSSL_s390xcap", "OPENSSL_riscvcap")


class PycaProvider:
    """The library ``cryptography``, version 44 or later.

    Raises:
        ProviderError: the library cannot be imported.
    """

    name = NAME

    def __init__(self) -> None:
        try:
            from ipsecbench.providers import pyca_public_key, pyca_symmetric
        except (ImportError, OSError) as error:
            raise ProviderError(f"the Python library cryptography cannot be loaded: {error}") from error
        self._symmetric = pyca_symmetric
        self._public_key = pyca_public_key

    def __repr__(self) -> str:
        return "PycaProvider()"

    def library_info(self) -> LibraryInfo:
        """See :meth:`ipsecbench.providers.interface.Provider.library_info`."""
        import cryptography
        from cryptography.hazmat.backends.openssl import backend

        setting = next((name for name in _CPU_SETTINGS if name in os.environ), None)
        return LibraryInfo(
            provider=NAME,
            status="loaded",
            path=str(Path(cryptography.__file__).parent),
            version=f"cryptography {cryptography.__version__}, {backend.openssl_version_text()}",
            modules=[],
            cpu_settings=None if setting is None else f"{setting}={os.environ[setting]}",
            note=None,
        )

    def aead(self, algorithm: str, key: bytes) -> Aead:
        """See :meth:`ipsecbench.providers.interface.Provider.aead`."""
        row = require_encryption(algorithm, key, Kind.AEAD)
        if row.mode == "gcm" and row.icv_bytes < 16:
            return self._symmetric.PycaShortGcm(algorithm, key)
        return self._symmetric.PycaAead(algorithm, key)

    def cipher(self, algorithm: str, key: bytes) -> Cipher:
        """See :meth:`ipsecbench.providers.interface.Provider.cipher`."""
        mode = require_encryption(algorithm, key, Kind.CIPHER).mode
        if mode == "null":
            return NullCipher()
        return self._symmetric.PycaCtr(algorithm, key) if mode == "ctr" else self._symmetric.build_cbc(algorithm, key)

    def mac(self, algorithm: str, key: bytes) -> Mac:
        """See :meth:`ipsecbench.providers.interface.Provider.mac`."""
        require_kind(algorithm, Kind.MAC)
        if algorithm == "aesxcbc":
            return XcbcMac(key, self._symmetric.zero_iv_cbc)
        return self._symmetric.PycaMac(algorithm, key)

    def nonce_mac(self, algorithm: str, key: bytes) -> NonceMac:
        """See :meth:`ipsecbench.providers.interface.Provider.nonce_mac`."""
        require_encryption(algorithm, key, Kind.NONCE_MAC)
        return self._symmetric.PycaGmac(algorithm, key)

    def prf(self, algorithm: str, key: bytes) -> Prf:
        """See :meth:`ipsecbench.providers.interface.Provider.prf`."""
        require_kind(algorithm, Kind.PRF)
        return build_prf(algorithm, key, self.mac)

    def key_exchange(self, algorithm: str, exponent_bits: int | None = None) -> KeyExchange:
        """See :meth:`ipsecbench.providers.interface.Provider.key_exchange`."""
        require_kind(algorithm, Kind.KEY_EXCHANGE)
        kind = KEY_EXCHANGE[algorithm].kind
        if kind.startswith("ffdh"):
            return self._public_key.PycaModp(algorithm, exponent_bits)
        if kind == "ecdh":
            return self._public_key.PycaEcp(algorithm)
        return self._public_key.PycaMontgomery(algorithm)

    def key_encapsulation(self, algorithm: str) -> KeyEncapsulation:
        """See :meth:`ipsecbench.providers.interface.Provider.key_encapsulation`."""
        require_kind(algorithm, Kind.KEY_ENCAPSULATION)
        return self._public_key.PycaMlKem(algorithm)

    def signer(self, algorithm: str, private_key: bytes) -> Signer:
        """See :meth:`ipsecbench.providers.interface.Provider.signer`."""
        require_kind(algorithm, Kind.SIGNATURE)
        return self._public_key.PycaSigner(algorithm, private_key)

    def verifier(self, algorithm: str, public_key: bytes) -> Verifier:
        """See :meth:`ipsecbench.providers.interface.Provider.verifier`."""
        require_kind(algorithm, Kind.SIGNATURE)
        return self._public_key.PycaVerifier(algorithm, public_key)
