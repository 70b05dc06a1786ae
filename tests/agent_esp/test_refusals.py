"""What must not get in does not, and is counted as Linux counts it; against an ESP that shares no code with ours."""

from __future__ import annotations

import hashlib
import hmac
import random
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipsecbench.dataplane.interface import PlaneEvent, PlaneEventKind
from ipsecbench.esp.configuration import Action, Direction, SelectorPair, UdpEncapsulation
from ipsecbench.esp.traffic_selector import subnet
from ipsecbench.lab.namespaces import Hosts
from tests.agent_esp.lone import HERE, THERE, Lone, inbound, inner_datagram, lone_side
from tests.agent_esp.planes import PORT, policy

pytestmark = [pytest.mark.agent, pytest.mark.root]


@pytest.fixture
def lone(hosts: Hosts, agent_path: Path) -> Iterator[Lone]:
    """A data plane with policies and no SA."""
    with lone_side(hosts, agent_path) as made:
        yield made


@pytest.mark.parametrize("suite", ["aes128gcm16", "aes256-sha256", "aes128ctr-aescmac"])
@pytest.mark.parametrize("esn", [False, True], ids=["", "esn"])
def test_good_replayed_and_forged(lone: Lone, suite: str, esn: bool) -> None:
    sa = inbound(suite, esn=esn)
    end = lone.add(sa)
    first = lone.sealed(end, inner_datagram(b"first"))
    lone.send(first)
    assert lone.accepted() == b"first"
    lone.send(first)
    lone.dropped("XfrmInStateSeqError")
    second = lone.sealed(end, inner_datagram(b"second"))
    for position in (4, 9, 20, len(second) - 1):
        lone.send(second[:position] + bytes([second[position] ^ 1]) + second[position + 1 :])
    lone.dropped("XfrmInStateProtoError", 4)
    lone.send(second)
    assert lone.accepted() == b"second"
    statistics = lone.plane.sa_statistics(Direction.INBOUND, sa.spi)
    assert (statistics.packets, statistics.replayed, statistics.forged) == (2, 1, 4)
    assert statistics.bytes == len(inner_datagram(b"first")) + len(inner_datagram(b"second"))
    assert lone.plane.statistics().inbound_packets == 2


def test_the_window_moves(lone: Lone) -> None:
    end = lone.add(inbound(replay_window_packets=4096))
    for sequence in (5000, 905, 4999):
        lone.send(lone.sealed(end, inner_datagram(b"%d" % sequence), sequence=sequence))
        assert lone.accepted() == b"%d" % sequence
    for count, sequence in enumerate((904, 905, 5000, 0), 1):
        lone.send(lone.sealed(end, inner_datagram(b"no"), sequence=sequence))
        lone.dropped("XfrmInStateSeqError", count)


def test_the_upper_half_of_a_sequence_number_is_inferred(lone: Lone) -> None:
    sa = inbound("aes128-sha256", esn=True)
    end = lone.add(sa, sequence=(1 << 32) - 2)
    # The independent end knows the upper half 0 only: what it seals below 2^32 is right, what comes after is not.
    lone.send(lone.sealed(end, inner_datagram(b"last of the first"), sequence=(1 << 32) - 1))
    assert lone.accepted() == b"last of the first"
    lone.send(lone.sealed(end, inner_datagram(b"upper half is 1 now"), sequence=1))
    lone.dropped("XfrmInStateProtoError")


def test_nobodys_packets(lone: Lone) -> None:
    end = lone.add(inbound())
    good = lone.sealed(end, inner_datagram(b"good"))
    lone.send(b"\0\0\1\0" + good[4:])
    lone.dropped("XfrmInNoStates")
    lone.send(good[:7])
    lone.dropped("XfrmInHdrError")
    lone.send(good[:20])
    lone.dropped("XfrmInHdrError", 2)
    lone.send(b"\xff")  # a keep-alive is nothing at all
    lone.send(good)
    assert lone.accepted() == b"good"
    assert lone.side.drops() == lone.sent
    assert lone.plane.counts()["keepalives"] == 1


def test_encapsulation_must_be_that_of_the_sa(lone: Lone) -> None:
    end = lone.add(inbound(encapsulation=None))
    lone.send(lone.sealed(end, inner_datagram(b"in UDP")))
    lone.dropped("XfrmInStateMismatch")


def test_dummies_modes_and_headers(lone: Lone) -> None:
    end = lone.add(inbound())
    inner = inner_datagram(b"payload")
    lone.send(lone.sealed(end, b"whatever", next_header=59))
    lone.send(lone.sealed(end, inner, next_header=6))
    lone.dropped("XfrmInStateModeError")
    lone.send(lone.sealed(end, inner, next_header=41))
    lone.dropped("XfrmInStateModeError", 2)
    lone.send(lone.sealed(end, inner[:19]))
    lone.dropped("XfrmInHdrError")
    lone.send(lone.sealed(end, inner[:2] + b"\xff\xff" + inner[4:]))
    lone.dropped("XfrmInHdrError", 2)
    lone.send(lone.sealed(end, b"\x41" + inner[1:]))
    lone.dropped("XfrmInHdrError", 3)
    # TFC padding behind the inner packet is cut off (RFC 4303 section 2.7).
    lone.send(lone.sealed(end, inner + bytes(300)))
    assert lone.accepted() == b"payload"
    assert lone.plane.counts()["dummies"] == 1


def test_padding_must_be_the_prescribed_one(lone: Lone) -> None:
    end = lone.add(inbound("null-sha256"))
    inner = inner_datagram(b"pad")
    pad = -(len(inner) + 2) % 4 + 4
    body = inner + bytes(pad) + bytes([pad, 4])
    packet = end.spi + struct.pack("!I", 1) + body
    packet += hmac.new(end.integrity_key, packet, hashlib.sha256).digest()[:16]
    lone.send(packet)
    lone.dropped("XfrmInStateProtoError")


