"""The Encrypted payload: RFC 7634's example, a real message with a false ICV, every transform, every changed octet."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.integrity import INTEGRITY
from ipsecbench.errors import MalformedError, ProtocolError, RejectedError
from ipsecbench.ike.header import HEADER_BYTES, IkeHeader
from ipsecbench.ike.v2 import payloads as p
from ipsecbench.ike.v2.fragmentation import MAX_CONTENT_BYTES, MAX_FRAGMENTS, Reassembly, seal_fragmented
from ipsecbench.ike.v2.identifiers import ExchangeType, NotifyType, PayloadType
from ipsecbench.ike.v2.keymat import IkeKeys
from ipsecbench.ike.v2.message import Message, build_message, encode_chain, new_header, parse_message
from ipsecbench.ike.v2.proposals import IkeSuite
from ipsecbench.ike.v2.protection import IkeProtection
from ipsecbench.providers.selection import ProviderSelection
from ipsecbench.secret import Secret
from tests.unit.ike.v2.test_v2_keymat import ike_suite

VECTORS = Path(__file__).parents[3] / "vectors"
CRYPTOGRAPHY = ProviderSelection()
EMPTY = Secret(b"")
CONTENT: tuple[p.Payload, ...] = (p.Notify(NotifyType.INITIAL_CONTACT), p.Nonce(bytes(range(100))), p.VendorId(b"x"))
SUITES = [
    *(f"{name}-prfsha256-x25519" for name, row in ENCRYPTION.items() if row.aead and row.mode != "gmac"),
    *(
        f"{name}-sha256-x25519"
        for name, row in ENCRYPTION.items()
        if row.mode in ("cbc", "ctr") and row.ikev2_id is not None and name != "des"
    ),
    *(f"aes256-{name}-prfsha256-x25519" for name in INTEGRITY),
]


def _keys(suite: IkeSuite) -> IkeKeys:
    octets: Iterator[int] = count(1)

    def key(length: int) -> Secret:
        return Secret(bytes(next(octets) % 251 for _ in range(length)))

    integrity = suite.integrity.key_bytes if suite.integrity else 0
    encryption = suite.encryption.keymat_bytes
    return IkeKeys(EMPTY, key(integrity), key(integrity), key(encryption), key(encryption), EMPTY, EMPTY)


def _random() -> Callable[[int], bytes]:
    numbers = count(1)
    return lambda length: next(numbers).to_bytes(length)


def _ends(text: str) -> tuple[IkeProtection, IkeProtection]:
    suite = ike_suite(text)
    keys = _keys(suite)
    initiator = IkeProtection(CRYPTOGRAPHY, suite, keys, is_initiator=True, random=_random())
    return initiator, IkeProtection(CRYPTOGRAPHY, suite, keys, is_initiator=False, random=_random())


def _header(message_id: int = 1, exchange: int = ExchangeType.IKE_AUTH) -> IkeHeader:
    return new_header(exchange, message_id, spi_i=b"initiate", spi_r=b"response", from_initiator=True, response=False)


def test_the_message_of_rfc_7634() -> None:
    """Appendix B: an INFORMATIONAL message from the responder's side of a rekeyed IKE SA, octet by octet."""
    row = json.loads((VECTORS / "rfc" / "rfc7634_chacha20poly1305_esp_ike.json").read_text())["ikev2"]
    suite = ike_suite("chacha20poly1305-prfsha256-x25519")
    key = Secret(bytes.fromhex(row["key"] + row["salt"]))
    keys = IkeKeys(EMPTY, EMPTY, EMPTY, key, key, EMPTY, EMPTY)
    end = IkeProtection(CRYPTOGRAPHY, suite, keys, is_initiator=False, random=_random())
    received = bytes.fromhex(row["message"])
    opened = end.open(parse_message(received))
    notify = opened.one(p.Notify)
    assert (notify.message_type, notify.data) == (NotifyType.SET_WINDOW_SIZE, (10).to_bytes(4))
    assert opened.content == bytes.fromhex(row["notify_payload"])
    assert opened.protected
    # And the same octets are made, with the counter of the example.
    end.outbound._new_iv = lambda: bytes.fromhex(row["iv"])  # type: ignore[attr-defined]
    assert end.seal(opened.header, opened.payloads).octets == received


@pytest.mark.parametrize("text", SUITES)
def test_what_is_sealed_opens_with_every_transform(text: str) -> None:
    sender, receiver = _ends(text)
    for payloads in (CONTENT, (), CONTENT[:1]):
        sealed = sender.seal(_header(), payloads)
        message = parse_message(sealed.octets)
        assert message.encrypted is not None
        opened = receiver.open(message)
        assert opened == sealed
        assert opened.payloads == payloads
        assert message.header.length == len(sealed.octets)
    # The same content twice gives other octets: no IV is used twice.
    assert sender.seal(_header(), CONTENT).octets != sender.seal(_header(), CONTENT).octets
    # An end does not open what it sealed itself.
    with pytest.raises(RejectedError):
        sender.open(parse_message(sender.seal(_header(), CONTENT).octets))


