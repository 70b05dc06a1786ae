"""Our own endpoint reads the exported file, and the SAs that come up have exactly these parameters.

Between two of them with a data plane, and with strongSwan that reads the exported swanctl.conf at the other end.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from ipsecbench import __version__
from ipsecbench.dataplane.selection import DataPlaneConfiguration
from ipsecbench.export.connection import PSK_PLACEHOLDER, Connection
from ipsecbench.export.target import find_target
from ipsecbench.ike.events import ChildSaInfo, IkeSaEstablished
from ipsecbench.lab import certificates
from ipsecbench.lab.driver import system_environment
from ipsecbench.lab.endpoint_file import EndpointFile, read_endpoint_file
from ipsecbench.lab.namespaces import Hosts
from ipsecbench.lab.own_peer import OwnPeer
from ipsecbench.lab.probes import ping
from ipsecbench.lab.strongswan import StrongSwan
from tests.export_proofs.between_hosts import SECRET, assert_child_sa, assert_ike_sa, connection_between
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
}


def read(view: Connection, folder: Path) -> EndpointFile:
    """What the endpoint reads of the exported file."""
    (file,) = find_target("endpoint").files(view, __version__)
    folder.mkdir(exist_ok=True)
    if not view.uses_psk:
        credential = certificates.authority(view.authentication).issue(view.local.identity, common_name=view.end_name)
        certificate, *others = (
            pem("CERTIFICATE", each) for each in (credential.certificate, *credential.intermediates)
        )
        (folder / "local.pem").write_text(certificate + "".join(others))
        (folder / "local.key").write_text(pem("PRIVATE KEY", credential.private_key))
        (folder / "ca.pem").write_text(pem("CERTIFICATE", credential.root))
    path = folder / file.name
    path.write_text(file.text.replace(PSK_PLACEHOLDER, SECRET))
    assert file.mode == 0o600
    return read_endpoint_file(path, system_environment().certificates)


def pem(what: str, octets: bytes) -> str:
    return f"-----BEGIN {what}-----\n{base64.encodebytes(octets).decode()}-----END {what}-----\n"


def check(peer: OwnPeer, child: ChildSaInfo, view: Connection, *, rekeyed: bool = False) -> None:
    """Algorithms, identities, selectors and lives of the SAs at our end."""
    ike = next(event.sa for event in peer.events if isinstance(event, IkeSaEstablished))
    assert ike.version == view.ike_version
    assert ike.negotiated.text == view.ike.proposal
    assert (str(ike.local_identity), str(ike.remote_identity)) == (view.local.identity, view.peer.identity)
    esp = view.esp
    # A Child SA that came with the IKE SA had no key exchange of its own (RFC 7296 section 1.2); IKEv1's has always.
    pfs = esp.key_exchange if rekeyed or view.ike_version == 1 else None
    agreed = child.negotiated
    assert (agreed.encryption, agreed.integrity, agreed.key_exchange) == (esp.encryption, esp.integrity, pfs)
    assert agreed.esn is esp.esn
    assert child.mode.name.lower() == view.esp_mode
    life = view.child_life
    assert child.expiry.soft_at is not None
    assert child.expiry.hard_at is not None
    between = child.expiry.hard_at - child.expiry.soft_at
    assert life.hard_seconds - life.soft_seconds <= between <= life.hard_seconds - life.soft_seconds + life.rand_seconds
    assert child.expiry.hard_bytes == life.hard_bytes
    assert child.expiry.hard_packets == life.hard_packets


@pytest.mark.parametrize("case", CASES)
def test_between_two_endpoints(hosts: Hosts, case: str, tmp_path: Path) -> None:
    version, ike, esp, authentication = CASES[case]
    connection = connection_between(hosts, ike, esp, ike_version=version, authentication=authentication)
    files = [read(view, tmp_path / view.end_name) for view in (connection, connection.mirrored())]
    assert [start for file in files for start in file.start] == [(connection.name, (connection.name,))]
    with OwnPeer(hosts.local, files[0].configuration) as here, OwnPeer(hosts.peer, files[1].configuration) as there:
        (child,) = here.initiate()
        check(here, child, connection)
        check(there, there.wait_for_child(), connection.mirrored())
        check(here, here.rekey_child(), connection, rekeyed=True)


@pytest.mark.parametrize("case", CASES)
def test_with_strongswan_that_reads_swanctl_conf(hosts: Hosts, case: str, tmp_path: Path) -> None:
    version, ike, esp, authentication = CASES[case]
    connection = connection_between(hosts, ike, esp, ike_version=version, authentication=authentication)
    file = read(connection, tmp_path / "ours")
    with StrongSwan(hosts.peer) as other, OwnPeer(hosts.local, file.configuration) as ours:
        load_swanctl(other, connection.mirrored(), tmp_path / "swanctl")
        (child,) = ours.initiate()
        check(ours, child, connection)
        (sa,) = other.wait_for(lambda sas: len(sas) == 1 and bool(sas[0].children))
        assert_ike_sa(sa, connection.mirrored())
        assert_child_sa(sa.children[0], connection.mirrored(), rekeyed=False)
        check(ours, ours.rekey_child(), connection, rekeyed=True)


@pytest.mark.agent
@pytest.mark.parametrize("mode", ["tunnel", "gre"])
def test_packets_go_through(hosts: Hosts, mode: str, tmp_path: Path) -> None:
    connection = connection_between(hosts, "aes256gcm16-prfsha384-ecp384", "aes256gcm16-ecp384-esn", mode=mode)
    views = (connection, connection.mirrored())
    files = [read(view, tmp_path / view.end_name) for view in views]
    ends = [
        OwnPeer(host, file.configuration, replace(plane(file), tun_name="exported"))
        for host, file in zip((hosts.local, hosts.peer), files, strict=True)
    ]
    with ends[0] as here, ends[1] as there:
        here.initiate()
        there.wait_for_child()
        echoes = ping(hosts.local, hosts.local.inner_ipv4, hosts.peer.inner_ipv4, count=3)
        assert echoes.answered == 3
        for end, view in zip((here, there), views, strict=True):
            ((child, inbound, outbound),) = end.traffic()
            assert child.mode.name.lower() == view.esp_mode
            assert (inbound.packets, outbound.packets) == (3, 3)


def plane(file: EndpointFile) -> DataPlaneConfiguration:
    assert file.data_plane is not None
    return file.data_plane
