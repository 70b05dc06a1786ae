"""cpuinfo, lscpu and /proc/crypto of others: each becomes a description of its box, or is refused with the reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ipsecbench.dataset.codec import from_document, to_document
from ipsecbench.dataset.model import Dataset
from ipsecbench.errors import DatasetError
from ipsecbench.importers.batch import read_file
from ipsecbench.importers.formats import guessed_format, import_text
from ipsecbench.importers.text import text_of

DATA = Path(__file__).resolve().parents[3] / "data" / "hardware"
LSCPU = sorted((DATA / "lscpu").iterdir())
PAIRS = [(one, other) for one in LSCPU for other in [DATA / "cpuinfo" / f"{one.stem}.txt"] if other.is_file()]


def imported(path: Path) -> tuple[str | None, Dataset]:
    found = read_file(path)
    assert found.reason is None, found.reason
    (dataset,) = found.datasets
    return found.format, dataset


def codes(dataset: Dataset) -> set[str]:
    return {verdict.code for verdict in dataset.verdicts}


def test_every_cpuinfo_is_recognised_and_gives_the_box_that_others_found() -> None:
    rows = [line.split("|") for line in (DATA / "identity.tsv").read_text().splitlines() if line[0] != "#"]
    assert len(rows) > 100
    for name, architecture, vendor, _, processors, cores in rows:
        format_name, dataset = imported(DATA / "cpuinfo" / f"{name}.txt")
        assert format_name == "cpuinfo", name
        cpu = dataset.environment["hardware"]["cpu"]
        found = [str(cpu[key] or "-") for key in ("architecture", "vendor", "processors", "cores")]
        assert found == [architecture, vendor, processors, cores], name
    # Whole round trip of one, which stands for all: the shape is the same.
    assert from_document(json.loads(json.dumps(to_document(dataset)))).environment == dataset.environment


@pytest.mark.parametrize("path", sorted((DATA / "crypto").iterdir()), ids=lambda path: path.name)
def test_every_proc_crypto_is_recognised(path: Path) -> None:
    format_name, dataset = imported(path)
    assert format_name == "proc-crypto"
    drivers = dataset.environment["hardware"]["kernel_crypto"]["drivers"]
    assert len(drivers) == sum(line.startswith("driver") for line in path.read_text().splitlines())
    assert not dataset.measurements


def test_an_excerpt_of_proc_crypto_is_marked() -> None:
    (dataset,) = import_text(text_of(b"root@box:~# grep driver /proc/crypto\ndriver : aes-ce\ndriver : gcm-eip93\n"))
    assert "cut-short" in codes(dataset)
    assert [one["kind"] for one in dataset.environment["hardware"]["kernel_crypto"]["drivers"]] == ["simd", "engine"]


def test_there_are_lscpu_texts_and_pairs() -> None:
    assert len(LSCPU) >= 20
    assert len(PAIRS) >= 8


@pytest.mark.parametrize("path", LSCPU, ids=lambda path: path.stem)
def test_every_lscpu_is_recognised(path: Path) -> None:
    format_name, dataset = imported(path)
    assert format_name == "lscpu"
    text = path.read_text(encoding="utf-8")
    online = next(line for line in text.splitlines() if "On-line CPU(s) list:" in line).partition(":")[2].strip()
    cpu = dataset.environment["hardware"]["cpu"]
    last = online.replace("-", ",").split(",")[-1]
    assert cpu["processors"] == int(last) + 1  # in all of these the numbers begin with 0 and none is left out
    assert cpu["architecture"] is not None


@pytest.mark.parametrize(("lscpu", "cpuinfo"), PAIRS, ids=lambda path: path.name)
def test_lscpu_says_the_same_as_the_cpuinfo_of_the_same_box(lscpu: Path, cpuinfo: Path) -> None:
    one = imported(lscpu)[1].environment["hardware"]["cpu"]
    other = imported(cpuinfo)[1].environment["hardware"]["cpu"]
    assert one["architecture"] == other["architecture"]
    for key in ("vendor", "model"):
        # Old versions show no name, or the kernel's for the whole box.
        if one[key] is not None and not one[key].startswith("ARMv7 Processor"):
            assert one[key] == other[key]
    for function, presence in one["features"]["functions"].items():
        # lscpu before 2.27 shows no flags: then it is unknown, and never denied.
        assert presence in ("unknown", other["features"]["functions"][function]), function


HYBRID = b"""\
Architecture:            aarch64
  CPU op-mode(s):        32-bit, 64-bit
