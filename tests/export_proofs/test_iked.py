"""OpenIKED reads the exported iked.conf, and prints back a policy with exactly the connection's parameters.

``iked -n`` looks its unprivileged user up first; in a mount namespace of its own it finds one.
"""

from __future__ import annotations

import os
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
from tests.export_proofs.conftest import require
from tests.export_proofs.unpacked import program
from tests.unit.export.connections import a_connection

pytestmark = [pytest.mark.root]

TARGET = find_target("iked")

# Tables CRYPTO TRANSFORMS of iked.conf(5), which the daemon prints policies with.
PRINTED_ENCRYPTION = {
    "3des": "3des", "aes128": "aes-128", "aes192": "aes-192", "aes256": "aes-256",
    "aes128ctr": "aes-128-ctr", "aes192ctr": "aes-192-ctr", "aes256ctr": "aes-256-ctr",
    "aes128gcm16": "aes-128-gcm", "aes192gcm16": "aes-192-gcm", "aes256gcm16": "aes-256-gcm",
    "aes128gmac": "aes-128-gmac", "aes192gmac": "aes-192-gmac", "aes256gmac": "aes-256-gmac",
    "cast128": "cast", "chacha20poly1305": "chacha20-poly1305", "null": "null",
}  # fmt: skip
PRINTED_HASH = {"md5": "hmac-md5", "sha1": "hmac-sha1"} | {
    f"sha{bits}": f"hmac-sha2-{bits}" for bits in (256, 384, 512)
}
PRINTED_GROUP = {f"ecp{bits}bp": f"brainpool{bits}" for bits in (224, 256, 384, 512)} | {"x25519": "curve25519"}