@pytest.mark.parametrize("text", ["aes256-sha256-x25519", "aes128ctr-sha1-x25519", "aes128gcm16-prfsha256-x25519"])
def test_every_changed_or_missing_octet_is_rejected_with_one_and_the_same_error(text: str) -> None:
    sender, receiver = _ends(text)
    octets = sender.seal(_header(), CONTENT).octets
    texts = set()
    for position in range(len(octets)):
        if (
            24 <= position < 28
            or HEADER_BYTES + 2 <= position < HEADER_BYTES + 4
            or position in (16, 19, 20, 21, 22, 23)
        ):
            continue  # lengths are found out before; the others are in the message's name
        changed = bytearray(octets)
        changed[position] ^= 0x40 if position == 18 else 0x01
        try:
            message = parse_message(bytes(changed))
        except ProtocolError:
            continue
        with pytest.raises(RejectedError) as caught:
            receiver.open(message)
        texts.add(str(caught.value).partition(":")[2])
    for cut in range(HEADER_BYTES + 4, len(octets)):
        short = octets[:24] + cut.to_bytes(4) + octets[28:30] + (cut - HEADER_BYTES).to_bytes(2) + octets[32:cut]
        with pytest.raises(RejectedError) as caught:
            receiver.open(parse_message(short))
        texts.add(str(caught.value).partition(":")[2])
    assert texts == {" the Encrypted payload does not open"}


class _CountingCipher:
    """Says whether anything was decrypted."""

    def __init__(self) -> None:
        self.calls = 0

    def decrypt(self, iv: bytes, ciphertext: bytes) -> bytes:
        self.calls += 1
        return ciphertext


def test_nothing_is_decrypted_before_the_icv_is_right() -> None:
    sender, receiver = _ends("aes256-sha256-x25519")
    octets = bytearray(sender.seal(_header(), CONTENT).octets)
    octets[-1] ^= 1
    counting = _CountingCipher()
    receiver.inbound._cipher = counting  # type: ignore[attr-defined]
    with pytest.raises(RejectedError):
        receiver.open(parse_message(bytes(octets)))
    assert counting.calls == 0


@pytest.mark.parametrize("text", ["aes256-sha256-x25519", "aes128gcm16-prfsha256-x25519"])
def test_any_padding_that_fits_is_accepted_and_more_than_there_is_rejected(text: str) -> None:
    """RFC 7296 section 3.14: the recipient must accept any length that results in proper alignment."""
    sender, receiver = _ends(text)
    first, content, _ = encode_chain(CONTENT)
    direction = sender.outbound
    for extra in (0, 1, 15):
        padding = -(len(content) + 1) % 16 + 16 * extra
        plaintext = content + bytes(padding) + bytes([padding])
        opened = receiver.open(_sealed_by_hand(sender, first, plaintext))
        assert opened.payloads == CONTENT
    with pytest.raises(RejectedError):
        receiver.open(_sealed_by_hand(sender, first, bytes(15) + b"\x10"))
    assert direction.iv_bytes


def _sealed_by_hand(sender: IkeProtection, first: int, plaintext: bytes) -> Message:
    direction = sender.outbound
    length = 4 + direction.iv_bytes + len(plaintext) + direction.icv_bytes
    header = _header().encode()
    prefix = header[:16] + bytes([PayloadType.SK]) + header[17:24] + (28 + length).to_bytes(4)
    prefix += bytes([first, 0]) + length.to_bytes(2)
    return parse_message(prefix + direction.seal(prefix, plaintext))


def test_payloads_outside_of_the_encrypted_one_are_authenticated_but_not_kept() -> None:
    sender, receiver = _ends("aes128gcm16-prfsha256-x25519")
    first, content, _ = encode_chain(CONTENT)
    direction = sender.outbound
    outside = encode_chain([p.UnknownPayload(200, b"outside")])[1]
    length = 4 + direction.iv_bytes + len(content) + 1 + direction.icv_bytes
    header = build_message(_header(), [p.UnknownPayload(200, b"")]).octets[:24]
    prefix = header + (28 + len(outside) + length).to_bytes(4) + bytes([PayloadType.SK]) + outside[1:]
    prefix += bytes([first, 0]) + length.to_bytes(2)
    message = parse_message(prefix + direction.seal(prefix, content + b"\0"))
    assert len(message.payloads) == 2
    assert receiver.open(message).payloads == CONTENT


