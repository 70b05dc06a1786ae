"""What an arrangement's packets should be on the wire: computed from RFC 4303, 3948, 2784 and 2003, not measured."""

from __future__ import annotations

from ipsecbench.algorithms.proposals import parse_esp
from ipsecbench.algorithms.suites import EspSuite, parse_esp_suite
from ipsecbench.esp import overhead
from ipsecbench.esp.configuration import Layering
from ipsecbench.esp.overhead import IP_HEADER_BYTES, Encapsulation
from ipsecbench.lab.arrangement import Arrangement

GRE_HEADER_BYTES = 4
"""Without key, checksum and sequence number (RFC 2784)."""


def suite_of(arrangement: Arrangement) -> EspSuite:
    """The ESP suite that two ends with the same single proposal agree on."""
    proposal = parse_esp(arrangement.esp)
    integrity = f"-{proposal.integrity[0]}" if proposal.integrity else ""
    return parse_esp_suite(f"{proposal.encryption[0]}{integrity}")


def encapsulation_of(arrangement: Arrangement) -> Encapsulation:
    """Mode, outer header and UDP."""
    return Encapsulation(str(arrangement.mode), f"ipv{arrangement.outer}", arrangement.udp_encapsulation)


def layer_bytes(arrangement: Arrangement) -> int:
    """Octets that a layer puts before the packet, its IP header included."""
    header = IP_HEADER_BYTES[f"ipv{arrangement.outer}"]
    return {Layering.NONE: 0, Layering.IPIP: header, Layering.GRE: header + GRE_HEADER_BYTES}[arrangement.layering]


def wire_bytes(arrangement: Arrangement, inner_bytes: int) -> int:
    """Octets of the outer IP packet for an inner one."""
    return overhead.wire_bytes(
        suite_of(arrangement), inner_bytes + layer_bytes(arrangement), encapsulation_of(arrangement)
    )


def inner_mtu_bytes(arrangement: Arrangement) -> int:
    """Octets of the longest inner IP packet that the link carries in one piece."""
    longest = overhead.inner_mtu_bytes(suite_of(arrangement), arrangement.mtu, encapsulation_of(arrangement))
    return longest - layer_bytes(arrangement)
