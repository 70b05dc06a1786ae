"""What the kernel's data plane says and does beside carrying packets, with our own ESP at the other end."""

from __future__ import annotations

import contextlib
import dataclasses
import select
import socket
import struct
import time
from collections.abc import Iterator

import pytest

from ipsecbench.dataplane import xfrm_messages as xfrm
from ipsecbench.dataplane.interface import PlaneEvent, PlaneEventKind
from ipsecbench.dataplane.kernel import KernelPlane
from ipsecbench.dataplane.xfrm_socket import NetlinkSocket
from ipsecbench.errors import DataPlaneError
from ipsecbench.esp.configuration import (
    Action,
    Direction,
    DontFragment,
    PolicyConfiguration,
    SaConfiguration,
    SaLimits,
    SelectorPair,
    UdpEncapsulation,
)
from ipsecbench.esp.mode import Mode
from ipsecbench.esp.traffic_selector import parse_traffic_selector, subnet
from ipsecbench.lab.namespaces import Hosts
from tests.interop.esp_packets import udp_packet
from tests.kernel.ends import (
    NETS,
    PATIENCE_SECONDS,
    PORT,
    UserspaceEnd,
    kernel_plane,
    other_end,
    policies_between,
    sa_between,
)

pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.kernel_esp]
INBOUND, OUTBOUND = Direction.INBOUND, Direction.OUTBOUND
_NEW_AE, _REPLACE = 0x1E, 0x100


@dataclasses.dataclass
class World:
    """The kernel's end, the userspace end, and a socket for the traffic of each."""

    hosts: Hosts
    plane: KernelPlane
    ours: UserspaceEnd
    traffic: socket.socket
    out: SaConfiguration
    back: SaConfiguration

    def replace_sas(self, suite: str = "aes128gcm16", **changes: object) -> None:
        """Other SAs instead of those that are there."""
        for sa in (self.out, other_end(self.back)):
            self.plane.remove_sa(sa.direction, sa.spi)
        self.ours.processing.remove_sa(INBOUND, self.out.spi)
        self.ours.processing.remove_sa(OUTBOUND, self.back.spi)
        here, there = self.hosts.local.ipv4, self.hosts.peer.ipv4
        self.out, self.back = sa_between(here, there, suite, **changes), sa_between(there, here, suite, **changes)
        self.plane.add_sa(other_end(self.back))
        self.plane.add_sa(self.out)
        self.ours.add(other_end(self.out), self.back)

    def send(self, payload: bytes = b"out") -> None:
        """From the kernel's end."""
        self.traffic.sendto(payload, (self.hosts.peer.inner_ipv4, PORT))

    def try_to_send(self, payload: bytes = b"out") -> None:
        """The same, where the kernel may say no."""
        with contextlib.suppress(OSError):
            self.send(payload)

    def inner(self, payload: bytes = b"back") -> bytes:
        """A packet for the kernel's end."""
        return udp_packet(self.hosts.peer.inner_ipv4, self.hosts.local.inner_ipv4, PORT, payload)

    def received(self) -> list[bytes]:
        """What came to the kernel's end until a marker that was sent behind it."""
        self.ours.send(*self.ours.seal(self.inner(b"marker")))
        found: list[bytes] = []
        while (payload := self.traffic.recv(2048)) != b"marker":
            found.append(payload)
        return found

    def set_sequence(self, sa: SaConfiguration, last: int) -> None:
        """Let the kernel's next packet have the number after ``last`` (XFRM_MSG_NEWAE, meant for pairs of routers)."""
        netlink = self.hosts.local.call(NetlinkSocket)
        identity = xfrm.sa_id(sa.destination, sa.spi) + xfrm.address_octets(sa.source) + struct.pack("@II", 2, sa.reqid)
        if sa.esn:
            replay = struct.pack("@7I", 1, last & 0xFFFFFFFF, 0, last >> 32, 0, 32, 0)
            attribute = xfrm.attribute(xfrm.Attribute.REPLAY_ESN, replay)
        else:
            attribute = xfrm.attribute(xfrm.Attribute.REPLAY, struct.pack("@III", last, 0, 0))
        netlink.request(_NEW_AE, identity + attribute, _REPLACE)
        netlink.close()

    def events(self, number: int) -> list[PlaneEvent]:
        """That many events, and none more."""
        found: list[PlaneEvent] = []
        end = time.monotonic() + 3.0 * PATIENCE_SECONDS
        while len(found) < number and time.monotonic() < end:
            select.select([self.plane], [], [], 0.2)
            found += self.plane.take_events()
        return found


