"""Fuzz targets: every parser of octets that a peer sends, and every reader of what a user writes."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from ipsecbench.algorithms.proposals import parse_esp, parse_ike
from ipsecbench.errors import ConfigurationError, RejectedError, UsageError
from ipsecbench.esp.mode import Mode
from ipsecbench.esp.traffic_selector import narrow, parse_traffic_selector, subnet, within
from ipsecbench.ike.header import HEADER_BYTES, IkeHeader, parse_header
from ipsecbench.ike.identification import Identity, parse_identity
from ipsecbench.ike.nat_traversal import classify
from ipsecbench.ike.v1 import message as v1_message
from ipsecbench.ike.v1 import payloads as v1_payloads
from ipsecbench.ike.v1 import phase1_negotiation, phase2_negotiation
from ipsecbench.ike.v1.attributes import decode_attributes, encode_attributes
from ipsecbench.ike.v1.identifiers import PayloadType as V1PayloadType
from ipsecbench.ike.v1.identifiers import vendor
from ipsecbench.ike.v1.proposals import SaPayload, decode_sa
from ipsecbench.ike.v2 import negotiation
from ipsecbench.ike.v2.message import PAYLOAD_CLASSES, encode_chain, parse_chain, parse_message
from ipsecbench.ike.v2.payloads import Notify, SecurityAssociation
from ipsecbench.ike.v2.proposals import esp_offer, ike_offer
from ipsecbench.ike.v2.traffic_selectors import decode_selectors, encode_selectors
from ipsecbench.ike.v2.transforms import decode_proposals, encode_proposals
from ipsecbench.ike.v2.validation import validate
from ipsecbench.lab.endpoint_file import read_endpoint_file
from ipsecbench.providers.certificates import PycaPublicKeyInfrastructure
from ipsecbench.providers.distinguished_name import is_empty
from ipsecbench.providers.selection import ProviderSelection
from tests.fuzz import certificates, seeds
from tests.fuzz.budget import PARSER_ERRORS
from tests.fuzz.target import Target, check

_INFRASTRUCTURE = PycaPublicKeyInfrastructure()
_IKE = (
    parse_ike("aes256-aes128-sha256-sha1-prfsha256-prfsha1-x25519-modp1024"),
    parse_ike("aes128gcm16-prfsha256-x25519"),
)
_ESP = (parse_esp("aes256-aes128-sha256-sha1-modp1024-none"), parse_esp("aes128gcm16-x25519-esn-noesn"))
_POLICY = (subnet("10.0.0.0/8"), subnet("2001:db8::/32"), parse_traffic_selector("192.0.2.0/24[tcp/23]"))
_V2_OFFER = ike_offer(_IKE)
_V1_PHASE1 = phase1_negotiation.suites(_IKE, 1, ProviderSelection())
_V1_PHASE2 = phase2_negotiation.suites(_ESP, "modp1024", ProviderSelection())


# The header and what stands before it.


def header(data: bytes) -> None:
    """The IKE header, and the sorting of datagrams on the NAT-T port."""
    classify(data)
    try:
        parsed = parse_header(data)
    except PARSER_ERRORS:
        return
    check(parsed.encode() == data[:HEADER_BYTES], "the header does not come back as it was")


# IKEv2.


def v2_message(data: bytes) -> None:
    """A whole message: its chain, what an exchange would ask of it, and its shape."""
    try:
        message = parse_message(data)
    except PARSER_ERRORS:
        return
    first, octets, _ = encode_chain(message.payloads)
    again, _ = parse_chain(first, octets)
    check(again == message.payloads, "payloads differ after they were written and read again")
    check(len(message.payloads) == len(message.bodies), "a body is missing")
    for payload, body in zip(message.payloads, message.bodies, strict=True):
        check(message.body(payload) == body, "the body is not the one received")
    check(len(message.name) < 200, "the name in logs is not bounded")
    message.notify(16390)
    check(message.error is None or message.error.is_error, "an error that is none")
    try:
        validate(message)
    except PARSER_ERRORS:
        return


def v2_payload(data: bytes) -> None:
    """The body of one payload; the first octet chooses its class."""
    classes = tuple(PAYLOAD_CLASSES.values())
    if not data:
        return
    kind = classes[data[0] % len(classes)]
    try:
        payload = kind.decode(data[1:])
    except PARSER_ERRORS:
        return
    check(kind.decode(payload.encode()) == payload, f"{kind.__name__} differs after it was written and read again")
    if isinstance(payload, Notify):
        check(len(payload.name) < 100, "the name of a Notify is not bounded")


def v2_proposals(data: bytes) -> None:
    """Proposals: parsing, the responder's choice and the initiator's check."""
    try:
        proposals = decode_proposals(data)
    except PARSER_ERRORS:
        return
    check(decode_proposals(encode_proposals(proposals)) == proposals, "proposals do not come back")
    for choose in (
        lambda: negotiation.select_ike(_IKE, proposals),
        lambda: negotiation.select_ike(_IKE, proposals, rekey=True),
        lambda: negotiation.select_esp(_ESP, proposals),
        lambda: negotiation.select_esp(_ESP, proposals, with_key_exchange=False),
        lambda: negotiation.check_ike_answer(_V2_OFFER, proposals),
    ):
        try:
            choice = choose()
        except PARSER_ERRORS:
            continue
        aead, integrity = choice.suite.encryption.aead, choice.suite.integrity
        check(aead == (integrity is None), "a suite without integrity, or with two, was chosen")


def v2_selectors(data: bytes) -> None:
    """Traffic selectors: parsing, their text, narrowing and the initiator's check."""
    try:
        wire = decode_selectors(data)
    except PARSER_ERRORS:
        return
    check(decode_selectors(encode_selectors(wire)) == wire, "selectors do not come back")
    ranges = [selector.selector for selector in wire]
    known = [selector for selector in ranges if selector is not None]
    for selector in known:
        check(selector.text.isprintable() and len(selector.text) < 200, "text of a selector")
    narrowed = narrow(_POLICY, known)
    check(within(_POLICY, narrowed), "narrowing left the policy")
    check(within(known, narrowed), "narrowing left the offer")


