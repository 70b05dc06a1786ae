"""Datasets survive the disk, and what is not one is refused with the field's name."""

from __future__ import annotations

import copy
import errno
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ipsecbench.bench.measurement import Estimate, Fit, Measurement, Sample, Status, Tier, Workload
from ipsecbench.bench.published import Published, Unit
from ipsecbench.dataset.codec import to_document
from ipsecbench.dataset.model import Dataset, RunWarning
from ipsecbench.dataset.redaction import redact
from ipsecbench.dataset.source import DatasetVerdict, Source, Unread
from ipsecbench.dataset.store import check_writable, read_dataset, unused_path, write_dataset
from ipsecbench.dataset.trial import LabTrial, TrialKind
from ipsecbench.errors import DatasetError


def dataset() -> Dataset:
    work = Workload(Tier.PACKET_LOOP, "libcrypto", "outbound", "aes128gcm16", 64)
    samples = tuple(Sample(number, 1000, 1000 * (300 + number), 300_000, None, 0) for number in range(5))
    return Dataset(
        created="2026-01-02T03:04:05+00:00",
        tool_version="0.1.0",
        label="a <router>",
        ended="finished",
        settings={
            "mode": "quick", "precision": 0.03, "budget_seconds": 42.0, "minimum_rounds": 5, "only": [],
            "sizes_bytes": [], "providers": ["libcrypto"], "cores": 1, "mask": [], "seed": 0,
        },
        environment={"hardware": {"platform": {"hostname": "alpha.example", "model": "Box of alpha.example"}},
                     "libraries": []},
        measurements=(
            Measurement(work, Status.OK, samples, Estimate(302.0, 300.0, 304.0), None, None, (), {"wire_bytes": 120}),
            Measurement(replace(work, algorithm="blowfish128-sha1"), Status.UNSUPPORTED, message="no legacy provider"),
        ),
        fits=(
            Fit(Tier.PACKET_LOOP, "libcrypto", "outbound", "aes128gcm16", Estimate(250, 240, 260),
                Estimate(0.8, 0.7, 0.9), (64, 576, 1400), 0.02),
        ),
        warnings=(RunWarning("steal", "the hypervisor took 2%"),),
        trials=(throughput_trial(),),
    )  # fmt: skip


def throughput_trial() -> LabTrial:
    return LabTrial(
        TrialKind.THROUGHPUT,
        Tier.TUN_LAB,
        "agent",
        "aes128gcm16",
        peer="agent",
        direction="outbound",
        size_bytes=64,
        encapsulation="udp",
        limited_by="plane",
        values={"ndr_pps": Estimate(500_000.0, 500_000.0, 505_000.0)},
        raw={"offered_pps": (505_000.0, 500_000.0), "sent": (252_500, 250_000), "received": (252_000, 250_000)},
        detail={"trial_seconds": 0.5},
    )


def test_a_dataset_comes_back_as_it_went(tmp_path: Path) -> None:
    path = tmp_path / "a.ipsecbench.json"
    digest = write_dataset(path, dataset())
    back = read_dataset(path)
    assert back == dataset()
    assert back.sha256 == digest


def older_document(version: int) -> dict[str, Any]:
    """The dataset as an older version wrote it, without what it did not know."""
    document = to_document(dataset())
    document["schema"] = version
    for name in {1: ("trials",), 2: ("trials",)}.get(version, ()):
        del document[name]
    del document["source"], document["verdicts"]
    for row in document["measurements"]:
        del row["published"]
    return document


@pytest.mark.parametrize(("version", "unknown"), [(1, "trials"), (2, "trials"), (3, "verdicts")])
def test_a_dataset_of_an_older_schema_is_read(tmp_path: Path, version: int, unknown: str) -> None:
    path = tmp_path / "old.ipsecbench.json"
    path.write_text(json.dumps(older_document(version)))
    assert read_dataset(path) == (dataset() if version == 3 else replace(dataset(), trials=()))
    # A file that has what its schema does not know was not written by a version of that schema.
    path.write_text(json.dumps({**older_document(version), unknown: []}))
    with pytest.raises(DatasetError, match="whole file"):
        read_dataset(path)


def test_a_dataset_of_the_first_schema_is_read_by_that_schema(tmp_path: Path) -> None:
    document = older_document(1)
    path = tmp_path / "old.ipsecbench.json"
    # Schema 1 knew no tier 'handshake': a file that says otherwise was not written by a version of that schema.
    document["measurements"][1]["tier"] = "handshake"
    path.write_text(json.dumps(document))
    with pytest.raises(DatasetError, match=r"'measurements\[1\].tier'"):
        read_dataset(path)


