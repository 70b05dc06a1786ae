"""Random figures, printed as every version prints them, come back as they were."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.importers.readers.openssl import printing, reading
from tests.unit.importers.readers.openssl.printing import LAYOUTS, Layout

CIPHERS = {
    "aes-128-cbc": ("encrypt", "aes128"),
    "aes-256 cbc": ("encrypt", "aes256"),
    "AES-192-GCM": ("encrypt", "aes192gcm16"),
    "ChaCha20-Poly1305": ("encrypt", "chacha20poly1305"),
    "des ede3": ("encrypt", "3des"),
    "blowfish cbc": ("encrypt", "blowfish128"),
    "camellia-192-cbc": ("encrypt", "camellia192"),
    "sha256": ("digest", "sha256"),
    "hmac(sha256)": ("authenticate", "sha256"),
    "rc5-32/12 cbc": ("encrypt", "rc5-32/12-cbc"),
    "ghash": ("authenticate", "ghash"),
}
RATES = st.floats(min_value=20, max_value=9e10)
KEY_RATES = st.floats(min_value=1.5, max_value=9e5)
CURVES = {
    "nistp256": (256, "ecp256", "ecdsa-256"),
    "nistk233": (233, "nistk233", "ecdsa-nistk233"),
    "brainpoolP384r1": (384, "ecp384bp", "ecdsa-brainpoolp384r1"),
}


@st.composite
def cipher_rows(draw: st.DrawFn, count: int) -> dict[str, list[float]]:
    names = draw(st.lists(st.sampled_from(sorted(CIPHERS)), min_size=1, max_size=6, unique=True))
    return {name: draw(st.lists(RATES, min_size=count, max_size=count)) for name in names}


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.version)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_ciphers_in_text(layout: Layout, data: st.DataObject) -> None:
    rows = data.draw(cipher_rows(len(layout.sizes)))
    made = reading.dataset(printing.head(layout) + printing.cipher_table(layout.sizes, rows))
    assert made.environment["libraries"][0]["version"] == layout.version
    assert len(made.measurements) == len(rows) * len(layout.sizes)
    for name, rates in rows.items():
        for size, rate in zip(layout.sizes, rates, strict=True):
            value, unit = reading.value(made, *CIPHERS[name], size)
            assert (value, unit) == (
                (float(f"{rate / 1e3:.2f}"), "kB/s") if rate > 10000 else (float(f"{rate:.2f}"), "B/s")
            )
            assert reading.rate(made, *CIPHERS[name], size) == pytest.approx(rate, rel=6e-4)


@settings(max_examples=20, deadline=None)
@given(data=st.data(), sizes=st.lists(st.integers(1, 16384), min_size=1, max_size=7, unique=True))
def test_ciphers_in_machine_readable_lines_of_any_sizes(data: st.DataObject, sizes: list[int]) -> None:
    rows = data.draw(cipher_rows(len(sizes)))
    made = reading.dataset(printing.machine_ciphers(sizes, rows))
    for name, rates in rows.items():
        for size, rate in zip(sizes, rates, strict=True):
            assert reading.value(made, *CIPHERS[name], size) == (float(f"{rate:.2f}"), "B/s")
    assert made.source is not None
    assert made.source.unread_lines == 0


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.version)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_keys_in_text(layout: Layout, data: st.DataObject) -> None:
    width = 4 if layout.rsa_has_encryption else 2
    rsa = {bits: data.draw(st.lists(KEY_RATES, min_size=width, max_size=width)) for bits in (1024, 2048, 15360)}
    signed = {curve: (bits, data.draw(KEY_RATES), data.draw(KEY_RATES)) for curve, (bits, _, _) in CURVES.items()}
    agreed = {curve: (bits, data.draw(KEY_RATES)) for curve, (bits, _, _) in CURVES.items()}
    made = reading.dataset(
        printing.head(layout)
        + printing.rsa_table(layout, rsa)
        + printing.signature_table(layout, signed)
        + printing.agreement_table(layout, agreed)
    )
    assert len(made.measurements) == 3 * width + 3 * 2 + 3
    for bits, rates in rsa.items():
        for operation, rate in zip(("sign", "verify", "encrypt", "decrypt"), rates, strict=False):
            assert reading.rate(made, operation, f"rsa-{bits}") == pytest.approx(rate, rel=0.035)
    for curve, (_, exchange, signature) in CURVES.items():
        assert reading.rate(made, "sign", signature) == pytest.approx(signed[curve][1], rel=0.035)
        assert reading.rate(made, "verify", signature) == pytest.approx(signed[curve][2], rel=0.035)
        assert reading.rate(made, "agree", exchange) == pytest.approx(agreed[curve][1], rel=0.035)
    assert "inconsistent" not in {verdict.code for verdict in made.verdicts}


@settings(max_examples=20, deadline=None)
@given(kems=st.tuples(KEY_RATES, KEY_RATES, KEY_RATES), signatures=st.tuples(KEY_RATES, KEY_RATES, KEY_RATES))
def test_encapsulation_and_new_signatures(
    kems: tuple[float, float, float], signatures: tuple[float, float, float]
) -> None:
    text = printing.head(printing.THREE_FIVE)
    text += printing.named_table(printing.KEM_HEADING, {"ML-KEM-768": kems, "X25519MLKEM768": kems})
    text += printing.named_table(printing.SIGNATURE_HEADING, {"ML-DSA-65": signatures})
    made = reading.dataset(text)
    for operation, rate in zip(("generate", "encapsulate", "decapsulate"), kems, strict=True):
        assert reading.rate(made, operation, "mlkem768") == pytest.approx(rate, rel=0.035)
        assert reading.rate(made, operation, "x25519mlkem768") == pytest.approx(rate, rel=0.035)
    for operation, rate in zip(("generate", "sign", "verify"), signatures, strict=True):
        assert reading.rate(made, operation, "ml-dsa-65") == pytest.approx(rate, rel=0.035)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.version)
@settings(max_examples=20, deadline=None)
@given(sign=st.floats(2, 5e3), factor=st.floats(5, 20))
def test_machine_readable_rsa_is_in_seconds_until_1_1_0(layout: Layout, sign: float, factor: float) -> None:
    rates = [sign, sign * factor, *((sign * factor, sign) if layout.rsa_has_encryption else ())]
    lines = printing.machine_rsa(layout, {2048: rates})
    for text in (f"{layout.version_line}\n{lines}", lines):
        made = reading.dataset(text)
        # Six digits after the point leave little of a verification in microseconds.
        assert reading.rate(made, "sign", "rsa-2048") == pytest.approx(rates[0], rel=0.003)
        assert reading.rate(made, "verify", "rsa-2048") == pytest.approx(rates[1], rel=0.06)
        assert ("few-digits" in reading.flags(made, "verify", "rsa-2048")) == (layout.seconds_in_mr and rates[1] > 1e4)
