"""``ipsecbench report``, and the file that it writes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median

import pytest
from typer.testing import CliRunner

from ipsecbench.bench.measurement import Estimate, Measurement
from ipsecbench.cli.app import app
from ipsecbench.dataset.model import Dataset
from ipsecbench.dataset.store import write_dataset
from ipsecbench.errors import DatasetError, IpsecbenchError, UsageError
from ipsecbench.recommend.model import Recommendation
from ipsecbench.report.box.page import write_report

Answer = Callable[..., tuple[Dataset, Recommendation]]


@pytest.fixture
def dataset(tmp_path: Path, make_dataset: Callable[..., Dataset]) -> Path:
    path = tmp_path / "box.ipsecbench.json"
    settings = {
        "budget_seconds": 240.0,
        "cores": 1,
        "minimum_rounds": 5,
        "only": [],
        "providers": [],
        "sizes_bytes": [],
    }
    made = make_dataset("arm-no-aes", settings=settings)
    write_dataset(path, replace(made, measurements=tuple(_consistent(row) for row in made.measurements)))
    return path


def _consistent(row: Measurement) -> Measurement:
    """The row with the median of its samples, as a stored dataset must have it."""
    if not row.samples:
        return row
    times = sorted(sample.ns_per_operation for sample in row.samples)
    return replace(row, ns_per_operation=Estimate(median(times), times[0], times[-1]))


def _run(*arguments: object) -> str:
    result = CliRunner().invoke(app, ["report", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_report_goes_beside_the_dataset(dataset: Path) -> None:
    _run(dataset)
    html = (dataset.parent / "box.html").read_text()
    assert html.startswith("<!DOCTYPE html>")
    assert "chacha20poly1305-prfsha256-ecp256" in html


def test_options_reach_the_recommendation_and_the_command_in_the_footer(dataset: Path) -> None:
    _run(dataset, "-o", dataset.parent / "x.html", "--goal", "2G", "--policy", "legacy-interop", "--profile", "1400")
    html = (dataset.parent / "x.html").read_text()
    assert "Does not meet the goal" in html
    assert "ipsecbench report box.ipsecbench.json --policy legacy-interop --goal 2000M --profile 1400" in html


def test_standard_output(dataset: Path) -> None:
    assert _run(dataset, "-o", "-").endswith("</html>\n")
    assert not (dataset.parent / "box.html").exists()


def test_json_says_what_was_written(dataset: Path) -> None:
    said = json.loads(_run(dataset, "--json"))
    assert said["bytes"] == (dataset.parent / "box.html").stat().st_size


def test_a_report_is_replaced_but_no_other_file(dataset: Path) -> None:
    _run(dataset)
    _run(dataset)
    before = dataset.read_bytes()
    with pytest.raises(DatasetError, match="is no report"):
        _run(dataset, "-o", dataset)
    assert dataset.read_bytes() == before
    other = dataset.parent / "notes.txt"
    other.write_text("mine")
    _run(dataset, "-o", other, "--force")
    assert other.read_text().startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [(["--goal", "fast"], UsageError), (["--policy", "none-such"], IpsecbenchError), (["--mtu", "1"], UsageError)],
)
def test_nonsense_is_refused_before_anything_is_written(
    dataset: Path, arguments: list[str], kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        _run(dataset, *arguments)
    assert [path.name for path in dataset.parent.iterdir()] == [dataset.name]


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe", b"[1,2"])
def test_what_is_no_dataset_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.ipsecbench.json"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=r"bad\.ipsecbench\.json"):
        _run(path)


def test_a_missing_directory_and_a_directory_as_file(dataset: Path) -> None:
    for target in (dataset.parent / "none" / "x.html", dataset.parent):
        with pytest.raises(DatasetError, match="cannot write"):
            _run(dataset, "-o", target)


def test_a_full_disk_leaves_the_old_report(
    make_answer: Answer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "box.html"
    path.write_text("old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DatasetError, match=r"^cannot write .*box\.html: No space left on device$"):
        write_report(path, *make_answer())
    assert path.read_text() == "old"
    assert [found.name for found in tmp_path.iterdir()] == ["box.html"]
