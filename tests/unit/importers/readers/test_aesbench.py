"""aesbench, its sisters and cryptobench: figures of files, held against the tables that their author made of them."""

from __future__ import annotations

import pytest

from ipsecbench.dataset.model import is_unfit, meaning_of
from ipsecbench.errors import DatasetError
from ipsecbench.importers.formats import import_text
from ipsecbench.importers.text import text_of
from tests.unit.importers.reading import codes, data, dataset_of, datasets_of, figures, row


def test_ciphers_of_aesbench() -> None:
    dataset = dataset_of(data("aesbench-arm-rpi3-cortex-a53.txt"), "aesbench")
    assert len(dataset.measurements) == 16
    found = figures(dataset)
    assert found["encrypt", "aes128", 16000] == ((392085304.0, "bit/s"),)
    assert found["decrypt", "aes256gcm16", 16000] == ((282542269.0, "bit/s"),)
    assert found["encrypt", "aes-256-xts", 16000] == ((371909447.0, "bit/s"),)
    assert dataset.environment["libraries"][0]["version"] == "OpenSSL 3.0.11"
    assert dataset.environment["libraries"][0]["cpu_settings"] == "OPENSSL_armcap=0x1"
    assert dataset.source is not None
    assert (dataset.source.device, dataset.source.unread_lines) == ("arm-rpi3-cortex-a53-linux", 0)


def test_gcm_of_aesbench_is_no_gcm_of_packets() -> None:
    dataset = dataset_of(data("aesbench-arm-rpi3-cortex-a53.txt"), "aesbench")
    assert meaning_of(row(dataset, "encrypt", "aes128gcm16")) == {"gcm-stream"}
    assert meaning_of(row(dataset, "decrypt", "aes128gcm16")) == {"gcm-stream", "tag-not-checked"}
    assert meaning_of(row(dataset, "decrypt", "aes128")) == frozenset()
    assert all("cpu-time" in one.flags for one in dataset.measurements)


def test_hashes_are_of_64_mib() -> None:
    dataset = dataset_of(data("shabench-arm-rpi4-cortex-a72.txt"), "aesbench")
    assert figures(dataset)["digest", "sha512", 64 * 2**20] == ((1165685247.0, "bit/s"),)
    assert {key[1] for key in figures(dataset)} == {"sha1", "sha256", "sha512", "sha3-256", "sha3-512"}


@pytest.mark.parametrize(
    ("name", "operation", "algorithm", "microseconds"),
    [
        ("rsabench", "sign", "rsa-2048", 2003952 / 220),
        ("rsabench", "encrypt", "rsa-4096", 2006584 / 2990),
        ("eccbench", "sign", "ecdsa-256", 2000638 / 17760),
        ("eccbench", "verify", "ecdsa-521", 2024029 / 520),
        ("pqcbench", "encapsulate", "mlkem768", 3000921 / 22410),
        ("pqcbench", "decapsulate", "mlkem1024", 3000540 / 16850),
        ("pqcbench", "sign", "slh-dsa-sha2-256s", 57297010 / 10),
    ],
)
def test_public_keys(name: str, operation: str, algorithm: str, microseconds: float) -> None:
    dataset = dataset_of(data(f"{name}-arm-rpi4-cortex-a72.txt"), "aesbench")
    found = row(dataset, operation, algorithm)
    (figure,) = found.published
    assert figure.unit == "us/op"
    assert figure.value == pytest.approx(microseconds)
    assert dataset.source is not None
    assert dataset.source.unread_lines == 0


@pytest.mark.parametrize(("table", "single", "column"), [("aesbench", "aesbench-arm-rpi3-cortex-a53", "Cortex A53")])
def test_the_author_s_table_says_the_same(table: str, single: str, column: str) -> None:
    parts = datasets_of(data(f"{table}-table.txt"), "aesbench-table")
    (part,) = (one for one in parts if column in str(one.label))
    alone = dataset_of(data(f"{single}.txt"), "aesbench")
    compared = 0
    for one in alone.measurements:
        other = row(part, one.workload.operation, one.workload.algorithm, one.workload.size_bytes)
        assert one.megabits_per_second is not None
        assert other.megabits_per_second is not None
        # The table has three decimals of Gbit/s.
        assert other.megabits_per_second.median == pytest.approx(one.megabits_per_second.median, abs=0.51)
        compared += 1
    assert compared == 16


def test_tables_have_a_dataset_for_each_processor() -> None:
    aes = datasets_of(data("aesbench-table.txt"), "aesbench-table")
    assert len(aes) == 18
    assert figures(aes[0])["encrypt", "aes128gcm16", 16000] == ((50.079, "Gbit/s"),)
    assert figures(aes[5])["decrypt", "aes256gcm16", 16000] == ((108.270, "Gbit/s"),)
    assert aes[5].environment["libraries"][0]["version"] == "OpenSSL 3.2.2"
    assert aes[17].label == "Apple M4 (M4), 4.40 GHz"
    rsa = datasets_of(data("rsabench-table.txt"), "aesbench-table")
    assert figures(rsa[0])["sign", "rsa-2048", None] == ((1924.0, "op/s"),)
    assert rsa[0].source is not None
    assert rsa[0].source.unread_lines == 24  # two tables over the nominal clock
    sha = datasets_of(data("shabench-table.txt"), "aesbench-table")
    assert figures(sha[7])["digest", "sha256", 64 * 2**20] == ((0.804, "Gbit/s"),)


