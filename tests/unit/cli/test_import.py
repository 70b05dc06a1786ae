"""``ipsecbench import``: every file becomes datasets or is named with the reason; nothing is lost or overwritten."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest
from typer.testing import CliRunner, Result

from ipsecbench.bench.measurement import Tier, Workload
from ipsecbench.bench.published import Unit
from ipsecbench.cli.app import app
from ipsecbench.dataset.model import Dataset
from ipsecbench.dataset.store import read_dataset
from ipsecbench.errors import DatasetError, UsageError
from ipsecbench.importers import formats
from ipsecbench.importers.batch import stem_of
from ipsecbench.importers.formats import Format
from ipsecbench.importers.sheet import Sheet
from ipsecbench.importers.text import Text


def _read(text: Text) -> tuple[Dataset, ...]:
    """A format for tests: a box's name on a line that begins with ``@``, then one figure a line."""
    found: list[Sheet] = []
    for number, line in enumerate(text.lines, start=1):
        if line.startswith("@"):
            found.append(Sheet(text, "toy", part=f"part {len(found) + 1}", device=line[1:]))
        elif line == "crash":
            raise IndexError("no such column")
        elif line and found:
            work = Workload(Tier.PRIMITIVE, "toy", "encrypt", line.split()[0], 1000)
            found[-1].figure(work, float(line.split()[1]), Unit.KILOBYTES, number)
    if not found:
        raise DatasetError("no box in it")
    return tuple(sheet.dataset() for sheet in found)


MODULES_OF_ALL = formats.MODULES
FORMAT = Format("toy", "a toy", lambda text: 50 if text.content.startswith("@") else 0, _read)


@pytest.fixture(autouse=True)
def _toy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    known = {"dataset": "ipsecbench.importers.readers.own.dataset", "toy": __name__}
    monkeypatch.setattr(formats, "MODULES", MappingProxyType(known))
    monkeypatch.chdir(tmp_path)


def run(*arguments: str, given: str | bytes | None = None) -> Result:
    return CliRunner().invoke(app, ["import", *arguments], input=given)


def test_each_box_of_a_file_becomes_a_dataset_and_comes_back_as_it_is() -> None:
    Path("boxes.txt").write_text("@Router A\naes128 100\n@Router A\naes128 200\nmd5 1\n")
    done = run("boxes.txt", "--into", "out/deep", "--json")
    assert done.exit_code == 0, done.output
    (file,) = json.loads(done.stdout)["files"]
    assert (file["format"], file["status"], [one["figures"] for one in file["datasets"]]) == ("toy", "imported", [1, 2])
    paths = [Path(one["path"]) for one in file["datasets"]]
    assert [path.name for path in paths] == ["Router-A-part-1.ipsecbench.json", "Router-A-part-2.ipsecbench.json"]
    again = json.loads(run(str(paths[1]), "--into", "copy", "--json").stdout)["files"][0]
    assert again["format"] == "dataset"
    assert replace(read_dataset(Path(again["datasets"][0]["path"])), sha256=None) == replace(
        read_dataset(paths[1]), sha256=None
    )


def test_one_bad_file_is_named_and_the_others_are_imported() -> None:
    Path("in").mkdir()
    for number in range(3):
        Path(f"in/{number}.txt").write_text(f"@Box {number}\naes128 {number + 1}\n")
    Path("in/bad.txt").write_text("nothing")
    Path("in/crash.txt").write_text("@Box\ncrash\n")
    Path("in/image.png").write_bytes(b"\x89PNG\0\0")
    Path("in/.hidden").write_text("@Box\n")
    Path("in/loop").symlink_to(".")
    done = run("in", "missing", "--into", "out")
    assert done.exit_code == 1
    assert len(list(Path("out").iterdir())) == 3
    assert "7 files, 3 datasets, 3 figures" in done.stderr
    for reason in (
        "! in/bad.txt: no known format",
        "! in/crash.txt: a mistake in the reader of toy, please report it: IndexError",
        "! in/image.png: not a text",
        "! missing: No such file",
    ):
        assert reason in done.stdout, done.stdout
    assert "hidden" not in done.output
    assert "loop" not in done.output
    assert "Traceback" not in done.output


def test_nothing_is_overwritten_and_the_same_is_not_written_twice() -> None:
    Path("a.txt").write_text("@Box\naes128 1\n")
    Path("b.txt").write_text("@box\naes128 2\n")
    Path("twin.txt.gz").write_bytes(gzip.compress(Path("a.txt").read_bytes()))
    Path("Box.ipsecbench.json").write_text("mine")
    done = run("a.txt", "b.txt", "twin.txt.gz", "a.txt")
    assert done.exit_code == 0
    assert "twin.txt.gz: the same text as a.txt" in done.stdout
    assert Path("Box.ipsecbench.json").read_text() == "mine"
    assert sorted(path.name for path in Path().glob("*.json")) == [
        *("Box-2.ipsecbench.json", "Box.ipsecbench.json", "box.ipsecbench.json")
    ]
    assert "already there: Box-2.ipsecbench.json" in run("a.txt").stdout
    assert run("a.txt", "--force").exit_code == 0
    assert read_dataset(Path("Box.ipsecbench.json")).label == "Box"


def test_the_first_word_is_a_format_unless_there_is_such_a_file() -> None:
    Path("x").write_text("no mark\n@Box\naes128 1\n")
    assert run("x").exit_code == 1
    assert run("toy", "x").exit_code == 0
    assert run("x", "--format", "toy").exit_code == 0
    Path("toy").write_text("@Other\naes128 1\n")
    assert run("toy").exit_code == 0
    assert Path("Other.ipsecbench.json").exists()
    assert isinstance(run("x", "--format", "nonsense").exception, UsageError)
    assert isinstance(run().exception, UsageError)


