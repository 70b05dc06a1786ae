"""Traffic selector substructures of IKEv2 (RFC 7296 section 3.13.1), as they stand in TSi and TSr."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

from ipsecbench.errors import MalformedError
from ipsecbench.esp.traffic_selector import TrafficSelector
from ipsecbench.ike.v2.identifiers import TrafficSelectorType

_ADDRESS_BYTES: Mapping[int, int] = {
    TrafficSelectorType.TS_IPV4_ADDR_RANGE: 4,
    TrafficSelectorType.TS_IPV6_ADDR_RANGE: 16,
}
_SELECTOR = struct.Struct(">BBH")
_PORTS = struct.Struct(">HH")


@dataclass(frozen=True, slots=True)
class WireTrafficSelector:
    """Traffic selector of an address range (TS types 7 and 8)::

    |   TS Type     |IP Protocol ID*|       Selector Length         |
    |           Start Port*         |           End Port*           |
    ~                         Starting Address*                     ~
    ~                         Ending Address*                       ~

    Of any other TS type the octets after the length are kept in ``other``, and the selector is ignored.
    """

    ts_type: int
    """TS Type."""
    protocol: int
    """IP Protocol ID; 0 for any."""
    start_port: int = 0
    """Start Port; of ICMP the type and code."""
    end_port: int = 0xFFFF
    """End Port."""
    start_address: bytes = b""
    """Starting Address: 4 or 16 octets."""
    end_address: bytes = b""
    """Ending Address."""
    other: bytes = b""
    """What a selector of another type has."""

    @classmethod
    def of(cls, selector: TrafficSelector) -> WireTrafficSelector:
        """The selector as it stands in a payload."""
        width = selector.address_bytes
        ts_type = TrafficSelectorType.TS_IPV4_ADDR_RANGE if width == 4 else TrafficSelectorType.TS_IPV6_ADDR_RANGE
        start, end = selector.start.to_bytes(width), selector.end.to_bytes(width)
        return cls(int(ts_type), selector.protocol, selector.start_port, selector.end_port, start, end)

    @property
    def selector(self) -> TrafficSelector | None:
        """What it selects; None for another type, and for a range that ends before it begins."""
        if self.ts_type not in _ADDRESS_BYTES or self.start_address > self.end_address:
            return None
        start, end = int.from_bytes(self.start_address), int.from_bytes(self.end_address)
        version = 4 if len(self.start_address) == 4 else 6
        return TrafficSelector(version, start, end, self.protocol, self.start_port, self.end_port)


def decode_selectors(body: bytes) -> tuple[WireTrafficSelector, ...]:
    """The selectors of a TSi or TSr payload.

    Raises:
        MalformedError: the octets do not parse, or their count is not the one that they should have.
    """
    end = len(body)
    if end < 4:
        raise MalformedError(f"Traffic Selectors: {end} octets are too few")
    count, position = body[0], 4
    selectors = []
    for _ in range(count):
        if position + _SELECTOR.size > end:
            raise MalformedError("Traffic Selectors: fewer selectors than their number says")
        ts_type, protocol, length = _SELECTOR.unpack_from(body, position)
        if length < _SELECTOR.size or position + length > end:
            raise MalformedError(f"Traffic Selector: length {length}, {end - position} octets are there")
        selectors.append(_decode_selector(ts_type, protocol, body[position + _SELECTOR.size : position + length]))
        position += length
    if position != end:
        raise MalformedError(f"Traffic Selectors: {end - position} octets after the last selector")
    return tuple(selectors)


def _decode_selector(ts_type: int, protocol: int, content: bytes) -> WireTrafficSelector:
    width = _ADDRESS_BYTES.get(ts_type)
    if width is None:
        return WireTrafficSelector(ts_type, protocol, 0, 0, other=content)
    if len(content) != _PORTS.size + 2 * width:
        raise MalformedError(f"Traffic Selector of type {ts_type}: {len(content) + _SELECTOR.size} octets")
    start_port, end_port = _PORTS.unpack_from(content)
    return WireTrafficSelector(ts_type, protocol, start_port, end_port, content[4 : 4 + width], content[4 + width :])


def encode_selectors(selectors: tuple[WireTrafficSelector, ...]) -> bytes:
    """The body of a TSi or TSr payload.

    Raises:
        MalformedError: a value does not fit its field.
    """
    parts = []
    for selector in selectors:
        content = selector.other
        if selector.ts_type in _ADDRESS_BYTES:
            content = (
                _PORTS.pack(selector.start_port, selector.end_port) + selector.start_address + selector.end_address
            )
        parts.append(_SELECTOR.pack(selector.ts_type, selector.protocol, _SELECTOR.size + len(content)))
        parts.append(content)
    if len(selectors) > 255:
        raise MalformedError(f"Traffic Selectors: {len(selectors)} are too many")
    return bytes((len(selectors), 0, 0, 0)) + b"".join(parts)
