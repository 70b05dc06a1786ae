"""Messages between a program and the kernel's XFRM over netlink: octets in, octets out, no socket.

Layouts are those of <linux/netlink.h>, <linux/rtnetlink.h> and <linux/xfrm.h>, in the machine's own byte order and
alignment; addresses, ports and SPIs inside them are in network byte order. What is read is bounds-checked: a message
that contradicts its own lengths is a :class:`MalformedError`.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import IntEnum

from ipsecbench.errors import MalformedError

ESP_PROTOCOL = 50
"""IP protocol of ESP (RFC 4303 section 2)."""
ESP_IN_UDP = 2
"""UDP_ENCAP_ESPINUDP of <linux/udp.h>: RFC 3948."""
FAMILIES = {4: 2, 6: 10}
"""AF_INET and AF_INET6 by IP version."""
VERSIONS = {family: version for version, family in FAMILIES.items()}
NO_LIMIT = (1 << 64) - 1
"""XFRM_INF."""

FLAG_REQUEST, FLAG_ACKNOWLEDGE = 0x1, 0x4
STATE_NO_PMTU_DISCOVERY, STATE_ANY_FAMILY, STATE_ESN = 4, 32, 128
EXTRA_FLAG_DSCP_STAYS_INSIDE = 1
MODES = {"transport": 0, "tunnel": 1}
ALLOW, BLOCK = 0, 1
EXPIRE_GROUP, MAPPING_GROUP = 2, 8


class Message(IntEnum):
    """Types of messages that are sent or understood here."""

    ERROR = 2
    DONE = 3
    NEW_SA = 0x10
    DELETE_SA = 0x11
    GET_SA = 0x12
    NEW_POLICY = 0x13
    DELETE_POLICY = 0x14
    GET_POLICY = 0x15
    EXPIRE = 0x18
    UPDATE_POLICY = 0x19
    UPDATE_SA = 0x1A
    MAPPING = 0x26


class Attribute(IntEnum):
    """Types of attributes (XFRMA_…)."""

    ALGORITHM_ENCRYPTION = 2
    ENCAPSULATION = 4
    TEMPLATES = 5
    LIFETIME = 9
    REPLAY = 10
    LAST_USED = 15
    ALGORITHM_COMBINED = 18
    ALGORITHM_INTEGRITY = 20
    TFC_PADDING = 22
    REPLAY_ESN = 23
    EXTRA_FLAGS = 24


class PolicyDirection(IntEnum):
    """XFRM_POLICY_…: what a policy of the kernel is asked about."""

    INBOUND = 0
    OUTBOUND = 1
    FORWARDED = 2


_HEADER = struct.Struct("@IHHII")
_ATTRIBUTE = struct.Struct("@HH")
_SELECTOR = struct.Struct("@16s16s2s2s2s2sHBBBiI")
_ID = "16s4sB3x"
_LIMITS = "8Q"
_CURRENT = "4Q"
_SA = struct.Struct(f"@{_SELECTOR.size}s{_ID}16s{_LIMITS}{_CURRENT}IIIIIHBBB0Q")
_SA_ID = struct.Struct("@16s4sHBx")
_POLICY = struct.Struct(f"@{_SELECTOR.size}s{_LIMITS}{_CURRENT}IIBBBB0Q")
_POLICY_ID = struct.Struct(f"@{_SELECTOR.size}sIB3x")
_TEMPLATE = struct.Struct(f"@{_ID}H2x16sIBBBxIII")
_ENCAPSULATION = struct.Struct("@H2s2s2x16s")
_MAPPING = struct.Struct(f"@{_SA_ID.size}sI16s16s2s2s")
_REPLAY = struct.Struct("@III")
_REPLAY_ESN = struct.Struct("@IIIIII")
_LIFETIME = struct.Struct(f"@{_CURRENT}")
_ALGORITHM_NAME_BYTES = 64
_NLMSGERR_MESSAGE = 1
_CAPPED, _HAS_ATTRIBUTES = 0x100, 0x200
_ATTRIBUTE_TYPE_MASK = 0x3FFF
"""Without NLA_F_NESTED and NLA_F_NET_BYTEORDER."""


@dataclass(frozen=True, slots=True)
class NetlinkMessage:
    """One message."""

    kind: int
    """A :class:`Message`, or another number."""
    flags: int
    sequence: int
    body: bytes
    """What follows the header."""


@dataclass(frozen=True, slots=True)
class KernelSelector:
    """One selector of the kernel: prefixes of addresses, and ports under a mask."""

    version: int
    """IP version."""
    source: int
    """Address as a number."""
    source_prefix_bits: int
    destination: int
    destination_prefix_bits: int
    protocol: int = 0
    """0: any."""
    source_port: int = 0
    """ICMP: the type."""
    source_port_mask: int = 0
    destination_port: int = 0
    """ICMP: the code."""
    destination_port_mask: int = 0


@dataclass(frozen=True, slots=True)
class Template:
    """Which SA a policy demands."""

    mode: str
    """``transport`` or ``tunnel``."""
    source: str
    """Outer address; counts in tunnel mode only."""
    destination: str
    reqid: int


@dataclass(frozen=True, slots=True)
class KernelPolicy:
    """One policy as the kernel has it."""

    direction: PolicyDirection
    selector: KernelSelector
    action: int
    """:data:`ALLOW` or :data:`BLOCK`."""
    priority: int
    template: Template | None
    """None: as it is."""


@dataclass(frozen=True, slots=True)
class KernelAlgorithms:
    """Names of a suite's transforms in the kernel, with their keys: (attribute, name, ICV bits or None, key)."""

    parts: tuple[tuple[Attribute, str, int | None, bytes], ...]

    def __repr__(self) -> str:
        return f"KernelAlgorithms({', '.join(name for _, name, _, _ in self.parts)})"


