"""A report gives back the dataset that it was made from; other pages, damaged and hostile ones are refused."""

from __future__ import annotations

import base64
import gzip
import json
import random
import re
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median

import pytest

from ipsecbench.bench.measurement import Estimate, Measurement, Sample
from ipsecbench.dataset.codec import to_document
from ipsecbench.dataset.model import Dataset
from ipsecbench.dataset.reduced import SAMPLES_LEFT_OUT, without_samples
from ipsecbench.dataset.store import dataset_of, encoded, read_dataset, write_dataset
from ipsecbench.errors import DatasetError
from ipsecbench.importers.formats import guessed_format, import_text
from ipsecbench.importers.text import Text, text_of
from ipsecbench.recommend import recommend
from ipsecbench.recommend.policies.policy import load_policy
from ipsecbench.recommend.requirements.records import Requirements
from ipsecbench.report.box.page import render_page
from ipsecbench.report.embedded import LARGEST_PAGE_BYTES, embedded_data

SETTINGS = {
    **{"mode": "thorough", "precision": 0.01, "budget_seconds": 240.0, "minimum_rounds": 5, "only": []},
    **{"sizes_bytes": [], "providers": [], "cores": 1, "mask": [], "seed": 1},
}


@pytest.fixture
def stored(make_dataset: Callable[..., Dataset], tmp_path: Path) -> Callable[..., Dataset]:
    """A function that stores a synthetic dataset, with as many samples for each row as wanted, and reads it."""

    def make(samples: int = 5) -> Dataset:
        chance = random.Random(1)
        made = make_dataset("arm-no-aes", settings=SETTINGS, label="Branch </script> router")
        rows = tuple(_row(row, samples, chance) for row in made.measurements)
        write_dataset(tmp_path / "box.ipsecbench.json", replace(made, measurements=rows))
        return read_dataset(tmp_path / "box.ipsecbench.json")

    return make


def _row(row: Measurement, count: int, chance: random.Random) -> Measurement:
    if not row.usable:
        return row
    samples = tuple(
        Sample(number, 1000, chance.randrange(10**8, 2 * 10**8), chance.randrange(10**8), chance.randrange(10**9))
        for number in range(count)
    )
    times = [sample.ns_per_operation for sample in samples]
    return replace(row, samples=samples, ns_per_operation=Estimate(median(times), min(times), max(times)))


def _page(dataset: Dataset) -> str:
    answer = recommend(dataset, load_policy("modern"), Requirements(goal_mbit_per_second=100))
    return render_page(dataset, answer, "box.ipsecbench.json")


def _text(page: str) -> Text:
    return text_of(page.encode(), "report.html")


@pytest.mark.parametrize("samples", [5, 100], ids=["readable", "packed"])
def test_a_report_gives_its_dataset_back_octet_for_octet(stored: Callable[..., Dataset], samples: int) -> None:
    dataset = stored(samples)
    page = _page(dataset)
    assert ('"dataset_gzip":' in page) is (samples == 100)
    assert guessed_format(_text(page)).name == "report"
    (found,) = import_text(_text(page))
    assert found == dataset
    assert found.sha256 == dataset.sha256
    assert encoded(found) == encoded(dataset)


@pytest.mark.slow
def test_where_samples_do_not_fit_medians_come_back_with_their_intervals_and_say_so(
    stored: Callable[..., Dataset],
) -> None:
    dataset = stored(400)
    page = _page(dataset)
    assert len(page.encode()) < LARGEST_PAGE_BYTES
    (found,) = import_text(_text(page))
    assert [row.workload for row in found.measurements] == [row.workload for row in dataset.measurements]
    assert [row.ns_per_operation for row in found.measurements] == [
        row.ns_per_operation for row in dataset.measurements
    ]
    assert not any(row.samples for row in found.measurements)
    lost = [row for row in dataset.measurements if row.samples]
    assert [row.workload for row in found.measurements if SAMPLES_LEFT_OUT in row.flags] == [
        row.workload for row in lost
    ]
    (verdict,) = found.verdicts
    assert verdict.code == SAMPLES_LEFT_OUT
    assert str(len(lost)) in verdict.message
    assert str(dataset.sha256) in verdict.message
    # What is recommended of it hardly differs: intervals take the place of samples.
    policy, wanted = load_policy("modern"), Requirements()
    assert recommend(found, policy, wanted).phase2.suite == recommend(dataset, policy, wanted).phase2.suite


