"""What an endpoint does before it gives up its rights: every algorithm of its configuration is admitted.

Afterwards the program's own files may be out of reach, and a known answer that takes milliseconds is better not checked
while a peer waits.
"""

from __future__ import annotations

from collections.abc import Iterator

from ipsecbench.algorithms.proposals import NO_KEY_EXCHANGE
from ipsecbench.ike.configuration import EndpointConfiguration
from ipsecbench.providers.selection import ProviderSelection


def named_algorithms(configuration: EndpointConfiguration) -> frozenset[str]:
    """Every algorithm that IKE itself has to run: all of the IKE proposals, and the key exchanges of the ESP ones."""
    return frozenset(_names(configuration)) - {NO_KEY_EXCHANGE}


def _names(configuration: EndpointConfiguration) -> Iterator[str]:
    for connection in configuration.connections:
        for ike in connection.proposals:
            yield from (*ike.encryption, *ike.integrity, *ike.prf, *ike.key_exchange)
            yield from (name for methods in ike.additional_key_exchanges for name in methods)
        for child in connection.children:
            for esp in child.proposals:
                yield from esp.key_exchange
                yield from (name for methods in esp.additional_key_exchanges for name in methods)


def admit_algorithms(configuration: EndpointConfiguration, cryptography: ProviderSelection) -> tuple[str, ...]:
    """Admit what the configuration names.

    Returns:
        The algorithms that cannot be run here, so that they are neither offered nor accepted.
    """
    return tuple(sorted(name for name in named_algorithms(configuration) if not cryptography.supports(name)))
