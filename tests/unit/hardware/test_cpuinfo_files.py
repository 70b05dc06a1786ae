"""Every shipped /proc/cpuinfo against tables made without this project's parser (tests/data/hardware/README.md)."""

from __future__ import annotations

from pathlib import Path

import pytest

from ipsecbench.hardware.cpu import Cpu, parse_cpu
from ipsecbench.hardware.features import FUNCTIONS, Presence

DATA = Path(__file__).parents[2] / "data" / "hardware"


def _table(name: str) -> dict[str, list[str]]:
    lines = (DATA / name).read_text(encoding="utf-8").splitlines()
    rows = (line.split("|") for line in lines if not line.startswith("#"))
    return {row[0]: row[1:] for row in rows}


IDENTITY = _table("identity.tsv")
FEATURES = _table("features.tsv")

SINGLE_LETTER_V = {"archspec-linux-debian13-x60", "sbcbench-SpacemiT-K1_M1-6.1.15", "cpu_features-riscv-QemuCpuInfo"}
"""RISC-V files with the ratified vector extension, by hand: TH1520's `v` is the draft 0.7.1."""

WITHOUT_FEATURES_LINE = {
    "cpu_features-arm-Nexus4_0x510006f2", "cpu_features-arm-Nexus4_0x510006f3",
    "cpu_features-arm-Nexus7_2013_0x511006f0",
}  # fmt: skip

RISCV_BEFORE_6_8 = {
    name for name, row in IDENTITY.items() if row[0] == "riscv"
} - {"archspec-linux-debian13-x60", "cpu_features-riscv-QemuCpuInfo"}  # fmt: skip
"""Files whose kernel would not list cryptographic extensions: by hand, by the kernel version in their names, or because
their ISA string has no extension that 6.8 was first to list."""

POWER_WITH_VCRYPTO = {
    "archspec-linux-centos7-power8le", "cpu_features-ppc-Firestone", "pycpuinfo-linux_fedora_24_ppc64le",
    "pycpuinfo-linux_rhel_7_3_ppc64le",
}  # fmt: skip


def parsed(name: str) -> Cpu:
    return parse_cpu((DATA / "cpuinfo" / f"{name}.txt").read_text(encoding="utf-8"))


def number(text: str) -> int | None:
    return None if text == "-" else int(text)


def test_tables_cover_every_file() -> None:
    files = {path.stem if path.suffix == ".txt" else path.name for path in (DATA / "cpuinfo").iterdir()}
    assert files == IDENTITY.keys()
    assert len(files) > 140


@pytest.mark.parametrize("name", IDENTITY)
def test_identity(name: str) -> None:
    architecture, vendor, core_types, processors, cores = IDENTITY[name]
    cpu = parsed(name)
    assert cpu.architecture == architecture
    assert cpu.vendor == (None if vendor == "-" else vendor)
    assert cpu.processors == number(processors)
    assert cpu.cores == number(cores)
    found = [f"{len(one.processors)} x {one.name or '-'}" for one in cpu.core_types]
    expected = core_types.split(" + ")
    if found:
        assert found == expected
    else:
        assert expected == ["0 x -"]


@pytest.mark.parametrize("name", [name for name in FEATURES if name not in WITHOUT_FEATURES_LINE])
def test_features_are_those_that_grep_finds(name: str) -> None:
    features = parsed(name).features
    expected = set(FEATURES[name][0].split())
    if name in SINGLE_LETTER_V:
        expected.add("v")
    assert set(features.named(Presence.PRESENT)) == expected
    unknown = set(features.named(Presence.UNKNOWN))
    if name in RISCV_BEFORE_6_8:
        assert {"zknd", "zkne", "zknh", "zvkned"} <= unknown
    elif name == "cpu_features-s390x-z15":
        assert unknown == {"msa3", "msa4", "msa5", "msa8", "msa9"}
    else:
        assert not unknown


@pytest.mark.parametrize("name", sorted(WITHOUT_FEATURES_LINE))
def test_no_features_line_is_unknown_and_not_absent(name: str) -> None:
    cpu = parsed(name)
    assert cpu.flags is None
    assert set(cpu.features.functions.values()) == {Presence.UNKNOWN}
    assert not cpu.features.named(Presence.ABSENT)


@pytest.mark.parametrize("name", [name for name, row in IDENTITY.items() if row[0] == "power"])
def test_power8_and_later_have_vector_crypto(name: str) -> None:
    expected = Presence.PRESENT if name in POWER_WITH_VCRYPTO else Presence.ABSENT
    functions = parsed(name).features.functions
    assert {functions[key] for key in ("aes", "carryless-multiply", "sha256", "sha512")} == {expected}


@pytest.mark.parametrize("name", [name for name, row in IDENTITY.items() if row[0] == "mips"])
def test_mips_without_octeon_has_no_crypto(name: str) -> None:
    functions = parsed(name).features.functions
    assert {functions[key] for key in FUNCTIONS if key != "vector"} == {Presence.ABSENT}


@pytest.mark.parametrize(
    ("name", "present"),
    [
        ("sbcbench-BCM2711B0-5.10.63-v8", {"vector"}),
        ("sbcbench-BCM2712-6.1.47", {"aes", "carryless-multiply", "sha1", "sha256", "vector"}),
        ("archspec-linux-rocky8-a64fx", {"sha1", "sha256", "vector"}),
        ("sbcbench-Apple-M1", {"aes", "carryless-multiply", "sha1", "sha256", "sha512", "sha3", "vector"}),
        ("archspec-linux-rhel7-x86_64_v3", {"carryless-multiply", "vector"}),
        ("archspec-linux-rhel7-zen", {"aes", "carryless-multiply", "sha1", "sha256", "vector"}),
        ("archspec-linux-ubuntu26.04-arrowlake_s",
         {"aes", "carryless-multiply", "sha1", "sha256", "sha512", "vector"}),
        ("archspec-linux-debian13-x60", {"carryless-multiply", "vector"}),
        ("pycpuinfo-linux_debian_8_x86_64", {"vector"}),
    ],
)  # fmt: skip
def test_functions_of_well_known_processors(name: str, present: set[str]) -> None:
    functions = parsed(name).features.functions
    assert {key for key, value in functions.items() if value is Presence.PRESENT} == present
    assert {value for key, value in functions.items() if key not in present} <= {Presence.ABSENT}


@pytest.mark.parametrize("name", IDENTITY)
def test_every_prefix_parses_and_knows_no_more_than_the_whole(name: str) -> None:
    """A cut file may lose knowledge; it must not invent instructions or deny those that the whole file has."""
    text = (DATA / "cpuinfo" / f"{name}.txt").read_text(encoding="utf-8")
    whole = {one.name: one.presence for one in parse_cpu(text).features.capabilities}
    # TH1520 says only after its ISA string that the `v` in it is a draft.
    whole |= {"v": Presence.PRESENT} if name == "sbcbench-T-Head-TH1520-5.10.113" else {}
    first = text.find("\n\n", text.find("processor"))
    for end in range(1, min(len(text), first if first > 0 else 2000, 2000), 7):
        cut = parse_cpu(text[:end])
        if cut.architecture != IDENTITY[name][0]:
            continue  # the key that tells the architectures apart comes later
        for one in cut.features.capabilities:
            if one.presence is Presence.PRESENT:
                assert whole.get(one.name) is Presence.PRESENT, (end, one)
            elif one.presence is Presence.ABSENT:
                assert whole.get(one.name) is Presence.ABSENT, (end, one)
