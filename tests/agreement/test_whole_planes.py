"""The agent's data plane and the readable one side by side: the same packets in, the same packets out, the same counts.

The agent has a pair of local sockets where a TUN device would be, and a UDP socket on the loopback interface: no rights
are needed. SAs, policies and packets are drawn at random, hostile ones among them.
"""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache

import pytest

from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.dataplane.agent import AgentPlane
from ipsecbench.errors import DataPlaneError
from ipsecbench.esp.configuration import (
    Action,
    Direction,
    DontFragment,
    Layering,
    PolicyConfiguration,
    SaConfiguration,
    SelectorPair,
    UdpEncapsulation,
)
from ipsecbench.esp.mode import Mode
from ipsecbench.esp.outer_packet import OuterPacket
from ipsecbench.esp.packet import padded
from ipsecbench.esp.processing import EspProcessing
from ipsecbench.esp.traffic_selector import parse_traffic_selector
from ipsecbench.secret import Secret
from ipsecbench.wire.ip import IpHeader, parse_ip
from tests.unit.esp.esp_pair import cryptography, transform_of
from tests.unit.esp.inner_packets import ipv4, ipv6, tcp, udp_packet

pytestmark = pytest.mark.agent

HERE, THERE = "127.0.0.1", "127.0.0.2"
SUITES = ("aes128gcm16", "aes256-sha256", "chacha20poly1305", "aes128ctr-sha1", "null-sha512", "aes128gmac", "3des-md5")
WAIT_SECONDS = 10.0
NETS = ("10.1.0.0/16", "fd01::/16", f"{HERE}/32"), ("10.2.0.0/16", "fd02::/16", f"{THERE}/32")


@dataclass
class Planes:
    """Both planes, and the sockets of the outside and the inside."""

    agent: AgentPlane
    reference: EspProcessing
    inside: socket.socket
    """Where the agent's TUN device would be."""
    outside: socket.socket
    """The peer's UDP socket."""
    port: int
    """The agent's."""
    sas: list[SaConfiguration] = field(default_factory=list)
    """Inbound."""

    @property
    def ports(self) -> UdpEncapsulation:
        """Of packets from the peer."""
        return UdpEncapsulation(self.outside.getsockname()[1], self.port)

    def add_sa(self, sa: SaConfiguration) -> None:
        """To both."""
        self.agent.add_sa(sa)
        self.reference.add_sa(sa, 0.0)
        if sa.direction is Direction.INBOUND:
            self.sas.append(sa)

    def add_policy(self, policy: PolicyConfiguration) -> None:
        """To both."""
        self.agent.add_policy(policy)
        self.reference.add_policy(policy)

    def at_once(self, contents: list[bytes]) -> tuple[list[bytes], dict[bytes, list[bytes]]]:
        """What comes inside of many datagrams of the peer: from the agent, and from the reference by SA."""
        expected: dict[bytes, list[bytes]] = {}
        for content in contents:
            expected.setdefault(content[:4], []).extend(self._received(content))
        for content in contents:
            self.outside.sendto(content, (HERE, self.port))
        return self._read(self.inside, sum(map(len, expected.values()))), expected

    def one_by_one(self, content: bytes) -> tuple[list[bytes], list[bytes]]:
        """The same of one datagram, once the agent is done with it."""
        before = sum(self.reference.dropped.values())
        expected = self._received(content)
        dropped = sum(self.reference.dropped.values())
        self.outside.sendto(content, (HERE, self.port))
        if expected:
            return self._read(self.inside, len(expected)), expected
        if dropped > before:
            self.agent_dropped()
        else:
            time.sleep(0.005)  # a dummy or a keep-alive, of which nothing is seen
        return [], expected

    def agent_dropped(self) -> dict[str, int]:
        """What the agent has dropped, once it is done with what the reference has dropped."""
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            dropped = {name: count for name, count in self.agent.statistics().dropped.items() if count}
            if sum(dropped.values()) >= sum(self.reference.dropped.values()) or time.monotonic() > deadline:
                return dropped
            time.sleep(0.001)

    def _received(self, content: bytes) -> list[bytes]:
        source, destination = (socket.inet_aton(address) for address in (THERE, HERE))
        outer = OuterPacket(IpHeader(source, destination, 17), content, self.ports)
        return self.reference.receive(outer, 1.0).inside

    def from_inside(self, packets: list[bytes]) -> tuple[list[bytes], list[bytes]]:
        """The ESP packets of inner packets: from the agent, and from the reference."""
        expected = [outer.content for packet in packets for outer in self.reference.protect(packet, 1.0).outside]
        for packet in packets:
            self.inside.send(packet)
        return self._read(self.outside, len(expected)), expected

    def _read(self, sock: socket.socket, count: int) -> list[bytes]:
        """So many packets, or what comes in time."""
        found: list[bytes] = []
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline and len(found) < count:
            with contextlib.suppress(TimeoutError):
                found.append(sock.recv(65535))
        return found


