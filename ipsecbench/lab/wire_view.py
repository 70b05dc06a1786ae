"""What somebody on the way between the hosts sees: which packets are ESP, which are IKE, and which are in clear."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

_ESP, _UDP, _ICMP, _ICMPV6, _TCP = 50, 17, 1, 58, 6
_IKE_PORT, _NAT_T_PORT = 500, 4500
_FRAGMENT = 44
_NEIGHBOUR_DISCOVERY = range(133, 138)
_MULTICAST_LISTENER = (130, 131, 132, 143)


class Sort(StrEnum):
    """What a packet is."""

    ESP = "esp"
    """IP protocol 50."""
    ESP_IN_UDP = "esp-in-udp"
    """ESP in UDP (RFC 3948)."""
    IKE = "ike"
    """IKE, on either port, and keep-alives of a NAT."""
    LINK = "link"
    """What IPv6 itself says on a link."""
    FRAGMENT = "fragment"
    """A fragment that is not the first."""
    CLEAR = "clear"
    """Anything else: whoever is on the way can read it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One packet."""

    sort: Sort
    source: str
    destination: str
    protocol: int
    """IP Protocol number."""
    packet_bytes: int
    """Octets of the whole IP packet."""
    spi: int = 0
    """Of an ESP packet."""
    sequence_number: int = 0
    """Of an ESP packet; the low half of an extended one."""

    @property
    def is_esp(self) -> bool:
        """Whether it is ESP in either form."""
        return self.sort in (Sort.ESP, Sort.ESP_IN_UDP)


def in_clear(seen: Iterable[Seen]) -> tuple[int, str]:
    """How many packets are in clear, and which, in a few words."""
    clear = [packet for packet in seen if packet.sort is Sort.CLEAR]
    kinds = dict.fromkeys(f"protocol {each.protocol} from {each.source} to {each.destination}" for each in clear)
    return len(clear), f"{len(clear)} packets in clear" + "".join(f"; {kind}" for kind in list(kinds)[:3])


def look(packets: Iterable[bytes]) -> list[Seen]:
    """Look at whole IP packets; what is cut short counts as clear."""
    return [_look(packet) for packet in packets]


def _look(packet: bytes) -> Seen:
    if packet[0] >> 4 == 4:
        start = (packet[0] & 15) * 4
        source, destination = (str(ipaddress.IPv4Address(packet[at : at + 4])) for at in (12, 16))
        protocol, is_fragment = packet[9], bool(struct.unpack_from("!H", packet, 6)[0] & 0x1FFF)
    else:
        start, protocol = 40, packet[6]
        source, destination = (str(ipaddress.IPv6Address(packet[at : at + 16])) for at in (8, 24))
        is_fragment = False
        if protocol == _FRAGMENT and len(packet) >= 48:
            protocol, is_fragment, start = packet[40], bool(struct.unpack_from("!H", packet, 42)[0] & 0xFFF8), 48
    sort, esp_at = (Sort.FRAGMENT, 0) if is_fragment else _sort(packet, start, protocol)
    spi, number = struct.unpack_from("!II", packet, esp_at) if esp_at else (0, 0)
    return Seen(sort, source, destination, protocol, len(packet), spi, number)


def _sort(packet: bytes, start: int, protocol: int) -> tuple[Sort, int]:
    """What it is, and where its ESP header begins; 0 where there is none."""
    if protocol == _ESP and len(packet) >= start + 8:
        return Sort.ESP, start
    if protocol == _UDP and len(packet) >= start + 8:
        ports = struct.unpack_from("!HH", packet, start)
        if _NAT_T_PORT in ports:
            marked = len(packet) < start + 16 or packet[start + 8 : start + 12] == bytes(4)
            return (Sort.IKE, 0) if marked else (Sort.ESP_IN_UDP, start + 8)
        if _IKE_PORT in ports:
            return Sort.IKE, 0
    if protocol == _ICMPV6 and len(packet) > start and packet[start] in (*_NEIGHBOUR_DISCOVERY, *_MULTICAST_LISTENER):
        return Sort.LINK, 0
    if protocol == 0 and packet[0] >> 4 == 6:  # hop-by-hop options, which only multicast listener reports have here
        return Sort.LINK, 0
    return Sort.CLEAR, 0