CPU(s):                  8
  On-line CPU(s) list:   0-7
Vendor ID:               ARM
  Model name:            Cortex-A55
    Model:               0
    Thread(s) per core:  1
    Core(s) per cluster: 3
    Socket(s):           -
    Cluster(s):          2
    CPU max MHz:         1794,0000
    Flags:               fp asimd aes pmull sha1 sha2
                         crc32
  Model name:            Cortex-A76
    Thread(s) per core:  1
    Core(s) per socket:  2
    Socket(s):           1
    CPU max MHz:         2002.0000
    Flags:               fp asimd aes pmull sha1 sha2 crc32 sha3
"""


def test_the_kinds_of_core_are_kept_apart() -> None:
    (dataset,) = import_text(text_of(HYBRID))
    hardware: dict[str, Any] = dataset.environment["hardware"]
    assert hardware["cpu"]["model"] == "6x Cortex-A55 + 2x Cortex-A76"
    assert (hardware["cpu"]["processors"], hardware["cpu"]["cores"], hardware["cpu"]["sockets"]) == (8, 8, None)
    assert [one["processors"] for one in hardware["cpu"]["core_types"]] == [[], []]
    assert hardware["cpu"]["features"]["functions"]["aes"] == "present"
    assert hardware["cpu"]["features"]["functions"]["sha3"] == "absent"  # only what all have is counted
    assert [one["comparison"]["claimed_hz"] for one in hardware["clocks"]] == [1_794_000_000, 2_002_000_000]


def test_lscpu_as_json_is_the_same() -> None:
    entries = [
        {"field": "Architecture:", "data": "x86_64", "children": [{"field": "Byte Order:", "data": "Little Endian"}]},
        {"field": "CPU(s):", "data": "4", "children": [{"field": "On-line CPU(s) list:", "data": "0-3"}]},
        {
            "field": "Vendor ID:",
            "data": "AuthenticAMD",
            "children": [
                {"field": "Model name:", "data": "AMD GX-412TC SOC", "children": [{"field": "Flags:", "data": "aes"}]}
            ],
        },
    ]
    (dataset,) = import_text(text_of(json.dumps({"lscpu": entries}).encode()))
    cpu = dataset.environment["hardware"]["cpu"]
    assert (cpu["model"], cpu["vendor"], cpu["processors"]) == ("AMD GX-412TC SOC", "AMD", 4)
    assert cpu["features"]["functions"]["aes"] == "present"


def test_what_is_cut_is_marked_and_denies_nothing() -> None:
    whole = (DATA / "lscpu" / "pycpuinfo-linux_ubuntu_22_04_x86_64.lscpu").read_bytes()
    (dataset,) = import_text(text_of(whole[: whole.index(b"CPU family")]))
    assert dataset.environment["hardware"]["cpu"]["features"]["functions"]["aes"] == "unknown"
    (dataset,) = import_text(text_of(whole[:700]))
    assert "cut-short" in codes(dataset)


@pytest.mark.parametrize(
    ("format_name", "content", "reason"),
    [
        ("cpuinfo", b"rv64imafdc_zbkb\nhello: world\n", "nothing in it that a Linux kernel writes"),
        ("lscpu", b"hello: world\n", "nothing in it that lscpu writes"),
        ("lscpu", b"Architecture: pdp11\nCPU(s): 1\nByte Order: middle\n", "architecture that is not known: pdp11"),
        ("lscpu", b'{"lscpu": [', "no whole JSON"),
        ("proc-crypto", b"name : aes\n", "no driver"),
    ],
)
def test_what_says_nothing_is_refused_with_the_reason(format_name: str, content: bytes, reason: str) -> None:
    with pytest.raises(DatasetError, match=reason):
        import_text(text_of(content), format_name)


def test_other_texts_are_not_taken_for_one_of_these() -> None:
    for content in (b"hello\n", b"name: John\nfeatures: none\n", b"driver wanted: yes\n", b'{"a": 1}'):
        with pytest.raises(DatasetError, match="no known format"):
            guessed_format(text_of(content))


def test_no_text_makes_many_kinds_of_core() -> None:
    text = "Architecture: x86_64\nByte Order: Little\nCPU(s): 99999999\n" + "Model name: a\n" * 5000
    (dataset,) = import_text(text_of(text.encode()))
    assert len(dataset.environment["hardware"]["cpu"]["core_types"]) <= 16