@pytest.fixture
def world(hosts: Hosts) -> Iterator[World]:
    here, there = hosts.local.ipv4, hosts.peer.ipv4
    with (
        kernel_plane(hosts.local) as plane,
        UserspaceEnd(hosts.peer) as ours,
        hosts.local.udp_socket(PORT, hosts.local.inner_ipv4) as traffic,
    ):
        traffic.settimeout(2.0 * PATIENCE_SECONDS)
        for policy in policies_between(*NETS[4]):
            plane.add_policy(policy)
        ours.add_policies(policies_between(*reversed(NETS[4])))
        out, back = sa_between(here, there), sa_between(there, here)
        made = World(hosts, plane, ours, traffic, out, back)
        plane.add_sa(out)
        plane.add_sa(other_end(back))
        ours.add(other_end(out), back)
        yield made


def test_iproute2_shows_what_was_asked_for(world: World) -> None:
    world.replace_sas(
        suite="aes256-sha512",
        esn=True,
        replay_window_packets=1000,
        encapsulation=UdpEncapsulation(4500, 61234),
        limits=SaLimits(1000, 2000, 3, 4, 50, 60),
        dont_fragment=DontFragment.CLEAR,
        reqid=77,
    )
    shown = world.hosts.local.run(
        "ip", "-s", "xfrm", "state", "get", "dst", world.hosts.local.ipv4, "proto", "esp", "spi", hex(world.back.spi)
    ).stdout
    for words in (
        f"src {world.hosts.peer.ipv4} dst {world.hosts.local.ipv4}",
        "reqid 77",
        "mode tunnel",
        "flag nopmtudisc af-unspec esn",
        "auth-trunc hmac(sha512)",
        "(512 bits) 256",
        "enc cbc(aes)",
        "(256 bits)",
        "encap type espinudp sport 4500 dport 61234",
        "limit: soft 1000(bytes), hard 2000(bytes)",
        "limit: soft 3(packets), hard 4(packets)",
        "expire add: soft 50(sec), hard 60(sec)",
        "replay_window 1000, bitmap-length 32",
    ):
        assert words in shown, (words, shown)


def test_replays_forgeries_and_unknown_spis_are_counted_as_what_they_are(world: World) -> None:
    good = world.ours.seal(world.inner(b"good"))[0]
    world.ours.send(good)
    assert world.traffic.recv(100) == b"good"
    for _ in range(10):
        world.ours.send(good)
    forged = world.ours.seal(world.inner(b"forged"))[0]
    world.ours.send(dataclasses.replace(forged, content=forged.content[:-1] + bytes([forged.content[-1] ^ 1])))
    unknown = b"\xee" * 4 + good.content[4:]
    for _ in range(3):
        world.ours.send(dataclasses.replace(good, content=unknown))
    world.ours.send(dataclasses.replace(good, content=good.content[:12]))
    assert world.received() == []
    statistics = world.plane.sa_statistics(INBOUND, world.back.spi)
    assert (statistics.packets, statistics.replayed, statistics.forged) == (2, 11, 1)
    assert statistics.idle_seconds < 5 * PATIENCE_SECONDS
    whole = world.plane.statistics()
    # The packet that is cut off has an old number: that is looked at first.
    assert whole.dropped == {"XfrmInStateSeqError": 11, "XfrmInNoStates": 3, "XfrmInStateProtoError": 1}
    assert (whole.inbound_packets, whole.outbound_packets) == (2, 0)


