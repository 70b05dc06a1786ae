"""Every scenario by name."""

from __future__ import annotations

from types import MappingProxyType

from ipsecbench.lab.arrangement import ARTICLE, MODERN_IKEV1, Arrangement
from ipsecbench.lab.scenarios.basic import WITH_STRONGSWAN
from ipsecbench.lab.scenarios.model import Scenario

_PLAIN_ESP = "aes128gcm16-x25519"


def _strongswan() -> list[Scenario]:
    found = []
    for version in (2, 1):
        ike, esp = ("aes128gcm16-prfsha256-x25519", _PLAIN_ESP) if version == 2 else MODERN_IKEV1
        found.append(
            Scenario(
                f"strongswan-both-ikev{version}",
                f"strongSwan at both ends, IKEv{version}: what ours is held against",
                Arrangement(version=version, ike=ike, esp=esp, strongswan="AB"),
                WITH_STRONGSWAN,
            )
        )
    return found


SCENARIOS = MappingProxyType({scenario.name: scenario for scenario in [*_strongswan()]})
"""By name, in the order in which they are shown."""

__all__ = ["ARTICLE", "SCENARIOS"]
