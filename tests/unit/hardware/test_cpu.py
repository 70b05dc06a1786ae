"""Processors whose files may not be shipped, written down here line by line, and odd texts."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipsecbench.hardware.cpu import parse_cpu
from ipsecbench.hardware.features import FUNCTIONS, Presence
from ipsecbench.hardware.isa_strings import parse_isa_string

PRESENT, ABSENT, DISABLED, UNKNOWN = Presence.PRESENT, Presence.ABSENT, Presence.DISABLED, Presence.UNKNOWN


def functions(text: str, kernel: tuple[int, int] | None = None) -> dict[str, Presence]:
    return dict(parse_cpu(text, kernel=kernel).features.functions)


def via(flags: str) -> str:
    """A VIA C7: the fields of the `Esther` core, one processor."""
    return (
        "processor\t: 0\nvendor_id\t: CentaurHauls\ncpu family\t: 6\nmodel\t\t: 10\n"
        f"model name\t: VIA Esther processor 1500MHz\nflags\t\t: {flags}\nbogomips\t: 2992.25\n"
    )


def test_padlock_units_that_are_on() -> None:
    cpu = parse_cpu(via("fpu sse2 pni rng rng_en ace ace_en ace2 ace2_en phe phe_en pmm pmm_en"))
    assert cpu.vendor == "VIA"
    assert set(cpu.features.named(PRESENT)) == {"ace", "ace2", "phe", "pmm", "rng"}
    assert cpu.features.functions["aes"] is PRESENT
    assert cpu.features.functions["sha256"] is PRESENT
    assert cpu.features.functions["sha512"] is ABSENT
    assert cpu.features.functions["carryless-multiply"] is ABSENT


def test_padlock_unit_that_firmware_keeps_off() -> None:
    cpu = parse_cpu(via("fpu sse2 rng rng_en ace ace2 phe phe_en"))
    assert set(cpu.features.named(DISABLED)) == {"ace", "ace2"}
    assert cpu.features.functions["aes"] is DISABLED
    assert cpu.features.functions["sha1"] is PRESENT


def test_zhaoxin_may_have_both_kinds() -> None:
    text = via("fpu ssse3 aes pclmulqdq sha_ni ace ace_en").replace("CentaurHauls", "  Shanghai  ")
    assert parse_cpu(text).vendor == "Zhaoxin"
    assert functions(text)["aes"] is PRESENT
    assert functions(text)["sha1"] is PRESENT


def test_intel_has_no_padlock_even_if_the_words_are_there() -> None:
    text = via("fpu ace ace_en").replace("CentaurHauls", "GenuineIntel")
    assert functions(text)["aes"] is ABSENT


def octeon(part: str) -> str:
    return (
        f"system type\t\t: {part}\nmachine\t\t\t: Unknown\nprocessor\t\t: 0\n"
        "cpu model\t\t: Cavium Octeon II V0.1\nBogoMIPS\t\t: 2000.00\nASEs implemented\t:\npackage\t\t\t: 0\n"
        "core\t\t\t: 0\n"
    )


@pytest.mark.parametrize(
    ("part", "presence"),
    [
        ("Unsupported Board (CN6120p1.1-1000-NSP)", PRESENT),
        ("UBNT_E200 (CN6120p1.1-1000-SCP)", PRESENT),
        ("EBB6300 (CN6335p2.2-1500-AAP)", PRESENT),
        ("CUST_X (CN5020p1.1-500-CP)", ABSENT),
        ("CUST_X (CN6220p2.2-800-DAP)", DISABLED),
        ("CUST_X (CN6220p2.2-800-XYZ)", UNKNOWN),
        ("Some Board", UNKNOWN),
    ],
)
def test_octeon_by_the_suffix_of_its_part_number(part: str, presence: Presence) -> None:
    cpu = parse_cpu(octeon(part))
    assert cpu.vendor == "Cavium"
    assert cpu.features.functions["aes"] is presence
    assert cpu.features.functions["sha256"] is presence


def test_mips_of_an_unknown_model_is_unknown() -> None:
    assert functions("cpu model\t: Something New V1\nprocessor\t: 0\n")["aes"] is UNKNOWN


def test_sparc_t4_opcodes() -> None:
    text = (
        "cpu\t\t: SPARC-T4\nfpu\t\t: SPARC-T4 integrated FPU\nncpus probed\t: 64\nncpus active\t: 64\ntype\t\t: sun4v\n"
        "cpucaps\t\t: flush,stbar,swap,muldiv,v9,mul32,div32,v8plus,popc,vis,vis2,vis3,hpc,aes,des,kasumi,"
        "camellia,md5,sha1,sha256,sha512,mpmul,montmul,montsqr,crc32c\n"
    )
    cpu = parse_cpu(text)
    assert (cpu.architecture, cpu.processors, cpu.model) == ("sparc", 64, "SPARC-T4")
    assert {"aes", "des", "camellia", "md5", "montmul"} <= set(cpu.features.named(PRESENT))
    assert cpu.features.functions["sha512"] is PRESENT
    assert cpu.features.functions["sha3"] is ABSENT


def test_ultrasparc_has_none_of_them() -> None:
    text = "cpu\t\t: TI UltraSparc II  (BlackBird)\ntype\t\t: sun4u\nncpus active\t: 6\ncpucaps\t\t: flush,v9,vis\n"
    assert set(functions(text).values()) == {ABSENT}


@pytest.mark.parametrize(
    ("line", "presence"),
    [
        ("POWER10 (architected), altivec supported", PRESENT),
        ("POWER9, altivec supported", PRESENT),
        ("POWER8 (architected), altivec supported", PRESENT),
        ("POWER7+ (raw), altivec supported", ABSENT),
        ("PPC970MP, altivec supported", ABSENT),
        ("e5500", ABSENT),
        ("740/750", ABSENT),
        ("Microwatt", UNKNOWN),
    ],
)
def test_power_by_its_model(line: str, presence: Presence) -> None:
    text = f"processor\t: 0\ncpu\t\t: {line}\nclock\t\t: 3000.000000MHz\nrevision\t: 2.1 (pvr 004b 0201)\n"
    assert parse_cpu(text).architecture == "power"
    assert functions(text)["aes"] is presence


def test_s390x_facilities() -> None:
    text = (
        "vendor_id       : IBM/S390\n# processors    : 2\nbogomips per cpu: 24038.00\n"
        "features\t: esan3 zarch stfle msa ldisp eimm dfp vx\nfacilities      : 0 1 2 17 57 76 77 146 155\n"
        "processor 0: version = 00,  identification = 0133E8,  machine = 8561\n"
        "processor 1: version = 00,  identification = 0133E8,  machine = 8561\n"
    )
    cpu = parse_cpu(text)
    assert (cpu.architecture, cpu.vendor, cpu.model, cpu.processors) == ("s390x", "IBM", "machine type 8561", 2)
    assert {"msa", "msa3", "msa4", "msa5", "msa8", "msa9"} <= set(cpu.features.named(PRESENT))
    assert cpu.features.functions["aes"] is UNKNOWN  # the AES functions may be fused off: only asking tells
    assert cpu.features.functions["sha1"] is PRESENT


def test_s390x_without_msa_has_nothing() -> None:
    found = functions("vendor_id       : IBM/S390\n# processors    : 1\nfeatures\t: esan3 zarch stfle\n")
    assert {found[key] for key in FUNCTIONS} == {ABSENT}


ZK = "rv64imafdc_zicntr_zicsr_zifencei_zihpm_zbkb_zbkc_zbkx_zknd_zkne_zknh_zkr_zkt"
ZK_ZKS = "rv64imafdc_zbkb_zbkc_zbkx_zknd_zkne_zknh_zkr_zksed_zksh_zkt"


def riscv(isa: str, more: str = "") -> str:
    return f"processor\t: 0\nhart\t\t: 0\nisa\t\t: {isa}\nmmu\t\t: sv39\n{more}"


@pytest.mark.parametrize(
    ("isa", "expected"),
    [
        (ZK, {"aes": PRESENT, "sha256": PRESENT, "sha512": PRESENT, "carryless-multiply": PRESENT, "vector": ABSENT}),
        (ZK_ZKS, {"aes": PRESENT, "sha256": PRESENT, "sha512": PRESENT, "carryless-multiply": PRESENT}),
        ("rv64imafdc_zknd", {"aes": ABSENT, "sha256": ABSENT}),   # decryption alone does not make CBC
        ("rv64gc_zkn", {"aes": PRESENT, "sha512": PRESENT}),
        ("rv64gcv_zvkng", {"aes": PRESENT, "sha512": PRESENT, "carryless-multiply": PRESENT, "vector": PRESENT}),
        ("rv64imafdcv_zvkned_zvknha", {"aes": PRESENT, "sha256": PRESENT, "sha512": ABSENT}),
        ("rv64i2p1m2p0a2p1f2p2d2p2_zicsr2p0_zknd1p0_zkne1p0", {"aes": PRESENT, "sha256": ABSENT}),
        ("rv64imafdc", {"aes": UNKNOWN, "sha256": UNKNOWN, "vector": ABSENT, "sha1": ABSENT}),
        ("rv64imafdc_zicsr_zifencei_zba_zbb_sscofpmf", {"aes": UNKNOWN}),
        ("rv64imafdcvh_zba_zbb_zbc_zbs", {"aes": ABSENT, "carryless-multiply": PRESENT, "vector": PRESENT}),
        ("nonsense", {"aes": UNKNOWN, "vector": UNKNOWN}),
    ],
)  # fmt: skip
def test_riscv(isa: str, expected: dict[str, Presence]) -> None:
    text = riscv(isa) if isa.startswith("rv") else riscv("rv").replace(": rv\n", ": rvnonsense!\n")
    found = functions(text)
    assert {key: found[key] for key in expected} == expected


def test_riscv_on_a_kernel_that_lists_them_is_absent() -> None:
    assert functions(riscv("rv64imafdc_zicsr"), kernel=(6, 8))["aes"] is ABSENT
    assert functions(riscv("rv64imafdc_zicsr"), kernel=(6, 6))["aes"] is UNKNOWN


@pytest.mark.parametrize("more", ["mvendorid\t: 0x5b7\nmarchid\t\t: 0x0\nmimpid\t\t: 0x0\n", "cpu-vector\t: 0.7.1\n"])
def test_draft_vectors_are_not_the_vector_extension(more: str) -> None:
    assert functions(riscv("rv64imafdcv"))["vector"] is PRESENT
    assert functions(riscv("rv64imafdcv", more))["vector"] is ABSENT


def test_harts_that_differ_have_only_what_all_have() -> None:
    text = riscv("rv64imafdcv_zkne_zknd_zbc") + "\n" + riscv("rv64imafdc_zbc").replace(": 0", ": 1")
    assert functions(text)["aes"] is ABSENT
    assert functions(text)["carryless-multiply"] is PRESENT


@pytest.mark.parametrize(
    ("isa", "names"),
    [
        ("rv32imac", {"i", "m", "a", "c"}),
        ("rv64imafdcsu", {"i", "m", "a", "f", "d", "c", "s", "u"}),
        ("rv64imafdcvsu", {"i", "m", "a", "f", "d", "c", "v", "s", "u"}),
        ("rv64i2p0m2p0a2p0f2p0d2p0c2p0xv5-0p0", {"i", "m", "a", "f", "d", "c", "xv5"}),
        ("rv64imac_zve32f_zvl128b", {"i", "m", "a", "c", "zve32f", "zvl128b"}),
        ("RV64IMAC_Zbb1p0", {"i", "m", "a", "c", "zbb"}),
    ],
)
def test_isa_strings(isa: str, names: set[str]) -> None:
    assert parse_isa_string(isa) == frozenset(names)


@pytest.mark.parametrize("isa", ["", "rv", "rv65i", "mips32", "rv64 i", "rv64i!"])
def test_not_isa_strings(isa: str) -> None:
    assert parse_isa_string(isa) is None


ARM32 = "processor\t: 0\nmodel name\t: ARMv7 rev 4 (v7l)\nFeatures\t: {}\nCPU implementer\t: 0x41\nCPU part\t: {}\n"


def test_32_bit_kernel_on_an_armv8_core() -> None:
    assert functions(ARM32.format("half thumb neon aes pmull sha1 sha2 crc32", "0xd03"))["aes"] is PRESENT
    assert functions(ARM32.format("half thumb neon crc32", "0xd03"))["aes"] is ABSENT
    # Linux before 3.16 did not list this word of capabilities at all.
    assert functions(ARM32.format("half thumb neon", "0xd03"))["aes"] is UNKNOWN
    assert functions(ARM32.format("half thumb neon", "0xc09"))["aes"] is ABSENT


def test_x86_flags_line_that_is_cut() -> None:
    text = "processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: fpu ssse3 aes pclmulq"
    cpu = parse_cpu(text)
    assert cpu.features.functions["aes"] is PRESENT
    assert cpu.features.functions["carryless-multiply"] is UNKNOWN
    assert cpu.features.functions["sha1"] is UNKNOWN
    assert cpu.flags == ("fpu", "ssse3", "aes")
    assert any("ends within a line" in note for note in cpu.notes)


def test_only_the_last_of_several_flags_lines_is_cut() -> None:
    record = "processor\t: {}\nvendor_id\t: GenuineIntel\nflags\t\t: fpu ssse3 aes pclmulqdq"
    assert functions(record.format(0) + "\n\n" + record.format(1)[:-8])["carryless-multiply"] is PRESENT


def test_processors_that_differ_count_what_all_have() -> None:
    text = "processor\t: 0\nflags\t\t: fpu aes ssse3\n\nprocessor\t: 1\nflags\t\t: fpu ssse3\n"
    cpu = parse_cpu(text)
    assert cpu.features.functions["aes"] is ABSENT
    assert any("do not all list" in note for note in cpu.notes)


def test_gigantic_cpuinfo_of_many_processors() -> None:
    text = "".join(f"processor\t: {n}\nflags\t\t: fpu aes\nphysical id\t: 0\ncore id\t\t: {n}\n\n" for n in range(9000))
    cpu = parse_cpu(text, is_truncated=True)
    assert cpu.processors == 8192
    assert any("longer than 4 MB" in note for note in cpu.notes)


def test_unknown_architecture_says_so() -> None:
    cpu = parse_cpu("processor\t: 0\nmystery\t: 1\n")
    assert cpu.architecture is None
    assert cpu.processors == 1
    assert set(cpu.features.functions.values()) == {UNKNOWN}


KEYS = st.sampled_from(
    ["processor", "Processor", "flags", "Features", "isa", "hart", "cpu", "CPU part", "CPU implementer", "vendor_id",
     "cpucaps", "# processors", "facilities", "system type", "cpu model", "core id", "physical id", "siblings",
     "cpu cores", "Serial", "model name", "CPU architecture", "processor 7", "uarch", "mvendorid"]
)  # fmt: skip
VALUES = st.one_of(
    st.text(max_size=40), st.integers().map(str), st.sampled_from(["0x41", "0xd03", "rv64gc_zk", "IBM/S390", "aes ace"])
)
LINES = st.tuples(KEYS, st.sampled_from([":", "\t: ", " :", ""]), VALUES).map("".join)


@settings(max_examples=300)
@given(st.lists(st.one_of(LINES, st.just(""), st.text(max_size=30)), max_size=30).map("\n".join))
def test_any_text_parses(text: str) -> None:
    cpu = parse_cpu(text)
    assert set(cpu.features.functions) == set(FUNCTIONS)
    assert cpu.processors is None or cpu.processors >= 0


@given(st.binary(max_size=400))
def test_any_bytes_parse(data: bytes) -> None:
    parse_cpu(data.decode("utf-8", "replace"))
