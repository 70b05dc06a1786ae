"""What must be seen on both ends when something must not come about."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

import pytest

from ipsecbench.errors import LaboratoryError
from ipsecbench.ike.events import ChildSaFailed, IkeSaEstablished, IkeSaFailed
from tests.interop.laboratory import Exchange
from tests.interop.scenario import INITIATOR, RESPONDER

NO_PROPOSAL_CHOSEN, AUTHENTICATION_FAILED, TS_UNACCEPTABLE = 14, 24, 38
INVALID_ID_INFORMATION = 18
"""Of IKEv1 (RFC 2408 section 3.14.1)."""


def _start(exchange: Exchange) -> None:
    """Begin; when strongSwan does, it must say that it failed."""
    if exchange.scenario.role == INITIATOR:
        exchange.start()
    else:
        with pytest.raises(LaboratoryError, match="refused 'initiate'"):
            exchange.start()


def _nothing_left(exchange: Exchange) -> None:
    exchange.nothing_left_there()
    exchange.nothing_left_here()


def _ike_refused(exchange: Exchange, notify: int, said: str) -> None:
    _start(exchange)
    if exchange.scenario.role == INITIATOR:
        event = exchange.wait(IkeSaFailed)
        assert event.notify == notify, event
    else:
        assert said in exchange.their_log, exchange.their_log
    _nothing_left(exchange)


def no_common_ike_proposal(exchange: Exchange) -> None:
    _ike_refused(exchange, NO_PROPOSAL_CHOSEN, "received NO_PROPOSAL_CHOSEN")


def no_ppk(exchange: Exchange) -> None:
    """RFC 8784 section 3: whoever must have one goes no further without, and the other end waits in vain."""
    _start(exchange)
    if exchange.scenario.role == INITIATOR:
        exchange.wait(IkeSaFailed)
    else:
        assert re.search("received NO_PROPOSAL_CHOSEN|PPK required but peer does not", exchange.their_log)
    if exchange.scenario.role == INITIATOR or "ppk" in exchange.scenario.ours:
        exchange.nothing_left_here()
    assert not any(isinstance(event, IkeSaEstablished) for event in exchange.driver.events)
    assert not [sa for sa in exchange.daemon.ike_sas() if sa.state == "ESTABLISHED"]


def _child_refused(exchange: Exchange, notify: int, said: str) -> None:
    """The IKE SA stays, without the Child SA (RFC 7296 section 1.2)."""
    _start(exchange)
    exchange.ike = exchange.wait(IkeSaEstablished).sa
    if exchange.scenario.role == INITIATOR:
        event = exchange.wait(ChildSaFailed)
        assert event.notify == notify, event
    else:
        assert said in exchange.their_log, exchange.their_log
    if exchange.scenario.version == 2:
        assert exchange.their_ike().children == ()


def no_common_esp_proposal(exchange: Exchange) -> None:
    _child_refused(exchange, NO_PROPOSAL_CHOSEN, "received NO_PROPOSAL_CHOSEN")


def no_common_selectors(exchange: Exchange) -> None:
    if exchange.scenario.version == 2:
        _child_refused(exchange, TS_UNACCEPTABLE, "received TS_UNACCEPTABLE")
    else:
        _child_refused(exchange, INVALID_ID_INFORMATION, "received INVALID_ID_INFORMATION")


def wrong_secret(exchange: Exchange) -> None:
    """In IKEv1's main mode the secret goes into the keys: the fifth message cannot be read, and nobody can say so."""
    if exchange.scenario.version == 2:
        _ike_refused(exchange, AUTHENTICATION_FAILED, "received AUTHENTICATION_FAILED")
        return
    _start(exchange)
    if exchange.scenario.role == INITIATOR:
        exchange.wait(IkeSaFailed)
    assert not any(isinstance(event, IkeSaEstablished) for event in exchange.driver.events)
    assert not [sa for sa in exchange.daemon.ike_sas() if sa.state == "ESTABLISHED"]


def wrong_secret_aggressive(exchange: Exchange) -> None:
    """In aggressive mode HASH_R shows it at the second message."""
    _start(exchange)
    assert not any(isinstance(event, IkeSaEstablished) for event in exchange.driver.events)
    assert not [sa for sa in exchange.daemon.ike_sas() if sa.state == "ESTABLISHED"]


def we_are_not_accepted(exchange: Exchange) -> None:
    """strongSwan refuses us; as its responder we may have believed for a moment that the IKE SA stands."""
    _start(exchange)
    if exchange.scenario.role == INITIATOR:
        event = exchange.wait(IkeSaFailed)
        assert event.notify == AUTHENTICATION_FAILED, event
    _nothing_left(exchange)


def they_are_not_accepted(exchange: Exchange) -> None:
    """We refuse strongSwan, and say so.

    In IKEv1 what it sent as initiator has proven nothing, and we keep waiting for the right message for a while; as
    responder it believes that the ISAKMP SA stands once it has sent its proof, and a notification does not end that.
    """
    _start(exchange)
    # Where we name the identity that we want, it may see by itself that it has none such.
    heard = re.compile(r"(?:parsed|generating) (IKE_AUTH|INFORMATIONAL|INFORMATIONAL_V1) .*N\(AUTH_FAILED\)")
    exchange.until(lambda: bool(heard.search(exchange.their_log)), "it is said why")
    waits = exchange.scenario.version == 1 and exchange.scenario.role == RESPONDER
    if not waits:
        exchange.wait(IkeSaFailed)
    assert not any(isinstance(event, IkeSaEstablished) for event in exchange.driver.events)
    if exchange.scenario.version == 2:
        exchange.nothing_left_there()
    assert not [child for sa in exchange.daemon.ike_sas() for child in sa.children]
    if not waits:
        exchange.nothing_left_here()


def the_mode_is_not_acceptable(exchange: Exchange) -> None:
    """RFC 7296 section 1.3.1: the responder may decline transport mode; we asked for it, and delete the Child SA."""
    exchange.start()
    exchange.ike = exchange.wait(IkeSaEstablished).sa
    exchange.wait(ChildSaFailed)
    exchange.until(lambda: exchange.their_ike().children == (), "strongSwan's Child SA is gone")


_ALL = (
    *(no_common_ike_proposal, no_common_esp_proposal, no_common_selectors, no_ppk, the_mode_is_not_acceptable),
    *(wrong_secret, wrong_secret_aggressive, we_are_not_accepted, they_are_not_accepted),
)
REFUSALS: Mapping[str, Callable[[Exchange], None]] = MappingProxyType(
    {check.__name__.replace("_", " ").replace(" ike ", " IKE ").replace(" esp ", " ESP "): check for check in _ALL}
)
"""By the name that rows use."""
