"""What a fleet brought is read, judged and added to a library; nothing is replaced, added twice, or lost."""

from __future__ import annotations

import gzip
import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ipsecbench.bench.measurement import Estimate, Measurement, Sample, Status, Tier, Workload
from ipsecbench.cli.app import app
from ipsecbench.dataset.model import Dataset, RunWarning
from ipsecbench.dataset.store import encoded, read_dataset, write_new
from ipsecbench.errors import DatasetError, UsageError
from ipsecbench.library.collection import collect
from ipsecbench.library.failure_notes import read_note

STAMP = "2026-11-27-215500"
SPEED = """The 'numbers' are in 1000s of bytes per second processed.
type             16 bytes     64 bytes    256 bytes   1024 bytes   8192 bytes  16384 bytes
AES-128-GCM     300000.00k   900000.00k  1800000.00k  2600000.00k  3000000.00k  3100000.00k
"""


def dataset(label: str | None = "gw1", created: str = "2026-11-27T21:55:00+00:00", ended: str = "finished") -> Dataset:
    work = Workload(Tier.PRIMITIVE, "libcrypto", "encrypt", "aes128", 1024)
    samples = tuple(Sample(number, 10, 10_000 + number, 10_000) for number in range(5))
    row = Measurement(work, Status.OK, samples, Estimate(1000.2, 1000.0, 1000.4))
    left = Measurement(replace(work, size_bytes=64), Status.SKIPPED, (), None, message="no time was left")
    known: dict[str, object] = {"hardware": {"cpu": {"model": "Cortex-A53"}}, "libraries": []}
    doubts = (RunWarning("steal", "others had the processor"),)
    settings = {
        **{"mode": "quick", "precision": 0.03, "budget_seconds": 42.0, "minimum_rounds": 5, "only": [], "cores": 1},
        **{"sizes_bytes": [], "providers": ["libcrypto"], "mask": [], "seed": 0},
    }
    return Dataset(created, "0.1.0", label, ended, settings, known, (row, left), warnings=doubts)


def note(host: str = "gw1", **changes: object) -> str:
    document = {
        "format": "ipsecbench failure",
        "version": 1,
        "host": host,
        "when": "2026-11-27T21:55:00Z",
        "outcome": "failed",
        "stage": "measure",
        "reason": "the connection was lost",
    }
    return json.dumps({**document, **changes})


@pytest.fixture
def brought(tmp_path: Path) -> Path:
    folder = tmp_path / "brought"
    (folder / "site/deep").mkdir(parents=True)
    (folder / f"site/gw1-{STAMP}.ipsecbench.json").write_bytes(encoded(dataset()))
    (folder / f"site/deep/gw2-{STAMP}.failure.json").write_text(note("gw2"))
    (folder / f"gw3-{STAMP}.ipsecbench.json").write_bytes(encoded(dataset("gw3"))[:900])
    (folder / "speed.txt").write_text(SPEED)
    return folder


def test_each_host_has_its_datasets_and_why_not(brought: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in brought.rglob("*") if path.is_file()}
    found = collect(brought, tmp_path / "library")
    assert {host.name: host.status for host in found.hosts} == {
        "gw1": "ok",
        "gw2": "failed",
        "gw3": "failed",
        "speed": "ok",
    }
    assert found.added == 2
    stored = sorted(path.name for path in (tmp_path / "library").iterdir())
    assert stored == [f"gw1-{STAMP}.ipsecbench.json", "speed.ipsecbench.json"]
    kept = tmp_path / "library" / stored[0]
    assert kept.read_bytes() == before[brought / f"site/gw1-{STAMP}.ipsecbench.json"]
    assert {path: path.read_bytes() for path in brought.rglob("*") if path.is_file()} == before
    gw1, gw2, gw3, speed = found.hosts
    assert (gw1.datasets[0].rows, gw1.datasets[0].planned, gw1.datasets[0].warnings) == (1, 2, ("steal",))
    assert gw1.datasets[0].box == "Cortex-A53"
    assert gw2.notes[0][1].reason == "the connection was lost"
    assert gw3.refused[0].reason.startswith("not JSON, or cut short")
    assert speed.datasets[0].rows == 6
    assert "version-unknown" in dict(speed.datasets[0].verdicts)


