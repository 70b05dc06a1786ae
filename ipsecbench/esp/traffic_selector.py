"""Traffic selectors: which packets a Child SA carries, and how peers agree on it (RFC 7296 sections 2.9, 3.13)."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from ipsecbench.errors import UsageError

ANY_PROTOCOL = 0
"""IP Protocol ID that stands for all."""
_PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17, "gre": 47, "ipip": 4, "icmpv6": 58, "sctp": 132}


@dataclass(frozen=True, slots=True)
class TrafficSelector:
    """A range of addresses, a range of ports and a protocol; all ends are included."""

    version: int
    """IP version, 4 or 6."""
    start: int
    """First address as a number."""
    end: int
    """Last address as a number."""
    protocol: int = ANY_PROTOCOL
    """IP Protocol ID; 0 for all."""
    start_port: int = 0
    """First port; for ICMP type and code (RFC 7296 section 3.13.1). 65535 with end 0 is OPAQUE."""
    end_port: int = 65535
    """Last port."""

    @property
    def address_bytes(self) -> int:
        """Octets of an address: 4 or 16."""
        return 4 if self.version == 4 else 16

    @property
    def text(self) -> str:
        """For people: a subnet or a range, with protocol and ports where they matter."""
        kind = ipaddress.IPv4Address if self.version == 4 else ipaddress.IPv6Address
        first, last = kind(self.start), kind(self.end)
        nets = list(ipaddress.summarize_address_range(first, last)) if self.start <= self.end else []
        addresses = str(nets[0]) if len(nets) == 1 else f"{first}-{last}"
        if self.protocol == ANY_PROTOCOL and (self.start_port, self.end_port) == (0, 65535):
            return addresses
        name = next((word for word, number in _PROTOCOLS.items() if number == self.protocol), str(self.protocol))
        if (self.start_port, self.end_port) == (0, 65535):
            return f"{addresses}[{name}]"
        ports = str(self.start_port) if self.start_port == self.end_port else f"{self.start_port}-{self.end_port}"
        return f"{addresses}[{'' if self.protocol == ANY_PROTOCOL else name}/{ports}]"

    def __str__(self) -> str:
        return self.text

    def intersection(self, other: TrafficSelector) -> TrafficSelector | None:
        """What both select; None where nothing."""
        if self.version != other.version:
            return None
        if ANY_PROTOCOL not in (self.protocol, other.protocol) and self.protocol != other.protocol:
            return None
        start, end = max(self.start, other.start), min(self.end, other.end)
        start_port, end_port = max(self.start_port, other.start_port), min(self.end_port, other.end_port)
        if start > end or start_port > end_port:
            return None
        return TrafficSelector(self.version, start, end, self.protocol or other.protocol, start_port, end_port)

    def contains(self, other: TrafficSelector) -> bool:
        """Whether everything that the other selects is selected here."""
        return (
            self.version == other.version
            and self.protocol in (ANY_PROTOCOL, other.protocol)
            and self.start <= other.start <= other.end <= self.end
            and self.start_port <= other.start_port <= other.end_port <= self.end_port
        )


def narrow(own: Sequence[TrafficSelector], offered: Sequence[TrafficSelector]) -> tuple[TrafficSelector, ...]:
    """What a responder with a policy answers to an offer (RFC 7296 section 2.9): the common part, without repetition.

    Where the first selector of the offer is a single packet's (as it may be) and the whole offer cannot be had, what
    comes out still holds it if the policy allows it, since every intersection is kept.

    Args:
        own: the policy of this end.
        offered: selectors of the peer, at most a few hundred.

    Returns:
        The selectors for the answer; empty where nothing is common (TS_UNACCEPTABLE).
    """
    found: list[TrafficSelector] = []
    for selector in offered:
        for policy in own:
            common = policy.intersection(selector)
            if common is not None and not any(other.contains(common) for other in found):
                found = [other for other in found if not common.contains(other)]
                found.append(common)
    return tuple(found)


def within(policy: Sequence[TrafficSelector], selectors: Sequence[TrafficSelector]) -> bool:
    """Whether each selector lies within one of the policy: what an initiator demands of the answer."""
    return all(any(own.contains(selector) for own in policy) for selector in selectors)


def subnet(text: str) -> TrafficSelector:
    """The selector of all packets of a subnet, such as ``10.1.0.0/16``.

    Raises:
        UsageError: the text is no subnet, or has bits set below its prefix.
    """
    try:
        network = ipaddress.ip_network(text)
    except ValueError as error:
        raise UsageError(f"traffic selector {text!r}: {error}") from error
    return TrafficSelector(network.version, int(network.network_address), int(network.broadcast_address))


def parse_traffic_selector(text: str) -> TrafficSelector:
    """A selector in swanctl's spelling: ``10.1.0.0/16``, ``10.1.0.1-10.1.0.9``, with ``[tcp/23]``, ``[udp]``,
    ``[/1024-65535]``.

    Raises:
        UsageError: the text is no selector; the message says which part is wrong.
    """
    addresses, bracket, inside = text.strip().partition("[")
    if bracket and not inside.endswith("]"):
        raise UsageError(f"traffic selector {text!r}: the bracket is not closed")
    protocol, ports = _protocol_and_ports(text, inside[:-1]) if bracket else (ANY_PROTOCOL, (0, 65535))
    if "-" in addresses:
        try:
            first, last = (ipaddress.ip_address(part.strip()) for part in addresses.split("-", 1))
        except ValueError as error:
            raise UsageError(f"traffic selector {text!r}: {error}") from error
        if first.version != last.version or int(first) > int(last):
            raise UsageError(f"traffic selector {text!r}: the range ends before it begins")
        return TrafficSelector(first.version, int(first), int(last), protocol, *ports)
    plain = subnet(addresses.strip())
    return TrafficSelector(plain.version, plain.start, plain.end, protocol, *ports)


def _protocol_and_ports(text: str, inside: str) -> tuple[int, tuple[int, int]]:
    word, _, ports = inside.partition("/")
    word = word.strip().lower()
    if word in _PROTOCOLS:
        protocol = _PROTOCOLS[word]
    elif word in ("", "any"):
        protocol = ANY_PROTOCOL
    elif word.isdecimal() and int(word) < 256:
        protocol = int(word)
    else:
        raise UsageError(f"traffic selector {text!r}: {word!r} is no protocol")
    first, _, last = ports.partition("-")
    if ports in ("", "any"):
        return protocol, (0, 65535)
    last = last or first
    if not (first.isdecimal() and last.isdecimal() and int(first) <= int(last) <= 65535):
        raise UsageError(f"traffic selector {text!r}: {ports!r} is no port or range of ports")
    return protocol, (int(first), int(last))