@pytest.fixture
def planes() -> Iterator[Planes]:
    """Both, without SAs and policies."""
    inside, device = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    for sock in (inside, device):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
    with inside, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outside:
        own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        own.bind((HERE, 0))
        outside.bind((THERE, 0))
        port = own.getsockname()[1]
        for sock in (inside, outside):
            sock.settimeout(0.2)
        try:
            agent = AgentPlane(tun_fds=[device.detach()], udp_sockets=[own], vnet_header=False)
        except DataPlaneError as error:
            pytest.skip(f"no agent here: {error}")
        try:
            source = random.Random("reference")
            yield Planes(agent, EspProcessing(cryptography(), source.randbytes), inside, outside, port)
        finally:
            agent.close()


@cache
def pairs(*, to_us: bool) -> tuple[SelectorPair, ...]:
    """Between the networks of both ends, without one service."""
    ours, theirs = NETS if not to_us else NETS[::-1]
    return tuple(
        SelectorPair(parse_traffic_selector(here), parse_traffic_selector(there))
        for here, there in zip(ours, theirs, strict=True)
    )


def policies(reqid: int) -> list[PolicyConfiguration]:
    """Everything between the networks is protected, telnet is discarded, one host has another reqid."""
    made = []
    for direction in Direction:
        to_us = direction is Direction.INBOUND
        made.append(PolicyConfiguration(direction, pairs(to_us=to_us), Action.PROTECT, reqid, 100))
        ours, theirs = "10.1.0.0/16[tcp]", "10.2.0.0/16[tcp/23]"
        telnet = SelectorPair(*(parse_traffic_selector(text) for text in ((theirs, ours) if to_us else (ours, theirs))))
        made.append(PolicyConfiguration(direction, (telnet,), Action.DISCARD, priority=10))
        ours, theirs = "10.1.0.77/32", "10.2.0.0/16"
        other = SelectorPair(*(parse_traffic_selector(text) for text in ((theirs, ours) if to_us else (ours, theirs))))
        made.append(PolicyConfiguration(direction, (other,), Action.PROTECT, reqid + 1, 20))
    return made


def drawn_sa(source: random.Random, planes: Planes, direction: Direction, spi: int) -> SaConfiguration:
    """An SA in any suite and mode that carries whole packets."""
    suite = esp_suites()[source.choice(SUITES)]
    mode, layering = source.choice(
        ((Mode.TUNNEL, Layering.NONE), *((Mode.TRANSPORT, layering) for layering in Layering))
    )
    inbound = direction is Direction.INBOUND
    ports = planes.ports
    return SaConfiguration(
        direction=direction,
        spi=spi,
        reqid=1,
        suite=suite,
        encryption_key=Secret(source.randbytes(suite.encryption.keymat_bytes)),
        integrity_key=Secret(source.randbytes(suite.integrity.key_bytes)) if suite.integrity else None,
        mode=mode,
        source=THERE if inbound else HERE,
        destination=HERE if inbound else THERE,
        esn=source.random() < 0.5,
        replay_window_packets=source.choice((32, 64, 1024, 4096)),
        encapsulation=ports if inbound else UdpEncapsulation(ports.destination_port, ports.source_port),
        layering=layering,
        selectors=pairs(to_us=True) if inbound and source.random() < 0.5 else (),
    )


