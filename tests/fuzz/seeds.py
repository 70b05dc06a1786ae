"""Datagrams to begin from: those of tcpdump's captures, and the messages of other captures cut into their parts."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Iterator
from pathlib import Path

from ipsecbench.errors import ProtocolError
from ipsecbench.ike.header import HEADER_BYTES, parse_header

VECTORS = Path(__file__).parents[1] / "vectors" / "ike-seeds" / "datagrams.json"
MORE_SEEDS = "IPSECBENCH_FUZZ_SEEDS"
"""Environment variable: a folder with more datagrams, one a file."""
_NON_ESP_MARKER = bytes(4)


@functools.cache
def datagrams() -> tuple[bytes, ...]:
    """Every seed, as it was in its UDP datagram."""
    found = [bytes.fromhex(row["hex"]) for row in json.loads(VECTORS.read_text())["datagrams"]]
    folder = os.environ.get(MORE_SEEDS)
    if folder:
        found += [path.read_bytes() for path in sorted(Path(folder).iterdir()) if path.is_file()]
    return tuple(found)


def ike_messages() -> Iterator[bytes]:
    """The seeds without the non-ESP marker."""
    for datagram in datagrams():
        yield datagram.removeprefix(_NON_ESP_MARKER)


def payload_bodies() -> Iterator[tuple[int, int, bytes]]:
    """Major version, payload type and body of every payload that stands in a seed in the clear."""
    for message in ike_messages():
        try:
            header = parse_header(message)
        except ProtocolError:
            continue
        kind, position = header.next_payload, HEADER_BYTES
        while kind and position + 4 <= len(message):
            following, length = message[position], int.from_bytes(message[position + 2 : position + 4])
            if length < 4:
                break
            yield header.major, kind, message[position + 4 : position + length]
            kind, position = following, position + length
