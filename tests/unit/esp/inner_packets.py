"""IP packets for the tests, written out from RFC 791, 8200, 768 without the code under test."""

from __future__ import annotations

import ipaddress
import struct


def checksum(octets: bytes) -> int:
    """RFC 1071, word by word."""
    octets += b"\0" * (len(octets) % 2)
    total: int = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ipv4(
    source: str,
    destination: str,
    payload: bytes,
    protocol: int = 17,
    *,
    tos: int = 0,
    flags: int = 0,
    options: bytes = b"",
    identification: int = 7,
) -> bytes:
    """An IPv4 packet; flags as they stand with the fragment offset."""
    here, there = ipaddress.ip_address(source).packed, ipaddress.ip_address(destination).packed
    header_bytes = 20 + len(options)
    head = struct.pack(
        "!BBHHHBBH", 0x40 | header_bytes // 4, tos, header_bytes + len(payload), identification, flags, 61, protocol, 0
    )
    head += here + there + options
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def ipv6(
    source: str, destination: str, payload: bytes, protocol: int = 17, *, traffic_class: int = 0, flow: int = 0
) -> bytes:
    """An IPv6 packet; extension headers are part of the payload."""
    here, there = ipaddress.ip_address(source).packed, ipaddress.ip_address(destination).packed
    return (
        struct.pack("!IHBB", 6 << 28 | traffic_class << 20 | flow, len(payload), protocol, 62) + here + there + payload
    )


def pseudo(source: str, destination: str, protocol: int, length: int) -> bytes:
    """The pseudo header of either version, in the form of IPv6, which sums to the same."""
    here, there = ipaddress.ip_address(source).packed, ipaddress.ip_address(destination).packed
    return here + there + struct.pack("!II", length, protocol)


def udp(source: str, destination: str, data: bytes, ports: tuple[int, int] = (1000, 2000)) -> bytes:
    """A UDP datagram with its checksum."""
    octets = struct.pack("!HHHH", *ports, 8 + len(data), 0) + data
    value = checksum(pseudo(source, destination, 17, len(octets)) + octets) or 0xFFFF
    return octets[:6] + struct.pack("!H", value) + octets[8:]


def tcp(source: str, destination: str, data: bytes, ports: tuple[int, int] = (1000, 23)) -> bytes:
    """A TCP segment with its checksum."""
    octets = struct.pack("!HHIIBBHHH", *ports, 1, 2, 5 << 4, 0x18, 1024, 0, 0) + data
    value = checksum(pseudo(source, destination, 6, len(octets)) + octets)
    return octets[:16] + struct.pack("!H", value) + octets[18:]


ADDRESSES = {4: ("10.1.0.1", "10.2.0.2"), 6: ("fd01::1", "fd02::2")}


def udp_packet(
    version: int, size: int, addresses: tuple[str, str] | None = None, *, traffic_class: int = 0, flags: int = 0
) -> bytes:
    """A UDP packet of so many octets in all."""
    source, destination = addresses or ADDRESSES[version]
    header = 20 if version == 4 else 40
    data = bytes(number * 7 & 0xFF for number in range(size - header - 8))
    datagram = udp(source, destination, data)
    if version == 4:
        return ipv4(source, destination, datagram, tos=traffic_class, flags=flags)
    return ipv6(source, destination, datagram, traffic_class=traffic_class)
