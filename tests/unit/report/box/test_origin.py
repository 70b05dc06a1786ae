"""Reports of what others measured: where it comes from, what it is worth, and pages without a recommendation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ipsecbench.bench.measurement import Tier, Workload
from ipsecbench.bench.published import Unit
from ipsecbench.cli.app import app
from ipsecbench.dataset.model import Dataset
from ipsecbench.dataset.store import read_dataset, write_dataset
from ipsecbench.importers.formats import import_text
from ipsecbench.importers.sheet import Sheet
from ipsecbench.importers.text import read_text, text_of
from ipsecbench.recommend import recommend
from ipsecbench.recommend.policies.policy import load_policy
from ipsecbench.recommend.requirements.records import Requirements
from ipsecbench.report.box.figures_page import render_figures_page
from ipsecbench.report.box.origin import figure_table, verdict_lines
from ipsecbench.report.box.page import render_page
from tests.unit.report.conftest import Page

SPEED = "openssl-speed"
CIPHERS = (("aes128gcm16", 150e3), ("aes256gcm16", 120e3), ("sha256", 99e3), ("md5", 99e3))


def imported(*, ciphers: bool = True, keys: bool = True, hardware: bool = True) -> Dataset:
    """Figures as a table of ``openssl speed`` gives them, with a verdict of each worth and a line that was not read."""
    header = b"# source: https://example.org/<b>x</b>\n# licence: MIT\n# device: Router <i>\nrubbish 12\n"
    sheet = Sheet(text_of(header, "router.txt"), SPEED)
    if hardware:
        sheet.hardware = {"cpu": {"model": "Cortex-A55", "architecture": "aarch64", "cores": 4}}
    for algorithm, rate in CIPHERS if ciphers else ():
        for size in (16, 64, 256, 1024, 8192, 16384):
            operation = "encrypt" if algorithm.startswith("aes") else "digest"
            work = Workload(Tier.PRIMITIVE, SPEED, operation, algorithm, size)
            sheet.figure(work, rate * size / (size + 100), Unit.KILOBYTES, 4)
    for algorithm, operation in (("ed25519", "sign"), ("ed25519", "verify"), ("x25519", "agree")) if keys else ():
        sheet.figure(Workload(Tier.PRIMITIVE, SPEED, operation, algorithm), 5000, Unit.OPERATIONS, 4)
    sheet.verdict("version-unknown", "the text names no <version>")
    if ciphers:
        hashes = [work for work in sheet.workloads if work.algorithm == "md5"]
        sheet.verdict("engine-cpu-time", "an engine did it", *hashes)
    sheet.unread(4, "no such row")
    return sheet.dataset()


def page_of(dataset: Dataset) -> Page:
    return Page(render_page(dataset, recommend(dataset, load_policy("modern"), Requirements()), "x.ipsecbench.json"))


def test_verdicts_stand_the_worst_first_with_what_they_are_about() -> None:
    lines = verdict_lines(imported())
    assert [(line.word, line.about) for line in lines] == [
        ("not used", "6 of 27 figures"),
        ("doubtful", "the dataset"),
        ("to know", "all 27 figures"),
        ("to know", "the dataset"),
    ]


def test_the_report_of_an_import_says_where_it_comes_from_and_what_it_is_worth() -> None:
    page = page_of(imported())
    assert not page.faults
    facts = page.html
    for said in ("https://example.org/&lt;b&gt;x&lt;/b&gt;", "MIT", "router.txt", "Date unknown", "date unknown"):
        assert said in facts
    assert "1970" not in facts.split('id="ipsecbench-data"', maxsplit=1)[0].replace("1970-01-01T00:00:00+00:00", "")
    worth = next(node for node in page.all("ul") if node.attributes.get("class") == "worth")
    assert [node.attributes["class"] for node in worth.all("li")] == ["unfit", "doubt", "note", "note"]
    assert "The text names no <version>" in worth.text
    assert "rubbish 12" in page.by_id("unread-table").text
    assert len(page.by_id("figure-table").all("tr")) == 1 + 27
    assert "passed known answers" not in facts
    assert "Measured through Python" not in facts
    assert "Flagged while measuring" not in facts


def test_a_figure_that_is_not_used_says_so() -> None:
    table = figure_table(imported())
    assert table is not None
    words = {line.cells[0].text: line.cells[-1].text for line in table.lines}
    assert words["md5"].startswith("not used: an engine's work")
    assert words["aes128gcm16"] == ""


@pytest.mark.parametrize(
    ("parts", "heading", "said"),
    [
        ({"keys": False}, "No parameters can be recommended", "no key exchange of policy modern"),
        ({"ciphers": False}, "No parameters can be recommended", "no ESP suite of policy modern"),
        ({"ciphers": False, "keys": False}, "describes a box and has no figures", "measure this box"),
        ({"ciphers": False, "keys": False, "hardware": False}, "has no figures", "measure this box"),
    ],
)
def test_without_a_recommendation_the_report_has_the_figures_alone(
    tmp_path: Path, parts: dict[str, Any], heading: str, said: str
) -> None:
    dataset = imported(**parts)
    path = tmp_path / "x.ipsecbench.json"
    write_dataset(path, dataset)
    result = CliRunner().invoke(app, ["report", str(path)])
    assert result.exit_code == 0, result.output
    assert "Nothing is recommended" in result.output
    page = Page((tmp_path / "x.html").read_text())
    assert not page.faults
    assert heading in page.by_id("decision-title").text
    alarm = next(node for node in page.all("div") if node.attributes.get("class") == "alarm")
    assert said in alarm.text.replace("No ", "no ").replace("Without", "without")
    (back,) = import_text(read_text(tmp_path / "x.html"))
    assert back == read_dataset(path)


def test_what_this_program_measured_is_refused_as_before(make_dataset: Callable[..., Dataset], tmp_path: Path) -> None:
    made = make_dataset("arm-no-aes", settings={})
    path = tmp_path / "x.ipsecbench.json"
    settings = {"mode": "quick", "precision": 0.1, "budget_seconds": 1.0, "minimum_rounds": 1, "only": []}
    settings |= {"sizes_bytes": [], "providers": [], "cores": 1, "mask": [], "seed": 0}
    write_dataset(path, replace(made, measurements=(), fits=(), settings=settings))
    result = CliRunner().invoke(app, ["report", str(path)])
    assert result.exit_code != 0
    assert not (tmp_path / "x.html").exists()


def test_thousands_of_figures_of_one_import_stay_below_a_megabyte() -> None:
    sheet = Sheet(text_of(b"x", "many.txt"), SPEED)
    for number in range(5000):
        sheet.figure(Workload(Tier.PRIMITIVE, SPEED, "digest", f"hash-{number}" + "<&" * 40, 64), 1e3, Unit.KILOBYTES)
    html = render_figures_page(sheet.dataset(), "no reason")
    assert len(html.encode()) < 1_000_000
    assert "The first 1,200 of 5,000 figures" in html
