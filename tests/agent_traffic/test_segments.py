"""Segments and super packets against packets that scapy makes: lengths, numbers, flags and checksums are scapy's."""

from __future__ import annotations

import random
from typing import Any

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt, PadN

from tests.agent_traffic.packet_filter import GSO_TCP4, GSO_TCP6, GSO_UDP, Join, PacketFilter, VnetHeader

SEED = 20260101
Flow = dict[str, Any]


def random_flow(source: random.Random) -> Flow:
    """What all packets of one flow have in common."""
    tcp = source.random() < 0.7
    return {
        "version": source.choice([4, 6]),
        "tcp": tcp,
        "ports": (source.randrange(1, 65536), source.randrange(1, 65536)),
        "tos": source.randrange(256),
        "ttl": source.randrange(1, 256),
        "df": source.random() < 0.5,
        "seq": source.choice([source.randrange(2**32), 2**32 - source.randrange(1, 5000)]),
        "ack": source.randrange(2**32),
        "window": source.randrange(65536),
        "options": source.choice(
            [
                [],
                [("NOP", None), ("NOP", None), ("Timestamp", (source.randrange(2**32), source.randrange(2**32)))],
                [("NOP", None), ("NOP", None), ("SAck", (1, 2, 5, 9))],
            ]
        ),
        "id": source.randrange(65536),
    }


def packet(flow: Flow, number: int, offset: int, payload: bytes, flags: str = "A", extension: bool = False) -> bytes:
    """Packet ``number`` of a flow, with the payload at ``offset``."""
    if flow["version"] == 4:
        network: Any = IP(
            src="10.1.0.1",
            dst="10.2.0.1",
            tos=flow["tos"],
            ttl=flow["ttl"],
            flags="DF" if flow["df"] else 0,
            id=(flow["id"] + number) % 65536,
        )
    else:
        network = IPv6(src="2001:db8:1::1", dst="2001:db8:2::1", tc=flow["tos"], hlim=flow["ttl"], fl=flow["id"])
        if extension:
            network /= IPv6ExtHdrDestOpt(options=[PadN(optdata=b"\x00" * 4)])
    sport, dport = flow["ports"]
    if flow["tcp"]:
        transport: Any = TCP(
            sport=sport,
            dport=dport,
            seq=(flow["seq"] + offset) % 2**32,
            ack=flow["ack"],
            window=flow["window"],
            flags=flags,
            options=flow["options"],
        )
    else:
        transport = UDP(sport=sport, dport=dport)
    return bytes(network / transport / payload)


def flags_of(number: int, count: int, flags: str) -> str:
    """What is left of the flags of a large packet in one of its segments."""
    kept = [
        flag
        for flag in flags
        if flag not in "FPC" or (flag in "FP" and number == count - 1) or (flag == "C" and number == 0)
    ]
    return "".join(kept)


def gso_type(flow: Flow) -> int:
    """Its type in the header in front."""
    if not flow["tcp"]:
        return GSO_UDP
    return GSO_TCP4 if flow["version"] == 4 else GSO_TCP6


