"""What the real ike-scan prints of a real strongSwan is read as what strongSwan was configured with."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator

import pytest

from ipsecbench.audit.configuration import Connection, Exchange
from ipsecbench.audit.recognition import read
from ipsecbench.lab import namespaces, strongswan
from ipsecbench.lab.namespaces import Hosts, two_hosts
from ipsecbench.lab.strongswan import StrongSwan
from tests.export_proofs.conftest import require
from tests.export_proofs.unpacked import program

pytestmark = [pytest.mark.root, pytest.mark.interop]

HASHES = {"sha1": 2, "sha256": 4, "sha512": 6}
GROUPS = {"modp1024": 2, "modp2048": 14}


# A scan leaves many half-open SAs, against which the daemon would protect itself.
OPTIONS = {"dos_protection": False, "i_dont_care_about_security_and_use_aggressive_mode_psk": True}


@pytest.fixture(scope="module")
def scanned() -> Iterator[tuple[Hosts, StrongSwan]]:
    require(namespaces.missing_prerequisite() or strongswan.missing_prerequisite())
    with two_hosts() as hosts, StrongSwan(hosts.local, options=OPTIONS) as daemon:
        daemon.load_shared_key("k2;2.6TbYl+{/qa")
        yield hosts, daemon


def scan(hosts: Hosts, *options: str) -> str:
    """What ike-scan prints of the host with the daemon."""
    scanner = program("ike-scan", "usr/bin/ike-scan")
    process = hosts.peer.start(
        str(scanner), "--sport=0", "--retry=2", *options, hosts.local.ipv4, output=subprocess.PIPE
    )
    out, _ = process.communicate(timeout=20)
    return out.decode()


def load(hosts: Hosts, daemon: StrongSwan, version: int, proposal: str, aggressive: bool = False) -> None:
    daemon.load(
        "c",
        {
            "version": version,
            "aggressive": aggressive,
            "local_addrs": [hosts.local.ipv4],
            "proposals": [proposal],
            "local": {"auth": "psk", "id": "a.example"},
            "remote": {"auth": "psk"},
        },
    )


def only(text: str) -> Connection:
    (connection,) = read(text).connections
    return connection


@pytest.mark.parametrize("options", [(), ("--multiline",), ("--shownum",)], ids=["line", "multiline", "numbered"])
@pytest.mark.parametrize(
    ("proposal", "cipher", "prf"),
    [("aes256-sha256-modp2048", "7/256", "prfsha256"), ("aes128-sha1-modp1024", "7/128", "prfsha1"),
     ("3des-sha1-modp1024", "5", "prfsha1"), ("camellia256-sha512-modp2048", "8/256", "prfsha512")],
)  # fmt: skip
def test_main_mode(
    scanned: tuple[Hosts, StrongSwan], proposal: str, cipher: str, prf: str, options: tuple[str, ...]
) -> None:
    hosts, daemon = scanned
    load(hosts, daemon, 1, proposal)
    encryption, integrity, group = proposal.split("-")
    text = scan(hosts, *options, f"--trans={cipher},{HASHES[integrity]},1,{GROUPS[group]}")
    host = only(text)
    assert (host.name, host.ike_versions, host.exchange) == (hosts.local.ipv4, ("1",), Exchange.MAIN)
    (offer,) = host.offers
    assert (offer.encryption, offer.integrity, offer.prf, offer.key_exchange) == (
        (encryption,), (integrity,), (prf,), (group,)
    )  # fmt: skip
    assert [method.method for method in host.authentication] == ["psk"]


def test_aggressive_mode(scanned: tuple[Hosts, StrongSwan]) -> None:
    hosts, daemon = scanned
    load(hosts, daemon, 1, "3des-sha1-modp1024", aggressive=True)
    host = only(scan(hosts, "--aggressive", "--id=x", "--dhgroup=2", "--trans=5,2,1,2"))
    assert (host.exchange, host.offers[0].encryption) == (Exchange.AGGRESSIVE, ("3des",))


@pytest.mark.parametrize("options", [(), ("--multiline",)], ids=["line", "multiline"])
def test_ikev2(scanned: tuple[Hosts, StrongSwan], options: tuple[str, ...]) -> None:
    hosts, daemon = scanned
    load(hosts, daemon, 2, "3des-sha1-modp1024")
    host = only(scan(hosts, "--ikev2", *options))
    assert (host.ike_versions, host.exchange) == (("2",), None)
    (offer,) = host.offers
    assert (offer.encryption, offer.integrity, offer.prf, offer.key_exchange) == (
        ("3des",), ("sha1",), ("prfsha1",), ("modp1024",)
    )  # fmt: skip


def test_a_host_that_refuses(scanned: tuple[Hosts, StrongSwan]) -> None:
    hosts, daemon = scanned
    load(hosts, daemon, 1, "aes256-sha256-modp2048")
    configuration = read(scan(hosts, "--trans=5,2,1,2"))
    assert configuration.connections == ()
    (note,) = configuration.notes
    assert re.match(rf"{hosts.local.ipv4} answered NO-PROPOSAL-CHOSEN", note.text)
