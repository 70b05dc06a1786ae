"""Packets get through: every mode, encapsulation and layering, IPv4 and IPv6, several suites; both ways."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from ipsecbench.dataplane.interface import PlaneKind
from ipsecbench.esp.configuration import Layering
from ipsecbench.esp.mode import Mode
from ipsecbench.lab.namespaces import Hosts
from tests.agent_esp.conftest import NORMAL
from tests.agent_esp.planes import Pair, connect, plane_pair, protect_hosts_themselves, start_side

pytestmark = [pytest.mark.agent, pytest.mark.root]

SUITES = (
    "aes128gcm16",
    "aes256gcm8",
    "aes128ccm16",
    "chacha20poly1305",
    "aes128gmac",
    "aes128-sha1",
    "aes256ctr-sha256",
    "3des-md5",
    "camellia256-sha512",
    "aes128-aesxcbc",
    "null-sha256",
)
INNER = {4: ("10.2.0.1", "10.1.0.1"), 6: ("2001:db8:2::1", "2001:db8:1::1")}


def answered(pair: Pair, version: int, size: int = 56) -> int:
    """Echo requests of one size that were answered, of three."""
    target, source = INNER[version]
    return pair.ping("-s", str(size), target=target, source=source)


def counted(pair: Pair) -> tuple[int, int]:
    """Packets that the local host sealed and the peer accepted."""
    return pair.local.plane.statistics().outbound_packets, pair.peer.plane.statistics().inbound_packets


@pytest.mark.parametrize(
    ("suite", "provider"), [(suite, None) for suite in SUITES] + [(suite, "libcrypto") for suite in SUITES[::3]]
)
def test_suites(hosts: Hosts, suite: str, provider: str | None) -> None:
    with plane_pair(hosts, path=NORMAL, provider=provider) as pair:
        connect(pair, suite)
        assert answered(pair, 4) == 3
        assert answered(pair, 6, size=1200) == 3
        assert pair.local.drops() == pair.peer.drops() == {}
        assert pair.local.plane.kind is PlaneKind.AGENT


@pytest.mark.parametrize("esn", [False, True], ids=["", "esn"])
def test_two_libraries_understand_each_other(hosts: Hosts, agent_path: Path, esn: bool) -> None:
    with contextlib.ExitStack() as stack:
        sides = []
        for number, host, provider in ((1, hosts.local, None), (2, hosts.peer, "libgcrypt")):
            sides.append(start_side(host, number, provider=provider, path=agent_path))
            stack.callback(sides[-1].plane.close)
        pair = Pair(*sides)
        connect(pair, "aes256-sha512", esn=esn)
        assert answered(pair, 4) == 3
        assert pair.local.drops() == pair.peer.drops() == {}


@pytest.mark.parametrize("ipv6_outside", [False, True], ids=["over-ipv4", "over-ipv6"])
@pytest.mark.parametrize("udp", [True, False], ids=["udp", "protocol-50"])
@pytest.mark.parametrize("esn", [False, True], ids=["", "esn"])
def test_tunnel_mode(pair: Pair, ipv6_outside: bool, udp: bool, esn: bool) -> None:
    connect(pair, ipv6_outside=ipv6_outside, udp=udp, esn=esn, replay_window_packets=4096)
    assert answered(pair, 4) == answered(pair, 6) == 3
    assert counted(pair) == (6, 6)
    assert pair.local.drops() == pair.peer.drops() == {}


@pytest.mark.parametrize("layering", [Layering.GRE, Layering.IPIP])
@pytest.mark.parametrize("udp", [True, False], ids=["udp", "protocol-50"])
def test_layering_over_transport_mode(pair: Pair, layering: Layering, udp: bool) -> None:
    connect(pair, "aes128-sha256", udp=udp, mode=Mode.TRANSPORT, layering=layering)
    assert answered(pair, 4) == answered(pair, 6) == 3
    assert counted(pair) == (6, 6)
    assert pair.local.drops() == pair.peer.drops() == {}


@pytest.mark.parametrize("suite", ["aes128gcm16", "null-sha1"])
@pytest.mark.parametrize("version", [4, 6], ids=["ipv4", "ipv6"])
@pytest.mark.parametrize("udp", [True, False], ids=["udp", "protocol-50"])
def test_transport_mode(pair: Pair, version: int, udp: bool, suite: str) -> None:
    inner = ("192.0.2.{}/32", "2001:db8::{}/128")
    connect(pair, suite, inner=inner, mode=Mode.TRANSPORT, udp=udp, ipv6_outside=version == 6)
    protect_hosts_themselves(pair)
    target, source = ("192.0.2.2", "192.0.2.1") if version == 4 else ("2001:db8::2", "2001:db8::1")
    assert pair.ping("-s", "500", target=target, source=source) == 3
    assert counted(pair)[1] >= 3
    assert pair.peer.drops().get("XfrmInStateProtoError") is None