# IKEv1.


def v1_clear_message(data: bytes) -> None:
    """A whole message in the clear."""
    try:
        parsed = parse_header(data)
        message = v1_message.decode_payloads(parsed, data[HEADER_BYTES:], padded=False)
    except PARSER_ERRORS:
        return
    _use_v1(message)
    payloads = [each.payload for each in message.payloads]
    again = v1_message.decode_payloads(parsed, v1_message.encode_payloads(payloads), padded=False)
    check([each.payload for each in again.payloads] == payloads, "payloads differ when read again")


def v1_decrypted_body(data: bytes) -> None:
    """What was inside an encrypted message; the first octet is the type of the first payload."""
    if not data:
        return
    length = HEADER_BYTES + len(data) - 1
    made_up = IkeHeader(b"i" * 8, b"r" * 8, data[0], 1, 0, 32, 1, 1, length)
    try:
        message = v1_message.decode_payloads(made_up, data[1:], padded=True)
    except PARSER_ERRORS:
        return
    _use_v1(message)


def _use_v1(message: v1_message.Message) -> None:
    check(len(message.types) == len(message.payloads), "types")
    rest = message.octets_after_first()
    check(message.octets.endswith(rest) or bool(message.octets), "the octets that HASH covers are not there")
    for each in message.payloads:
        if isinstance(each.payload, SaPayload):
            _use_sa(each.payload)
        elif isinstance(each.payload, v1_payloads.IdPayload):
            check(each.payload.identity.text.isprintable(), "an identity is not printable")
        elif each.payload_type == V1PayloadType.VENDOR_ID:
            vendor(each.body)


def v1_payload(data: bytes) -> None:
    """The body of one payload; the first octet is its type."""
    if not data:
        return
    try:
        payload = v1_payloads.decode_payload(data[0], data[1:])
    except PARSER_ERRORS:
        return
    again = v1_payloads.decode_payload(data[0], payload.encode())
    check(again == payload, "a payload differs after it was written and read again")