def test_set_ups_of_an_ike_sa_survive_the_disk(tmp_path: Path) -> None:
    work = Workload(Tier.HANDSHAKE, "ipsecbench", "prf-responder", "ikev2:aes128-sha256-x25519:psk")
    row = replace(dataset().measurements[0], workload=work)
    path = tmp_path / "a.ipsecbench.json"
    write_dataset(path, replace(dataset(), measurements=(row,)))
    assert json.loads(path.read_text())["schema"] == 4
    assert read_dataset(path).measurements == (row,)


def test_two_trials_of_the_same_thing_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.ipsecbench.json"
    trial = throughput_trial()
    write_dataset(path, replace(dataset(), trials=(trial, replace(trial, direction="inbound"))))
    assert len(read_dataset(path).trials) == 2
    write_dataset(path, replace(dataset(), trials=(trial, replace(trial, values={}))))
    with pytest.raises(DatasetError, match=r"'trials\[1\]' repeats"):
        read_dataset(path)


def test_rows_and_fits_are_found() -> None:
    data = dataset()
    assert data.get(data.measurements[0].workload) is data.measurements[0]
    assert data.get(replace(data.measurements[0].workload, size_bytes=65)) is None
    assert data.fit(Tier.PACKET_LOOP, "libcrypto", "outbound", "aes128gcm16") is data.fits[0]
    assert [row.workload.algorithm for row in data.rows(operation="outbound")] == ["aes128gcm16"]


def damage(*path: str | int, value: Any) -> Callable[[dict[str, Any]], None]:
    def apply(document: dict[str, Any]) -> None:
        target: Any = document
        for step in path[:-1]:
            target = target[step]
        if value is KeyError:
            del target[path[-1]]
        else:
            target[path[-1]] = value

    return apply


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (damage("format", value="pyperf"), "'format'"),
        (damage("schema", value=5), "'schema': version 5 is newer"),
        (damage("schema", value="1"), "'schema'"),
        (damage("schema", value=True), "'schema'"),
        (damage("schema", value=0), "'schema'"),
        (damage("schema", value=1.5), "'schema'"),
        (damage("created", value="yesterday"), "'created'"),
        (damage("measurements", value=None), "'measurements'"),
        (damage("measurements", 0, "size_bytes", value=-1), r"'measurements\[0\].size_bytes'"),
        (damage("measurements", 0, "tier", value="imaginary"), r"'measurements\[0\].tier'"),
        (damage("measurements", 0, "samples", "wall_ns", 2, value=0), r"'measurements\[0\].samples.wall_ns\[2\]'"),
        (damage("measurements", 0, "samples", "wall_ns", value=[1, 2]), r"'measurements\[0\].samples.wall_ns' has 2"),
        (damage("measurements", 0, "samples", "cycles", value=[1]), r"'measurements\[0\].samples.cycles' has 1"),
        (damage("measurements", 0, "ns_per_operation", "median", value=301.0), "does not follow from its samples"),
        (damage("measurements", 0, "ns_per_operation", "lower", value=303.0), "not within its interval"),
        (damage("measurements", 0, "ns_per_operation", value=None), "do not belong together"),
        (damage("measurements", 1, "algorithm", value="aes128gcm16"), r"'measurements\[1\]' repeats"),
        (damage("measurements", 0, "mix", value="9" * 5000), r"'measurements\[0\].mix': '9{40}' is no mix"),
        (damage("trials", value=KeyError), "whole file"),
        (damage("trials", 0, "trial", value="imaginary"), r"'trials\[0\].trial'"),
        (damage("trials", 0, "tier", value="packet-loop"), r"'trials\[0\].tier'"),
        (damage("trials", 0, "limited_by", value="luck"), r"'trials\[0\].limited_by'"),
        (damage("trials", 0, "raw", "sent", value=[1]), r"'trials\[0\].raw' has columns of different lengths"),
        (damage("trials", 0, "values", "ndr_pps", "lower", value=510_000), "not within its interval"),
        (damage("settings", "mask", value=KeyError), "'settings'"),
        (damage("surprise", value=1), "whole file"),
    ],
)
def test_damage_is_refused_by_name(tmp_path: Path, change: Callable[[dict[str, Any]], None], named: str) -> None:
    document = copy.deepcopy(to_document(dataset()))
    change(document)
    path = tmp_path / "bad.ipsecbench.json"
    path.write_text(json.dumps(document))
    with pytest.raises(DatasetError, match=named) as caught:
        read_dataset(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00\xff\xfe", b"{", b"[]", b"null", b"[" * 100_000, b'{"format": NaN}', b"\xef\xbb\xbf{}",
     json.dumps(to_document(dataset())).encode()[:-40]],
)  # fmt: skip
def test_what_is_not_json_or_cut_short_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match="bad"):
        read_dataset(path)


