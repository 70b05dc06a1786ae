"""``ipsecbench compare`` and ``ipsecbench library``: what is said, exit codes, and text of others that stays text."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from ipsecbench.bench.measurement import Tier, Workload
from ipsecbench.bench.published import Unit
from ipsecbench.cli.app import app
from ipsecbench.cli.boxes.compare_csv import COLUMNS, harmless
from ipsecbench.cli.boxes.options import GROUPING_NAMES
from ipsecbench.cli.screen.block_text import screen_text
from ipsecbench.cli.screen.text_table import TextCell, TextColumn, columns_of, distinct, text_table
from ipsecbench.comparison.summaries import GROUPINGS
from ipsecbench.dataset.store import read_dataset, write_dataset
from ipsecbench.errors import DatasetError, UsageError
from ipsecbench.importers.sheet import Sheet
from ipsecbench.importers.text import text_of

EXAMPLE = Path(__file__).resolve().parents[4] / "datasets" / "example.ipsecbench.json"
FIGURES = {"aes128": 100.0, "aes128gcm16": 80.0, "sha256": 50.0}


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def stored(name: str, factor: float = 1.0, *, figures: dict[str, float] = FIGURES, **hardware: Any) -> Path:
    """A board whose figures are so many times those above."""
    sheet = Sheet(text_of(name.encode(), f"{name}.txt"), "openssl-speed", label=hardware.pop("label", name))
    sheet.hardware = {"cpu": {"model": hardware.pop("model", "Cortex-A53"), "processors": 4}, **hardware}
    for algorithm, speed in figures.items():
        operation = "digest" if algorithm.startswith("sha") else "encrypt"
        for size in (64, 1024):
            work = Workload(Tier.PRIMITIVE, "openssl-speed", operation, algorithm, size)
            sheet.figure(work, speed * factor * size**0.2, Unit.MEGABYTES)
    path = Path(f"{name}.ipsecbench.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_dataset(path, sheet.dataset())
    return path


def run(*arguments: str | Path, command: str = "compare", code: int = 0) -> Result:
    done = CliRunner().invoke(app, [command, *map(str, arguments)])
    assert done.exit_code == code, (done.output, done.exception)
    return done


def fails(*arguments: str | Path, command: str = "compare") -> str:
    done = CliRunner().invoke(app, [command, *map(str, arguments)])
    assert isinstance(done.exception, (UsageError, DatasetError)), (done.output, done.exception)
    return str(done.exception)


def test_two_boxes_are_held_against_each_other_row_by_row() -> None:
    old, new = stored("old"), stored("new", 2.0, model="Cortex-A72")
    screen = run(old, new).output
    assert "processor: Cortex-A53 → Cortex-A72" in screen
    assert "6 rows: 6 faster, 0 slower, 0 within noise (±2%), 0 without a difference" in screen
    lines = [line for line in screen.splitlines() if " aes128gcm16 " in line]
    assert len(lines) == 2
    # 80 MB/s · 1024^0.2 = 320 MB/s = 2.56 Gbit/s, and twice that.
    assert re.search(r"encrypt +1,024 B +2\.56 Gbit/s +5\.12 Gbit/s +2\.00 +1\.8\d+–2\.1\d+ +faster", lines[1])


def test_rows_without_a_difference_are_counted_and_shown_when_asked_for() -> None:
    old, new = stored("old"), stored("new", 1.001)
    assert "aes128gcm16" not in run(old, new).output
    assert "6 without a difference" in run(old, new).output
    assert run(old, new, "--all").output.count("no difference") == 6 + 3  # rows, and groups: cipher, mac, all


def test_json_says_everything() -> None:
    old, new = stored("old"), stored("new", 2.0)
    found = json.loads(run(old, new, "--json", "--by", "algorithm").output)
    (box,) = found["boxes"]
    assert (found["baseline"]["name"], box["box"]["name"]) == ("old", "new")
    assert box["outcomes"] == {"faster": 6, "slower": 0, "no difference": 0, "within noise": 0}
    assert [group["name"] for group in box["groups"]["algorithm"]] == list(FIGURES)
    assert all(ratio["speed"]["median"] == pytest.approx(2.0) for ratio in box["ratios"])
    assert box["all"]["speed"]["median"] == pytest.approx(2.0)
    assert box["by_chance"]["differing"] == pytest.approx(0.3, rel=1e-4)


def test_json_is_what_its_documentation_says() -> None:
    old, new = stored("old"), stored("new", 0.8)
    found = json.loads(run(old, new, "--rank", "--security-cost", "--fail-if", "aes128:-50%", "--json").output)
    text = (EXAMPLE.parents[1] / "docs" / "compare.md").read_text().split("`--json` has everything.")[1]
    rows = dict(line.strip("|").split("|", 1) for line in text.splitlines() if line.startswith("| `"))
    assert {key for row in rows for key in re.findall(r"`(\w+)`", row)} == set(found)
    for row, part in (("baseline", found["baseline"]), ("boxes", found["boxes"][0]), ("gates", found["gates"][0]),
                      ("ranking", found["ranking"]), ("security_cost", found["security_cost"][0])):  # fmt: skip
        named = set(re.findall(r"`(\w+)`", rows[f" `{row}` "]))
        assert set(part) - {"box"} <= named, row
        assert named - {"reason"} <= set(part), row
    named = set(re.findall(r"`(\w+)`", text.split("A ratio has")[1].split("## ")[0]))
    assert named - {"median", "lower", "upper"} == set(found["boxes"][0]["ratios"][0])


def test_csv_has_every_ratio_unrounded() -> None:
    text = run(stored("old"), stored("new", 2.0), "--csv").output
    rows = list(csv.DictReader(io.StringIO(text)))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 6
    assert {row["outcome"] for row in rows} == {"faster"}
    assert float(rows[0]["ratio"]) == pytest.approx(2.0, rel=1e-12)
    assert float(rows[0]["baseline_ns"]) / float(rows[0]["box_ns"]) == pytest.approx(2.0)


@pytest.mark.parametrize("text", ["=cmd|'/c calc'!A1", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_no_cell_of_csv_is_a_formula(text: str) -> None:
    assert not harmless(text).startswith(("=", "+", "-", "@", "\t"))


def test_many_boxes_stand_side_by_side_and_then_below_each_other() -> None:
    paths = [stored("old"), *(stored(f"box{number}", number) for number in (1, 2, 3))]
    wide = run(*paths, "--by", "algorithm").output
    assert re.search(r"^algorithm +box1 +box2 +box3$", wide, re.M)
    assert re.search(r"^aes128 +1\.000= +2\.00\+ +3\.00\+$", wide, re.M)
    paths += [stored(f"box{number}", number) for number in (4, 5, 6)]
    long = run(*paths, "--top", "2").output
    assert re.search(r"^box +all +aes128 +aes128gcm16 +sha256$", long, re.M)
    assert re.search(r"the fastest 2 of 6 boxes", long)
    assert re.search(r"^box6 +6\.00\+", long, re.M)
    assert "box1 " not in long


def test_folders_and_packed_files_are_read_and_bad_ones_named() -> None:
    for name in ("lib/a", "lib/b", "lib/deep/c"):
        stored(name)
    packed = Path("lib/d.ipsecbench.json.gz")
    packed.write_bytes(gzip.compress(Path("lib/a.ipsecbench.json").read_bytes()))
    Path("lib/bad.ipsecbench.json").write_text("{")
    done = run("lib", "--json", code=1)
    found = json.loads(done.stdout)
    assert len(found["boxes"]) == 3
    assert [one["file"] for one in found["unreadable"]] == ["lib/bad.ipsecbench.json"]
    assert "not read: lib/bad.ipsecbench.json: not JSON" in done.stderr
    assert "none of 2" in fails("lib/bad.ipsecbench.json", "nowhere")
    assert fails("nowhere") == "nowhere: No such file or directory"


def test_the_baseline_is_one_of_them_or_a_file_of_its_own() -> None:
    paths = [stored("a"), stored("b", 2.0), stored("sub/c", 4.0, label="a label that is much too long to be a name")]
    for name in ("b", "2", "b.ipsecbench.json"):
        found = json.loads(run(*paths, "--baseline", name, "--json").output)
        assert found["baseline"]["name"] == "b"
        assert [box["all"]["speed"]["median"] for box in found["boxes"]] == pytest.approx([0.5, 2.0])
    found = json.loads(run(*paths[:2], "--baseline", paths[2], "--json").output)
    assert found["baseline"]["name"] == "c"
    assert [box["box"]["name"] for box in found["boxes"]] == ["a", "b"]
    assert "there is no box 'd'; there are a, b, c" in fails(*paths, "--baseline", "d")
    assert "needs two datasets" in fails(paths[0])


@pytest.mark.parametrize(
    ("gate", "code"),
    [
        ("cipher.aes128:-5%", 3),
        ("cipher.aes*@64:-5%", 3),
        ("cipher.aes128:-25%", 0),
        ("mac.sha256:-25%!", 3),
        ("mac.sha256:-30%!", 0),
    ],
)
def test_a_gate_gives_exit_code_3(gate: str, code: int) -> None:
    old, new = stored("old"), stored("new", 0.8)
    done = run(old, new, "--fail-if", gate, code=code)
    assert ("FAILED" in done.output) is bool(code)
    found = json.loads(run(old, new, "--fail-if", gate, "--json", code=code).output)
    assert [one["failed"] for one in found["gates"]] == [bool(code)]


def test_a_gate_that_matches_nothing_is_a_mistake_and_no_pass() -> None:
    old, new = stored("old"), stored("new")
    assert "it matches no row of the baseline" in fails(old, new, "--fail-if", "cipher.aes128:-50%", "--fail-if",
                                                        "esp.aes128gcm16@imix:-5%")  # fmt: skip
    assert "it matches no row" in fails(old, new, "--only", "mac.*", "--fail-if", "cipher.aes128:-5%")
    assert "not [SCOPE.]" in fails(old, new, "--fail-if", "aes128")


def test_filters_choose_rows_and_a_slip_of_the_hand_is_told() -> None:
    old, new = stored("old"), stored("new", 2.0)
    for words, count in (
        (("--only", "mac.*"), 2),
        (("--only", "aes128", "--only", "sha256"), 4),
        (("--size", "64"), 3),
        (("--provider", "openssl*", "--tier", "primitive"), 6),
    ):
        assert json.loads(run(old, new, *words, "--json").output)["boxes"][0]["rows"] == count
    assert "leave no row" in fails(old, new, "--only", "esp.*")
    assert "there is no scope 'wire'" in fails(old, new, "--only", "wire.x")
    assert "--tier 'loop'" in fails(old, new, "--tier", "loop")
    assert "--noise" in fails(old, new, "--noise", "-1")
    assert "one of them" in fails(old, new, "--json", "--csv")
    run(old, new, "--by", "colour", code=2)
    assert set(GROUPING_NAMES) == set(GROUPINGS)


def test_what_is_refused_is_said() -> None:
    old = stored("old")
    sheet = Sheet(text_of(b"x", "x.txt"), "cryptsetup", label="new")
    sheet.figure(Workload(Tier.PRIMITIVE, "cryptsetup", "encrypt", "aes128", 64), 1.0, Unit.MEGABYTES)
    write_dataset(Path("new.ipsecbench.json"), sheet.dataset())
    screen = " ".join(run(old, "new.ipsecbench.json").output.split())
    assert "measured by another: openssl-speed in the baseline, cryptsetup here" in screen
    assert "No row of the box can be held against one of the baseline." in screen


def test_the_ranking_and_the_price_come_first() -> None:
    slow, fast = stored("slow", 0.02), stored("fast", 4.0)
    screen = run(slow, fast, "--goal", "100M", "--price", "fast=200", "--policy", "modern").output
    assert screen.startswith("RANKING")
    assert re.search(r"^1 +fast ", screen, re.M)
    assert re.search(r"^2 +slow ", screen, re.M)
    assert "is a wide guess (fast and slow)" in " ".join(screen.split())
    found = json.loads(run(slow, fast, "--rank", "--security-cost", "--price", "fast=200", "--json").output)
    best = found["ranking"]["answers"][0]
    assert best["box"] == "fast"
    assert best["price_per_mbit"] == pytest.approx(200 / best["mbit_per_second"]["median"])
    assert [cost["box"] for cost in found["security_cost"]] == ["slow", "fast"]
    for price, says in (("fast", "write NAME=PRICE"), ("fast=-1", "write NAME=PRICE"), ("none=3", "no box 'none'"),
                        ("fast=nan", "write NAME=PRICE")):  # fmt: skip
        assert says in fails(slow, fast, "--price", price)


HOSTILE = "<img src=x onerror=alert(1)>\x1b[2J|`x`"


def test_text_of_others_stays_text_on_screens_in_markdown_and_csv() -> None:
    old = stored("old", label="=HYPERLINK(1)")
    new = stored("new", 2.0, label=HOSTILE[:27], model=HOSTILE, platform={"kernel_release": HOSTILE})
    for words in ((), ("--all",), ("--markdown",), ("--csv",), ("--json",), ("--rank",)):
        text = run(old, new, *words).output
        assert "\x1b" not in text
        assert "--markdown" not in words or not re.search(r"(?<!\\)[<`|]img|(?<!\\)`x", text)
    assert run(old, new, "--csv").output.splitlines()[1].startswith("'=HYPERLINK(1),")
    for command in ((), ("--markdown",), ("--json",)):
        assert "\x1b" not in run(old, new, *command, command="library").output


def test_a_table_fits_the_terminal() -> None:
    columns = (
        TextColumn("name"),
        TextColumn("text", weight=2),
        TextColumn("figure", True),
        TextColumn("more", True, 1),
    )
    rows = [
        (TextCell("a" * 50), TextCell("b" * 60), TextCell("12"), TextCell("3")),
        (TextCell("名前"), TextCell(""), TextCell("1,000"), TextCell("")),
    ]
    for width in (40, 60, 100, 200):
        lines = text_table(columns, rows, width)
        assert max(columns_of(line) for line in lines) <= width
        assert all("1,000" in line or "12" in line for line in lines[1:])
    assert text_table(columns, rows, 200)[2].startswith("名前 ")
    assert "text" not in text_table(columns, rows, 40)[0]
    assert not any("\x1b" in line for line in text_table(columns, rows, 100))


def test_screens_are_as_wide_as_the_terminal() -> None:
    old, new = stored("old"), stored("new", 2.0, label="x" * 60, model="y" * 90)
    output = run(old, new, "--all").output
    assert max(columns_of(line) for line in output.splitlines()) <= 100
    assert screen_text([], 80, True) == ""


def test_a_real_dataset_does_not_differ_from_its_copy() -> None:
    Path("copy.ipsecbench.json").write_bytes(EXAMPLE.read_bytes())
    screen = run(EXAMPLE, "copy.ipsecbench.json").output
    assert "1,522 rows: 0 faster, 0 slower, 0 within noise (±2%), 1,522 without a difference" in " ".join(
        screen.split()
    )
    assert "same-samples: both sides are one measurement (1,522 rows)" in " ".join(screen.split())
    assert "copy and the baseline are the same measurement" in fails(
        EXAMPLE, "copy.ipsecbench.json", "--fail-if", "esp.*@imix:-1%"
    )


def test_the_library_lists_what_there_is() -> None:
    for name, model in (("lib/b", "Cortex-A53"), ("lib/a", "MT7621")):
        stored(name, model=model)
    Path("lib/c.ipsecbench.json").write_bytes(Path("lib/a.ipsecbench.json").read_bytes())
    Path("lib/bad.ipsecbench.json").write_text("[]")
    screen = run("lib", command="library", code=1).stdout
    assert "3 datasets, 18 rows with a figure; 1 is a copy of another; 1 could not be read." in " ".join(screen.split())
    assert re.search(r"^a +MT7621 +4 +6 +prim +– +openssl-speed", screen, re.M)
    found = json.loads(run("lib", "--json", "--box", "mt76", command="library", code=1).stdout)
    assert [(each["name"], each["processors"], each["rows"], each["same_as"]) for each in found["datasets"]] == [
        ("a", 4, 6, None),
        ("c", 4, 6, "a"),
    ]
    assert [one["file"] for one in found["unreadable"]] == ["lib/bad.ipsecbench.json"]


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["--source", "ipsecbench"], ["example"]),
        (["--source", "openssl-speed"], ["board"]),
        (["--verdict", "date-unknown"], ["board"]),
        (["--only", "esp.*@imix"], ["example"]),
        (["--only", "aes128", "--sort", "rows"], ["example", "board"]),
        (["--box", "cortex*"], ["board"]),
        (["--box", "nothing"], []),
        (["--tier", "on-wire"], []),
    ],
)
def test_the_library_can_be_searched(words: list[str], names: list[str]) -> None:
    board = stored("board")
    found = json.loads(run(board, EXAMPLE, *words, "--json", command="library").output)
    assert [each["name"] for each in found["datasets"]] == names


def test_doubts_and_unfit_rows_are_counted_once_each() -> None:
    sheet = Sheet(text_of(b"x", "x.txt"), "openssl-speed", label="x")
    for size, flags in ((64, ("calls-fail", "cpu-time")), (128, ("cpu-time",)), (256, ("spread-assumed",))):
        work = Workload(Tier.PRIMITIVE, "openssl-speed", "encrypt", "aes128", size)
        sheet.figure(work, 1.0, Unit.MEGABYTES, flags=flags)
    write_dataset(Path("x.ipsecbench.json"), replace(sheet.dataset(), label=None))
    (found,) = json.loads(run("x.ipsecbench.json", "--json", command="library").output)["datasets"]
    assert (found["rows_unfit"], found["rows_doubted"]) == (1, 1)


def test_a_page_is_written_and_replaces_nothing_but_pages() -> None:
    old, new = stored("old"), stored("new", 2.0)
    done = run(old, new, "--goal", "100M", "--html", "page.html", "--json")
    assert json.loads(done.stdout)["ranking"]
    page = Path("page.html").read_text()
    assert page.lower().startswith("<!doctype html>")
    assert "Saved page.html" in done.stderr
    run(old, new, "--html", "page.html")
    before = old.read_bytes()
    assert "is no report; choose another --html" in fails(old, new, "--html", old)
    assert "No such file" in fails(old, new, "--html", "nowhere/page.html")
    assert old.read_bytes() == before


def test_only_boxes_with_ratios_have_a_column_and_names_of_rows_stay_whole() -> None:
    stored("base")
    for place in range(9):
        stored(f"router-model-x{place}-with-a-long-name", 1 + place / 10)
    stored("tunnel-only", figures={"null-cipher-of-another-kind": 3.0})
    done = run(".", "--baseline", "base", "--by", "size")
    table = done.output.split("Ratios to base\n")[-1] if "Ratios to base\n" in done.output else done.output
    assert "1 box without a row in common with it: tunnel-only" in " ".join(done.output.split())
    assert "tunnel-only" not in table.split("without a row")[0].splitlines()[0]
    columns = [TextColumn("suite", is_whole=True), *(TextColumn(f"box-{place}", True, 9 - place, is_counted=True)
                                                     for place in range(9))]  # fmt: skip
    lines = text_table(columns, [[TextCell("chacha20poly1305-and-more"), *[TextCell("1.000+")] * 9]], 60)
    assert lines[1].startswith("chacha20poly1305-and-more")
    assert all(len(line) <= 60 for line in lines)
    assert "box-0" in lines[0]
    assert lines[2].startswith("No room for 5 more (--csv and --json have all): box-4,")


def test_names_that_are_cut_still_differ() -> None:
    names = [f"arm-cix-p1-cortex-a{core}-linux-{run}" for core in (520, 720) for run in range(20)]
    for width in (12, 16, 20):
        short = distinct(names, width)
        assert len(set(short.values())) == len(names)
        assert all(len(each) <= width for each in short.values())
    assert distinct(["a", "b"], 16) == {"a": "a", "b": "b"}


def test_a_gate_with_swapped_datasets_or_one_that_is_missing_says_so() -> None:
    old, new = stored("old"), stored("new", 1.2)
    for path, day in ((old, "2025-01-01"), (new, "2026-01-01")):
        write_dataset(path, replace(read_dataset(path), created=f"{day}T00:00:00+00:00"))
    warning = "new (2026-01-01) was measured after old"
    assert warning in run(new, old, "--fail-if", "cipher.aes128:-50%").stderr
    assert warning not in run(old, new, "--fail-if", "cipher.aes128:-50%").stderr
    done = CliRunner().invoke(app, ["compare", str(old), "nothing.json", "--fail-if", "cipher.aes128:-5%"])
    assert isinstance(done.exception, DatasetError)
    assert "only old.ipsecbench.json could be read" in str(done.exception)