def test_segments_are_what_a_host_would_have_sent(packet_filter: PacketFilter) -> None:
    source = random.Random(SEED)
    orders = []
    expected = []
    for _ in range(40):
        flow = random_flow(source)
        size = source.randrange(8, 1461)
        payload = source.randbytes(source.randrange(0, min(65_000, size * 25)))
        flags = source.choice(["A", "PA", "FA", "FPA", "CA", "EA", "CPA"])
        extension = source.random() < 0.3
        large = packet(flow, 0, 0, payload, flags, extension)
        orders.append((VnetHeader(flags=1, gso_type=gso_type(flow), segment_bytes=size), large))
        count = max(1, -(-len(payload) // size))
        expected.append(
            [
                packet(
                    flow,
                    number,
                    number * size,
                    payload[number * size : (number + 1) * size],
                    flags_of(number, count, flags),
                    extension,
                )
                for number in range(count)
            ]
        )
    assert packet_filter.cut(orders) == expected


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("tcp", [True, False], ids=["tcp", "udp"])
def test_a_burst_of_one_flow_becomes_one_super_packet(packet_filter: PacketFilter, version: int, tcp: bool) -> None:
    source = random.Random(SEED + version)
    for _ in range(5):
        flow = {**random_flow(source), "version": version, "tcp": tcp}
        size = source.randrange(8, 1401)
        count = source.randrange(2, min(30, 60_000 // size) + 1)
        payloads = [source.randbytes(size) for _ in range(count - 1)] + [
            source.randbytes(source.randrange(1, size + 1))
        ]
        last = source.choice(["A", "PA", "FPA"])
        burst = [
            packet(flow, number, number * size, payload, last if number == count - 1 else "A")
            for number, payload in enumerate(payloads)
        ]
        ((vnet, joined),) = packet_filter.join(Join.TCP | Join.UDP, burst)
        whole = packet(flow, 0, 0, b"".join(payloads), last)
        network = 20 if version == 4 else 40
        place = network + (16 if tcp else 6)
        # All but the unfinished checksum is what scapy makes of one large packet.
        assert joined[:place] + joined[place + 2 :] == whole[:place] + whole[place + 2 :]
        assert vnet == VnetHeader(
            flags=1,
            gso_type=gso_type(flow),
            header_bytes=len(whole) - sum(map(len, payloads)),
            segment_bytes=size,
            checksum_start=network,
            checksum_offset=place - network,
        )
        # Finished as a device would, it is right.
        assert packet_filter.cut([(VnetHeader(1, 0, 0, 0, network, place - network), joined)]) == [[whole]]


def test_mixed_bursts_arrive_unchanged_and_in_order(packet_filter: PacketFilter) -> None:
    source = random.Random(SEED + 1)
    joined_packets = 0
    for _ in range(5):
        flows = [{**random_flow(source), "ports": (1000 + number, 5001)} for number in range(4)]
        offsets = [0, 0, 0, 0]
        counts = [0, 0, 0, 0]
        burst: list[bytes] = []
        for _ in range(200):
            which = source.randrange(4)
            flow = flows[which]
            payload = source.randbytes(source.choice([900] * 12 + [0, 100, 901]))
            made = packet(flow, counts[which], offsets[which], payload, source.choice(["A"] * 12 + ["PA", "CA", "SA"]))
            if source.random() < 0.03:
                made = made[:-1] + bytes([made[-1] ^ 1])  # a wrong checksum
            burst.append(made)
            offsets[which] += len(payload)
            counts[which] += source.random() < 0.97
            flow["window"] = (flow["window"] + (source.random() < 0.03)) % 65536
        items = packet_filter.join(Join.TCP | Join.UDP, burst)
        arrived = [segment for segments in packet_filter.cut(items) for segment in as_segments(segments)]
        joined_packets += len(burst) - len(items)
        for port in range(1000, 1004):
            assert [normal(one) for one in arrived if source_port(one) == port] == [
                normal(one) for one in burst if source_port(one) == port
            ]
    assert joined_packets > 80


def as_segments(answer: list[bytes] | int) -> list[bytes]:
    """What was cut, which it must have been."""
    assert isinstance(answer, list), f"refused: {answer}"
    return answer


def source_port(octets: bytes) -> int:
    """Of a packet without options in its IP header."""
    network = 20 if octets[0] >> 4 == 4 else 40
    return int.from_bytes(octets[network : network + 2], "big")


def normal(octets: bytes) -> bytes:
    """Without the identification of IPv4, which means nothing when DF is set (RFC 6864), and its checksum."""
    if octets[0] >> 4 == 4 and octets[6] & 0x40:
        return octets[:4] + b"\0\0" + octets[6:10] + b"\0\0" + octets[12:]
    return octets