@pytest.mark.parametrize("window", [0, 1, 32, 64, 1024, 4096])
@pytest.mark.parametrize("esn", [False, True], ids=["32 bits", "ESN"])
def test_windows(world: World, window: int, esn: bool) -> None:
    if esn and window == 0:
        pytest.skip("the kernel has no ESN without a window")
    world.replace_sas(replay_window_packets=window, esn=esn)
    # The newest first; then the oldest that is still within, and the one before.
    newest = window + 2
    numbers = [newest, newest - window + 1, newest - window] if window > 1 else [newest, newest - 1]
    for number in numbers:
        world.ours.count_on(world.back.spi, number)
        world.ours.send(*world.ours.seal(world.inner(str(number).encode())))
    world.ours.count_on(world.back.spi, newest + 1)
    admitted = numbers if window == 0 else numbers[:-1]
    assert world.received() == [str(number).encode() for number in admitted]
    refused = world.plane.sa_statistics(INBOUND, world.back.spi)
    # With ESN a packet from before the window looks like one of the next 2^32, whose ICV would be another.
    assert (refused.replayed, refused.forged) == ((0, 0) if window == 0 else (0, 1) if esn else (1, 0))


def test_extended_numbers_go_on_beyond_32_bits(world: World) -> None:
    world.replace_sas(suite="aes128-sha256", esn=True)
    # One packet beside the end first: the receiver would take it for an old one if it came out of the blue.
    world.set_sequence(world.out, 0xFFFFFF00)
    world.send()
    assert world.ours.receive() is not None
    world.set_sequence(world.out, 0xFFFFFFFD)
    for number in range(5):
        world.send(str(number).encode())
        seen = world.ours.receive()
        assert seen is not None, world.ours.processing.dropped
        assert seen.inner.endswith(str(number).encode())
    assert world.plane.sa_statistics(OUTBOUND, world.out.spi).packets == 6


def test_numbers_run_out(world: World) -> None:
    world.set_sequence(world.out, 0xFFFFFFFE)
    assert world.plane.take_events() == []
    world.send()
    assert world.ours.receive() is not None
    for _ in range(3):
        world.try_to_send()
    assert world.events(1) == [PlaneEvent(PlaneEventKind.SEQUENCE_EXHAUSTED, OUTBOUND, world.out.spi)]
    world.try_to_send()
    assert world.plane.take_events() == []
    assert world.ours.receive(0.2) is None
    assert world.plane.statistics().dropped == {"XfrmOutStateSeqError": 4}


def test_limits_in_packets(world: World) -> None:
    world.replace_sas(limits=SaLimits(soft_packets=3, hard_packets=5))
    for _ in range(8):
        world.try_to_send(b"x" * 100)
    seen = [world.ours.receive(0.5) for _ in range(8)]
    arrived = sum(one is not None for one in seen)
    kinds = [PlaneEventKind.SOFT_LIMIT, PlaneEventKind.HARD_LIMIT]
    assert world.events(2) == [PlaneEvent(kind, OUTBOUND, world.out.spi) for kind in kinds]
    statistics = world.plane.sa_statistics(OUTBOUND, world.out.spi)
    assert 4 <= arrived <= 5
    assert (statistics.packets, statistics.bytes) == (5, 5 * 128)
    assert world.plane.statistics().outbound_packets == 5
    with pytest.raises(DataPlaneError, match="has reached its limit"):
        world.plane.move_sa(OUTBOUND, world.out.spi, "192.0.2.1", "192.0.2.9", None)
    world.plane.remove_sa(OUTBOUND, world.out.spi)
    assert world.plane.statistics().outbound_packets == 5


