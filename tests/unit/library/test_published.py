"""The shipped library is what its data card says: sources, licences, counts, figures as their publishers print them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from ipsecbench.dataset.model import Dataset
from ipsecbench.library.reading import read_library

PUBLISHED = Path(__file__).parents[3] / "datasets" / "published"
SOURCES = {
    "sbc-bench": ("https://github.com/ThomasKaiser/sbc-bench/", "BSD-3-Clause"),
    "chromabox": ("https://github.com/chromabox/openssl_perf/", "MIT"),
    "lelegard": ("https://github.com/lelegard/", "BSD-2-Clause"),
    "cryptobench": ("https://github.com/lelegard/cryptobench/", "BSD-2-Clause"),
    "netbenches": ("https://github.com/ocochard/netbenches/", "BSD-2-Clause"),
}


@cache
def datasets(folder: str) -> tuple[Dataset, ...]:
    library = read_library([PUBLISHED / folder])
    assert library.unreadable == ()
    return tuple(entry.dataset for entry in library.entries)


def test_the_card_knows_every_folder() -> None:
    assert {path.name for path in PUBLISHED.iterdir() if path.is_dir()} == set(SOURCES)


@pytest.mark.parametrize("folder", SOURCES)
def test_every_dataset_names_its_source_and_licence(folder: str) -> None:
    address, licence = SOURCES[folder]
    for dataset in datasets(folder):
        assert dataset.source is not None
        assert (dataset.source.url or "").startswith(address)
        assert (dataset.source.licence or "").startswith(licence)


@pytest.mark.parametrize("folder", SOURCES)
def test_the_card_counts_right(folder: str) -> None:
    card = (PUBLISHED / "README.md").read_text(encoding="utf-8")
    row = re.search(rf"^\| `{folder}` \|.*$", card, re.M)
    assert row is not None
    counts = [int(cell.replace(",", "")) for cell in re.findall(r"\| ([\d,]+) (?=\|)", row[0])][:2]
    found = datasets(folder)
    assert counts == [len(found), sum(len(dataset.measurements) for dataset in found)]


@pytest.mark.parametrize(
    ("folder", "label", "algorithm", "size", "printed"),
    [
        # sbc-bench results/1BsF.txt and chromabox openwrt_2203_5_mt7621.txt, read by eye.
        ("sbc-bench", "ODROID-N2", "aes128", 16384, [1421940.05]),
        ("chromabox", "MediaTek MT7621AT", "aes256gcm16", 1024, [5255.40]),
        ("chromabox", "MediaTek MT7621AT", "sha256", 16, [2370.33]),
    ],
)
def test_figures_are_those_of_the_text(
    folder: str, label: str, algorithm: str, size: int, printed: list[float]
) -> None:
    rows = [
        row
        for dataset in datasets(folder)
        if label in (dataset.source.device or "" if dataset.source else "")
        for row in dataset.measurements
        if (row.workload.algorithm, row.workload.size_bytes) == (algorithm, size)
    ]
    values = [one.value for row in rows for one in row.published]
    assert set(printed) <= set(values)