def v1_sa(data: bytes) -> None:
    """The SA payload: parsing, the responder's choice in both phases, the initiator's check."""
    try:
        sa = decode_sa(data)
    except PARSER_ERRORS:
        return
    check(decode_sa(sa.encode()) == sa, "an SA payload differs after it was written and read again")
    _use_sa(sa)


def _use_sa(sa: SaPayload) -> None:
    phase1_negotiation.choose(sa, _V1_PHASE1)
    for mode in Mode:
        choice = phase2_negotiation.choose(sa, _V1_PHASE2, mode, udp=True)
        check(choice is None or choice.suite in _V1_PHASE2, "a suite that is not configured was chosen")
    try:
        phase1_negotiation.check_answer(sa, _V1_PHASE1)
    except PARSER_ERRORS:
        return


def v1_attributes(data: bytes) -> None:
    """Data attributes of a transform."""
    try:
        attributes = decode_attributes(data)
    except PARSER_ERRORS:
        return
    phase2_negotiation.read_lives(attributes)
    if all(attribute.value < 1 << 64 for attribute in attributes):
        check(decode_attributes(encode_attributes(attributes)) == attributes, "attributes do not come back")


# Identities and certificates.


def identity(data: bytes) -> None:
    """An identity of any type: its text, and whether a certificate or a name is that of it."""
    if not data:
        return
    peer = Identity(data[0] % 14, data[1:])
    check(peer.text.isprintable() and len(peer.text) < 500, "the text of an identity is not bounded and printable")
    name = _INFRASTRUCTURE.distinguished_name_text(peer.data)
    check(name.isprintable() and len(name) < 5000, "the text of a name is not bounded and printable")
    is_empty(peer.data)
    certificate = certificates.leaf()
    check(_INFRASTRUCTURE.names_equal(peer.data, peer.data), "a name does not equal itself")
    for known in (certificate.subject, certificate.issuer):
        equal = _INFRASTRUCTURE.names_equal(peer.data, known)
        check(equal == _INFRASTRUCTURE.names_equal(known, peer.data), "equality of names depends on their order")
    if certificate.matches(peer.id_type, peer.data):
        check(peer.id_type in (1, 2, 3, 5, 9), "a certificate confirms an identity that it cannot have")


def certificate(data: bytes) -> None:
    """A certificate of a peer, and the path that it might have to a trusted authority."""
    try:
        found = _INFRASTRUCTURE.load_certificates(data)
    except PARSER_ERRORS:
        return
    for one in found[:4]:
        for id_type in range(12):
            one.matches(id_type, b"")
        _INFRASTRUCTURE.distinguished_name_text(one.subject)
        try:
            _INFRASTRUCTURE.verify_chain(one, found, [certificates.authority()], certificates.NOW_SECONDS)
        except PARSER_ERRORS:
            pass
        else:
            signed = certificates.to_be_signed(one.der)
            check(signed in certificates.issued(), "a certificate that nobody signed is trusted")
        try:
            one.public_key.verify("ecdsa-sha256", b"message", data[:64])
        except RejectedError:
            continue
        raise AssertionError("a signature that nobody made is valid")


def private_key(data: bytes) -> None:
    """A private key that a configuration names."""
    try:
        _INFRASTRUCTURE.load_private_key(data)
    except PARSER_ERRORS:
        return


# What a user writes.


def endpoint_file(data: bytes) -> None:
    """The configuration of an endpoint: one line with file and line, or a configuration."""
    with tempfile.TemporaryDirectory(prefix="ipsecbench-fuzz-") as folder:
        path = Path(folder) / "endpoint.toml"
        path.write_bytes(data)
        try:
            file = read_endpoint_file(path, _INFRASTRUCTURE)
        except ConfigurationError as error:
            check(str(error).startswith(str(path)), "the message does not begin with the file")
            check("\n" not in str(error), "the message is not one line")
            return
    check(bool(file.configuration.connections), "a configuration without connections")


