"""Exchanges of strongSwan with itself: keys derived, messages decrypted, hashes and signatures verified."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ipsecbench.algorithms.ikev1 import PHASE1_AUTHENTICATION, PHASE1_HASHES
from ipsecbench.algorithms.proposals import parse_esp, parse_ike
from ipsecbench.algorithms.signatures import IKEV1_METHOD_SCHEMES
from ipsecbench.errors import RejectedError
from ipsecbench.esp.mode import Mode
from ipsecbench.ike.header import parse_header
from ipsecbench.ike.v1 import authentication, iv_chain, keymat, phase1_negotiation, phase2_negotiation
from ipsecbench.ike.v1.identifiers import ExchangeType, Flag, PayloadType, Protocol
from ipsecbench.ike.v1.message import Message, body_of, decode_payloads
from ipsecbench.ike.v1.payloads import CertificatePayload, FragmentPayload
from ipsecbench.ike.v1.proposals import SaPayload
from ipsecbench.providers.certificates import PycaPublicKeyInfrastructure
from ipsecbench.providers.selection import ProviderSelection
from ipsecbench.secret import Secret

FILES = sorted((Path(__file__).parent / "ikev1").glob("*.json"))


class Replay:
    """The messages of one transcript in the clear, and the keys that decrypted them."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.secrets = {name: bytes.fromhex(value) for name, value in document["secrets"].items()}
        proposal = parse_ike(document["ike_proposal"])
        self.encryption = proposal.encryption[0]
        self.hash = PHASE1_HASHES[proposal.integrity[0]]
        self.cryptography = ProviderSelection()
        self.messages: list[Message] = []
        self._run()

    def prf(self, key: bytes, message: bytes) -> bytes:
        return self.cryptography.prf(self.hash.prf, key).compute(message)

    def _run(self) -> None:
        """Plain messages first, because the keys come from them; then the encrypted ones in their order."""
        fragments = b""
        encrypted = []
        for row in self.document["messages"]:
            octets = bytes.fromhex(row["octets"])
            header = parse_header(octets)
            if header.next_payload == PayloadType.FRAGMENT:
                piece = decode_payloads(header, body_of(octets), padded=False).payloads[0].payload
                assert isinstance(piece, FragmentPayload)
                fragments += piece.data
                if not piece.last:
                    continue
                octets, header = fragments, parse_header(fragments)
            if header.flags & Flag.ENCRYPTION:
                encrypted.append((header, octets))
            else:
                self.messages.append(decode_payloads(header, body_of(octets), padded=False))
        self.derive()
        chains = {0: self.phase.phase1}
        for header, octets in encrypted:
            chain = chains.get(header.message_id) or self.phase.exchange(header.message_id)
            chains[header.message_id] = chain
            body = body_of(octets)
            self.messages.append(decode_payloads(header, chain.decrypt(body), padded=True))
            chain.accept(body)

    def plain(self, payload_type: int) -> list[bytes]:
        return [
            each.body
            for message in self.messages
            if not message.header.flags & Flag.ENCRYPTION
            for each in message.payloads
            if each.payload_type == payload_type
        ]

    def derive(self) -> None:
        nonce_i, nonce_r = self.plain(PayloadType.NONCE)
        self.public_i, self.public_r = self.plain(PayloadType.KE)
        header = self.messages[-1].header
        shared = Secret(self.secrets["shared_secret"])
        if self.document["authentication"] == "psk":
            skeyid = keymat.skeyid_psk(self.prf, Secret(self.document["pre_shared_key"].encode()), nonce_i, nonce_r)
        else:
            skeyid = keymat.skeyid_signature(self.prf, shared, nonce_i, nonce_r)
        self.family = keymat.derive(self.prf, skeyid, shared, header.spi_i + header.spi_r)
        key = keymat.encryption_key(self.prf, self.family.skeyid_e, self.encryption)
        cipher = self.cryptography.cipher(self.encryption, key.reveal())
        self.first_iv = iv_chain.phase1_iv(self.hash.name, self.public_i, self.public_r, cipher.iv_bytes)
        self.phase = iv_chain.PhaseKeys(cipher, key, self.hash.name, self.first_iv)
        self.transcript = authentication.Phase1Transcript(
            self.public_i, self.public_r, header.spi_i, header.spi_r, self.plain(PayloadType.SA)[0]
        )

    def of(self, exchange_type: int) -> list[Message]:
        return [message for message in self.messages if message.header.exchange_type == exchange_type]


@pytest.fixture(scope="module", params=FILES, ids=lambda path: path.stem)
def replay(request: pytest.FixtureRequest) -> Replay:
    return Replay(json.loads(request.param.read_text()))


def test_there_are_transcripts() -> None:
    assert len(FILES) >= 8


def test_keys_are_those_that_strongswan_logged(replay: Replay) -> None:
    assert replay.family.skeyid.reveal() == replay.secrets["skeyid"]
    assert replay.family.skeyid_d.reveal() == replay.secrets["skeyid_d"]
    assert replay.family.skeyid_a.reveal() == replay.secrets["skeyid_a"]
    assert replay.family.skeyid_e.reveal() == replay.secrets["skeyid_e"]
    assert replay.phase.key.reveal() == replay.secrets["encryption_key"]
    assert replay.first_iv == replay.secrets["initial_iv"]


