"""The benchmark of wolfCrypt: real output of 5.5.4, and the forms of older versions."""

from __future__ import annotations

import pytest

from ipsecbench.errors import DatasetError
from ipsecbench.importers.formats import import_text
from ipsecbench.importers.text import text_of
from tests.unit.importers.reading import codes, data, dataset_of, datasets_of, figures, row

BEGIN = "wolfCrypt Benchmark (block bytes 1048576, min 1.0 sec each)\n"


def test_text() -> None:
    dataset = dataset_of(data("wolfcrypt-5.5.4.txt"), "wolfcrypt")
    found = figures(dataset)
    assert found["encrypt", "aes128", 2**20] == ((147.400, "MiB/s"),)
    assert found["decrypt", "aes256gcm16", 2**20] == ((60.476, "MiB/s"),)
    assert found["encrypt", "chacha20poly1305", 2**20] == ((73.205, "MiB/s"),)
    assert found["authenticate", "sha1", 2**20] == ((429.823, "MiB/s"),)
    assert found["decrypt", "rsa-2048", None] == ((174.920, "op/s"),)
    assert found["agree", "modp2048", None] == ((336.217, "op/s"),)
    assert found["agree", "ecp256bp", None] == ((4192.128, "op/s"),)
    assert found["verify", "ecdsa-256", None] == ((4563.158, "op/s"),)
    assert found["agree", "x25519", None] == ((5183.145, "op/s"),)
    assert found["sign", "ed448", None] == ((4723.485, "op/s"),)
    assert len(dataset.measurements) == 110
    assert dataset.environment["libraries"][0]["version"] == "wolfSSL 5.5.4"
    assert dataset.source is not None
    assert dataset.source.unread_lines == 3  # random numbers, PBKDF2, scrypt


def test_the_rate_is_the_octets_over_the_time() -> None:
    dataset = dataset_of(data("wolfcrypt-5.5.4.txt"), "wolfcrypt")
    found = row(dataset, "encrypt", "aes128").ns_per_operation
    assert found is not None
    assert found.median == pytest.approx(1.018e9 / 150, rel=1e-3)  # 150 blocks of a MiB in 1.018 s


def test_whether_aes_instructions_were_used() -> None:
    line = "AES-128-CBC-{}  65 MiB took 1.001 seconds, 64.947 MiB/s{}\n"
    dataset = dataset_of(BEGIN + line.format("enc", " Cycles per byte =   2.37") + line.format("dec", ""), "wolfcrypt")
    assert "instructions-unknown" not in row(dataset, "encrypt", "aes128").flags  # no software has 2.4 cycles an octet
    assert "instructions-unknown" in row(dataset, "decrypt", "aes128").flags


def test_csv_does_not_say_what_an_mb_is() -> None:
    dataset = dataset_of(data("wolfcrypt-5.5.4.csv"), "wolfcrypt")
    assert figures(dataset)["encrypt", "aes128", 2**20] == ((78.310316, "MiB/s"),)
    assert figures(dataset)["sign", "ecdsa-256", None] == ((14842.351, "op/s"),)
    assert "unit-unclear" in row(dataset, "encrypt", "aes128").flags
    assert "unit-unclear" not in row(dataset, "sign", "ecdsa-256").flags
    assert len(dataset.measurements) == 110


def test_powers_of_ten_and_blocks_of_a_packet() -> None:
    dataset = dataset_of(data("wolfcrypt-5.5.4-base10.txt"), "wolfcrypt")
    assert figures(dataset)["encrypt", "aes128gcm16", 1408] == ((96.635, "MB/s"),)
    assert "gcm-per-record" in row(dataset, "encrypt", "aes128gcm16").flags
    assert "digest-stream" in row(dataset, "authenticate", "sha256").flags
    assert "digest-stream" not in row(dataset, "authenticate", "aes128gmac").flags
    assert "unit-unclear" not in codes(dataset)


@pytest.mark.parametrize(
    ("version", "unit", "expected", "is_unclear"),
    [
        ("5.2.0", "MB", "MiB/s", False),
        ("4.0.0", "mB", "MB/s", False),
        ("5.5.4", "MB", "MB/s", False),
        ("5.7.6", "MiB", "MiB/s", False),
        ("5.4.0", "MB", "MiB/s", True),
        (None, "MB", "MiB/s", True),
    ],
)
def test_what_an_mb_is_depends_on_the_version(version: str | None, unit: str, expected: str, is_unclear: bool) -> None:
    head = "" if version is None else f" wolfSSL version {version}\n"
    line = f"AES-128-CBC-enc   1250 {unit} took 1.002 seconds, 1247.878 {unit}/s Cycles per byte =   2.37\n"
    dataset = dataset_of(head + BEGIN + line, "wolfcrypt")
    assert figures(dataset)["encrypt", "aes128", 2**20] == ((1247.878, expected),)
    assert ("unit-unclear" in codes(dataset)) == is_unclear


def test_old_versions() -> None:
    dataset = dataset_of(
        "AES-GCM  50 megs took 0.053 seconds,  948.912 MB/s Cycles per byte =   2.60\n"
        "RSA 2048 encryption took   0.041 milliseconds, avg over 100 iterations\n"
        "DH  2048 key agreement     0.900 milliseconds, avg over 100 iterations\n",
        "wolfcrypt",
    )
    assert figures(dataset) == {
        ("encrypt", "aes128gcm16", 2**20): ((948.912, "MiB/s"),),
        ("encrypt", "rsa-2048", None): ((0.041, "ms/op"),),
        ("agree", "modp2048", None): ((0.9, "ms/op"),),
    }
    assert {"size-assumed", "unit-unclear", "version-unknown"} <= codes(dataset)


def test_threads_are_added_up() -> None:
    line = "AES-128-CBC-enc   10 MB took 1.000 seconds, {} MB/s\n"
    dataset = dataset_of(
        " wolfSSL version 5.0.0\n" + BEGIN + "Threads: 2\n" + line.format("10.000") + line.format("12.500"), "wolfcrypt"
    )
    found = row(dataset, "encrypt", "aes128", cores=2)
    assert [one.value for one in found.published] == [22.5]
    assert dataset.source is not None
    assert dataset.source.unread_lines == 2


def test_two_runs_side_by_side_are_not_told_apart() -> None:
    line = "AES-128-CBC-enc  65 MB took 1.001 seconds, 64.947 MB/s"
    dataset = dataset_of(BEGIN + line + "\n" + line + "   |\t" + line + "\n", "wolfcrypt")
    assert dataset.source is not None
    assert [one.reason[:23] for one in dataset.source.unread] == ["two figures on one line"]


def test_two_runs_one_after_the_other_are_two_datasets() -> None:
    line = "SHA-256  65 MiB took 1.001 seconds, 64.947 MiB/s\n"
    assert len(datasets_of(BEGIN + line + BEGIN + line, "wolfcrypt")) == 2


def test_a_run_without_a_figure_says_so() -> None:
    with pytest.raises(DatasetError, match="no line with a rate"):
        import_text(text_of(BEGIN.encode()))
