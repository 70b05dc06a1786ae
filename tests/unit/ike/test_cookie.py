"""Cookies are stateless, bound to the request, and expire."""

from __future__ import annotations

import itertools

import pytest

from ipsecbench.ike.path import Address
from ipsecbench.ike.v2.cookie import SECRET_SECONDS, CookieSecrets

NONCE, SPI, PEER = b"n" * 32, b"s" * 8, Address("192.0.2.1", 500)


def secrets() -> CookieSecrets:
    counter = itertools.count()
    return CookieSecrets(lambda count: next(counter).to_bytes(1) * count)


def test_a_cookie_is_accepted_for_its_request_only() -> None:
    jar = secrets()
    cookie = jar.make(NONCE, PEER, SPI, 0.0)
    assert 1 <= len(cookie) <= 64
    assert jar.verify(cookie, NONCE, PEER, SPI, 1.0)
    assert not jar.verify(cookie, NONCE + b"x", PEER, SPI, 1.0)
    assert not jar.verify(cookie, NONCE, Address("192.0.2.2", 500), SPI, 1.0)
    assert not jar.verify(cookie, NONCE, Address("192.0.2.1", 501), SPI, 1.0)
    assert not jar.verify(cookie, NONCE, PEER, b"t" * 8, 1.0)
    assert not jar.verify(cookie[:-1], NONCE, PEER, SPI, 1.0)
    assert not jar.verify(b"", NONCE, PEER, SPI, 1.0)


@pytest.mark.parametrize(("age", "accepted"), [(0.5, True), (1.2, True), (1.9, True), (3.0, False), (500, False)])
def test_a_cookie_outlives_one_change_of_the_secret(age: float, accepted: bool) -> None:
    jar = secrets()
    cookie = jar.make(NONCE, PEER, SPI, 10.0)
    if 1 < age < 2:
        jar.make(NONCE, PEER, SPI, 10.0 + SECRET_SECONDS)
    assert jar.verify(cookie, NONCE, PEER, SPI, 10.0 + age * SECRET_SECONDS) is accepted


def test_another_endpoint_makes_other_cookies() -> None:
    one = secrets()
    other = CookieSecrets(lambda count: b"\xaa" * count)
    assert not other.verify(one.make(NONCE, PEER, SPI, 0.0), NONCE, PEER, SPI, 0.0)
