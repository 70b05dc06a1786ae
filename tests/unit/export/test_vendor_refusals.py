"""What each vendor's target refuses at a version, and that it writes what it can."""

from dataclasses import replace
from typing import Any

import pytest

from ipsecbench.export.connection import Connection, EspAlgorithms, IkeAlgorithms, Life
from ipsecbench.export.target import find_target
from tests.unit.export.vendor_matrix import AEAD, CBC, LEGACY, MIXED, VENDORS, written


def _ike(base: Connection, **changes: Any) -> Connection:
    return replace(base, ike=replace(base.ike, **changes))


def _esp(base: Connection, **changes: Any) -> Connection:
    return replace(base, esp=replace(base.esp, **changes))


def _group(base: Connection, name: str) -> Connection:
    return _esp(_ike(base, key_exchange=name), key_exchange=name)


def _both(*methods: str) -> Connection:
    hybrid = replace(AEAD, ike=replace(AEAD.ike, additional_key_exchanges=methods))
    return replace(hybrid, esp=replace(AEAD.esp, additional_key_exchanges=methods))


def _refused(target: str, connection: Connection) -> tuple[str, ...]:
    name, _, version = target.partition("@")
    found = find_target(name)
    return found.refuse(connection, found.version(version or None))


AES128 = replace(
    AEAD,
    ike=IkeAlgorithms("aes128gcm16", None, "prfsha256", "ecp256"),
    esp=EspAlgorithms("aes128gcm16", None, "ecp256"),
)
FAST_3DES = replace(
    MIXED,
    esp=EspAlgorithms("3des", "sha1", "ecp384"),
    child_life=Life(
        3600,
        3960,
        7 * 2**20,
        2**23,
        expected_seconds=0.07,
        uncounted_soft_seconds=272,
        uncounted_hard_seconds=300,
    ),
)


@pytest.mark.parametrize(
    ("target", "connection", "words"),
    [
        ("ios-ikev1", AEAD, "has no IKEv2"),
        ("ios-ikev1", _esp(LEGACY, encryption="aes256gcm16", integrity=None), "aes256gcm16 for ESP"),
        ("ios-ikev1", _group(LEGACY, "x25519"), "x25519"),
        ("ios-xe", LEGACY, "has no IKEv1"),
        ("ios-xe@17.12", _group(CBC, "modp1536"), "modp1536 for the IKE SA"),
        ("ios-xe@17.6", _group(CBC, "modp1536"), "modp1536 for the IKE SA"),
        ("ios-xe@17.12", _ike(CBC, encryption="3des"), "3des for the IKE SA"),
        ("ios-xe@17.12", _ike(CBC, integrity="md5", prf="prfmd5"), "md5 for the IKE SA"),
        ("ios-xe", _group(AEAD, "x25519"), "x25519"),
        ("ios-xe", _ike(AEAD, encryption="chacha20poly1305"), "chacha20poly1305 for the IKE SA"),
        ("asa", _group(AEAD, "x25519"), "x25519"),
        ("asa", _esp(AEAD, esn=True), "extended sequence numbers"),
        ("asa@9.20", _group(CBC, "modp1536"), "modp1536"),
        ("asa@9.12", _group(CBC, "modp3072"), "modp3072"),
        ("junos", _group(AEAD, "x25519"), "x25519"),
        ("junos", AES128, "aes128gcm16"),
        ("junos", _ike(AEAD, prf="prfsha256"), "prfsha384"),
        ("junos", _esp(AEAD, esn=True), "extended sequence numbers"),
        ("panos", _group(AEAD, "x25519"), "x25519"),
        ("panos@10.1", _group(CBC, "modp4096"), "modp4096"),
        ("panos", _ike(AEAD, prf="prfsha256"), "prfsha256"),
        ("panos", _group(AEAD, "ecp521"), "does not say which"),
        ("panos", _esp(AEAD, encryption="aes192gcm16"), "aes192gcm16 for ESP"),
        ("panos", _esp(AEAD, esn=True), "extended sequence numbers"),
        ("routeros", AEAD, "aes256gcm16 for the IKE SA"),
        ("routeros", _ike(CBC, encryption="aes128gcm16", integrity=None), "aes128gcm16 for the IKE SA"),
        ("routeros", _group(MIXED, "x25519"), "x25519 for perfect forward secrecy"),
        ("routeros", _esp(CBC, integrity="sha384"), "sha384 for ESP"),
        ("routeros", _esp(MIXED, esn=True), "extended sequence numbers"),
        ("fortios@7.4", _both("mlkem768"), "no additional key exchanges"),
        ("fortios@7.2", _both("mlkem1024"), "ML-KEM came with 7.6.1"),
        ("vyos@1.4", _ike(CBC, prf="prfsha512"), "prfsha512"),
        ("vyos@1.5", _esp(AEAD, esn=True), "extended sequence numbers"),
        ("openwrt", _esp(AEAD, esn=True), "extended sequence numbers"),
        ("openwrt@24.10", replace(AEAD, nat_traversal=True), "forces ESP into UDP"),
        ("pfsense", _esp(AEAD, esn=True), "extended sequence numbers"),
        ("opnsense", _ike(CBC, integrity="sha256", prf="prfsha512"), "takes the PRF from the integrity algorithm"),
        ("opnsense", _group(CBC, "modp768"), "list has no"),
        ("opnsense", replace(CBC, mode="gre"), "not in gre mode"),
        ("windows-netipsec", MIXED, "pre-shared key with IKEv2"),
        ("windows-netipsec", _group(CBC, "modp4096"), "modp4096"),
        ("windows-rras", AEAD, "aes256gcm16 for the IKE SA"),
        ("windows-rras", LEGACY, "has no IKEv1"),
        ("windows-vpn-client", CBC, "no authentication with psk"),
        ("windows-rras", _group(CBC, "x25519"), "x25519"),
        ("windows-rras", replace(CBC, inner_mtu_bytes=575), "no MTU of an interface below 576"),
        ("windows-vpn-client", replace(CBC, inner_mtu_bytes=500), "no MTU of an interface below 576"),
        ("pfsense", replace(CBC, mss_ipv4_bytes=575), "no maximum MSS below 576"),
    ],
)
def test_what_a_product_cannot_say_is_refused_in_a_line_of_its_own(
    target: str, connection: Connection, words: str
) -> None:
    lines = _refused(target, connection)
    assert any(words in line for line in lines), lines
    assert all("\n" not in line and len(line) < 250 for line in lines)


