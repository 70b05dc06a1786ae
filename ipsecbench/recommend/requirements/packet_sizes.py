"""Traffic from what a user has: a capture, a histogram of sizes, or a list of sizes such as tshark prints."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ipsecbench.errors import UsageError
from ipsecbench.recommend.requirements.traffic import (
    LARGEST_PACKET_BYTES,
    SMALLEST_PACKET_BYTES,
    Traffic,
    parse_traffic,
)

MOST_BINS = 16
"""Bins that many sizes are merged into; a bin that holds several sizes becomes two neighbouring ones."""
_LONGEST_LINE = 200
_MOST_LINES = 20_000_000
_GZIP = b"\x1f\x8b"


def load_traffic(text: str) -> Traffic:
    """The traffic that a name, a size, sizes with counts, or the path of a file stands for.

    Args:
        text: what :func:`~ipsecbench.recommend.requirements.traffic.parse_traffic` takes, or the path of a capture
            (pcap, pcapng) or of a text with a size, or a size and its count, on each line.

    Raises:
        UsageError: it is none of these, or the file cannot be read or is damaged; one line.
    """
    try:
        is_file = Path(text).is_file()
    except (OSError, ValueError):
        is_file = False
    return read_traffic(Path(text)) if is_file else parse_traffic(text)


def read_traffic(path: Path) -> Traffic:
    """The traffic in a capture or a histogram.

    Raises:
        UsageError: the file cannot be read or is damaged; one line.
    """
    from ipsecbench.recommend.requirements.capture import is_capture, read_capture

    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise UsageError(f"{path}: it cannot be read: {error.strerror or error}") from None
    if magic.startswith(_GZIP):
        raise UsageError(f"{path}: it is compressed; unpack it with gunzip first")
    counts = read_capture(path) if is_capture(magic) else _read_histogram(path)
    return Traffic(distribution=merged(counts), name=path.name)


def _read_histogram(path: Path) -> dict[int, float]:
    weights: dict[int, float] = {}
    number, headed = 0, False
    try:
        with path.open(encoding="utf-8-sig", newline=None) as file:
            while line := file.readline(_LONGEST_LINE + 1):
                number += 1
                if len(line) > _LONGEST_LINE or number > _MOST_LINES:
                    raise UsageError(f"{path}:{number}: too long for a histogram: a size and its count on each line")
                words = line.partition("#")[0].replace(",", " ").replace(";", " ").split()
                if not words:
                    continue
                if not headed and not any(map(str.isdigit, "".join(words))):
                    headed = True
                    continue
                headed = True
                size, weight = _entry(words, f"{path}:{number}")
                weights[size] = weights.get(size, 0.0) + weight
    except UnicodeDecodeError:
        raise UsageError(f"{path}: neither a capture nor text with a size and its count on each line") from None
    except OSError as error:
        raise UsageError(f"{path}: it cannot be read: {error.strerror or error}") from None
    weights = {size: weight for size, weight in weights.items() if weight > 0}
    if not weights:
        raise UsageError(f"{path}: no packet size in it; write a size and its count on each line, such as 64 7")
    return weights


def _entry(words: list[str], where: str) -> tuple[int, float]:
    try:
        if len(words) > 2 or not all(word.isascii() for word in words):
            raise ValueError
        size, weight = int(words[0]), float(words[1]) if len(words) == 2 else 1.0
    except ValueError:
        raise UsageError(f"{where}: {' '.join(words)!r} is no packet size with its count, such as 64 7") from None
    if not SMALLEST_PACKET_BYTES <= size <= LARGEST_PACKET_BYTES:
        raise UsageError(f"{where}: {size}: a packet has {SMALLEST_PACKET_BYTES} to {LARGEST_PACKET_BYTES} octets")
    if not 0 <= weight < 1e15:
        raise UsageError(f"{where}: {words[1]} packets: the count is a number from 0")
    return size, weight


def merged(counts: Mapping[int, float]) -> tuple[tuple[int, float], ...]:
    """A distribution of few sizes with the same number of packets and the same mean.

    The sizes are cut into at most :data:`MOST_BINS` bins, each time the bin that varies most and where that helps
    most. A bin of several sizes becomes the two whole octets around its mean, weighted so that the mean stays.
    """
    sizes = sorted(counts.items())
    if len(sizes) <= 2 * MOST_BINS:
        return tuple((size, float(weight)) for size, weight in sizes)
    bins = [sizes]
    while len(bins) < MOST_BINS:
        widest = max(range(len(bins)), key=lambda place: _spread(bins[place]))
        at = _best_cut(bins[widest])
        if at is None:
            break
        bins[widest : widest + 1] = [bins[widest][:at], bins[widest][at:]]
    found: dict[int, float] = {}
    for held in bins:
        weight = sum(each for _, each in held)
        mean = sum(size * each for size, each in held) / weight
        low = int(mean)
        for size, share in ((low, low + 1 - mean), (low + 1, mean - low)):
            if share > 0:
                found[size] = found.get(size, 0.0) + weight * share
    return tuple(sorted(found.items()))


def _spread(held: list[tuple[int, float]]) -> float:
    """Sum of the squared deviations from the mean."""
    weight = sum(each for _, each in held)
    total = sum(size * each for size, each in held)
    return sum(size * size * each for size, each in held) - total * total / weight


def _best_cut(held: list[tuple[int, float]]) -> int | None:
    """Where two parts deviate least from their own means; None where there is one size."""
    weight = sum(each for _, each in held)
    total = sum(size * each for size, each in held)
    left_weight = left_total = 0.0
    best, found = -1.0, None
    for at, (size, each) in enumerate(held[:-1], 1):
        left_weight += each
        left_total += size * each
        explained = left_total**2 / left_weight + (total - left_total) ** 2 / (weight - left_weight)
        if explained > best:
            best, found = explained, at
    return found
