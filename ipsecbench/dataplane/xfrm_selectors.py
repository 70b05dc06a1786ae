"""Traffic selectors in the kernel's form: it knows prefixes and masks, and IKE knows ranges.

A range of addresses becomes the prefixes that make it up, a range of ports the blocks of powers of two, and a selector
as many of the kernel's as there are combinations.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence

from ipsecbench.dataplane.xfrm_messages import KernelSelector
from ipsecbench.errors import DataPlaneError
from ipsecbench.esp.configuration import SelectorPair
from ipsecbench.esp.traffic_selector import ANY_PROTOCOL, TrafficSelector

SELECTORS_MAXIMUM = 1024
"""The kernel's selectors that one pair may become."""
_PORTS_HIGHEST = 65535
_WITH_PORTS = frozenset({6, 17, 33, 132, 136})
"""TCP, UDP, DCCP, SCTP, UDP-Lite: where the kernel looks at ports."""
_ICMP = frozenset({1, 58})


def kernel_selectors(pair: SelectorPair) -> tuple[KernelSelector, ...]:
    """Selectors that together select the same packets.

    Raises:
        DataPlaneError: the kernel cannot say it, or only in too many of them.
    """
    source, destination = pair.source, pair.destination
    if source.version != destination.version:
        raise DataPlaneError(f"selector {source} to {destination}: one is IPv4 and the other IPv6")
    if ANY_PROTOCOL not in (source.protocol, destination.protocol) and source.protocol != destination.protocol:
        raise DataPlaneError(f"selector {source} to {destination}: the protocols differ")
    protocol = source.protocol or destination.protocol
    sources, destinations = _prefixes(source), _prefixes(destination)
    ports = _port_blocks(source, destination, protocol)
    count = len(sources) * len(destinations) * len(ports)
    if count > SELECTORS_MAXIMUM:
        raise DataPlaneError(
            f"selector {source} to {destination}: it takes {count} policies of the kernel, which knows prefixes only; "
            f"the most is {SELECTORS_MAXIMUM}: choose ranges that are subnets"
        )
    return tuple(
        KernelSelector(
            *(source.version, source_address, source_bits, destination_address, destination_bits),
            *(protocol, source_port, source_mask, destination_port, destination_mask),
        )
        for source_address, source_bits in sources
        for destination_address, destination_bits in destinations
        for (source_port, source_mask), (destination_port, destination_mask) in ports
    )


def sole_selector(pairs: Sequence[SelectorPair]) -> KernelSelector | None:
    """The one selector of the kernel that says the same as all pairs; None where it takes several."""
    if len(pairs) != 1:
        return None
    try:
        found = kernel_selectors(pairs[0])
    except DataPlaneError:
        return None
    return found[0] if len(found) == 1 else None


def covering_selector(pairs: Sequence[SelectorPair]) -> KernelSelector | None:
    """The narrowest selector of the kernel that leaves none of the pairs out; None: the versions differ."""
    if not pairs or len({side.version for pair in pairs for side in (pair.source, pair.destination)}) != 1:
        return None
    exact = sole_selector(pairs)
    if exact is not None:
        return exact
    protocols = {pair.source.protocol or pair.destination.protocol for pair in pairs}
    return KernelSelector(
        pairs[0].source.version,
        *_covering_prefix([pair.source for pair in pairs]),
        *_covering_prefix([pair.destination for pair in pairs]),
        protocols.pop() if len(protocols) == 1 else ANY_PROTOCOL,
    )


def _covering_prefix(sides: Sequence[TrafficSelector]) -> tuple[int, int]:
    width = 32 if sides[0].version == 4 else 128
    first, last = min(side.start for side in sides), max(side.end for side in sides)
    bits = width - (first ^ last).bit_length()
    return (first >> (width - bits)) << (width - bits), bits


def _prefixes(side: TrafficSelector) -> list[tuple[int, int]]:
    kind = ipaddress.IPv4Address if side.version == 4 else ipaddress.IPv6Address
    if side.start > side.end:
        raise DataPlaneError(f"selector {side}: the range ends before it begins")
    networks = ipaddress.summarize_address_range(kind(side.start), kind(side.end))
    return [(int(network.network_address), network.prefixlen) for network in networks]


def _port_blocks(
    source: TrafficSelector, destination: TrafficSelector, protocol: int
) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Pairs of (port, mask), for source and destination."""
    if all((side.start_port, side.end_port) == (0, _PORTS_HIGHEST) for side in (source, destination)):
        return [((0, 0), (0, 0))]
    for side in (source, destination):
        if side.start_port > side.end_port:
            raise DataPlaneError(f"selector {side}: the kernel has no OPAQUE ports; select any port")
    if protocol in _ICMP:
        return [_icmp(source, destination)]
    if protocol not in _WITH_PORTS:
        raise DataPlaneError(f"selector {source} to {destination}: ports need TCP, UDP, SCTP or DCCP as the protocol")
    return [
        (first, second)
        for first in _blocks(source.start_port, source.end_port)
        for second in _blocks(destination.start_port, destination.end_port)
    ]


def _blocks(first: int, last: int) -> Iterator[tuple[int, int]]:
    """The aligned powers of two that make up a range of ports, as (port, mask)."""
    while first <= last:
        size = first & -first if first else _PORTS_HIGHEST + 1
        while first + size - 1 > last:
            size //= 2
        yield first, _PORTS_HIGHEST + 1 - size
        first += size


def _icmp(source: TrafficSelector, destination: TrafficSelector) -> tuple[tuple[int, int], tuple[int, int]]:
    """Type and code stand in the two halves of a port in IKE (RFC 7296 section 3.13.1), in two ports in the kernel."""
    side = source if (source.start_port, source.end_port) != (0, _PORTS_HIGHEST) else destination
    first_type, first_code = divmod(side.start_port, 256)
    last_type, last_code = divmod(side.end_port, 256)
    if first_type == last_type and first_code == last_code:
        return (first_type, 0xFFFF), (first_code, 0xFFFF)
    if first_type == last_type and (first_code, last_code) == (0, 255):
        return (first_type, 0xFFFF), (0, 0)
    raise DataPlaneError(f"selector {side}: the kernel knows one ICMP type with one or all codes, or all types")
