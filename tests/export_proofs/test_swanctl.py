"""swanctl.conf: swanctl loads it at both ends, and the SAs that come up have exactly these parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ipsecbench.errors import LaboratoryError
from ipsecbench.export.connection import Connection, EspAlgorithms, IkeAlgorithms
from ipsecbench.lab.namespaces import Hosts
from ipsecbench.lab.strongswan import StrongSwan
from tests.export_proofs.between_hosts import (
    assert_child_sa,
    assert_ike_sa,
    connection_between,
    listed,
    rekey,
    terminate,
)
from tests.export_proofs.swanctl_end import OTHERS, load_swanctl
from tests.interop.matrix_algorithms import CIPHERS, COMBINED, COUNTER, GROUPS, INTEGRITY, PRF

pytestmark = [pytest.mark.root, pytest.mark.interop]

FULL = tuple(name for name in COMBINED if not name.endswith(("gcm8", "gcm12", "ccm8", "ccm12")))

CASES: Mapping[str, tuple[int, str, str]] = {
    **{f"IKE {name}": (2, f"{name}-sha256-modp2048", "aes128gcm16-modp2048") for name in (*CIPHERS, *COUNTER)},
    **{f"IKE {name}": (2, f"{name}-prfsha384-ecp384", "aes256gcm16-ecp384") for name in FULL},
    **{f"IKE integrity {name}": (2, f"aes128-{name}-prfsha256-x25519", "aes128gcm16-x25519") for name in INTEGRITY},
    **{f"IKE {name}": (2, f"aes128gcm16-{name}-x25519", "aes128gcm16-x25519") for name in PRF},
    **{f"group {name}": (2, f"aes128-sha256-{name}", f"aes128gcm16-{name}") for name in GROUPS},
    **{f"ESP {name}": (2, "aes128-sha256-x25519", f"{name}-sha256-x25519") for name in (*CIPHERS, *COUNTER, "null")},
    **{f"ESP {name}": (2, "aes128-sha256-x25519", f"{name}-x25519") for name in FULL},
    **{f"ESP integrity {name}": (2, "aes128-sha256-x25519", f"aes256-{name}-x25519") for name in INTEGRITY},
    "no PFS": (2, "aes128-sha256-x25519", "aes128gcm16"),
    "IKEv1": (1, "aes256-sha512-modp3072", "aes256gcm16-modp3072"),
    "IKEv1, old": (1, "3des-md5-modp1024", "3des-md5-modp1024"),
    "IKEv1 without PFS": (1, "aes128-sha1-modp2048", "aes128-sha1"),
}


class Pair:
    """Two daemons that read exported files with swanctl."""

    def __init__(self, hosts: Hosts, local: StrongSwan, peer: StrongSwan, folder: Path) -> None:
        self.hosts, self.local, self.peer, self.folder = hosts, local, peer, folder

    def load(self, connection: Connection) -> None:
        self.load_ends(connection, connection.mirrored())

    def load_ends(self, local: Connection, peer: Connection) -> None:
        for daemon, view in ((self.local, local), (self.peer, peer)):
            load_swanctl(daemon, view, self.folder / view.end_name)

    def terminate(self, connection: Connection) -> None:
        terminate(connection, self.local, self.peer)


@pytest.fixture(scope="module")
def pair(hosts: Hosts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with StrongSwan(hosts.local) as local, StrongSwan(hosts.peer) as peer:
        yield Pair(hosts, local, peer, tmp_path_factory.mktemp("swanctl"))


@pytest.mark.parametrize("case", CASES)
def test_the_sas_have_exactly_these_parameters(pair: Pair, case: str) -> None:
    version, ike, esp = CASES[case]
    connection = connection_between(pair.hosts, ike, esp, ike_version=version)
    pair.load(connection)
    try:
        pair.local.initiate(connection.name, connection.name)
        for daemon, view in ((pair.local, connection), (pair.peer, connection.mirrored())):
            (sa,) = daemon.wait_for(
                lambda sas: len(sas) == 1 and sas[0].state == "ESTABLISHED" and bool(sas[0].children)
            )
            assert_ike_sa(sa, view)
            assert_child_sa(sa.children[0], view, rekeyed=False)
            assert_lives(daemon, view)
        assert_child_sa(rekey(pair.local, connection), connection, rekeyed=True)
        assert_lives(pair.local, connection)
    finally:
        pair.terminate(connection)


@pytest.mark.parametrize(
    ("version", "kind"),
    [
        *((2, kind) for kind in ("rsa-2048", "ecdsa-256", "ecdsa-384", "ecdsa-521", "ed25519", "ed448")),
        *((1, kind) for kind in ("rsa-2048", "ecdsa-256")),
    ],
)
def test_signatures(pair: Pair, version: int, kind: str) -> None:
    ike = "aes128-sha256-x25519" if version == 2 else "aes256-sha256-modp2048"
    connection = connection_between(pair.hosts, ike, "aes128gcm16", ike_version=version, authentication=kind)
    pair.load(connection)
    try:
        pair.local.initiate(connection.name, connection.name)
        (sa,) = pair.local.ike_sas()
        assert_ike_sa(sa, connection)
    finally:
        pair.terminate(connection)


def test_a_peer_that_signs_with_another_key_is_turned_away_though_it_is_trusted(pair: Pair) -> None:
    first, second = OTHERS
    connection = connection_between(pair.hosts, "aes128-sha256-x25519", "aes128gcm16", authentication=first)
    pair.load_ends(connection, replace(connection, authentication=second).mirrored())
    try:
        with pytest.raises(LaboratoryError):
            pair.local.initiate(connection.name, connection.name)
        assert "AUTH_FAILED" in pair.local.log
    finally:
        pair.terminate(connection)


@pytest.mark.parametrize(
    "changes",
    [
        {"nat_traversal": True},
        {"outer": 6},
        {"identities": ("gw.example.net", "ops@example.net")},
        {"networks": (("10.1.0.0/24", "10.1.7.0/24"), ("10.2.0.0/24", "10.2.7.0/24"))},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_ends(pair: Pair, changes: dict[str, Any]) -> None:
    connection = connection_between(pair.hosts, "aes256gcm16-prfsha384-ecp384", "aes256gcm16-ecp384")
    if "outer" in changes:
        local, peer = pair.hosts.local.ipv6, pair.hosts.peer.ipv6
        connection = replace(
            connection,
            local=replace(connection.local, address=local, identity=local),
            peer=replace(connection.peer, address=peer, identity=peer),
        )
    elif "identities" in changes:
        local, peer = changes["identities"]
        connection = replace(
            connection, local=replace(connection.local, identity=local), peer=replace(connection.peer, identity=peer)
        )
    elif "networks" in changes:
        here, there = changes["networks"]
        connection = replace(
            connection, local=replace(connection.local, networks=here), peer=replace(connection.peer, networks=there)
        )
    else:
        connection = replace(connection, **changes)
    pair.load(connection)
    try:
        pair.local.initiate(connection.name, connection.name)
        for daemon, view in ((pair.local, connection), (pair.peer, connection.mirrored())):
            (sa,) = daemon.wait_for(lambda sas: len(sas) == 1 and bool(sas[0].children))
            assert_ike_sa(sa, view)
            assert_child_sa(sa.children[0], view, rekeyed=False)
    finally:
        pair.terminate(connection)


def test_fallback_proposals_are_taken_by_a_peer_that_has_only_those(pair: Pair) -> None:
    old_ike, old_esp = (
        IkeAlgorithms("aes256", "sha256", "prfsha256", "modp2048"),
        EspAlgorithms("aes256", "sha1", "modp2048"),
    )
    new = connection_between(pair.hosts, "aes128gcm16-prfsha256-x25519", "aes128gcm16-x25519")
    offering = replace(new, ike_fallbacks=(old_ike,), esp_fallbacks=(old_esp,))
    old = replace(new, ike=old_ike, esp=old_esp)
    pair.load_ends(offering, old.mirrored())
    try:
        pair.local.initiate(old.name, old.name)
        (sa,) = pair.local.ike_sas()
        assert_ike_sa(sa, old)
        assert_child_sa(sa.children[0], old, rekeyed=False)
    finally:
        pair.terminate(old)


def assert_lives(daemon: StrongSwan, connection: Connection) -> None:
    """Rekeying comes between the soft limit less its jitter and the soft limit, and the end at the hard one."""
    sa, child = listed(daemon)
    ike_life, life = connection.ike_life, connection.child_life
    assert ike_life.soft_seconds * 0.9 - 10 <= int(sa["rekey-time"]) <= ike_life.soft_seconds
    assert life.soft_seconds * 0.9 - 10 <= int(child["rekey-time"]) <= life.soft_seconds
    assert life.hard_seconds - 10 <= int(child["life-time"]) <= life.hard_seconds
    (conns,) = daemon.vici.stream("list-conns", "list-conn", {"ike": connection.name})
    (loaded,) = conns.values()
    loaded_child = loaded["children"][connection.name]
    assert int(loaded["rekey_time"]) == ike_life.soft_seconds
    assert int(loaded_child["rekey_time"]) == life.soft_seconds
    assert int(loaded_child["rekey_bytes"]) == life.soft_bytes
    assert int(loaded_child["rekey_packets"]) == life.soft_packets