def test_the_sa_payloads_ask_for_what_was_configured(replay: Replay) -> None:
    proposal = parse_ike(replay.document["ike_proposal"])
    method = PHASE1_AUTHENTICATION[replay.document["authentication"]]
    own = phase1_negotiation.suites([proposal], method, replay.cryptography)
    for message in replay.messages[:2]:
        payload = next(iter(message.all(SaPayload)))
        choice = phase1_negotiation.check_answer(payload, own)
        assert choice.suite == own[0]
        assert choice.life_seconds in (15840, 95040)
        received = message.first(PayloadType.SA)
        assert received is not None
        assert payload.encode() == received.body


def test_phase_1_hashes_and_signatures_are_valid(replay: Replay) -> None:
    main = replay.document["mode"] == "main"
    messages = replay.of(ExchangeType.IDENTITY_PROTECTION if main else ExchangeType.AGGRESSIVE)
    ids = [each.body for message in messages for each in message.payloads if each.payload_type == PayloadType.ID]
    assert len(ids) == 2
    hash_i = replay.transcript.hash_i(replay.prf, replay.family.skeyid, ids[0])
    hash_r = replay.transcript.hash_r(replay.prf, replay.family.skeyid, ids[1])
    assert (hash_i, hash_r) == (replay.secrets["hash_i"], replay.secrets["hash_r"])
    if replay.document["authentication"] == "psk":
        sent = [each.body for message in messages for each in message.payloads if each.payload_type == PayloadType.HASH]
        # Aggressive mode has the responder's first.
        assert sent == ([hash_i, hash_r] if main else [hash_r, hash_i])


def test_phase_2_hashes_are_valid(replay: Replay) -> None:
    quick = replay.of(ExchangeType.QUICK_MODE)
    skeyid_a, prf = replay.family.skeyid_a, replay.prf
    message_id = quick[0].header.message_id
    nonces = [message.first(PayloadType.NONCE) for message in quick[:2]]
    assert nonces[0] is not None
    assert nonces[1] is not None
    expected = [
        authentication.message_hash(prf, skeyid_a, message_id, quick[0].octets_after_first()),
        authentication.quick_mode_hash_2(prf, skeyid_a, message_id, nonces[0].body, quick[1].octets_after_first()),
        authentication.quick_mode_hash_3(prf, skeyid_a, message_id, nonces[0].body, nonces[1].body),
    ]
    for message, value in zip(quick, expected, strict=False):
        authentication.check_hash("HASH", value, message.payloads[0].body)
    informational = replay.of(ExchangeType.INFORMATIONAL)
    assert len(informational) == 2
    for message in informational:
        value = authentication.message_hash(prf, skeyid_a, message.header.message_id, message.octets_after_first())
        assert value == message.payloads[0].body


def test_keys_of_esp_are_those_that_strongswan_logged(replay: Replay) -> None:
    quick = replay.of(ExchangeType.QUICK_MODE)
    payloads = [next(iter(message.all(SaPayload))) for message in quick[:2]]
    proposal = parse_esp(replay.document["esp_proposal"])
    own = phase2_negotiation.suites([proposal], phase2_negotiation.pfs_group([proposal]), replay.cryptography)
    nonces = [each.body for message in quick[:2] for each in message.payloads if each.payload_type == PayloadType.NONCE]
    shared = replay.secrets.get("quick_mode_shared_secret")
    assert (shared is not None) == bool(proposal.key_exchange)
    # The SPI of a direction is chosen by its receiver: the responder's belongs to the initiator's packets.
    for sender, payload in (("responder", payloads[0]), ("initiator", payloads[1])):
        choice = phase2_negotiation.choose(payload, own, Mode.TUNNEL, udp=True)
        assert choice is not None
        assert choice.suite == own[0]
        assert choice.lives.seconds in (3960, 47520)
        seed = keymat.keymat_seed(
            None if shared is None else Secret(shared), Protocol.PROTO_IPSEC_ESP, choice.proposal.spi, *nonces
        )
        keys = keymat.child_keys(
            replay.prf, replay.family.skeyid_d, seed, choice.suite.encryption, choice.suite.integrity
        )
        assert keys.encryption.reveal() == replay.secrets[f"esp_encryption_{sender}"]
        if keys.integrity is not None:
            assert keys.integrity.reveal() == replay.secrets[f"esp_integrity_{sender}"]


def test_the_exchanges_end_with_deletes_or_an_error(replay: Replay) -> None:
    last = replay.messages[-1]
    assert last.types == (PayloadType.HASH, PayloadType.DELETE)


def test_signatures_are_valid_and_no_others(replay: Replay) -> None:
    method = PHASE1_AUTHENTICATION[replay.document["authentication"]]
    scheme = IKEV1_METHOD_SCHEMES.get(method)
    if scheme is None:
        return
    mode = ExchangeType.IDENTITY_PROTECTION if replay.document["mode"] == "main" else ExchangeType.AGGRESSIVE
    signed = {"alice@example.org": replay.secrets["hash_i"], "bob.example.org": replay.secrets["hash_r"]}
    seen = 0
    for message in replay.of(mode):
        for payload in message.all(CertificatePayload):
            if payload.payload_type == PayloadType.CERT:
                certificate = PycaPublicKeyInfrastructure().load_certificate(payload.data)
                (name,) = [each for each in signed if certificate.matches(3 if "@" in each else 2, each.encode())]
        signature = message.first(PayloadType.SIG)
        if signature is not None:
            certificate.public_key.verify(scheme, signed[name], signature.body)
            with pytest.raises(RejectedError):
                certificate.public_key.verify(scheme, signed[name][::-1], signature.body)
            seen += 1
    assert seen == 2