def inner_packet(source: random.Random, *, to_us: bool) -> bytes:
    """A packet between the networks, or now and then one that is not."""
    ours = source.choice(("10.1.0.1", "10.1.0.77", "10.1.200.3", "fd01::1", "10.9.0.1"))
    version = 6 if ":" in ours else 4
    theirs = (
        source.choice(("10.2.0.2", "10.2.0.99", "10.8.0.1")) if version == 4 else source.choice(("fd02::2", "fd08::2"))
    )
    ends = (theirs, ours) if to_us else (ours, theirs)
    kind = source.randrange(6)
    if kind == 0:
        ports = (40000, source.choice((22, 23)))
        segment = tcp(*ends, source.randbytes(source.randrange(100)), ports[::-1] if to_us else ports)
        return ipv4(*ends, segment, 6) if version == 4 else ipv6(*ends, segment, 6)
    if kind == 1 and version == 4:
        return ipv4(*ends, source.randbytes(64), 17, flags=source.choice((0x2000, 8, 0x2010)))
    if kind == 2 and version == 4:
        return ipv4(*ends, source.randbytes(64), source.choice((1, 47, 132)), options=bytes.fromhex("94040000"))
    if kind == 3 and version == 6:
        return ipv6(*ends, b"\x11\0" + bytes(6) + source.randbytes(64), 60)
    return udp_packet(version, source.randrange(60, 1200), ends)


def end_packet(source: random.Random, *, to_us: bool) -> bytes:
    """A packet between the ends themselves."""
    ends = (THERE, HERE) if to_us else (HERE, THERE)
    kind = source.randrange(3)
    if kind == 0:
        return ipv4(*ends, tcp(*ends, source.randbytes(source.randrange(100)), (40000, source.choice((22, 23)))), 6)
    if kind == 1:
        return ipv4(*ends, source.randbytes(source.randrange(60)), source.choice((1, 6, 17, 47, 132)))
    return udp_packet(4, source.randrange(60, 1200), ends)


def broken(source: random.Random, packet: bytes) -> bytes:
    """The inner packet with a header that lies, or cut."""
    kind = source.randrange(4)
    if kind == 0:
        return packet[: source.randrange(len(packet))]
    position = source.choice((0, 0, 2, 3, 4, 5)) if kind < 3 else source.randrange(min(40, len(packet)))
    return packet[:position] + bytes((source.randrange(256),)) + packet[position + 1 :]


def is_plain_transport(sa: SaConfiguration) -> bool:
    """Whether the SA carries payloads between the ends themselves."""
    return sa.mode is Mode.TRANSPORT and sa.layering is Layering.NONE


def essential(packet: bytes) -> object:
    """The packet; of one between the ends themselves, what does not depend on where its header was made up.

    The agent also writes a UDP checksum where there is none, that of ICMP, and that of TCP that is cut short.
    """
    ends = [socket.inet_aton(THERE), socket.inet_aton(HERE)]
    if [packet[12:16], packet[16:20]] not in (ends, ends[::-1]):
        return packet
    parsed = parse_ip(packet)
    header, payload = parsed.header, parsed.payload
    at = {1: 2, 17: 6, 6: 16}.get(header.protocol)
    if at is not None and (header.protocol != 6 or len(payload) < 20):
        payload = payload[:at] + payload[at + 2 :]
    return header.source, header.destination, header.protocol, payload


def payload_of(sa: SaConfiguration, packet: bytes) -> tuple[bytes, int]:
    """What the SA carries for an inner packet, and its Next Header."""
    if is_plain_transport(sa):
        return (packet[20:], packet[9]) if len(packet) > 20 else (packet, 17)
    six = packet[:1] and packet[0] >> 4 == 6
    if sa.layering is Layering.GRE:
        return struct.pack("!HH", 0, 0x86DD if six else 0x0800) + packet, 47
    return packet, 41 if six else 4