@dataclass(frozen=True, slots=True)
class Resumption:
    """What an SA that is made anew takes over from the one before."""

    lifetime: bytes
    """Content of LIFETIME."""
    replay: bytes
    """Content of REPLAY or REPLAY_ESN; empty: none."""


@dataclass(frozen=True, slots=True)
class KernelSa:
    """One SA to be given to the kernel."""

    spi: int
    reqid: int
    source: str
    destination: str
    mode: str
    algorithms: KernelAlgorithms
    selector: KernelSelector | None
    """What may be inside; None: whatever the policies admit."""
    esn: bool = False
    replay_window_packets: int = 0
    soft_bytes: int = 0
    """0 for no limit, here and in the next five."""
    hard_bytes: int = 0
    soft_packets: int = 0
    hard_packets: int = 0
    soft_seconds: int = 0
    hard_seconds: int = 0
    ports: tuple[int, int] | None = None
    """Source and destination port of ESP in UDP."""
    clear_dont_fragment: bool = False
    copy_dscp: bool = True
    tfc_bytes: int = 0
    resumption: Resumption | None = None


@dataclass(frozen=True, slots=True)
class SaRecord:
    """What the kernel says of an SA; its keys are not kept."""

    source: str
    destination: str
    spi: int
    reqid: int
    bytes: int
    packets: int
    added_at: int
    """Seconds of the wall clock."""
    used_at: int
    """The same, of the last packet; 0: never, or the kernel does not say."""
    replayed: int
    """Packets that the window refused: seen before, or older than it reaches."""
    forged: int
    sequence: int
    """Last sequence number that was sent."""
    resumption: Resumption


@dataclass(frozen=True, slots=True)
class Expiry:
    """An SA reached a limit."""

    record: SaRecord
    hard: bool


@dataclass(frozen=True, slots=True)
class AddressChange:
    """An authentic packet in UDP came from another address or port."""

    destination: str
    spi: int
    source: str
    source_port: int


def frame(kind: int, flags: int, sequence: int, body: bytes | bytearray) -> bytearray:
    """A whole message. The caller wipes what holds keys."""
    message = bytearray(_HEADER.pack(_HEADER.size + len(body), kind, flags, sequence, 0))
    message += body
    return message


