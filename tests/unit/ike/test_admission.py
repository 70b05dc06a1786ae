"""Who may begin an IKE SA: limits and cookies."""

from __future__ import annotations

import itertools

import pytest

from ipsecbench.ike.admission import Admission
from ipsecbench.ike.configuration import EndpointConfiguration
from ipsecbench.ike.header import ZERO_SPI, IkeHeader, parse_header
from ipsecbench.ike.path import Address, Path
from ipsecbench.ike.v2.identifiers import ExchangeType, NotifyType
from ipsecbench.ike.v2.message import Message, build_message, new_header, parse_message
from ipsecbench.ike.v2.payloads import KeyExchange, Nonce, Notify

NONCE = Nonce(b"n" * 32)


def path(number: int) -> Path:
    return Path(Address("192.0.2.1", 500), Address(f"198.51.100.{number % 200}", 500 + number // 200))


def first_message(number: int, *extra: Notify) -> Message:
    header = new_header(
        ExchangeType.IKE_SA_INIT,
        0,
        spi_i=number.to_bytes(8),
        spi_r=ZERO_SPI,
        from_initiator=True,
        response=False,
    )
    return build_message(header, (*extra, KeyExchange(31, bytes(32)), NONCE))


def admission(**limits: int) -> Admission:
    counter = itertools.count(1)
    return Admission(EndpointConfiguration((), **limits), lambda count: next(counter).to_bytes(1) * count)  # type: ignore[arg-type]


def let_in(gate: Admission, message: Message, number: int, now: float = 0.0) -> str | None:
    verdict = gate.judge(message.header, message.octets, path(number), now)
    if verdict.cause is None:
        gate.remember(message.header, path(number), number)
    return verdict.cause


def test_below_the_threshold_everybody_is_let_in() -> None:
    gate = admission(cookie_threshold=5)
    assert [let_in(gate, first_message(number), number) for number in range(1, 6)] == [None] * 5
    assert gate.half_open == 5


def test_from_the_threshold_on_a_cookie_is_demanded_and_then_taken() -> None:
    gate = admission(cookie_threshold=1)
    assert let_in(gate, first_message(1), 1) is None
    request = first_message(2)
    verdict = gate.judge(request.header, request.octets, path(2), 1.0)
    assert verdict.cause == "cookie-demanded"
    assert verdict.reply is not None
    reply = parse_message(verdict.reply)
    assert (reply.header.spi_i, reply.header.spi_r, reply.is_response) == (request.header.spi_i, ZERO_SPI, True)
    cookie = reply.notify(NotifyType.COOKIE)
    assert cookie is not None
    again = first_message(2, Notify(NotifyType.COOKIE, cookie.data))
    assert let_in(gate, again, 2, 2.0) is None
    # The cookie is of no use to another address, nor for another SPI, nor later.
    assert let_in(gate, again, 3, 2.0) == "cookie-demanded"
    assert let_in(gate, first_message(4, Notify(NotifyType.COOKIE, cookie.data)), 2, 2.0) == "cookie-demanded"
    assert let_in(gate, again, 2, 500.0) == "cookie-demanded"


def test_the_answer_to_a_newcomer_is_not_larger_than_its_message() -> None:
    gate = admission(cookie_threshold=0)
    request = first_message(1)
    reply = gate.judge(request.header, request.octets, path(1), 0.0).reply
    assert reply is not None
    assert len(reply) <= len(request.octets)


def test_limits_hold_and_are_given_back() -> None:
    gate = admission(cookie_threshold=1000, half_open_limit=3, half_open_limit_per_address=2)
    assert let_in(gate, first_message(1), 1) is None
    assert let_in(gate, first_message(201), 201) is None
    assert let_in(gate, first_message(401), 401) == "half-open-limit-per-address"
    assert let_in(gate, first_message(2), 2) is None
    assert let_in(gate, first_message(3), 3) == "half-open-limit"
    gate.authenticated(1)
    assert let_in(gate, first_message(401), 401) is None
    gate.forget(401)
    gate.forget(401)
    assert gate.half_open == 2


def test_a_repeated_first_message_finds_its_ike_sa_until_that_is_gone() -> None:
    gate = admission()
    message = first_message(7)
    let_in(gate, message, 7)
    assert gate.repeated(message.header, path(7)) == 7
    assert gate.repeated(message.header, path(8)) is None
    gate.authenticated(7)
    assert gate.repeated(message.header, path(7)) == 7
    gate.forget(7)
    assert gate.repeated(message.header, path(7)) is None


@pytest.mark.parametrize("major", [3, 9, 15])
def test_a_later_major_version_is_told_which_is_spoken(major: int) -> None:
    request = IkeHeader(b"i" * 8, ZERO_SPI, 0, major, 0, 34, 8, 0, 28)
    verdict = admission().judge(request, request.encode(), path(1), 0.0)
    assert verdict.cause == "unknown-version"
    assert verdict.reply is not None
    notify = parse_message(verdict.reply).notify(NotifyType.INVALID_MAJOR_VERSION)
    assert notify is not None
    assert notify.data == b"\x02"
    assert parse_header(verdict.reply).major == 2
    answer = IkeHeader(b"i" * 8, ZERO_SPI, 0, major, 0, 34, 0x28, 0, 28)
    assert admission().judge(answer, answer.encode(), path(1), 0.0).reply is None


@pytest.mark.parametrize(
    "header",
    [
        IkeHeader(ZERO_SPI, ZERO_SPI, 0, 2, 0, 34, 8, 0, 28),
        IkeHeader(b"i" * 8, b"r" * 8, 0, 2, 0, 34, 8, 0, 28),
        IkeHeader(b"i" * 8, ZERO_SPI, 0, 0, 0, 34, 8, 0, 28),
        IkeHeader(b"i" * 8, ZERO_SPI, 0, 2, 0, 35, 8, 0, 28),
        IkeHeader(b"i" * 8, ZERO_SPI, 0, 2, 0, 34, 0, 0, 28),
        IkeHeader(b"i" * 8, ZERO_SPI, 0, 2, 0, 34, 0x28, 0, 28),
        IkeHeader(b"i" * 8, ZERO_SPI, 0, 2, 0, 34, 8, 1, 28),
    ],
)
def test_what_cannot_begin_an_ike_sa_gets_no_answer(header: IkeHeader) -> None:
    verdict = admission().judge(header, header.encode(), path(1), 0.0)
    assert verdict.cause in ("unknown-spi", "unexpected-message")
    assert verdict.reply is None
