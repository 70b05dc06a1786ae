"""Histograms, lists of sizes, and how many sizes become few without another mean."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsecbench.errors import UsageError
from ipsecbench.recommend.requirements.packet_sizes import MOST_BINS, load_traffic, merged, read_traffic
from ipsecbench.recommend.requirements.traffic import IMIX, Traffic


@pytest.mark.parametrize(
    "content",
    [
        "64 7\n570 4\n1518 1\n",
        "# seen on Monday\n\nsize,count\n64,7\n570,4   # web\n\n1518,1\n",
        "64;7\r\n570;4\r\n1518;1\r\n",
        "\ufeff64\t7\n570\t4\n1518\t1",
        "64\n" * 7 + "570\n" * 4 + "1518\n",
        "64 3.5\n570 2\n1518 0.5\n64 3.5\n570 2\n1518 .5\n9000 0\n",
    ],
)
def test_histograms(tmp_path: Path, content: str) -> None:
    path = tmp_path / "sizes.csv"
    path.write_bytes(content.encode())
    traffic = load_traffic(str(path))
    assert traffic == Traffic(distribution=((64, 7.0), (570, 4.0), (1518, 1.0)), name="sizes.csv")
    # The same packets as the simple IMIX: 7:4:1.
    assert traffic.parts == IMIX.parts


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ("no packet size",)),
        (b"# nothing\n", ("no packet size",)),
        (b"64 7\n64 x\n", (":2:", "'64 x'")),
        (b"64 7 1\n", (":1:", "no packet size with its count")),
        (b"64,-1\n", (":1:", "count")),
        (b"64,nan\n", (":1:", "count")),
        (b"64,1e300\n", (":1:", "count")),
        (b"7,64\n", (":1:", "20 to 65535")),
        (b"70000\n", (":1:", "20 to 65535")),
        (b"64 0\n", ("no packet size",)),
        (b"size\ncount\n", (":2:",)),
        ("٣٤".encode(), (":1:",)),
        (b"64 7" + b" " * 1000, (":1:", "too long")),
        (b"\x1f\x8b\x08\x00", ("gunzip",)),
        (b"\xff\xfe\x00", ("neither a capture nor text",)),
    ],
)
def test_a_mistake_is_one_line_with_file_and_line(tmp_path: Path, content: bytes, words: tuple[str, ...]) -> None:
    path = tmp_path / "sizes.csv"
    path.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        read_traffic(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    for word in words:
        assert word in message


def test_what_is_no_file_is_a_name(tmp_path: Path) -> None:
    assert load_traffic("imix") == IMIX
    assert load_traffic("64:7,570:4") == Traffic(distribution=((64, 7.0), (570, 4.0)))
    for text in (str(tmp_path), str(tmp_path / "none.pcap"), "\0", "x" * 5000):
        with pytest.raises(UsageError, match="profile"):
            load_traffic(text)


@given(st.dictionaries(st.integers(20, 65_535), st.integers(1, 10**9), min_size=1, max_size=400))
def test_merging_keeps_number_and_mean(counts: dict[int, int]) -> None:
    parts = merged(counts)
    Traffic(distribution=parts)
    packets, octets = sum(counts.values()), sum(size * count for size, count in counts.items())
    assert len(parts) <= 2 * MOST_BINS
    assert sum(weight for _, weight in parts) == pytest.approx(packets, rel=1e-9)
    assert sum(size * weight for size, weight in parts) == pytest.approx(octets, rel=1e-9)
    assert min(counts) <= parts[0][0]
    assert parts[-1][0] <= max(counts)


def test_what_is_frequent_stays_nearly_as_it_is() -> None:
    rare = {size: 1 for size in range(100, 1400)}
    parts = dict(merged({**rare, 40: 100_000, 1500: 200_000}))
    assert parts[40] == pytest.approx(100_000, rel=0.02)
    assert parts[1500] == pytest.approx(200_000, rel=0.02)
