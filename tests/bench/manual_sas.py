"""SAs and policies with keys that both ends know beforehand, so that a data plane runs without IKE.

SA pair number ``n`` has SPI :func:`spi_of` in each direction and the reqid ``n + 1``. Its keys are derived from the
SPI: whoever knows the SPI, as an oracle in a test does, can make them again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ipsecbench.algorithms.suites import EspSuite, parse_esp_suite
from ipsecbench.dataplane.interface import DataPlane
from ipsecbench.esp.configuration import (
    Action,
    Direction,
    PolicyConfiguration,
    SaConfiguration,
    SelectorPair,
    UdpEncapsulation,
)
from ipsecbench.esp.mode import Mode
from ipsecbench.esp.traffic_selector import TrafficSelector, subnet
from ipsecbench.lab.namespaces import Host
from ipsecbench.secret import Secret

FIRST_SPI = 0x10000
NATT_PORT = 4500


@dataclass(frozen=True)
class PlaneEnd:
    """A host and the data plane that works for it."""

    host: Host
    plane: DataPlane


def spi_of(number: int, *, to_peer: bool) -> int:
    """SPI of one direction of an SA pair."""
    return FIRST_SPI + 2 * number + (0 if to_peer else 1)


def key_octets(suite: EspSuite, spi: int) -> tuple[bytes, bytes]:
    """Encryption key with salt, and integrity key (empty beside a combined mode), of an SA."""
    length = suite.encryption.keymat_bytes
    integrity = 0 if suite.integrity is None else suite.integrity.key_bytes
    octets = hashlib.shake_256(b"manual keys %d" % spi).digest(length + integrity)
    return octets[:length], octets[length:]


def sa_configuration(
    direction: Direction, spi: int, reqid: int, suite: EspSuite, source: str, destination: str, **options: Any
) -> SaConfiguration:
    """An SA in tunnel mode in UDP; ``options`` are further fields of :class:`SaConfiguration`."""
    encryption, integrity = key_octets(suite, spi)
    sa = SaConfiguration(
        direction,
        spi,
        reqid,
        suite,
        Secret(encryption),
        Secret(integrity) if integrity else None,
        Mode.TUNNEL,
        source,
        destination,
        encapsulation=UdpEncapsulation(NATT_PORT, NATT_PORT),
    )
    return replace(sa, **options)


def add_sa_pair(
    local: PlaneEnd,
    peer: PlaneEnd,
    suite_name: str,
    number: int = 0,
    *,
    local_network: str = "10.1.0.0/16",
    peer_network: str = "10.2.0.0/16",
    policies: bool = True,
    **options: Any,
) -> None:
    """Let two hosts protect what goes between two networks, both ways.

    Args:
        local: first end.
        peer: second end.
        suite_name: strongSwan's spelling.
        number: of the SA pair; each has SPIs, keys and a reqid of its own.
        local_network: inside the first host.
        peer_network: inside the second.
        policies: whether the policies are made too, which is done once for a reqid.
        options: further fields of :class:`SaConfiguration`, the same for both directions.
    """
    suite = parse_esp_suite(suite_name)
    networks = (subnet(local_network), subnet(peer_network))
    for to_peer in (True, False):
        sender, receiver = (local, peer) if to_peer else (peer, local)
        ends = (sender.host.ipv4, receiver.host.ipv4)
        spi = spi_of(number, to_peer=to_peer)
        # The receiver first: nothing may arrive that it does not know.
        for end, direction in ((receiver, Direction.INBOUND), (sender, Direction.OUTBOUND)):
            end.plane.add_sa(sa_configuration(direction, spi, number + 1, suite, *ends, **options))
            if policies:
                inner = networks if to_peer else networks[::-1]
                end.plane.add_policy(protect(direction, number + 1, inner))


def remove_sa_pair(local: PlaneEnd, peer: PlaneEnd, number: int) -> None:
    """Forget the SAs of a pair at both ends; policies stay."""
    for to_peer in (True, False):
        sender, receiver = (local, peer) if to_peer else (peer, local)
        sender.plane.remove_sa(Direction.OUTBOUND, spi_of(number, to_peer=to_peer))
        receiver.plane.remove_sa(Direction.INBOUND, spi_of(number, to_peer=to_peer))


def protect(direction: Direction, reqid: int, inner: Sequence[TrafficSelector]) -> PolicyConfiguration:
    """A policy that protects what goes from the first selector to the second."""
    return PolicyConfiguration(direction, (SelectorPair(*inner),), Action.PROTECT, reqid)