def test_a_message_without_an_encrypted_payload_does_not_open() -> None:
    _, receiver = _ends("aes128gcm16-prfsha256-x25519")
    with pytest.raises(RejectedError):
        receiver.open(parse_message(build_message(_header(), CONTENT).octets))


def test_content_of_the_peer_that_does_not_parse_is_the_peers_fault() -> None:
    sender, receiver = _ends("aes128gcm16-prfsha256-x25519")
    octets = sender.seal_content(_header(), PayloadType.SK, PayloadType.NONCE, b"", b"\0\0\0")
    with pytest.raises(MalformedError):
        receiver.open(parse_message(octets))
    critical = p.UnknownPayload(200, b"", is_critical=True)
    with pytest.raises(ProtocolError) as caught:
        receiver.open(parse_message(sender.seal(_header(), [critical]).octets))
    assert caught.value.notify == NotifyType.UNSUPPORTED_CRITICAL_PAYLOAD


LONG: tuple[p.Payload, ...] = tuple(p.Certificate(4, bytes([number]) * 900) for number in range(5))


@pytest.mark.parametrize("text", ["aes256-sha256-x25519", "aes128gcm16-prfsha256-x25519", "3des-sha1-modp1024"])
@pytest.mark.parametrize("limit", [100, 576, 1252, 4000])
def test_fragments_fit_the_size_and_make_the_message_in_any_order(text: str, limit: int) -> None:
    sender, receiver = _ends(text)
    whole, datagrams = seal_fragmented(sender, _header(), LONG, limit)
    assert len(datagrams) > 1
    assert all(len(datagram) <= limit for datagram in datagrams)
    for order in (datagrams, datagrams[::-1], datagrams[1:] + datagrams[:1]):
        reassembly = Reassembly()
        results = [reassembly.add(parse_message(datagram), receiver) for datagram in order]
        assert results[:-1] == [None] * (len(order) - 1)
        opened = results[-1]
        assert opened is not None
        assert opened.payloads == LONG
        assert opened.intermediate_octets == whole.intermediate_octets
        assert opened.header.next_payload == PayloadType.SK
        assert reassembly.pending == 0


def test_a_message_that_fits_is_not_fragmented() -> None:
    sender, receiver = _ends("aes256-sha256-x25519")
    whole, datagrams = seal_fragmented(sender, _header(), CONTENT, 1252)
    assert datagrams == (whole.octets,)
    assert receiver.open(parse_message(datagrams[0])).payloads == CONTENT


def test_a_message_that_is_too_long_for_the_size_is_not_sent() -> None:
    sender, _ = _ends("aes256-sha256-x25519")
    for limit in (0, 60, 83, 84):
        with pytest.raises(MalformedError):
            seal_fragmented(sender, _header(), LONG, limit)


def _fragment(sender: IkeProtection, number: int, total: int, content: bytes = b"x", message_id: int = 1) -> Message:
    numbers = number.to_bytes(2) + total.to_bytes(2)
    first = PayloadType.V if number == 1 else 0
    return parse_message(sender.seal_content(_header(message_id), PayloadType.SKF, first, numbers, content))


@pytest.mark.parametrize(
    ("number", "total"), [(0, 0), (0, 1), (1, 0), (2, 1), (65535, 1), (1, MAX_FRAGMENTS + 1), (65535, 65535)]
)
def test_fragment_numbers_that_make_no_sense_are_refused(number: int, total: int) -> None:
    """CVE-2016-1344."""
    sender, receiver = _ends("aes128gcm16-prfsha256-x25519")
    reassembly = Reassembly()
    with pytest.raises(MalformedError):
        reassembly.add(_fragment(sender, number, total), receiver)
    assert reassembly.pending == 0


@pytest.mark.parametrize("length", range(9))
def test_a_fragment_payload_shorter_than_its_fields_is_refused(length: int) -> None:
    """CVE-2016-1287: sizes below the fixed part must not become large ones."""
    _, receiver = _ends("aes128gcm16-prfsha256-x25519")
    body = b"\0\1\0\2"[: max(length - 4, 0)]
    octets = _header().encode()[:16] + bytes([PayloadType.SKF]) + _header().encode()[17:24]
    octets += (32 + len(body)).to_bytes(4) + bytes([PayloadType.V, 0]) + length.to_bytes(2) + body
    with pytest.raises((MalformedError, RejectedError)):
        Reassembly().add(parse_message(octets), receiver)


