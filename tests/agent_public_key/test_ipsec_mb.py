"""The provider libipsec-mb: agreement with libcrypto, the mask, and libraries that are not admitted."""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.agent

Rows = Mapping[tuple[str, str, str], Mapping[str, Any]]
Start = Callable[..., Any]

KEY_BYTES = {"aes128": 16, "aes192": 24, "aes256": 32, "3des": 24, "des": 8, "null": 0, "chacha20poly1305": 32}
MAC_KEY_BYTES = {"md5": 16, "sha1": 20, "sha256": 32, "sha384": 48, "sha512": 64, "aesxcbc": 16, "aescmac": 16}
CBC_IV_BYTES = {"aes128": 16, "aes192": 16, "aes256": 16, "3des": 8, "des": 8}
SUITES = [
    *(f"{cipher}-{mac}" for cipher in ("aes128", "aes256", "aes128ctr", "null") for mac in MAC_KEY_BYTES),
    *("aes192-sha1", "aes192ctr-sha256", "3des-md5", "3des-sha512", "des-sha1", "chacha20poly1305"),
    *(f"aes{bits}gcm{icv}" for bits in (128, 192, 256) for icv in (8, 12, 16)),
    *(f"aes{bits}ccm{icv}" for bits in (128, 256) for icv in (8, 12, 16)),
    *("aes128gmac", "aes192gmac", "aes256gmac"),
]


@pytest.fixture(autouse=True)
def library(rows: Rows) -> None:
    """Without the library there is nothing to test but that the agent says so."""
    reason = rows["libipsec-mb", "primitive", "aes128"]["reason"]
    if reason:
        pytest.skip(reason)


def key_bytes(suite: str) -> tuple[int, int]:
    """Octets of the encryption key with its salt, and of the integrity key."""
    cipher, _, mac = suite.partition("-")
    base = cipher[:6] if cipher.startswith("aes") else cipher
    salt = 3 if "ccm" in cipher else 4 if cipher not in KEY_BYTES or cipher == "chacha20poly1305" else 0
    return KEY_BYTES[base] + salt, MAC_KEY_BYTES.get(mac, 0)


@pytest.mark.parametrize("size", [1000, 1500, 1518, 1700])
def test_packets_in_flight_at_the_end_of_the_ring_keep_their_outputs(agent: Any, size: int) -> None:
    # 303 packets of 1518 octets fill the ring: no multiple of the packets that have outputs at a time.
    answer = agent.ask(
        "speed", provider="libipsec-mb", tier="packet-loop", operation="inbound", algorithm="aes128ccm16",
        size_bytes=size, iterations=2000,
    )  # fmt: skip
    assert answer["type"] == "sample", answer
    assert answer["workers"][0]["iterations"] == 2000


@pytest.mark.parametrize("esn", [False, True])
@pytest.mark.parametrize("suite", SUITES)
def test_packets_are_those_of_libcrypto(agent: Any, unless_offered: Callable[..., None], suite: str, esn: bool) -> None:
    unless_offered(suite, "libcrypto", "packet-loop")
    source = random.Random(f"{suite}{esn}")
    encryption, integrity = (source.randbytes(length) for length in key_bytes(suite))
    common = {"tier": "packet-loop", "esn": esn, "encryption_key": encryption, "integrity_key": integrity}
    for length in (1, 20, 63, 64, 65, 1400, 9000):
        sequence = source.randrange(1, 2**64 if esn else 2**32)
        iv = source.randbytes(CBC_IV_BYTES.get(suite.partition("-")[0], 0 if suite.startswith("null") else 8))
        inner = source.randbytes(length)
        fields = common | {"spi": 0x12345678, "sequence": sequence, "iv": iv, "input": inner}
        packet = agent.compute("outbound", suite, provider="libipsec-mb", **fields)
        assert packet == agent.compute("outbound", suite, **fields), length
        fields = common | {"input": packet} | ({"sequence_high": sequence >> 32} if esn else {})
        assert agent.compute("inbound", suite, provider="libipsec-mb", **fields) == inner
        forged = packet[:-1] + bytes([packet[-1] ^ 1])
        assert agent.error("inbound", suite, provider="libipsec-mb", **fields | {"input": forged}) == "rejected"
        replayed = fields | {"replay": [sequence]}
        assert agent.error("inbound", suite, provider="libipsec-mb", **replayed) == "rejected"


