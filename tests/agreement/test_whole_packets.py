"""Whole ESP packets of the agent against a second implementation, written here from the RFCs over ``cryptography``.

RFC 4303 (layout, padding, ESN), 4106 (GCM), 4309 (CCM), 4543 (GMAC), 7634 (ChaCha20-Poly1305), 3686 (CTR), 3602 and
2451 (CBC), 2410 (NULL), 2403, 2404, 4868, 3566 and 4494 (integrity). It shares no code with the agent and none with
the package but the names and lengths of :mod:`ipsecbench.algorithms`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.decrepit.ciphers import algorithms as decrepit
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.cmac import CMAC

from ipsecbench.algorithms.encryption import Encryption
from ipsecbench.algorithms.suites import EspSuite, esp_suites
from ipsecbench.errors import CorrectnessError

pytestmark = pytest.mark.agent

Compute = Callable[..., bytes]
Offers = Mapping[tuple[str, str], tuple[str, ...]]

INNER_LENGTHS = (20, 21, 28, 47, 64, 65, 576, 1400, 1403, 1500, 9000)
IP_IN_IP, IPV6_IN_IP, NO_NEXT_HEADER = 4, 41, 59
RFC7634 = Path(__file__).parents[1] / "vectors" / "providers" / "rfc" / "rfc7634_chacha20poly1305_esp_ike.json"
_CBC_CIPHERS: dict[str, Callable[[bytes], Any]] = {
    "aes": algorithms.AES,
    "3des": decrepit.TripleDES,
    "des": decrepit.TripleDES,
    "blowfish": decrepit.Blowfish,
    "cast": decrepit.CAST5,
    "camellia": decrepit.Camellia,
}
_HASHES = {
    "md5": hashlib.md5,
    "sha1": hashlib.sha1,
    "sha256": hashlib.sha256,
    "sha384": hashlib.sha384,
    "sha512": hashlib.sha512,
}
BAD_PADDING_SUITES = ("aes128gcm16", "aes128-sha256", "aes256ctr-sha1", "null-sha256", "3des-md5", "aes128gmac")


@dataclass(frozen=True)
class Association:
    """The keys and identifiers of one SA."""

    suite: EspSuite
    encryption_key: bytes
    """As in KEYMAT: the salt follows the key."""
    integrity_key: bytes
    spi: int
    esn: bool

    @property
    def key(self) -> bytes:
        """The key without its salt."""
        return self.encryption_key[: len(self.encryption_key) - self.suite.encryption.salt_bytes]

    @property
    def salt(self) -> bytes:
        """What completes the nonce."""
        return self.encryption_key[len(self.key) :]


def _pad(row: Encryption, payload: bytes, next_header: int) -> bytes:
    """Payload, padding 1, 2, 3, …, Pad Length and Next Header (RFC 4303 section 2.4)."""
    length = -(len(payload) + 2) % row.pad_align_bytes
    return payload + bytes(range(1, length + 1)) + bytes([length, next_header])


def _xcbc(key: bytes, message: bytes) -> bytes:
    """AES-XCBC-MAC, block by block as in RFC 3566 section 4."""

    def aes(with_key: bytes, block: bytes) -> bytes:
        # One block of CBC with a zero IV is the bare cipher.
        return Cipher(algorithms.AES(with_key), modes.CBC(bytes(16))).encryptor().update(block)

    def xor(a: bytes, b: bytes) -> bytes:
        return bytes(x ^ y for x, y in zip(a, b, strict=True))

    k1, k2, k3 = (aes(key, bytes([number]) * 16) for number in (1, 2, 3))
    blocks = [message[start : start + 16] for start in range(0, len(message), 16)] or [b""]
    chain = bytes(16)
    for block in blocks[:-1]:
        chain = aes(k1, xor(chain, block))
    last = blocks[-1]
    if len(last) == 16:
        return aes(k1, xor(xor(chain, last), k2))
    return aes(k1, xor(xor(chain, (last + b"\x80").ljust(16, b"\0")), k3))


def _mac(name: str, key: bytes, message: bytes) -> bytes:
    if name == "aesxcbc":
        return _xcbc(key, message)
    if name == "aescmac":
        context = CMAC(algorithms.AES(key))
        context.update(message)
        return context.finalize()
    return hmac.new(key, message, _HASHES[name]).digest()


def _encrypt(sa: Association, iv: bytes, octets: bytes) -> bytes:
    row = sa.suite.encryption
    if row.mode == "null":
        return octets
    if row.mode == "ctr":
        mode: modes.CTR | modes.CBC = modes.CTR(sa.salt + iv + b"\0\0\0\1")
        return Cipher(algorithms.AES(sa.key), mode).encryptor().update(octets)
    key = sa.key * 3 if row.name == "des" else sa.key
    name = row.name if "des" in row.name else row.name.rstrip("0123456789")
    return Cipher(_CBC_CIPHERS[name](key), modes.CBC(iv)).encryptor().update(octets)


def protect(
    sa: Association, sequence: int, iv: bytes, payload: bytes, next_header: int, padded: bytes | None = None
) -> bytes:
    """The ESP packet from SPI to ICV; ``padded`` replaces payload and trailer, to make a bad one."""
    row = sa.suite.encryption
    header = sa.spi.to_bytes(4) + (sequence & 0xFFFFFFFF).to_bytes(4)
    high = (sequence >> 32).to_bytes(4) if sa.esn else b""
    plaintext = _pad(row, payload, next_header) if padded is None else padded
    if sa.suite.integrity is not None:
        body = header + iv + _encrypt(sa, iv, plaintext)
        # ESN: the high half is covered by the ICV as if it followed the trailer (RFC 4303 section 2.2.1).
        mac = _mac(sa.suite.integrity.name, sa.integrity_key, body + high)
        return body + mac[: sa.suite.integrity.icv_bytes]
    aad = sa.spi.to_bytes(4) + high + (sequence & 0xFFFFFFFF).to_bytes(4)
    nonce = sa.salt + iv
    if row.mode == "gmac":
        icv = AESGCM(sa.key).encrypt(nonce, b"", aad + iv + plaintext)
        return header + iv + plaintext + icv
    if row.mode == "ccm":
        sealed = AESCCM(sa.key, row.icv_bytes).encrypt(nonce, plaintext, aad)
    elif row.mode == "gcm":
        full = AESGCM(sa.key).encrypt(nonce, plaintext, aad)
        sealed = full[: len(plaintext) + row.icv_bytes]
    else:
        sealed = ChaCha20Poly1305(sa.key).encrypt(nonce, plaintext, aad)
    return header + iv + sealed


SUITES = [name for name, suite in esp_suites().items() if not name.startswith(("twofish", "serpent"))]


def _association(source: random.Random, name: str, esn: bool) -> Association:
    suite = esp_suites()[name]
    integrity_bytes = suite.integrity.key_bytes if suite.integrity else 0
    encryption_key, integrity_key = source.randbytes(suite.encryption.keymat_bytes), source.randbytes(integrity_bytes)
    return Association(suite, encryption_key, integrity_key, source.randrange(256, 2**32), esn)


def _fields(sa: Association) -> dict[str, object]:
    fields: dict[str, object] = {"tier": "packet-loop", "encryption_key": sa.encryption_key, "esn": sa.esn}
    if sa.suite.integrity is not None:
        fields["integrity_key"] = sa.integrity_key
    return fields


def _providers(offers: Offers, name: str) -> tuple[str, ...]:
    providers = offers.get(("packet-loop", name), ())
    if not providers:
        pytest.skip(f"{name}: no library here has it")
    return providers


@pytest.mark.parametrize("esn", [False, True], ids=["", "esn"])
@pytest.mark.parametrize("name", SUITES)
def test_outbound_and_inbound(compute: Compute, offers: Offers, name: str, esn: bool) -> None:
    providers = _providers(offers, name)
    source = random.Random(f"{name} {esn}")
    for length in INNER_LENGTHS:
        sa = _association(source, name, esn)
        sequence = source.randrange(1, 2**64 if esn else 2**32)
        iv, inner = source.randbytes(sa.suite.encryption.iv_bytes), source.randbytes(length)
        next_header = source.choice((IP_IN_IP, IPV6_IN_IP))
        packet = protect(sa, sequence, iv, inner, next_header)
        order = {**_fields(sa), "spi": sa.spi, "sequence": sequence, "iv": iv, "next_header": next_header}
        high = {"sequence_high": sequence >> 32} if esn else {}
        for provider in providers:
            made = compute(provider, "outbound", name, input=inner, **order)
            assert made == packet, (provider, length)
            assert compute(provider, "inbound", name, input=packet, **_fields(sa), **high) == inner, (provider, length)


@pytest.mark.parametrize("name", SUITES)
def test_forged_packets_are_rejected(compute: Compute, offers: Offers, name: str) -> None:
    providers = _providers(offers, name)
    source = random.Random(name)
    sa = _association(source, name, False)
    iv, inner = source.randbytes(sa.suite.encryption.iv_bytes), source.randbytes(100)
    packet = protect(sa, 7, iv, inner, IP_IN_IP)
    # Sequence number, IV, payload, and the first and last octet of the ICV.
    positions = {7, 8, 8 + len(iv), len(packet) // 2, len(packet) - sa.suite.icv_bytes, len(packet) - 1}
    for provider in providers:
        for position in sorted(positions):
            forged = packet[:position] + bytes([packet[position] ^ 1]) + packet[position + 1 :]
            with pytest.raises(CorrectnessError):
                compute(provider, "inbound", name, input=forged, **_fields(sa))
        for cut in (packet[:-1], packet[: len(packet) - sa.suite.icv_bytes], packet[:8], packet[:3]):
            with pytest.raises(CorrectnessError):
                compute(provider, "inbound", name, input=cut, **_fields(sa))


@pytest.mark.parametrize("name", BAD_PADDING_SUITES)
def test_authentic_packets_with_bad_padding_are_rejected(compute: Compute, offers: Offers, name: str) -> None:
    source = random.Random(name)
    sa = _association(source, name, False)
    iv, align = source.randbytes(sa.suite.encryption.iv_bytes), sa.suite.encryption.pad_align_bytes
    payload_bytes = 4 * align - 5
    payload = source.randbytes(payload_bytes)
    good = _pad(sa.suite.encryption, payload, IP_IN_IP)
    assert good[-5:-2] == b"\1\2\3"
    bad = {
        "padding octets": good[:-5] + b"\1\2\4" + good[-2:],
        "zero padding": good[:-5] + bytes(3) + good[-2:],
        "Pad Length beyond the packet": good[:-2] + bytes([255, IP_IN_IP]),
    }
    for provider in _providers(offers, name):
        assert compute(provider, "inbound", name, input=protect(sa, 1, iv, payload, 4), **_fields(sa)) == payload
        for padded in bad.values():
            packet = protect(sa, 1, iv, b"", IP_IN_IP, padded)
            with pytest.raises(CorrectnessError):
                compute(provider, "inbound", name, input=packet, **_fields(sa))


@pytest.mark.parametrize("name", ["aes128gcm16", "aes256-sha512"])
def test_replayed_packets_are_rejected(compute: Compute, offers: Offers, name: str) -> None:
    source = random.Random(name)
    sa = _association(source, name, False)
    iv, inner = source.randbytes(sa.suite.encryption.iv_bytes), source.randbytes(64)
    for provider in _providers(offers, name):
        # RFC 4303 section 3.4.3, with the default window of 64 packets.
        for sequence, received, taken in (
            (5, [1, 2, 3, 4], True),
            (5, [1, 2, 5], False),
            (5, [6, 7], True),
            (5, [68], True),
            (5, [69], False),
            (5, [5, 1000], False),
            (2**32 - 1, [1], True),
        ):
            packet = protect(sa, sequence, iv, inner, IP_IN_IP)
            fields = {**_fields(sa), "replay": received}
            if taken:
                assert compute(provider, "inbound", name, input=packet, **fields) == inner, (sequence, received)
            else:
                with pytest.raises(CorrectnessError):
                    compute(provider, "inbound", name, input=packet, **fields)


@pytest.mark.parametrize("name", ["aes128gcm16", "aes128-sha256"])
def test_the_high_half_of_the_sequence_number_is_covered(compute: Compute, offers: Offers, name: str) -> None:
    source = random.Random(name)
    sa = _association(source, name, True)
    iv, inner = source.randbytes(sa.suite.encryption.iv_bytes), source.randbytes(64)
    packet = protect(sa, 5 << 32 | 9, iv, inner, IP_IN_IP)
    for provider in _providers(offers, name):
        assert compute(provider, "inbound", name, input=packet, **_fields(sa), sequence_high=5) == inner
        with pytest.raises(CorrectnessError):
            compute(provider, "inbound", name, input=packet, **_fields(sa), sequence_high=6)


def test_the_reference_gives_the_packet_of_rfc7634() -> None:
    """The second implementation is itself held against a published packet (RFC 7634 appendix A)."""
    v = json.loads(RFC7634.read_text(encoding="utf-8"))["esp"]
    spi = int(v["spi"], 16)
    sa = Association(esp_suites()["chacha20poly1305"], bytes.fromhex(v["keymat"]), b"", spi, v["esn"])
    packet = protect(sa, v["seq"], bytes.fromhex(v["iv"]), bytes.fromhex(v["source_packet"]), IP_IN_IP)
    outer_header_bytes = 20
    assert packet == bytes.fromhex(v["packet"])[outer_header_bytes:]
