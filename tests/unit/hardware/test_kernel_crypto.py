"""Which kernel driver serves which ESP algorithm."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsecbench.hardware.crypto_drivers import DRIVER_PATTERNS, DriverKind, classify_driver
from ipsecbench.hardware.kernel_crypto import EspDriver, functions_proven_by, parse_proc_crypto
from ipsecbench.hardware.soc_engines import ENGINE_RULES, find_engines

DATA = Path(__file__).parents[2] / "data" / "hardware" / "crypto"


def entry(name: str, driver: str, priority: int, **more: str) -> str:
    fields = {"module": "kernel", "refcnt": "1", "selftest": "passed", "internal": "no", "type": "aead", **more}
    lines = [f"name         : {name}", f"driver       : {driver}", f"priority     : {priority}"]
    return "\n".join([*lines, *(f"{key:<13}: {value}" for key, value in fields.items())]) + "\n\n"


def esp(text: str, algorithm: str) -> EspDriver:
    return next(row for row in parse_proc_crypto(text).esp if row.algorithm == algorithm)


def test_a_desktop_with_aes_ni() -> None:
    found = parse_proc_crypto((DATA / "procfs-x86-aesni.txt").read_text(encoding="utf-8"))
    # Counted with: grep -c '^driver' procfs-x86-aesni.txt
    assert len(found.drivers) == 83
    rows = {row.algorithm: row for row in found.esp}
    assert rows["aes-gcm-16"].status == "listed"
    assert rows["aes-gcm-16"].drivers == ("rfc4106-gcm-aesni",)
    assert rows["aes-gcm-16"].priority == 400
    assert rows["aes-gcm-16"].kind is DriverKind.SIMD
    assert rows["aes-cbc-hmac-sha256"].status == "template"
    assert rows["aes-cbc-hmac-sha256"].drivers == ("hmac(sha256-generic)", "cbc-aes-aesni")
    assert rows["aes-cbc-hmac-sha256"].kind is DriverKind.MIXED
    assert rows["null-hmac-sha256"].kind is DriverKind.GENERIC
    assert rows["chacha20poly1305"].status == "not listed"
    assert rows["chacha20poly1305"].kind is DriverKind.UNKNOWN
    assert functions_proven_by(found.drivers, "s390x") == {}
    assert functions_proven_by(found.drivers, "x86") == {
        "aes": "cbc(aes-aesni)", "carryless-multiply": "ghash-clmulni",
    }  # fmt: skip


def test_an_entry_whose_fields_are_out_of_order() -> None:
    (driver,) = parse_proc_crypto((DATA / "procfs-corrupted.txt").read_text(encoding="utf-8")).drivers
    assert (driver.name, driver.priority, driver.kind) == ("ccm(aes)", 300, DriverKind.SIMD)


def test_the_highest_priority_wins_and_the_others_are_outranked() -> None:
    name = "rfc4106(gcm(aes))"
    text = entry(name, "rfc4106-gcm-aes-ce", 200) + entry(name, "safexcel-gcm-aes", 300)
    row = esp(text + entry(name, "rfc4106(gcm_base(ctr(aes-generic),ghash-generic))", 100), "aes-gcm-16")
    assert row.drivers == ("safexcel-gcm-aes",)
    assert row.kind is DriverKind.ENGINE
    assert row.what == "SafeXcel EIP97/EIP197"
    assert row.outranked == ("rfc4106-gcm-aes-ce", "rfc4106(gcm_base(ctr(aes-generic),ghash-generic))")


def test_a_driver_that_failed_its_self_test_does_not_win() -> None:
    name = "authenc(hmac(sha1),cbc(des3_ede))"
    text = entry(name, "authenc(hmac(sha1-eip93),cbc(des3_ede-eip93))", 1500, selftest="unknown")
    row = esp(text, "3des-cbc-hmac-sha1")
    assert row.status == "not listed"
    assert row.rejected == ("authenc(hmac(sha1-eip93),cbc(des3_ede-eip93))",)
    row = esp(text + entry(name, "authenc(hmac(sha1-generic),cbc-des3_ede-asm)", 200), "3des-cbc-hmac-sha1")
    assert row.drivers == ("authenc(hmac(sha1-generic),cbc-des3_ede-asm)",)
    assert row.rejected == ("authenc(hmac(sha1-eip93),cbc(des3_ede-eip93))",)


def test_internal_drivers_are_not_handed_out() -> None:
    text = entry("rfc4106(gcm(aes))", "cryptd(__rfc4106-gcm-aesni)", 500, internal="yes")
    row = esp(text, "aes-gcm-16")
    assert row.status == "not listed"
    assert row.rejected == ()


def test_an_sa_in_use_shows_its_iv_generator() -> None:
    name = "authenc(hmac(sha256),cbc(aes))"
    driver = "authenc(hmac(sha256-ni),cbc-aes-aesni)"
    text = entry(f"echainiv({name})", f"echainiv({driver})", 4000)
    assert esp(text, "aes-cbc-hmac-sha256").kind is DriverKind.SIMD
    row = esp(text + entry(name, driver, 4000), "aes-cbc-hmac-sha256")
    assert row.drivers == (driver,)
    assert row.outranked == ()


def test_modes_over_a_bare_cipher_are_not_predicted() -> None:
    text = entry("aes", "aes-generic", 100, type="cipher") + entry("ghash", "ghash-generic", 100, type="shash")
    assert esp(text, "aes-gcm-16").status == "not listed"
    text += entry("ctr(aes)", "ctr-aes-neonbs", 250, type="skcipher")
    row = esp(text, "aes-gcm-16")
    assert row.status == "template"
    assert row.drivers == ("ctr-aes-neonbs", "ghash-generic")


def test_kernels_before_2_6_27_list_no_self_test() -> None:
    text = "name         : md5\ndriver       : md5-generic\npriority     : 0\ntype         : digest\n"
    (driver,) = parse_proc_crypto(text).drivers
    assert driver.selftest is None
    assert driver.is_usable
    assert driver.is_async is None


def test_an_excerpt_of_driver_lines_still_shows_engines() -> None:
    text = "driver : qat_aes_cbc_hmac_sha512\nmodule : intel_qat\ndriver : qat_aes_cbc\nmodule : intel_qat\n"
    found = parse_proc_crypto(text)
    assert [one.driver for one in found.drivers] == ["qat_aes_cbc_hmac_sha512", "qat_aes_cbc"]
    (engine,) = find_engines((), found.drivers)
    assert (engine.name, engine.status) == ("Intel QAT", "driver loaded")


@pytest.mark.parametrize(
    ("driver", "kind"),
    [
        ("rfc4106-gcm-aes-ce", DriverKind.SIMD),
        ("rfc4106-gcm-vaes-avx512", DriverKind.SIMD),
        ("cbc-aes-neonbs", DriverKind.SIMD),
        ("rfc7539esp(chacha20-simd,poly1305-simd)", DriverKind.SIMD),
        ("p8_aes_cbc", DriverKind.SIMD),
        ("gcm-aes-s390", DriverKind.SIMD),
        ("cbc-aes-padlock", DriverKind.SIMD),
        ("octeon-sha256", DriverKind.SIMD),
        ("sha256-arm64", DriverKind.ASSEMBLER),
        ("aes-asm", DriverKind.ASSEMBLER),
        ("hmac-sha256-lib", DriverKind.LIBRARY),
        ("cbc(ecb(aes-fixed-time))", DriverKind.GENERIC),
        ("ecb(arc4)-generic", DriverKind.GENERIC),
        ("cbc(aes-eip93)", DriverKind.ENGINE),
        ("authenc(hmac(sha1-eip93), cbc(aes-eip93))", DriverKind.ENGINE),
        ("mv-hmac-sha256", DriverKind.ENGINE),
        ("authenc-hmac-sha256-cbc-aes-caam-qi", DriverKind.ENGINE),
        ("cbc-aes-sun8i-ce", DriverKind.ENGINE),
        ("cbc-aes-qce", DriverKind.ENGINE),
        ("qat_aes_cbc_hmac_sha256", DriverKind.ENGINE),
        ("authenc(hmac(sha256-generic),cbc-aes-caam)", DriverKind.MIXED),
        ("drbg_nopr_hmac_sha256", DriverKind.UNKNOWN),
        ("authenc(hmac(sha1-mystery),cbc-aes-aesni)", DriverKind.UNKNOWN),
        ("", DriverKind.UNKNOWN),
        ("((((", DriverKind.UNKNOWN),
    ],
)
def test_kinds_of_drivers(driver: str, kind: DriverKind) -> None:
    assert classify_driver(driver)[0] is kind


def test_every_pattern_names_its_source() -> None:
    assert all(one.source and one.what for one in DRIVER_PATTERNS)
    assert all(rule.source for rule in ENGINE_RULES)
    engines = {one.what for one in DRIVER_PATTERNS if one.kind is DriverKind.ENGINE}
    assert {rule.engine for rule in ENGINE_RULES} <= engines


@pytest.mark.parametrize(
    ("name", "engine"),
    [
        ("MediaTek MT7621 ver:1 eco:3", "EIP93"),
        ("Marvell Armada 380/385 (Device Tree)", "Marvell CESA"),
        ("Marvell Armada-370", "Marvell CESA"),
        ("globalscale,espressobin marvell,armada3720", "SafeXcel EIP97/EIP197"),
        ("marvell,armada8040", "SafeXcel EIP97/EIP197"),
        ("qcom,ipq8064", "Qualcomm crypto engine"),
        ("Freescale i.MX6 Quad/DualLite (Device Tree)", "NXP CAAM"),
        ("fsl,lx2160a", "NXP CAAM"),
        ("Generic AM33XX (Flattened Device Tree)", "TI OMAP crypto"),
        ("rockchip,rk3399", "Rockchip crypto"),
    ],
)
def test_engines_of_known_chips_are_only_possible_without_a_driver(name: str, engine: str) -> None:
    (found,) = find_engines((name,), ())
    assert (found.name, found.status) == (engine, "possible, driver not seen")
    (found,) = find_engines((name,), None)
    assert found.status == "possible, drivers unknown"


def test_a_driver_settles_what_the_name_suggests() -> None:
    drivers = parse_proc_crypto(entry("cbc(aes)", "cbc(aes-eip93)", 1500)).drivers
    (found,) = find_engines(("MediaTek MT7621 ver:1 eco:3",), drivers)
    assert found.status == "driver loaded"


@pytest.mark.parametrize("name", ["Raspberry Pi 4 Model B", "Intel(R) Xeon(R) Gold 6132 CPU", "rockchip,rk3588"])
def test_chips_without_a_known_engine(name: str) -> None:
    assert find_engines((name,), ()) == ()


@given(st.text())
def test_any_text_parses(text: str) -> None:
    found = parse_proc_crypto(text)
    assert len(found.esp) == 15


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["name", "driver", "priority", "selftest", "internal", "", "\n"]),
            st.one_of(st.text(max_size=20), st.sampled_from(["rfc4106(gcm(aes))", "gcm(aes)", "ghash", "passed", "9"])),
        )
    )
)
def test_any_fields_parse(fields: list[tuple[str, str]]) -> None:
    found = parse_proc_crypto("\n".join(f"{key}: {value}" for key, value in fields))
    for row in found.esp:
        assert (row.status == "not listed") == (not row.drivers)