def test_where_medians_do_not_fit_as_they_are_they_come_packed(stored: Callable[..., Dataset]) -> None:
    dataset = stored(400)
    plain = len(embedded_data(without_samples(dataset), {}, "box.ipsecbench.json", LARGEST_PAGE_BYTES).json)
    found = embedded_data(dataset, {"recommendation": {}}, "box.ipsecbench.json", plain - 1)
    assert len(found.json) < plain
    assert "medians" in found.note
    octets = gzip.decompress(base64.b64decode(json.loads(found.json)["dataset_gzip"]))
    assert dataset_of(octets).measurements == without_samples(dataset).measurements


def test_leaving_samples_out_twice_is_leaving_them_out_once(stored: Callable[..., Dataset]) -> None:
    once = without_samples(stored())
    assert without_samples(once) == once


def test_what_the_button_of_the_page_saved_is_read_too(stored: Callable[..., Dataset]) -> None:
    dataset = stored()
    (data,) = re.findall(r'id="ipsecbench-data">(.*?)</script>', _page(dataset), re.DOTALL)
    assert guessed_format(_text(data)).name == "report"
    assert import_text(_text(data)) == (dataset,)


def _carrying(data: str) -> str:
    head = '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta name="generator" content="ipsecbench 0.1.0">\n</head>'
    return f'{head}<body><script type="application/json" id="ipsecbench-data">{data}</script></body></html>'


def test_several_datasets_come_back_in_their_order(stored: Callable[..., Dataset]) -> None:
    one, other = replace(stored(), label="one"), replace(stored(), label="other")
    data = json.dumps({"datasets": [to_document(one), to_document(other)]}).replace("<", "\\u003c")
    assert import_text(_text(_carrying(data))) == (one, other)


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        ("<!DOCTYPE html><html><body>16 MB/s</body></html>", "no report of ipsecbench"),
        ("<html><p>ipsecbench-data</p></html>", "no report of ipsecbench"),
        (_carrying("{"), "not JSON, or cut short"),
        (_carrying("[1]"), "no JSON object"),
        (_carrying("[" * 100_000), "not JSON, or cut short"),
        (_carrying("{}"), "carries no dataset"),
        (_carrying('{"recommendation": {}}'), "carries no dataset"),
        (_carrying('{"dataset": {"format": "x"}}'), "not an ipsecbench dataset"),
        (_carrying('{"dataset": {"format": "ipsecbench dataset", "schema": 99}}'), "newer than"),
        (_carrying('{"dataset": {"format": "ipsecbench dataset", "schema": 1e999}}'), "not a number"),
        (_carrying('{"datasets": 7}'), "no list of at most"),
        (_carrying('{"dataset_gzip": "!"}'), "no base64"),
        (_carrying('{"dataset_gzip": 3}'), "cut short"),
        (_carrying('{"dataset_gzip": "H4sIAAAA"}'), "cut short"),
        (_carrying("{}").replace("</script>", ""), "cut short"),
        (_carrying("{}").replace("<body>", '<body><script id="ipsecbench-data">{}</script>'), "this page has 2"),
        (_carrying("{}").replace("ipsecbench-data", "other-data"), "this page has 0"),
    ],
)
def test_what_is_no_report_or_damaged_is_refused_with_the_reason(page: str, reason: str) -> None:
    with pytest.raises(DatasetError, match=re.escape(reason)):
        import_text(_text(page), "report")


def test_what_is_packed_is_bounded() -> None:
    bomb = base64.b64encode(gzip.compress(bytes(70 * 2**20))).decode()
    with pytest.raises(DatasetError, match="more than 64 MiB"):
        import_text(_text(_carrying(json.dumps({"dataset_gzip": bomb}))), "report")


@pytest.mark.parametrize("filling", ["<script ", "<!--", '<script id="ipsecbench-data" ', "<", "</script", " " * 9])
def test_hostile_pages_are_looked_through_once(filling: str) -> None:
    head = '<html><meta name="generator" content="ipsecbench 0">'
    page = head + filling * (2_000_000 // len(filling))
    started = time.process_time()
    with pytest.raises(DatasetError):
        import_text(_text(page))
    assert time.process_time() - started < 2
    with pytest.raises(DatasetError, match="larger than"):
        import_text(_text(page * 5), "report")
