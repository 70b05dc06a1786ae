"""NAT keep-alives (RFC 3948 section 4): a path in UDP that was silent for too long gets one octet."""

from __future__ import annotations

from collections.abc import Iterable

from ipsecbench.esp.configuration import UdpEncapsulation
from ipsecbench.esp.outer_packet import OuterPacket
from ipsecbench.esp.security_association import OutboundSa
from ipsecbench.esp.udp_encapsulation import KEEPALIVE
from ipsecbench.wire.ip import IpHeader, Protocol, address_octets

_Path = tuple[str, str, UdpEncapsulation]


class KeepAlives:
    """When something was last sent on each path, and what is due.

    Args:
        silence_seconds: how long a path may be silent; 0: for ever.
    """

    __slots__ = ("_last_sent", "_silence_seconds")

    def __init__(self, silence_seconds: float) -> None:
        self._silence_seconds = silence_seconds
        self._last_sent: dict[_Path, float] = {}

    def times(self, sas: Iterable[OutboundSa]) -> list[float]:
        """When each path is due."""
        return [last + self._silence_seconds for last in self._paths(sas).values()]

    def due(self, sas: Iterable[OutboundSa], now: float) -> list[OuterPacket]:
        """The keep-alives of the paths that were silent for too long; they count as sent."""
        paths = self._paths(sas)
        # Paths that no SA has any more are forgotten.
        self._last_sent = {path: last for path, last in self._last_sent.items() if path in paths}
        packets = []
        for path, last in paths.items():
            if now >= last + self._silence_seconds:
                self._last_sent[path] = now
                packets.append(_keep_alive(path))
        return packets

    def _paths(self, sas: Iterable[OutboundSa]) -> dict[_Path, float]:
        """Each path in UDP, and when something was last sent there."""
        paths: dict[_Path, float] = {}
        if not self._silence_seconds:
            return paths
        for sa in sas:
            configuration = sa.configuration
            if configuration.encapsulation is not None:
                path = configuration.source, configuration.destination, configuration.encapsulation
                known = paths.get(path, self._last_sent.get(path, sa.lives.last_used))
                paths[path] = max(known, sa.lives.last_used)
        return paths


def _keep_alive(path: _Path) -> OuterPacket:
    source, destination, encapsulation = path
    header = IpHeader(address_octets(source), address_octets(destination), Protocol.UDP)
    return OuterPacket(header, KEEPALIVE, encapsulation)
