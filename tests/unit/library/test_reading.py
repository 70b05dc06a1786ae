"""Many datasets are read from files and folders, and what is bad among them is named and stops nothing."""

from __future__ import annotations

import gzip
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from ipsecbench.bench.measurement import Estimate, Measurement, Sample, Status, Tier, Workload
from ipsecbench.dataset import store
from ipsecbench.dataset.model import Dataset
from ipsecbench.dataset.source import Source
from ipsecbench.dataset.store import read_dataset, write_dataset
from ipsecbench.errors import DatasetError
from ipsecbench.library import reading
from ipsecbench.library.reading import read_library, unique_names


def dataset(label: str = "box") -> Dataset:
    work = Workload(Tier.PRIMITIVE, "libcrypto", "encrypt", "aes128", 1024)
    samples = tuple(Sample(number, 10, 10_000 + number, 10_000) for number in range(5))
    row = Measurement(work, Status.OK, samples, Estimate(1000.2, 1000.0, 1000.4))
    source = Source("probe", "a.txt", "0" * 64)
    known: dict[str, object] = {"hardware": {}, "libraries": []}
    return Dataset("2026-01-02T03:04:05+00:00", "0.1.0", label, "finished", {}, known, (row,), source=source)


def stored(path: Path, label: str = "box") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix != ".gz":
        write_dataset(path, dataset(label))
        return path
    plain = path.with_suffix("")
    write_dataset(plain, dataset(label))
    path.write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()
    return path


def test_a_packed_dataset_is_the_dataset(tmp_path: Path) -> None:
    plain, packed = stored(tmp_path / "a.ipsecbench.json"), stored(tmp_path / "b.ipsecbench.json.gz")
    assert read_dataset(packed) == read_dataset(plain)
    assert read_dataset(packed).sha256 == read_dataset(plain).sha256


def test_members_of_gzip_and_zeros_after_them_are_read_as_gzip_reads_them(tmp_path: Path) -> None:
    content = stored(tmp_path / "a.ipsecbench.json").read_bytes()
    path = tmp_path / "b.ipsecbench.json.gz"
    path.write_bytes(gzip.compress(content[:100]) + gzip.compress(content[100:]) + b"\0" * 512)
    assert gzip.decompress(path.read_bytes()) == content
    assert read_dataset(path) == dataset()


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda packed: packed[:-5], "cut short"),
        (lambda packed: packed[:20], "cut short"),
        (lambda packed: packed[:-8] + bytes(8), "damaged gzip"),
        (lambda packed: packed[:10] + b"\xff" * 50, "damaged gzip"),
        (lambda packed: packed + b"something else", "damaged gzip"),
    ],
)
def test_damaged_gzip_is_refused(tmp_path: Path, damage: object, says: str) -> None:
    assert callable(damage)
    path = stored(tmp_path / "b.ipsecbench.json.gz")
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DatasetError, match=f"b.ipsecbench.json.gz: .*{says}"):
        read_dataset(path)


def test_a_zip_bomb_is_refused_without_being_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "LARGEST_FILE_BYTES", 2**20)
    path = tmp_path / "bomb.ipsecbench.json.gz"
    one = gzip.compress(bytes(2**20))
    path.write_bytes(gzip.compress(b" " * 2**24) + one * 100)
    with pytest.raises(DatasetError, match="larger than 1 MiB"):
        read_dataset(path)
    path.write_bytes(one * 100)
    with pytest.raises(DatasetError, match="larger than 1 MiB"):
        read_dataset(path)


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1E+400", "1e00999", "9" * 400, "9" * 400 + ".5", "9" * 5000])
def test_numbers_beyond_every_measure_are_refused(tmp_path: Path, number: str) -> None:
    path = stored(tmp_path / "a.ipsecbench.json")
    text = path.read_text()
    for known in ('"upper":1000.4', "10002"):
        assert known in text
        path.write_text(text.replace(known, '"upper":' + number if "upper" in known else number))
        with pytest.raises(DatasetError, match=r"a\.ipsecbench\.json: (not JSON|field)"):
            read_dataset(path)


def test_a_digest_that_looks_like_a_huge_number_is_none(tmp_path: Path) -> None:
    path = tmp_path / "a.ipsecbench.json"
    wanted = replace(dataset(), source=Source("probe", None, "1e999" + "9" * 59))
    write_dataset(path, wanted)
    assert read_dataset(path) == wanted


