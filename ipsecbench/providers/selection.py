"""One provider out of several: for each algorithm the first library that has it and passed its known answers.

This is what the IKE stack is given. ``supports`` tells beforehand whether an algorithm runs here, so that nothing is
offered to a peer that could not be carried out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from ipsecbench.errors import CorrectnessError, ProviderError, UnsupportedError
from ipsecbench.providers.catalogue import Catalogue, stack_catalogue
from ipsecbench.providers.interface import (
    Aead,
    Cipher,
    KeyEncapsulation,
    KeyExchange,
    LibraryInfo,
    Mac,
    NonceMac,
    Prf,
    Provider,
    Signer,
    Verifier,
)
from ipsecbench.providers.kinds import KINDS

NAME = "selection"

_HASHES = ("md5", "sha1", "sha256", "sha384", "sha512")

PREFERRED: Mapping[str, str] = MappingProxyType(
    # One call for key and message, where cryptography builds an object for each key and copies it for each message.
    {name: "python" for digest in _HASHES for name in (digest, f"prf{digest}")}
    # cryptography from version 49 on tests the primes of these two groups each time, which takes up to 31 ms.
    | dict.fromkeys(("modp768", "modp1024"), "pycryptodome")
)
"""Algorithm to the library that is tried first for it, where that is not the first of all."""


class ProviderSelection:
    """The libraries behind one interface. An algorithm is admitted at its first use, which takes milliseconds.

    What has no key (``key_exchange``, ``key_encapsulation``) is built once and given out again: building it anew would
    try each time whether the library has the method.

    Args:
        catalogue: admits the libraries' algorithms; that of the process by default.
        libraries: names of providers in order of preference; all of the catalogue by default.
        preferred: exceptions to that order by algorithm.
    """

    __slots__ = ("_catalogue", "_chosen", "_encapsulations", "_exchanges", "_libraries", "_missing", "_preferred")

    name = NAME

    def __init__(
        self,
        catalogue: Catalogue | None = None,
        libraries: Sequence[str] | None = None,
        preferred: Mapping[str, str] = PREFERRED,
    ) -> None:
        self._catalogue = catalogue or stack_catalogue()
        self._libraries = self._catalogue.names if libraries is None else tuple(libraries)
        self._preferred = preferred
        self._chosen: dict[str, Provider] = {}
        self._missing: dict[str, str] = {}
        self._exchanges: dict[tuple[str, int | None], KeyExchange] = {}
        self._encapsulations: dict[str, KeyEncapsulation] = {}

    def __repr__(self) -> str:
        return f"ProviderSelection({', '.join(self._libraries)})"

    def library_info(self) -> LibraryInfo:
        """See :meth:`ipsecbench.providers.interface.Provider.library_info`; the libraries are named together."""
        rows = [self._catalogue.library_info(name) for name in self._libraries]
        loaded = [row for row in rows if row["status"] == "loaded"]
        return LibraryInfo(
            provider=NAME,
            status="loaded" if loaded else "missing",
            path=None,
            version="; ".join(str(row["version"]) for row in loaded) or None,
            modules=[],
            cpu_settings=next((row["cpu_settings"] for row in rows if row["cpu_settings"]), None),
            note="; ".join(str(row["note"]) for row in rows if row["note"]) or None,
        )

    def supports(self, algorithm: str) -> bool:
        """Whether a library has the algorithm and passed its known answers; also for names that nobody knows."""
        if algorithm not in KINDS:
            return False
        try:
            self.library(algorithm)
        except UnsupportedError:
            return False
        return True

    def library(self, algorithm: str) -> Provider:
        """The library that an algorithm comes from.

        Raises:
            UnsupportedError: no library has it, or none that gives right answers; the message says why for each.
            UsageError: there is no such algorithm.
        """
        chosen = self._chosen.get(algorithm)
        return self._choose(algorithm) if chosen is None else chosen

    def _choose(self, algorithm: str) -> Provider:
        if algorithm in self._missing:
            raise UnsupportedError(self._missing[algorithm])
        reasons = []
        first = self._preferred.get(algorithm)
        for name in sorted(self._libraries, key=lambda each: each != first):
            try:
                provider = self._catalogue.admit(name, algorithm)
            except (UnsupportedError, CorrectnessError, ProviderError) as error:
                reasons.append(str(error))
            else:
                self._chosen[algorithm] = provider
                return provider
        self._missing[algorithm] = f"no library here can do {algorithm}: {'; '.join(reasons)}"
        raise UnsupportedError(self._missing[algorithm])

    def aead(self, algorithm: str, key: bytes) -> Aead:
        """See :meth:`ipsecbench.providers.interface.Provider.aead`."""
        return self.library(algorithm).aead(algorithm, key)

    def cipher(self, algorithm: str, key: bytes) -> Cipher:
        """See :meth:`ipsecbench.providers.interface.Provider.cipher`."""
        return self.library(algorithm).cipher(algorithm, key)

    def mac(self, algorithm: str, key: bytes) -> Mac:
        """See :meth:`ipsecbench.providers.interface.Provider.mac`."""
        return self.library(algorithm).mac(algorithm, key)

    def nonce_mac(self, algorithm: str, key: bytes) -> NonceMac:
        """See :meth:`ipsecbench.providers.interface.Provider.nonce_mac`."""
        return self.library(algorithm).nonce_mac(algorithm, key)

    def prf(self, algorithm: str, key: bytes) -> Prf:
        """See :meth:`ipsecbench.providers.interface.Provider.prf`."""
        return self.library(algorithm).prf(algorithm, key)

    def key_exchange(self, algorithm: str, exponent_bits: int | None = None) -> KeyExchange:
        """See :meth:`ipsecbench.providers.interface.Provider.key_exchange`."""
        key = (algorithm, exponent_bits)
        if key not in self._exchanges:
            self._exchanges[key] = self.library(algorithm).key_exchange(algorithm, exponent_bits)
        return self._exchanges[key]

    def key_encapsulation(self, algorithm: str) -> KeyEncapsulation:
        """See :meth:`ipsecbench.providers.interface.Provider.key_encapsulation`."""
        if algorithm not in self._encapsulations:
            self._encapsulations[algorithm] = self.library(algorithm).key_encapsulation(algorithm)
        return self._encapsulations[algorithm]

    def signer(self, algorithm: str, private_key: bytes) -> Signer:
        """See :meth:`ipsecbench.providers.interface.Provider.signer`."""
        return self.library(algorithm).signer(algorithm, private_key)

    def verifier(self, algorithm: str, public_key: bytes) -> Verifier:
        """See :meth:`ipsecbench.providers.interface.Provider.verifier`."""
        return self.library(algorithm).verifier(algorithm, public_key)
