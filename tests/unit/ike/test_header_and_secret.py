"""The IKE header, and secrets that do not show."""

from __future__ import annotations

import pickle

import pytest

from ipsecbench.errors import MalformedError
from ipsecbench.ike.header import HEADER_BYTES, IkeHeader, parse_header
from ipsecbench.secret import Secret


def test_a_header_is_read_and_written() -> None:
    octets = bytes.fromhex("0001020304050607 c02e7a3031a03188 2e 20 23 08 00000001 0000001c")
    header = parse_header(octets)
    assert header == IkeHeader(
        bytes.fromhex("0001020304050607"), bytes.fromhex("c02e7a3031a03188"), 46, 2, 0, 35, 8, 1, 28
    )
    assert header.encode() == octets


@pytest.mark.parametrize("count", range(HEADER_BYTES))
def test_a_short_datagram_is_refused(count: int) -> None:
    with pytest.raises(MalformedError):
        parse_header(bytes(count))


@pytest.mark.parametrize("length", [0, 27, 29, 0xFFFFFFFF])
def test_a_length_that_is_not_the_datagram_s_is_refused(length: int) -> None:
    octets = bytes(24) + length.to_bytes(4)
    with pytest.raises(MalformedError, match="it says"):
        parse_header(octets)


def test_a_secret_does_not_show_and_compares() -> None:
    secret = Secret(b"k2;2.6TbYl+{/qa")
    assert "k2" not in f"{secret!r} {secret}"
    assert secret == Secret(b"k2;2.6TbYl+{/qa")
    assert secret != Secret(b"k2;2.6TbYl+{/qb")
    assert secret.reveal() == b"k2;2.6TbYl+{/qa"
    assert len(secret) == 15
    with pytest.raises(TypeError):
        hash(secret)
    with pytest.raises(TypeError):
        pickle.dumps(secret)
