"""The most expensive inputs that fit a datagram: each is bounded in time and memory, and twice the input is not four
times the work."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable

import pytest

from ipsecbench.ike.v2.message import PAYLOAD_CLASSES
from tests.fuzz import parsers, protected
from tests.fuzz.budget import LARGEST_INPUT, LIMIT_BYTES, peak_bytes, within_budget

pytestmark = pytest.mark.fuzz

_V2_CLASS = {kind.__name__: number for number, kind in enumerate(PAYLOAD_CLASSES.values())}
_SPIS = b"i" * 8 + b"r" * 8


def _message(version: int, exchange_type: int, first: int, chain: bytes) -> bytes:
    flags = 8 if version == 2 else 0
    head = struct.pack(">16sBBBBII", _SPIS, first, version << 4, exchange_type, flags, 0, 28 + len(chain))
    return head + chain


def _chain(kind: int, body: bytes, octets: int) -> bytes:
    """As many payloads of one kind as fit, the last with the end of the chain."""
    one = struct.pack(">BBH", kind, 0, 4 + len(body)) + body
    count = max(1, octets // len(one))
    return one * (count - 1) + b"\0" + one[1:]


def v2_many_payloads(octets: int) -> bytes:
    """Notify payloads without content."""
    return _message(2, 34, 41, _chain(41, b"\0\0\x40\x00", octets - 28))


def v2_many_unknown_payloads(octets: int) -> bytes:
    """Unknown payloads, not critical."""
    return _message(2, 34, 200, _chain(200, b"", octets - 28))


def v2_one_long_payload(octets: int) -> bytes:
    """A vendor ID that fills the datagram."""
    return _message(2, 34, 43, _chain(43, bytes(octets - 32), 0))


def v1_many_payloads(octets: int) -> bytes:
    """Vendor IDs without content."""
    return _message(1, 2, 13, _chain(13, b"", octets - 28))


def v1_one_long_payload(octets: int) -> bytes:
    """A vendor ID that fills the datagram."""
    return _message(1, 2, 13, _chain(13, bytes(octets - 32), 0))


def v1_many_notifications(octets: int) -> bytes:
    """Notifications without content, decrypted."""
    return bytes((11,)) + _chain(11, struct.pack(">IBBH", 1, 1, 0, 24578), octets - 1)


def v2_many_proposals(octets: int) -> bytes:
    """Proposals of one transform each."""
    one = struct.pack(">BBHBBBB", 2, 0, 16, 1, 1, 0, 1) + struct.pack(">BBHBBH", 0, 0, 8, 1, 0, 12)
    count = octets // len(one)
    return one * (count - 1) + b"\0" + one[1:]


def v2_many_transforms(octets: int) -> bytes:
    """One proposal after the other, each with 255 transforms of 8 octets."""
    transforms = struct.pack(">BBHBBH", 3, 0, 8, 1, 0, 12) * 254 + struct.pack(">BBHBBH", 0, 0, 8, 1, 0, 12)
    one = struct.pack(">BBHBBBB", 2, 0, 8 + len(transforms), 1, 1, 0, 255) + transforms
    count = max(1, octets // len(one))
    return one * (count - 1) + b"\0" + one[1:]


def v2_many_acceptable_transforms(octets: int) -> bytes:
    """As many transforms as are read, every one of them wanted here and every type there."""
    kinds = [(1, 12, 256), (1, 12, 128), (2, 5, None), (2, 2, None), (3, 12, None), (3, 2, None), (4, 31, None)]
    rows = []
    for number in range(min(255, octets // 12)):
        kind, transform, bits = kinds[number % len(kinds)]
        attribute = b"" if bits is None else struct.pack(">HH", 0x800E, bits)
        rows.append((kind, transform, attribute))
    parts = [
        struct.pack(">BBHBBH", 0 if number == len(rows) - 1 else 3, 0, 8 + len(attribute), kind, 0, transform)
        + attribute
        for number, (kind, transform, attribute) in enumerate(rows)
    ]
    transforms = b"".join(parts)
    one = struct.pack(">BBHBBBB", 2, 0, 8 + len(transforms), 1, 1, 0, len(rows)) + transforms
    return one * 3 + b"\0" + one[1:]


def v2_many_attributes(octets: int) -> bytes:
    """One transform with attributes of 4 octets."""
    attributes = struct.pack(">HH", 0x8011, 1) * ((octets - 16) // 4)
    transform = struct.pack(">BBHBBH", 0, 0, 8 + len(attributes), 1, 0, 12) + attributes
    return struct.pack(">BBHBBBB", 0, 0, 8 + len(transform), 1, 1, 0, 1) + transform


def v2_many_selectors(octets: int) -> bytes:
    """255 selectors of one address each, none within another."""
    count = min(255, (octets - 4) // 16)
    rows = (
        struct.pack(">BBHHH4s4s", 7, 0, 16, 0, 65535, *2 * (struct.pack(">I", 0x0A000000 + 2 * n),))
        for n in range(count)
    )
    return bytes((count, 0, 0, 0)) + b"".join(rows)


def v2_many_deleted_spis(octets: int) -> bytes:
    """A Delete payload with SPIs of one octet."""
    count = octets - 5
    return bytes((_V2_CLASS["Delete"], 3, 1)) + count.to_bytes(2) + bytes(count)


def v2_many_empty_spis(octets: int) -> bytes:
    """A Delete payload with 65535 SPIs of no octets."""
    return bytes((_V2_CLASS["Delete"], 3, 0)) + b"\xff\xff"


def v2_many_configuration_attributes(octets: int) -> bytes:
    """Configuration attributes without a value."""
    return bytes((_V2_CLASS["Configuration"], 1, 0, 0, 0)) + b"\0\1\0\0" * ((octets - 5) // 4)


def v1_many_transforms(octets: int) -> bytes:
    """Proposals with 255 transforms without attributes."""
    transforms = struct.pack(">BBHBBH", 3, 0, 8, 1, 1, 0) * 254 + struct.pack(">BBHBBH", 0, 0, 8, 1, 1, 0)
    one = struct.pack(">BBHBBBB", 2, 0, 8 + len(transforms), 1, 1, 0, 255) + transforms
    count = max(1, (octets - 8) // len(one))
    return struct.pack(">II", 1, 1) + one * (count - 1) + b"\0" + one[1:]


def v1_many_proposals(octets: int) -> bytes:
    """Proposals with one transform each."""
    one = struct.pack(">BBHBBBB", 2, 0, 16, 1, 1, 0, 1) + struct.pack(">BBHBBH", 0, 0, 8, 1, 1, 0)
    count = (octets - 8) // len(one)
    return struct.pack(">II", 1, 1) + one * (count - 1) + b"\0" + one[1:]


def v1_long_attributes(octets: int) -> bytes:
    """Attributes whose number has thousands of digits."""
    one = struct.pack(">HH", 6, 2000) + b"\xff" * 2000
    return one * (octets // len(one))


def v1_many_attributes(octets: int) -> bytes:
    """Attributes of 4 octets."""
    return struct.pack(">HH", 0x800B, 1) * (octets // 4)


def fragments_of_nothing(octets: int) -> bytes:
    """A fragment for every six octets, all of one message, in the order that is worst for a list."""
    count = octets // 6
    return b"".join(struct.pack(">HHBB", number % 256 + 1, 256, 0, 0) for number in reversed(range(count)))


def deep_der(octets: int) -> bytes:
    """A distinguished name of SEQUENCEs within each other."""
    nested = b""
    while len(nested) < octets - 8:
        nested = (
            b"\x30" + bytes((len(nested),)) if len(nested) < 128 else b"\x30\x82" + len(nested).to_bytes(2)
        ) + nested
    return b"\x09" + nested


def wide_der(octets: int) -> bytes:
    """A distinguished name of many attributes."""
    one = bytes.fromhex("310c300a06035504030c0361626300")[:14]
    content = one * ((octets - 5) // len(one))
    return b"\x09\x30\x82" + len(content).to_bytes(2) + content


def long_identity(octets: int) -> bytes:
    """A domain name that fills the datagram, with control characters."""
    return b"\x02" + b"\x1b" * (octets - 1)


def long_certificate(octets: int) -> bytes:
    """Nothing but length."""
    return b"\x30\x82" + (octets - 4).to_bytes(2) + b"\x30\x80" * ((octets - 4) // 2)


def many_pem_blocks(octets: int) -> bytes:
    """Certificates in PEM that are none."""
    one = b"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"
    return one * (octets // len(one))


def unfinished_pem(octets: int) -> bytes:
    """Beginnings of PEM without an end."""
    one = b"-----BEGIN CERTIFICATE-----\nAAAA"
    return one * (octets // len(one))


CASES: tuple[tuple[Callable[[bytes], None], Callable[[int], bytes]], ...] = (
    (parsers.v2_message, v2_many_payloads),
    (parsers.v2_message, v2_many_unknown_payloads),
    (parsers.v2_message, v2_one_long_payload),
    (parsers.v1_clear_message, v1_many_payloads),
    (parsers.v1_clear_message, v1_one_long_payload),
    (parsers.v1_decrypted_body, v1_many_notifications),
    (parsers.v2_proposals, v2_many_proposals),
    (parsers.v2_proposals, v2_many_transforms),
    (parsers.v2_proposals, v2_many_acceptable_transforms),
    (parsers.v2_proposals, v2_many_attributes),
    (parsers.v2_selectors, v2_many_selectors),
    (parsers.v2_payload, v2_many_deleted_spis),
    (parsers.v2_payload, v2_many_empty_spis),
    (parsers.v2_payload, v2_many_configuration_attributes),
    (parsers.v1_sa, v1_many_transforms),
    (parsers.v1_sa, v1_many_proposals),
    (parsers.v1_attributes, v1_long_attributes),
    (parsers.v1_attributes, v1_many_attributes),
    (parsers.identity, deep_der),
    (parsers.identity, wide_der),
    (parsers.identity, long_identity),
    (parsers.certificate, long_certificate),
    (parsers.certificate, many_pem_blocks),
    (parsers.certificate, unfinished_pem),
    (protected.sealed, lambda octets: b"\0\x29" + _chain(41, b"\0\0\x40\x00", octets - 200)),
    (protected.sealed, lambda octets: b"\0\x2b" + _chain(43, bytes(octets - 300), 0)),
)


@pytest.mark.parametrize(("run", "make"), CASES, ids=lambda each: each.__name__.strip("<>"))
def test_bounded_in_time_and_memory(run: Callable[[bytes], None], make: Callable[[int], bytes]) -> None:
    data = make(LARGEST_INPUT)[:LARGEST_INPUT]
    run(data)
    within_budget(run, data)
    assert peak_bytes(run, data) < LIMIT_BYTES


def _seconds(run: Callable[[bytes], None], data: bytes) -> float:
    best = float("inf")
    for _ in range(5):
        begin = time.thread_time()
        run(data)
        best = min(best, time.thread_time() - begin)
    return best


@pytest.mark.parametrize(("run", "make"), CASES, ids=lambda each: each.__name__.strip("<>"))
def test_no_quadratic_work(run: Callable[[bytes], None], make: Callable[[int], bytes]) -> None:
    quarter, whole = make(LARGEST_INPUT // 4), make(LARGEST_INPUT)[:LARGEST_INPUT]
    run(whole)
    # Linear is 4, quadratic is 16; what takes less than a millisecond is below suspicion.
    assert _seconds(run, whole) < max(0.002, 9 * _seconds(run, quarter))


def test_a_row_of_fragments_is_linear() -> None:
    """A fragment is a datagram: what counts is the time of each, however many came before it (CVE-2016-10396)."""
    few, many = fragments_of_nothing(6 * 500), fragments_of_nothing(6 * 4000)
    protected.fragments(few)
    assert _seconds(protected.fragments, many) < 16 * _seconds(protected.fragments, few)
    assert peak_bytes(protected.fragments, many) < LIMIT_BYTES
