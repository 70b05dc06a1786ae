"""Proposals, traffic and lives of IKEv1: what is offered, what is taken, what is refused."""

from __future__ import annotations

import pytest

from ipsecbench.algorithms.proposals import parse_esp, parse_ike
from ipsecbench.errors import NegotiationError, ProtocolError
from ipsecbench.esp.mode import Mode
from ipsecbench.esp.traffic_selector import TrafficSelector, parse_traffic_selector
from ipsecbench.ike.identification import IdType
from ipsecbench.ike.lifetime import Lifetime, Limit
from ipsecbench.ike.v1 import phase1_negotiation as phase1
from ipsecbench.ike.v1 import phase2_negotiation as phase2
from ipsecbench.ike.v1.attributes import Attribute
from ipsecbench.ike.v1.payloads import IdPayload
from ipsecbench.ike.v1.phase2_negotiation import Phase2Lives
from ipsecbench.ike.v1.phase2_sas import limited, lives_of, shorter
from ipsecbench.ike.v1.proposals import Proposal, SaPayload, make_transform
from ipsecbench.ike.v1.traffic_selectors import agree, id_payload, selector_of
from tests.unit.ike.v1.pair import cryptography


def ike(text: str, method: int = 1) -> tuple[phase1.Phase1Suite, ...]:
    return phase1.suites([parse_ike(part) for part in text.split(",")], method, cryptography())


def esp(text: str, group: str | None = None) -> tuple[phase2.Phase2Suite, ...]:
    return phase2.suites([parse_esp(part) for part in text.split(",")], group, cryptography())


class TestPhase1:
    def test_every_combination_is_offered_the_preferred_first(self) -> None:
        found = ike("aes256-aes128-sha256-sha1-modp2048-ecp256")
        assert len(found) == 8
        assert (found[0].encryption, found[0].hash.name, found[0].key_exchange) == ("aes256", "sha256", "modp2048")
        payload = phase1.offer(found, 86400)
        assert [transform.number for transform in payload.proposals[0].transforms] == list(range(1, 9))
        assert payload.proposals[0].transforms[0].attribute_octets.hex() == (
            "80010007800e01008002000480 04000e80030001800b0001000c000400015180".replace(" ", "")
        )

    def test_what_ikev1_cannot_say_is_left_out(self) -> None:
        assert ike("aes256gcm16-prfsha256-modp2048") == ()
        assert ike("aes128-aesxcbc-modp2048") == ()
        assert ike("aes128-sha256-prfaescmac-modp2048") == ()
        assert [suite.key_exchange for suite in ike("aes128-sha256-mlkem768-ecp256")] == ["ecp256"]

    def test_the_responder_prefers_its_own_order(self) -> None:
        payload = phase1.offer(ike("aes128-aes256-sha1-modp1024"), None)
        choice = phase1.choose(payload, ike("aes256-aes128-sha1-modp1024"))
        assert choice is not None
        assert choice.suite.encryption == "aes256"
        answer = choice.answer()
        assert answer.proposals[0].transforms == (payload.proposals[0].transforms[1],)
        checked = phase1.check_answer(answer, ike("aes128-aes256-sha1-modp1024"))
        assert checked.suite == choice.suite

    def test_nothing_in_common(self) -> None:
        payload = phase1.offer(ike("aes128-sha1-modp1024"), None)
        assert phase1.choose(payload, ike("aes128-sha1-modp2048")) is None
        assert phase1.choose(payload, ike("aes128-sha1-modp1024", method=3)) is None

    def test_an_answer_must_be_one_of_the_offer(self) -> None:
        offered = ike("aes128-sha1-modp1024")
        more = phase1.offer(ike("aes128-aes256-sha1-modp1024"), None)
        with pytest.raises(NegotiationError, match="more than one transform"):
            phase1.check_answer(more, offered)
        with pytest.raises(NegotiationError, match="not offered"):
            phase1.check_answer(phase1.offer(ike("aes128-md5-modp1024"), None), offered)

    @pytest.mark.parametrize(
        ("attributes", "encryption"),
        [
            ([(1, 1)], "des"),
            ([(1, 5)], "3des"),
            ([(1, 5), (14, 192)], "3des"),
            ([(1, 6)], "cast128"),
            ([(1, 3)], "blowfish128"),
            ([(1, 3), (14, 256)], "blowfish256"),
            ([(1, 7)], "aes128"),
            ([(1, 7), (14, 192)], "aes192"),
            ([(1, 7), (14, 100)], None),
            ([(1, 7), (14, 128), (14, 256)], "aes128"),
            ([(1, 4)], None),
            ([(1, 65004)], None),
            ([], None),
        ],
    )
    def test_encryption_and_key_length(self, attributes: list[tuple[int, int]], encryption: str | None) -> None:
        rest = [(2, 2), (3, 1), (4, 2)]
        transform = make_transform(1, 1, [Attribute(*pair) for pair in (*attributes, *rest)])
        suite = phase1.read_suite(transform)
        assert (None if suite is None else suite.encryption) == encryption

    @pytest.mark.parametrize("group", [0, 3, 4, 1025, 65535])
    def test_groups_that_do_not_exist(self, group: int) -> None:
        """Row 19."""
        attributes = [Attribute(1, 7), Attribute(2, 2), Attribute(3, 1), Attribute(4, group)]
        assert phase1.read_suite(make_transform(1, 1, attributes)) is None

    def test_unknown_attributes_and_transforms(self) -> None:
        known = [Attribute(1, 7), Attribute(2, 2), Attribute(3, 1), Attribute(4, 2)]
        assert phase1.read_suite(make_transform(1, 1, known)) is not None
        assert phase1.read_suite(make_transform(1, 2, known)) is None
        assert phase1.read_suite(make_transform(1, 1, [*known, Attribute(13, 1)])) is None
        assert phase1.read_suite(make_transform(1, 1, [*known, Attribute(77, 1)])) is None

    def test_no_rsa_encryption(self) -> None:
        """Row 53: methods 4 and 5 are never ours."""
        payload = phase1.offer(ike("aes128-sha1-modp1024", method=4), None)
        for method in (1, 3, 9, 10, 11):
            assert phase1.choose(payload, ike("aes128-sha1-modp1024", method=method)) is None

    def test_lives(self) -> None:
        transform = make_transform(1, 1, [Attribute(11, 2), Attribute(12, 1000), Attribute(11, 1), Attribute(12, 99)])
        assert phase1.life_seconds(transform) == 99
        assert phase1.life_seconds(make_transform(1, 1, [Attribute(12, 99)])) is None


