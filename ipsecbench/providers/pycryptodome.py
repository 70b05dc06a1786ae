"""The library PyCryptodome as a provider: C code of its own, independent of OpenSSL."""

from __future__ import annotations

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

NAME = "pycryptodome"


class PycryptodomeProvider:
    """The library PyCryptodome, version 3.20 or later.

    Raises:
        ProviderError: the library cannot be imported.
    """

    name = NAME

    def __init__(self) -> None:
        try:
            from ipsecbench.providers import pycryptodome_public_key, pycryptodome_symmetric
        except (ImportError, OSError) as error:
            raise ProviderError(f"the Python library pycryptodome cannot be loaded: {error}") from error
        self._symmetric = pycryptodome_symmetric
        self._public_key = pycryptodome_public_key

    def __repr__(self) -> str:
        return "PycryptodomeProvider()"

    def library_info(self) -> LibraryInfo:
        """See :meth:`ipsecbench.providers.interface.Provider.library_info`."""
        import Crypto

        return LibraryInfo(
            provider=NAME,
            status="loaded",
            path=str(Path(Crypto.__file__).parent),
            version=f"PyCryptodome {Crypto.__version__}",
            modules=[],
            cpu_settings=None,
            note=None,
        )

    def aead(self, algorithm: str, key: bytes) -> Aead:
        """See :meth:`ipsecbench.providers.interface.Provider.aead`."""
        require_encryption(algorithm, key, Kind.AEAD)
        return self._symmetric.PycryptodomeAead(algorithm, key)

    def cipher(self, algorithm: str, key: bytes) -> Cipher:
        """See :meth:`ipsecbench.providers.interface.Provider.cipher`."""
        mode = require_encryption(algorithm, key, Kind.CIPHER).mode
        if mode == "null":
            return NullCipher()
        if mode == "ctr":
            return self._symmetric.PycryptodomeCtr(algorithm, key)
        return self._symmetric.PycryptodomeCbc(algorithm, key)

    def mac(self, algorithm: str, key: bytes) -> Mac:
        """See :meth:`ipsecbench.providers.interface.Provider.mac`."""
        require_kind(algorithm, Kind.MAC)
        if algorithm == "aesxcbc":
            return XcbcMac(key, self._symmetric.zero_iv_cbc)
        return self._symmetric.PycryptodomeMac(algorithm, key)

    def nonce_mac(self, algorithm: str, key: bytes) -> NonceMac:
        """See :meth:`ipsecbench.providers.interface.Provider.nonce_mac`."""
        require_encryption(algorithm, key, Kind.NONCE_MAC)
        return self._symmetric.PycryptodomeGmac(algorithm, key)

    def prf(self, algorithm: str, key: bytes) -> Prf:
        """See :meth:`ipsecbench.providers.interface.Provider.prf`."""
        require_kind(algorithm, Kind.PRF)
        return build_prf(algorithm, key, self.mac)

    def key_exchange(self, algorithm: str, exponent_bits: int | None = None) -> KeyExchange:
        """See :meth:`ipsecbench.providers.interface.Provider.key_exchange`."""
        require_kind(algorithm, Kind.KEY_EXCHANGE)
        kind = KEY_EXCHANGE[algorithm].kind
        if kind.startswith("ffdh"):
            return self._public_key.PycryptodomeModp(algorithm, exponent_bits)
        if kind == "ecdh":
            return self._public_key.PycryptodomeEcp(algorithm)
        return self._public_key.PycryptodomeMontgomery(algorithm)

    def key_encapsulation(self, algorithm: str) -> KeyEncapsulation:
        """See :meth:`ipsecbench.providers.interface.Provider.key_encapsulation`."""
        require_kind(algorithm, Kind.KEY_ENCAPSULATION)
        return self._public_key.PycryptodomeMlKem(algorithm)

    def signer(self, algorithm: str, private_key: bytes) -> Signer:
        """See :meth:`ipsecbench.providers.interface.Provider.signer`."""
        require_kind(algorithm, Kind.SIGNATURE)
        return self._public_key.PycryptodomeSigner(algorithm, private_key)

    def verifier(self, algorithm: str, public_key: bytes) -> Verifier:
        """See :meth:`ipsecbench.providers.interface.Provider.verifier`."""
        require_kind(algorithm, Kind.SIGNATURE)
        return self._public_key.PycryptodomeVerifier(algorithm, public_key)
