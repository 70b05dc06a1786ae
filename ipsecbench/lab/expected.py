"""What an arrangement's packets should be on the wire: computed from RFC 4303, 3948, 2784 and 2003, not measured."""

from __future__ import annotations

from ipsecbench.algorithms.proposals import parse_esp
from ipsecbench.algorithms.suites import EspSuite, parse_esp_suite
from ipsecbench.esp import overhead
from ipsecbench.esp.overhead import Encapsulation
from ipsecbench.lab.arrangement import Arrangement


def suite_of(arrangement: Arrangement) -> EspSuite:
    """The ESP suite that two ends with the same single proposal agree on."""
    proposal = parse_esp(arrangement.esp)
    integrity = f"-{proposal.integrity[0]}" if proposal.integrity else ""
    return parse_esp_suite(f"{proposal.encryption[0]}{integrity}")


def encapsulation_of(arrangement: Arrangement) -> Encapsulation:
    """Mode, layering, outer header and UDP."""
    outer = f"ipv{arrangement.outer}"
    return Encapsulation(str(arrangement.mode), outer, arrangement.udp_encapsulation, arrangement.layering)


def wire_bytes(arrangement: Arrangement, inner_bytes: int) -> int:
    """Octets of the outer IP packet for an inner one."""
    return overhead.wire_bytes(suite_of(arrangement), inner_bytes, encapsulation_of(arrangement))


def inner_mtu_bytes(arrangement: Arrangement) -> int:
    """Octets of the longest inner IP packet that the link carries in one piece."""
    return overhead.inner_mtu_bytes(suite_of(arrangement), arrangement.mtu, encapsulation_of(arrangement))
