"""The laboratory's certificates, checked by OpenSSL's command line, and used by strongSwan on both ends."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate

from ipsecbench.lab.certificates import KEY_KINDS, Credential, authority
from ipsecbench.lab.namespaces import Hosts
from ipsecbench.lab.strongswan import StrongSwan


def pem(*certificates: bytes) -> bytes:
    return b"".join(load_der_x509_certificate(each).public_bytes(Encoding.PEM) for each in certificates)


def verify(credential: Credential, folder: Path, root: bytes | None = None) -> str:
    """What ``openssl verify`` says."""
    files = {
        "leaf": pem(credential.certificate),
        "between": pem(*credential.intermediates),
        "root": pem(root or credential.root),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    program = shutil.which("openssl")
    assert program, "the package openssl is missing"
    command = [
        program,
        "verify",
        "-x509_strict",
        "-CAfile",
        str(folder / "root"),
        "-untrusted",
        str(folder / "between"),
    ]
    result = subprocess.run([*command, str(folder / "leaf")], capture_output=True, text=True, timeout=10, check=False)
    return result.stdout + result.stderr


@pytest.mark.parametrize("kind", ["rsa-2048", "ecdsa-256", "ecdsa-521", "ed25519", "ed448"])
def test_chains_verify(kind: str, tmp_path: Path) -> None:
    assert "leaf: OK" in verify(authority(kind).issue("a.example", common_name="a"), tmp_path)


def test_the_wrong_ones_do_not_verify(tmp_path: Path) -> None:
    expired = authority("ecdsa-256").issue("a.example", common_name="a", expired=True)
    assert "certificate has expired" in verify(expired, tmp_path)
    stranger = authority("ecdsa-256", "other").issue("a.example", common_name="a")
    assert "unable to get local issuer certificate" in verify(stranger, tmp_path, authority("ecdsa-256").root)


@pytest.mark.root
@pytest.mark.interop
@pytest.mark.parametrize("version", [2, 1])
def test_strongswan_takes_every_kind(strongswan_peer: None, hosts: Hosts, version: int) -> None:
    # Signatures of Edwards curves have no number in IKEv1.
    kinds = [kind for kind in KEY_KINDS if version == 2 or not kind.startswith("ed")]
    with StrongSwan(hosts.local) as local, StrongSwan(hosts.peer) as peer:
        for kind in kinds:
            credentials = {name: authority(kind).issue(f"{name}.example", common_name=name) for name in "ab"}
            for daemon, here, there in ((local, hosts.local, hosts.peer), (peer, hosts.peer, hosts.local)):
                daemon.forget_credentials()
                own, other = here.name[-1], there.name[-1]
                daemon.load_certificate(credentials[own].root, authority=True)
                for intermediate in credentials[own].intermediates:
                    daemon.load_certificate(intermediate, authority=True)
                daemon.load_private_key(credentials[own].private_key)
                connection = {
                    "version": version,
                    "local_addrs": [here.ipv4],
                    "remote_addrs": [there.ipv4],
                    "proposals": ["aes128-sha256-modp2048"],
                    "local": {"auth": "pubkey", "id": f"{own}.example", "certs": [credentials[own].certificate]},
                    "remote": {"auth": "pubkey", "id": f"{other}.example"},
                    "children": {"net": {"esp_proposals": ["aes128gcm16"]}},
                }
                daemon.load("c", connection)
            local.initiate("c", "net")
            assert local.ike_sas()[0].remote_id == "b.example", kind
            local.terminate_ike("c")
            peer.wait_for(lambda sas: not sas)