@pytest.mark.parametrize(
    ("target", "connection"),
    [
        ("ios-xe@17.6", _ike(CBC, encryption="3des")),
        ("ios-xe@17.12", AEAD),
        ("ios-xe@17.12", _esp(AEAD, esn=True)),
        ("asa@9.20", AEAD),
        ("asa@9.20", _group(CBC, "modp3072")),
        ("junos", AEAD),
        ("panos", AEAD),
        ("panos", AES128),
        ("panos@10.2", _group(CBC, "modp4096")),
        ("routeros", MIXED),
        ("routeros", _ike(CBC, key_exchange="x25519")),
        ("fortios@7.6", _both("mlkem768")),
        ("fortios", _group(AEAD, "x25519")),
        ("fortios", _esp(AEAD, esn=True)),
        ("vyos@rolling", _esp(AEAD, esn=True)),
        ("vyos@1.5", _ike(CBC, prf="prfsha512")),
        ("openwrt@snapshot", replace(AEAD, nat_traversal=True)),
        ("pfsense", _group(AEAD, "x25519")),
        ("opnsense", _group(AEAD, "x25519")),
        ("windows-rras", MIXED),
        ("windows-vpn-client", replace(AEAD, authentication="rsa-2048")),
        ("windows-netipsec", replace(MIXED, authentication="rsa-2048")),
        ("windows-netipsec", LEGACY),
        ("ios-ikev1", LEGACY),
    ],
)
def test_what_a_product_can_say_is_not_refused(target: str, connection: Connection) -> None:
    assert _refused(target, connection) == ()


@pytest.mark.parametrize("name", [name for name in VENDORS if name != "fortios"])
def test_hybrids_are_fortios_alone(name: str) -> None:
    for version in find_target(name).versions:
        lines = _refused(f"{name}@{version}", _both("mlkem768"))
        assert any("additional key exchange" in line for line in lines), (version, lines)
        alone = _group(AEAD, "mlkem768")
        assert any("mlkem768" in line for line in _refused(f"{name}@{version}", alone)), version


@pytest.mark.parametrize("name", VENDORS)
@pytest.mark.parametrize("change", ["fallbacks", "aggressive", "no replay protection"])
def test_nobody_gets_more_than_one_proposal_nor_less_than_replay_protection(name: str, change: str) -> None:
    base = next(connection for _, connection, _ in written(name))
    changed = {
        "fallbacks": replace(base, esp_fallbacks=(base.esp,)),
        "aggressive": replace(base, aggressive=True),
        "no replay protection": replace(base, replay_window_packets=0),
    }[change]
    assert _refused(name, base) == ()
    assert _refused(name, changed)


@pytest.mark.parametrize("name", [name for name in VENDORS if name not in ("openwrt", "vyos", "windows-vpn-client")])
def test_3des_is_refused_where_its_8_mib_cannot_be_kept_to(name: str) -> None:
    lines = _refused(name, FAST_3DES)
    sets_octets = name in ("asa", "ios-xe", "ios-ikev1", "fortios", "junos", "panos", "windows-rras")
    about_life = [line for line in lines if "octets" in line]
    assert bool(about_life) != sets_octets, lines


def test_fortios_says_that_a_long_name_was_shortened() -> None:
    text = find_target("fortios").files(replace(AEAD, name="a-very-long-name-of-a-tunnel"), "7.6")[0].text
    assert 'edit "a-very-long-nam"' in text
    assert "The name is a-very-long-nam: an interface has 15 characters." in text
