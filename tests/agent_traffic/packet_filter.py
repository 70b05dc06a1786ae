"""Segmentation and coalescing as the agent has them, through ``agent/tests/packet_filter.c``."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntFlag
from pathlib import Path

NEEDS_CHECKSUM = 1
GSO_TCP4, GSO_TCP6, GSO_UDP = 1, 4, 5


@dataclass(frozen=True, slots=True)
class VnetHeader:
    """What stands in front of a packet on a TUN device with IFF_VNET_HDR."""

    flags: int = 0
    gso_type: int = 0
    header_bytes: int = 0
    segment_bytes: int = 0
    checksum_start: int = 0
    checksum_offset: int = 0

    def encode(self) -> bytes:
        """In the machine's byte order."""
        return struct.pack(
            "=BBHHHH",
            self.flags,
            self.gso_type,
            self.header_bytes,
            self.segment_bytes,
            self.checksum_start,
            self.checksum_offset,
        )

    @classmethod
    def decode(cls, octets: bytes) -> VnetHeader:
        """The other way."""
        return cls(*struct.unpack("=BBHHHH", octets))


class Join(IntFlag):
    """What may be joined."""

    NOTHING = 0
    TCP = 1
    UDP = 2


@dataclass(frozen=True, slots=True)
class PacketFilter:
    """The built filter."""

    path: Path

    def cut(self, packets: Sequence[tuple[VnetHeader, bytes]]) -> list[list[bytes] | int]:
        """The segments of each packet, or the number of the reason why there are none."""
        output = self._run(b"".join(b"S" + vnet.encode() + _packet(packet) for vnet, packet in packets))
        answers: list[list[bytes] | int] = []
        position = 0
        for _ in packets:
            kind, result, count = struct.unpack_from("!cBI", output, position)
            assert kind == b"S"
            position += 6
            segments = []
            for _ in range(count):
                (length,) = struct.unpack_from("!I", output, position)
                segments.append(output[position + 4 : position + 4 + length])
                position += 4 + length
            answers.append(result or segments)
        assert position == len(output)
        return answers

    def join(self, joins: Join, packets: Sequence[bytes]) -> list[tuple[VnetHeader, bytes]]:
        """What a burst becomes."""
        output = self._run(b"J" + struct.pack("!BH", joins, len(packets)) + b"".join(map(_packet, packets)))
        kind, count = struct.unpack_from("!cI", output)
        assert kind == b"J"
        position = 5
        items = []
        for _ in range(count):
            vnet = VnetHeader(*struct.unpack_from("=BBHHHH", output, position))
            (length,) = struct.unpack_from("!I", output, position + 10)
            items.append((vnet, output[position + 14 : position + 14 + length]))
            position += 14 + length
        assert position == len(output)
        return items

    def _run(self, text: bytes) -> bytes:
        result = subprocess.run([self.path], input=text, capture_output=True, timeout=60, check=False)
        assert result.returncode == 0, result.stderr.decode()
        return result.stdout


def _packet(octets: bytes) -> bytes:
    return struct.pack("!I", len(octets)) + octets
