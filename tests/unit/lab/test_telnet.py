"""The telnet daemon's session: lines come back, options are refused (RFC 854, 855)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsecbench.lab.telnet import Session


@pytest.mark.parametrize(
    ("octets", "answer"),
    [
        (b"hello\r\n", b"you said: hello\r\n"),
        (b"a\r\0\nb\n", b"you said: a\r\nyou said: b\r\n"),
        (b"\xff\xfd\x01", b"\xff\xfc\x01"),  # DO ECHO: WON'T
        (b"\xff\xfb\x1f", b"\xff\xfe\x1f"),  # WILL NAWS: DON'T
        (b"\xff\xfe\x01\xff\xfc\x01", b""),  # DON'T and WON'T need no answer
        (b"\xff\xfa\x1f\x00\x50\xff\xff\x00\x18\xff\xf0x\n", b"you said: x\r\n"),  # a subnegotiation is passed over
        (b"a\xff\xf6b\n", b"you said: ab\r\n"),  # ARE YOU THERE
        (b"no end", b""),
    ],
)
def test_what_is_answered(octets: bytes, answer: bytes) -> None:
    assert Session().receive(octets) == answer
    session = Session()
    assert b"".join(session.receive(bytes([octet])) for octet in octets) == answer


@given(st.binary(max_size=2000))
def test_anything_may_come(octets: bytes) -> None:
    answer = Session().receive(octets)
    assert len(answer) <= 12 * (octets.count(b"\n") + 1) + len(octets)


def test_a_line_without_end_is_bounded() -> None:
    session = Session()
    assert session.receive(b"x" * 100_000) == b""
    assert len(session.receive(b"\n")) < 600