def test_what_is_cut_or_wrong_is_named() -> None:
    dataset = dataset_of(
        "openssl: 3.0.1\nalgo: AES-128-CBC\ndata-size: 1000\nencrypt-microsec: 2000000\nencrypt-size: 1000000\n"
        "encrypt-bitrate: 4000001\ndecrypt-microsec: 2000000\nnonsense: 5\nalgo: P-256\nsign-count: 5\n",
        "aesbench",
    )
    assert "inconsistent" not in codes(dataset)  # the rate is cut to a whole number
    assert len(dataset.measurements) == 1
    assert dataset.source is not None
    assert {one.line for one in dataset.source.unread} == {7, 8, 10}


def test_a_rate_that_contradicts_its_time_is_marked() -> None:
    dataset = dataset_of(
        "algo: SHA1\ndata-size: 1000\nhash-microsec: 1000000\nhash-size: 1000000\nhash-bitrate: 9000000\n", "aesbench"
    )
    assert "inconsistent" in row(dataset, "digest", "sha1").flags
    assert "version-unknown" in codes(dataset)


def test_every_library_of_cryptobench_is_a_provider() -> None:
    dataset = dataset_of(data("cryptobench-cortex-a72.txt"), "cryptobench")
    by_provider = {
        one.workload.provider: one
        for one in dataset.measurements
        if (one.workload.operation, one.workload.algorithm) == ("encrypt", "aes128")
    }
    assert set(by_provider) == {
        f"cryptobench-{name}" for name in ("openssl", "mbedtls", "gnutls", "nettle", "tomcrypt")
    }
    found = by_provider["cryptobench-mbedtls"]
    assert found.workload.size_bytes == 1_000_000
    assert found.ns_per_operation is not None
    assert found.ns_per_operation.median == pytest.approx(5018391 / 460 * 1e3)
    assert len(dataset.measurements) == 140
    assert (dataset.created, dataset.label) == ("2023-09-07T00:00:00+00:00", "Raspberry Pi 4 Model B Rev 1.5")
    assert dataset.environment["hardware"]["platform"]["kernel_release"] == "6.2.0-1011-raspi"
    versions = {one["provider"]: one["version"] for one in dataset.environment["libraries"]}
    assert versions["cryptobench-gnutls"] == "3.7.8"


def test_key_generation_and_set_up_of_cryptobench() -> None:
    dataset = dataset_of(data("cryptobench-cortex-a72.txt"), "cryptobench")
    openssl = {
        (one.workload.operation, one.workload.algorithm): one.published[0].value
        for one in dataset.measurements
        if one.workload.provider == "cryptobench-openssl"
    }
    assert openssl["generate", "rsa-4096"] == 14959971.0
    assert openssl["decrypt", "rsa-2048"] == pytest.approx(5047597 / 1010)
    assert openssl["exp-private", "mod-2048"] == pytest.approx(5035112 / 327)
    assert {"sign-rekey", "load-private"} <= {operation for operation, _ in openssl}


def test_a_library_that_ignores_aes_instructions_is_marked() -> None:
    head = "system: arch: arm64\nsystem: date: 2023-02-31\n"
    line = "{}: aes-128: {}=1,000,000: iterations=1,000: usec-total={}: usec/iter=1: score=1\n"
    times = (
        ("openssl", "425,000", "234,000"),
        ("mbedtls", "4,649,000", "4,496,000"),
        ("nettle", "700,000", "2,000,000"),
    )
    text = head + "".join(
        line.format(name, what, time)
        for name, encrypt, decrypt in times
        for what, time in (("encrypt", encrypt), ("decrypt", decrypt))
    )
    dataset = dataset_of(text, "cryptobench")
    marked = {one.workload.provider for one in dataset.measurements if "instructions-ignored" in one.flags}
    assert marked == {"cryptobench-mbedtls"}
    assert sum("instructions-ignored" in one.flags for one in dataset.measurements) == 2
    assert dataset.measured_on is None  # no calendar has that day


def test_an_emulated_processor_is_never_compared() -> None:
    dataset = dataset_of(data("cryptobench-qemu-riscv64.txt"), "cryptobench")
    assert all(is_unfit(one) for one in dataset.measurements)
    assert "emulated" in codes(dataset)


def test_texts_without_a_figure_say_so() -> None:
    with pytest.raises(DatasetError, match="no algorithm with a time"):
        import_text(text_of(b"algo: SHA1\nhash-microsec: 5\n"))
    with pytest.raises(DatasetError, match="no table of rates"):
        import_text(text_of(b"HASH BITRATE (Gb/s)\n\nCPU x\n"), "aesbench-table")
