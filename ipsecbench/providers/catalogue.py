"""The Python libraries that can be used here, and which algorithms of them were admitted.

A library is imported when it is first asked for. An algorithm is admitted when it is first needed, by its known
answers; one that gave a wrong answer stays barred for the life of the process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.integrity import INTEGRITY
from ipsecbench.errors import CorrectnessError, ProviderError, UnsupportedError, UsageError
from ipsecbench.providers.interface import LibraryInfo, Provider
from ipsecbench.providers.kinds import KINDS, OPERATIONS, Kind, encryption_key_bytes
from ipsecbench.providers.known_answers import check_known_answers, known_answers

TIER = "primitive"
"""Tier of everything that is measured through a Python library."""


def _pyca() -> Provider:
    from ipsecbench.providers.pyca import PycaProvider

    return PycaProvider()


def _pycryptodome() -> Provider:
    from ipsecbench.providers.pycryptodome import PycryptodomeProvider

    return PycryptodomeProvider()


def _python() -> Provider:
    from ipsecbench.providers.python import PythonProvider

    return PythonProvider()


_FACTORIES: Mapping[str, Callable[[], Provider]] = MappingProxyType(
    {"cryptography": _pyca, "pycryptodome": _pycryptodome}
)

PROVIDERS = tuple(_FACTORIES)
"""Names of the libraries that are measured; naming them imports nothing."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What can be measured of one algorithm: the same row as in the agent's ``list`` answer."""

    provider: str
    """Name of the provider."""
    tier: str
    """Always ``primitive``."""
    algorithm: str
    """Proposal token."""
    operations: tuple[str, ...]
    """Names of docs/agent-protocol.md; empty when the algorithm cannot be had."""
    reason: str | None
    """Why there is no operation."""


@dataclass(frozen=True, slots=True)
class CheckFailure:
    """A known answer that came out wrong."""

    provider: str
    """Name of the provider."""
    algorithm: str
    """Proposal token."""
    message: str
    """What was wrong."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What the known answers said, in the words of the agent's ``check`` answer."""

    passed: int
    """Known answers that were right."""
    failures: tuple[CheckFailure, ...]
    """Algorithms with a wrong answer, and where the library failed."""

    @property
    def failed(self) -> int:
        """How many algorithms failed."""
        return len(self.failures)


