"""Whole ESP packets of others: DPDK, OpenDataPlane, tcpdump's captures, the GCM draft, RFC 7634 and RFC 3602."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.suites import EspSuite, esp_suites, parse_esp_suite
from ipsecbench.errors import MalformedError, ProviderError, RejectedError, UsageError
from ipsecbench.esp.configuration import Action, Direction, PolicyConfiguration, SaConfiguration
from ipsecbench.esp.mode import Mode
from ipsecbench.esp.outer_packet import parse_outer
from ipsecbench.esp.packet import padded, unpadded
from ipsecbench.esp.processing import EspProcessing
from ipsecbench.esp.transform import build_transform
from ipsecbench.secret import Secret
from ipsecbench.wire.ip import parse_ip
from tests.unit.esp.esp_pair import ANYTHING, PORTS, available_suites, cryptography

VECTORS = Path(__file__).parents[2] / "vectors"


def read(name: str) -> Any:
    """A file of vectors."""
    return json.loads((VECTORS / name).read_text(encoding="utf-8"))


def configured(
    suite: str, key: bytes, integrity_key: bytes, spi: int, outer: bytes, mode: Mode = Mode.TUNNEL
) -> SaConfiguration:
    """The outbound SA of an outer packet, found by its addresses."""
    header = parse_ip(outer).header
    return SaConfiguration(
        Direction.OUTBOUND,
        spi,
        1,
        esp_suites()[suite],
        Secret(key),
        Secret(integrity_key) if integrity_key else None,
        mode,
        str(ip_address(header.source)),
        str(ip_address(header.destination)),
    )


def ends(sa: SaConfiguration, random: bytes = b"") -> tuple[EspProcessing, EspProcessing]:
    """Who seals with given IVs, and who opens."""
    first = EspProcessing(cryptography(), lambda count: random[:count].ljust(count, b"\0"))
    second = EspProcessing(cryptography(), lambda count: bytes(count))
    first.add_sa(sa, 0.0)
    second.add_sa(replace(sa, direction=Direction.INBOUND), 0.0)
    first.add_policy(PolicyConfiguration(Direction.OUTBOUND, ANYTHING, Action.PROTECT, 1))
    second.add_policy(PolicyConfiguration(Direction.INBOUND, ANYTHING, Action.PROTECT, 1))
    return first, second


@pytest.fixture
def reserved_spis(monkeypatch: pytest.MonkeyPatch) -> None:
    """DPDK, OpenDataPlane and the GCM draft use SPIs that no SA may have."""
    monkeypatch.setattr("ipsecbench.esp.security_association.SMALLEST_SPI", 0)


def dpdk() -> Iterator[tuple[str, dict[str, Any], str]]:
    """Every packet of DPDK with its suite."""
    ciphers = {"AES_CBC": "aes{}", "AES_CTR": "aes{}ctr", "AES_GCM": "aes{}gcm16", "AES_CCM": "aes{}ccm16"}
    ciphers |= {"3DES_CBC": "3des", "DES_CBC": "des", "NULL": "null"}
    macs = {"MD5_HMAC": "md5", "SHA256_HMAC": "sha256", "SHA384_HMAC": "sha384", "SHA512_HMAC": "sha512"}
    macs |= {"AES_XCBC_MAC": "aesxcbc"}
    for name, vector in read("dpdk/dpdk_ipsec_vectors.json")["vectors"].items():
        words = [algorithm.removeprefix("RTE_CRYPTO_").partition("_") for algorithm in vector["params"]["algo"]]
        suite = "".join(
            f"-{macs[token]}" if kind == "AUTH" else ciphers[token].format(len(vector.get("key", "")) * 4)
            for kind, _, token in words
        )
        yield name, vector, suite


@pytest.mark.usefixtures("reserved_spis")
@pytest.mark.parametrize(("name", "vector", "suite"), [pytest.param(*row, id=row[0]) for row in dpdk()])
def test_packets_of_dpdk(name: str, vector: dict[str, Any], suite: str) -> None:
    if suite not in available_suites():
        pytest.skip(f"{suite}: no library here has it")
    outer, inner = bytes.fromhex(vector["output_text"]), bytes.fromhex(vector["input_text"])
    content = parse_outer(outer).content
    spi, sequence = struct.unpack("!II", content[:8])
    key = bytes.fromhex(vector.get("key", "") + vector.get("salt", ""))
    sa = configured(suite, key, bytes.fromhex(vector.get("auth_key", "")), spi, outer)
    first, second = ends(sa, bytes.fromhex(vector.get("iv", "")))
    assert second.receive(parse_outer(outer), 1.0).inside == [inner], name
    assert second.receive(parse_outer(outer), 1.0).inside == []
    if sa.suite.encryption.mode in ("cbc", "null"):  # in counter modes the IV is our own choice
        first._sas.outbound[spi].sequence.last = sequence - 1
        (sealed,) = first.protect(inner, 1.0).outside
        assert sealed.content == content


def test_dpdk_has_packets_enough() -> None:
    assert len(list(dpdk())) >= 22


ODP = read("odp/esp.json")
ODP_CIPHERS = {"NULL": "null", "AES_CBC": "aes{}", "AES_CTR": "aes{}ctr", "AES_GCM": "aes{}gcm16"}
ODP_CIPHERS |= {"AES_CCM": "aes{}ccm16", "CHACHA20_POLY1305": "chacha20poly1305"}
ODP_MACS = {"SHA1_HMAC": "sha1", "SHA256_HMAC": "sha256", "SHA384_HMAC": "sha384", "SHA512_HMAC": "sha512"}
ODP_MACS |= {"AES_XCBC_MAC": "aesxcbc"}


def odp_packet(name: str) -> bytes:
    """A packet of OpenDataPlane, from its IP header."""
    packet = ODP["packets"][name]
    return bytes.fromhex(packet["hex"])[packet["l3_offset"] :]


def odp_sa(test: dict[str, Any], outer: bytes) -> SaConfiguration | None:
    """The SA of a test, outbound; None where it has no integrity, which is no suite here."""
    words = [word.strip().removeprefix("&") for word in test["sa"].split(",")]
    spi, tunnel, cipher, cipher_key, mac, mac_key, cipher_extra, mac_extra = words[3:]
    cipher, mac = cipher.removeprefix("ODP_CIPHER_ALG_"), mac.removeprefix("ODP_AUTH_ALG_")
    keys = ODP["keys"]

    def key(*names: str) -> str:
        return "".join(keys[name] for name in names if name != "NULL")

    if mac == "NULL":
        return None
    if mac == "AES_GMAC":
        octets = key(mac_key, mac_extra)
        suite, octets_of_mac = f"aes{(len(octets) - 8) * 4}gmac", ""
    else:
        octets, octets_of_mac = key(cipher_key, cipher_extra), key(mac_key)
        suite = ODP_CIPHERS[cipher].format(len(key(cipher_key)) * 4)
        suite += f"-{ODP_MACS[mac]}" if mac in ODP_MACS else ""
    mode = Mode.TRANSPORT if tunnel == "NULL" else Mode.TUNNEL
    sa = configured(suite, bytes.fromhex(octets), bytes.fromhex(octets_of_mac), int(spi, 0), outer, mode)
    window = [word for word in test["param"] if "antireplay_ws" in word]
    sa = replace(sa, replay_window_packets=int(window[0].split("=")[1]) if window else 0)
    return replace(sa, encapsulation=PORTS) if "param.opt.udp_encap = 1" in test["param"] else sa


ODP_COUNTERS = {
    ".status.error.antireplay=1": "XfrmInStateSeqError",
    ".status.error.auth=1": "XfrmInStateProtoError",
}


@pytest.mark.usefixtures("reserved_spis")
@pytest.mark.parametrize("name", [name for name in ODP["tests"] if name.startswith("in:")])
def test_packets_that_opendataplane_receives(name: str) -> None:
    test = ODP["tests"][name]
    sa = odp_sa(test, odp_packet(test["parts"][0]["pkt_in"][0]))
    if sa is None:
        with pytest.raises(UsageError):
            parse_esp_suite("aes128")
        return
    _, end = ends(sa)
    for part in test["parts"]:
        before = dict(end.dropped)
        try:
            outer = parse_outer(odp_packet(part["pkt_in"][0]))
        except MalformedError:
            assert any(flag in part["flags"] for flag in (".status.error.proto=1", ".status.error.sa_lookup=1"))
            continue
        inside = end.receive(outer, 1.0).inside
        if name.startswith("in:test_in_ipv4_mcgrew_gcm_12_esp"):
            # No Next Header: OpenDataPlane hands it on as a packet of nothing.
            assert inside == []
            assert end.dummy_packets == 1
        elif part["pkt_out"]:
            assert inside == [odp_packet(part["pkt_out"][0])]
            assert end.dropped == before
        else:
            assert inside == []
            assert end.dropped == {**before, ODP_COUNTERS[part["flags"][0]]: 1}


@pytest.mark.usefixtures("reserved_spis")
@pytest.mark.parametrize("name", [name for name in ODP["tests"] if name.startswith("out:")])
def test_packets_that_opendataplane_sends(name: str) -> None:
    test = ODP["tests"][name]
    part = next(part for part in test["parts"] if part["pkt_out"])
    inner, outer = odp_packet(part["pkt_in"][0]), odp_packet(part["pkt_out"][0])
    sa = odp_sa(test, outer)
    assert sa is not None
    first, second = ends(sa)
    (sealed,) = first.protect(inner, 1.0).outside
    expected = parse_outer(outer)
    if name == "out:test_out_ipv4_udp_esp_null_sha256":
        # OpenDataPlane fills in both checksums on the way, as a network card would.
        (filled,) = second.receive(expected, 1.0).inside
        assert filled[:10] + filled[12:26] + filled[28:] == inner[:10] + inner[12:26] + inner[28:]
        inner = filled
        first._sas.outbound[sa.spi].sequence.last = 0
        (sealed,) = first.protect(inner, 1.0).outside
    assert sealed.content == expected.content
    (octets,) = sealed.packets()
    if sa.mode is Mode.TRANSPORT:
        if sa.encapsulation is None or sealed.header.version == 4:
            assert octets == outer
        else:
            # OpenDataPlane leaves out the UDP checksum, which IPv6 wants.
            at = sealed.header.header_bytes + 6
            assert octets[:at] + octets[at + 2 :] == outer[:at] + outer[at + 2 :]
    else:
        assert (sealed.header.source, sealed.header.destination) == (
            expected.header.source,
            expected.header.destination,
        )
    second._sas.remove(Direction.INBOUND, sa.spi)
    second.add_sa(replace(sa, direction=Direction.INBOUND), 1.0)
    assert second.receive(parse_outer(octets), 1.0).inside == [inner]


def test_opendataplane_has_packets_enough() -> None:
    names = list(ODP["tests"])
    assert len([name for name in names if name.startswith("in:")]) >= 30
    assert len([name for name in names if name.startswith("out:")]) >= 10


def pcap_packets(name: str) -> list[bytes]:
    """The IP packets of a capture (pcap, Ethernet or raw)."""
    octets = (VECTORS / "tcpdump" / name).read_bytes()
    order = "<" if octets[:4] == b"\xd4\xc3\xb2\xa1" else ">"
    link = struct.unpack(order + "I", octets[20:24])[0]
    position, packets = 24, []
    while position < len(octets):
        length = struct.unpack(order + "I", octets[position + 8 : position + 12])[0]
        packets.append(octets[position + 16 : position + 16 + length][14 if link == 1 else 0 :])
        position += 16 + length
    return packets


CAPTURES = read("tcpdump/esp_plaintext.json")


@pytest.mark.parametrize("capture", list(CAPTURES))
def test_captures_of_tcpdump(capture: str) -> None:
    packets = pcap_packets(capture)
    opened = 0
    for row in CAPTURES[capture]:
        octets = packets[row["frame"] - 1]
        for layer in (row, row.get("nested")):
            if layer is None:
                continue
            cipher = "aes256" if layer["cipher"] == "aes" else layer["cipher"]
            mac, mac_key = layer["auth"]
            sa = configured(
                f"{cipher}-{mac}", bytes.fromhex(layer["key"]), bytes.fromhex(mac_key), int(layer["spi"], 16), octets
            )
            sa = replace(sa, encapsulation=PORTS) if "udp" in row else sa
            _, end = ends(sa)
            assert end.receive(parse_outer(octets), 1.0).inside == [bytes.fromhex(layer["inner"])]
            octets = bytes.fromhex(layer["inner"])
            opened += 1
    assert opened >= 8


def test_a_truncated_capture_is_malformed() -> None:
    for octets in pcap_packets("esp_truncated.pcap"):
        with pytest.raises(MalformedError):
            parse_outer(octets)


@pytest.mark.parametrize("number", range(14))
def test_packets_of_the_gcm_draft(number: int) -> None:
    vector = read("rfc/mcgrew_gcm_test_01_esp.json")["vectors"][number]
    key = Secret(bytes.fromhex(vector["key"] + vector["salt"]))
    suite = esp_suites()[f"aes{len(vector['key']) * 4}gcm16"]
    transform = build_transform(cryptography(), suite, key, None, esn=vector["esn"], random=lambda count: bytes(count))
    sequence = int(vector["seq"], 16)
    packet = bytes.fromhex(vector["spi"] + vector["seq"][-8:] + vector["iv"] + vector["ciphertext"] + vector["icv"])
    plaintext = bytes.fromhex(vector["plaintext"])
    assert transform.open(packet, sequence) == plaintext
    payload, next_header = unpadded(plaintext)
    assert next_header == vector["next_header"]
    assert padded(payload, next_header, 4) == plaintext
    if vector["esn"]:
        with pytest.raises(RejectedError):
            transform.open(packet, sequence ^ 1 << 32)


def test_the_packet_of_rfc_7634() -> None:
    esp = read("rfc/rfc7634_chacha20poly1305_esp_ike.json")["esp"]
    outer = bytes.fromhex(esp["packet"])
    sa = configured("chacha20poly1305", bytes.fromhex(esp["keymat"]), b"", int(esp["spi"], 16), outer)
    _, end = ends(sa)
    assert end.receive(parse_outer(outer), 1.0).inside == [bytes.fromhex(esp["source_packet"])]


def test_the_packets_of_rfc_3602_have_no_icv_and_no_suite() -> None:
    packets = [vector for vector in read("rfc/rfc3602_aes_cbc_esp.json")["vectors"] if "spi" in vector]
    assert len(packets) == 4
    with pytest.raises(UsageError, match="needs an integrity transform"):
        parse_esp_suite("aes128")
    with pytest.raises(ProviderError, match="no ESP suite"):
        build_transform(
            cryptography(),
            EspSuite(ENCRYPTION["aes128"], None),
            Secret(bytes(16)),
            None,
            esn=False,
            random=lambda count: bytes(count),
        )


def test_implicit_ivs_of_rfc_8750() -> None:
    """The same key, salt and plaintext with an IV that travels and with one that does not: the same ciphertext."""
    for name in ("aes128gcm16", "aes256gcm16", "chacha20poly1305", "aes128ccm8"):
        for esn in (False, True):
            explicit = esp_suites()[name]
            implicit = EspSuite(replace(explicit.encryption, iv_bytes=0), None)
            key = Secret(bytes(range(explicit.encryption.keymat_bytes)))
            one, other = (
                build_transform(cryptography(), suite, key, None, esn=esn, random=lambda count: bytes(count))
                for suite in (explicit, implicit)
            )
            sequence = (3 << 32 if esn else 0) | 0x01020304
            plaintext = padded(b"implicit IV", 4, 4)
            with_iv, without = one.seal(0x1234, sequence, plaintext), other.seal(0x1234, sequence, plaintext)
            # RFC 8750 section 4: the nonce is made of salt and sequence number, to 64 bits.
            assert with_iv[8:16] == sequence.to_bytes(8)
            assert without == with_iv[:8] + with_iv[16:]
            assert other.open(without, sequence) == plaintext
            with pytest.raises(RejectedError):
                other.open(without, sequence + 1)
            with pytest.raises(MalformedError):
                other.open(without[: 8 + explicit.icv_bytes], sequence)
