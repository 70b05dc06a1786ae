"""Packets that are sealed here, in the eyes of tshark with the keys: it decrypts them and finds the ICV right."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from ipsecbench.esp.configuration import Layering, SaConfiguration
from ipsecbench.esp.mode import Mode
from ipsecbench.lab.capture import dissect, missing_prerequisite
from tests.unit.esp.esp_pair import ENDS, PORTS, Pair, available_suites, sa_of
from tests.unit.esp.inner_packets import udp_packet

pytestmark = pytest.mark.skipif(missing_prerequisite() is not None, reason=str(missing_prerequisite()))

CIPHERS = {"null": "NULL", "des": "DES-CBC [RFC2405]", "3des": "TripleDES-CBC [RFC2451]"}
CIPHERS |= {"cast128": "CAST5-CBC [RFC2144]", "blowfish128": "BLOWFISH-CBC [RFC2451]"}
CIPHERS |= {f"aes{bits}": "AES-CBC [RFC3602]" for bits in (128, 192, 256)}
CIPHERS |= {f"aes{bits}ctr": "AES-CTR [RFC3686]" for bits in (128, 192, 256)}
CIPHERS |= {
    f"aes{bits}gcm{icv}": f"AES-GCM with {icv} octet ICV [RFC4106]" for bits in (128, 192, 256) for icv in (8, 12, 16)
}
MACS = {
    "md5": "HMAC-MD5-96 [RFC2403]",
    "sha1": "HMAC-SHA-1-96 [RFC2404]",
    "sha256": "HMAC-SHA-256-128 [RFC4868]",
    "sha384": "HMAC-SHA-384-192 [RFC4868]",
    "sha512": "HMAC-SHA-512-256 [RFC4868]",
}
SUITES = [
    name
    for name in available_suites()
    if sa_of(name).suite.encryption.name in CIPHERS
    and (sa_of(name).suite.integrity is None or name.rpartition("-")[2] in MACS)
]
FIELDS = (
    "esp.spi",
    "esp.sequence",
    "esp.icv_good",
    "esp.icv_bad",
    "esp.pad_len",
    "esp.protocol",
    "udp.payload",
    "gre.proto",
)


def line_of(sa: SaConfiguration) -> str:
    """The SA in Wireshark's table."""
    suite = sa.suite
    mac, mac_key = ("NULL", "") if suite.integrity is None else (MACS[suite.integrity.name], "")
    if sa.integrity_key is not None:
        mac_key = f"0x{sa.integrity_key.reveal().hex()}"
    key = sa.encryption_key.reveal().hex()
    return (
        f'"IPv{6 if ":" in sa.source else 4}","{sa.source}","{sa.destination}","0x{sa.spi:08x}",'
        f'"{CIPHERS[suite.encryption.name]}","{f"0x{key}" if key else ""}","{mac}","{mac_key}"\n'
    )


def write_capture(path: Path, packets: list[bytes]) -> None:
    """A pcap file of IP packets."""
    octets = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)
    for number, packet in enumerate(packets):
        octets += struct.pack("<IIII", number, 0, len(packet), len(packet)) + packet
    path.write_bytes(octets)


def test_every_suite_that_wireshark_knows(tmp_path: Path) -> None:
    sas = [
        sa_of(name, spi=0x10000 + 16 * number + 8 * (mode is Mode.TRANSPORT) + version, mode=mode, version=version)
        for number, name in enumerate(SUITES)
        for mode in Mode
        for version in (4, 6)
    ]
    packets, expected = [], []
    for sa in sas:
        version = 6 if ":" in sa.source else 4
        inner = udp_packet(version, 131, ENDS[version] if sa.mode is Mode.TRANSPORT else None)
        packets += Pair(sa).on_the_wire(inner)
        expected.append(inner[(20 if version == 4 else 40) + 8 :].hex())
    assert len(SUITES) >= 40
    write_capture(tmp_path / "suites.pcap", packets)
    rows = dissect(tmp_path / "suites.pcap", FIELDS, {"esp_sa": "".join(line_of(sa) for sa in sas)})
    assert len(rows) == len(sas)
    for sa, payload, row in zip(sas, expected, rows, strict=True):
        assert int(row["esp.spi"], 16) == sa.spi
        assert row["esp.sequence"] == "1"
        assert (row["esp.icv_good"], row["esp.icv_bad"]) == ("1", "0"), sa.suite.name
        assert row["udp.payload"].replace(":", "") == payload, sa.suite.name


def test_udp_and_layerings(tmp_path: Path) -> None:
    sas = [
        sa_of("aes128gcm16", spi=0x2001, encapsulation=PORTS),
        sa_of("aes128-sha256", spi=0x2002, encapsulation=PORTS, mode=Mode.TRANSPORT),
        sa_of("aes128-sha256", spi=0x2003, layering=Layering.GRE, mode=Mode.TRANSPORT),
        sa_of("aes128gcm16", spi=0x2004, layering=Layering.IPIP, mode=Mode.TRANSPORT, encapsulation=PORTS),
        sa_of("aes128gcm16", spi=0x2005, version=6, encapsulation=PORTS),
    ]
    packets = []
    for sa in sas:
        plain = sa.mode is Mode.TRANSPORT and sa.layering is Layering.NONE
        packets += Pair(sa).on_the_wire(udp_packet(4, 100, ENDS[4] if plain else None))
    write_capture(tmp_path / "ways.pcap", packets)
    rows = dissect(tmp_path / "ways.pcap", FIELDS, {"esp_sa": "".join(line_of(sa) for sa in sas)})
    assert [row["esp.icv_good"] for row in rows] == ["1"] * 5
    assert [row["gre.proto"] for row in rows] == ["", "", "0x0800", "", ""]
    payload = udp_packet(4, 100)[28:].hex()
    assert all(payload in row["udp.payload"].replace(":", "") for row in rows)


def test_the_wrong_key_is_noticed(tmp_path: Path) -> None:
    sa = sa_of("aes128-sha256")
    write_capture(tmp_path / "wrong.pcap", Pair(sa).on_the_wire(udp_packet(4, 100)))
    assert sa.integrity_key is not None
    line = line_of(sa).replace(sa.integrity_key.reveal().hex(), "00" * 32)
    (row,) = dissect(tmp_path / "wrong.pcap", FIELDS, {"esp_sa": line})
    assert (row["esp.icv_good"], row["esp.icv_bad"]) == ("0", "1")
