"""Proxy identities of quick mode: ID payloads as traffic selectors, and back (RFC 2407 section 4.6.2)."""

from __future__ import annotations

import ipaddress

from ipsecbench.errors import NegotiationError, ProtocolError
from ipsecbench.esp.traffic_selector import TrafficSelector, narrow
from ipsecbench.ike.identification import IdType
from ipsecbench.ike.v1.identifiers import NotifyType
from ipsecbench.ike.v1.payloads import IdPayload

_ADDRESS_BYTES = {
    IdType.ID_IPV4_ADDR: 4,
    IdType.ID_IPV4_ADDR_SUBNET: 4,
    IdType.ID_IPV4_ADDR_RANGE: 4,
    IdType.ID_IPV6_ADDR: 16,
    IdType.ID_IPV6_ADDR_SUBNET: 16,
    IdType.ID_IPV6_ADDR_RANGE: 16,
}
_SINGLE = (IdType.ID_IPV4_ADDR, IdType.ID_IPV6_ADDR)
_SUBNET = (IdType.ID_IPV4_ADDR_SUBNET, IdType.ID_IPV6_ADDR_SUBNET)
_ALL_PORTS = (0, 65535)


def selector_of(payload: IdPayload) -> TrafficSelector:
    """The traffic that an ID payload of quick mode names.

    Raises:
        ProtocolError: it is no address, subnet or range (RFC 2407 section 4.6.2), or a damaged one.
    """
    width = _ADDRESS_BYTES.get(IdType(payload.id_type)) if payload.id_type in set(IdType) else None
    parts = 1 if payload.id_type in _SINGLE else 2
    if width is None or len(payload.data) != width * parts:
        raise ProtocolError(
            f"ID type {payload.id_type} with {len(payload.data)} octets names no traffic",
            NotifyType.INVALID_ID_INFORMATION,
        )
    first = int.from_bytes(payload.data[:width])
    last = int.from_bytes(payload.data[width:]) if parts == 2 else first
    if payload.id_type in _SUBNET:
        mask, everything = last, (1 << width * 8) - 1
        host_bits = everything ^ mask
        if host_bits & (host_bits + 1):
            raise ProtocolError("a subnet's mask has holes", NotifyType.INVALID_ID_INFORMATION)
        first &= mask
        last = first | host_bits
    if first > last:
        raise ProtocolError("a range of addresses ends before it begins", NotifyType.INVALID_ID_INFORMATION)
    ports = (payload.port, payload.port) if payload.port else _ALL_PORTS
    return TrafficSelector(4 if width == 4 else 6, first, last, payload.protocol, *ports)


def id_payload(selector: TrafficSelector) -> IdPayload:
    """The ID payload that names a selector's traffic.

    Raises:
        NegotiationError: the selector has a range of ports, which IKEv1 cannot say.
    """
    ports = (selector.start_port, selector.end_port)
    if ports != _ALL_PORTS and (ports[0] != ports[1] or not ports[0]):
        raise NegotiationError(f"IKEv1 has no ranges of ports: {selector}", NotifyType.INVALID_ID_INFORMATION)
    port = 0 if ports == _ALL_PORTS else ports[0]
    width = selector.address_bytes
    first, last = selector.start.to_bytes(width), selector.end.to_bytes(width)
    four = selector.version == 4
    if selector.start == selector.end:
        return IdPayload(IdType.ID_IPV4_ADDR if four else IdType.ID_IPV6_ADDR, first, selector.protocol, port)
    host_bits = selector.start ^ selector.end
    if not host_bits & (host_bits + 1) and not selector.start & host_bits:
        mask = ((1 << width * 8) - 1 ^ host_bits).to_bytes(width)
        kind = IdType.ID_IPV4_ADDR_SUBNET if four else IdType.ID_IPV6_ADDR_SUBNET
        return IdPayload(kind, first + mask, selector.protocol, port)
    kind = IdType.ID_IPV4_ADDR_RANGE if four else IdType.ID_IPV6_ADDR_RANGE
    return IdPayload(kind, first + last, selector.protocol, port)


def host_selector(host: str) -> TrafficSelector:
    """All traffic of one address: what is meant without ID payloads (RFC 2409 section 5.5)."""
    address = ipaddress.ip_address(host)
    return TrafficSelector(address.version, int(address), int(address))


def agree(own: tuple[TrafficSelector, ...], offered: TrafficSelector) -> TrafficSelector | None:
    """What a responder takes of an offer: all of it where one of its own selectors holds it, else the largest part."""
    if any(selector.contains(offered) for selector in own):
        return offered
    common = narrow(own, (offered,))
    return max(common, key=lambda selector: selector.end - selector.start, default=None)