def test_limits_in_seconds_and_bytes(world: World) -> None:
    world.replace_sas(limits=SaLimits(soft_bytes=300, soft_seconds=1, hard_seconds=3))
    for _ in range(3):
        world.ours.send(*world.ours.seal(world.inner(b"x" * 100)))
    soft, hard = PlaneEventKind.SOFT_LIMIT, PlaneEventKind.HARD_LIMIT
    found = sorted((event.kind, event.direction) for event in world.events(4))
    assert found == [(hard, INBOUND), (hard, OUTBOUND), (soft, INBOUND), (soft, OUTBOUND)]


def test_an_sa_moves_with_its_numbers_window_and_counts(world: World) -> None:
    world.replace_sas(replay_window_packets=128)
    local, peer = world.hosts.local, world.hosts.peer
    replayed = world.ours.seal(world.inner(b"replayed"))[0]
    world.ours.send(replayed, replayed)
    assert world.traffic.recv(100) == b"replayed"
    world.send()
    assert world.ours.receive() is not None
    assert local.run("ip", "addr", "add", "192.0.2.11/24", "dev", "eth0").returncode == 0
    try:
        world.plane.move_sa(INBOUND, world.back.spi, peer.ipv4, "192.0.2.11", None)
        world.plane.move_sa(OUTBOUND, world.out.spi, "192.0.2.11", peer.ipv4, None)
        world.ours.processing.move_sa(OUTBOUND, world.back.spi, peer.ipv4, "192.0.2.11", None)
        world.ours.processing.move_sa(INBOUND, world.out.spi, "192.0.2.11", peer.ipv4, None)
        world.send(b"from the new address")
        seen = world.ours.receive()
        assert seen is not None
        assert seen.outer.header.source == socket.inet_aton("192.0.2.11")
        moved = dataclasses.replace(
            replayed, header=dataclasses.replace(replayed.header, destination=socket.inet_aton("192.0.2.11"))
        )
        world.ours.send(moved)
        assert world.received() == []
        inbound = world.plane.sa_statistics(INBOUND, world.back.spi)
        assert (inbound.packets, inbound.replayed) == (2, 2)
        assert world.plane.sa_statistics(OUTBOUND, world.out.spi).packets == 2
        assert "dst 192.0.2.11 dir in" not in local.run("ip", "xfrm", "policy").stdout
    finally:
        local.run("ip", "addr", "del", "192.0.2.11/24", "dev", "eth0")
    with pytest.raises(DataPlaneError, match="there is no SA"):
        world.plane.move_sa(INBOUND, 0x999, "192.0.2.1", "192.0.2.2", None)


def test_only_what_the_policies_say_passes(world: World) -> None:
    everything = SelectorPair(subnet("0.0.0.0/0"), subnet("0.0.0.0/0"))
    telnet = SelectorPair(parse_traffic_selector("10.1.0.0/16"), parse_traffic_selector("10.2.7.1/32[udp/23]"))
    world.plane.add_policy(PolicyConfiguration(OUTBOUND, (telnet,), Action.DISCARD, priority=10))
    with pytest.raises(PermissionError):
        world.traffic.sendto(b"telnet", ("10.2.7.1", 23))
    assert world.plane.statistics().dropped == {"XfrmOutPolBlock": 1}
    # In clear from an address that only the SA may use.
    with world.hosts.peer.udp_socket(PORT, world.hosts.peer.inner_ipv4) as clear:
        clear.sendto(b"in clear", (world.hosts.local.inner_ipv4, PORT))
        assert world.received() == []
    assert world.plane.statistics().dropped["XfrmInTmplMismatch"] == 1
    # Out of the SA, and for none of its policies.
    world.ours.add_policies((PolicyConfiguration(OUTBOUND, (everything,), Action.PROTECT, 1, 9000),))
    world.ours.send(*world.ours.seal(udp_packet("10.9.0.1", world.hosts.local.inner_ipv4, PORT, b"stranger")))
    assert world.received() == []
    assert world.plane.statistics().dropped["XfrmInNoPols"] == 1


