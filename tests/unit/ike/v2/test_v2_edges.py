"""Corners of the codec and of the negotiation that no exchange reaches by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ipsecbench.algorithms.proposals import parse_esp, parse_ike
from ipsecbench.errors import MalformedError, NegotiationError, ProviderError
from ipsecbench.ike.v2 import payloads as p
from ipsecbench.ike.v2.identifiers import NotifyType, PayloadType
from ipsecbench.ike.v2.message import build_message, new_header
from ipsecbench.ike.v2.negotiation import check_esp_answer, check_ike_answer
from ipsecbench.ike.v2.proposals import esp_offer, esp_suite, ike_offer
from ipsecbench.ike.v2.protection import IkeProtection, SeparateModes
from ipsecbench.ike.v2.traffic_selectors import WireTrafficSelector
from ipsecbench.ike.v2.transforms import MAX_ATTRIBUTES, Proposal, Transform, TransformAttribute
from ipsecbench.providers.selection import ProviderSelection
from ipsecbench.secret import Secret
from tests.unit.ike.v2.test_v2_keymat import ike_suite
from tests.unit.ike.v2.test_v2_protection import _ends

HEADER = new_header(37, 3, spi_i=bytes(8), spi_r=bytes(8), from_initiator=False, response=True)


def test_a_message_tells_what_it_has() -> None:
    refusal = p.Notify(NotifyType.TS_UNACCEPTABLE)
    message = build_message(HEADER, [p.Nonce(b""), refusal])
    assert message.error is refusal
    assert message.name == "INFORMATIONAL response 3"
    assert not message.from_initiator
    assert message.encrypted is None
    assert build_message(HEADER, []).encrypted is None
    # A payload that is not one of the message's own is written, an equal one of its own is looked up.
    assert message.body(refusal) == bytes.fromhex("00000026")
    assert message.body(p.Nonce(b"other")) == b"other"
    assert (refusal.name, p.Notify(12345).name) == ("TS_UNACCEPTABLE", "12345")


def test_values_that_do_not_fit_are_not_written() -> None:
    for proposal in (Proposal(256, 1, b"", ()), Proposal(1, 1, bytes(256), ()), Proposal(1, 300, b"", ())):
        with pytest.raises(MalformedError):
            p.SecurityAssociation((proposal,)).encode()
    with pytest.raises(MalformedError):
        p.SecurityAssociation(()).encode()
    with pytest.raises(MalformedError):
        p.TrafficSelectorsInitiator((WireTrafficSelector(9, 0),) * 256).encode()


def test_a_method_twice_or_an_additional_one_alone_is_no_answer() -> None:
    offer = ike_offer([parse_ike("aes128-sha256-x25519-ke1_x25519-ke1_ecp256")])
    chosen = tuple(Transform(*row) for row in ((1, 12, 128), (3, 12), (2, 5), (4, 31), (6, 31)))
    with pytest.raises(NegotiationError, match="twice"):
        check_ike_answer(offer, [replace(offer[0], transforms=chosen)])
    child = esp_offer([parse_esp("aes128gcm16-x25519-modpnone-ke1_mlkem768")], b"spi!")
    chosen = tuple(Transform(*row) for row in ((1, 20, 128), (4, 0), (5, 0), (6, 36)))
    with pytest.raises(NegotiationError, match="without a first one"):
        check_esp_answer(child, [replace(child[0], transforms=chosen)])


@pytest.mark.parametrize(
    "transforms",
    [
        (Transform(1, 20, 128), Transform(3, 12), Transform(5, 0)),
        (Transform(1, 12, 128), Transform(5, 0)),
        (Transform(1, 11), Transform(3, 0), Transform(5, 0)),
    ],
)
def test_protection_without_integrity_or_with_twice_as_much_means_nothing(transforms: tuple[Transform, ...]) -> None:
    with pytest.raises(NegotiationError):
        esp_suite(Proposal(1, 3, b"spi!", transforms))


def test_attributes_are_bounded() -> None:
    attributes = (p.ConfigurationAttribute(1),) * 257
    with pytest.raises(MalformedError, match="more than"):
        p.Configuration.decode(p.Configuration(1, attributes).encode())
    transform = Transform(1, 12, 128, (TransformAttribute(99, b""),) * MAX_ATTRIBUTES)
    with pytest.raises(MalformedError):
        p.SecurityAssociation.decode(p.SecurityAssociation((Proposal(1, 1, b"", (transform,)),)).encode())


def test_separate_modes_need_an_integrity_transform() -> None:
    suite = replace(ike_suite("aes128-sha256-x25519"), integrity=None)
    with pytest.raises(ProviderError):
        SeparateModes(ProviderSelection(), suite, Secret(bytes(16)), Secret(b""), bytes)


def test_protection_does_not_show_keys() -> None:
    ends: tuple[IkeProtection, ...] = _ends("aes128-sha256-x25519")
    assert repr(ends[0]) == "IkeProtection(SeparateModes)"


def test_the_base_class_has_no_form() -> None:
    class Odd(p.Payload):
        TYPE = PayloadType.V

    with pytest.raises(NotImplementedError):
        Odd.decode(b"")
    with pytest.raises(NotImplementedError):
        Odd().encode()
    assert Odd().type == PayloadType.V