def test_folders_are_read_by_path_and_one_bad_file_stops_nothing(tmp_path: Path) -> None:
    for name in ("b/c", "a", "z", "m/n/o"):
        stored(tmp_path / f"{name}.ipsecbench.json", name)
    stored(tmp_path / "packed.ipsecbench.json.gz", "packed")
    (tmp_path / "bad.ipsecbench.json").write_text("{")
    (tmp_path / "notes.txt").write_text("not a dataset, and not called one")
    (tmp_path / "other.json").write_text("{}")
    library = read_library([tmp_path])
    assert [entry.dataset.label for entry in library.entries] == ["a", "b/c", "m/n/o", "packed", "z"]
    assert [entry.name for entry in library.entries] == ["a", "c", "o", "packed", "z"]
    (bad,) = library.unreadable
    assert bad.path == tmp_path / "bad.ipsecbench.json"
    assert bad.reason.startswith("not JSON, or cut short")


def test_what_is_named_is_read_whatever_it_is_called(tmp_path: Path) -> None:
    plain = stored(tmp_path / "a.ipsecbench.json")
    other = plain.rename(tmp_path / "old name")
    library = read_library([other, tmp_path / "missing", tmp_path])
    assert [entry.name for entry in library.entries] == ["old name"]
    assert [(one.path, one.reason.split(" whose")[0]) for one in library.unreadable] == [
        (tmp_path / "missing", "No such file or directory"),
        (tmp_path, "a folder without a file"),
    ]


def test_a_file_that_is_named_twice_is_there_twice_and_a_folder_adds_no_copy(tmp_path: Path) -> None:
    plain = stored(tmp_path / "a.ipsecbench.json")
    library = read_library([plain, plain, tmp_path, tmp_path])
    assert len(library.entries) == 2
    assert len({entry.name for entry in library.entries}) == 2
    assert not library.unreadable


def test_links_are_followed_within_the_folder_only(tmp_path: Path) -> None:
    outside = stored(tmp_path / "outside/secret.ipsecbench.json")
    inside = stored(tmp_path / "library/real.ipsecbench.json")
    for name, target in (("out", outside), ("again", inside), ("nowhere", tmp_path / "library/none")):
        os.symlink(target, tmp_path / f"library/{name}.ipsecbench.json")
    os.symlink(tmp_path / "outside", tmp_path / "library/folder")
    os.symlink(tmp_path / "library", tmp_path / "library/circle")
    os.mkfifo(tmp_path / "library/pipe.ipsecbench.json")
    library = read_library([tmp_path / "library"])
    assert [entry.name for entry in library.entries] == ["again"]
    assert {one.path.name.split(".")[0]: one.reason.split(";")[0] for one in library.unreadable} == {
        "out": "a link that leads out of the folder",
        "nowhere": "no file",
        "pipe": "no file",
    }


def test_folders_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        stored(tmp_path / f"{number}.ipsecbench.json")
    stored(tmp_path / "x/y/z/deep.ipsecbench.json")
    monkeypatch.setattr(reading, "MOST_FILES", 3)
    monkeypatch.setattr(reading, "DEEPEST_FOLDER", 2)
    library = read_library([tmp_path])
    assert len(library.entries) == 3
    assert "more than 3 datasets" in library.unreadable[-1].reason
    assert any("deeper than 2" in one.reason for one in read_library([tmp_path / "x"]).unreadable) is False
    monkeypatch.setattr(reading, "DEEPEST_FOLDER", 1)
    assert any("deeper than 1" in one.reason for one in read_library([tmp_path / "x"]).unreadable)


def test_names_tell_files_apart() -> None:
    same = Path("c/x.ipsecbench.json")
    assert unique_names([Path("a/b/x.ipsecbench.json"), Path("a/c/x.ipsecbench.json.gz"), Path("a/y.json"), same]) == [
        "b/x", "a/c/x", "y", "c/x",
    ]  # fmt: skip
    assert unique_names([same, same, Path("other/x.json")]) == ["c/x", "c/x (2)", "other/x"]
    assert unique_names([same, same]) == ["x", "x (2)"]


def test_hostile_documents_are_one_line_each(tmp_path: Path) -> None:
    content = json.loads(stored(tmp_path / "good.ipsecbench.json").read_text())
    hostile: dict[str, bytes] = {
        "latin": b'{"format": "ipsecbench dataset \xe9"}',
        "deep": b"[" * 100_000,
        "newer": json.dumps({**content, "schema": 99}).encode(),
        "half": json.dumps(content).encode()[:200],
        "empty": b"",
    }
    for name, octets in hostile.items():
        (tmp_path / f"{name}.ipsecbench.json").write_bytes(octets)
    library = read_library([tmp_path])
    assert [entry.name for entry in library.entries] == ["good"]
    assert {one.path.name.split(".")[0] for one in library.unreadable} == set(hostile)
    assert all(one.reason and "\n" not in one.reason for one in library.unreadable)
