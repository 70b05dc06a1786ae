"""Exchanges of strongSwan with itself, in IKEv2: keys derived, messages opened, AUTH verified, Child SA keys compared.

Every message is also sealed anew, which the other end's keys open again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ipsecbench.algorithms.proposals import parse_ike
from ipsecbench.errors import RejectedError
from ipsecbench.ike.secret import Secret
from ipsecbench.ike.v2 import payloads as p
from ipsecbench.ike.v2.authentication import (
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
    reassembly: dict[str, Reassembly]

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
        self.children: list[EspSuite] = []
        self.fragments = 0
        self.schemes: set[str] = set()
        self.init: list[Message] = []

    def logged(self, name: str) -> Secret:
        found, octets = next(self.secrets)
        assert found.startswith(name)
        return Secret(octets)

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
        sa = Sa(suite, keys, initiator, responder, {"request": Reassembly(), "response": Reassembly()})
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
        secret = self.logged("shared Diffie Hellman secret")
        skeyseed = first_skeyseed(CRYPTOGRAPHY, choice.suite, secret, *nonces)
        self.new_sa(choice.suite, skeyseed, nonces, (response.header.spi_i, response.header.spi_r))

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
            exchange = (self.logged("DH secret"),) if message.first(p.KeyExchange) else ()
            self.child(sa, request, message, nonces, exchange)
        elif shape is Shape.REKEY_IKE_RESPONSE:
            self.rekey(sa, request, message)

    def auth(self, sa: Sa, request: Message, response: Message) -> None:
        if self.document["ppk"]:
            sa.keys = with_ppk(CRYPTOGRAPHY, sa.suite, sa.keys, Secret(self.document["ppk"].encode()))
        init_request, init_response = self.init
        nonces = init_request.one(p.Nonce).data, init_response.one(p.Nonce).data
        id_i, id_r = request.one(p.IdentificationInitiator), response.one(p.IdentificationResponder)
        assert (id_i.data, id_r.data) == tuple(text.encode() for text in self.document["identities"].values())
        octets_i = signed_octets(init_request.octets, nonces[1], sa.prf("sk_pi"), request.body(id_i), b"")
        octets_r = signed_octets(init_response.octets, nonces[0], sa.prf("sk_pr"), response.body(id_r), b"")
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
        self.child(sa, request, response, nonces, ())

    def child(
        self, sa: Sa, request: Message, response: Message, nonces: tuple[bytes, bytes], exchange: tuple[Secret, ...]
    ) -> None:
        choice = check_esp_answer(
            request.one(p.SecurityAssociation).proposals, response.one(p.SecurityAssociation).proposals
        )
        keys: ChildKeys = child_keys(sa.prf("sk_d"), choice.suite, *nonces, exchange)
        self.children.append(choice.suite)
        assert (choice.suite.key_exchange is not None) == bool(exchange)
        both = ("initiator", keys.from_initiator), ("responder", keys.from_responder)
        if choice.suite.encryption.name != "null":
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
        choice = check_ike_answer(offer, answer)
        nonces = request.one(p.Nonce).data, response.one(p.Nonce).data
        secret = self.logged("shared Diffie Hellman secret")
        skeyseed = rekeyed_skeyseed(sa.prf("sk_d"), (secret,), *nonces)
        self.new_sa(choice.suite, skeyseed, nonces, (offer[0].spi, answer[0].spi))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_replay(file: Path) -> None:
    document = json.loads(file.read_text())
    replay = Replay(document)
    replay.run()
    expected = 2 * (2 + len(document["orders"]))
    assert len(replay.shapes) >= expected
    assert replay.shapes.count(Shape.REKEY_IKE_RESPONSE) == sum(order.endswith("ike") for order in document["orders"])
    assert len(replay.children) == 1 + sum(order.endswith("child") for order in document["orders"])
    assert bool(replay.schemes) == (document["pre_shared_key"] is None)
    assert replay.fragments > 0 or "fragmented" not in file.stem


def test_every_method_and_kind_of_transform_was_seen() -> None:
    schemes, modes = set(), set()
    for file in FILES:
        replay = Replay(json.loads(file.read_text()))
        replay.run()
        schemes |= replay.schemes
        modes |= {suite.encryption.mode for suite in replay.children}
        modes |= {sa.suite.encryption.mode for sa in replay.sas.values()}
    assert schemes >= {"ecdsa-sha256", "ecdsa-p384-sha384", "rsa-pkcs1-sha1", "ed25519", "ed448"}
    assert modes == {"cbc", "ctr", "gcm", "ccm", "chacha20-poly1305", "null"}
