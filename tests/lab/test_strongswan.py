"""strongSwan against strongSwan: what the peer of the interoperability tests does when nobody else is involved."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ipsecbench.errors import LaboratoryError
from ipsecbench.lab.namespaces import Host, Hosts, two_hosts
from ipsecbench.lab.strongswan import PeerChildSa, PeerIkeSa, StrongSwan

pytestmark = [pytest.mark.root, pytest.mark.interop]

SECRET = "k2;2.6TbYl+{/qa"


def connection(here: Host, there: Host, version: int, **changes: Any) -> dict[str, Any]:
    """One side's connection, tunnel mode between the inner networks."""
    identities = {"a": "a.example", "b": "b.example"}
    return {
        "version": version,
        "local_addrs": [here.ipv4],
        "remote_addrs": [there.outside],
        "proposals": ["aes128-sha256-modp2048" if version == 1 else "aes128-sha256-x25519"],
        "local": {"auth": "psk", "id": identities[here.name[-1]]},
        "remote": {"auth": "psk", "id": identities[there.name[-1]]},
        "children": {
            "net": {
                "local_ts": [f"{here.inner_ipv4}/32"],
                "remote_ts": [f"{there.inner_ipv4}/32"],
                "esp_proposals": ["aes128gcm16"],
            }
        },
        **changes,
    }


class Pair:
    """Two daemons with a connection each."""

    def __init__(self, hosts: Hosts, local: StrongSwan, peer: StrongSwan) -> None:
        self.hosts, self.local, self.peer = hosts, local, peer

    def load(self, version: int, local_changes: dict[str, Any] | None = None) -> None:
        hosts = self.hosts
        self.local.load("c", connection(hosts.local, hosts.peer, version, **(local_changes or {})))
        self.peer.load("c", connection(hosts.peer, hosts.local, version))
        for daemon in (self.local, self.peer):
            daemon.forget_credentials()
            daemon.load_shared_key(SECRET)

    def traffic(self) -> None:
        """One datagram each way through the tunnel."""
        here, there = self.hosts.local, self.hosts.peer
        with here.udp_socket(7, here.inner_ipv4) as first, there.udp_socket(7, there.inner_ipv4) as second:
            first.settimeout(3)
            second.settimeout(3)
            standing = {child.spi_out for child in installed(self.local.ike_sas())}
            self.peer.wait_for(lambda sas: standing <= {child.spi_in for child in installed(sas)})
            first.sendto(b"ping", (there.inner_ipv4, 7))
            assert second.recvfrom(100) == (b"ping", (here.inner_ipv4, 7))
            second.sendto(b"pong", (here.inner_ipv4, 7))
            assert first.recvfrom(100)[0] == b"pong"


@pytest.fixture(scope="module", params=[False, True], ids=["direct", "nat"])
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    # The module's own copy of the prerequisites: a fixture of this scope cannot use those of the conftest.
    from ipsecbench.lab import namespaces, strongswan

    for reason in (namespaces.missing_prerequisite(), strongswan.missing_prerequisite()):
        if reason:
            pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    with two_hosts(nat=request.param) as hosts, StrongSwan(hosts.local) as local, StrongSwan(hosts.peer) as peer:
        yield Pair(hosts, local, peer)


@pytest.fixture(autouse=True)
def clean(request: pytest.FixtureRequest) -> Iterator[None]:
    """No SA of one test reaches the next, whatever became of the first."""
    yield
    if "pair" in request.fixturenames:
        pair: Pair = request.getfixturevalue("pair")
        for daemon in (pair.local, pair.peer):
            if daemon.ike_sas():
                daemon.terminate_ike("c", force=True)


@pytest.fixture(params=[2, 1], ids=["IKEv2", "IKEv1"])
def version(request: pytest.FixtureRequest) -> int:
    return int(request.param)


def installed(sas: list[PeerIkeSa]) -> list[PeerChildSa]:
    return [child for sa in sas for child in sa.children if child.state == "INSTALLED"]


def current(sas: list[PeerIkeSa]) -> list[PeerIkeSa]:
    return [sa for sa in sas if sa.state != "REKEYING"]


def established(sas: list[PeerIkeSa]) -> bool:
    return len(sas) == 1 and sas[0].state == "ESTABLISHED" and [c.state for c in sas[0].children] == ["INSTALLED"]


