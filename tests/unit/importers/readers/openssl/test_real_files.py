"""Files of real boxes: every figure here was read off the file by eye."""

from __future__ import annotations

from pathlib import Path

import pytest

from ipsecbench.bench.measurement import Measurement, Tier, Workload
from ipsecbench.dataset.codec import from_document, to_document
from ipsecbench.dataset.model import Dataset
from ipsecbench.importers.formats import import_text
from ipsecbench.importers.text import read_text

DATA = Path(__file__).parents[4] / "data" / "openssl-speed"


def read(name: str) -> tuple[Dataset, ...]:
    return import_text(read_text(DATA / name))


def row(dataset: Dataset, operation: str, algorithm: str, size: int | None = None, cores: int = 1) -> Measurement:
    found = dataset.get(Workload(Tier.PRIMITIVE, "openssl-speed", operation, algorithm, size, None, cores))
    assert found is not None, f"{operation} {algorithm} {size}"
    return found


def published(dataset: Dataset, *workload: str | int | None) -> list[tuple[float, str, int | None]]:
    return [(one.value, one.unit.value, one.line) for one in row(dataset, *workload).published]  # type: ignore[arg-type]


def test_a_router_with_openssl_1_1_1() -> None:
    (dataset,) = read("chromabox-openwrt_2203_5_mt7621.txt")
    assert dataset.environment["libraries"][0]["version"] == "OpenSSL 1.1.1u 30 May 2023"
    assert published(dataset, "encrypt", "aes128", 1024) == [(12163.83, "kB/s", 12)]
    assert published(dataset, "encrypt", "aes256gcm16", 16384) == [(5258.12, "kB/s", 15)]
    # 714.67k: thousands of octets, though fewer than 10000.
    assert published(dataset, "digest", "sha512", 16) == [(714.67, "kB/s", 18)]
    assert published(dataset, "encrypt", "chacha20poly1305", 64) == [(17043.84, "kB/s", 21)]
    assert published(dataset, "agree", "ecp256") == [(56.0, "op/s", 26)]
    # Of 0.1584s and 6.3, the time is printed more exactly.
    assert published(dataset, "agree", "ecp521") == [(0.1584, "s/op", 28)]
    assert published(dataset, "agree", "x25519") == [(602.1, "op/s", 35)]
    assert published(dataset, "verify", "ed25519") == [(559.9, "op/s", 38)]
    # 12163.83 thousand octets a second are 84.18 microseconds for 1024 octets.
    estimate = row(dataset, "encrypt", "aes128", 1024).ns_per_operation
    assert estimate is not None
    assert estimate.median == pytest.approx(84184, rel=1e-4)
    assert len(dataset.measurements) == 8 * 6 + 14 + 2 * 2
    assert "gcm-stream" in row(dataset, "encrypt", "aes128gcm16", 64).flags
    assert "gcm-stream" not in row(dataset, "encrypt", "aes128", 64).flags
    assert dataset.source is not None
    assert dataset.source.unread_lines == 0
    assert dataset.source.licence == "MIT, (c) 2023 chromabox"


def test_every_run_of_openssl_3_in_one_file_is_one_dataset() -> None:
    (dataset,) = read("chromabox-ubuntu_2304_intel_i7_13700.txt")
    assert dataset.environment["libraries"][0]["version"] == "OpenSSL 3.0.8"
    assert published(dataset, "digest", "blake2b512", 8192)[0][:2] == (1375021.74, "kB/s")
    assert published(dataset, "encrypt", "chacha20poly1305", 16)[0][:2] == (550087.96, "kB/s")
    assert {verdict.code for verdict in dataset.verdicts} == {"gcm-stream", "spread-assumed", "date-unknown"}


