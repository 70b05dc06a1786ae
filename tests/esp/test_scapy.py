"""ESP against scapy's ``layers/ipsec``: each opens what the other sealed, and scapy says no to what was changed."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from scapy.layers import ipsec
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.ipsec import ESP, IPSecIntegrityError
from scapy.packet import Raw

from ipsecbench.esp.configuration import Direction, SaConfiguration
from ipsecbench.esp.mode import Mode
from ipsecbench.esp.outer_packet import parse_outer
from tests.unit.esp.esp_pair import ENDS, PORTS, Pair, available_suites, sa_of

CIPHERS = {"cbc": "AES-CBC", "ctr": "AES-CTR", "gcm": "AES-GCM", "ccm": "AES-CCM", "gmac": "AES-NULL-GMAC"}
OTHERS = {"null": "NULL", "3des": "3DES", "cast128": "CAST", "chacha20poly1305": "CHACHA20-POLY1305"}
OTHERS |= {f"blowfish{bits}": "Blowfish" for bits in (128, 192, 256)}
MACS = {
    "md5": "HMAC-MD5-96",
    "sha1": "HMAC-SHA1-96",
    "sha256": "SHA2-256-128",
    "sha384": "SHA2-384-192",
    "sha512": "SHA2-512-256",
    "aescmac": "AES-CMAC-96",
}


def cipher_of(sa: SaConfiguration) -> str | None:
    """scapy's name of the cipher; None where it has none."""
    row = sa.suite.encryption
    if row.mode == "gcm" and row.icv_bytes < 16:
        return None  # what scapy is built on does not cut the tag of GCM
    return OTHERS.get(row.name) or (CIPHERS[row.mode] if row.name.startswith("aes") else None)


SUITES = [
    name
    for name in available_suites()
    if cipher_of(sa_of(name)) and (sa_of(name).suite.integrity is None or name.rpartition("-")[2] in MACS)
]


def scapy_sa(sa: SaConfiguration) -> Any:
    """The same SA in scapy's hands."""
    suite = sa.suite
    fields: dict[str, Any] = {"crypt_algo": cipher_of(sa), "crypt_key": sa.encryption_key.reveal()}
    if suite.encryption.aead:
        fields["crypt_icv_size"] = suite.icv_bytes
    if suite.integrity is not None and sa.integrity_key is not None:
        fields |= {"auth_algo": MACS[suite.integrity.name], "auth_key": sa.integrity_key.reveal()}
    if sa.mode is Mode.TUNNEL:
        fields["tunnel_header"] = (IPv6 if ":" in sa.source else IP)(src=sa.source, dst=sa.destination)
    if sa.encapsulation is not None:
        fields["nat_t_header"] = UDP(sport=sa.encapsulation.source_port, dport=sa.encapsulation.destination_port)
    make: Any = ipsec.SecurityAssociation  # has no types
    return make(ESP, spi=sa.spi, esn_en=sa.esn, esn=0, **fields)


def inner_of(sa: SaConfiguration, version: int, size: int) -> bytes:
    """A TCP packet that scapy makes, for the mode."""
    mode_ends = ENDS[6 if ":" in sa.source else 4]
    source, destination = mode_ends if sa.mode is Mode.TRANSPORT else {4: ENDS[4], 6: ENDS[6]}[version]
    ip = (IPv6 if ":" in source else IP)(src=source, dst=destination)
    return bytes(ip / TCP(sport=40000, dport=23, flags="PA", seq=7) / Raw(random.Random(size).randbytes(size)))


def version_of(octets: bytes) -> Any:
    """scapy's class of an IP packet."""
    return IP if octets[0] >> 4 == 4 else IPv6


def ways(name: str) -> list[SaConfiguration]:
    """The SAs of a suite: modes, versions, in UDP, ESN."""
    sas = []
    for mode in Mode:
        for version in (4, 6):
            sas.append(sa_of(name, mode=mode, version=version))
            sas.append(sa_of(name, mode=mode, version=version, esn=True))
        # In UDP over IPv6 scapy writes no checksum.
        sas.append(sa_of(name, mode=mode, encapsulation=PORTS))
    return sas


