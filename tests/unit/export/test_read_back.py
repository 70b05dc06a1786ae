"""What is written is read back by the readers of foreign configuration, which know nothing of the writers."""

from __future__ import annotations

import pytest

from ipsecbench.audit.configuration import Child, Format, Offer
from ipsecbench.audit.configuration import Connection as Read
from ipsecbench.audit.recognition import read
from ipsecbench.export.connection import Connection, EspAlgorithms, IkeAlgorithms
from ipsecbench.export.shared_margin import shared_margin
from ipsecbench.export.target import find_target
from tests.unit.export.many_connections import mixtures, one_at_a_time, sensible

FORMATS = {"swanctl": Format.SWANCTL, "strongswan-ipsec": Format.STRONGSWAN, "libreswan": Format.LIBRESWAN}


def only(offers: tuple[Offer, ...]) -> list[Offer]:
    """What is offered; the writer leaves nothing for the program to add."""
    assert not any(offer.implied for offer in offers)
    return list(offers)


def assert_ike(offer: Offer, ike: IkeAlgorithms) -> None:
    assert offer.encryption == (ike.encryption,)
    assert offer.integrity == (() if ike.integrity is None else (ike.integrity,))
    assert offer.prf == (ike.prf,)
    assert offer.key_exchange == (ike.key_exchange,)
    assert offer.additional_key_exchanges == tuple((name,) for name in ike.additional_key_exchanges)


def assert_esp(offer: Offer, esp: EspAlgorithms) -> None:
    assert offer.carrier == "esp"
    assert offer.encryption == (esp.encryption,)
    assert offer.integrity == (() if esp.integrity is None else (esp.integrity,))
    assert offer.key_exchange == (() if esp.key_exchange is None else (esp.key_exchange,))
    assert offer.additional_key_exchanges == tuple((name,) for name in esp.additional_key_exchanges)
    assert (offer.esn or (False,)) == (esp.esn,)


def assert_lives(found: Read, child: Child, connection: Connection, target: str) -> None:
    ike_seconds, child_seconds = connection.ike_life.hard_seconds, connection.child_life.hard_seconds
    if target != "swanctl":
        lives = shared_margin(connection)
        ike_seconds, child_seconds = lives.ike_seconds, lives.child_seconds
        assert ike_seconds <= connection.ike_life.hard_seconds
    assert (found.life.seconds, child.life.seconds) == (ike_seconds, child_seconds)
    assert child.life.bytes == connection.child_life.hard_bytes
    assert child.life.packets == connection.child_life.hard_packets


@pytest.mark.parametrize("name", FORMATS)
def test_it_is_read_back_as_the_connection(name: str) -> None:
    target = find_target(name)
    count = 0
    for connection in (*one_at_a_time(), *mixtures(150), *sensible(40)):
        for version in target.versions:
            if target.refusals(connection, version, accept_legacy=True):
                continue
            text = target.files(connection, version, accept_legacy=True)[0].text
            configuration = read(text, FORMATS[name])
            (found,) = configuration.connections
            assert found.name == connection.name
            assert found.ike_versions == (str(connection.ike_version),)
            for offer, ike in zip(only(found.offers), connection.ike_proposals, strict=True):
                assert_ike(offer, ike)
            (child,) = found.children
            for offer, esp in zip(only(child.offers), connection.esp_proposals, strict=True):
                assert_esp(offer, esp)
            assert_lives(found, child, connection, name)
            count += 1
    assert count > 80
