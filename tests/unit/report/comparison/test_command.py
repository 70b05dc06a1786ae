"""``ipsecbench report`` of several datasets, and the page of ``ipsecbench compare --html``."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median

import pytest
from typer.testing import CliRunner, Result

from ipsecbench.bench.measurement import Estimate, Measurement
from ipsecbench.cli.app import app
from ipsecbench.dataset.model import Dataset
from ipsecbench.dataset.store import write_dataset
from ipsecbench.errors import DatasetError, IpsecbenchError, UsageError

SETTINGS = {
    "budget_seconds": 240.0,
    "cores": 1,
    "minimum_rounds": 5,
    "only": [],
    "providers": [],
    "sizes_bytes": [],
}


@pytest.fixture
def folder(tmp_path: Path, make_dataset: Callable[..., Dataset]) -> Path:
    for name, box, scale in (("old", "x86-aes", 1.0), ("new", "x86-aes", 0.8), ("arm", "arm-no-aes", 1.0)):
        made = make_dataset(box, scale=scale, label=name, settings=SETTINGS)
        rows = tuple(_consistent(row) for row in made.measurements)
        write_dataset(tmp_path / f"{name}.ipsecbench.json", replace(made, measurements=rows))
    return tmp_path


def _consistent(row: Measurement) -> Measurement:
    """The row with the median of its samples, as a stored dataset must have it."""
    if not row.samples:
        return row
    times = sorted(sample.ns_per_operation for sample in row.samples)
    return replace(row, ns_per_operation=Estimate(median(times), times[0], times[-1]))


def _run(*arguments: object, code: int = 0) -> Result:
    result = CliRunner().invoke(app, [*map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result


def test_two_datasets_of_one_box_are_before_and_after(folder: Path) -> None:
    old, new = folder / "old.ipsecbench.json", folder / "new.ipsecbench.json"
    _run("report", old, new)
    html = (folder / "comparison.html").read_text()
    assert "Before and after" in html
    assert "Faster, and nowhere slower" in html
    assert "ipsecbench report old.ipsecbench.json new.ipsecbench.json --policy modern" in html


def test_a_folder_is_ranked_for_what_is_wanted(folder: Path) -> None:
    words = [
        "report",
        folder,
        "--goal",
        "200M",
        "--policy",
        "nist",
        "--price",
        "old=100",
        "--baseline",
        "arm",
        "--json",
    ]
    said = json.loads(_run(*words).stdout)
    html = Path(said["report"]).read_text()
    assert said["bytes"] == len(html.encode())
    assert sorted(said["boxes"]) == ["arm", "new", "old"]
    assert "Which of these 3 boxes" in html
    assert 'Baseline <bdi class="base-name">arm</bdi>' in html
    assert "--goal 200M --baseline arm --price old=100" in html
    assert str(folder) not in html


def test_it_can_be_printed(folder: Path) -> None:
    out = _run("report", folder, "-o", "-").stdout
    assert out.startswith("<!DOCTYPE html>")
    assert out.endswith("</html>\n")
    assert not (folder / "comparison.html").exists()


def test_one_bad_file_does_not_stop_the_others(folder: Path) -> None:
    (folder / "bad.ipsecbench.json").write_text('{"format": ')
    result = _run("report", folder, code=1)
    assert "bad.ipsecbench.json" in result.stderr
    assert "3 boxes" in (folder / "comparison.html").read_text()


def test_other_files_are_not_replaced(folder: Path) -> None:
    notes = folder / "comparison.html"
    notes.write_text("mine")
    with pytest.raises(DatasetError, match="is no report"):
        _run("report", folder)
    with pytest.raises(DatasetError, match="is no report"):
        _run("compare", folder, "--html", notes)
    assert notes.read_text() == "mine"
    _run("report", folder, "--force")
    assert notes.read_text().startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        (["--baseline", "none-such"], UsageError),
        (["--price", "old"], UsageError),
        (["--price", "none-such=3"], UsageError),
        (["--policy", "none-such"], IpsecbenchError),
    ],
)
def test_nonsense_is_refused_and_nothing_is_written(folder: Path, more: list[str], kind: type[Exception]) -> None:
    with pytest.raises(kind):
        _run("report", folder, *more)
    assert not (folder / "comparison.html").exists()


def test_one_dataset_has_no_baseline_and_a_folder_of_one_no_comparison(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="for several datasets"):
        _run("report", folder / "old.ipsecbench.json", "--baseline", "old")
    alone = tmp_path / "alone"
    alone.mkdir()
    (folder / "old.ipsecbench.json").rename(alone / "old.ipsecbench.json")
    with pytest.raises(UsageError, match="needs two datasets"):
        _run("report", alone)


def test_compare_writes_the_page_beside_its_table(folder: Path) -> None:
    page = folder / "page.html"
    out = _run("compare", folder, "--html", page, "--goal", "200M").stdout
    assert out
    assert "Which of them carries it?" in page.read_text()
