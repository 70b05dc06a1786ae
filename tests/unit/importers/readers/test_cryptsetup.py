"""cryptsetup benchmark: ciphers of the kernel and PBKDF2 are read; what else looks like a figure is named."""

from __future__ import annotations

import pytest

from ipsecbench.bench.measurement import Tier
from ipsecbench.errors import DatasetError
from ipsecbench.importers.formats import import_text
from ipsecbench.importers.readers.cryptsetup import cipher_token
from ipsecbench.importers.text import text_of
from tests.unit.importers.reading import codes, data, dataset_of, datasets_of, figures, row

RUN = """\
cryptsetup 2.6.1 flags: UDEV BLKID KEYRING KERNEL_CAPI
$ cryptsetup benchmark
# Tests are approximate using memory only (no storage IO).
PBKDF2-sha1      1020016 iterations per second for 256-bit key
argon2id      4 iterations, 1048576 memory, 4 parallel threads (CPUs) for 256-bit key (requested 2000 ms time)
#     Algorithm |       Key |      Encryption |      Decryption
        aes-cbc        128b      1000.0 MiB/s      2000,5 MiB/s
    serpent-cbc        256b               N/A               N/A
        aes-xts        256b        10.0 MiB/s        40.0 MiB/s
xchacha12,aes-adiantum 256b        50.0 MiB/s               N/A
"""


def test_every_figure_is_read_and_the_rest_is_named() -> None:
    dataset = dataset_of(RUN, "cryptsetup")
    assert figures(dataset) == {
        ("derive", "pbkdf2-sha1", None): ((1020016.0, "op/s"),),
        ("encrypt", "aes128", 65536): ((1000.0, "MiB/s"),),
        ("decrypt", "aes128", 65536): ((2000.5, "MiB/s"),),
        ("encrypt", "aes-128-xts", 65536): ((10.0, "MiB/s"),),
        ("decrypt", "aes-128-xts", 65536): ((40.0, "MiB/s"),),
        ("encrypt", "xchacha12,aes-adiantum-256", 65536): ((50.0, "MiB/s"),),
    }
    assert dataset.source is not None
    assert [(one.line, one.reason) for one in dataset.source.unread] == [
        (5, "parameters that were chosen to take a given time, and no rate"),
        (8, "serpent-cbc with 256 bits: not available on the box"),
        (10, "xchacha12,aes-adiantum-256 decrypt: not available on the box"),
    ]
    assert dataset.environment["libraries"][0]["version"] == "2.6.1"
    assert {one.workload.tier for one in dataset.measurements} == {Tier.PRIMITIVE}


def test_a_request_is_64_kib_of_mebibytes() -> None:
    found = row(dataset_of(RUN, "cryptsetup"), "encrypt", "aes128")
    assert found.ns_per_operation is not None
    assert found.ns_per_operation.median == pytest.approx(1e9 / 16000)  # 16 requests of 64 KiB are a MiB
    assert found.detail["interface"] == "AF_ALG"


def test_the_mebibyte_that_is_counted_too_much_matters_for_slow_ciphers() -> None:
    dataset = dataset_of(RUN, "cryptsetup")
    assert "overstated" in row(dataset, "encrypt", "aes-128-xts").flags
    assert "overstated" not in row(dataset, "decrypt", "aes-128-xts").flags
    assert codes(dataset) == {"overstated", "cpu-time", "spread-assumed", "date-unknown"}


def test_a_real_run_without_the_kernel_module() -> None:
    dataset = dataset_of(data("cryptsetup-2.6.1.txt"), "cryptsetup")
    assert figures(dataset)["derive", "pbkdf2-sha256", None] == ((4315127.0, "op/s"),)
    assert len(dataset.measurements) == 5
    assert dataset.source is not None
    assert dataset.source.unread_lines == 2  # the two of Argon2


@pytest.mark.parametrize(
    ("name", "bits", "token"),
    [
        ("aes-cbc", 128, "aes128"),
        ("twofish-cbc", 256, "twofish256"),
        ("aes-xts", 512, "aes-256-xts"),
        ("aes-ctr", 256, "aes256ctr"),
        ("cast5-cbc-essiv:sha256", 128, "cast5-cbc-essiv:sha256-128"),
    ],
)
def test_names_of_the_kernel(name: str, bits: int, token: str) -> None:
    assert cipher_token(name, bits) == token


def test_words_of_other_languages() -> None:
    dataset = dataset_of(
        "PBKDF2-sha256    1135128 Iterationen pro Sekunde für 256-Bit-Schlüssel\n"
        "#  Algorithmus |   Schlüssel | Verschlüsselung | Entschlüsselung\n"
        "        aes-cbc        128b      1162,2 MiB/s      3190,4 MiB/s\n"
        "    serpent-cbc        128b    Nicht verfügbar   Nicht verfügbar\n",
        "cryptsetup",
    )
    assert figures(dataset) == {
        ("derive", "pbkdf2-sha256", None): ((1135128.0, "op/s"),),
        ("encrypt", "aes128", 65536): ((1162.2, "MiB/s"),),
        ("decrypt", "aes128", 65536): ((3190.4, "MiB/s"),),
    }
    assert dataset.source is not None
    assert [one.line for one in dataset.source.unread] == [4]


def test_two_runs_of_one_text_are_two_datasets() -> None:
    found = datasets_of(RUN + RUN, "cryptsetup")
    assert [one.source.part for one in found if one.source is not None] == ["run 1", "run 2"]
    assert [len(one.measurements) for one in found] == [6, 6]


def test_what_a_test_laboratory_passes_on() -> None:
    dataset = dataset_of(
        "<TEST_CASE_ID=cryptsetup-benchmark-sha1 RESULT=pass MEASUREMENT=1646116 UNITS=iter/s>\n"
        "<TEST_CASE_ID=cryptsetup-benchmark-aes-cbc_128-encryption RESULT=pass MEASUREMENT=1076.7 UNITS=MiB/s>\n"
        "<TEST_CASE_ID=cryptsetup-benchmark-aes-cbc_128-decryption RESULT=fail MEASUREMENT=0 UNITS=MiB/s>\n",
        "cryptsetup",
    )
    assert figures(dataset) == {
        ("derive", "pbkdf2-sha1", None): ((1646116.0, "op/s"),),
        ("encrypt", "aes128", 65536): ((1076.7, "MiB/s"),),
    }
    assert dataset.source is not None
    assert dataset.source.unread_lines == 1
    assert "version-unknown" in codes(dataset)


def test_a_text_without_a_rate_says_so() -> None:
    with pytest.raises(DatasetError, match="no rate in it"):
        import_text(text_of(b"# Tests are approximate using memory only (no storage IO).\n"))