def test_missing_files_and_directories_are_errors_of_ours(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(DatasetError):
            read_dataset(path)
    with pytest.raises(DatasetError, match="is a directory"):
        check_writable(tmp_path)
    with pytest.raises(DatasetError, match="cannot write into"):
        check_writable(tmp_path / "no" / "such" / "file")


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_failure_while_writing_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    path = tmp_path / "a.ipsecbench.json"
    write_dataset(path, dataset())
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, failing, full)
    with pytest.raises(DatasetError, match="No space left"):
        write_dataset(path, replace(dataset(), label="another"))
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == [path.name]


def test_new_names_never_meet_old_files(tmp_path: Path) -> None:
    first = unused_path(tmp_path, "box")
    first.touch()
    second = unused_path(tmp_path, "box")
    second.touch()
    assert [first.name, second.name, unused_path(tmp_path, "box").name] == [
        "box.ipsecbench.json", "box-2.ipsecbench.json", "box-3.ipsecbench.json",
    ]  # fmt: skip


def test_redaction_removes_what_identifies_a_box() -> None:
    environment = {
        "hardware": {
            "platform": {
                "hostname": "alpha",
                "serial_number": "XK-1",
                "note": "alpha at 00:11:22:aa:bb:cc",
                "cores": 4,
            },
            "nics": [{"name": "eth0", "mac": "00:11:22:aa:bb:cc", "driver": "alphabet"}],
            "dmi": {
                "uuid": "12345678-1234-1234-1234-123456789abc",
                "product": "x 12345678-1234-1234-1234-123456789abc",
            },
        },
        "libraries": [{"path": "/home/someone/venv/_rust.abi3.so"}, {"path": "/usr/lib/libcrypto.so.3"}],
    }
    clean = redact(replace(dataset(), environment=environment), {"alpha", "localhost"})
    text = json.dumps(to_document(clean)["environment"])
    for secret in ("XK-1", "00:11:22", "12345678-1234", '"alpha"', "alpha at", "someone"):
        assert secret not in text
    assert '"path": "_rust.abi3.so"' in text
    assert '"path": "/usr/lib/libcrypto.so.3"' in text
    assert "alphabet" in text
    assert clean.redacted
    assert clean.label == "a <router>"


def imported() -> Dataset:
    """What an importer makes of a line of 'openssl speed'."""
    work = Workload(Tier.PRIMITIVE, "openssl-speed", "encrypt", "aes128", 16384)
    figures = (Published(1421940.05, Unit.KILOBYTES, 9), Published(1433387.01, Unit.KILOBYTES, 10))
    times = sorted(one.ns_per_operation(16384) for one in figures)
    middle = sum(times) / 2
    row = Measurement(work, Status.OK, (), Estimate(middle, times[0], times[1]), flags=("cpu-time",), published=figures)
    source = Source(
        "openssl-speed", "a.txt", "0" * 64, unread=(Unread(3, "speed: nothing", "no figure"),), unread_lines=1
    )
    return Dataset(
        *("2018-01-28T16:02:49+00:00", "0.1.0", "ODROID-N2", "finished", {}),
        {"hardware": {}, "libraries": []},
        (row,),
        source=source,
        verdicts=(DatasetVerdict("cpu-time", "divided by processor time"),),
    )


def test_an_imported_dataset_survives_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "a.ipsecbench.json"
    write_dataset(path, imported())
    assert read_dataset(path) == imported()
    assert read_dataset(path).measurements[0].times_ns == pytest.approx([11522.3, 11430.2], rel=1e-4)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (damage("measurements", 0, "published", 0, "value", value=7e6), "does not follow from its published figures"),
        (damage("measurements", 0, "published", value=[]), "do not belong together"),
        (damage("measurements", 0, "published", 0, "unit", value="furlong/s"), r"published\[0\].unit"),
        (damage("measurements", 0, "published", 0, "value", value=0), r"published\[0\].value"),
        (damage("measurements", 0, "size_bytes", value=None), "needs the size"),
        (damage("source", value=None), "'settings' must contain 'mode'"),
        (damage("source", "sha256", value="unknown"), "field 'source'"),
    ],
)
def test_damage_of_an_imported_dataset_is_refused_by_name(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], named: str
) -> None:
    path = tmp_path / "a.ipsecbench.json"
    write_dataset(path, imported())
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    with pytest.raises(DatasetError, match=named):
        read_dataset(path)