def printed(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What iked says of a file."""
    require(None if os.geteuid() == 0 else "iked's user can only be put into a mount namespace by root")
    iked = program("openiked", "usr/sbin/iked")
    path, users = folder / "iked.conf", folder / "passwd"
    path.touch(mode=0o600)
    path.write_text(text)
    users.write_text("root:x:0:0::/:/bin/sh\n_iked:x:65534:65534::/:/bin/false\n")
    command = 'mount --bind "$1" /etc/passwd && exec "$2" -nvv -f "$3"'
    return subprocess.run(
        ["unshare", "--mount", "sh", "-ec", command, "sh", users, iked, path],
        capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip


def check(connection: Connection, folder: Path) -> None:
    """The daemon accepts the file and prints the connection's parameters."""
    text = TARGET.files(connection, "openbsd", accept_legacy=True)[0].text
    done = printed(text, folder)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "configuration OK" in said
    (policy,) = re.findall(r"^ikev2 .*$", said, re.M)
    for part in expected(connection):
        assert f" {part} " in f"{policy} ", (part, policy)
    assert policy.count("ikesa") == len(connection.ike_proposals)
    # OpenIKED on Linux reads combined-mode proposals of ESP and drops them, which target iked@linux therefore refuses.
    kept = [esp for esp in connection.esp_proposals if not esp.transform.aead]
    assert policy.count("childsa") == len(kept)
    dropped = len(kept) < len(connection.esp_proposals)
    assert dropped is any("combined-mode" in line for line in TARGET.refuse(connection, "linux"))


def expected(connection: Connection) -> list[str]:
    parts = [f'"{connection.name}"', connection.esp_mode, f"local {connection.local.address}"]
    parts += [f"peer {connection.peer.address}", f"srcid {connection.local.identity}"]
    parts += [f"dstid {connection.peer.identity}", f"ikelifetime {connection.ike_life.soft_seconds}"]
    octets = connection.child_life.hard_bytes
    parts.append(f"lifetime {connection.child_life.hard_seconds}" + ("" if octets is None else f" bytes {octets}"))
    for ike in connection.ike_proposals:
        auth = "" if ike.integrity is None else f" auth {PRINTED_HASH[ike.integrity]}"
        prf = PRINTED_HASH[ike.prf.removeprefix("prf")]
        parts.append(f"ikesa enc {PRINTED_ENCRYPTION[ike.encryption]} prf {prf}{auth} group {group(ike.key_exchange)}")
    for esp in connection.esp_proposals:
        if esp.integrity is None:
            continue
        auth = f" auth {PRINTED_HASH[esp.integrity]}"
        pfs = "" if esp.key_exchange is None else f" group {group(esp.key_exchange)}"
        esn = "esn" if esp.esn else "noesn"
        parts.append(f"childsa enc {PRINTED_ENCRYPTION[esp.encryption]}{auth}{pfs} {esn}")
    return parts


def group(name: str) -> str:
    return PRINTED_GROUP.get(name, name)


@pytest.mark.parametrize("name", ENCRYPTION)
def test_every_encryption_is_printed_as_itself_or_refused(name: str, tmp_path: Path) -> None:
    aead = ENCRYPTION[name].aead
    ike = IkeAlgorithms(name, None if aead else "sha256", "prfsha256", "modp2048")
    esp = EspAlgorithms(name, None if aead else "sha256", "modp2048")
    for connection in (
        a_connection(ike=ike, esp=EspAlgorithms("aes256gcm16", None, "modp2048")),
        a_connection(ike=IkeAlgorithms("aes256", "sha256", "prfsha256", "modp2048"), esp=esp),
    ):
        if not TARGET.refusals(connection, "openbsd", accept_legacy=True):
            check(connection, tmp_path)
    if not TARGET.refuse(connection, "openbsd"):
        assert name in PRINTED_ENCRYPTION


@pytest.mark.parametrize("name", KEY_EXCHANGE)
def test_every_group(name: str, tmp_path: Path) -> None:
    connection = a_connection(
        ike=IkeAlgorithms("aes256", "sha256", "prfsha256", name), esp=EspAlgorithms("aes256", "sha256", name)
    )
    if TARGET.refusals(connection, "openbsd", accept_legacy=True):
        wrong = TARGET.files(a_connection(), "openbsd")[0].text.replace("ecp384", name)
        assert printed(wrong, tmp_path).returncode != 0
    else:
        check(connection, tmp_path)


@pytest.mark.parametrize("name", [*INTEGRITY, *PRF])
def test_every_integrity_and_prf(name: str, tmp_path: Path) -> None:
    integrity, prf = ("sha256", name) if name.startswith("prf") else (name, "prfsha256")
    connection = a_connection(
        ike=IkeAlgorithms("aes256", integrity, prf, "ecp384"), esp=EspAlgorithms("aes256", integrity, "ecp384")
    )
    if "aes" in name:
        assert TARGET.refusals(connection, "openbsd")
    else:
        check(connection, tmp_path)


@pytest.mark.parametrize(
    "changes",
    [
        {"outer": "ipv6", "inner": "ipv6"},
        {"mode": "transport"},
        {"authentication": "rsa-3072"},
        {"authentication": "ecdsa-384"},
        {"child_life": Life(3600, 3960)},
        {"esp": EspAlgorithms("aes256gcm16", None, None, esn=True)},
        {"ike_fallbacks": (IkeAlgorithms("aes256", "sha1", "prfsha1", "modp2048"),),
         "esp_fallbacks": (EspAlgorithms("aes256", "sha256", "ecp384"),)},
    ],
    ids=str,
)  # fmt: skip
def test_every_setting_is_known(changes: dict[str, Any], tmp_path: Path) -> None:
    connection = a_connection(**changes)
    check(connection, tmp_path)
    check(connection.mirrored(), tmp_path)


@pytest.mark.parametrize("mode", ["gre", "ipip"])
def test_tunnels_over_transport_mode(mode: str, tmp_path: Path) -> None:
    connection = a_connection(mode=mode)
    text = TARGET.files(connection, "openbsd")[0].text
    done = printed(text, tmp_path)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert f" proto {{ {'gre' if mode == 'gre' else 'ipencap'} }} " in said


def test_the_checker_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    """So that acceptance means something."""
    good = TARGET.files(a_connection(), "openbsd")[0].text
    for old, new in (("aes-256-gcm", "aes-256-xyz"), ("ecp384", "ecp999"), ("lifetime", "lifespan"), ("esn", "esnx")):
        assert printed(good.replace(old, new), tmp_path).returncode != 0