def test_an_sa_for_one_port_admits_no_other_in_transport_mode(world: World) -> None:
    here, there = world.hosts.local.ipv4, world.hosts.peer.ipv4
    only = SelectorPair(parse_traffic_selector(f"{there}/32[udp]"), parse_traffic_selector(f"{here}/32[udp/{PORT}]"))
    sa = sa_between(there, here, mode=Mode.TRANSPORT, reqid=5)
    world.plane.add_sa(dataclasses.replace(other_end(sa), selectors=(only,)))
    out = SelectorPair(subnet(f"{there}/32"), subnet(f"{here}/32"))
    world.ours.add(sa)
    world.ours.add_policies((PolicyConfiguration(OUTBOUND, (out,), Action.PROTECT, 5, 10),))
    with world.hosts.local.udp_socket(PORT, here) as wanted, world.hosts.local.udp_socket(PORT + 1, here) as unwanted:
        wanted.settimeout(2.0 * PATIENCE_SECONDS)
        unwanted.settimeout(0.3)
        world.ours.send(*world.ours.seal(udp_packet(there, here, PORT + 1, b"no")))
        world.ours.send(*world.ours.seal(udp_packet(there, here, PORT, b"yes")))
        assert wanted.recv(100) == b"yes"
        with pytest.raises(TimeoutError):
            unwanted.recv(100)
    assert world.plane.statistics().dropped == {"XfrmInStateMismatch": 1}


@pytest.mark.parametrize(
    ("changes", "tos", "outer_class", "dont_fragment"),
    [
        ({}, 0xB8, 0xB8, True),
        ({"copy_dscp": False}, 0xB8, 0, True),
        ({"dont_fragment": DontFragment.CLEAR}, 0, 0, False),
        ({}, 0x02, 0x02, True),
    ],
    ids=["DSCP outside", "DSCP inside only", "DF cleared", "ECN"],
)
def test_outer_headers(
    world: World, changes: dict[str, object], tos: int, outer_class: int, dont_fragment: bool
) -> None:
    world.replace_sas("aes128gcm16", **changes)
    world.traffic.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, tos)
    always, ip_mtu_discover = 2, 10
    world.traffic.setsockopt(socket.IPPROTO_IP, ip_mtu_discover, always)
    world.send()
    seen = world.ours.receive()
    assert seen is not None
    header = seen.outer.header
    assert (header.traffic_class, header.dont_fragment) == (outer_class, dont_fragment)


def test_payloads_can_be_padded_to_one_length(world: World) -> None:
    world.replace_sas(tfc_bytes=600)
    lengths = set()
    for payload in (b"", b"x" * 100, b"x" * 500):
        world.send(payload)
        seen = world.ours.receive()
        assert seen is not None
        assert seen.inner.endswith(payload)
        lengths.add(len(seen.outer.content))
    assert len(lengths) == 1
    assert lengths.pop() >= 600


def test_packets_too_large_for_the_path_are_told(world: World) -> None:
    always, ip_mtu_discover = 2, 10
    world.traffic.setsockopt(socket.IPPROTO_IP, ip_mtu_discover, always)
    with pytest.raises(OSError, match="Message too long"):
        world.send(bytes(1450))
    world.send(bytes(1400))
    seen = world.ours.receive()
    assert seen is not None
    assert len(seen.outer.content) <= 1480