def test_whole_run_of_openssl_3() -> None:
    (dataset,) = read("virtualclient-results.txt")
    assert dataset.environment["libraries"][0]["version"] == "OpenSSL 3.0.0-beta3-dev"
    assert dataset.environment["libraries"][0]["cpu_settings"] == "OPENSSL_ia32cap=0xfeda32235f8bffff:0x405f46f1bf2fb9"
    assert published(dataset, "authenticate", "md5", 64)[0][:2] == (180417.03, "kB/s")
    assert published(dataset, "encrypt", "3des", 16384)[0][:2] == (29238.89, "kB/s")
    assert published(dataset, "encrypt", "camellia192", 256)[0][:2] == (130669.72, "kB/s")
    assert published(dataset, "generate", "rand", 16)[0][:2] == (12140.14, "kB/s")
    assert published(dataset, "sign", "rsa-2048")[0][:2] == (3121.9, "op/s")
    assert published(dataset, "sign", "rsa-15360")[0][:2] == (0.210629, "s/op")
    assert published(dataset, "verify", "dsa-1024")[0][:2] == (10559.9, "op/s")
    assert published(dataset, "sign", "ecdsa-256")[0][:2] == (34201.9, "op/s")
    assert published(dataset, "verify", "ecdsa-nistb571")[0][:2] == (214.1, "op/s")
    assert published(dataset, "sign", "ecdsa-brainpoolp512t1")[0][:2] == (600.2, "op/s")
    assert published(dataset, "agree", "ecp384bp")[0][:2] == (653.8, "op/s")
    assert published(dataset, "agree", "x448")[0][:2] == (3477.0, "op/s")
    assert published(dataset, "sign", "ed448")[0][:2] == (4538.8, "op/s")
    assert published(dataset, "verify", "sm2")[0][:2] == (3079.5, "op/s")
    assert published(dataset, "agree", "modp3072")[0][:2] == (155.0, "op/s")
    # 14 rows of 6 sizes, 7 RSA and 3 DSA of two, 22 ECDSA of two, 24 ECDH, 2 EdDSA and 1 SM2 of two, 5 FFDH.
    assert len(dataset.measurements) == 14 * 6 + 10 * 2 + 22 * 2 + 24 + 3 * 2 + 5
    assert "divisor-unknown" in row(dataset, "encrypt", "aes128", 16).flags
    assert "gcm-stream" not in {verdict.code for verdict in dataset.verdicts}
    assert from_document(to_document(dataset)) == dataset


def test_negative_figures_are_named_and_the_rest_is_read() -> None:
    (dataset,) = read("virtualclient-results-with-anomalies.txt")
    whole = read("virtualclient-results.txt")[0]
    assert dataset.source is not None
    # Counted in the file by eye: 18 negative numbers.
    assert dataset.source.unread_lines == 18
    assert len(dataset.measurements) == len(whole.measurements) - 18
    assert published(dataset, "digest", "md5", 64)[0][:2] == (234491.80, "kB/s")
    # 29235.10 without a k cannot be: three digits more than the 10000 octets a second below which it is left out.
    assert dataset.source.unread[0].line == 12


@pytest.mark.parametrize(
    ("name", "workload", "figure"),
    [
        ("virtualclient-multi-ecdhx448.txt", ("agree", "x448", None, 16), (42896.0, "op/s", 29)),
        ("virtualclient-multi-ed25519.txt", ("sign", "ed25519", None, 16), (261116.2, "op/s", 43)),
        ("virtualclient-multi-ed25519.txt", ("verify", "ed25519", None, 16), (78003.2, "op/s", 43)),
        ("virtualclient-md5-results-multi.txt", ("digest", "md5", 1024, 4), (2200152.47, "kB/s", 30)),
    ],
)
def test_totals_of_several_processes_are_the_figures(
    name: str, workload: tuple[str, str, int | None, int], figure: tuple[float, str, int]
) -> None:
    (dataset,) = read(name)
    assert published(dataset, *workload)[0][:2] == figure[:2]
    assert "inconsistent" not in row(dataset, *workload).flags


def test_what_processes_did_is_summed_where_there_is_no_total() -> None:
    (dataset,) = read("virtualclient-md5-results-multi.txt")
    # By hand: 239061878.40 + 249116662.40 + 248153398.40 + 235048406.40 octets a second.
    ((value, unit, _),) = published(dataset, "encrypt", "aes128", 16, 4)
    assert value == pytest.approx(971380345.6)
    assert unit == "B/s"
    assert "multi-summed" in row(dataset, "encrypt", "aes128", 16, 4).flags


def test_times_and_rates_that_do_not_agree_are_said_to() -> None:
    (dataset,) = read("virtualclient-rsa2048-results.txt")
    # 0.000790 s is 1265.8 a second, not 1316.7.
    assert "inconsistent" in row(dataset, "sign", "rsa-2048").flags
    (other,) = read("virtualclient-rsa4096-results.txt")
    assert published(other, "decrypt", "rsa-4096")[0][:2] == (3127.0, "op/s")
    assert published(other, "encrypt", "rsa-4096")[0][:2] == (252626.6, "op/s")
    assert "inconsistent" not in row(other, "sign", "rsa-4096").flags


def test_a_row_without_its_sizes_gives_no_figure() -> None:
    (dataset,) = read("virtualclient-md5-results-multi-with-type-subset.txt")
    assert {measured.workload.algorithm for measured in dataset.measurements} == {"aes128"}
    assert dataset.source is not None
    assert [one.reason for one in dataset.source.unread] == ["1 values below 6 sizes"]


def test_openssl_on_windows() -> None:
    (dataset,) = read("chromabox-win11_intel_i5_12400.txt")
    assert dataset.environment["libraries"][0]["version"] == "OpenSSL 1.1.1i 8 Dec 2020"