class Catalogue:
    """The libraries, and what of them was admitted.

    Args:
        factories: provider's name to what builds its adapter; the adapters of this package by default.
    """

    def __init__(self, factories: Mapping[str, Callable[[], Provider]] = _FACTORIES) -> None:
        self._factories = dict(factories)
        self._providers: dict[str, Provider] = {}
        self._admitted: dict[tuple[str, str], int] = {}
        self._barred: dict[tuple[str, str], str] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the adapters, in order."""
        return tuple(self._factories)

    def provider(self, name: str) -> Provider:
        """The adapter of a library, imported now if it was not before.

        Raises:
            UsageError: there is no adapter of this name.
            ProviderError: the library cannot be imported.
        """
        factory = self._factories.get(name)
        if factory is None:
            raise UsageError(f"{name!r} is no Python provider; choose from {', '.join(self._factories)}")
        if name not in self._providers:
            self._providers[name] = factory()
        return self._providers[name]

    def library_info(self, name: str) -> LibraryInfo:
        """What a library is, or why it cannot be used.

        Raises:
            UsageError: there is no adapter of this name.
        """
        try:
            return self.provider(name).library_info()
        except ProviderError as error:
            missing = isinstance(error.__cause__, ModuleNotFoundError)
            return LibraryInfo(
                provider=name,
                status="missing" if missing else "unusable",
                path=None,
                version=None,
                modules=[],
                cpu_settings=None,
                note=str(error),
            )

    def operations(self, name: str) -> list[Operation]:
        """One row for every algorithm that the project knows; what cannot be measured has its reason.

        Whether the library has an algorithm is tried, not looked up. Known answers are not run here.

        Raises:
            UsageError: there is no adapter of this name.
        """
        rows = []
        for algorithm, kind in KINDS.items():
            reason = self._reason(name, algorithm)
            rows.append(Operation(name, TIER, algorithm, () if reason else OPERATIONS[kind], reason))
        return rows

    def admit(self, name: str, algorithm: str) -> Provider:
        """The adapter of a library, when its known answers for the algorithm are right.

        Raises:
            UsageError: there is no such adapter or algorithm.
            UnsupportedError: the library has no such algorithm.
            CorrectnessError: a known answer is wrong, now or earlier.
            ProviderError: the library failed.
        """
        if algorithm not in KINDS:
            raise UsageError(f"{algorithm!r} is no algorithm known here; see 'ipsecbench bench --list'")
        provider = self.provider(name)
        key = (name, algorithm)
        if key in self._barred:
            raise CorrectnessError(self._barred[key])
        if key not in self._admitted:
            probe(provider, algorithm)
            try:
                self._admitted[key] = check_known_answers(provider, algorithm)
            except CorrectnessError as error:
                self._barred[key] = str(error)
                raise
        return provider

    def check(self, name: str | None = None, algorithm: str | None = None) -> CheckResult:
        """Run the known answers of everything that the libraries offer.

        Args:
            name: only this provider.
            algorithm: only this algorithm.

        Raises:
            UsageError: there is no such adapter or algorithm.
            ProviderError: a library cannot be imported.
        """
        passed = 0
        failures = []
        for provider in self._factories if name is None else (name,):
            self.provider(provider)
            for each in KINDS if algorithm is None else (algorithm,):
                try:
                    self.admit(provider, each)
                    passed += self._admitted[provider, each]
                except UnsupportedError:
                    continue
                except (CorrectnessError, ProviderError) as error:
                    failures.append(CheckFailure(provider, each, str(error)))
        return CheckResult(passed, tuple(failures))

    def _reason(self, name: str, algorithm: str) -> str | None:
        """Why a library cannot be measured with an algorithm; None when it can."""
        try:
            provider = self.provider(name)
            if (name, algorithm) in self._barred:
                return self._barred[name, algorithm]
            probe(provider, algorithm)
        except (ProviderError, UnsupportedError) as error:
            return str(error)
        return None


def probe(provider: Provider, algorithm: str) -> None:
    """Build what computes an algorithm, to see whether the library has it.

    Raises:
        UnsupportedError: it has not.
        ProviderError: the library failed.
    """
    kind = KINDS[algorithm]
    if kind is Kind.KEY_EXCHANGE:
        provider.key_exchange(algorithm)
    elif kind is Kind.KEY_ENCAPSULATION:
        provider.key_encapsulation(algorithm)
    elif kind is Kind.SIGNATURE:
        # Not the private key: some libraries test its primes when they load it.
        provider.verifier(algorithm, known_answers()[algorithm][0].values["public"])
    elif kind is Kind.PRF:
        provider.prf(algorithm, bytes(range(16)))
    elif kind is Kind.MAC:
        provider.mac(algorithm, bytes(range(INTEGRITY[algorithm].key_bytes)))
    else:
        # Octets that all differ, because three equal keys are no 3DES to some libraries.
        key = bytes(range(encryption_key_bytes(ENCRYPTION[algorithm])))
        if kind is Kind.AEAD:
            provider.aead(algorithm, key)
        elif kind is Kind.CIPHER:
            provider.cipher(algorithm, key)
        else:
            provider.nonce_mac(algorithm, key)


@cache
def default_catalogue() -> Catalogue:
    """The catalogue of this process."""
    return Catalogue()


@cache
def stack_catalogue() -> Catalogue:
    """What the protocol stacks of this process choose from: the libraries, and what Python has without them."""
    return Catalogue({**_FACTORIES, "python": _python})


def library_info(name: str) -> LibraryInfo:
    """:meth:`Catalogue.library_info` of this process's catalogue."""
    return default_catalogue().library_info(name)


def operations(name: str) -> list[Operation]:
    """:meth:`Catalogue.operations` of this process's catalogue."""
    return default_catalogue().operations(name)


def check(name: str | None = None, algorithm: str | None = None) -> CheckResult:
    """:meth:`Catalogue.check` of this process's catalogue."""
    return default_catalogue().check(name, algorithm)