def hostile_content(source: random.Random, sa: SaConfiguration, sequence: int) -> bytes:
    """The content of one datagram: good, replayed by its number, forged, malformed or nonsense."""
    transform, align = transform_of(sa), sa.suite.encryption.pad_align_bytes
    packet = end_packet(source, to_us=True) if is_plain_transport(sa) else inner_packet(source, to_us=True)
    payload, next_header = payload_of(sa, packet)
    kind = source.randrange(16)
    if kind == 0:
        payload, next_header = payload_of(sa, broken(source, packet))
    elif kind == 1:
        next_header = source.choice((0, 17, 41, 4, 47, 50, 59, 60, 255))
    elif kind == 2:
        payload += bytes(source.randrange(1, 100))  # TFC padding
    elif kind == 3:
        payload = source.randbytes(source.randrange(60))
    plaintext = padded(payload, next_header, align)
    if kind == 4:
        plaintext = plaintext[:-2] + bytes((source.randrange(256), next_header))
    content = transform.seal(sa.spi, sequence, plaintext)
    if kind == 5:
        position = source.randrange(4, len(content))
        content = content[:position] + bytes((content[position] ^ 1 << source.randrange(8),)) + content[position + 1 :]
    elif kind == 6:
        content = content[: source.randrange(1, len(content))]
    elif kind == 7:
        content = source.choice((b"\xff", b"\xfe", b"abc", source.randbytes(source.randrange(4, 64))))
    elif kind == 8:
        content += source.randbytes(source.randrange(1, 20))
    # A non-ESP marker is for IKE's socket, which gets such datagrams before the agent does.
    return b"\x01" + content[1:] if content.startswith(bytes(4)) else content


class Hostile:
    """A peer with the keys of some SAs, and no manners."""

    def __init__(self, planes: Planes, seed: object) -> None:
        self.source = random.Random(f"outside {seed}")
        for policy in policies(1):
            planes.add_policy(policy)
        for number in range(4):
            planes.add_sa(drawn_sa(self.source, planes, Direction.INBOUND, 0x1000 + number))
        self.sas = list(planes.sas)
        good = drawn_sa(self.source, planes, Direction.INBOUND, 0x2000)
        self.good = replace(good, mode=Mode.TUNNEL, layering=Layering.NONE, selectors=())
        planes.add_sa(self.good)
        self._sequences = {sa.spi: self.source.choice((0, 100, 2**31 - 40, 2**32 - 5000)) for sa in self.sas}

    def content(self) -> bytes:
        """One datagram: mostly with the next number, sometimes with one from the past."""
        sa = self.source.choice(self.sas)
        self._sequences[sa.spi] += 1
        back = self.source.choice((0, 0, 0, 1, 5, 50))
        sequence = min(2**32 - 1, max(1, self._sequences[sa.spi] - back))
        return hostile_content(self.source, sa, sequence)

    def well_behaved(self, number: int) -> tuple[bytes, bytes]:
        """A good datagram of an SA of its own, and what is in it."""
        packet = udp_packet(4, 200 + number, ("10.2.0.2", "10.1.0.1"))
        payload, next_header = payload_of(self.good, packet)
        plaintext = padded(payload, next_header, self.good.suite.encryption.pad_align_bytes)
        return transform_of(self.good).seal(self.good.spi, number, plaintext), packet


@pytest.mark.parametrize("seed", range(8))
def test_hostile_packets_one_by_one(planes: Planes, seed: int) -> None:
    peer = Hostile(planes, seed)
    came = 0
    for number in range(150):
        content = peer.content()
        found, expected = planes.one_by_one(content)
        assert list(map(essential, found)) == list(map(essential, expected)), (number, content.hex())
        came += len(found)
    content, packet = peer.well_behaved(1)
    assert planes.one_by_one(content) == ([packet], [packet])
    assert came > 10
    # The same counters: all that was wrong was wrong for the same reason.
    assert planes.agent_dropped() == planes.reference.dropped
    assert len(planes.reference.dropped) >= 5
    for sa in planes.sas:
        here = planes.reference.sa_statistics(Direction.INBOUND, sa.spi, 1.0)
        there = planes.agent.sa_statistics(Direction.INBOUND, sa.spi)
        assert (there.replayed, there.forged) == (here.replayed, here.forged)
        assert there.packets == here.packets


@pytest.mark.parametrize("seed", range(8))
def test_hostile_packets_in_bursts(planes: Planes, seed: int) -> None:
    """In a burst the agent asks all windows before it opens anything; what comes inside is the same all the same."""
    peer = Hostile(planes, f"{seed} bursts")
    for number in range(1, 9):
        good, packet = peer.well_behaved(number)
        found, expected = planes.at_once([*(peer.content() for _ in range(30)), good])
        assert expected[good[:4]] == [packet]
        came = [repr(essential(inner)) for inner in found]
        wanted = [[repr(essential(inner)) for inner in packets] for packets in expected.values()]
        assert sorted(came) == sorted(inner for packets in wanted for inner in packets), number
        for packets in wanted:
            # Those of one SA are in order.
            assert [inner for inner in came if inner in packets] == packets
        assert sum(planes.agent_dropped().values()) == sum(planes.reference.dropped.values())


