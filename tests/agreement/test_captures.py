"""The lengths that are read from captures are those that Wireshark's tools see in the same files."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from ipsecbench.recommend.requirements.capture import read_capture
from ipsecbench.recommend.requirements.packet_sizes import read_traffic
from tests.unit.requirements.capture_files import (
    COOKED,
    COOKED2,
    ETHERNET,
    PCAPS,
    PPP,
    RAW,
    framed,
    ipv4,
    ipv6,
    pcap,
    section,
)


def tool(*words: str | Path) -> str:
    if shutil.which(str(words[0])) is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{words[0]} is missing")
        pytest.skip(f"{words[0]} is missing")
    return subprocess.run([*map(str, words)], check=True, capture_output=True, text=True, timeout=60).stdout


def mixed(seed: int, link: int) -> list[bytes]:
    """Packets of any length over a link, with things between them that are not IP."""
    draw = random.Random(seed)
    frames = []
    for _ in range(300):
        packet = ipv4(draw.randint(28, 1500)) if draw.random() < 0.7 else ipv6(draw.randint(48, 1500))
        vlans = draw.choice([(), (0x8100,), (0x88A8, 0x8100)]) if link == ETHERNET else ()
        frames.append(framed(packet, link, vlans, pppoe=link == ETHERNET and draw.random() < 0.1))
    if link == ETHERNET:
        frames.insert(7, bytes(12) + b"\x08\x06" + bytes(46))
    return frames


def seen_by_tshark(path: Path) -> Counter[int]:
    """Total lengths: IPv6 gives the length of what follows its header."""
    found: Counter[int] = Counter()
    fields = ("-T", "fields", "-e", "ip.len", "-e", "ipv6.plen", "-E", "separator=,", "-E", "occurrence=f")
    for line in tool("tshark", "-n", "-r", path, *fields).splitlines():
        v4, _, v6 = line.partition(",")
        if v4 or v6:
            found[int(v4) if v4 else int(v6) + 40] += 1
    return found


@pytest.mark.parametrize("kind", PCAPS)
@pytest.mark.parametrize("link", [ETHERNET, COOKED])
def test_classic_captures(tmp_path: Path, kind: tuple[str, int], link: int) -> None:
    path = tmp_path / "a.pcap"
    frames = mixed(1, link)
    path.write_bytes(pcap(frames, link, kind))
    assert tool("capinfos", "-T", "-r", "-M", "-c", path).split("\t")[1].strip() == str(len(frames))
    assert read_capture(path) == seen_by_tshark(path)


@pytest.mark.parametrize("link", [RAW, COOKED2, PPP])
def test_other_links(tmp_path: Path, link: int) -> None:
    path = tmp_path / "a.pcap"
    path.write_bytes(pcap(mixed(2, link), link))
    assert read_capture(path) == seen_by_tshark(path)


@pytest.mark.parametrize("order", ["<", ">"])
def test_pcapng_with_several_interfaces(tmp_path: Path, order: str) -> None:
    path = tmp_path / "a.pcapng"
    links = [ETHERNET, RAW, COOKED2]
    frames = [(number, frame) for number, link in enumerate(links) for frame in mixed(number, link)]
    random.Random(3).shuffle(frames)
    path.write_bytes(section(order, links, frames))
    assert read_capture(path) == seen_by_tshark(path)


@pytest.mark.parametrize("form", ["pcap", "nsecpcap", "modpcap", "pcapng"])
def test_what_editcap_writes(tmp_path: Path, form: str) -> None:
    path, written = tmp_path / "a.pcap", tmp_path / f"b.{form}"
    path.write_bytes(pcap(mixed(4, ETHERNET)))
    tool("editcap", "-F", form, path, written)
    assert read_capture(written) == seen_by_tshark(path)


def test_lengths_as_tshark_prints_them_are_a_histogram(tmp_path: Path) -> None:
    path, printed = tmp_path / "a.pcap", tmp_path / "lengths.txt"
    path.write_bytes(pcap([framed(ipv4(length)) for length in (64, 64, 570, 1500)]))
    printed.write_text(tool("tshark", "-n", "-r", path, "-T", "fields", "-e", "ip.len"), encoding="utf-8")
    assert read_traffic(printed).distribution == read_traffic(path).distribution == ((64, 2.0), (570, 1.0), (1500, 1.0))
