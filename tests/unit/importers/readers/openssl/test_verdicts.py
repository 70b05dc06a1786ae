"""What figures of ``openssl speed`` are worth: each verdict where it belongs, and nowhere else."""

from __future__ import annotations

import pytest

from ipsecbench.dataset.model import is_unfit, meaning_of
from ipsecbench.dataset.source import VERDICT_KINDS
from ipsecbench.importers.readers.openssl_speed import Box, read_tables
from ipsecbench.importers.readers.openssl_speed.bounds import most_bytes_per_second
from ipsecbench.importers.readers.openssl_speed.verdicts import MESSAGES, aes_by_settings, has_aes_masked
from ipsecbench.importers.readers.openssl_speed.versions import version_of
from ipsecbench.importers.sheet import Sheet
from ipsecbench.importers.text import text_of
from tests.unit.importers.readers.openssl.reading import dataset, datasets, flags, row


def table(name: str, size: int = 64, rate: float = 100000.0) -> str:
    return f"type  {size} bytes\n{name}  {rate:.2f}k\n"


def of(
    name: str, version: str | None, *, command: str = "openssl speed -elapsed", size: int = 64, box: Box | None = None
) -> set[str]:
    """The verdicts of one figure."""
    sheet = Sheet(text_of(b"x"), "openssl-speed")
    read_tables(sheet, table(name, size).splitlines(), 1, version=version, command=command, box=box)
    (only,) = sheet.dataset().measurements
    return set(only.flags) - {"spread-assumed"}


RECORD, STREAM = {"gcm-per-record", "key-per-record"}, {"gcm-stream"}


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("OpenSSL 1.0.2k-fips  26 Jan 2017", STREAM),
        ("OpenSSL 1.1.1w  11 Sep 2023", STREAM),
        ("OpenSSL 3.0.15 3 Sep 2024", STREAM),
        ("OpenSSL 3.0.16 11 Feb 2025", RECORD),
        ("OpenSSL 3.1.7", STREAM),
        ("OpenSSL 3.1.8", RECORD),
        ("OpenSSL 3.2.3", STREAM),
        ("OpenSSL 3.2.4", RECORD),
        ("OpenSSL 3.3.2", STREAM),
        ("OpenSSL 3.3.3", RECORD),
        ("OpenSSL 3.4.0", STREAM),
        ("OpenSSL 3.4.1", RECORD),
        ("OpenSSL 3.5.0", RECORD),
        ("OpenSSL 4.0.2", RECORD),
        ("LibreSSL 3.8.2", STREAM),
        (None, {"version-unknown", "gcm-unknown"}),
    ],
)
def test_what_a_call_of_gcm_is_depends_on_the_version(version: str | None, expected: set[str]) -> None:
    assert of("AES-128-GCM", version) == expected


def test_records_of_tls_are_records_in_every_version() -> None:
    assert of("aes-128-gcm", "OpenSSL 1.1.1w", command="openssl speed -elapsed -evp aes-128-gcm -aead") == {
        "gcm-per-record"
    }
    assert (
        of("chacha20-poly1305", "OpenSSL 3.5.7", command="openssl speed -elapsed -evp chacha20-poly1305 -aead")
        == STREAM
    )
    assert of("aes-128 gcm", "LibreSSL 3.8.2") == {"gcm-per-record"}


def test_calls_of_chacha20_poly1305_are_a_stream_in_every_version() -> None:
    for version in ("OpenSSL 1.1.1w", "OpenSSL 3.0.17", "OpenSSL 3.5.7"):
        assert of("ChaCha20-Poly1305", version) == STREAM


def test_decryption_checks_its_tag_since_it_makes_records() -> None:
    command = "openssl speed -elapsed -evp aes-128-gcm -decrypt"
    assert of("AES-128-GCM", "OpenSSL 3.0.15", command=command) == {*STREAM, "tag-not-checked"}
    assert of("AES-128-GCM", "OpenSSL 3.0.16", command=command) == RECORD
    assert of("ChaCha20-Poly1305", "OpenSSL 3.5.7", command=command) == {*STREAM, "tag-not-checked"}
    assert of("AES-128-CBC", "OpenSSL 3.0.15", command=command) == set()


@pytest.mark.parametrize(
    ("name", "version", "has_aes", "expected"),
    [
        ("aes-128 cbc", "OpenSSL 1.1.1w", True, {"instructions-ignored"}),
        ("aes-128 cbc", "OpenSSL 1.1.1w", None, {"instructions-unknown"}),
        ("aes-128 cbc", "OpenSSL 1.1.1w", False, set()),
        ("aes-256 ige", "OpenSSL 1.1.1w", True, {"instructions-ignored"}),
        ("aes-128-cbc", "OpenSSL 1.1.1w", True, set()),
        ("aes-128-cbc", "OpenSSL 3.0.2", None, set()),
        ("AES-128-CBC", "OpenSSL 3.0.2", None, set()),
        ("aes-128-cbc", "OpenSSL 1.0.0", True, {"instructions-ignored"}),
        ("camellia-128 cbc", "OpenSSL 1.1.1w", True, set()),
    ],
)
def test_aes_instructions_are_not_used_below_evp(
    name: str, version: str, has_aes: bool | None, expected: set[str]
) -> None:
    assert of(name, version, box=Box(has_aes=has_aes)) == expected


