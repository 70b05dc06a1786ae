"""Lengths of packets for every way that a suite can travel: MTU, MSS, overhead (RFC 4303, 3948, 2784, 2003)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ipsecbench.algorithms.suites import EspSuite
from ipsecbench.errors import UsageError
from ipsecbench.esp.overhead import (
    IP_HEADER_BYTES,
    Encapsulation,
    ethernet_bytes,
    fragment_bytes,
    inner_mtu_bytes,
    overhead_bytes,
    tcp_mss_bytes,
    wire_bytes,
)
from ipsecbench.recommend.requirements.records import MODES, Requirements
from ipsecbench.recommend.requirements.traffic import Traffic


@dataclass(frozen=True, slots=True)
class PacketLengths:
    """What one way of carrying a suite leaves of the link."""

    mode: str
    """One of :data:`ipsecbench.recommend.requirements.records.MODES`."""
    outer: str
    """Outer IP header: ``ipv4`` or ``ipv6``."""
    nat_traversal: bool
    """Whether ESP is in UDP (RFC 3948)."""
    inner_mtu_bytes: int
    """Octets of the largest inner packet that the link carries in one outer packet."""
    mss_ipv4_bytes: int | None
    """TCP MSS for inner IPv4; None where the mode cannot carry it (transport mode over IPv6)."""
    mss_ipv6_bytes: int | None
    """TCP MSS for inner IPv6; None where the mode cannot carry it (transport mode over IPv4)."""
    least_overhead_bytes: int
    """Octets added to an inner packet at least; padding makes the difference."""
    most_overhead_bytes: int
    """Octets added to an inner packet at most."""
    wanted: bool
    """Whether it is the way that was asked for."""


@dataclass(frozen=True, slots=True)
class LineShare:
    """What a kind of traffic takes of the line, per inner packet."""

    esp_packets: float
    """ESP packets: more than one where inner packets are longer than the inner MTU and are cut before."""
    outer_bytes: float
    """Octets of outer IP packets."""
    overhead_bytes: float
    """The same without the inner packet: what ESP, outer headers and cutting add."""
    lost_share: float
    """Share of the octets of outer IP packets that are no inner packet."""
    ethernet_lost_share: float
    """The same of the time on Ethernet: with its header, FCS, preamble and gap."""


def packet_lengths(suite: EspSuite, wanted: Requirements) -> tuple[PacketLengths, ...]:
    """Every mode over every outer header, with and without NAT traversal, on the wanted link.

    What the link is too small for is left out.
    """
    chosen = Encapsulation.carrying(wanted.mode, wanted.outer, wanted.nat_traversal)
    return tuple(_sizes(suite, wanted, chosen))


def _sizes(suite: EspSuite, wanted: Requirements, chosen: Encapsulation) -> Iterator[PacketLengths]:
    for mode in MODES:
        for outer in IP_HEADER_BYTES:
            for nat_traversal in (False, True):
                outside = Encapsulation.carrying(mode, outer, nat_traversal)
                try:
                    mtu = inner_mtu_bytes(suite, wanted.link_mtu_bytes, outside)
                    mss = {inner: tcp_mss_bytes(mtu, inner) for inner in _inner_versions(mode, outer)}
                except UsageError:
                    continue
                # Padding repeats with the alignment of the cipher.
                first = max(IP_HEADER_BYTES.values())
                added = [overhead_bytes(suite, first + more, outside) for more in range(_LONGEST_ALIGNMENT)]
                yield PacketLengths(
                    mode,
                    outer,
                    nat_traversal,
                    mtu,
                    mss.get("ipv4"),
                    mss.get("ipv6"),
                    min(added),
                    max(added),
                    outside == chosen,
                )


_LONGEST_ALIGNMENT = 16


def _inner_versions(mode: str, outer: str) -> tuple[str, ...]:
    """Transport mode protects packets between the two ends themselves: inside is what is outside."""
    return (outer,) if mode == "transport" else tuple(IP_HEADER_BYTES)


def line_share(suite: EspSuite, traffic: Traffic, wanted: Requirements) -> LineShare:
    """What a kind of traffic takes of the wanted link, the mean over its packets.

    Inner packets that are longer than the inner MTU are cut in IPv4 fragments before ESP, as RFC 4301 has it; IPv6
    senders are told to send shorter ones, which comes to about the same.

    Raises:
        UsageError: the link is too small for the suite.
    """
    outside = Encapsulation.carrying(wanted.mode, wanted.outer, wanted.nat_traversal)
    mtu = inner_mtu_bytes(suite, wanted.link_mtu_bytes, outside)
    packets = outer = ethernet = 0.0
    for size, share in traffic.parts:
        # Transport mode over IPv6 has no inner packet without its header of 40 octets.
        pieces = [max(piece, outside.unprotected_inner_bytes) for piece in fragment_bytes(size, mtu)]
        lengths = [wire_bytes(suite, piece, outside) for piece in pieces]
        packets += share * len(lengths)
        outer += share * sum(lengths)
        ethernet += share * sum(map(ethernet_bytes, lengths))
    inner = traffic.mean_bytes
    return LineShare(packets, outer, outer - inner, 1 - inner / outer, 1 - inner / ethernet)
