"""What stands between a packet and ESP in transport mode: GRE (RFC 2784) or IP in IP (RFC 2003, RFC 4213)."""

from __future__ import annotations

import struct

from ipsecbench.errors import MalformedError
from ipsecbench.esp.mode import GRE_HEADER_BYTES
from ipsecbench.wire.ip import Protocol, internet_checksum

_GRE = struct.Struct(">HH")
_ETHERTYPES = {4: 0x0800, 6: 0x86DD}
_VERSIONS = {ethertype: version for version, ethertype in _ETHERTYPES.items()}
_CHECKSUM_PRESENT = 0x8000
_MUST_BE_ZERO = 0x7C00
_VERSION_MASK = 0x0007


def next_header_of(version: int) -> int:
    """What announces an IP packet of a version."""
    return Protocol.IPV4 if version == 4 else Protocol.IPV6


def version_behind(next_header: int) -> int | None:
    """The version of the IP packet that a Next Header announces; None where it announces something else."""
    return {Protocol.IPV4: 4, Protocol.IPV6: 6}.get(Protocol(next_header)) if next_header in (4, 41) else None


def gre_encapsulated(packet: bytes, version: int) -> bytes:
    """GRE without checksum, key or sequence number, and an IP packet in it."""
    return _GRE.pack(0, _ETHERTYPES[version]) + packet


def gre_decapsulated(octets: bytes) -> tuple[bytes, int]:
    """The IP packet in GRE, and its version.

    Raises:
        MalformedError: it is cut off, carries something else, has a wrong checksum, or says what RFC 2784 does not know
            (a key, a sequence number, routing, another version).
    """
    if len(octets) < GRE_HEADER_BYTES:
        raise MalformedError(f"GRE: {len(octets)} octets are less than a header")
    flags, ethertype = _GRE.unpack_from(octets)
    if flags & (_MUST_BE_ZERO | _VERSION_MASK):
        raise MalformedError(f"GRE: flags {flags:04x} are not those of RFC 2784")
    version = _VERSIONS.get(ethertype)
    if version is None:
        raise MalformedError(f"GRE: protocol {ethertype:04x} is not IP")
    if not flags & _CHECKSUM_PRESENT:
        return octets[GRE_HEADER_BYTES:], version
    if len(octets) < GRE_HEADER_BYTES + 4 or internet_checksum(octets):
        raise MalformedError("GRE: wrong checksum")
    return octets[GRE_HEADER_BYTES + 4 :], version