def test_aes_below_evp_uses_the_instructions_of_s390x() -> None:
    assert of("aes-128 cbc", "OpenSSL 1.1.1w", box=Box(has_aes=True, uses_aes_below_evp=True)) == set()


def test_instructions_that_the_run_hides() -> None:
    made = dataset(
        'OPENSSL_ia32cap="~0x200000200000000" openssl speed -elapsed -evp aes-128-cbc\n' + table("aes-128-cbc")
    )
    assert "instructions-ignored" in flags(made, "encrypt", "aes128", 64)
    other = dataset("OPENSSL_ia32cap=~0x200000000 openssl speed -elapsed -evp aes-128-cbc\n" + table("aes-128-cbc"))
    assert "instructions-ignored" not in flags(other, "encrypt", "aes128", 64)


def test_instructions_that_are_switched_off_on_arm() -> None:
    made = dataset("OPENSSL_armcap=0 openssl speed -elapsed -evp aes-128-cbc\n" + table("aes-128-cbc"))
    assert "instructions-ignored" in flags(made, "encrypt", "aes128", 64)


def test_errors_of_the_library_beside_the_figures() -> None:
    # openssl#22773: CCM is refused, and each refusal counted.
    error = (
        "40A7982BB27F0000:error:1C800066:Provider routines:ossl_ccm_stream_update:cipher operation failed:ccm.c:278:\n"
    )
    made = dataset("openssl speed -elapsed -evp aes-128-ccm -decrypt\nversion: 3.0.12\n" + table("AES-128-CCM") + error)
    assert "calls-fail" in flags(made, "decrypt", "aes128ccm16", 64)


@pytest.mark.parametrize(
    ("settings", "found", "masked"),
    [
        # Bit 57 of the first word is AES-NI: 0xfe… has it, 0xfc… has not.
        ("OPENSSL_ia32cap=0xfeda32235f8bffff:0x405f46f1bf2fb9", True, False),
        ("OPENSSL_ia32cap=0xfcda32235f8bffff:0x405f46f1bf2fb9", False, False),
        ("OPENSSL_ia32cap=0xfcda32235f8bffff:0x405f46f1bf2fb9 env:~0x200000000000000", None, True),
        ("OPENSSL_ia32cap=~0x200000200000000", None, True),
        # Bit 2 is AES of ARMv8: 0xbf has it, 0x83 has not.
        ("OPENSSL_armcap=0xbf", True, False),
        ("OPENSSL_armcap=0x83", False, False),
        (None, None, False),
        ("N/A", None, False),
    ],
)
def test_what_the_library_found(settings: str | None, found: bool | None, masked: bool) -> None:
    assert aes_by_settings(settings) is found
    assert has_aes_masked(settings) is masked


def test_divisor() -> None:
    assert "cpu-time" in of("sha256", "OpenSSL 3.0.2", command="openssl speed sha256")
    assert of("sha256", "OpenSSL 3.0.2", command="openssl speed -elapsed sha256") == set()
    assert flags(dataset(table("sha256")), "digest", "sha256", 64) == {"version-unknown", "divisor-unknown"}
    notice = "You have chosen to measure elapsed time instead of user CPU time.\n"
    assert flags(dataset(notice + table("sha256")), "digest", "sha256", 64) == {"version-unknown"}


def test_an_engine_without_elapsed_time_is_unfit() -> None:
    made = dataset("openssl speed -engine afalg -evp aes-256-cbc\n" + table("aes-256-cbc"))
    assert "engine-cpu-time" in flags(made, "encrypt", "aes256", 64)
    assert is_unfit(row(made, "encrypt", "aes256", 64))
    timed = dataset("openssl speed -elapsed -engine afalg -evp aes-256-cbc\n" + table("aes-256-cbc"))
    assert "offload-engine" in flags(timed, "encrypt", "aes256", 64)
    assert not is_unfit(row(timed, "encrypt", "aes256", 64))
    assert meaning_of(row(timed, "encrypt", "aes256", 64)) == {"offload-engine"}


def test_an_engine_that_nobody_names_shows_in_the_processor_time() -> None:
    count = "Doing aes-256-cbc for 3s on 8192 size blocks: 11461 aes-256-cbc's in {}s\n"
    assert "engine-cpu-time" in flags(dataset(count.format("0.05")), "encrypt", "aes256", 8192)
    assert "engine-cpu-time" not in flags(dataset(count.format("2.40")), "encrypt", "aes256", 8192)