@pytest.mark.parametrize("name", ["aes128", "aes192", "aes256", "3des", "des", "aes128ctr", "aes256ctr"])
def test_ciphers_are_those_of_libcrypto(agent: Any, unless_offered: Callable[..., None], name: str) -> None:
    unless_offered(name)
    source = random.Random(name)
    for blocks in (1, 2, 7, 100):
        fields = {
            "key": source.randbytes(KEY_BYTES[name.removesuffix("ctr")]),
            "iv": source.randbytes(CBC_IV_BYTES.get(name, 16)),
            "input": source.randbytes(16 * blocks),
        }
        sealed = agent.compute("encrypt", name, **fields)
        assert agent.compute("encrypt", name, provider="libipsec-mb", **fields) == sealed
        opened = agent.compute("decrypt", name, provider="libipsec-mb", **fields | {"input": sealed})
        assert opened == fields["input"]


@pytest.mark.parametrize("name", ["aes128gcm16", "aes256gcm8", "aes128ccm12", "aes256ccm16", "chacha20poly1305"])
def test_combined_ciphers_are_those_of_libcrypto(agent: Any, unless_offered: Callable[..., None], name: str) -> None:
    unless_offered(name)
    source = random.Random(name)
    key, nonce = KEY_BYTES.get(name, KEY_BYTES.get(name[:6], 0)), 11 if "ccm" in name else 12
    for length in (1, 15, 16, 17, 1000):
        fields = {"key": source.randbytes(key), "iv": source.randbytes(nonce), "aad": source.randbytes(12)}
        fields["input"] = source.randbytes(length)
        sealed = agent.compute("encrypt", name, **fields)
        assert agent.compute("encrypt", name, provider="libipsec-mb", **fields) == sealed
        opened = agent.compute("decrypt", name, provider="libipsec-mb", **fields | {"input": sealed})
        assert opened == fields["input"]
        forged = sealed[:-1] + bytes([sealed[-1] ^ 0x80])
        assert agent.error("decrypt", name, provider="libipsec-mb", **fields | {"input": forged}) == "rejected"


@pytest.mark.parametrize("name", MAC_KEY_BYTES)
def test_macs_are_those_of_libcrypto(agent: Any, unless_offered: Callable[..., None], name: str) -> None:
    unless_offered(name)
    source = random.Random(name)
    for length in (1, 55, 56, 64, 111, 112, 128, 1500):
        fields = {"key": source.randbytes(MAC_KEY_BYTES[name]), "input": source.randbytes(length)}
        expected = agent.compute("authenticate", name, **fields)
        got = agent.compute("authenticate", name, provider="libipsec-mb", **fields)
        assert got == (expected[:12] if name == "aesxcbc" else expected), length


def test_all_known_answers_pass(agent: Any) -> None:
    answer = agent.ask("check", provider="libipsec-mb")
    assert answer["failures"] == []
    assert answer["passed"] > 100


@pytest.mark.parametrize("operation", ["outbound", "inbound"])
@pytest.mark.parametrize("suite", ["aes128-sha256", "aes256gcm16", "null-sha1", "aes128gmac", "3des-md5"])
def test_samples_of_every_size(agent: Any, operation: str, suite: str) -> None:
    common = {"provider": "libipsec-mb", "tier": "packet-loop"}
    for size in (1, 64, 1500, 9000):
        # More than the ring holds, and no multiple of the number of lanes.
        answer = agent.speed(operation, suite, size_bytes=size, iterations=2503, esn=size == 64, **common)
        assert answer["type"] == "sample", answer
        assert answer["workers"][0]["iterations"] == 2503
        assert answer["detail"]["wire_bytes"] > size
    answer = agent.speed(operation, suite, mix="imix-simple", iterations=2400, replay_window=1, **common)
    assert answer["detail"]["cycle_packets"] == 12
    cores = agent.ask("info")["cores"][:2]
    answer = agent.speed(operation, suite, size_bytes=100, iterations=500, cores=cores, **common)
    assert len(answer["workers"]) == len(cores)