def parse_frames(data: bytes) -> list[NetlinkMessage]:
    """The messages of one datagram.

    Raises:
        MalformedError: a length is wrong.
    """
    found = []
    position = 0
    while position < len(data):
        if position + _HEADER.size > len(data):
            raise MalformedError(f"netlink: {len(data) - position} octets are no header")
        length, kind, flags, sequence, _ = _HEADER.unpack_from(data, position)
        if length < _HEADER.size or position + length > len(data):
            raise MalformedError(f"netlink: a message of {length} octets at {position} of {len(data)}")
        found.append(NetlinkMessage(kind, flags, sequence, data[position + _HEADER.size : position + length]))
        position += _aligned(length)
    return found


def parse_attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Types and contents of a row of attributes.

    Raises:
        MalformedError: a length is wrong.
    """
    position = 0
    while position < len(data):
        if position + _ATTRIBUTE.size > len(data):
            raise MalformedError(f"netlink: {len(data) - position} octets are no attribute")
        length, kind = _ATTRIBUTE.unpack_from(data, position)
        if length < _ATTRIBUTE.size or position + length > len(data):
            raise MalformedError(f"netlink: an attribute of {length} octets at {position} of {len(data)}")
        yield kind & _ATTRIBUTE_TYPE_MASK, data[position + _ATTRIBUTE.size : position + length]
        position += _aligned(length)


def attribute(kind: int, content: bytes | bytearray) -> bytes:
    """One attribute, padded."""
    length = _ATTRIBUTE.size + len(content)
    return _ATTRIBUTE.pack(length, kind) + bytes(content) + bytes(_aligned(length) - length)


def parse_error(message: NetlinkMessage) -> tuple[int, str]:
    """Number of the error (0: it was done) and the kernel's own words, empty where it has none.

    Raises:
        MalformedError: it is too short.
    """
    if len(message.body) < 4 + _HEADER.size:
        raise MalformedError(f"netlink: an error of {len(message.body)} octets")
    (number,) = struct.unpack_from("@i", message.body)
    if not message.flags & _HAS_ATTRIBUTES:
        return -number, ""
    (asked,) = struct.unpack_from("@I", message.body, 4)
    start = 4 + (_HEADER.size if message.flags & _CAPPED else _aligned(max(asked, _HEADER.size)))
    for kind, content in parse_attributes(message.body[start:]):
        if kind == _NLMSGERR_MESSAGE:
            return -number, content.rstrip(b"\0").decode("ascii", "replace")
    return -number, ""


def address_octets(text: str) -> bytes:
    """An address as XFRM has it: 16 octets, of which IPv4 uses the first four."""
    return ipaddress.ip_address(text).packed.ljust(16, b"\0")


def address_text(octets: bytes, family: int) -> str:
    """An address for people.

    Raises:
        MalformedError: the family is neither IPv4 nor IPv6.
    """
    version = VERSIONS.get(family)
    if version is None:
        raise MalformedError(f"netlink: an address of family {family}")
    return str(ipaddress.IPv4Address(octets[:4]) if version == 4 else ipaddress.IPv6Address(octets))


def new_sa(sa: KernelSa) -> bytearray:
    """Body of NEW_SA and UPDATE_SA. It holds keys: the caller wipes it."""
    flags = (
        (STATE_ESN if sa.esn else 0)
        | (STATE_NO_PMTU_DISCOVERY if sa.clear_dont_fragment else 0)
        | (STATE_ANY_FAMILY if sa.selector is None else 0)
    )
    short_window = 0 if sa.esn or sa.replay_window_packets > 32 else sa.replay_window_packets
    body = bytearray(
        _SA.pack(
            _selector(sa.selector),
            *(address_octets(sa.destination), sa.spi.to_bytes(4), ESP_PROTOCOL, address_octets(sa.source)),
            *(sa.soft_bytes or NO_LIMIT, sa.hard_bytes or NO_LIMIT),
            *(sa.soft_packets or NO_LIMIT, sa.hard_packets or NO_LIMIT),
            *(sa.soft_seconds, sa.hard_seconds, 0, 0),
            *(0, 0, 0, 0),
            *(0, 0, 0),
            *(0, sa.reqid, _family(sa.destination), MODES[sa.mode], short_window, flags),
        )
    )
    for kind, name, icv_bits, key in sa.algorithms.parts:
        sizes = struct.pack("@I", 8 * len(key)) + (b"" if icv_bits is None else struct.pack("@I", icv_bits))
        body += attribute(kind, name.encode().ljust(_ALGORITHM_NAME_BYTES, b"\0") + sizes + key)
    if sa.ports is not None:
        source_port, destination_port = (port.to_bytes(2) for port in sa.ports)
        body += attribute(
            Attribute.ENCAPSULATION, _ENCAPSULATION.pack(ESP_IN_UDP, source_port, destination_port, bytes(16))
        )
    if sa.tfc_bytes:
        body += attribute(Attribute.TFC_PADDING, struct.pack("@I", sa.tfc_bytes))
    if not sa.copy_dscp:
        body += attribute(Attribute.EXTRA_FLAGS, struct.pack("@I", EXTRA_FLAG_DSCP_STAYS_INSIDE))
    body += _replay_attribute(sa)
    if sa.resumption is not None:
        body += attribute(Attribute.LIFETIME, sa.resumption.lifetime)
    return body


def _replay_attribute(sa: KernelSa) -> bytes:
    kept = b"" if sa.resumption is None else sa.resumption.replay
    if sa.esn or sa.replay_window_packets > 32:
        words = (sa.replay_window_packets + 31) // 32
        fresh = _REPLAY_ESN.pack(words, 0, 0, 0, 0, sa.replay_window_packets) + bytes(4 * words)
        return attribute(Attribute.REPLAY_ESN, kept or fresh)
    return attribute(Attribute.REPLAY, kept) if kept else b""


def sa_id(destination: str, spi: int) -> bytes:
    """Body of DELETE_SA and GET_SA."""
    return _SA_ID.pack(address_octets(destination), spi.to_bytes(4), _family(destination), ESP_PROTOCOL)


def parse_sa(body: bytes) -> SaRecord:
    """What a NEW_SA message from the kernel says.

    Raises:
        MalformedError: it is too short or contradicts itself.
    """
    record, rest = _parse_sa(body, _SA.size)
    replay, last_used, sequence = b"", 0, 0
    for kind, content in parse_attributes(rest):
        if kind == Attribute.LAST_USED and len(content) >= 8:
            (last_used,) = struct.unpack_from("@Q", content)
        elif kind == Attribute.REPLAY and len(content) >= _REPLAY.size and not replay:
            replay, sequence = content, _REPLAY.unpack_from(content)[0]
        elif kind == Attribute.REPLAY_ESN and len(content) >= _REPLAY_ESN.size:
            _, low, _, high, _, _ = _REPLAY_ESN.unpack_from(content)
            replay, sequence = content, (high << 32) + low
    resumption = replace(record.resumption, replay=replay)
    return replace(record, used_at=last_used, sequence=sequence, resumption=resumption)


def with_later_sequence(resumption: Resumption, packets: int) -> Resumption:
    """The same, but the next packet that is sent has a number so many later (32 bits end where they end)."""
    replay = bytearray(resumption.replay)
    if len(replay) == _REPLAY.size:
        sent, *received = _REPLAY.unpack(replay)
        replay[:] = _REPLAY.pack(min(sent + packets, 0xFFFFFFFF), *received)
    elif len(replay) >= _REPLAY_ESN.size:
        words, low, seen, high, *received = _REPLAY_ESN.unpack_from(replay)
        sent = (high << 32) + low + packets
        _REPLAY_ESN.pack_into(replay, 0, words, sent & 0xFFFFFFFF, seen, sent >> 32 & 0xFFFFFFFF, *received)
    return replace(resumption, replay=bytes(replay))


def parse_expiry(body: bytes) -> Expiry:
    """What an EXPIRE message says.

    Raises:
        MalformedError: it is too short.
    """
    record, rest = _parse_sa(body, _SA.size + 1)
    return Expiry(record, bool(rest[0]))


def _parse_sa(body: bytes, least: int) -> tuple[SaRecord, bytes]:
    """The fixed part of an SA, and what follows it."""
    if len(body) < least:
        raise MalformedError(f"netlink: an SA of {len(body)} octets")
    fields = _SA.unpack_from(body)
    destination, spi, _, source = fields[1:5]
    carried_bytes, packets, added_at, used_at = fields[13:17]
    too_old, twice, forged, _, reqid, family = fields[17:23]
    record = SaRecord(
        source=address_text(source, family),
        destination=address_text(destination, family),
        spi=int.from_bytes(spi),
        reqid=reqid,
        bytes=carried_bytes,
        packets=packets,
        added_at=added_at,
        used_at=0,
        replayed=too_old + twice,
        forged=forged,
        sequence=0,
        resumption=Resumption(_LIFETIME.pack(carried_bytes, packets, added_at, used_at), b""),
    )
    return record, body[_SA.size :]


def parse_mapping(body: bytes) -> AddressChange:
    """What a MAPPING message says.

    Raises:
        MalformedError: it is too short.
    """
    if len(body) < _MAPPING.size:
        raise MalformedError(f"netlink: a mapping of {len(body)} octets")
    identity, _, _, source, _, port = _MAPPING.unpack_from(body)
    destination, spi, family, _ = _SA_ID.unpack(identity)
    return AddressChange(
        address_text(destination, family), int.from_bytes(spi), address_text(source, family), int.from_bytes(port)
    )


def new_policy(policy: KernelPolicy) -> bytes:
    """Body of NEW_POLICY and UPDATE_POLICY; also what IP_XFRM_POLICY and IPV6_XFRM_POLICY take."""
    body = _policy(_selector(policy.selector), policy.priority, policy.direction, policy.action)
    if policy.template is None:
        return body
    wanted = policy.template
    family = _family(wanted.destination)
    every_algorithm = 0xFFFFFFFF
    return body + attribute(
        Attribute.TEMPLATES,
        _TEMPLATE.pack(
            *(address_octets(wanted.destination), bytes(4), ESP_PROTOCOL, family, address_octets(wanted.source)),
            *(wanted.reqid, MODES[wanted.mode], 0, 0, every_algorithm, every_algorithm, every_algorithm),
        ),
    )


def socket_policy(version: int, direction: PolicyDirection) -> bytes:
    """For IP_XFRM_POLICY and IPV6_XFRM_POLICY: what this socket sends or receives passes as it is."""
    selector = _SELECTOR.pack(bytes(16), bytes(16), *(bytes(2),) * 4, FAMILIES[version], 0, 0, 0, 0, 0)
    return _policy(selector, 0, direction, ALLOW)


def _policy(selector: bytes, priority: int, direction: PolicyDirection, action: int) -> bytes:
    limits = (NO_LIMIT, NO_LIMIT, NO_LIMIT, NO_LIMIT, 0, 0, 0, 0)
    return _POLICY.pack(selector, *limits, 0, 0, 0, 0, priority, 0, direction, action, 0, 0)


def policy_id(policy: KernelPolicy) -> bytes:
    """Body of DELETE_POLICY and GET_POLICY."""
    return _POLICY_ID.pack(_selector(policy.selector), 0, policy.direction)


def _selector(selector: KernelSelector | None) -> bytes:
    if selector is None:
        return bytes(_SELECTOR.size)
    width = 4 if selector.version == 4 else 16
    return _SELECTOR.pack(
        selector.destination.to_bytes(width).ljust(16, b"\0"),
        selector.source.to_bytes(width).ljust(16, b"\0"),
        *(selector.destination_port.to_bytes(2), selector.destination_port_mask.to_bytes(2)),
        *(selector.source_port.to_bytes(2), selector.source_port_mask.to_bytes(2)),
        *(FAMILIES[selector.version], selector.destination_prefix_bits, selector.source_prefix_bits),
        *(selector.protocol, 0, 0),
    )


def _family(address: str) -> int:
    return FAMILIES[ipaddress.ip_address(address).version]


def _aligned(length: int) -> int:
    return (length + 3) & ~3


def groups_mask(groups: Iterable[int]) -> int:
    """Numbers of multicast groups as the mask that bind(2) takes."""
    return sum(1 << (group - 1) for group in groups)