def test_duplicates_and_fragments_of_an_older_set_are_ignored() -> None:
    sender, receiver = _ends("aes128gcm16-prfsha256-x25519")
    reassembly = Reassembly()
    assert reassembly.add(_fragment(sender, 2, 3), receiver) is None
    assert reassembly.add(_fragment(sender, 2, 3, b"other"), receiver) is None
    assert reassembly.add(_fragment(sender, 1, 2), receiver) is None
    assert reassembly.pending == 1


def test_more_fragments_than_before_start_again_and_another_message_too() -> None:
    sender, receiver = _ends("aes128gcm16-prfsha256-x25519")
    first, content, _ = encode_chain([p.VendorId(b"vendor")])
    assert first == PayloadType.V
    reassembly = Reassembly()
    reassembly.add(_fragment(sender, 1, 2, b"old"), receiver)
    reassembly.add(_fragment(sender, 2, 3, content[3:6]), receiver)
    assert reassembly.pending == 1
    reassembly.add(_fragment(sender, 3, 3, content[6:]), receiver)
    opened = reassembly.add(_fragment(sender, 1, 3, content[:3]), receiver)
    assert opened is not None
    assert opened.payloads == (p.VendorId(b"vendor"),)
    reassembly.add(_fragment(sender, 1, 3), receiver)
    reassembly.add(_fragment(sender, 1, 2, message_id=2), receiver)
    assert reassembly.pending == 1


def test_a_forged_fragment_changes_nothing() -> None:
    sender, receiver = _ends("aes128gcm16-prfsha256-x25519")
    stranger, _ = _ends("aes128gcm16-prfsha256-x25519")
    reassembly = Reassembly()
    reassembly.add(_fragment(sender, 1, 3), receiver)
    for number, total, message_id in ((2, 3, 1), (1, 4, 1), (1, 2, 9)):
        forged = bytearray(_fragment(stranger, number, total, b"forged", message_id).octets)
        forged[-1] ^= 1
        with pytest.raises(RejectedError):
            reassembly.add(parse_message(bytes(forged)), receiver)
    # The numbers themselves are authenticated.
    octets = bytearray(_fragment(sender, 2, 3).octets)
    octets[HEADER_BYTES + 5] = 3
    with pytest.raises(RejectedError):
        reassembly.add(parse_message(bytes(octets)), receiver)
    assert reassembly.pending == 1
    with pytest.raises(MalformedError):
        reassembly.add(parse_message(build_message(_header(), CONTENT).octets), receiver)


def test_the_octets_of_a_reassembly_are_bounded() -> None:
    sender, receiver = _ends("aes128gcm16-prfsha256-x25519")
    reassembly = Reassembly()
    reassembly.add(_fragment(sender, 1, 3, bytes(MAX_CONTENT_BYTES // 2)), receiver)
    with pytest.raises(MalformedError):
        reassembly.add(_fragment(sender, 2, 3, bytes(MAX_CONTENT_BYTES // 2 + 2)), receiver)
    assert reassembly.pending == 0


def test_unknown_payloads_outside_of_fragments_do_not_add_up() -> None:
    """CVE-2026-12413: each fragment with payloads of its own outside."""
    sender, receiver = _ends("aes128gcm16-prfsha256-x25519")
    outside = encode_chain([p.UnknownPayload(200, b"outside")] * 100)[1]
    outside = outside[:-11] + bytes([PayloadType.SKF]) + outside[-10:]
    direction = sender.outbound
    reassembly = Reassembly()
    first, content, _ = encode_chain([p.VendorId(b"0123456789")])
    results = []
    for number in range(1, 11):
        chunk = content[(number - 1) * 2 : number * 2] if number < 10 else b""
        length = 8 + direction.iv_bytes + len(chunk) + 1 + direction.icv_bytes
        prefix = (
            _header().encode()[:16] + b"\xc8" + _header().encode()[17:24] + (28 + len(outside) + length).to_bytes(4)
        )
        prefix += outside + bytes([first if number == 1 else 0, 0]) + length.to_bytes(2)
        prefix += number.to_bytes(2) + (10).to_bytes(2)
        results.append(reassembly.add(parse_message(prefix + direction.seal(prefix, chunk + b"\0")), receiver))
    opened = results[-1]
    assert opened is not None
    assert opened.payloads == (p.VendorId(b"0123456789"),)
    # RFC 9242 section 3.3.2: as if it had come in one piece, the outer payloads of the first fragment included.
    expected = opened.octets[:16] + b"\xc8" + opened.octets[17:24]
    expected += (28 + len(outside) + 4 + len(content)).to_bytes(4)
    expected += outside[:-11] + bytes([PayloadType.SK]) + outside[-10:]
    expected += bytes([first, 0]) + (4 + len(content)).to_bytes(2) + content
    assert opened.intermediate_octets == expected