@pytest.mark.parametrize("seed", range(8))
def test_packets_from_inside(planes: Planes, seed: int) -> None:
    source = random.Random(f"inside {seed}")
    for policy in policies(1):
        planes.add_policy(policy)
    sa = drawn_sa(source, planes, Direction.OUTBOUND, 0x3000)
    planes.add_sa(sa)
    packets = []
    for _ in range(60):
        packet = end_packet(source, to_us=False) if is_plain_transport(sa) else inner_packet(source, to_us=False)
        packets.append(broken(source, packet) if source.random() < 0.1 else packet)
    found, expected = planes.from_inside(packets)
    header = IpHeader(socket.inet_aton(HERE), socket.inet_aton(THERE), 17)

    def opened(contents: list[bytes]) -> list[bytes]:
        end = EspProcessing(cryptography(), source.randbytes)
        end.add_sa(replace(sa, direction=Direction.INBOUND), 0.0)
        end.add_policy(policies_of_receiver())
        return [
            inner
            for content in contents
            for inner in end.receive(OuterPacket(header, content, sa.encapsulation), 1.0).inside
        ]

    assert len(found) == len(expected)
    assert [len(content) for content in found] == [len(content) for content in expected]
    assert opened(found) == opened(expected)
    assert all(parse_ip(inner).total_bytes == len(inner) for inner in opened(found))
    if sa.suite.encryption.mode != "cbc":
        # Nothing is drawn at random: the same octets.
        assert found == expected
    assert planes.agent_dropped() == planes.reference.dropped


def told(packet: bytes) -> tuple[bytes, bytes, bytes]:
    """Source and destination of an ICMP message, and what it says, without its checksum and how much it quotes."""
    parsed = parse_ip(packet)
    return parsed.header.source, parsed.header.destination, parsed.payload[:2] + parsed.payload[4:48]


@pytest.mark.parametrize("seed", range(8))
def test_packets_from_inside_that_do_not_fit(planes: Planes, seed: int) -> None:
    """Fragments before ESP, ICMP to the sender, and what goes on as it is."""
    source = random.Random(f"too long {seed}")
    for policy in policies(1):
        planes.add_policy(policy)
    sa = replace(
        drawn_sa(source, planes, Direction.OUTBOUND, 0x4000),
        path_mtu_bytes=source.choice((600, 1280, 1400)),
        dont_fragment=source.choice(list(DontFragment)),
        tfc_bytes=source.choice((0, 0, 300, 2000)),
    )
    planes.add_sa(sa)
    sealed = messages = 0
    for _ in range(40):
        version, size, df = source.choice((4, 4, 6)), source.randrange(500, 3000), source.choice((0, 0x4000))
        ends = (HERE, THERE) if is_plain_transport(sa) else None
        packet = udp_packet(4 if ends else version, size, ends, flags=df)
        before = sum(planes.reference.dropped.values())
        output = planes.reference.protect(packet, 1.0)
        planes.inside.send(packet)
        contents = planes._read(planes.outside, len(output.outside))
        assert [len(content) for content in contents] == [len(outer.content) for outer in output.outside], size
        if sa.suite.encryption.mode != "cbc":
            assert contents == [outer.content for outer in output.outside]
        said = planes._read(planes.inside, len(output.inside))
        assert [told(message) for message in said] == [told(message) for message in output.inside]
        assert (sum(planes.reference.dropped.values()) > before) is bool(output.inside)
        sealed, messages = sealed + len(contents), messages + len(said)
    assert planes.agent_dropped() == planes.reference.dropped
    assert sealed > 10
    assert messages > 0 or sa.dont_fragment is DontFragment.CLEAR


def policies_of_receiver() -> PolicyConfiguration:
    """Anything is admitted."""
    everything = tuple(
        SelectorPair(parse_traffic_selector(net), parse_traffic_selector(net)) for net in ("0.0.0.0/0", "::/0")
    )
    return PolicyConfiguration(Direction.INBOUND, everything, Action.PROTECT, 1)
