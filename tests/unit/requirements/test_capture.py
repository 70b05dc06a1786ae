"""Captures give the lengths of IP packets, whatever the file and the link are; damage is one line."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsecbench.errors import UsageError
from ipsecbench.recommend.requirements.capture import read_capture
from ipsecbench.recommend.requirements.packet_sizes import read_traffic
from tests.unit.requirements.capture_files import (
    COOKED,
    COOKED2,
    ETHERNET,
    NULL,
    PCAPS,
    PPP,
    RAW,
    block,
    framed,
    ipv4,
    ipv6,
    pcap,
    section,
)

Reader = Callable[[bytes], Counter[int]]
LENGTHS = [20, 28, 40, 64, 576, 1400, 1500, 9000, 65_535]
PACKETS = [*map(ipv4, LENGTHS), *(ipv6(length) for length in (48, 64, 1280, 1500, 1500))]
EXPECTED = Counter([*LENGTHS, 48, 64, 1280, 1500, 1500])


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    def reader(content: bytes) -> Counter[int]:
        path = tmp_path / "office.pcap"
        path.write_bytes(content)
        return read_capture(path)

    return reader


@pytest.mark.parametrize("kind", PCAPS)
def test_every_byte_order_and_clock(read: Reader, kind: tuple[str, int]) -> None:
    assert read(pcap([framed(packet) for packet in PACKETS], kind=kind)) == EXPECTED


@pytest.mark.parametrize("link", [ETHERNET, RAW, COOKED, COOKED2, NULL, PPP])
def test_every_link(read: Reader, link: int) -> None:
    frames = [framed(packet, link) for packet in PACKETS]
    assert read(pcap(frames, link)) == EXPECTED
    assert read(section("<", [link], [(0, frame) for frame in frames])) == EXPECTED


@pytest.mark.parametrize("vlans", [(0x8100,), (0x88A8, 0x8100), (0x9100, 0x8100)])
@pytest.mark.parametrize("pppoe", [False, True])
def test_tags_and_sessions_are_passed_over(read: Reader, vlans: Sequence[int], pppoe: bool) -> None:
    packets = [packet for packet in PACKETS if len(packet) <= 1500]
    frames = [framed(packet, vlans=vlans, pppoe=pppoe) for packet in packets]
    assert read(pcap(frames)) == Counter({size: count for size, count in EXPECTED.items() if size <= 1500})


def test_each_packet_of_a_pcapng_file_is_of_its_own_interface(read: Reader) -> None:
    links = [ETHERNET, RAW, COOKED2]
    frames = [(number % 3, framed(packet, links[number % 3])) for number, packet in enumerate(PACKETS)]
    assert read(section("<", links, frames)) == EXPECTED
    # Sections of both byte orders, the second with other interfaces, in one file.
    both = section(">", links, frames) + section("<", [RAW], [(0, ipv4(100))])
    assert read(both) == EXPECTED + Counter([100])


def test_simple_packet_blocks(read: Reader) -> None:
    frames = [(0, framed(packet)) for packet in PACKETS]
    assert read(section("<", [ETHERNET], frames, simple=True)) == EXPECTED


def test_a_short_snap_length_is_enough(read: Reader) -> None:
    assert read(pcap([framed(packet) for packet in PACKETS], snap=54)) == EXPECTED


def test_what_is_not_ip_does_not_count(read: Reader) -> None:
    arp = bytes(12) + b"\x08\x06" + bytes(46)
    offloaded = framed(ipv4(0) + bytes(80))
    assert read(pcap([arp, framed(ipv4(84)), offloaded, b"", bytes(5)])) == Counter([84])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (pcap([]), ("no IP packet", "0 packets")),
        (pcap([bytes(60)], link=105), ("no IP packet", "105")),
        (pcap([])[:20], ("file header",)),
        (pcap([framed(ipv4(100))])[:30], ("header of packet 1",)),
        (pcap([framed(ipv4(100)), framed(ipv4(100))])[:-1], ("packet 2", "editcap")),
        (pcap([framed(ipv4(100))])[:32] + b"\xff" * 8, ("packet 1",)),
        (section("<", [1], [(0, framed(ipv4(100)))])[:-1], ("block 4",)),
        (section("<", [1], [(1, framed(ipv4(100)))]), ("block 4",)),
        (section("<", [], [(0, framed(ipv4(100)))]), ("block 3",)),
        (section("<", [1], []) + b"\x06\0\0\0\0\0\0\0", ("block 4",)),
        (section("<", [1], []) + b"\x06\0\0\0\xff\xff\xff\xff", ("block 4",)),
        (section("<", [1], []) + block("<", 6, b"\0" * 8), ("block 4",)),
        (section("<", [1], []) + block("<", 3, b""), ("block 4",)),
        (b"\x0a\x0d\x0d\x0a", ("block 1",)),
        (b"\x0a\x0d\x0d\x0a" + bytes(40), ("block 1",)),
    ],
)
def test_damage_is_one_line(tmp_path: Path, content: bytes, words: tuple[str, ...]) -> None:
    path = tmp_path / "office.pcap"
    path.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        read_capture(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    for word in words:
        assert word in message


WHOLE = [
    pcap([framed(packet) for packet in PACKETS[:4]]),
    pcap([framed(packet, COOKED) for packet in PACKETS[:4]], COOKED, PCAPS[3]),
    section(">", [ETHERNET, RAW], [(0, framed(ipv4(99))), (1, ipv6(120))]),
]


@given(
    whole=st.sampled_from(WHOLE),
    changes=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=8),
    cut=st.integers(0, 800),
)
def test_hostile_files_end_in_lengths_or_one_line(
    tmp_path_factory: pytest.TempPathFactory, whole: bytes, changes: list[tuple[int, int]], cut: int
) -> None:
    content = bytearray(whole[:cut] if cut < len(whole) else whole)
    for place, octet in changes:
        if place < len(content):
            content[place] = octet
    path = tmp_path_factory.getbasetemp() / "hostile.pcap"
    path.write_bytes(content)
    try:
        said = f"{read_traffic(path).mean_bytes:.0f}"
    except UsageError as error:
        said = str(error)
    assert "\n" not in said


def test_many_packets_are_merged_with_the_same_mean(tmp_path: Path) -> None:
    draw = random.Random(5)
    lengths = [draw.choice([40, 52, draw.randint(60, 1400), 1500, 1500]) for _ in range(5000)]
    path = tmp_path / "office.pcap"
    path.write_bytes(pcap([framed(ipv4(length))[:60] for length in lengths]))
    traffic = read_traffic(path)
    assert str(traffic) == "office.pcap"
    assert traffic.mean_bytes == pytest.approx(sum(lengths) / 5000, rel=1e-12)
    assert len(traffic.parts) <= 32
    shares = dict(traffic.parts)
    assert shares[1500] == pytest.approx(lengths.count(1500) / 5000, abs=0.02)