class TestPhase2:
    def test_the_offer_as_octets(self) -> None:
        payload = phase2.offer(esp("aes128-md5"), b"\x01\x02\x03\x04", 1, Phase2Lives(43200, None))
        (transform,) = payload.proposals[0].transforms
        assert (payload.proposals[0].protocol, transform.transform_id) == (3, 12)
        assert transform.attribute_octets.hex() == "8006008080050001800400018001 00018002a8c0".replace(" ", "")

    def test_groups(self) -> None:
        proposals = [parse_esp("aes128-sha1-modp2048-ecp256")]
        assert phase2.pfs_group(proposals) == "modp2048"
        assert phase2.pfs_group([parse_esp("aes128-sha1")]) is None
        assert [suite.key_exchange for suite in phase2.responder_suites(proposals, cryptography())] == [
            "modp2048",
            "ecp256",
        ]
        # PFS must be what both want.
        plain = phase2.offer(esp("aes128-sha1"), bytes(4), 1, Phase2Lives())
        assert phase2.choose(plain, phase2.responder_suites(proposals, cryptography()), Mode.TUNNEL, False) is None
        optional = phase2.responder_suites([parse_esp("aes128-sha1-ecp256-modpnone")], cryptography())
        assert phase2.choose(plain, optional, Mode.TUNNEL, False) is not None

    @pytest.mark.parametrize(
        ("transform_id", "attributes"),
        [
            (12, [(6, 128)]),
            (12, [(6, 128), (5, 0)]),
            (11, []),
            (20, [(6, 128), (5, 2)]),
            (23, [(6, 128), (5, 2)]),
            (12, [(6, 128), (5, 2), (3, 1025)]),
            (12, [(6, 127), (5, 2)]),
            (10, [(5, 2)]),
            (1, [(5, 2)]),
            (12, [(6, 128), (5, 2), (7, 16)]),
            (12, [(6, 128), (5, 3)]),
        ],
    )
    def test_transforms_that_are_no_suite(self, transform_id: int, attributes: list[tuple[int, int]]) -> None:
        """Row 9: integrity twice or not at all; unknown ciphers, groups, lengths."""
        transform = make_transform(1, transform_id, [Attribute(*pair) for pair in attributes])
        assert phase2.read_suite(transform) is None

    def test_gmac_has_keys(self) -> None:
        suite = phase2.read_suite(make_transform(1, 23, [Attribute(6, 128)]))
        assert suite is not None
        assert (suite.encryption, suite.integrity) == ("aes128gmac", None)

    @pytest.mark.parametrize(
        ("number", "udp", "mode"),
        [
            (None, False, Mode.TUNNEL),
            (1, False, Mode.TUNNEL),
            (2, False, Mode.TRANSPORT),
            (3, False, None),
            (3, True, Mode.TUNNEL),
            (4, True, Mode.TRANSPORT),
            (61443, True, Mode.TUNNEL),
            (61444, True, Mode.TRANSPORT),
            (61444, False, None),
            (1, True, Mode.TUNNEL),
            (77, True, None),
            (0, False, None),
        ],
    )
    def test_modes(self, number: int | None, udp: bool, mode: Mode | None) -> None:
        attributes = [] if number is None else [Attribute(4, number)]
        assert phase2.read_mode(make_transform(1, 12, attributes), udp) is mode

    def test_esp_together_with_ah_or_ipcomp_is_not_taken(self) -> None:
        (proposal,) = phase2.offer(esp("aes128-sha1"), bytes(4), 1, Phase2Lives()).proposals
        both = SaPayload((proposal, Proposal(1, 2, bytes(4), proposal.transforms)))
        assert phase2.choose(both, esp("aes128-sha1"), Mode.TUNNEL, False) is None
        other = SaPayload(
            (Proposal(1, 2, bytes(4), proposal.transforms), Proposal(2, 3, bytes(4), proposal.transforms))
        )
        assert phase2.choose(other, esp("aes128-sha1"), Mode.TUNNEL, False) is not None
        for spi in (b"", bytes(3), bytes(8)):
            odd = SaPayload((Proposal(1, 3, spi, proposal.transforms),))
            assert phase2.choose(odd, esp("aes128-sha1"), Mode.TUNNEL, False) is None

    def test_lives(self) -> None:
        lifetime = Lifetime(seconds=Limit(3000, 3600, 60), bytes=Limit(900_000, 1_000_000))
        assert lives_of(lifetime) == Phase2Lives(3600, 976)
        assert shorter(Phase2Lives(100, None), Phase2Lives(200, 50)) == Phase2Lives(100, 50)
        cut = limited(lifetime, 1800, None)
        assert cut.seconds == Limit(1500, 1800, 30)
        assert cut.bytes == lifetime.bytes
        assert limited(lifetime, 7200, None) == lifetime
        invented = limited(Lifetime(), 1000, None).seconds
        assert invented is not None
        assert invented.rekey < invented.life == 1000


