"""Offers, the responder's choice and the initiator's check (RFC 7296 sections 2.7 and 3.3)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.integrity import INTEGRITY
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.algorithms.prf import PRF
from ipsecbench.algorithms.proposals import parse_esp, parse_ike
from ipsecbench.errors import NegotiationError, UsageError
from ipsecbench.esp.traffic_selector import parse_traffic_selector
from ipsecbench.ike.v2.identifiers import NotifyType
from ipsecbench.ike.v2.negotiation import check_esp_answer, check_ike_answer, select_esp, select_ike
from ipsecbench.ike.v2.payloads import SecurityAssociation, TrafficSelectorsInitiator
from ipsecbench.ike.v2.proposals import esp_offer, ike_offer, runnable
from ipsecbench.ike.v2.traffic_selectors import WireTrafficSelector
from ipsecbench.ike.v2.transforms import Proposal, Transform, TransformAttribute

SPI = b"\x11\x22\x33\x44"
SPI_8 = b"\x11\x22\x33\x44\x55\x66\x77\x88"


def _ike(own: str | list[str], offered: str | list[str], method: int | None = None) -> str | None:
    """What a responder chooses, checked by the initiator; None for no choice."""
    ours = [parse_ike(text) for text in ([own] if isinstance(own, str) else own)]
    theirs = ike_offer([parse_ike(text) for text in ([offered] if isinstance(offered, str) else offered)])
    try:
        choice = select_ike(ours, theirs, offered_method=method)
    except NegotiationError as error:
        return None if error.notify == NotifyType.NO_PROPOSAL_CHOSEN else "?"
    answer = SecurityAssociation.decode(SecurityAssociation(choice.answer(b"")).encode()).proposals
    assert check_ike_answer(theirs, answer).suite == choice.suite
    return choice.suite.text


def _esp(own: str, offered: str, *, first: bool = False) -> str | None:
    theirs = esp_offer([parse_esp(offered)], SPI, with_key_exchange=not first)
    try:
        choice = select_esp([parse_esp(own)], theirs, with_key_exchange=not first)
    except NegotiationError:
        return None
    assert choice.proposal.spi == SPI
    answer = choice.answer(b"abcd")
    assert answer[0].spi == b"abcd"
    assert check_esp_answer(theirs, answer).suite == choice.suite
    return choice.suite.text


def test_the_octets_of_an_offer() -> None:
    """Against octets written out by hand from the drawings of RFC 7296 section 3.3."""
    offer = ike_offer([parse_ike("aes128-sha256-x25519")])
    assert SecurityAssociation(offer).encode().hex() == (
        "0000002c 01010004"
        "0300000c 0100000c 800e0080"  # ENCR_AES_CBC with 128 bits
        "03000008 0300000c"  # AUTH_HMAC_SHA2_256_128
        "03000008 02000005"  # PRF_HMAC_SHA2_256
        "00000008 0400001f"  # Curve25519
    ).replace(" ", "")
    child = esp_offer([parse_esp("aes256gcm16-esn-noesn")], SPI)
    assert SecurityAssociation(child).encode().hex() == (
        "00000028 01030403 11223344 0300000c 01000014 800e0100 03000008 05000001 00000008 05000000"
    ).replace(" ", "")


@pytest.mark.parametrize("name", [name for name, row in ENCRYPTION.items() if row.ikev2_id is not None])
def test_every_encryption_transform_can_be_negotiated_for_esp(name: str) -> None:
    text = name if ENCRYPTION[name].aead else f"{name}-sha256"
    assert _esp(text, text, first=True) == text


@pytest.mark.parametrize("integrity", INTEGRITY)
@pytest.mark.parametrize("prf", PRF)
def test_every_integrity_transform_and_prf_can_be_negotiated(integrity: str, prf: str) -> None:
    assert _ike(f"aes256-{integrity}-{prf}-ecp256", f"aes128-aes256-sha1-{integrity}-{prf}-x25519-ecp256") == (
        parse_ike(f"aes256-{integrity}-{prf}-ecp256").text
    )


@pytest.mark.parametrize("method", KEY_EXCHANGE)
def test_every_key_exchange_method_can_be_negotiated(method: str) -> None:
    assert _ike(f"aes128-sha256-{method}", f"aes128-sha256-modp1024-{method}") == f"aes128-sha256-{method}"


@pytest.mark.parametrize(
    ("own", "offered", "chosen"),
    [
        # The responder's own order decides, among proposals and within one.
        (["aes256-sha512-x25519", "aes128-sha256-x25519"], ["aes128-sha256-x25519", "aes256-sha512-x25519"], 0),
        ("aes256-aes128-sha512-sha1-x25519-ecp256", "aes128-aes256-sha1-sha512-ecp256-x25519", "aes256-sha512-x25519"),
        ("aes256-sha256-x25519", "aes256gcm16-prfsha256-x25519", None),
        ("aes256gcm16-prfsha256-x25519", "aes256-sha256-x25519", None),
        ("aes256-sha256-x25519", "aes128-sha256-x25519", None),
        ("aes256-sha256-x25519", "aes256-sha1-prfsha256-x25519", None),
        ("aes256-sha256-x25519", "aes256-sha256-prfsha1-x25519", None),
        ("aes256-sha256-x25519", "aes256-sha256-x448", None),
        # RFC 9370: only with the consent of both; NONE makes one optional.
        ("aes256-sha256-x25519-ke1_mlkem768", "aes256-sha256-x25519", None),
        ("aes256-sha256-x25519", "aes256-sha256-x25519-ke1_mlkem768", None),
        ("aes256-sha256-x25519-ke1_mlkem768-ke1_none", "aes256-sha256-x25519", "aes256-sha256-x25519"),
        ("aes256-sha256-x25519", "aes256-sha256-x25519-ke1_mlkem768-ke1_none", "aes256-sha256-x25519"),
        (
            "aes256-sha256-x25519-ke1_mlkem768-ke1_none",
            "aes256-sha256-x25519-ke1_none-ke1_mlkem768",
            "aes256-sha256-x25519-ke1_mlkem768",
        ),
        (
            "aes256-sha256-x25519-ke2_mlkem768",
            "aes256-sha256-x25519-ke2_mlkem768",
            "aes256-sha256-x25519-ke1_mlkem768",
        ),
        # No method twice: the second choice is another one, or there is no choice.
        (
            "aes256-sha256-x25519-ke1_x25519-ke1_ecp256",
            "aes256-sha256-x25519-ke1_x25519-ke1_ecp256",
            "aes256-sha256-x25519-ke1_ecp256",
        ),
        ("aes256-sha256-x25519-ke1_x25519", "aes256-sha256-x25519-ke1_x25519", None),
    ],
)
def test_the_responders_choice(own: str | list[str], offered: str | list[str], chosen: str | int | None) -> None:
    expected = own[chosen] if isinstance(chosen, int) else chosen
    assert _ike(own, offered) == expected


def test_the_method_of_the_ke_payload_is_preferred_within_a_proposal() -> None:
    both = "aes256-sha256-x25519-ecp256"
    assert _ike(both, both) == "aes256-sha256-x25519"
    assert _ike(both, both, method=19) == "aes256-sha256-ecp256"
    assert _ike(["aes256-sha256-x25519", "aes128-sha256-ecp256"], ["aes128-sha256-ecp256", both], method=19) == (
        "aes256-sha256-x25519"
    )


@pytest.mark.parametrize(
    ("own", "offered", "chosen"),
    [
        ("aes128-sha1", "aes128-sha1", "aes128-sha1"),
        ("aes128-sha1-esn-noesn", "aes128-sha1-noesn-esn", "aes128-sha1-esn"),
        ("aes128-sha1-esn", "aes128-sha1", None),
        ("aes128-sha1-x25519", "aes128-sha1", None),
        ("aes128-sha1", "aes128-sha1-x25519", None),
        ("aes128-sha1-x25519-modpnone", "aes128-sha1", "aes128-sha1"),
        ("aes128-sha1-x25519-modpnone", "aes128-sha1-x25519", "aes128-sha1-x25519"),
        ("aes128-sha1", "aes128-sha1-x25519-modpnone", "aes128-sha1"),
        ("null-sha256", "null-sha256", "null-sha256"),
        ("aes128-sha1-modp768-esn", "aes128-sha1-modp768-esn", "aes128-sha1-modp768-esn"),
    ],
)
def test_the_responders_choice_for_a_child_sa(own: str, offered: str, chosen: str | None) -> None:
    assert _esp(own, offered) == chosen


def test_the_first_child_sa_has_no_key_exchange() -> None:
    assert _esp("aes128-sha1-x25519", "aes128-sha1-ecp256", first=True) == "aes128-sha1"
    # Nor does one that a peer offers there against RFC 7296 section 1.2 come back.
    offer = esp_offer([parse_esp("aes128-sha1-x25519")], SPI)
    choice = select_esp([parse_esp("aes128-sha1")], offer, with_key_exchange=False)
    assert [transform.type for transform in choice.proposal.transforms] == [1, 3, 5]
    # An offer of the same transforms but for the key exchange is not made twice.
    assert len(esp_offer([parse_esp("aes128-sha1-x25519"), parse_esp("aes128-sha1")], with_key_exchange=False)) == 1


ENCR, AEAD = Transform(1, 12, 128), Transform(1, 20, 128)
INTEG, NO_INTEG, PRFT, KE, NO_ESN = (
    Transform(3, 12),
    Transform(3, 0),
    Transform(2, 5),
    Transform(4, 31),
    Transform(5, 0),
)
IKE_OWN = [parse_ike("aes128-sha256-x25519"), parse_ike("aes128gcm16-prfsha256-x25519")]
ESP_OWN = [parse_esp("aes128-sha256"), parse_esp("aes128gcm16"), parse_esp("null-sha256")]


@pytest.mark.parametrize(
    "transforms",
    [
        (),
        (INTEG, PRFT, KE),
        (ENCR, PRFT, KE),
        (ENCR, INTEG, KE),
        (ENCR, INTEG, PRFT),  # CVE-2016-5391
        (ENCR, NO_INTEG, PRFT, KE),
        (AEAD, INTEG, PRFT, KE),
        (AEAD, KE),
        (AEAD, PRFT, Transform(4, 0)),
        (NO_ESN,),
        (Transform(1, 12), INTEG, PRFT, KE),  # AES without a key length
        (Transform(1, 12, 0), INTEG, PRFT, KE),
        (Transform(1, 20, 128, (TransformAttribute(99, b"x"),)), PRFT, KE),  # an attribute that is not understood
        (AEAD, PRFT, KE, Transform(13, 0)),  # a transform type that is not understood
        (AEAD, PRFT, KE, Transform(200, 7)),
        (AEAD, PRFT, KE, NO_ESN),
        (AEAD, PRFT, Transform(4, 1025)),  # CVE-2014-9221
        (AEAD, PRFT, Transform(4, 65535)),
        (AEAD, Transform(2, 1), KE),
    ],
)
def test_an_ike_proposal_that_lacks_or_adds_a_type_is_never_chosen(transforms: tuple[Transform, ...]) -> None:
    with pytest.raises(NegotiationError) as caught:
        select_ike(IKE_OWN, [Proposal(1, 1, b"", transforms)])
    assert caught.value.notify == NotifyType.NO_PROPOSAL_CHOSEN


@pytest.mark.parametrize(
    "transforms",
    [
        (),
        (ENCR, INTEG),
        (ENCR, NO_ESN),
        (ENCR, NO_INTEG, NO_ESN),
        (Transform(1, 11), NO_ESN),  # CVE-2024-3652: keying material of no length
        (Transform(1, 11), NO_INTEG, NO_ESN),
        (AEAD, INTEG, NO_ESN),
        (INTEG, NO_ESN),
        (NO_ESN,),
        (AEAD, Transform(5, 2)),
        (AEAD, NO_ESN, PRFT),
    ],
)
def test_an_esp_proposal_that_lacks_or_adds_a_type_is_never_chosen(transforms: tuple[Transform, ...]) -> None:
    with pytest.raises(NegotiationError):
        select_esp(ESP_OWN, [Proposal(1, 3, SPI, transforms)])


def test_none_beside_a_combined_mode_transform_is_chosen_and_answered() -> None:
    offer = [Proposal(1, 3, SPI, (AEAD, NO_INTEG, INTEG, NO_ESN, Transform(4, 0), KE))]
    choice = select_esp(ESP_OWN, offer)
    assert choice.suite.text == "aes128gcm16"
    assert set(choice.proposal.transforms) == {AEAD, NO_INTEG, NO_ESN, Transform(4, 0)}


@pytest.mark.parametrize("spi", [b"", b"123", b"12345", SPI_8, bytes(255)])
def test_an_esp_proposal_with_an_spi_of_another_length_is_passed_over(spi: bytes) -> None:
    with pytest.raises(NegotiationError):
        select_esp(ESP_OWN, [Proposal(1, 3, spi, (AEAD, NO_ESN))])


@pytest.mark.parametrize("protocol", [0, 1, 2, 4, 255])
def test_a_proposal_for_another_protocol_is_passed_over(protocol: int) -> None:
    with pytest.raises(NegotiationError):
        select_esp(ESP_OWN, [Proposal(1, protocol, SPI, (AEAD, NO_ESN))])


def test_the_spi_of_an_ike_proposal_belongs_to_rekeying_alone() -> None:
    offer = ike_offer(IKE_OWN, SPI_8)
    assert select_ike(IKE_OWN, offer, rekey=True).proposal.spi == SPI_8
    with pytest.raises(NegotiationError):
        select_ike(IKE_OWN, offer)
    with pytest.raises(NegotiationError):
        select_ike(IKE_OWN, ike_offer(IKE_OWN), rekey=True)


def test_a_default_key_length_is_understood_and_echoed_as_offered() -> None:
    """RFC 2451: Blowfish and CAST without a Key Length attribute have 128 bits."""
    offer = [Proposal(1, 3, SPI, (Transform(1, 7), INTEG, NO_ESN))]
    choice = select_esp([parse_esp("blowfish128-sha256")], offer)
    assert choice.suite.encryption.name == "blowfish128"
    assert choice.proposal.transforms[0] == Transform(1, 7)
    with pytest.raises(NegotiationError):
        select_esp([parse_esp("blowfish256-sha256")], offer)


OFFER = ike_offer([parse_ike("aes128-sha256-x25519"), parse_ike("aes256-aes128-sha256-x25519-ke1_mlkem768-ke1_none")])
GOOD = Proposal(2, 1, b"", (Transform(1, 12, 256), INTEG, PRFT, KE, Transform(6, 36)))


def test_an_answer_out_of_the_offer_is_accepted() -> None:
    assert check_ike_answer(OFFER, [GOOD]).suite.text == "aes256-sha256-x25519-ke1_mlkem768"
    without = replace(GOOD, transforms=GOOD.transforms[:-1])
    assert check_ike_answer(OFFER, [without]).suite.text == "aes256-sha256-x25519"


@pytest.mark.parametrize(
    "answer",
    [
        [],
        [GOOD, GOOD],
        [replace(GOOD, number=3)],
        [replace(GOOD, number=0)],
        [replace(GOOD, number=1)],
        [replace(GOOD, protocol=3)],
        [replace(GOOD, spi=SPI_8)],
        [replace(GOOD, transforms=())],
        *([replace(GOOD, transforms=GOOD.transforms[:i] + GOOD.transforms[i + 1 :])] for i in range(4)),
        *([replace(GOOD, transforms=(*GOOD.transforms, extra))] for extra in (ENCR, INTEG, PRFT, KE, NO_INTEG, NO_ESN)),
        [replace(GOOD, transforms=(Transform(1, 12, 192), *GOOD.transforms[1:]))],
        [replace(GOOD, transforms=(AEAD, *GOOD.transforms[2:]))],
        [replace(GOOD, transforms=(*GOOD.transforms[:-1], Transform(6, 31)))],
        [replace(GOOD, transforms=(Transform(1, 12, 256, (TransformAttribute(9, b""),)), *GOOD.transforms[1:]))],
    ],
)
def test_an_answer_that_is_not_one_choice_out_of_the_offer_is_refused(answer: list[Proposal]) -> None:
    with pytest.raises(NegotiationError):
        check_ike_answer(OFFER, answer)


TRANSFORMS = st.lists(
    st.builds(Transform, st.integers(1, 13), st.integers(0, 37), st.sampled_from([None, 0, 128, 256])), max_size=8
).map(tuple)


@given(st.lists(st.builds(Proposal, st.integers(0, 3), st.integers(0, 3), st.sampled_from([b"", SPI]), TRANSFORMS)))
@settings(max_examples=300)
def test_hostile_proposals_raise_negotiation_errors_only(proposals: list[Proposal]) -> None:
    calls = (
        lambda: select_ike(IKE_OWN, proposals).suite.prf,
        lambda: select_esp(ESP_OWN, proposals).suite.encryption,
        lambda: check_ike_answer(OFFER, proposals).suite.prf,
        lambda: check_esp_answer(esp_offer(ESP_OWN, SPI), proposals).suite.encryption,
    )
    for call in calls:
        try:
            chosen = call()
        except NegotiationError:
            continue
        assert chosen is not None


def test_what_cannot_run_here_is_never_offered() -> None:
    """CVE-2016-3071, CVE-2018-10811: a transform that the library lacks must not be negotiated."""
    proposals = [parse_ike("aes128-aes256-aesxcbc-sha256-x25519-ke1_mlkem768"), parse_ike("aes128-aesxcbc-x25519")]
    (left,) = runnable(proposals, lambda kind, name: "xcbc" not in name)
    assert left.text == "aes128-aes256-sha256-x25519-ke1_mlkem768"
    assert runnable(proposals, lambda kind, name: name != "mlkem768")[0].text == "aes128-aesxcbc-x25519"
    esp = [parse_esp("aes128-sha256-x25519-modpnone")]
    assert runnable(esp, lambda kind, name: name != "x25519")[0].text == "aes128-sha256-modpnone"
    assert runnable(esp, lambda kind, name: True) == tuple(esp)


def test_an_algorithm_without_a_number_cannot_be_offered() -> None:
    with pytest.raises(UsageError):
        esp_offer([parse_esp("twofish128-sha256")])


def test_traffic_selectors_go_both_ways() -> None:
    texts = ["10.1.0.0/16", "10.0.0.1-10.0.0.9[tcp/80]", "2001:db8::/32[udp/1024-65535]", "0.0.0.0/0[icmp]"]
    selectors = tuple(parse_traffic_selector(text) for text in texts)
    payload = TrafficSelectorsInitiator.decode(TrafficSelectorsInitiator.of(selectors).encode())
    assert payload.ranges == selectors
    # RFC 7296 section 3.13.1, by hand.
    assert TrafficSelectorsInitiator.of(selectors[:1]).encode().hex() == "01000000070000100000ffff0a0100000a01ffff"
    ignored = (WireTrafficSelector(9, 0, other=b"x"), WireTrafficSelector(7, 0, 0, 1, b"\2\0\0\0", b"\1\0\0\0"))
    assert TrafficSelectorsInitiator(ignored).ranges == ()