def test_up_traffic_down(pair: Pair, version: int) -> None:
    pair.load(version)
    pair.local.initiate("c", "net")
    (here,), (there,) = pair.local.ike_sas(), pair.peer.wait_for(established)
    assert (here.version, here.is_initiator, there.is_initiator) == (version, True, False)
    assert (here.spi_i, here.spi_r) == (there.spi_i, there.spi_r)
    assert here.encryption == there.encryption == "AES_CBC-128"
    assert here.integrity == there.integrity == "HMAC_SHA2_256_128"
    assert here.key_exchange == {1: "MODP_2048", 2: "CURVE_25519"}[version]
    (child,), (mirrored,) = here.children, there.children
    assert (child.spi_in, child.spi_out) == (mirrored.spi_out, mirrored.spi_in)
    assert child.encryption == mirrored.encryption == "AES_GCM_16-128"
    assert child.local_selectors == (f"{pair.hosts.local.inner_ipv4}/32",)
    pair.traffic()
    assert pair.peer.ike_sas()[0].children[0].packets_in == 1
    assert pair.peer.ike_sas()[0].children[0].packets_out == 1
    pair.local.terminate_ike("c")
    assert pair.local.ike_sas() == []
    pair.peer.wait_for(lambda sas: not sas)


def test_child_rekey(pair: Pair, version: int) -> None:
    pair.load(version)
    pair.local.initiate("c", "net")
    before = pair.local.ike_sas()[0].children[0].spi_in
    pair.local.rekey_child("net")
    pair.local.wait_for(lambda sas: any(c.spi_in != before and c.state == "INSTALLED" for c in sas[0].children))
    pair.traffic()
    pair.local.terminate_ike("c")
    pair.peer.wait_for(lambda sas: not sas)


def test_ike_rekey(pair: Pair, version: int) -> None:
    pair.load(version)
    pair.local.initiate("c", "net")
    before = pair.local.ike_sas()[0].spi_i
    pair.local.rekey_ike("c")
    # After IKEv1's new ISAKMP SA the old one stays for a while, as REKEYING.
    pair.local.wait_for(lambda sas: established(current(sas)) and current(sas)[0].spi_i != before)
    pair.traffic()
    pair.local.terminate_ike("c")
    pair.peer.wait_for(lambda sas: not sas)


def test_a_refusal_is_one_line(pair: Pair, version: int) -> None:
    pair.load(version, {"proposals": ["aes256-sha512-modp4096"]})
    with pytest.raises(LaboratoryError, match=r"^strongSwan refused 'initiate': [^\n]*failed$"):
        pair.local.initiate("c", "net")
    assert pair.peer.wait_for(lambda sas: not sas) == []
    with pytest.raises(LaboratoryError, match="refused 'load-conn': invalid value for: proposals"):
        pair.local.load("c", {"proposals": ["rot13"]})


def test_it_has_what_the_matrix_needs(pair: Pair) -> None:
    can = {kind: set(names) for kind, names in pair.peer.algorithms().items()}
    assert {"3DES_CBC", "BLOWFISH_CBC", "CAST_CBC", "CAMELLIA_CBC", "TWOFISH_CBC", "NULL"} <= can["encryption"]
    assert {"AES_CCM_8", "AES_CCM_12", "AES_CCM_16", "AES_GCM_16", "CHACHA20_POLY1305"} <= can["aead"]
    assert {"AES_XCBC_96", "AES_CMAC_96", "HMAC_MD5_96", "HMAC_SHA2_512_256"} <= can["integrity"]
    assert {"PRF_AES128_XCBC", "PRF_AES128_CMAC", "PRF_HMAC_MD5"} <= can["prf"]
    assert {"MODP_768", "ECP_192", "ECP_224", "ECP_512_BP", "CURVE_448", "MODP_1024_160", "MODP_8192"} <= can["dh"]


def test_the_process_and_its_files_go(strongswan_peer: None, hosts: Hosts, tmp_path: Path) -> None:
    with StrongSwan(hosts.peer) as daemon:
        process, directory = daemon._process, daemon._directory
        assert process is not None
        assert directory.stat().st_mode & 0o777 == 0o700
        assert daemon.processor_seconds >= 0
        assert "loaded plugins" in daemon.log
    assert process.poll() is not None
    assert not directory.exists()


def test_a_daemon_that_cannot_start_says_why(strongswan_peer: None, hosts: Hosts) -> None:
    with pytest.raises(LaboratoryError, match="strongSwan"), StrongSwan(hosts.peer, plugins=["none-such"]):
        pass