class TestTraffic:
    @pytest.mark.parametrize(
        ("text", "id_type"),
        [
            ("10.1.0.0/16", IdType.ID_IPV4_ADDR_SUBNET),
            ("0.0.0.0/0", IdType.ID_IPV4_ADDR_SUBNET),
            ("10.1.0.1/32", IdType.ID_IPV4_ADDR),
            ("10.1.0.1-10.1.0.9", IdType.ID_IPV4_ADDR_RANGE),
            ("10.1.0.0/16[tcp/80]", IdType.ID_IPV4_ADDR_SUBNET),
            ("10.1.0.1/32[udp]", IdType.ID_IPV4_ADDR),
            ("2001:db8::/32", IdType.ID_IPV6_ADDR_SUBNET),
            ("2001:db8::1/128[tcp/23]", IdType.ID_IPV6_ADDR),
            ("2001:db8::1-2001:db8::9", IdType.ID_IPV6_ADDR_RANGE),
        ],
    )
    def test_id_payloads_both_ways(self, text: str, id_type: int) -> None:
        selector = parse_traffic_selector(text)
        payload = id_payload(selector)
        assert payload.id_type == id_type
        assert selector_of(payload) == selector

    def test_ranges_of_ports_cannot_be_said(self) -> None:
        with pytest.raises(NegotiationError, match="no ranges of ports"):
            id_payload(parse_traffic_selector("10.1.0.0/16[tcp/1-1024]"))

    @pytest.mark.parametrize("id_type", [0, *range(1, 13), 200, 255])
    @pytest.mark.parametrize("length", [0, 3, 4, 5, 7, 8, 16, 31, 32, 33])
    def test_every_type_with_every_length(self, id_type: int, length: int) -> None:
        """Row 7."""
        try:
            selector = selector_of(IdPayload(id_type, bytes(length)))
        except ProtocolError:
            return
        assert isinstance(selector, TrafficSelector)
        assert id_type in (1, 4, 5, 6, 7, 8)

    @pytest.mark.parametrize(
        ("id_type", "data"), [(4, "0a010000ff00ff00"), (7, "0a0100090a010001"), (4, "0a01000000ffffff")]
    )
    def test_masks_with_holes_and_backward_ranges(self, id_type: int, data: str) -> None:
        with pytest.raises(ProtocolError):
            selector_of(IdPayload(id_type, bytes.fromhex(data)))

    def test_agreement(self) -> None:
        own = (parse_traffic_selector("10.1.0.0/16"), parse_traffic_selector("10.9.0.0/24"))
        assert str(agree(own, parse_traffic_selector("10.1.2.0/24"))) == "10.1.2.0/24"
        assert str(agree(own, parse_traffic_selector("10.0.0.0/8"))) == "10.1.0.0/16"
        assert agree(own, parse_traffic_selector("192.168.0.0/16")) is None
