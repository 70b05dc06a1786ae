"""The message format of VICI, against the example octets of its description, and against damage."""

from __future__ import annotations

import contextlib

import pytest

from ipsecbench.errors import LaboratoryError
from ipsecbench.lab import vici

# Element by element, as the description of the protocol draws them: 1 section start, 3 key/value, 4 list start,
# 5 list item, 6 list end, 2 section end.
MESSAGE = {"key1": "value1", "section1": {"sub-section": {"key2": "value2"}, "list1": ["item1", "item2"]}}
OCTETS = (
    b"\x03\x04key1\x00\x06value1"
    b"\x01\x08section1"
    b"\x01\x0bsub-section\x03\x04key2\x00\x06value2\x02"
    b"\x04\x05list1\x05\x00\x05item1\x05\x00\x05item2\x06"
    b"\x02"
)


def test_encode() -> None:
    assert vici.encode(MESSAGE) == OCTETS


def test_decode() -> None:
    assert vici.decode(OCTETS) == MESSAGE


def test_values_that_are_no_strings() -> None:
    assert vici.decode(vici.encode({"a": True, "b": False, "c": 7, "d": b"\x41"})) == {
        **{"a": "yes", "b": "no"},
        **{"c": "7", "d": "A"},
    }


@pytest.mark.parametrize("length", range(1, len(OCTETS)))
def test_a_cut_message_never_raises_anything_else(length: int) -> None:
    with contextlib.suppress(LaboratoryError):
        vici.decode(OCTETS[:length])


def test_an_unknown_element() -> None:
    with pytest.raises(LaboratoryError, match="type 9"):
        vici.decode(b"\x09\x01a")
