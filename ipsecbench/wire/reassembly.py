"""Putting fragments together (RFC 791 section 3.2, RFC 8200 section 4.5), within bounds and without overlaps.

A packet of which two fragments overlap is forgotten as a whole, in both versions (RFC 5722): which of the two octets
counts would be a matter of taste, and has been a way past firewalls. The same fragment twice is no overlap.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ipsecbench.errors import MalformedError
from ipsecbench.wire.ip import LARGEST_PACKET_BYTES, IpHeader, IpPacket, Protocol, chained, parse_ip

LIFE_SECONDS = 30.0
"""How long the rest of a packet is waited for."""
MOST_PACKETS = 64
"""Packets that are waited for at the same time; the oldest gives way."""
MOST_FRAGMENTS = 128
"""Fragments of one packet: 64 kB in pieces of 512 octets."""

_UNIT_BYTES = 8
_Key = tuple[bytes, bytes, int, int]


@dataclass(slots=True)
class _Incomplete:
    """What is there of a packet."""

    since: float
    pieces: dict[int, bytes] = field(default_factory=dict)
    """By their offset."""
    first: IpHeader | None = None
    """The header of the first fragment, as it is without fragmentation."""
    total_bytes: int | None = None
    """Octets of all pieces, once the last is there."""

    def takes(self, offset: int, octets: bytes, *, is_last: bool) -> bool:
        """Whether a piece fits to the others; it is kept then."""
        end = offset + len(octets)
        if self.pieces.get(offset) == octets and (not is_last or end == self.total_bytes):
            return True
        if len(self.pieces) == MOST_FRAGMENTS or (self.total_bytes is not None and (is_last or end > self.total_bytes)):
            return False
        if any(start < end and offset < start + len(piece) for start, piece in self.pieces.items()):
            return False
        if is_last and any(start >= end for start in self.pieces):
            return False
        self.pieces[offset] = octets
        if is_last:
            self.total_bytes = end
        return True

    def whole(self) -> bytes | None:
        """All pieces in a row; None while one is missing. They do not overlap, so their sum tells."""
        if self.total_bytes is None or sum(map(len, self.pieces.values())) != self.total_bytes:
            return None
        return b"".join(self.pieces[offset] for offset in sorted(self.pieces))


class Reassembly:
    """Packets of which fragments have come."""

    def __init__(self) -> None:
        self._incomplete: dict[_Key, _Incomplete] = {}
        self.lost = 0
        """Fragments that were thrown away: with packets that were never whole, malformed, or too many."""

    def __len__(self) -> int:
        return len(self._incomplete)

    def add(self, packet: IpPacket, now: float) -> IpPacket | None:
        """A fragment has come.

        Args:
            packet: a fragment.
            now: monotonic seconds.

        Returns:
            The packet that it makes whole; None while something is missing, or where it makes no sense.
        """
        self.expire(now)
        header, octets = _piece(packet)
        offset, is_last = packet.header.fragment_offset_bytes, not packet.header.more_fragments
        makes_no_sense = not octets or (not is_last and len(octets) % _UNIT_BYTES)
        if makes_no_sense or offset + len(octets) + header.header_bytes > LARGEST_PACKET_BYTES:
            self.lost += 1
            return None
        key = header.source, header.destination, header.identification, header.protocol if header.version == 4 else 0
        incomplete = self._incomplete.get(key) or self._begin(key, now)
        if not incomplete.takes(offset, octets, is_last=is_last):
            self.lost += 1
            self._forget(key)
            return None
        if offset == 0:
            incomplete.first = header
        whole = incomplete.whole()
        if whole is None or incomplete.first is None:
            return None
        del self._incomplete[key]
        return self._made(incomplete, whole)

    def expire(self, now: float) -> None:
        """Forget what was waited for too long."""
        for key in [key for key, each in self._incomplete.items() if now >= each.since + LIFE_SECONDS]:
            self._forget(key)

    def next_timeout(self) -> float | None:
        """When :meth:`expire` has something to do; None: never, as things are."""
        return min((each.since + LIFE_SECONDS for each in self._incomplete.values()), default=None)

    def _begin(self, key: _Key, now: float) -> _Incomplete:
        if len(self._incomplete) == MOST_PACKETS:
            self._forget(min(self._incomplete, key=lambda each: self._incomplete[each].since))
        return self._incomplete.setdefault(key, _Incomplete(now))

    def _forget(self, key: _Key) -> None:
        self.lost += len(self._incomplete.pop(key).pieces)

    def _made(self, incomplete: _Incomplete, octets: bytes) -> IpPacket | None:
        if incomplete.first is None:
            return None
        try:
            # What comes after a Fragment header of IPv6 may be headers: the packet is read anew.
            return parse_ip(incomplete.first.encode(octets))
        except MalformedError:
            self.lost += len(incomplete.pieces)
            return None


def _piece(packet: IpPacket) -> tuple[IpHeader, bytes]:
    """The header of a fragment as it is without fragmentation, and the octets that were cut out of the packet."""
    header = packet.header
    if header.version == 4:
        return replace(header, more_fragments=False, fragment_offset_bytes=0), packet.payload
    numbers = [extension.number for extension in header.extensions]
    at = numbers.index(Protocol.FRAGMENT)
    first, chain = chained(header.extensions[at + 1 :], header.protocol)
    plain = replace(
        header,
        protocol=first,
        extensions=header.extensions[:at],
        more_fragments=False,
        fragment_offset_bytes=0,
    )
    return plain, chain + packet.payload
