"""Child SAs and IKE SAs are replaced while numbered datagrams go both ways: every one of them arrives."""

from __future__ import annotations

import time

import pytest

from ipsecbench.lab.namespaces import Hosts
from tests.dataplane.ends import Case, Pings, UdpFlow, ends

pytestmark = pytest.mark.root
CASE = Case(esp="aes128gcm16-x25519", encap=True)


@pytest.mark.parametrize("planes", [("agent", "agent"), ("reference", "agent")])
@pytest.mark.parametrize("version", [1, 2])
def test_nothing_is_lost(hosts: Hosts, planes: tuple[str, str], version: int) -> None:
    with ends(hosts, CASE.changed(version=version), planes) as (a, b):
        a.initiate()
        b.wait_for_child()
        pings = Pings(hosts.local, "10.1.0.1", "10.2.0.1")
        there = UdpFlow(hosts.local, hosts.peer, "10.1.7.1", "10.2.7.1", per_second=400)
        back = UdpFlow(hosts.peer, hosts.local, "10.2.7.1", "10.1.7.1", per_second=400)
        try:
            for who in (a, b):
                who.rekey_child()
                time.sleep(0.3)
                who.rekey_ike()
                time.sleep(0.3)
            # Both ends at once.
            both = [peer.child_sas[-1] for peer in (a, b)]
            for peer, child in zip((a, b), both, strict=True):
                peer.driver.call(
                    lambda endpoint, now, child=child: endpoint.order(  # type: ignore[misc]
                        child.ike_unique_id, lambda sa: sa.rekey_child_sa(child.inbound_spi, now)
                    )
                )
            # Until the replaced ones are gone: IKEv1 keeps them for five seconds.
            deadline = time.monotonic() + 20.0
            while any(len(peer.child_sas) > 1 for peer in (a, b)) and time.monotonic() < deadline:
                time.sleep(0.2)
            time.sleep(0.3)
        finally:
            lost = [flow.stop()[1] for flow in (there, back)]
            answered, unanswered = pings.stop()
        assert there.sent > 200
        assert answered > 50
        assert (lost, unanswered) == ([0, 0], 0), (a.statistics(), b.statistics())
        for peer in (a, b):
            assert len(peer.child_sas) == 1
            assert not any(peer.statistics().dropped.values()), peer.statistics()