def test_standard_input_and_one_place_for_the_only_dataset() -> None:
    done = run("-", "-o", "mine.json", given="@Box\naes128 1\n")
    assert done.exit_code == 0, done.output
    assert read_dataset(Path("mine.json")).label == "Box"
    assert not list(Path().glob("*.ipsecbench.json"))
    assert isinstance(run("-", "-o", "mine.json", given="@Box\naes128 2\n").exception, DatasetError)
    printed = run("-", "-o", "-", "--label", "Named", given="@Box\naes128 2\n")
    assert json.loads(printed.stdout)["label"] == "Named"
    two = run("-", "-o", "two.json", given="@A\naes128 1\n@B\naes128 1\n")
    assert "2 datasets" in str(two.exception)
    assert not Path("two.json").exists()


def test_a_dry_run_writes_nothing() -> None:
    Path("a.txt").write_text("@Box\naes128 1\n")
    done = run("a.txt", "--into", "out", "--dry-run")
    assert done.exit_code == 0
    assert "1 figure" in done.stdout
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("label", "stem"),
    [
        ("../../etc/passwd", "etc-passwd"),
        ("\x1b[31mred\n<script>", "31mred-script"),
        ("-rf", "rf"),
        ("…", "box"),
        ("a" * 300, "a" * 80),
        ("Größe Ⅳ", "Groe-IV"),
    ],
)
def test_hostile_labels_make_harmless_names(label: str, stem: str) -> None:
    dataset = Sheet(Text("", ""), "toy", label=label).dataset()
    assert stem_of(dataset, False, "x") == stem


def test_hostile_labels_do_not_reach_the_terminal() -> None:
    done = run("-", given="@\x1b]0;evil\x07\u202ename\naes128 1e999\naes128 1\n")
    assert done.exit_code == 0
    assert not {"\x1b", "\x07", "\u202e"} & set(done.output)
    assert "unread, line 2: inf kB/s is no possible figure" in done.stdout


def test_an_empty_file_is_called_empty() -> None:
    Path("a.txt").write_text(" \n")
    assert "! a.txt: empty" in run("a.txt").stdout


def test_a_folder_that_cannot_be_written_ends_with_one_reason() -> None:
    Path("a.txt").write_text("@Box\naes128 1\n")
    Path("file").write_text("")
    assert "cannot make the folder" in str(run("a.txt", "--into", "file/out").exception)
    Path("Box.ipsecbench.json").mkdir()
    assert "cannot write" in str(run("a.txt", "--force").exception)


def test_a_dataset_keeps_the_name_of_its_file() -> None:
    Path("boxes.txt").write_text("@Router A\naes128 100\n@Router A\naes128 200\n")
    assert run("boxes.txt", "--into", "lib", "--label", "mine").exit_code == 0
    labels = {path.name: read_dataset(path).label for path in Path("lib").iterdir()}
    assert labels == {
        "mine-part-1.ipsecbench.json": "mine, part 1",
        "mine-part-2.ipsecbench.json": "mine, part 2",
    }
    Path("lib/mine-part-1.ipsecbench.json").rename("lib/other.ipsecbench.json")
    again = run("lib", "--into", "copy")
    assert again.exit_code == 0
    assert {path.name for path in Path("copy").iterdir()} == {path.name for path in Path("lib").iterdir()}


def test_what_cannot_be_looked_at_and_folders_without_files_are_named() -> None:
    Path("links").mkdir()
    Path("links/a.txt").symlink_to(Path("boxes.txt").resolve())
    Path("boxes.txt").write_text("@Router A\naes128 100\n")
    done = run("links", "x" * 300, "boxes.txt", "--into", "out")
    assert done.exit_code == 1
    assert "! links: a folder without a file; links" in done.output
    assert "File name too long" in " ".join(done.output.split())
    assert Path("out/Router-A.ipsecbench.json").exists()


def test_two_orders_at_once_lose_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another order takes the name after it was found free, and before it is written."""
    from ipsecbench.cli import import_files

    Path("boxes.txt").write_text("@Router A\naes128 100\n")
    other = Path("Router-A.ipsecbench.json")
    write = import_files._Place._write

    def late(self: import_files._Place, path: Path, stem: str, content: bytes) -> tuple[Path, bool]:
        other.write_text("another's")
        return write(self, path, stem, content)

    monkeypatch.setattr(import_files._Place, "_write", late)
    done = run("boxes.txt")
    assert done.exit_code == 0, done.output
    assert "saved: Router-A-2.ipsecbench.json" in done.output
    assert other.read_text() == "another's"
    assert read_dataset(Path("Router-A-2.ipsecbench.json")).label == "Router A"
    assert sorted(path.name for path in Path().iterdir()) == [
        "Router-A-2.ipsecbench.json",
        "Router-A.ipsecbench.json",
        "boxes.txt",
    ]


def test_figures_of_another_format_in_the_same_text_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "MODULES", MODULES_OF_ALL)
    table = (
        "type             16 bytes     64 bytes\naes-128-cbc      87191.01k    91000.50k\n"
        "# Algorithm | Key | Encryption | Decryption\naes-cbc 128b 522.5 MiB/s 2229.3 MiB/s\n"
    )
    Path("both.txt").write_text(table)
    done = run("both.txt")
    assert "another format too, which are not in here: output of openssl speed from line 2 on" in " ".join(
        done.output.split()
    )
    assert "--format openssl-speed" in done.output
    again = run("both.txt", "--format", "openssl-speed", "--json", "--label", "speed")
    assert json.loads(again.stdout)["summary"]["figures"] == 2