def test_the_end_leaves_what_was_there_before(world: World) -> None:
    theirs = "src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x5555 reqid 9 mode tunnel"
    key = "0x" + "11" * 20
    local = world.hosts.local
    added = ["ip", "xfrm", "state", "add", *theirs.split(), "aead", "rfc4106(gcm(aes))", key, "128"]
    assert local.run(*added).returncode == 0
    policy = ["ip", "xfrm", "policy", "add", "dir", "out", "src", "10.8.0.0/16", "dst", "10.9.0.0/16"]
    assert local.run(*policy).returncode == 0
    try:
        with pytest.raises(DataPlaneError, match="SPI is in use"):
            world.plane.add_sa(sa_between("192.0.2.1", "192.0.2.2", spi=0x5555))
        world.plane.close()
        assert "0x00005555" in local.run("ip", "xfrm", "state").stdout
        assert local.run("ip", "xfrm", "state").stdout.count("proto esp") == 1
        assert "10.8.0.0/16" in local.run("ip", "xfrm", "policy").stdout
        assert "10.2.0.0/16" not in local.run("ip", "xfrm", "policy").stdout
    finally:
        local.run("ip", "xfrm", "state", "flush")
        local.run("ip", "xfrm", "policy", "flush")


def test_a_moved_peer_behind_a_nat_is_told(world: World) -> None:
    """A packet in UDP from another port than agreed: the kernel says where from, and the SA goes there."""
    world.plane.close()
    with world.hosts.local.udp_socket(4500) as sock:
        plane = world.hosts.local.call(lambda: KernelPlane([sock], [sock]))
        try:
            expected = UdpEncapsulation(1024, 4500)
            back = sa_between(world.hosts.peer.ipv4, world.hosts.local.ipv4, encapsulation=expected)
            out = sa_between(world.hosts.local.ipv4, world.hosts.peer.ipv4, encapsulation=UdpEncapsulation(4500, 1024))
            plane.add_sa(other_end(back))
            plane.add_sa(out)
            for policy in policies_between(*NETS[4]):
                plane.add_policy(policy)
            world.ours.processing.remove_sa(OUTBOUND, world.back.spi)
            world.ours.add(other_end(out), back)
            world.plane = plane
            # Our socket has port 4500.
            world.ours.send(*world.ours.seal(world.inner(b"from 4500")))
            assert world.traffic.recv(100) == b"from 4500"
            changed = PlaneEvent(PlaneEventKind.PATH_CHANGED, INBOUND, back.spi, world.hosts.peer.ipv4, 4500)
            assert world.events(1) == [changed]
            world.ours.send(*world.ours.seal(world.inner(b"again")))
            assert world.traffic.recv(100) == b"again"
            assert plane.take_events() == []
            plane.move_sa(INBOUND, back.spi, back.source, back.destination, UdpEncapsulation(4500, 4500))
            plane.move_sa(OUTBOUND, out.spi, out.source, out.destination, UdpEncapsulation(4500, 4500))
            world.send(b"to 4500")
            seen = world.ours.receive()
            assert seen is not None
            assert seen.inner.endswith(b"to 4500")
            world.ours.send(*world.ours.seal(world.inner(b"no news")))
            assert world.traffic.recv(100) == b"no news"
            assert plane.take_events() == []
            assert plane.sa_statistics(INBOUND, back.spi).packets == 3
            # IKE itself still arrives, with its non-ESP marker; keep-alives are the kernel's.
            world.ours.sockets[2].sendto(b"\xff", (world.hosts.local.ipv4, 4500))
            world.ours.sockets[2].sendto(bytes(4) + b"IKE", (world.hosts.local.ipv4, 4500))
            sock.settimeout(2.0 * PATIENCE_SECONDS)
            assert sock.recv(100) == bytes(4) + b"IKE"
        finally:
            plane.close()


def test_iproute2_agrees_with_the_statistics(world: World) -> None:
    for number in range(7):
        world.send(bytes(number))
    shown = world.hosts.local.run("ip", "-s", "xfrm", "state").stdout
    statistics = world.plane.sa_statistics(OUTBOUND, world.out.spi)
    assert f"{statistics.bytes}(bytes), {statistics.packets}(packets)" in shown, shown
    assert statistics.packets == 7
