"""Exchanges of strongSwan with itself, in IKEv2: keys derived, messages opened, AUTH verified, Child SA keys compared.

Every message is also sealed anew, which the other end's keys open again. Those of strongSwan 6 have additional key
exchanges (RFC 9370), with what IKE_INTERMEDIATE adds to AUTH (RFC 9242).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ipsecbench.algorithms.key_exchange import KeyExchangeMethod
from ipsecbench.algorithms.proposals import parse_esp, parse_ike
from ipsecbench.errors import RejectedError
from ipsecbench.ike.v2 import payloads as p
from ipsecbench.ike.v2.authentication import (
    IntermediateAuthentication,
    hashes_of,
    psk_payload,
    signed_octets,
    verify_psk,
    verify_signature,
)
from ipsecbench.ike.v2.fragmentation import Reassembly
from ipsecbench.ike.v2.identifiers import ExchangeType, NotifyType
from ipsecbench.ike.v2.keymat import (
    ChildKeys,
    IkeKeys,
    child_keys,
    first_skeyseed,
    ike_keys,
    rekeyed_skeyseed,
    with_ppk,
)
from ipsecbench.ike.v2.message import Message, build_message, parse_message
from ipsecbench.ike.v2.negotiation import check_esp_answer, check_ike_answer
from ipsecbench.ike.v2.proposals import EspSuite, IkeSuite, ike_offer
from ipsecbench.ike.v2.protection import IkeProtection
from ipsecbench.ike.v2.validation import Shape, validate
from ipsecbench.providers.certificates import PycaPublicKeyInfrastructure
from ipsecbench.providers.interface import Prf
from ipsecbench.providers.selection import ProviderSelection
from ipsecbench.secret import Secret

FILES = sorted((Path(__file__).parent / "ikev2").glob("*.json"))
CRYPTOGRAPHY = ProviderSelection()
IKE_SECRETS = ("sk_d", "sk_ai", "sk_ar", "sk_ei", "sk_er", "sk_pi", "sk_pr")


@dataclass
class Sa:
    """One IKE SA and both ends of its protection."""

    suite: IkeSuite
    keys: IkeKeys
    initiator: IkeProtection
    responder: IkeProtection
    spis: tuple[bytes, bytes]
    nonces: tuple[bytes, bytes]
    reassembly: dict[str, Reassembly] = field(
        default_factory=lambda: {"request": Reassembly(), "response": Reassembly()}
    )
    additional: tuple[KeyExchangeMethod, ...] = ()
    """Additional key exchanges still to be done, in IKE_INTERMEDIATE or IKE_FOLLOWUP_KE."""
    intermediate: IntermediateAuthentication = field(default_factory=IntermediateAuthentication)
    followup: Callable[[], None] | None = None
    """What is to be done when the last of them is."""
    link: bytes = b""

    def prf(self, name: str) -> Prf:
        return CRYPTOGRAPHY.prf(self.suite.prf.name, getattr(self.keys, name).reveal())


class Replay:
    """The messages of one transcript, one after the other."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.secrets: Iterator[tuple[str, bytes]] = iter(
            [(row["name"], bytes.fromhex(row["octets"])) for row in document["secrets"]]
        )
        self.sas: dict[bytes, Sa] = {}
        self.requests: dict[tuple[bytes, int, bool], Message] = {}
        self.shapes: list[Shape] = []
        self.methods: list[str] = []
        self.children: list[EspSuite] = []
        self.fragments = 0
        self.schemes: set[str] = set()
        self.init: list[Message] = []

    def logged(self, name: str) -> Secret:
        found, octets = next(self.secrets)
        assert found.startswith(name)
        return Secret(octets)

    def exchanged(self, old_name: str) -> tuple[Secret, ...]:
        """The shared secrets of a derivation: strongSwan 6 logs that of the first exchange, and the rest in one."""
        if not self.document["origin"].startswith("strongSwan 6"):
            return (self.logged(old_name),)
        first, others = self.logged("key exchange secret"), self.logged("additional key exchange secret")
        return (first, others) if len(others) else (first,)

    def run(self) -> None:
        for row in self.document["messages"]:
            message = parse_message(bytes.fromhex(row["octets"]))
            if message.header.exchange_type == ExchangeType.IKE_SA_INIT:
                self.init_message(message)
                continue
            opened = self.opened(message, row["from"])
            if opened is not None:
                self.protected_message(opened)
        assert list(self.secrets) == []

    def new_sa(self, suite: IkeSuite, skeyseed: Secret, nonces: tuple[bytes, bytes], spis: tuple[bytes, bytes]) -> Sa:
        keys = ike_keys(CRYPTOGRAPHY, suite, skeyseed, *nonces, *spis)
        assert skeyseed == self.logged("SKEYSEED")
        for name in IKE_SECRETS:
            secret: Secret = getattr(keys, name)
            if len(secret):
                assert secret == self.logged(f"Sk_{name.removeprefix('sk_')} secret")
        initiator, responder = (
            IkeProtection(CRYPTOGRAPHY, suite, keys, is_initiator=role, random=bytes) for role in (True, False)
        )
        sa = Sa(suite, keys, initiator, responder, spis, nonces)
        self.sas[spis[0] + spis[1]] = sa
        return sa

    def init_message(self, message: Message) -> None:
        self.shapes.append(validate(message))
        self.init.append(message)
        # The same octets come out when the payloads are written anew.
        assert build_message(message.header, message.payloads).octets == message.octets
        if not message.is_response:
            return
        request, response = self.init
        choice = check_ike_answer(
            request.one(p.SecurityAssociation).proposals, response.one(p.SecurityAssociation).proposals
        )
        # strongSwan, too, numbers the transforms of this proposal so.
        assert request.one(p.SecurityAssociation).proposals[0].protocol == 1
        assert set(request.one(p.SecurityAssociation).proposals[0].transforms) == set(
            ike_offer([parse_ike(self.document["ike_proposal"])])[0].transforms
        )
        nonces = request.one(p.Nonce).data, response.one(p.Nonce).data
        (secret,) = self.exchanged("shared Diffie Hellman secret")
        skeyseed = first_skeyseed(CRYPTOGRAPHY, choice.suite, secret, *nonces)
        sa = self.new_sa(choice.suite, skeyseed, nonces, (response.header.spi_i, response.header.spi_r))
        sa.additional = choice.suite.additional
        announced = [message.notify(NotifyType.INTERMEDIATE_EXCHANGE_SUPPORTED) for message in self.init]
        assert all(announced) or not sa.additional

    def opened(self, message: Message, sender: str) -> Message | None:
        sa = self.sas[message.header.spi_i + message.header.spi_r]
        receiver, other = (sa.responder, sa.initiator) if message.from_initiator else (sa.initiator, sa.responder)
        with pytest.raises(RejectedError):
            other.open(message)
        if isinstance(message.encrypted, p.EncryptedFragment):
            self.fragments += 1
            return sa.reassembly["response" if message.is_response else "request"].add(message, receiver)
        opened = receiver.open(message)
        again = other.seal(message.header, opened.payloads)
        assert len(again.octets) == len(message.octets)
        assert receiver.open(parse_message(again.octets)).payloads == opened.payloads
        assert sender in ("a", "b")
        return opened

    def protected_message(self, message: Message) -> None:
        spis = message.header.spi_i + message.header.spi_r
        self.shapes.append(validate(message))
        if not message.is_response:
            self.requests[spis, message.header.message_id, message.from_initiator] = message
            return
        request = self.requests.pop((spis, message.header.message_id, not message.from_initiator))
        sa = self.sas[spis]
        shape = self.shapes[-1]
        if shape is Shape.AUTH_RESPONSE:
            self.auth(sa, request, message)
        elif shape is Shape.CREATE_CHILD_RESPONSE:
            nonces = request.one(p.Nonce).data, message.one(p.Nonce).data
            sa.additional = self.esp_choice(request, message).additional
            self.when_exchanged(sa, message, partial(self.child, sa, request, message, nonces))
        elif shape is Shape.REKEY_IKE_RESPONSE:
            sa.additional = self.ike_choice(request, message).additional
            self.when_exchanged(sa, message, partial(self.rekey, sa, request, message))
        elif shape is Shape.INTERMEDIATE_RESPONSE:
            self.intermediate(sa, request, message)
        elif shape is Shape.FOLLOWUP_KE_RESPONSE:
            assert sa.followup is not None
            link = request.notify(NotifyType.ADDITIONAL_KEY_EXCHANGE)
            assert link is not None
            assert link.data == sa.link
            self.additional_exchange(sa, request, message)
            self.when_exchanged(sa, message, sa.followup)

    def when_exchanged(self, sa: Sa, response: Message, finish: Callable[[], None]) -> None:
        """The SA of a CREATE_CHILD_SA exchange is made when its additional key exchanges are done."""
        link = response.notify(NotifyType.ADDITIONAL_KEY_EXCHANGE)
        assert (link is not None) == bool(sa.additional)
        if link is not None:
            sa.followup, sa.link = finish, link.data
        else:
            sa.followup = None
            finish()

    def additional_exchange(self, sa: Sa, request: Message, response: Message) -> None:
        method, sa.additional = sa.additional[0], sa.additional[1:]
        data = request.one(p.KeyExchange), response.one(p.KeyExchange)
        assert [each.method for each in data] == [method.ikev2_id] * 2
        assert [len(each.data) for each in data] == [method.initiator_bytes, method.responder_bytes]
        self.methods.append(method.name)

    def intermediate(self, sa: Sa, request: Message, response: Message) -> None:
        """RFC 9370 section 2.2.2: AUTH covers both messages, under the keys from before they take effect."""
        for message, add, name in (
            (request, sa.intermediate.add_request, "sk_pi"),
            (response, sa.intermediate.add_response, "sk_pr"),
        ):
            add(sa.prf(name), message)
            assert self.logged("IntAuth_N").reveal() in sa.intermediate.octets(0)
        self.additional_exchange(sa, request, response)
        (secret,) = self.exchanged("")
        skeyseed = rekeyed_skeyseed(sa.prf("sk_d"), (secret,), *sa.nonces)
        new = self.new_sa(sa.suite, skeyseed, sa.nonces, sa.spis)
        new.additional, new.intermediate = sa.additional, sa.intermediate

    def auth(self, sa: Sa, request: Message, response: Message) -> None:
        if self.document["ppk"]:
            sa.keys = with_ppk(CRYPTOGRAPHY, sa.suite, sa.keys, Secret(self.document["ppk"].encode()))
        assert sa.additional == ()
        init_request, init_response = self.init
        intermediate = sa.intermediate.octets(request.header.message_id)
        nonces = init_request.one(p.Nonce).data, init_response.one(p.Nonce).data
        id_i, id_r = request.one(p.IdentificationInitiator), response.one(p.IdentificationResponder)
        assert (id_i.data, id_r.data) == tuple(text.encode() for text in self.document["identities"].values())
        octets_i = signed_octets(init_request.octets, nonces[1], sa.prf("sk_pi"), request.body(id_i), intermediate)
        octets_r = signed_octets(init_response.octets, nonces[0], sa.prf("sk_pr"), response.body(id_r), intermediate)
        for message, octets in ((request, octets_i), (response, octets_r)):
            authentication = message.one(p.Authentication)
            if self.document["pre_shared_key"]:
                psk = Secret(self.document["pre_shared_key"].encode())
                verify_psk(CRYPTOGRAPHY, sa.suite.prf.name, psk, octets, authentication)
                assert psk_payload(CRYPTOGRAPHY, sa.suite.prf.name, psk, octets) == authentication
                assert Secret(authentication.data) == self.logged("AUTH")
                continue
            certificate = PycaPublicKeyInfrastructure().load_certificate(message.all(p.Certificate)[0].data)
            scheme = verify_signature(certificate.public_key, octets, authentication, allow_sha1=True)
            self.schemes.add(scheme.name)
            announced = (init_response if message is request else init_request).notify(
                NotifyType.SIGNATURE_HASH_ALGORITHMS
            )
            assert (authentication.method == 14) == (announced is not None)
            if announced is not None:
                assert scheme.ikev2_hash_id in hashes_of(announced)
        if self.document["ppk"]:
            for name in ("sk_d", "sk_pi", "sk_pr"):
                assert getattr(sa.keys, name) == self.logged(f"Sk_{name[3:]} secret")
        self.child(sa, request, response, nonces)

    def esp_choice(self, request: Message, response: Message) -> EspSuite:
        offer, answer = (message.one(p.SecurityAssociation).proposals for message in (request, response))
        return check_esp_answer(offer, answer).suite

    def ike_choice(self, request: Message, response: Message) -> IkeSuite:
        offer, answer = (message.one(p.SecurityAssociation).proposals for message in (request, response))
        return check_ike_answer(offer, answer).suite

    def child(self, sa: Sa, request: Message, response: Message, nonces: tuple[bytes, bytes]) -> None:
        suite = self.esp_choice(request, response)
        exchange = self.exchanged("DH secret") if response.first(p.KeyExchange) else ()
        keys: ChildKeys = child_keys(sa.prf("sk_d"), suite, *nonces, exchange)
        self.children.append(suite)
        assert (suite.key_exchange is not None) == bool(exchange)
        assert bool(suite.additional) == (len(exchange) == 2)
        both = ("initiator", keys.from_initiator), ("responder", keys.from_responder)
        if suite.encryption.name != "null":
            for role, sa_keys in both:
                assert sa_keys.encryption == self.logged(f"encryption {role} key")
        for role, sa_keys in both:
            if sa_keys.integrity is not None:
                assert sa_keys.integrity == self.logged(f"integrity {role} key")
        for kind in (p.TrafficSelectorsInitiator, p.TrafficSelectorsResponder):
            (selector,) = response.one(kind).ranges
            assert selector.start == selector.end

    def rekey(self, sa: Sa, request: Message, response: Message) -> None:
        offer = request.one(p.SecurityAssociation).proposals
        answer = response.one(p.SecurityAssociation).proposals
        nonces = request.one(p.Nonce).data, response.one(p.Nonce).data
        secrets = self.exchanged("shared Diffie Hellman secret")
        skeyseed = rekeyed_skeyseed(sa.prf("sk_d"), secrets, *nonces)
        self.new_sa(self.ike_choice(request, response), skeyseed, nonces, (offer[0].spi, answer[0].spi))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_replay(file: Path) -> None:
    document = json.loads(file.read_text())
    replay = Replay(document)
    replay.run()
    expected = 2 * (2 + len(document["orders"]))
    assert len(replay.shapes) >= expected
    assert replay.shapes.count(Shape.REKEY_IKE_RESPONSE) == sum(order.endswith("ike") for order in document["orders"])
    assert len(replay.children) == 1 + sum(order.endswith("child") for order in document["orders"])
    in_ike = parse_ike(document["ike_proposal"]).additional_key_exchanges
    in_esp = parse_esp(document["esp_proposal"]).additional_key_exchanges
    rekeyed = [order.split()[-1] for order in document["orders"]]
    wanted = [*in_ike * (1 + rekeyed.count("ike")), *in_esp * rekeyed.count("child")]
    assert sorted(replay.methods) == sorted(name for names in wanted for name in names)
    assert bool(replay.schemes) == (document["pre_shared_key"] is None)
    assert replay.fragments > 0 or "fragmented" not in file.stem


def test_every_method_and_kind_of_transform_was_seen() -> None:
    schemes, modes, methods = set(), set(), set()
    for file in FILES:
        replay = Replay(json.loads(file.read_text()))
        replay.run()
        schemes |= replay.schemes
        methods |= set(replay.methods)
        modes |= {suite.encryption.mode for suite in replay.children}
        modes |= {sa.suite.encryption.mode for sa in replay.sas.values()}
    assert schemes >= {"ecdsa-sha256", "ecdsa-p384-sha384", "rsa-pkcs1-sha1", "ed25519", "ed448"}
    assert methods == {"mlkem512", "mlkem768", "mlkem1024", "modp1024", "ecp256"}
    assert modes == {"cbc", "ctr", "gcm", "ccm", "chacha20-poly1305", "null"}