@pytest.mark.parametrize("name", SUITES)
def test_scapy_opens_what_is_sealed_here(name: str) -> None:
    for sa in ways(name):
        pair, other = Pair(sa), scapy_sa(sa)
        for size in (0, 33, 1300):
            packet = inner_of(sa, 4, size)
            (octets,) = pair.on_the_wire(packet)
            received = version_of(octets)(octets)
            assert bytes(other.decrypt(received)) == packet, (sa.mode, sa.source, size)
        # The same check says no: its yes means something.
        changed = octets[:-1] + bytes((octets[-1] ^ 1,))
        with pytest.raises(IPSecIntegrityError):
            other.decrypt(version_of(changed)(changed))


@pytest.mark.parametrize("name", SUITES)
def test_what_scapy_sealed_is_opened_here(name: str) -> None:
    for sa in ways(name):
        pair, other = Pair(sa), scapy_sa(sa)
        for size in (0, 33, 1300):
            packet = inner_of(sa, 4, size)
            octets = bytes(other.encrypt(version_of(packet)(packet)))
            assert pair.deliver(octets).inside == [packet], (sa.mode, sa.source, size)
            assert pair.deliver(octets).inside == []
        assert pair.second.dropped == {"XfrmInStateSeqError": 3}


@pytest.mark.parametrize("name", ["aes128gcm16", "aes128-sha256", "chacha20poly1305", "aes192ctr-sha1", "aes256gmac"])
def test_the_high_half_of_an_esn(name: str) -> None:
    sa = sa_of(name, esn=True)
    pair, other = Pair(sa), scapy_sa(sa)
    outbound, inbound = pair.first._sas.outbound[sa.spi], pair.second._sas.inbound[sa.spi]
    outbound.sequence.last = inbound.highest = (5 << 32) - 3
    assert inbound.window is not None
    inbound.window.mark((5 << 32) - 3)
    packet = inner_of(sa, 4, 64)
    for number in range((5 << 32) - 2, (5 << 32) + 3):
        (octets,) = pair.on_the_wire(packet)
        assert bytes(other.decrypt(IP(octets), esn=number >> 32)) == packet
        made = bytes(other.encrypt(IP(packet), seq_num=number & 0xFFFFFFFF or None, esn=number >> 32))
        if number & 0xFFFFFFFF:  # scapy takes 0 for "the next one"
            assert pair.deliver(made).inside == [packet]


@pytest.mark.parametrize("name", SUITES)
def test_both_refuse_the_same_changes(name: str) -> None:
    sa = sa_of(name)
    pair, other = Pair(sa), scapy_sa(sa)
    packet = inner_of(sa, 4, 33)
    octets = bytes(other.encrypt(IP(packet)))
    source = random.Random(name)
    for _ in range(10):
        position = source.randrange(24, len(octets))  # from the sequence number on
        changed = octets[:position] + bytes((octets[position] ^ source.randrange(1, 256),)) + octets[position + 1 :]
        with pytest.raises(IPSecIntegrityError):
            other.decrypt(IP(changed))
        assert pair.deliver(changed).inside == []
    assert pair.second.sa_statistics(Direction.INBOUND, sa.spi, 1.0).forged == 10
    assert pair.deliver(octets).inside == [packet]


def test_the_other_padding_of_scapy_is_the_same_padding() -> None:
    """The whole octets, where nothing is drawn at random: NULL with every MAC."""
    for name in SUITES:
        if not name.startswith("null-"):
            continue
        sa = sa_of(name, mode=Mode.TRANSPORT)
        packet = inner_of(sa, 4, 50)
        (octets,) = Pair(sa).on_the_wire(packet)
        assert bytes(scapy_sa(sa).encrypt(IP(packet))) == octets
        (encapsulated,) = Pair(replace(sa, encapsulation=PORTS)).on_the_wire(packet)
        assert bytes(scapy_sa(replace(sa, encapsulation=PORTS)).encrypt(IP(packet))) == encapsulated
        assert parse_outer(encapsulated).content == parse_outer(octets).content
