"""The ESP transform: packets of DPDK and of the RFCs, and every suite against a transform written in Python."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import struct
from collections.abc import Callable
from typing import Any

import pytest
from Crypto.Cipher import AES, CAST, DES, DES3, Blowfish
from Crypto.Hash import CMAC
from cryptography.hazmat.decrepit.ciphers.algorithms import Camellia
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

pytestmark = pytest.mark.agent

PROVIDERS = ("libcrypto", "libgcrypt")
SPI = 0xCAFE0001
SEQUENCE = (7 << 32) | 0x01020304


def octets(length: int, start: int = 1) -> bytes:
    """A pattern without weak DES keys."""
    return bytes((start + 37 * position) % 256 for position in range(length))


# --- packets of others


def dpdk_orders(vectors: Callable[[str], Any]) -> list[tuple[str, dict[str, Any], bytes, bytes]]:
    """Suite and keys of each DPDK packet, the inner packet, and the ESP packet without its outer header."""
    ciphers = {"AES_CBC": "aes{}", "AES_CTR": "aes{}ctr", "AES_GCM": "aes{}gcm16", "AES_CCM": "aes{}ccm16"}
    ciphers |= {"3DES_CBC": "3des", "DES_CBC": "des", "NULL": "null"}
    macs = {"MD5_HMAC": "md5", "SHA256_HMAC": "sha256", "SHA384_HMAC": "sha384", "SHA512_HMAC": "sha512"}
    macs |= {"AES_XCBC_MAC": "aesxcbc"}
    found = []
    for name, vector in vectors("dpdk/dpdk_ipsec_vectors.json")["vectors"].items():
        suite = ""
        for algorithm in vector["params"]["algo"] + vector["params"].get("auth.algo", []):
            kind, _, token = algorithm.removeprefix("RTE_CRYPTO_").partition("_")
            if kind == "AUTH":
                suite += "-" + macs[token]
            else:
                suite = ciphers[token].format(len(vector.get("key", "")) * 4)
        packet = bytes.fromhex(vector["output_text"])
        outer_bytes = 20 if packet[0] >> 4 == 4 else 40
        inner = bytes.fromhex(vector["input_text"])
        order = {
            "tier": "packet-loop",
            "algorithm": suite,
            "encryption_key": vector.get("key", "") + vector.get("salt", ""),
            "integrity_key": vector.get("auth_key", ""),
            "iv": vector.get("iv", ""),
            "spi": struct.unpack("!I", packet[outer_bytes : outer_bytes + 4])[0],
            "sequence": struct.unpack("!I", packet[outer_bytes + 4 : outer_bytes + 8])[0],
            "next_header": 41 if inner[0] >> 4 == 6 else 4,
        }
        found.append((name, order, inner, packet[outer_bytes:]))
    return found


INBOUND_FIELDS = ("tier", "algorithm", "encryption_key", "integrity_key", "spi")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_packets_of_dpdk(agent: Any, rows: Any, vectors: Callable[[str], Any], provider: str) -> None:
    cases = [case for case in dpdk_orders(vectors) if rows[provider, "packet-loop", case[1]["algorithm"]]["operations"]]
    assert len(cases) >= 20
    outbound = [
        {**order, "provider": provider, "operation": "outbound", "input": inner.hex()} for _, order, inner, _ in cases
    ]
    for output, (name, _, _, packet) in zip(agent.compute(outbound), cases, strict=True):
        assert output == packet, name
    inbound = [
        {
            **{field: order[field] for field in INBOUND_FIELDS},
            "provider": provider,
            "operation": "inbound",
            "input": packet.hex(),
        }
        for _, order, _, packet in cases
    ]
    for output, (name, _, inner, _) in zip(agent.compute(inbound), cases, strict=True):
        assert output == inner, name


@pytest.mark.parametrize("provider", PROVIDERS)
def test_packets_of_the_gcm_draft(agent: Any, vectors: Callable[[str], Any], provider: str) -> None:
    orders, expected = [], []
    for vector in vectors("rfc/mcgrew_gcm_test_01_esp.json")["vectors"]:
        plaintext = bytes.fromhex(vector["plaintext"])
        sequence = int(vector["seq"], 16)
        packet = vector["spi"] + vector["seq"][-8:] + vector["iv"] + vector["ciphertext"] + vector["icv"]
        inner = plaintext[: len(plaintext) - 2 - vector["pad_len"]]
        order = {
            "provider": provider,
            "tier": "packet-loop",
            "algorithm": f"aes{len(vector['key']) * 4}gcm16",
            "encryption_key": vector["key"] + vector["salt"],
            "spi": int(vector["spi"], 16),
            "esn": vector["esn"],
        }
        orders.append(
            {
                **order,
                "operation": "outbound",
                "iv": vector["iv"],
                "sequence": sequence,
                "next_header": vector["next_header"],
                "input": inner.hex(),
            }
        )
        expected.append(bytes.fromhex(packet))
        high = {"sequence_high": sequence >> 32} if vector["esn"] else {}
        orders.append({**order, **high, "operation": "inbound", "input": packet})
        expected.append(inner)
    assert len(orders) == 28
    assert agent.compute(orders) == expected


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_packet_of_rfc_7634(agent: Any, vectors: Callable[[str], Any], provider: str) -> None:
    esp = vectors("rfc/rfc7634_chacha20poly1305_esp_ike.json")["esp"]
    order = {
        "provider": provider,
        "tier": "packet-loop",
        "algorithm": "chacha20poly1305",
        "encryption_key": esp["keymat"],
        "spi": int(esp["spi"], 16),
    }
    packet = esp["packet"][40:]
    outputs = agent.compute(
        [
            {
                **order,
                "operation": "outbound",
                "iv": esp["iv"],
                "sequence": esp["seq"],
                "input": esp["source_packet"],
            },
            {**order, "operation": "inbound", "input": packet},
        ]
    )
    assert outputs == [bytes.fromhex(packet), bytes.fromhex(esp["source_packet"])]


# --- every suite against another implementation


def xcbc(key: bytes, message: bytes) -> bytes:
    """AES-XCBC-MAC-128, RFC 3566 section 4."""
    block = AES.new(key, AES.MODE_ECB).encrypt
    k1, k2, k3 = (block(bytes([number]) * 16) for number in (1, 2, 3))
    count = max(1, -(-len(message) // 16))
    last = message[16 * (count - 1) :]
    mask = k2 if len(last) == 16 else k3
    if len(last) < 16:
        last = (last + b"\x80").ljust(16, b"\0")
    chain = bytes(16)
    encrypt = AES.new(k1, AES.MODE_ECB).encrypt
    for number in range(count - 1):
        chain = encrypt(bytes(a ^ b for a, b in zip(chain, message[16 * number : 16 * number + 16], strict=True)))
    return encrypt(bytes(a ^ b ^ c for a, b, c in zip(chain, last, mask, strict=True)))


MACS: dict[str, tuple[int, int, Callable[[bytes, bytes], bytes]]] = {
    "md5": (16, 12, lambda key, message: hmac.digest(key, message, "md5")),
    "sha1": (20, 12, lambda key, message: hmac.digest(key, message, "sha1")),
    "sha256": (32, 16, lambda key, message: hmac.digest(key, message, hashlib.sha256)),
    "sha384": (48, 24, lambda key, message: hmac.digest(key, message, "sha384")),
    "sha512": (64, 32, lambda key, message: hmac.digest(key, message, "sha512")),
    "aesxcbc": (16, 12, xcbc),
    "aescmac": (16, 12, lambda key, message: CMAC.new(key, message, ciphermod=AES).digest()),
}


def camellia(key: bytes, iv: bytes, text: bytes) -> bytes:
    """Camellia-CBC."""
    encryptor = Cipher(Camellia(key), modes.CBC(iv)).encryptor()
    return encryptor.update(text) + encryptor.finalize()


def counter_mode(key: bytes, iv: bytes, text: bytes) -> bytes:
    """AES-CTR as RFC 3686 has it: the key ends in the nonce."""
    block = key[-4:] + iv + bytes([0, 0, 0, 1])
    return AES.new(key[:-4], AES.MODE_CTR, nonce=b"", initial_value=block).encrypt(text)


# Name: KEYMAT octets, IV octets, block, encryption. Twofish and Serpent have no second implementation here.
CIPHERS: dict[str, tuple[int, int, int, Callable[[bytes, bytes, bytes], bytes]]] = {
    "null": (0, 0, 4, lambda key, iv, text: text),
    "3des": (24, 8, 8, lambda key, iv, text: DES3.new(key, DES3.MODE_CBC, iv).encrypt(text)),
    "des": (8, 8, 8, lambda key, iv, text: DES.new(key, DES.MODE_CBC, iv).encrypt(text)),  # noqa: S304
    "cast128": (16, 8, 8, lambda key, iv, text: CAST.new(key, CAST.MODE_CBC, iv).encrypt(text)),
}
for bits in (128, 192, 256):
    CIPHERS[f"aes{bits}"] = (bits // 8, 16, 16, lambda key, iv, text: AES.new(key, AES.MODE_CBC, iv).encrypt(text))
    CIPHERS[f"aes{bits}ctr"] = (bits // 8 + 4, 8, 4, counter_mode)
    CIPHERS[f"camellia{bits}"] = (bits // 8, 16, 16, camellia)
    CIPHERS[f"blowfish{bits}"] = (
        bits // 8,
        8,
        8,
        lambda key, iv, text: Blowfish.new(key, Blowfish.MODE_CBC, iv).encrypt(text),  # noqa: S304
    )


def padded(inner: bytes, block: int) -> bytes:
    """Inner packet, monotonic padding, pad length and next header 4."""
    pad = -(len(inner) + 2) % block
    return inner + bytes(range(1, pad + 1)) + bytes([pad, 4])


def header_of(sequence: int) -> bytes:
    """SPI and the low half of the sequence number."""
    return struct.pack("!II", SPI, sequence & 0xFFFFFFFF)


def separate_packet(suite: str, keys: tuple[bytes, bytes], iv: bytes, inner: bytes, sequence: int, esn: bool) -> bytes:
    """An ESP packet of an encryption and an integrity algorithm."""
    cipher, _, mac = suite.partition("-")
    _, _, block, encrypt = CIPHERS[cipher]
    _, icv_bytes, authenticate = MACS[mac]
    packet = header_of(sequence) + iv + encrypt(keys[0], iv, padded(inner, block))
    high = struct.pack("!I", sequence >> 32) if esn else b""
    return packet + authenticate(keys[1], packet + high)[:icv_bytes]


def combined_packet(suite: str, keymat: bytes, iv: bytes, inner: bytes, sequence: int, esn: bool) -> bytes:
    """An ESP packet of a combined algorithm."""
    header = header_of(sequence)
    aad = struct.pack("!IQ", SPI, sequence) if esn else header
    body = padded(inner, 4)
    salt_bytes = 3 if "ccm" in suite else 4
    key, nonce = keymat[:-salt_bytes], keymat[-salt_bytes:] + iv
    if suite == "chacha20poly1305":
        return header + iv + ChaCha20Poly1305(key).encrypt(nonce, body, aad)
    if suite.endswith("gmac"):
        cipher = AES.new(key, AES.MODE_GCM, nonce=nonce)
        cipher.update(aad + iv + body)
        return header + iv + body + cipher.digest()
    mode, icv_bytes = (AES.MODE_GCM, suite.partition("gcm")[2]) if "gcm" in suite else (AES.MODE_CCM, suite[9:])
    aead = AES.new(key, mode, nonce=nonce, mac_len=int(icv_bytes))
    aead.update(aad)
    return header + iv + b"".join(aead.encrypt_and_digest(body))


def combined_suites() -> dict[str, int]:
    """The combined suites and the length of their KEYMAT."""
    suites = {"chacha20poly1305": 36}
    for bits in (128, 192, 256):
        suites[f"aes{bits}gmac"] = bits // 8 + 4
        for icv_bytes in (8, 12, 16):
            suites[f"aes{bits}gcm{icv_bytes}"] = bits // 8 + 4
            suites[f"aes{bits}ccm{icv_bytes}"] = bits // 8 + 3
    return suites


def cases_of(inner_bytes: int, esn: bool) -> list[tuple[dict[str, Any], bytes]]:
    """The order and the expected packet for every suite that Python can make too."""
    sequence = SEQUENCE if esn else SEQUENCE & 0xFFFFFFFF
    inner = octets(inner_bytes, 5)
    cases = []
    for cipher, mac in itertools.product(CIPHERS, MACS):
        keys = octets(CIPHERS[cipher][0]), octets(MACS[mac][0], 91)
        iv = octets(CIPHERS[cipher][1], 17)
        suite = f"{cipher}-{mac}"
        order = {"algorithm": suite, "encryption_key": keys[0].hex(), "integrity_key": keys[1].hex(), "iv": iv.hex()}
        cases.append((order, separate_packet(suite, keys, iv, inner, sequence, esn)))
    for suite, keymat_bytes in combined_suites().items():
        keymat, iv = octets(keymat_bytes), octets(8, 17)
        order = {"algorithm": suite, "encryption_key": keymat.hex(), "iv": iv.hex()}
        cases.append((order, combined_packet(suite, keymat, iv, inner, sequence, esn)))
    common = {"tier": "packet-loop", "spi": SPI, "esn": esn, "sequence": sequence, "input": inner.hex()}
    return [({**common, **order}, packet) for order, packet in cases]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("esn", [False, True], ids=["32-bit", "esn"])
@pytest.mark.parametrize("inner_bytes", [1, 62, 1400])
def test_every_suite_against_python(agent: Any, rows: Any, provider: str, esn: bool, inner_bytes: int) -> None:
    cases = [
        case for case in cases_of(inner_bytes, esn) if rows[provider, "packet-loop", case[0]["algorithm"]]["operations"]
    ]
    assert len(cases) > 100
    outputs = agent.compute([{**order, "provider": provider, "operation": "outbound"} for order, _ in cases])
    for output, (order, packet) in zip(outputs, cases, strict=True):
        assert output == packet, order["algorithm"]
    inbound = []
    for order, packet in cases:
        fields = {name: order[name] for name in ("tier", "algorithm", "encryption_key", "spi", "esn")}
        if "integrity_key" in order:
            fields["integrity_key"] = order["integrity_key"]
        if esn:
            fields["sequence_high"] = SEQUENCE >> 32
        inbound.append({**fields, "provider": provider, "operation": "inbound", "input": packet.hex()})
    for output, (order, _) in zip(agent.compute(inbound), cases, strict=True):
        assert output == octets(inner_bytes, 5), order["algorithm"]
    # One bit anywhere makes a packet of every suite a bad one.
    for position in (0, 7, 9, -20, -1):
        for order in inbound:
            forged = bytearray.fromhex(order["input"])
            forged[position] ^= 0x04
            order["forged"] = forged.hex()
        orders = [{**order, "input": order["forged"]} for order in inbound]
        for order in orders:
            del order["forged"]
        assert set(agent.compute(orders)) == {"rejected"}, position


def test_every_suite_is_listed(rows: Any) -> None:
    names = {algorithm for provider, tier, algorithm in rows if (provider, tier) == ("libcrypto", "packet-loop")}
    others = {f"{cipher}{bits}" for cipher in ("twofish", "serpent") for bits in (128, 192, 256)}
    expected = {f"{cipher}-{mac}" for cipher in CIPHERS.keys() | others for mac in MACS}
    assert names == expected | set(combined_suites())


# --- replay and ESN

GCM = {"provider": "libcrypto", "tier": "packet-loop", "algorithm": "aes128gcm16", "encryption_key": octets(20).hex()}


def sealed(sequence: int, esn: bool = False) -> str:
    """A packet with this number, as hexadecimal digits."""
    return combined_packet("aes128gcm16", octets(20), octets(8), b"inner packet", sequence, esn).hex()


@pytest.mark.parametrize(
    ("sequence", "received", "window", "accepted"),
    [
        (1, [], 64, True),
        (5, [5], 64, False),
        (5, [1, 2, 3, 4, 6], 64, True),
        (5, [69], 64, False),
        (6, [69], 64, True),
        (5, [69], 65, True),
        (1, [70000], 65536, False),
        (70001 - 65536, [70000], 65536, True),
        (2**32 - 1, [2**32 - 2], 32, True),
        (2**32 - 1, [2**32 - 1], 32, False),
    ],
)
def test_replay_window(agent: Any, sequence: int, received: list[int], window: int, accepted: bool) -> None:
    order = {**GCM, "operation": "inbound", "replay": received, "replay_window": window}
    outputs = agent.compute([{**order, "input": sealed(sequence)}])
    assert outputs == [b"inner packet" if accepted else "rejected"]


@pytest.mark.parametrize(
    ("sequence", "received"),
    [
        (2**32 + 5, [2**32 + 4]),
        (2**32 + 1, [2**32 - 1]),  # the upper half has just changed
        (2**32 - 3, [2**32 + 2]),  # a late packet from before the change
        (2**40 + 1000, [2**40 + 999]),
    ],
)
def test_the_upper_half_is_inferred(agent: Any, sequence: int, received: list[int]) -> None:
    order = {**GCM, "operation": "inbound", "esn": True, "replay": received, "input": sealed(sequence, esn=True)}
    outputs = agent.compute([order, {**order, "sequence_high": (sequence >> 32) + 1}])
    assert outputs == [b"inner packet", "rejected"]


def test_wrong_padding_is_rejected(agent: Any) -> None:
    order = {**GCM, "operation": "inbound"}
    outputs = []
    for tail in (b"\x02\x01\x02\x04", b"\x01\x03\x02\x04", b"\x01\x02\xff\x04", b"\x01\x02\x02\x04"):
        body = b"12345678" + tail
        aead = AES.new(octets(16), AES.MODE_GCM, nonce=octets(20)[16:] + octets(8))
        aead.update(header_of(9))
        packet = header_of(9) + octets(8) + b"".join(aead.encrypt_and_digest(body))
        outputs += agent.compute([{**order, "input": packet.hex()}])
    assert outputs == ["rejected", "rejected", "rejected", b"12345678"]


def test_packets_too_short_are_rejected(agent: Any) -> None:
    packet = sealed(1)
    orders = [{**GCM, "operation": "inbound", "input": packet[: 2 * length]} for length in range(len(packet) // 2)]
    assert set(agent.compute(orders)) == {"rejected"}


def test_twofish_and_serpent_packets_hold_what_the_cipher_gives(agent: Any, rows: Any) -> None:
    """No second implementation is at hand: the packet must agree with the cipher, which has its known answers."""
    for cipher, key_bytes in (("twofish128", 16), ("twofish256", 32), ("serpent128", 16), ("serpent256", 32)):
        if not rows["libgcrypt", "primitive", cipher]["operations"]:
            pytest.skip(rows["libgcrypt", "primitive", cipher]["reason"])
        key, iv = octets(key_bytes).hex(), octets(16, 3)
        fields = {"provider": "libgcrypt", "iv": iv.hex()}
        primitive = {**fields, "tier": "primitive", "operation": "encrypt", "algorithm": cipher, "key": key}
        packet: dict[str, Any] = {
            **fields,
            "tier": "packet-loop",
            "operation": "outbound",
            "algorithm": f"{cipher}-sha1",
        }
        packet |= {"encryption_key": key, "integrity_key": octets(20).hex(), "spi": SPI, "sequence": 1}
        inner = octets(62)
        text, whole = agent.compute([{**primitive, "input": padded(inner, 16).hex()}, {**packet, "input": inner.hex()}])
        start = header_of(1) + iv + text
        assert whole == start + hmac.digest(octets(20), start, "sha1")[:12]