def user_text(data: bytes) -> None:
    """Proposals, selectors, identities and distinguished names as text; the first octet says which."""
    readers: tuple[Callable[[str], object], ...] = (
        parse_ike,
        parse_esp,
        parse_traffic_selector,
        lambda text: parse_identity(text, _INFRASTRUCTURE.distinguished_name),
        _INFRASTRUCTURE.distinguished_name,
    )
    if not data:
        return
    try:
        readers[data[0] % len(readers)](data[1:].decode("utf-8", "replace"))
    except UsageError as error:
        check("\n" not in str(error), "the message is not one line")


# Where to begin.


def _bodies(major: int) -> Iterator[bytes]:
    classes = [int(kind.TYPE) for kind in PAYLOAD_CLASSES.values()]
    for version, kind, body in seeds.payload_bodies():
        if version == major == 2 and kind in classes:
            yield bytes([classes.index(kind)]) + body
        elif version == major == 1:
            yield bytes([kind]) + body


def _only(major: int, kind: int) -> Iterator[bytes]:
    return (body for version, found, body in seeds.payload_bodies() if (version, found) == (major, kind))


def _v2_sa() -> Iterator[bytes]:
    yield from _only(2, 33)
    yield SecurityAssociation(_V2_OFFER).encode()
    yield SecurityAssociation(esp_offer(_ESP, b"\xc0\xde\x00\x01")).encode()


def _v2_selectors() -> Iterator[bytes]:
    yield from _only(2, 44)
    yield bytes.fromhex("01000000 07000010 0000ffff 0a000000 0affffff")
    yield bytes.fromhex("01000000 08060028 00170017") + bytes(15) + b"\x01" + b"\xff" * 16


def _v1_sa() -> Iterator[bytes]:
    yield from _only(1, 1)
    yield phase1_negotiation.offer(_V1_PHASE1, 86400).encode()
    lives = phase2_negotiation.Phase2Lives(43200, 1000000)
    yield phase2_negotiation.offer(_V1_PHASE2, b"\xc0\xde\x00\x01", 1, lives).encode()


def _attributes() -> Iterator[bytes]:
    for body in _v1_sa():
        try:
            proposals = decode_sa(body).proposals
        except PARSER_ERRORS:
            continue
        for proposal in proposals:
            for transform in proposal.transforms:
                yield transform.attribute_octets


def _identities() -> Iterator[bytes]:
    yield bytes([9]) + certificates.leaf().subject
    yield from (b"\x01\xc0\x00\x02\x01", b"\x02moon.example.net", b"\x03a@example.net", b"\x0bkey")
    yield from (b"\x020", b"\x090", b"\x09\x30\x80", b"\x09", b"\x09\x30\x84\xff\xff\xff\xff")


def _texts() -> Iterator[bytes]:
    yield from (b"\x00aes256-sha256-x25519-ke1_mlkem768", b"\x01aes128gcm16-esn-noesn", b"\x0210.1.0.0/16[tcp/23]")
    yield from (b"\x02::1-::9", b"\x03@#0102", b"\x03C=CH, O=Lab, CN=moon", b"\x04CN=\\2c a+O=b")


PARSERS: tuple[Target, ...] = (
    Target("header", header, seeds.datagrams),
    Target("v2-message", v2_message, seeds.ike_messages),
    Target("v2-payload", v2_payload, lambda: _bodies(2)),
    Target("v2-proposals", v2_proposals, _v2_sa),
    Target("v2-selectors", v2_selectors, _v2_selectors),
    Target("v1-message", v1_clear_message, seeds.ike_messages),
    Target("v1-decrypted-body", v1_decrypted_body, lambda: _bodies(1)),
    Target("v1-payload", v1_payload, lambda: _bodies(1)),
    Target("v1-sa", v1_sa, _v1_sa),
    Target("v1-attributes", v1_attributes, _attributes),
    Target("identity", identity, _identities),
    Target("certificate", certificate, certificates.encoded),
    Target("private-key", private_key, certificates.private_keys, limit_seconds=1.0),  # a file of the user
    Target("endpoint-file", endpoint_file, certificates.endpoint_files, limit_seconds=1.0),
    Target("user-text", user_text, _texts),
)
"""Every parser."""
