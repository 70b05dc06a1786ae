"""sbc-bench: every figure of its table, each on the processors that it was measured on."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from ipsecbench.dataset.codec import from_document, to_document
from ipsecbench.dataset.model import Dataset
from ipsecbench.errors import DatasetError
from ipsecbench.importers.batch import read_file
from ipsecbench.importers.formats import import_text
from ipsecbench.importers.text import text_of

DATA = Path(__file__).resolve().parents[3] / "data" / "sbc-bench"
FILES = sorted(DATA.glob("*.txt"))


def imported(path: Path) -> tuple[Dataset, ...]:
    found = read_file(path)
    assert (found.format, found.reason) == ("sbc-bench", None)
    return found.datasets


def by_part(name: str) -> dict[str | None, Dataset]:
    return {dataset.source.part if dataset.source else None: dataset for dataset in imported(DATA / f"{name}.txt")}


def codes(dataset: Dataset) -> set[str]:
    return {verdict.code for verdict in dataset.verdicts}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_figure_of_the_table_is_there_and_no_other(path: Path) -> None:
    printed = Counter[tuple[int | None, float]]()
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if re.match(r"aes-\d+-\w+ ", line) and "fully parallel" not in line:
            printed.update((number, float(value)) for value in re.findall(r"([\d.]+)k", line))
    datasets = imported(path)
    rows = [row for dataset in datasets for row in dataset.measurements if row.workload.cores == 1]
    assert Counter((one.line, one.value) for row in rows for one in row.published) == printed
    assert printed
    for dataset in datasets:
        assert from_document(to_document(dataset)) == dataset
        assert not dataset.source or not dataset.source.unread_lines
        assert dataset.environment["libraries"][0]["version"].startswith("OpenSSL ")
        assert "cpu-time" not in codes(dataset)  # it always measures elapsed time


def test_two_rows_of_one_cluster_are_repetitions() -> None:
    (dataset,) = imported(DATA / "3MX1.txt")
    row = next(dataset.rows(algorithm="aes128", size_bytes=16384))
    assert [one.value for one in row.published] == [1349348.01, 1352690.35]
    assert dataset.label == "Radxa Zero"
    assert dataset.created == "2022-01-20T20:53:46+00:00"
    # Median of 1797.345/1797.966/1786.840 before, and of 1796.885/1797.886/1797.766 after.
    assert dataset.environment["clock"] == {
        "before": [{"core": 0, "hz": pytest.approx(1797.345e6)}],
        "after": [{"core": 0, "hz": pytest.approx(1797.766e6)}],
    }
    hardware = dataset.environment["hardware"]
    assert (hardware["cpu"]["model"], hardware["platform"]["kernel_release"]) == ("Cortex-A53", "5.10.81-meson64")


def test_clusters_are_not_merged() -> None:
    found = by_part("rca7s")
    assert list(found) == ["cpu0-cpu5 (Cortex-A55)", "cpu6-cpu7 (Cortex-A76)"]
    rates = [next(one.rows(algorithm="aes256", size_bytes=16)).published[0].value for one in found.values()]
    assert rates == [137625.58, 466789.29]
    assert [one.environment["clock"]["before"][0]["core"] for one in found.values()] == [0, 6]
    cpu = found["cpu6-cpu7 (Cortex-A76)"].environment["hardware"]["cpu"]
    assert cpu["model"] == "6x Cortex-A55 + 2x Cortex-A76"
    platform = found["cpu6-cpu7 (Cortex-A76)"].environment["hardware"]["platform"]
    assert platform["compatibles"] == ["radxa,cubie-a7s", "arm,sun60iw2p1", "allwinner,sun60i-a733"]


def test_old_texts_do_not_say_of_which_cluster_a_row_is_but_keep_the_order() -> None:
    found = by_part("1BsF")
    assert list(found) == ["cpu0-cpu3", "cpu4-cpu5"]
    rates = [next(one.rows(algorithm="aes128", size_bytes=16)).published[0].value for one in found.values()]
    assert rates == [169346.57, 324902.24]
    # lscpu named the first kind of core only: of the other nothing is said rather than something wrong.
    assert [one.environment["hardware"]["cpu"]["model"] for one in found.values()] == ["Cortex-A53", None]


def test_what_ran_on_all_processors_is_added_up() -> None:
    (dataset,) = imported(DATA / "3ZxU.txt")
    (row,) = dataset.rows(algorithm="aes256", size_bytes=16384, cores=8)
    lines = (DATA / "3ZxU.txt").read_text().splitlines()
    parallel = [line for line in lines if line.endswith("(fully parallel)") and line.startswith("aes-256-cbc")]
    expected = sum(float(line.split()[6].rstrip("k")) for line in parallel)
    assert row.published[0].value == pytest.approx(expected)
    assert "multi-summed" in row.flags


def test_a_clock_that_fell_is_told_on_the_figures() -> None:
    (dataset,) = imported(DATA / "1iH0.txt")  # 1185 MHz before, 586 MHz after
    assert all("clock-throttled" in row.flags for row in dataset.measurements)
    (dataset,) = imported(DATA / "1ism.txt")  # the firmware ran at 1200 where the kernel believed in 1400
    assert dataset.environment["clock"]["before"] == [{"core": 0, "hz": 1.2e9}]
    assert all("clock-throttled" in row.flags for row in dataset.measurements)
    (dataset,) = imported(DATA / "3MX1.txt")
    assert "clock-throttled" not in codes(dataset)


def test_a_text_that_names_no_device_still_has_a_name() -> None:
    (dataset,) = import_text(text_of((DATA / "1ixi.txt").read_bytes(), "1ixi.txt"))
    assert dataset.label == "unnamed box (1ixi)"
    assert {"device-unknown", "date-unknown"} <= codes(dataset)


def test_a_cut_text_keeps_what_is_whole() -> None:
    whole = (DATA / "3MX1.txt").read_text()
    (dataset,) = import_text(text_of(whole[: whole.index("aes-192-cbc")].encode()), "sbc-bench")
    assert {row.workload.algorithm for row in dataset.measurements} == {"aes128"}
    with pytest.raises(DatasetError, match="no table of OpenSSL"):
        import_text(text_of(whole[: whole.index("OpenSSL 1.1.1d")].encode()), "sbc-bench")


def test_rows_that_belong_to_no_cluster_are_not_guessed() -> None:
    text = (DATA / "rca7s.txt").read_text().replace(" (Cortex-A55)\n", " (Cortex-A78)\n", 1)
    lines = [line for line in text.splitlines() if not line.endswith("k (Cortex-A76)")]
    with pytest.raises(DatasetError, match="of which cluster a row is cannot be told"):
        import_text(text_of("\n".join(lines).encode()), "sbc-bench")
