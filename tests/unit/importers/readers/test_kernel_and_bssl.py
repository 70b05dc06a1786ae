"""tcrypt's log and tables, and bssl speed."""

from __future__ import annotations

import pytest

from ipsecbench.errors import DatasetError
from ipsecbench.importers.formats import import_text
from ipsecbench.importers.readers.tcrypt import kernel_algorithm
from ipsecbench.importers.text import text_of
from tests.unit.importers.reading import codes, dataset_of, datasets_of, figures, row

LOG = """\
[  100.000000] testing speed of async cbc(aes) (cbc-aes-aesni) encryption
[  100.000001] tcrypt: test 0 (128 bit key, 16 byte blocks): 4592322 operations in 1 seconds (73477152 bytes)
[  102.000001] tcrypt: test 4 (128 bit key, 8192 byte blocks): 1000 operations in 2 seconds (8192000 bytes)
[  103.000000] testing speed of rfc4106(gcm(aes)) (rfc4106-gcm-aes-caam) decryption
[  103.000001] tcrypt: test 0 (160 bit key, 1024 byte blocks): 500 operations in 1 seconds (512000 bytes)
[  104.000000] testing speed of async sha1 (sha1-generic)
tcrypt: test  0 (   16 byte blocks,   16 bytes per update,   1 updates): 5341131 opers/sec,  85458096 bytes/sec
tcrypt: test  1 (   64 byte blocks,   16 bytes per update,   4 updates): 3341131 opers/sec, 213832384 bytes/sec
[  105.000000] testing speed of async ecb(aes) (ecb-aes-aesni) encryption
[  105.000001] tcrypt: test 0 (128 bit key, 16 byte blocks): 1 operation in 234 cycles (16 bytes)
"""


def test_every_driver_of_the_log_is_a_dataset() -> None:
    cbc, gcm, sha = datasets_of(LOG, "tcrypt")
    assert figures(cbc) == {
        ("encrypt", "aes128", 16): ((4592322.0, "op/s"),),
        ("encrypt", "aes128", 8192): ((500.0, "op/s"),),
    }
    assert figures(gcm) == {("decrypt", "aes128gcm16", 1024): ((500.0, "op/s"),)}
    assert {"offload-engine", "gcm-per-record"} <= codes(gcm)
    assert figures(sha) == {("digest", "sha1", 16): ((5341131.0, "op/s"),)}
    assert cbc.source is not None
    assert [(one.line, one.reason[:20]) for one in cbc.source.unread] == [
        (8, "a hash in several up"),
        (10, "cycles of a counter "),
    ]
    assert "version-unknown" in codes(cbc)


def test_a_table_of_drivers() -> None:
    table = (
        "cipher | block size | ctr-aes-neon,ghash-ce | ctr-aes-qce,ghash-ce\n"
        "aes-128-gcm | 64 | 4,262,144 | 352,512\naes-128-gcm | 256 | 8,302,336 | 1,3(cut)\n"
    )
    neon, engine = datasets_of(table, "tcrypt")
    assert figures(neon) == {
        ("encrypt", "aes128gcm16", 64): ((4262144.0, "B/s"),),
        ("encrypt", "aes128gcm16", 256): ((8302336.0, "B/s"),),
    }
    assert figures(engine) == {("encrypt", "aes128gcm16", 64): ((352512.0, "B/s"),)}
    assert "offload-engine" in codes(engine)
    assert neon.source is not None
    assert [one.line for one in neon.source.unread] == [3]


@pytest.mark.parametrize(
    ("name", "bits", "token"),
    [
        ("rfc4106(gcm(aes))", 288, "aes256gcm16"),
        ("gcm(aes)", 128, "aes128gcm16"),
        ("rfc3686(ctr(aes))", 160, "aes128ctr"),
        ("xts(aes)", 256, "aes-128-xts"),
        ("rfc7539esp(chacha20,poly1305)", 288, "chacha20poly1305"),
        ("cbc(des3_ede)", 192, "3des"),
        ("cbc(twofish)", 256, "twofish256"),
        ("hmac(sha256)", None, "sha256"),
        ("authenc(hmac(sha1),cbc(aes))", 512, "authenc(hmac(sha1),cbc(aes))-512"),
    ],
)
def test_names_of_the_kernel(name: str, bits: int | None, token: str) -> None:
    assert kernel_algorithm(name, bits) == token


def test_a_log_of_cycles_alone_gives_nothing() -> None:
    lines = LOG.splitlines()
    with pytest.raises(DatasetError, match="cycles of a counter"):
        import_text(text_of("\n".join(lines[-2:]).encode()))


def test_bssl_speed() -> None:
    dataset = dataset_of(
        "$ bssl speed\n"
        "Did 7084000 AES-128-GCM (16 bytes) seal operations in 1000007us (7083950.4 ops/sec): 113.3 MB/s\n"
        "Did 1342000 EVP AEAD-AES-256-GCM decrypt (1350 bytes) operations in 1000029us (1341961.1 ops/sec):"
        " 1811.6 MB/s\n"
        "Did 1626 RSA 2048 signing operations in 1000000us (1626.0 ops/sec)\n"
        "Did 72000 RSA 2048 verify (same key) operations in 1000000us (72000.0 ops/sec)\n"
        "Did 22000 ECDH P-256 operations in 1035035us (21255.3 ops/sec)\n"
        "Did 221 FFDH 2048 operations in 1069156us (206.7 ops/sec)\n"
        "Did 50 Curve25519 arbitrary point multiplication operations in 1000us (99000.0 ops/sec)\n"
        "Did 5 things (1 ops/sec)\n",
        "bssl-speed",
    )
    assert figures(dataset) == {
        ("encrypt", "aes128gcm16", 16): ((7083950.4, "op/s"),),
        ("decrypt", "aes256gcm16", 1350): ((1341961.1, "op/s"),),
        ("sign", "rsa-2048", None): ((1626.0, "op/s"),),
        ("verify", "rsa-2048", None): ((72000.0, "op/s"),),
        ("agree", "ecp256", None): ((21255.3, "op/s"),),
        ("agree", "modp2048", None): ((206.7, "op/s"),),
        ("agree", "x25519", None): ((99000.0, "op/s"),),
    }
    assert "inconsistent" in row(dataset, "agree", "x25519").flags
    assert "gcm-per-record" in codes(dataset)
    assert dataset.source is not None
    assert [one.line for one in dataset.source.unread] == [9]
    rate = row(dataset, "encrypt", "aes128gcm16").megabits_per_second
    assert rate is not None
    assert rate.median == pytest.approx(113.3 * 8, rel=1e-3)