def test_a_packet_that_is_too_long_for_it_gives_an_error_and_no_sample(agent: Any) -> None:
    answer = agent.speed("outbound", "aes128-sha1", size_bytes=65535, provider="libipsec-mb", tier="packet-loop")
    assert answer["type"] == "error"
    assert answer["code"] == "failed"
    assert "libipsec-mb" in answer["message"]


def test_what_it_lacks_has_a_reason(rows: Rows) -> None:
    for name, word in (("camellia128", "Camellia"), ("blowfish128", "Blowfish"), ("aes192ccm16", "CCM")):
        row = rows["libipsec-mb", "primitive", name]
        assert row["operations"] == []
        assert word in row["reason"]


@pytest.mark.parametrize("mask", ["sha", "vaes", "avx512", "avx2", "vaes,sha,avx512,avx2", "", ",,"])
def test_masks_that_it_honours(start_agent: Start, mask: str) -> None:
    with start_agent(IPSECBENCH_MASK=mask) as masked:
        for suite in ("aes128-sha1", "aes256gcm16", "aes128ctr-sha256"):
            answer = masked.ask("check", provider="libipsec-mb", algorithm=suite)
            assert answer["failures"] == []
            assert answer["passed"] >= 1


@pytest.mark.parametrize(("mask", "word"), [("clmul", "clmul"), ("avx512,nonsense", "nonsense")])
def test_under_masks_that_it_cannot_honour_it_offers_nothing(start_agent: Start, mask: str, word: str) -> None:
    with start_agent(IPSECBENCH_MASK=mask) as masked:
        library = next(one for one in masked.ask("info")["libraries"] if one["provider"] == "libipsec-mb")
        assert "IPSECBENCH_MASK" in library["note"]
        assert word in library["note"]
        rows = [row for row in masked.ask("list")["rows"] if row["provider"] == "libipsec-mb"]
        assert all(row["operations"] == [] and word in row["reason"] for row in rows)
        answer = masked.speed("outbound", "aes128gcm16", size_bytes=64, provider="libipsec-mb", tier="packet-loop")
        assert answer["code"] == "unsupported"
        assert word in answer["message"]


@pytest.mark.parametrize("version", ["3.0.0", "2.1.0", "1.6.0", "0.55.0", "2.0.0-dev", "nonsense", ""])
def test_a_version_whose_interface_is_unknown_is_not_used(start_agent: Start, tmp_path: Path, version: str) -> None:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    source = tmp_path / "library.c"
    names = ["imb_get_errno", "imb_get_strerror", "alloc_mb_mgr", "free_mb_mgr"]
    names += ["init_mb_mgr_auto", "init_mb_mgr_sse", "init_mb_mgr_avx2"]
    functions = "".join(f"void {name}(void) {{ __builtin_trap(); }}\n" for name in names)
    source.write_text(f'const char *imb_get_version_str(void) {{ return "{version}"; }}\n{functions}', encoding="utf-8")
    library = tmp_path / "libIPSec_MB.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source], check=True, timeout=60)
    with start_agent(IPSECBENCH_LIBIPSEC_MB=str(library)) as running:
        found = next(one for one in running.ask("info")["libraries"] if one["provider"] == "libipsec-mb")
        assert found["status"] == "unusable"
        assert found["path"] == str(library)
        answer = running.speed("outbound", "aes128gcm16", size_bytes=64, provider="libipsec-mb", tier="packet-loop")
        assert answer["code"] == "library"


def test_a_library_that_is_not_there(start_agent: Start, tmp_path: Path) -> None:
    with start_agent(IPSECBENCH_LIBIPSEC_MB=str(tmp_path / "none.so")) as running:
        found = next(one for one in running.ask("info")["libraries"] if one["provider"] == "libipsec-mb")
        assert found["status"] == "missing"
        assert "none.so" in found["note"]
        rows = [row for row in running.ask("list")["rows"] if row["provider"] == "libipsec-mb"]
        assert all(row["reason"] and not row["operations"] for row in rows)
