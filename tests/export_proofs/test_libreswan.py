"""libreswan's own parsers read the exported file, and every proposal as exactly the connection's algorithms.

``ipsec addconn --checkconfig`` refuses what it does not know, but takes a time or a number that it cannot read for
nothing: ``ipsec readwriteconf`` shows what is left of the file. ``ipsec algparse`` is the daemon's reader of proposals.
All are of Debian's libreswan 4.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.integrity import INTEGRITY
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.algorithms.prf import PRF
from ipsecbench.export.connection import Connection, EspAlgorithms, IkeAlgorithms, Life
from ipsecbench.export.target import find_target
from tests.export_proofs.unpacked import program
from tests.unit.export.connections import a_connection

TARGET = find_target("libreswan")

# As pluto's ike_alg_*.c name them.
_PLUTO_HASHES = {"md5": "HMAC_MD5", "sha1": "HMAC_SHA1", "sha256": "HMAC_SHA2_256", "sha384": "HMAC_SHA2_384"}
_PLUTO_HASHES |= {"sha512": "HMAC_SHA2_512", "aesxcbc": "AES_XCBC"}
_PLUTO_INTEGRITY = {"md5": "HMAC_MD5_96", "sha1": "HMAC_SHA1_96", "sha256": "HMAC_SHA2_256_128"}
_PLUTO_INTEGRITY |= {"sha384": "HMAC_SHA2_384_192", "sha512": "HMAC_SHA2_512_256", "aesxcbc": "AES_XCBC_96"}
_PLUTO_INTEGRITY |= {"aescmac": "AES_CMAC_96", "": "NONE"}


def pluto_encryption(name: str) -> str:
    """``aes128gcm16`` is ``AES_GCM_16_128``."""
    if name in ("3des", "null", "chacha20poly1305"):
        return {"3des": "3DES_CBC", "null": "NULL", "chacha20poly1305": "CHACHA20_POLY1305"}[name]
    match = re.fullmatch(r"(aes|camellia)(\d{3})(gcm|ccm)?(ctr|gmac)?(16)?", name)
    assert match, name
    cipher, bits, combined, other, _ = match.groups()
    if other == "gmac":
        return f"NULL_AUTH_AES_GMAC_{bits}"
    mode = f"{combined.upper()}_16" if combined else (other or "cbc").upper()
    return f"{cipher.upper()}_{mode}_{bits}"


def pluto_group(name: str) -> str:
    return name.upper() if name.startswith("modp") else f"DH{KEY_EXCHANGE[name].ikev2_id}"


def check(connection: Connection, folder: Path) -> None:
    """Both parsers accept the file, and read its proposals as the connection's algorithms."""
    addconn = program("libreswan", "usr/libexec/ipsec/addconn")
    algparse = program("libreswan", "usr/libexec/ipsec/algparse")
    text = TARGET.files(connection, "4", accept_legacy=True)[0].text
    path = folder / "site.conf"
    path.write_text(text)
    done = subprocess.run(
        [addconn, "--config", path, "--checkconfig"], capture_output=True, text=True, timeout=20, check=False
    )
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "")
    written_back = read_back(path)
    for name, value in re.findall(r"^\t([a-z0-9-]+)=(.*)$", text, re.M):
        if name not in ("rekeyfuzz", "ikev1-policy"):  # it writes no percentages, and of the set-up some only
            assert as_written_back(name, value) in written_back, (name, value, written_back)
    proposals = dict(re.findall(r"^\t(ike|esp)=(.*)$", text, re.M))
    pfs = "yes" if "\tpfs=yes\n" in text else "no"
    for protocol, expected in (
        ("ike", map(pluto_ike, connection.ike_proposals)),
        ("esp", map(pluto_esp, connection.esp_proposals)),
    ):
        done = subprocess.run(
            [algparse, f"-v{connection.ike_version}", f"-pfs={pfs}", f"{protocol}={proposals[protocol]}"],
            capture_output=True, text=True, timeout=20, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        assert [line.strip() for line in done.stdout.splitlines()[1:]] == list(expected)


def read_back(path: Path) -> set[tuple[str, str]]:
    """Keyword and value of every line that readwriteconf writes."""
    done = subprocess.run(
        [program("libreswan", "usr/libexec/ipsec/readwriteconf"), "--config", path],
        capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return {(name, value.strip('"')) for name, value in re.findall(r"^\t([a-z0-9-]+)=(.*)$", done.stdout, re.M)}


def as_written_back(name: str, value: str) -> tuple[str, str]:
    """How readwriteconf spells a setting: times in milliseconds, protocols by name, some enumerations empty."""
    if re.fullmatch(r"\d+s", value):
        return name, f"{value[:-1]}000"
    if name in ("encapsulation", "dpdaction"):
        return name, ""
    if name.endswith("protoport"):
        return name, {"47/0": "GRE/0", "4/0": "IPENCAP/0", "41/0": "IPv6/0"}[value]
    return name, value


def pluto_ike(ike: IkeAlgorithms) -> str:
    hash_name = _PLUTO_HASHES[ike.prf.removeprefix("prf")]
    return f"{pluto_encryption(ike.encryption)}-{hash_name}-{pluto_group(ike.key_exchange)}"


def pluto_esp(esp: EspAlgorithms) -> str:
    group = "" if esp.key_exchange is None else f"-{pluto_group(esp.key_exchange)}"
    return f"{pluto_encryption(esp.encryption)}-{_PLUTO_INTEGRITY[esp.integrity or '']}{group}"


def algparse_has(protocol: str, text: str, version: int = 2) -> bool:
    done = subprocess.run(
        [program("libreswan", "usr/libexec/ipsec/algparse"), f"-v{version}", "-pfs=yes", f"{protocol}={text}"],
        capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip
    return done.returncode == 0


@pytest.mark.parametrize("name", ENCRYPTION)
def test_every_encryption_is_read_as_itself_or_refused(name: str, tmp_path: Path) -> None:
    aead = ENCRYPTION[name].aead
    ike = IkeAlgorithms(name, None if aead else "sha256", "prfsha256", "modp2048")
    esp = EspAlgorithms(name, None if aead else "sha256", "modp2048")
    written = 0
    for connection in (
        a_connection(ike=ike, esp=EspAlgorithms("aes256gcm16", None, "modp2048")),
        a_connection(ike=IkeAlgorithms("aes256", "sha256", "prfsha256", "modp2048"), esp=esp),
    ):
        if not TARGET.refusals(connection, "4", accept_legacy=True):
            check(connection, tmp_path)
            written += 1
    # What is refused is not there under libreswan's usual spelling either.
    if not written and "gcm" not in name and "ccm" not in name:
        assert not algparse_has("esp", f"{name}-sha2_256-dh14")


@pytest.mark.parametrize("name", KEY_EXCHANGE)
def test_every_group_is_read_as_itself_or_is_not_there(name: str, tmp_path: Path) -> None:
    connection = a_connection(
        ike=IkeAlgorithms("aes256", "sha256", "prfsha256", name), esp=EspAlgorithms("aes256gcm16", None, name)
    )
    if TARGET.refusals(connection, "4", accept_legacy=True):
        assert not algparse_has("ike", f"aes256-sha2_256-dh{KEY_EXCHANGE[name].ikev2_id}")
    else:
        check(connection, tmp_path)


@pytest.mark.parametrize("name", INTEGRITY)
def test_every_integrity_and_prf(name: str, tmp_path: Path) -> None:
    ike = IkeAlgorithms("aes256", name, f"prf{name}", "modp2048")
    esp = EspAlgorithms("aes256", name, "modp2048")
    if name == "aescmac":
        (reason,) = TARGET.refusals(a_connection(ike=ike, esp=esp), "4")
        assert reason == "libreswan has no prfaescmac in IKEv2"
        ike = IkeAlgorithms("aes256", "sha256", "prfsha256", "modp2048")
    check(a_connection(ike=ike, esp=esp), tmp_path)


@pytest.mark.parametrize("prf", PRF)
def test_a_prf_of_its_own_is_refused_beside_a_cipher_without_integrity_of_its_own(prf: str, tmp_path: Path) -> None:
    combined = a_connection(ike=IkeAlgorithms("aes256gcm16", None, prf, "ecp384"))
    if prf == "prfaescmac":
        assert TARGET.refusals(combined, "4")
    else:
        check(combined, tmp_path)
    if prf != "prfsha1":
        assert any(
            "one hash" in line or "has no" in line
            for line in TARGET.refusals(a_connection(ike=IkeAlgorithms("aes256", "sha1", prf, "ecp384")), "4")
        )


@pytest.mark.parametrize(
    "changes",
    [
        {"outer": "ipv6", "inner": "ipv6"},
        {"mode": "transport"},
        {"mode": "gre"},
        {"mode": "ipip", "outer": "ipv6", "inner": "ipv6"},
        {"nat_traversal": True},
        {"authentication": "rsa-3072"},
        {"authentication": "ecdsa-384"},
        {"child_life": Life(3600, 3960)},
        {"esp": EspAlgorithms("aes256gcm16", None, None, esn=True)},
        {"ike_version": 1, "ike": IkeAlgorithms("aes256", "sha512", "prfsha512", "modp4096"),
         "esp": EspAlgorithms("aes256gcm16", None, "modp4096")},
        {"ike_fallbacks": (IkeAlgorithms("aes256", "sha1", "prfsha1", "modp2048"),),
         "esp_fallbacks": (EspAlgorithms("aes256", "sha256", "ecp384"),)},
    ],
    ids=str,
)  # fmt: skip
def test_every_setting_is_known(changes: dict[str, Any], tmp_path: Path) -> None:
    connection = a_connection(**changes)
    check(connection, tmp_path)
    check(connection.mirrored(), tmp_path)


def test_the_checkers_refuse_what_they_do_not_know(tmp_path: Path) -> None:
    """So that acceptance means something."""
    addconn = program("libreswan", "usr/libexec/ipsec/addconn")
    good = TARGET.files(a_connection(), "4")[0].text
    for wrong in (
        good.replace("replay-window", "replaywindow"),
        good.replace("esn=yes", "esn=maybe"),
        TARGET.files(a_connection(), "5")[0].text,
    ):
        path = tmp_path / "wrong.conf"
        path.write_text(wrong)
        assert wrong != good
        done = subprocess.run(
            [addconn, "--config", path, "--checkconfig"], capture_output=True, timeout=20, check=False
        )
        assert done.returncode != 0 or done.stderr, wrong
    assert not algparse_has("ike", "aes_gcm256-sha2_384-dh99")
    path.write_text(good.replace("ikelifetime=", "ikelifetime=x"))
    assert "ikelifetime" not in {name for name, _ in read_back(path)}
