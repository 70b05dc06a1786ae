"""Small measurements between two hosts: echo requests, and the path MTU that a host has learnt."""

from __future__ import annotations

import errno
import socket
import statistics
import struct
import time
from dataclasses import dataclass

from ipsecbench.lab.namespaces import Host

_ECHO = {4: (8, 0, socket.IPPROTO_ICMP), 6: (128, 129, socket.IPPROTO_ICMPV6)}
"""By IP version: type of the request, of the answer, protocol."""
_ICMP_HEADER_BYTES = 8
_IP_MTU_DISCOVER, _IP_PMTUDISC_DO, _IP_MTU = 10, 2, 14
_IPV6_MTU_DISCOVER, _IPV6_MTU = 23, 24
_DISCARD_PORT = 9


@dataclass(frozen=True, slots=True)
class Echoes:
    """Echo requests and their answers."""

    sent: int
    times_ms: tuple[float, ...]
    """Milliseconds until each answer that came."""
    too_long: int = 0
    """Requests that this host did not send, since it knows that the path does not carry them."""

    @property
    def answered(self) -> int:
        """How many were answered."""
        return len(self.times_ms)

    @property
    def median_ms(self) -> float:
        """Median time in milliseconds; 0 where none was answered."""
        return statistics.median(self.times_ms) if self.times_ms else 0.0


def ip_header_bytes(version: int) -> int:
    """Octets of an IP header without options."""
    return 20 if version == 4 else 40


def ping(
    host: Host,
    source: str,
    destination: str,
    *,
    count: int = 1,
    packet_bytes: int = 84,
    interval_seconds: float = 0.0,
    timeout_seconds: float = 1.0,
    may_fragment: bool = True,
) -> Echoes:
    """Send echo requests one after another and wait for each answer.

    Args:
        host: from where.
        source: address of it.
        destination: address of the other one.
        count: how many.
        packet_bytes: of the whole IP packet.
        interval_seconds: from an answer to the next request.
        timeout_seconds: how long to wait for an answer.
        may_fragment: False sets DF, and this host heeds the path MTU that it has learnt.
    """
    version = 6 if ":" in destination else 4
    _request, answer_type, protocol = _ECHO[version]
    family = socket.AF_INET6 if version == 6 else socket.AF_INET
    opened = host.call(lambda: socket.socket(family, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol))
    times, too_long = [], 0
    with opened:
        opened.bind((source, 0))
        if not may_fragment:
            _forbid_fragments(opened, version)
        for number in range(count):
            identifier = (id(opened) ^ number) & 0xFFFF
            began = time.perf_counter()
            try:
                opened.sendto(_echo_request(version, identifier, number, packet_bytes), (destination, 0))
            except OSError as error:
                if error.errno != errno.EMSGSIZE:
                    raise
                too_long += 1
                continue
            if _wait_for_answer(opened, answer_type, identifier, number, began + timeout_seconds):
                times.append((time.perf_counter() - began) * 1000)
            if interval_seconds:
                time.sleep(interval_seconds)
    return Echoes(count, tuple(times), too_long)


def _echo_request(version: int, identifier: int, number: int, packet_bytes: int) -> bytes:
    payload = bytes(max(0, packet_bytes - ip_header_bytes(version) - _ICMP_HEADER_BYTES))
    kind = _ECHO[version][0]
    # The kernel fills in the checksum of ICMPv6 only.
    message = struct.pack("!BBHHH", kind, 0, 0, identifier, number & 0xFFFF) + payload
    if version == 6:
        return message
    return message[:2] + struct.pack("!H", _checksum(message)) + message[4:]


def _checksum(message: bytes) -> int:
    padded = message + bytes(len(message) % 2)
    words: tuple[int, ...] = struct.unpack(f"!{len(padded) // 2}H", padded)
    total = sum(words)
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _wait_for_answer(opened: socket.socket, kind: int, identifier: int, number: int, deadline: float) -> bool:
    while (remaining := deadline - time.perf_counter()) > 0:
        opened.settimeout(remaining)
        try:
            packet = opened.recv(65536)
        except (TimeoutError, OSError):
            return False
        message = packet[(packet[0] & 15) * 4 :] if opened.family == socket.AF_INET else packet
        if message[:1] == bytes([kind]) and message[4:8] == struct.pack("!HH", identifier, number & 0xFFFF):
            return True
    return False


def learnt_path_mtu(host: Host, source: str, destination: str, first_bytes: int, *, tries: int = 4) -> int:
    """What a host knows of the path MTU after it has tried with DF set: as TCP does it (RFC 1191, RFC 8201).

    Args:
        host: which host.
        source: its address.
        destination: the other one.
        first_bytes: octets of the first IP packet.
        tries: packets to send; each one as long as the host then believes that the path carries.

    Returns:
        Octets of the longest IP packet that this host sends there.
    """
    version = 6 if ":" in destination else 4
    family = socket.AF_INET6 if version == 6 else socket.AF_INET
    opened = host.call(lambda: socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC))
    with opened:
        opened.bind((source, 0))
        _forbid_fragments(opened, version)
        opened.connect((destination, _DISCARD_PORT))
        length = first_bytes
        for _ in range(tries):
            try:
                opened.send(bytes(length - ip_header_bytes(version) - 8))
            except OSError as error:  # ECONNREFUSED is the answer to an earlier one: it went through
                if error.errno == errno.EMSGSIZE:
                    length = _known_mtu(opened, version)
                    continue
            time.sleep(0.05)
            length = min(length, _known_mtu(opened, version))
        return _known_mtu(opened, version)


def _known_mtu(opened: socket.socket, version: int) -> int:
    level, name = (socket.IPPROTO_IP, _IP_MTU) if version == 4 else (socket.IPPROTO_IPV6, _IPV6_MTU)
    return int(opened.getsockopt(level, name))


def _forbid_fragments(opened: socket.socket, version: int) -> None:
    if version == 4:
        opened.setsockopt(socket.IPPROTO_IP, _IP_MTU_DISCOVER, _IP_PMTUDISC_DO)
    else:
        opened.setsockopt(socket.IPPROTO_IPV6, _IPV6_MTU_DISCOVER, _IP_PMTUDISC_DO)
