"""The reader and the field codec: bounds, and both directions."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsecbench.errors import MalformedError
from ipsecbench.wire.cursor import Reader
from ipsecbench.wire.fields import U8, U16, U32, U64, Counted, Layout, Length, Number, Octets, Reserved, Rest

NOTIFY = Layout("Notify", U8("protocol"), Length("spi", 1), U16("type"), Counted("spi"), Rest("data"))


def test_numbers_are_big_endian() -> None:
    reader = Reader(bytes(range(1, 16)))
    assert (reader.u8(), reader.u16(), reader.u32(), reader.u64()) == (1, 0x0203, 0x04050607, 0x08090A0B0C0D0E0F)
    reader.finish()


@given(st.binary(max_size=20), st.integers(-3, 30))
def test_a_reader_never_reads_beyond_its_end(data: bytes, count: int) -> None:
    reader = Reader(data)
    if 0 <= count <= len(data):
        assert reader.octets(count) == data[:count]
        assert reader.rest() == data[count:]
    else:
        with pytest.raises(MalformedError):
            reader.octets(count)
        assert reader.remaining == len(data)


def test_what_is_left_is_refused() -> None:
    reader = Reader(b"abc", "Nonce")
    reader.u8()
    with pytest.raises(MalformedError, match="Nonce: 2 octets too many"):
        reader.finish()


def test_a_substructure_has_its_own_end() -> None:
    reader = Reader(b"\x01\x02\x03\x04")
    inner = reader.sub(2, "inner")
    with pytest.raises(MalformedError, match="inner"):
        inner.u32()
    assert reader.rest() == b"\x03\x04"


@given(st.integers(0, 255), st.binary(max_size=255), st.integers(0, 65535), st.binary(max_size=50))
def test_encode_and_decode_are_inverse(protocol: int, spi: bytes, number: int, data: bytes) -> None:
    values = {"protocol": protocol, "spi": spi, "type": number, "data": data}
    octets = NOTIFY.encode(values)
    assert octets == bytes([protocol, len(spi)]) + number.to_bytes(2) + spi + data
    assert NOTIFY.decode(octets) == values


@pytest.mark.parametrize(
    "layout",
    [
        NOTIFY,
        Layout("fixed", U16("a"), Reserved(2), Octets("b", 3), U64("c")),
        Layout("odd", Number("a", 3), Rest("b")),
        Layout("rest", Rest("a")),
        Layout("counted", Length("a", 1), Length("b", 2), Counted("b"), Counted("a")),
        Layout("between", Length("a", 1), Counted("a"), U16("b")),
    ],
    ids=lambda layout: layout.what,
)
@given(data=st.binary(max_size=24))
def test_all_at_once_is_the_same_as_field_by_field(layout: Layout, data: bytes) -> None:
    reader = Reader(data, layout.what)
    expected: dict[str, Any] | None
    try:
        expected = layout.read(reader)
        reader.finish()
    except MalformedError:
        expected = None
    if expected is None:
        with pytest.raises(MalformedError, match=layout.what):
            layout.decode(data)
        return
    assert layout.decode(data) == expected
    again = layout.decode(layout.encode(expected))
    assert again == expected


def test_a_count_beyond_the_end_is_refused() -> None:
    with pytest.raises(MalformedError):
        NOTIFY.decode(bytes([1, 9, 0, 0, 1, 2, 3]))


def test_reserved_is_ignored_when_read_and_zero_when_written() -> None:
    layout = Layout("x", U8("a"), Reserved(3), Octets("b", 2), U32("c"))
    values = layout.decode(b"\x01\xff\xff\xff\x02\x03\0\0\0\x04")
    assert values == {"a": 1, "b": b"\x02\x03", "c": 4}
    assert layout.encode(values) == b"\x01\0\0\0\x02\x03\0\0\0\x04"


@pytest.mark.parametrize("values", [{"a": 256, "b": b"12", "c": 1}, {"a": 1, "b": b"1", "c": 1}])
def test_a_value_that_does_not_fit_is_refused(values: dict[str, object]) -> None:
    layout = Layout("x", U8("a"), Octets("b", 2), U32("c"))
    with pytest.raises(MalformedError):
        layout.encode(values)
