"""ipsec.conf: strongSwan's starter reads it at one end, and the SAs with swanctl.conf's end have these parameters."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ipsecbench.export.connection import PSK_PLACEHOLDER, Connection
from ipsecbench.export.shared_margin import shared_margin
from ipsecbench.export.target import find_target
from ipsecbench.lab import certificates
from ipsecbench.lab.namespaces import Hosts
from ipsecbench.lab.strongswan import StrongSwan
from tests.export_proofs.between_hosts import (
    SECRET,
    assert_child_sa,
    assert_ike_sa,
    connection_between,
    listed,
    rekey,
    terminate,
)
from tests.export_proofs.starter import StarterDaemon
from tests.export_proofs.swanctl_end import load_swanctl

pytestmark = [pytest.mark.root, pytest.mark.interop]

CASES: Mapping[str, tuple[int, str, str, str]] = {
    "modern": (2, "aes256gcm16-prfsha384-ecp384", "aes256gcm16-ecp384", "psk"),
    "x25519": (2, "chacha20poly1305-prfsha256-x25519", "chacha20poly1305-x25519", "psk"),
    "CBC": (2, "aes256-sha512-modp3072", "aes192-sha384-modp3072", "psk"),
    "no PFS": (2, "aes128-sha256-ecp256", "aes128ccm16", "psk"),
    "IKEv1": (1, "aes256-sha256-modp2048", "aes256-sha256-modp2048", "psk"),
    "ECDSA": (2, "aes256gcm16-prfsha384-ecp384", "aes256gcm16-ecp384", "ecdsa-384"),
    "Ed25519": (2, "aes128gcm16-prfsha256-x25519", "aes128gcm16-x25519", "ed25519"),
    "RSA": (2, "aes128gcm16-prfsha256-x25519", "aes128gcm16-x25519", "rsa-2048"),
    "RSA, IKEv1": (1, "aes128-sha256-modp2048", "aes128gcm16-modp2048", "rsa-2048"),
}


def write_files(daemon: StarterDaemon, view: Connection) -> None:
    for file in find_target("strongswan-ipsec").files(view, "5.9"):
        path = daemon.etc / file.name
        path.parent.mkdir(exist_ok=True)
        path.write_text(file.text.replace(PSK_PLACEHOLDER, SECRET))
    if view.uses_psk:
        return
    credential = certificates.authority(view.authentication).issue(view.local.identity, common_name=view.end_name)
    for name, octets in {
        "certs/local.pem": credential.certificate,
        "private/local.pem": credential.private_key,
        "cacerts/ca.pem": credential.root,
        "cacerts/intermediate.pem": credential.intermediates[0],
    }.items():
        path = daemon.etc / "ipsec.d" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(octets)


@pytest.mark.parametrize("case", CASES)
def test_the_sas_have_exactly_these_parameters(hosts: Hosts, case: str, tmp_path: Path) -> None:
    version, ike, esp, authentication = CASES[case]
    connection = connection_between(hosts, ike, esp, ike_version=version, authentication=authentication)
    starter = StarterDaemon(hosts.local, tmp_path)
    write_files(starter, connection)
    with StrongSwan(hosts.peer) as other, starter:
        load_swanctl(other, connection.mirrored(), tmp_path / "swanctl")
        loaded = wait_loaded(starter, connection.name)
        starter.initiate(connection.name, connection.name)
        (sa,) = starter.ike_sas()
        assert_ike_sa(sa, connection)
        assert_child_sa(sa.children[0], connection, rekeyed=False)
        assert_lives(starter, connection, loaded)
        # What strongswan.d/site.conf says of the routes that the daemon installs.
        route = hosts.local.run("ip", "route", "show", "table", "220").stdout.split()
        assert route[:1] == ["10.2.0.0/16"]
        assert route[route.index("mtu") + 1] == str(connection.inner_mtu_bytes)
        assert route[route.index("advmss") + 1] == str(connection.mss_ipv4_bytes)
        assert_child_sa(rekey(starter, connection), connection, rekeyed=True)
        assert_lives(starter, connection, loaded)
        terminate(connection, starter, other)


def wait_loaded(daemon: StrongSwan, name: str) -> Mapping[str, Any]:
    """The connection as list-conns has it, once the starter has told of it."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        for event in daemon.vici.stream("list-conns", "list-conn", {}):
            if name in event:
                found: Mapping[str, Any] = event[name]
                return found
        time.sleep(0.02)
    raise AssertionError(daemon.log)


def assert_lives(daemon: StrongSwan, connection: Connection, loaded: Mapping[str, Any]) -> None:
    """SAs are rekeyed at the soft limits or up to the jitter before, and end at the hard ones or before."""
    sa, child = listed(daemon)
    ike_life, life = connection.ike_life, connection.child_life
    lives = shared_margin(connection)
    assert life.hard_seconds == lives.child_seconds
    ike_rand = lives.margin_seconds * lives.fuzz_percent // 100
    again = "rekey_time" if connection.ike_version == 2 else "reauth_time"
    assert int(loaded[again]) == ike_life.soft_seconds
    assert ike_life.soft_seconds - ike_rand - 10 <= int(sa[again.replace("_", "-")]) <= ike_life.soft_seconds
    assert life.soft_seconds - life.rand_seconds - 10 <= int(child["rekey-time"]) <= life.soft_seconds
    assert life.hard_seconds - 10 <= int(child["life-time"]) <= life.hard_seconds
    child_loaded = loaded["children"][connection.name]
    assert int(child_loaded["rekey_time"]) == life.soft_seconds
    assert int(child_loaded["rekey_bytes"]) == life.soft_bytes
    assert int(child_loaded["rekey_packets"]) == life.soft_packets
