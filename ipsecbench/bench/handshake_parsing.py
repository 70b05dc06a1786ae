"""What of a set-up is the parsing of messages: they are parsed once more, by themselves, when the set-up is over.

The parsers of the stack are plain functions of octets, called in the midst of everything else. To time them there would
need a clock inside of the stack; instead the very octets that an end received, and what it decrypted of them, are given
to the same functions again. Their code and data are in the caches then, so that the figure is rather low.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from time import perf_counter_ns

from ipsecbench.ike.header import HEADER_BYTES, parse_header
from ipsecbench.ike.nat_traversal import NON_ESP_MARKER
from ipsecbench.ike.v1.message import decode_payloads
from ipsecbench.ike.v2.message import parse_chain, parse_message
from ipsecbench.ike.v2.payloads import EncryptedFragment

_PASSES = 3
"""The fastest counts: a pass takes some 100 microseconds, which anything that comes between would multiply."""
_V1_ENCRYPTED = 1
"""The Encryption bit of an IKEv1 header (RFC 2408 section 3.1)."""


def parsing_ns(version: int, received: Sequence[bytes], opened: Sequence[bytes]) -> int:
    """Nanoseconds to parse what one end received.

    Args:
        version: of IKE.
        received: its datagrams in their order, all of them messages.
        opened: what it decrypted of them, in the same order, with padding.

    Raises:
        ProtocolError: they are not what a set-up that succeeded was made of.
    """
    messages = [each.removeprefix(NON_ESP_MARKER) for each in received]
    parse = _parse_v1 if version == 1 else _V2Parser().parse
    times = []
    for _ in range(_PASSES):
        plaintexts = iter(opened)
        start = perf_counter_ns()
        for message in messages:
            parse(message, plaintexts)
        times.append(perf_counter_ns() - start)
    return min(times)


def _parse_v1(octets: bytes, plaintexts: Iterator[bytes]) -> None:
    header = parse_header(octets)
    encrypted = bool(header.flags & _V1_ENCRYPTED)
    decode_payloads(header, next(plaintexts) if encrypted else octets[HEADER_BYTES:], encrypted)


class _V2Parser:
    """Keeps the content of fragments until the last one has come."""

    def __init__(self) -> None:
        self._first = 0
        self._content = b""

    def parse(self, octets: bytes, plaintexts: Iterator[bytes]) -> None:
        message = parse_message(octets)
        sealed = message.encrypted
        if sealed is None:
            return
        plaintext = next(plaintexts)
        content = plaintext[: len(plaintext) - plaintext[-1] - 1]
        if not isinstance(sealed, EncryptedFragment):
            parse_chain(sealed.first, content)
            return
        if sealed.number == 1:
            self._first, self._content = sealed.first, b""
        self._content += content
        if sealed.number == sealed.total:
            parse_chain(self._first, self._content)
