"""Test packets seen from Python: sockets on the loopback interface, and the payload as docs/agent-traffic.md has it."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

ADDRESS = "127.0.0.1"
_RECEIVE_SECONDS = 2.0
_BUFFER_BYTES = 8 * 2**20
_HEADER = struct.Struct("!BBHIQ")
_MAGIC = 0x49


@dataclass(frozen=True, slots=True)
class Payload:
    """What a test packet carries."""

    stream: int
    flow: int
    sequence: int
    sent_ns: int
    length: int
    intact: bool

    @classmethod
    def parse(cls, octets: bytes) -> Payload:
        """From the payload of a UDP packet."""
        magic, stream, flow, sequence, sent_ns = _HEADER.unpack_from(octets)
        assert magic == _MAGIC
        rest = octets[_HEADER.size :]
        return cls(stream, flow, sequence, sent_ns, len(octets), rest == b"\x5a" * len(rest))


def make_payload(stream: int, sequence: int, sent_ns: int = 0, *, flow: int = 0, length: int = 36) -> bytes:
    """The payload of a test packet."""
    header = _HEADER.pack(_MAGIC, stream, flow, sequence, sent_ns)
    return header + b"\x5a" * (length - len(header))


@contextlib.contextmanager
def receiver(address: str = ADDRESS) -> Iterator[tuple[socket.socket, int]]:
    """A bound UDP socket and its port."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as opened:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        opened.bind((address, 0))
        opened.settimeout(_RECEIVE_SECONDS)
        yield opened, opened.getsockname()[1]


def free_port(kind: int = socket.SOCK_DGRAM) -> int:
    """A port that nobody has at the moment."""
    with socket.socket(socket.AF_INET, kind) as opened:
        opened.bind((ADDRESS, 0))
        return int(opened.getsockname()[1])


def receive(opened: socket.socket, count: int) -> list[bytes]:
    """So many packets."""
    return [opened.recv(70_000) for _ in range(count)]