def test_boxes_of_one_model_stay_apart(tmp_path: Path) -> None:
    speed = "OpenSSL 3.0.11 19 Sep 2023 (Library: OpenSSL 3.0.11 19 Sep 2023)\n" + SPEED
    for number, name in enumerate(("gw1.probe", "gw2.txt", "site/gw2.txt", "gw3.example.com")):
        path = tmp_path / "brought" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(speed.replace("300000.00", f"30000{number}.00"))
    (tmp_path / "brought/gw4.ipsecbench.json").write_bytes(encoded(dataset(None)))
    found = collect(tmp_path / "brought", tmp_path / "library")
    assert [host.name for host in found.hosts] == ["brought/gw2", "gw1", "gw3.example.com", "gw4", "site/gw2"]
    assert {host.status for host in found.hosts} == {"ok"}
    assert sorted(path.name for path in (tmp_path / "library").iterdir()) == [
        "brought-gw2.ipsecbench.json",
        "gw1.ipsecbench.json",
        "gw3.example.com.ipsecbench.json",
        "gw4-2026-11-27.ipsecbench.json",
        "site-gw2.ipsecbench.json",
    ]


def test_the_same_is_never_added_twice(brought: Path, tmp_path: Path) -> None:
    library = tmp_path / "library"
    assert collect(brought, library).added == 2
    # A packed copy under another name, and one in another folder.
    (brought / "copy.ipsecbench.json.gz").write_bytes(gzip.compress(encoded(dataset())))
    (brought / "again").mkdir()
    (brought / "again/other.txt").write_text(SPEED)
    names = sorted(library.iterdir())
    again = collect(brought, library)
    assert again.added == 0
    assert sorted(library.iterdir()) == names
    assert all(one.was_known for host in again.hosts for one in host.datasets)
    fresh = collect(brought, tmp_path / "fresh")
    assert fresh.added == 2
    assert len(list((tmp_path / "fresh").iterdir())) == 2


def test_what_has_the_name_already_is_not_replaced(tmp_path: Path) -> None:
    brought, library = tmp_path / "brought", tmp_path / "library"
    brought.mkdir()
    library.mkdir()
    name = f"gw1-{STAMP}.ipsecbench.json"
    (brought / name).write_bytes(encoded(dataset()))
    (library / name).write_text("mine")
    os.symlink("nowhere", library / f"gw1-{STAMP}-2.ipsecbench.json")
    found = collect(brought, library)
    assert (library / name).read_text() == "mine"
    path = library / f"gw1-{STAMP}-3.ipsecbench.json"
    assert found.hosts[0].datasets[0].path == path
    assert read_dataset(path) == dataset()


@pytest.mark.parametrize("has_links", [True, False])
def test_a_new_file_is_written_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_links: bool
) -> None:
    if not has_links:

        def refuse(*_: object) -> None:
            raise PermissionError(1, "Operation not permitted")

        monkeypatch.setattr(os, "link", refuse)
    path = tmp_path / "a"
    assert write_new(path, b"one")
    assert not write_new(path, b"two")
    assert path.read_bytes() == b"one"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a"]
    with pytest.raises(DatasetError, match="cannot write"):
        write_new(tmp_path / "no/a", b"")


def test_a_failure_counts_until_the_box_is_measured(tmp_path: Path) -> None:
    (tmp_path / f"gw1-{STAMP}.failure.json").write_text(note())
    (tmp_path / f"gw1-{STAMP}.partial.ipsecbench.json").write_bytes(encoded(dataset(ended="interrupted")))
    (host,) = collect(tmp_path).hosts
    assert host.status == "failed"
    assert [one.is_whole for one in host.datasets] == [False]
    later = dataset(created="2026-11-28T01:00:00+02:00")  # an hour later, by another clock
    (tmp_path / "gw1-2026-11-27-230000.ipsecbench.json").write_bytes(encoded(later))
    (host,) = collect(tmp_path).hosts
    assert host.status == "ok"
    assert host.open_notes == []
    assert host.newest is not None
    assert host.newest.is_whole
    assert host.newest.measured == datetime(2026, 11, 27, 23, tzinfo=UTC)