def test_policies_decide_what_comes_in(hosts: Hosts, agent_path: Path) -> None:
    with lone_side(hosts, agent_path, policies=False) as lone:
        end = lone.add(inbound())
        lone.send(lone.sealed(end, inner_datagram(b"none")))
        lone.dropped("XfrmInNoPols")
        for refusing, counter in (
            (policy(1, Direction.INBOUND, priority=100, reqid=99), "XfrmInTmplMismatch"),
            (policy(1, Direction.INBOUND, priority=99, action=Action.DISCARD), "XfrmInPolBlock"),
        ):
            lone.plane.add_policy(refusing)
            lone.send(lone.sealed(end, inner_datagram(b"no")))
            lone.dropped(counter)
        best = policy(1, Direction.INBOUND, priority=10)
        lone.plane.add_policy(best)
        lone.send(lone.sealed(end, inner_datagram(b"yes")))
        assert lone.accepted() == b"yes"
        lone.plane.remove_policy(best)
        lone.send(lone.sealed(end, inner_datagram(b"no")))
        lone.dropped("XfrmInPolBlock", 2)


def test_selectors_of_the_sa_decide_too(lone: Lone) -> None:
    pair = SelectorPair(subnet("10.2.0.0/16"), subnet("10.1.7.0/24"))
    end = lone.add(inbound(selectors=(pair,)))
    lone.send(lone.sealed(end, inner_datagram(b"not for this network")))
    lone.dropped("XfrmInStateMismatch")
    lone.plane.remove_sa(Direction.INBOUND, int.from_bytes(end.spi))
    end = lone.add(inbound(selectors=(pair, SelectorPair(subnet(THERE + "/32"), subnet(HERE + "/32")))))
    lone.send(lone.sealed(end, inner_datagram(b"for this host")))
    assert lone.accepted() == b"for this host"


def test_congestion_marks(lone: Lone) -> None:
    """RFC 6040 section 4.2."""
    lone.inside.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
    end = lone.add(inbound())
    table = [
        (0, 0, 0),
        (0, 1, 0),
        (0, 2, 0),
        (2, 0, 2),
        (2, 1, 1),
        (2, 2, 2),
        (2, 3, 3),
        (1, 3, 3),
        (3, 0, 3),
        (1, 2, 1),
    ]
    for inside, outside, result in table:
        inner = bytearray(inner_datagram(b"mark"))
        inner[1] |= inside
        inner[10:12] = bytes(2)
        total = sum(struct.unpack("!10H", inner[:20]))
        inner[10:12] = struct.pack("!H", ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF)
        lone.send(lone.sealed(end, bytes(inner)), tos=outside)
        lone.inside.settimeout(5)
        _, ancillary, _, _ = lone.inside.recvmsg(2048, 64)
        assert ancillary[0][2][0] == result, (inside, outside)
    lone.send(lone.sealed(end, inner_datagram(b"not ECN-capable")), tos=3)
    lone.dropped("XfrmInStateModeError")


def test_an_authentic_packet_from_elsewhere_is_reported_once(lone: Lone, hosts: Hosts) -> None:
    sa = inbound()
    end = lone.add(sa)
    lone.send(lone.sealed(end, inner_datagram(b"here")))
    assert lone.accepted() == b"here"
    assert lone.plane.take_events() == []
    with hosts.peer.udp_socket(4600, "192.0.2.2") as elsewhere:
        elsewhere.sendto(b"\0\0\x10\x02" + bytes(60), ("192.0.2.1", PORT))
        for text in (b"there", b"there again"):
            elsewhere.sendto(lone.sealed(end, inner_datagram(text)), ("192.0.2.1", PORT))
            assert lone.accepted() == text
    event = PlaneEvent(PlaneEventKind.PATH_CHANGED, Direction.INBOUND, sa.spi, "192.0.2.2", 4600)
    assert lone.plane.take_events() == [event]
    lone.plane.move_sa(Direction.INBOUND, sa.spi, "192.0.2.2", "192.0.2.1", UdpEncapsulation(PORT, PORT))
    lone.send(lone.sealed(end, inner_datagram(b"back")))
    assert lone.accepted() == b"back"
    assert lone.plane.take_events() == []


@pytest.mark.parametrize("suite", ["aes128gcm16", "aes128-sha1"])
def test_hostile_datagrams_change_nothing(lone: Lone, suite: str) -> None:
    """Noise, cut and changed packets, and authentic ones that carry nonsense; then a good one still gets through."""
    chance = random.Random(4303)
    end = lone.add(inbound(suite))
    for _ in range(400):
        noise = chance.randbytes(chance.randrange(1, 200))
        lone.send(noise)
        lone.send(end.spi + noise)
        nonsense = bytearray(inner_datagram(chance.randbytes(chance.randrange(64))))
        for _ in range(chance.randrange(1, 6)):
            nonsense[chance.randrange(min(40, len(nonsense)))] = chance.randrange(256)
        lone.send(lone.sealed(end, bytes(nonsense), next_header=chance.choice((4, 41, 4, 59, 17))))
        packet = lone.sealed(end, inner_datagram(b"cut"))
        lone.send(packet[: chance.randrange(1, len(packet))])
    good = lone.sealed(end, inner_datagram(b"good"))
    lone.send(good)
    texts = iter(lone.accepted, b"good")
    assert all(len(text) <= 64 for text in texts)
    assert lone.plane.statistics().dropped["XfrmInNoStates"] > 0
