"""Somebody on the path between two hosts: records their ESP packets and sends whatever he likes, very fast.

Packets are prepared once and handed to the kernel a thousand at a time, so that one core fills what a line carries.
"""

from __future__ import annotations

import ctypes
import ipaddress
import socket
import struct
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from ipsecbench.lab.namespaces import Host

_BATCH = 1024  # UIO_MAXIOV, as much as sendmmsg(2) takes at a time
_PACED_BATCH = 64
_ETH_P_ALL, _ETH_P_IP = 3, 0x0800
_PACKET_VNET_HDR, _SOL_PACKET = 15, 263
_SO_RCVBUFFORCE, _SO_SNDBUFFORCE = 33, 32
_VNET_HEADER = struct.Struct("=BBHHHH")  # flags, kind, length of the headers, length of a segment, checksum
_VNET_UDP_SEGMENTS = 5
_ETHERNET_BYTES = 14
_UDP, _ESP = 17, 50


@dataclass(frozen=True)
class Datagram:
    """One ESP packet as it is on the wire, IPv4 outside."""

    source: str
    destination: str
    esp: bytes
    """From the SPI to the ICV."""
    ports: tuple[int, int] | None = None
    """Of UDP encapsulation; None: IP protocol 50."""

    @property
    def octets(self) -> bytes:
        """The whole IP packet. The UDP checksum is 0, as RFC 3948 section 2.1 wants it."""
        body = self.esp
        if self.ports is not None:
            body = struct.pack("!HHHH", *self.ports, 8 + len(body), 0) + body
        addresses = ipaddress.IPv4Address(self.source).packed + ipaddress.IPv4Address(self.destination).packed
        # The kernel fills in the checksum, and the identification where it is 0.
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, 64, _ESP if self.ports is None else _UDP, 0)
        return head + addresses + body


class Recorder:
    """Every ESP packet that a host sends, from ``with`` on; large ones that the kernel would cut later are cut here."""

    def __init__(self, host: Host, interface: str = "eth0") -> None:
        self._host = host
        self._interface = interface
        self._socket: socket.socket | None = None

    def __enter__(self) -> Self:
        def open_socket() -> socket.socket:
            opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.htons(_ETH_P_ALL))
            opened.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, 256 << 20)
            opened.setsockopt(_SOL_PACKET, _PACKET_VNET_HDR, 1)
            opened.bind((self._interface, _ETH_P_ALL))
            opened.setblocking(False)
            return opened

        self._socket = self._host.call(open_socket)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def datagrams(self) -> list[Datagram]:
        """What has passed since the last call."""
        assert self._socket is not None
        found: list[Datagram] = []
        while True:
            try:
                data, address = self._socket.recvfrom(70000)
            except BlockingIOError:
                return found
            if address[1] == _ETH_P_IP and address[2] == socket.PACKET_OUTGOING:
                found += _esp_packets(data)


def _esp_packets(data: bytes) -> list[Datagram]:
    _flags, kind, _head, segment, _start, _offset = _VNET_HEADER.unpack_from(data)
    packet = data[_VNET_HEADER.size + _ETHERNET_BYTES :]
    header = (packet[0] & 15) * 4
    source, destination = (socket.inet_ntoa(packet[at : at + 4]) for at in (12, 16))
    if packet[9] == _ESP:
        return [Datagram(source, destination, packet[header:])]
    if packet[9] != _UDP:
        return []
    ports = struct.unpack_from("!HH", packet, header)
    payload = packet[header + 8 :]
    # The first word of IKE is 0 on the NAT-T port (RFC 3948 section 2.2); on port 500 there is no ESP.
    if 4500 not in ports or len(payload) < 8 or payload[:4] == bytes(4):
        return []
    step = segment if kind & 0x7F == _VNET_UDP_SEGMENTS else len(payload)
    return [Datagram(source, destination, payload[at : at + step], ports) for at in range(0, len(payload), step)]


class _Message(ctypes.Structure):
    """struct mmsghdr."""

    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint32),
        ("vector", ctypes.c_void_p),
        ("vector_length", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_size_t),  # an int, and what aligns the structure inside
        ("sent", ctypes.c_size_t),
    )


class Injector:
    """Sends prepared IP packets from a host, from addresses that need not be its own."""

    def __init__(self, host: Host) -> None:
        def open_socket() -> socket.socket:
            opened = socket.socket(socket.AF_INET, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.IPPROTO_RAW)
            opened.setsockopt(socket.SOL_SOCKET, _SO_SNDBUFFORCE, 64 << 20)
            return opened

        self._socket = host.call(open_socket)
        self._library = ctypes.CDLL(None, use_errno=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def send(self, packets: Sequence[Datagram]) -> None:
        """Send each once, in order."""
        load = _Load(packets)
        for first in range(0, len(packets), _BATCH):
            self._hand_over(load, first, min(_BATCH, len(packets) - first))

    def flood(
        self,
        packets: Sequence[Datagram],
        number: int,
        *,
        until: threading.Event | None = None,
        packets_per_second: float = 0.0,
    ) -> int:
        """Send the packets over and over again.

        Args:
            packets: what to send.
            number: how many in all.
            until: ends it before that.
            packets_per_second: how fast at most; 0: as fast as the kernel takes them.

        Returns:
            How many were sent.
        """
        load = _Load(packets)
        sent = 0
        start = time.monotonic()
        while sent < number and not (until is not None and until.is_set()):
            first = sent % len(packets)
            count = min(_BATCH, len(packets) - first, number - sent)
            if packets_per_second:
                count = min(count, _PACED_BATCH)
                time.sleep(max(0.0, start + sent / packets_per_second - time.monotonic()))
            self._hand_over(load, first, count)
            sent += count
        return sent

    def _hand_over(self, load: _Load, first: int, count: int) -> None:
        while count:
            start = ctypes.byref(load.messages, first * ctypes.sizeof(_Message))
            done = self._library.sendmmsg(self._socket.fileno(), start, count, 0)
            if done < 0:
                if ctypes.get_errno() not in (11, 105):  # EAGAIN, ENOBUFS: the line is full for a moment
                    raise OSError(ctypes.get_errno(), "sendmmsg")
                time.sleep(0.0005)
                continue
            first += done
            count -= done


class _Load:
    """The packets in the form that sendmmsg(2) wants; holds everything that it points to."""

    def __init__(self, packets: Sequence[Datagram]) -> None:
        octets = [packet.octets for packet in packets]
        self._memory = ctypes.create_string_buffer(b"".join(octets))
        self._vectors = (ctypes.c_size_t * (2 * len(octets)))()
        names = [struct.pack("=H2s4s8x", socket.AF_INET, b"", packet[16:20]) for packet in octets]
        self._names = ctypes.create_string_buffer(b"".join(names))
        self.messages = (_Message * len(octets))()
        at = ctypes.addressof(self._memory)
        for number, packet in enumerate(octets):
            self._vectors[2 * number], self._vectors[2 * number + 1] = at, len(packet)
            at += len(packet)
            message = self.messages[number]
            message.name, message.name_length = ctypes.addressof(self._names) + 16 * number, 16
            message.vector = ctypes.addressof(self._vectors) + 2 * number * ctypes.sizeof(ctypes.c_size_t)
            message.vector_length = 1