def test_an_engine_in_a_heading_and_the_time_of_the_shell() -> None:
    software = (
        "time openssl speed -evp aes-256-ctr\n"
        + table("aes-256-ctr")
        + "real    0m 18.08s\nuser    0m 18.05s\nsys     0m 0.03s\n"
    )
    engine = (
        "eip93:\n" + table("aes-256-ctr", rate=5585305.60) + "real    0m 18.32s\nuser    0m 1.34s\nsys     0m 10.15s\n"
    )
    first, second = datasets(f"{software}\n{engine}")
    assert "cpu-time" in flags(first, "encrypt", "aes256ctr", 64)
    assert "engine-cpu-time" in flags(second, "encrypt", "aes256ctr", 64)
    (message,) = [verdict.message for verdict in second.verdicts if verdict.code == "engine-cpu-time"]
    # 1.34 of 18.32 seconds.
    assert "eip93" in message
    assert "7%" in message


@pytest.mark.parametrize(
    ("name", "size", "expected"),
    [
        ("AES-128-CBC", 1400, {"size-not-whole-blocks"}),
        ("AES-128-CBC", 1408, set()),
        ("des-ede3", 1404, {"size-not-whole-blocks"}),
        ("des-ede3", 1400, set()),
        ("AES-128-CBC-HMAC-SHA1", 1400, {"calls-fail"}),
        ("AES-128-CBC-HMAC-SHA1", 1408, set()),
        ("AES-128-CTR", 1401, set()),
        ("sha256", 1401, set()),
    ],
)
def test_sizes_that_are_no_whole_blocks(name: str, size: int, expected: set[str]) -> None:
    assert of(name, "OpenSSL 3.0.2", size=size) == expected


def test_bounds_by_hand() -> None:
    # 10 rounds of 2 cycles for 16 octets at 6.5 GHz: 5.2 GB/s; 14 rounds: 3.71.
    assert most_bytes_per_second("encrypt", "aes128", 1, None, None) == pytest.approx(5.2e9)
    assert most_bytes_per_second("encrypt", "aes256", 2, True, None) == pytest.approx(2 * 16 / 28 * 6.5e9)
    # Decryption and counter modes have no chain: 8 blocks at once.
    assert most_bytes_per_second("decrypt", "aes128", 1, True, None) == pytest.approx(83.2e9)
    assert most_bytes_per_second("encrypt", "aes128gcm16", 1, True, 1e9) == pytest.approx(12.8e9 * 1.05)
    # 160 look-ups, three in a cycle, for 16 octets.
    assert most_bytes_per_second("encrypt", "aes128", 1, False, 880e6) == pytest.approx(0.3 * 880e6 * 1.05)
    assert most_bytes_per_second("encrypt", "3des", 1, False, 880e6) is None


def test_faster_than_the_instructions() -> None:
    made = dataset("openssl speed -elapsed -evp aes-128-cbc\n" + table("aes-128-cbc", 16384, 5300000.0))
    assert "above-instruction-set" in flags(made, "encrypt", "aes128", 16384)
    assert is_unfit(row(made, "encrypt", "aes128", 16384))
    two = dataset("openssl speed -elapsed -multi 2 -evp aes-128-cbc\n" + table("aes-128-cbc", 16384, 5300000.0))
    assert "above-instruction-set" not in flags(two, "encrypt", "aes128", 16384, 2)
    # EPYC 9655, GCM with VAES at 4.5 GHz, 23 GB/s: the fastest that is published.
    gcm = dataset("version: 3.6.0\n" + table("AES-128-GCM", 16384, 23970126.57))
    assert "above-instruction-set" not in flags(gcm, "encrypt", "aes128gcm16", 16384)


def test_every_verdict_has_its_kind_and_a_message_of_one_line() -> None:
    for code, message in MESSAGES.items():
        assert code in VERDICT_KINDS
        assert message == " ".join(message.split())


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("OpenSSL 1.0.2k-fips  26 Jan 2017", ("OpenSSL", (1, 0, 2))),
        ("OpenSSL 1.1.1n, built on 15 Mar 2022", ("OpenSSL", (1, 1, 1))),
        ("OpenSSL (version 1.0.1f, built on 6 Jan 2014", ("OpenSSL", (1, 0, 1))),
        ("OpenSSL 3.0.2, built on 15 Mar 2022 (Library: OpenSSL 3.0.2 15 Mar 2022)", ("OpenSSL", (3, 0, 2))),
        ("version: 3.0.0-beta3-dev", ("OpenSSL", (3, 0, 0))),
        ("LibreSSL 2.6.5", ("LibreSSL", (2, 6, 5))),
        ("LibreSSL 4.0", ("LibreSSL", (4, 0, 0))),
        ("OpenSSL 0.9.8g-13", ("OpenSSL", (0, 9, 8))),
        ("OpenSSL 1.0.2i-freebsd 22 Sep 2016", ("OpenSSL", (1, 0, 2))),
    ],
)
def test_versions(line: str, expected: tuple[str, tuple[int, int, int]]) -> None:
    found = version_of(line)
    assert found is not None
    assert (found.library, found.numbers) == expected


@pytest.mark.parametrize(
    "line", ["OpenSSL is slow here", "built on: 2022", "version: unknown", "OpenSSL 99999.1.1", "3.0.2", ""]
)
def test_lines_without_a_version(line: str) -> None:
    assert version_of(line) is None
