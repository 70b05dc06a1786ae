"""What an endpoint takes from outside, so that whole exchanges run in virtual time with seeded randomness."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ipsecbench.providers.interface import PublicKeyInfrastructure
from ipsecbench.providers.selection import ProviderSelection


@dataclass(frozen=True, slots=True)
class Environment:
    """Everything that is injected but the time, which is an argument wherever it matters."""

    cryptography: ProviderSelection
    """Algorithms, each admitted by its known answers."""
    certificates: PublicKeyInfrastructure
    """Reading and verifying certificates."""
    random: Callable[[int], bytes]
    """Octets for nonces, SPIs, IVs and cookies: the system's in an endpoint, a seeded source in a test."""
    unix_time: Callable[[], float]
    """Seconds since 1970, for the validity of certificates only."""