def test_a_box_that_was_left_alone_has_not_failed(tmp_path: Path) -> None:
    (tmp_path / f"gw1-{STAMP}.failure.json").write_text(note(outcome="skipped", stage="load", reason="load 9"))
    (host,) = collect(tmp_path).hosts
    assert host.status == "skipped"
    assert CliRunner().invoke(app, ["collect", str(tmp_path)]).exit_code == 0


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "not JSON"),
        ("[" * 100_000, "larger than 64 KiB"),
        ("[" * 60_000, "not JSON"),
        ("{}", "its format is not"),
        (note(version=2), "another version"),
        (note(outcome="fine"), "neither failed nor skipped"),
        (note(when="yesterday"), "no time"),
        (note(when="9999-12-31T23:59:59-23:59"), "no time"),
        (note(reason="x" * 2001), "'reason'"),
        (note(host=7), "'host'"),  # type: ignore[arg-type]
        ('{"format": "ipsecbench failure", "version": 1e999}', "not JSON"),
        (note()[:-1] + ', "host": "gw2"}', "not JSON"),
    ],
)
def test_a_damaged_note_is_named(content: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=says):
        read_note(content.encode())
    (tmp_path / f"gw1-{STAMP}.failure.json").write_text(content)
    (host,) = collect(tmp_path).hosts
    assert (host.name, host.status) == ("gw1", "failed")


def test_names_of_others_stay_names(tmp_path: Path) -> None:
    brought, library = tmp_path / "brought", tmp_path / "a/library"
    brought.mkdir()
    evil = dataset("../../\x1b[31mevil\u202e<script>")
    (brought / "x.ipsecbench.json").write_bytes(encoded(evil))
    (brought / os.fsdecode(b"\xff\n.ipsecbench.json")).write_bytes(b"{")
    (brought / "n.failure.json").write_text(note("\x1b]0;title\x07"))
    done = CliRunner().invoke(app, ["collect", str(brought), "--into", str(library)])
    assert done.exit_code == 1
    assert not {"\x1b", "\u202e", "\x07"} & set(done.output)
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*evil*")] == [
        "a/library/31mevil-script-2026-11-27.ipsecbench.json"
    ]
    said = CliRunner().invoke(app, ["collect", str(brought), "--json"])
    assert len(json.loads(said.stdout)["hosts"]) == 3


def test_the_command_says_one_line_for_each_host(brought: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["collect", str(brought), "--into", str(tmp_path / "library")])
    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    assert len(lines) == 4
    assert lines[0].startswith("gw1: ok · Cortex-A53 · 1 of 2 rows · 1 warning: steal · added as gw1-")
    assert lines[1] == "gw2: failed · failed 2026-11-27 21:55 UTC (measure): the connection was lost"
    assert lines[2].startswith("gw3: failed · not read: ")
    assert "4 hosts: 2 ok, 2 failed; 2 datasets added" in done.stderr
    said = json.loads(CliRunner().invoke(app, ["collect", str(brought), "--json"]).stdout)
    assert said["library"] is None
    assert [host["status"] for host in said["hosts"]] == ["ok", "failed", "failed", "ok"]
    assert said["hosts"][1]["failures"][0]["stage"] == "measure"


def test_the_library_may_lie_in_the_folder_but_not_be_it(brought: Path) -> None:
    assert collect(brought, brought / "library").added == 2
    assert collect(brought, brought / "library").added == 0
    with pytest.raises(UsageError, match="names the folder that is read"):
        collect(brought, brought / "site/..")
    with pytest.raises(DatasetError, match="no such folder"):
        collect(brought / "nowhere")
    with pytest.raises(DatasetError, match="cannot make the folder"):
        collect(brought, brought / "speed.txt/library")
