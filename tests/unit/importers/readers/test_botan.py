"""botan speed: real output of version 2.19 in its three forms, and what version 3 adds."""

from __future__ import annotations

import json

import pytest

from ipsecbench.errors import DatasetError
from ipsecbench.importers.formats import import_text
from ipsecbench.importers.readers.botan.names import named
from ipsecbench.importers.text import text_of
from tests.unit.importers.reading import codes, data, dataset_of, figures, row


def test_json() -> None:
    dataset = dataset_of(data("botan-2.19.json"), "botan")
    assert len(dataset.measurements) == 37
    found = row(dataset, "encrypt", "aes128gcm16", 1408)
    (figure,) = found.published
    assert (figure.unit, figure.line) == ("B/s", 5)
    assert int(figure.value) == 1814241203  # what it prints as bps
    assert found.detail["implementation"] == "clmul"
    assert "gcm-per-record" in found.flags
    signed = row(dataset, "sign", "ecdsa-256").ns_per_operation
    assert signed is not None
    assert signed.median == pytest.approx(60025744 / 599)
    assert "version-unknown" in codes(dataset)
    assert "inconsistent" not in codes(dataset)


def test_version_3_says_who_it_is() -> None:
    dataset = dataset_of(
        '[\n{"arch": "x86_64", "version": "3.7.1", "git": "0", "compiler": "g++"},\n'
        '{"algo": "ML-KEM-768", "op": "KEM encrypt", "events": 1000, "nanos": 50000000},\n'
        '{"algo": "SHA-512", "op": "hash", "events": 1024000, "bps": 2048000,'
        ' "buf_size": 1024, "nanos": 500000000}\n]\n',
        "botan",
    )
    assert dataset.environment["libraries"][0]["version"] == "Botan 3.7.1"
    assert figures(dataset) == {
        ("encapsulate", "mlkem768", None): ((50000.0, "ns/op"),),
        ("digest", "sha512", 1024): ((2048000.0, "B/s"),),
    }
    assert dataset.measurements[0].published[0].line == 3


def test_lines() -> None:
    dataset = dataset_of(data("botan-2.19.txt"), "botan")
    found = figures(dataset)
    assert found["encrypt", "aes128gcm16", 1024] == ((1633.575, "MiB/s"),)
    assert found["authenticate", "sha256", 1024] == ((1495.931, "MiB/s"),)
    assert found["verify", "rsa-2048", None] == ((44695.0, "op/s"),)
    assert found["agree", "modp2048", None] == ((2387.0, "op/s"),)
    assert found["agree", "ecp256bp", None] == ((2177.0, "op/s"),)
    assert found["sign", "ed25519", None] == ((27416.0, "op/s"),)
    assert found["encrypt", "aes-128-ecb", 1024] == ((7723.141, "MiB/s"),)
    assert len(dataset.measurements) == 48
    assert dataset.source is not None
    assert dataset.source.unread_lines == 0


def test_slow_operations_come_from_their_count() -> None:
    dataset = dataset_of("DH-8192 2 key agreements/sec; 455.00 ms/op (2 ops in 910 ms)\n", "botan")
    assert figures(dataset) == {("agree", "modp8192", None): ((455.0, "ms/op"),)}


def test_a_table_repeats_the_lines_above_it() -> None:
    dataset = dataset_of(data("botan-2.19-table.txt"), "botan")
    assert dataset.environment["libraries"][0]["version"] == "Botan 2.19.3"
    assert figures(dataset)["encrypt", "aes128gcm16", 8192] == ((2082.746, "MiB/s"),)
    assert all(len(one.published) == 1 for one in dataset.measurements)
    text = data("botan-2.19-table.txt").content
    alone = dataset_of(
        text[: text.index("AES-128/GCM")] + text[text.index("\nalgo  ") :] + "x 5 sign/sec; 1 ms/op\n", "botan"
    )
    assert figures(alone)["decrypt", "aes128gcm16", 8192] == ((2155332.87, "kB/s"),)
    assert figures(alone)["agree", "ecp256", None] == ((3009.101341, "op/s"),)


def test_the_table_and_the_line_of_one_run_agree() -> None:
    content = data("botan-2.19-table.txt").content
    line = next(one for one in content.split("\n") if one.startswith("SHA-256 hash buffer size 8192"))
    table = next(one for one in content.split("\n") if one.startswith("SHA-256  ")).split()
    assert float(table[-1]) * 1e3 / 2**20 == pytest.approx(float(line.split()[6]), rel=1e-4)


@pytest.mark.parametrize(
    ("name", "what", "operation", "algorithm", "library"),
    [
        ("AES-256/CBC/PKCS7", "encrypt", "encrypt", "aes256", None),
        ("AES-128/GCM(12)", "decrypt", "decrypt", "aes-128-gcm-12", None),
        ("AES-128 [openssl]", "encrypt", "encrypt", "aes-128-ecb", "openssl"),
        ("AES-128/CTR-BE", "encrypt", "encrypt", "aes128ctr", None),
        ("TripleDES/CBC", "encrypt", "encrypt", "3des", None),
        ("X25519", "key agreements", "agree", "x25519", None),
        ("Curve25519", "keygen", "generate", "x25519", None),
        ("CMAC(AES-128)", "mac", "authenticate", "aescmac", None),
        ("FrodoKEM-640-SHAKE", "KEM decrypt", "decapsulate", "frodokem-640-shake", None),
    ],
)
def test_names(name: str, what: str, operation: str, algorithm: str, library: str | None) -> None:
    found = named(name, what)
    assert (found.operation, found.algorithm, found.library) == (operation, algorithm, library)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('[{"algo": "x", "nanos": 1', "not JSON, or cut short"),
        ('[{"algo": "x", "nanos": 1e999}]', "larger than any number"),
        ('[{"algo": "x", "nanos": NaN}]', "not a number"),
        ('[{"algo": "x", "algo": "y", "nanos": 1}]', "twice in one object"),
        ('[{"algo": "x", "nanos": ' + "[" * 100_000, "not JSON, or cut short"),
        ('[{"algo": "x", "op": "encrypt", "events": -1, "nanos": 5}]', "no result"),
        ('[{"algo": 5, "op": [], "events": true, "nanos": {}}]', "no result"),
    ],
)
def test_hostile_json_is_refused_in_one_line(text: str, reason: str) -> None:
    with pytest.raises(DatasetError, match=reason) as caught:
        import_text(text_of(text.encode()), "botan")
    assert "\n" not in str(caught.value)


def test_a_rate_that_contradicts_its_octets_is_marked() -> None:
    result = {"algo": "SHA-1", "op": "hash", "events": 1000, "nanos": 1000, "bps": 5, "buf_size": 10}
    dataset = dataset_of(f"[\n{json.dumps(result)}\n]", "botan")
    assert "inconsistent" in codes(dataset)
