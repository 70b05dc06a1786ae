"""strongSwan with its userspace ESP (kernel-libipsec) at the other end: real packets, both versions and both roles."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ipsecbench.lab.namespaces import Host, Hosts
from ipsecbench.lab.own_peer import OwnPeer
from ipsecbench.lab.strongswan import StrongSwan
from tests.dataplane.ends import PSK, Case, end, network, ping, transfer

pytestmark = [pytest.mark.root, pytest.mark.interop]
# kernel-libipsec has no ESN, and always puts ESP in UDP: it says that it is behind a NAT.
CASE = Case(esp="aes128gcm16")


@contextmanager
def strongswan(host: Host, other: Host, case: Case) -> Iterator[StrongSwan]:
    """strongSwan in the second host, with the same connection."""
    with StrongSwan(host) as peer:
        peer.load_shared_key(PSK)
        peer.load(
            "c",
            {
                "version": case.version,
                "local_addrs": [host.ipv4],
                "remote_addrs": [other.ipv4],
                "proposals": [case.ike],
                "local": {"auth": "psk", "id": "beta"},
                "remote": {"auth": "psk", "id": "alpha"},
                "children": {
                    "net": {
                        "local_ts": [network(host, case)],
                        "remote_ts": [network(other, case)],
                        "esp_proposals": [case.esp],
                    }
                },
            },
        )
        yield peer


def assert_traffic(hosts: Hosts, ours: OwnPeer) -> None:
    here, there = hosts.local.inner_ipv4, hosts.peer.inner_ipv4
    assert ping(hosts.local, here, there) == 0
    assert ping(hosts.peer, there, here, size=1300) == 0
    assert transfer(hosts.local, hosts.peer, there, 200_000) == 200_000
    assert transfer(hosts.peer, hosts.local, here, 200_000) == 200_000
    statistics = ours.statistics()
    assert min(statistics.inbound_bytes, statistics.outbound_bytes) > 200_000
    assert not any(statistics.dropped.values()), statistics


@pytest.mark.parametrize(
    ("plane", "version", "we_initiate"),
    [
        ("agent", 1, True),
        ("agent", 1, False),
        ("agent", 2, True),
        ("agent", 2, False),
        ("reference", 1, False),
        ("reference", 2, True),
    ],
)
def test_packets_go_both_ways(hosts: Hosts, strongswan_peer: None, plane: str, version: int, we_initiate: bool) -> None:
    case = CASE.changed(version=version)
    with strongswan(hosts.peer, hosts.local, case) as peer, end(hosts, case, plane, first=True) as ours:
        if we_initiate:
            ours.initiate()
        else:
            peer.initiate("c", "net")
        assert ours.wait_for_child().udp_encapsulation
        # As responder of a quick mode strongSwan has its SAs only when it has worked through the last message.
        peer.wait_for(lambda sas: any(child.state == "INSTALLED" for sa in sas for child in sa.children))
        assert_traffic(hosts, ours)
        # And after each end has replaced the Child SA.
        ours.rekey_child()
        assert_traffic(hosts, ours)
        peer.rekey_child("net")
        assert_traffic(hosts, ours)


@pytest.mark.parametrize("esp", ["aes256-sha512", "3des-sha1", "chacha20poly1305", "aes192ctr-sha384", "null-sha256"])
def test_suites(hosts: Hosts, strongswan_peer: None, esp: str) -> None:
    case = CASE.changed(esp=esp)
    with strongswan(hosts.peer, hosts.local, case), end(hosts, case, "agent", first=True) as ours:
        ours.initiate()
        assert_traffic(hosts, ours)
