"""What the data plane sends, opened by an ESP that shares no code with it: headers, numbers, lives, path MTU."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ipsecbench.dataplane.interface import PlaneEvent, PlaneEventKind
from ipsecbench.esp.configuration import (
    Action,
    Direction,
    DontFragment,
    Fragmentation,
    SaConfiguration,
    SaLimits,
    SelectorPair,
    UdpEncapsulation,
)
from ipsecbench.esp.traffic_selector import subnet
from ipsecbench.lab.namespaces import Hosts
from tests.agent_esp.lone import HERE, INNER_PORT, THERE, Lone, lone_side, outbound
from tests.agent_esp.planes import PORT, policy

pytestmark = [pytest.mark.agent, pytest.mark.root]


@pytest.fixture
def lone(hosts: Hosts, agent_path: Path) -> Iterator[Lone]:
    """A data plane with policies and no SA."""
    with lone_side(hosts, agent_path) as made:
        yield made


def say(lone: Lone, payload: bytes) -> None:
    """A datagram from the host of the data plane to the protected network of the other."""
    lone.inside.sendto(payload, (THERE, INNER_PORT))


def spent(lone: Lone, counter: str, count: int = 1) -> None:
    """Wait until so many were dropped."""
    lone.dropped(counter, count)


@pytest.mark.parametrize("suite", ["aes128gcm16", "aes128-sha1", "chacha20poly1305", "null-sha512", "camellia128-md5"])
@pytest.mark.parametrize("esn", [False, True], ids=["", "esn"])
def test_the_other_end_opens_it(lone: Lone, suite: str, esn: bool) -> None:
    end = lone.add(outbound(suite, esn=esn))
    for number, payload in enumerate((b"", b"x", b"y" * 63, b"z" * 1300), 1):
        say(lone, payload)
        sequence, inner, next_header = end.open(lone.outbound())
        assert (sequence, next_header) == (number, 4)
        assert inner[28:] == payload
        assert struct.unpack("!HHBBH", inner[2:10])[0] == len(inner)
        total = sum(struct.unpack("!10H", inner[:20]))
        assert (total & 0xFFFF) + (total >> 16) == 0xFFFF
    statistics = lone.plane.sa_statistics(Direction.OUTBOUND, 0x1001)
    assert statistics.packets == 4
    assert statistics.idle_seconds < 5


def test_ivs_of_cbc_do_not_repeat(lone: Lone) -> None:
    end = lone.add(outbound("aes128-sha256"))
    seen = set()
    for _ in range(300):
        say(lone, b"same")
        packet = lone.outbound()
        end.open(packet)
        seen.add(packet[8:24])
    assert len(seen) == 300


def test_the_newest_sa_is_used(lone: Lone) -> None:
    old = lone.add(outbound())
    new = lone.add(outbound(spi=0x2001))
    say(lone, b"new")
    assert new.open(lone.outbound())[1][28:] == b"new"
    lone.plane.remove_sa(Direction.OUTBOUND, 0x2001)
    say(lone, b"old")
    assert old.open(lone.outbound())[1][28:] == b"old"
    lone.plane.remove_sa(Direction.OUTBOUND, 0x1001)
    say(lone, b"none")
    spent(lone, "XfrmOutNoStates")


def test_policies_decide_what_goes_out(hosts: Hosts, agent_path: Path) -> None:
    with lone_side(hosts, agent_path, policies=False) as lone:
        end = lone.add(outbound())
        pair = SelectorPair(subnet(HERE + "/32"), subnet("10.2.0.0/16"))
        everything = replace(policy(1, Direction.OUTBOUND), selectors=(pair,))
        lone.plane.add_policy(everything)
        one = replace(pair.destination, protocol=17, start_port=INNER_PORT, end_port=INNER_PORT)
        first = replace(
            everything, selectors=(SelectorPair(pair.source, one),), action=Action.DISCARD, priority=10, reqid=0
        )
        lone.plane.add_policy(first)
        say(lone, b"blocked")
        deadline = time.monotonic() + 5
        while lone.plane.statistics().dropped.get("XfrmOutPolBlock", 0) < 1:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        lone.inside.sendto(b"other port", (THERE, INNER_PORT + 1))
        assert end.open(lone.outbound())[1][28:] == b"other port"
        lone.plane.remove_policy(first)
        say(lone, b"allowed")
        assert end.open(lone.outbound())[1][28:] == b"allowed"


def test_dscp_and_ecn_go_outside(lone: Lone) -> None:
    lone.wire.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
    for copies, outside in ((True, 0xB9), (False, 0x01)):
        end = lone.add(outbound(copy_dscp=copies))
        lone.inside.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, 0xB9)
        say(lone, b"expedited")
        packet, ancillary, _, _ = lone.wire.recvmsg(2048, 64)
        assert end.open(packet)[1][1] == 0xB9
        assert ancillary[0][2][0] == outside
        lone.plane.remove_sa(Direction.OUTBOUND, 0x1001)


def test_padding_for_traffic_flow_confidentiality(lone: Lone) -> None:
    end = lone.add(outbound(tfc_bytes=1000))
    lengths = set()
    for size in (0, 10, 500, 972):
        say(lone, bytes(size))
        packet = lone.outbound()
        lengths.add(len(packet))
        inner = end.open(packet)[1]
        assert len(inner) == 1000
        assert struct.unpack("!H", inner[2:4])[0] == 28 + size
        assert not any(inner[28 + size :])
    assert len(lengths) == 1


def test_sequence_numbers_run_out(lone: Lone) -> None:
    end = lone.add(outbound(), sequence=(1 << 32) - 2)
    say(lone, b"last")
    assert end.open(lone.outbound())[0] == (1 << 32) - 1
    for count in (1, 2):
        say(lone, b"too late")
        spent(lone, "XfrmOutStateSeqError", count)
    exhausted = PlaneEvent(PlaneEventKind.SEQUENCE_EXHAUSTED, Direction.OUTBOUND, 0x1001)
    assert lone.plane.take_events() == [exhausted]


@pytest.mark.parametrize(
    "limits",
    [SaLimits(soft_packets=2, hard_packets=3), SaLimits(soft_bytes=2 * 32, hard_bytes=3 * 32)],
    ids=["packets", "bytes"],
)
def test_lives_end(lone: Lone, limits: SaLimits) -> None:
    end = lone.add(outbound(limits=limits))
    events = []
    for _ in range(3):
        say(lone, b"four")
        end.open(lone.outbound())
        events.append([event.kind for event in lone.plane.take_events()])
    assert events == [[], [PlaneEventKind.SOFT_LIMIT], [PlaneEventKind.HARD_LIMIT]]
    say(lone, b"four")
    spent(lone, "XfrmOutStateExpired")
    assert lone.plane.take_events() == []


def test_lives_end_in_time(lone: Lone) -> None:
    end = lone.add(outbound(limits=SaLimits(soft_seconds=0.3, hard_seconds=0.9)))
    say(lone, b"young")
    end.open(lone.outbound())
    kinds: list[PlaneEventKind] = []
    deadline = time.monotonic() + 10
    while len(kinds) < 2 and time.monotonic() < deadline:
        kinds += [event.kind for event in lone.plane.take_events()]
        time.sleep(0.05)
    assert kinds == [PlaneEventKind.SOFT_LIMIT, PlaneEventKind.HARD_LIMIT]
    say(lone, b"old")
    spent(lone, "XfrmOutStateExpired")


def test_an_sa_moves(lone: Lone, hosts: Hosts) -> None:
    end = lone.add(outbound())
    with hosts.peer.udp_socket(4700, "192.0.2.2") as elsewhere:
        ports = UdpEncapsulation(PORT, 4700)
        lone.plane.move_sa(Direction.OUTBOUND, 0x1001, "192.0.2.1", "192.0.2.2", ports)
        say(lone, b"moved")
        elsewhere.settimeout(5)
        assert end.open(elsewhere.recv(2048))[1][28:] == b"moved"


def narrow(**changes: Any) -> SaConfiguration:
    """An SA over a path of 900 octets."""
    return outbound(path_mtu_bytes=900, **changes)


def test_too_long_and_not_to_be_fragmented(lone: Lone) -> None:
    sa = narrow()
    end = lone.add(sa)
    largest = 838  # 900 less IP, UDP, ESP, IV, ICV and trailer: 20 + 8 + 8 + 8 + 16 + 2
    ip_mtu_discover, pmtudisc_do, ip_mtu = 10, 2, 14
    lone.inside.setsockopt(socket.IPPROTO_IP, ip_mtu_discover, pmtudisc_do)
    say(lone, bytes(1100))
    spent(lone, "XfrmOutStateModeError")
    lone.inside.connect((THERE, INNER_PORT))
    deadline = time.monotonic() + 5
    while (known := lone.inside.getsockopt(socket.IPPROTO_IP, ip_mtu)) == 1400 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert known == largest
    lone.inside.send(bytes(largest - 28))
    packet = lone.outbound()
    assert len(packet) + 28 <= 900
    assert len(end.open(packet)[1]) == largest


def test_too_long_but_fragmented_before(lone: Lone) -> None:
    end = lone.add(narrow())
    lone.inside.setsockopt(socket.IPPROTO_IP, 10, 0)
    say(lone, bytes(range(200)) * 6)
    pieces = []
    for _ in range(2):
        packet = lone.outbound()
        assert len(packet) + 28 <= 900
        pieces.append(end.open(packet)[1])
    flags = [struct.unpack("!H", piece[6:8])[0] for piece in pieces]
    assert flags[0] == 0x2000
    assert flags[1] == (len(pieces[0]) - 20) // 8
    for piece in pieces:
        total = sum(struct.unpack("!10H", piece[:20]))
        assert (total & 0xFFFF) + (total >> 16) == 0xFFFF
    assert (pieces[0][20:] + pieces[1][20:])[8:] == bytes(range(200)) * 6


@pytest.mark.parametrize(
    ("changes", "inner_pmtudisc"),
    [({"fragmentation": Fragmentation.AFTER}, 0), ({"dont_fragment": DontFragment.CLEAR}, 2)],
    ids=["after", "clear"],
)
def test_too_long_but_fragmented_after(lone: Lone, changes: dict[str, Any], inner_pmtudisc: int) -> None:
    end = lone.add(outbound(path_mtu_bytes=1400, **changes))
    lone.inside.setsockopt(socket.IPPROTO_IP, 10, inner_pmtudisc)
    say(lone, bytes(1372))
    packet = lone.outbound()
    assert len(packet) + 28 > 1400
    assert len(end.open(packet)[1]) == 1400


def test_ipv6_is_told_too(lone: Lone) -> None:
    lone.add(outbound(path_mtu_bytes=1350))
    done = lone.side.host.run("ping", "-6", "-c", "1", "-W", "2", "-s", "1340", "-I", "2001:db8:1::1", "2001:db8:2::1")
    assert "too big" in done.stdout.lower() + done.stderr.lower(), done.stdout
    assert lone.side.drops()["XfrmOutStateModeError"] == 1
