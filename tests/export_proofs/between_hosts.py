"""Connections between the two hosts of the laboratory, and what strongSwan must say of their SAs."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from ipsecbench.algorithms.proposals import parse_esp, parse_ike
from ipsecbench.errors import LaboratoryError
from ipsecbench.export.connection import Connection, End, EspAlgorithms, IkeAlgorithms, Life
from ipsecbench.lab.namespaces import Hosts
from ipsecbench.lab.strongswan import PeerChildSa, PeerIkeSa, StrongSwan
from tests.interop import names
from tests.unit.export.connections import a_connection

SECRET = "nUm3UFQ9vZ1tq4yRr0Gk2eXw7bLs8cHd"
"""Stands in for the placeholder; the laboratory's only."""


def connection_between(hosts: Hosts, ike: str, esp: str, **changes: Any) -> Connection:
    """A connection with these proposals between the inner networks of the hosts."""
    phase1, phase2 = parse_ike(ike), parse_esp(esp)
    local, peer = (
        End(host.ipv4, (f"10.{number}.0.0/16",), host.ipv4) for number, host in ((1, hosts.local), (2, hosts.peer))
    )
    return a_connection(
        **{
            "ike": IkeAlgorithms(
                phase1.encryption[0],
                phase1.integrity[0] if phase1.integrity else None,
                phase1.prf[0],
                phase1.key_exchange[0],
            ),
            "esp": EspAlgorithms(
                phase2.encryption[0],
                phase2.integrity[0] if phase2.integrity else None,
                phase2.key_exchange[0] if phase2.key_exchange else None,
                (),
                phase2.esn[0],
            ),
            "ike_life": Life(7200, 7900, rand_seconds=700),
            "child_life": Life(1800, 2000, 10**11, 11 * 10**10, 10**9, 11 * 10**8, 180, 10**10, 10**8),
            "local": local,
            "peer": peer,
            **changes,
        }
    )


def assert_ike_sa(sa: PeerIkeSa, connection: Connection) -> None:
    """The IKE SA has exactly the connection's algorithms."""
    ike = connection.ike
    assert sa.version == connection.ike_version
    assert sa.encryption == names.encryption(ike.encryption)
    assert sa.integrity == names.integrity(ike.integrity)
    assert sa.prf == names.prf(ike.prf)
    assert sa.key_exchange == names.key_exchange(ike.key_exchange)
    assert (sa.local_id, sa.remote_id) == (connection.local.identity, connection.peer.identity)


def assert_child_sa(sa: PeerChildSa, connection: Connection, *, rekeyed: bool) -> None:
    """The Child SA has exactly the connection's algorithms; its group shows after a rekey (IKEv1: at once)."""
    esp = connection.esp
    assert sa.encryption == names.encryption(esp.encryption)
    assert sa.integrity == names.integrity(esp.integrity)
    assert sa.extended_sequence_numbers is esp.esn
    assert sa.mode == connection.esp_mode.upper()
    if rekeyed or connection.ike_version == 1:
        assert sa.key_exchange == names.key_exchange(esp.key_exchange)
    assert sa.local_selectors == selectors(connection, connection.local)
    assert sa.remote_selectors == selectors(connection, connection.peer)


def selectors(connection: Connection, end: End) -> tuple[str, ...]:
    """As strongSwan lists them: the networks, or in transport mode the end itself, with the tunnel's protocol."""
    protocol = {None: "", 47: "[gre]", 4: "[4]"}[connection.tunnel_protocol]
    return end.networks if connection.mode == "tunnel" else (f"{end.address}/32{protocol}",)


def listed(daemon: StrongSwan) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The one IKE SA and its newest Child SA, as list-sas has them."""
    (event,) = daemon.vici.stream("list-sas", "list-sa", {})
    (sa,) = event.values()
    installed = [child for child in sa["child-sas"].values() if child["state"] == "INSTALLED"]
    return sa, max(installed, key=lambda child: int(child["uniqueid"]))


def terminate(connection: Connection, *daemons: StrongSwan) -> None:
    """Delete the connection's SAs at every end."""
    for daemon in daemons:
        # An SA may be gone before it is deleted: the other end has just deleted it.
        with contextlib.suppress(LaboratoryError):
            daemon.terminate_ike(connection.name, force=True)
        assert daemon.wait_for(lambda sas: not sas) == []


def rekey(daemon: StrongSwan, connection: Connection) -> PeerChildSa:
    """Force a rekey of the Child SA, and return the new one."""
    before = {child.spi_in for child in daemon.ike_sas()[0].children}
    daemon.rekey_child(connection.name)
    (sa,) = daemon.wait_for(
        lambda sas: any(child.spi_in not in before and child.state == "INSTALLED" for child in sas[0].children)
    )
    (new,) = (child for child in sa.children if child.spi_in not in before)
    return new
