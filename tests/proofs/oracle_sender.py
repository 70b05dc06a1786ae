"""ESP packets that an oracle seals with the manual keys, and a receiver behind the data plane that says which came.

Each packet has an inner UDP datagram with its number, so that what was delivered is known one by one.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from ipsecbench.algorithms.suites import parse_esp_suite
from ipsecbench.lab.namespaces import Host, Hosts
from tests.bench.manual_sas import NATT_PORT, key_octets, spi_of
from tests.interop.esp_packets import IPV4, Sa, udp_packet
from tests.proofs.attacker import Datagram

PORT = 5999
_PATIENCE_SECONDS = 3.0
_SO_RCVBUFFORCE = 33


class OracleSender:
    """Seals packets of the first host's outbound SA, as a peer with the keys would."""

    def __init__(self, hosts: Hosts, suite_name: str, number: int = 0, *, encapsulated: bool = True) -> None:
        suite = parse_esp_suite(suite_name)
        spi = spi_of(number, to_peer=True)
        key, integrity_key = key_octets(suite, spi)
        integrity = None if suite.integrity is None else suite.integrity.name
        self.sa = Sa(spi.to_bytes(4, "big"), suite.encryption.name, integrity, key, integrity_key)
        self._hosts = hosts
        self._ports = (NATT_PORT, NATT_PORT) if encapsulated else None

    def packets(self, numbers: Sequence[int], payload_bytes: int = 64) -> list[Datagram]:
        """One packet for each number, which is the sequence number and what is inside."""
        local, peer = self._hosts.local, self._hosts.peer
        found = []
        for number in numbers:
            payload = struct.pack("!I", number).ljust(payload_bytes, b".")
            inner = udp_packet(local.inner_ipv4, peer.inner_ipv4, PORT, payload)
            found.append(self.datagram(self.sa.seal(number, inner, IPV4)))
        return found

    def datagram(self, esp: bytes) -> Datagram:
        """An ESP packet, whatever is in it, on its way."""
        return Datagram(self._hosts.local.ipv4, self._hosts.peer.ipv4, esp, self._ports)


class Sink:
    """Takes the inner datagrams in a host."""

    def __init__(self, host: Host) -> None:
        self._socket = host.udp_socket(PORT, host.inner_ipv4)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, 64 << 20)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def numbers(self, quiet_seconds: float = 0.2) -> list[int]:
        """Numbers that have come in since the last call, until nothing more comes for so long after the first."""
        found: list[int] = []
        while True:
            self._socket.settimeout(quiet_seconds if found else _PATIENCE_SECONDS)
            try:
                found.append(int.from_bytes(self._socket.recv(2048)[:4], "big"))
            except TimeoutError:
                return found
