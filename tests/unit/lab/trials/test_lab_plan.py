"""What a run of the laboratory measures."""

from __future__ import annotations

import pytest

from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.bench.measurement import Tier
from ipsecbench.bench.runner import Offer
from ipsecbench.errors import UsageError
from ipsecbench.lab.trials.plan import QUICK_SUITES, Size, choose_suites, lab_plan, parse_sizes

OFFERS = [
    Offer("libcrypto", Tier.PACKET_LOOP, name, ("outbound", "inbound"), None)
    if not name.startswith("blowfish")
    else Offer("libcrypto", Tier.PACKET_LOOP, name, (), "no legacy provider")
    for name in esp_suites()
] + [Offer("libgcrypt", Tier.PACKET_LOOP, "twofish128-sha1", ("outbound", "inbound"), None)]


def test_sizes_are_octets_or_mixes() -> None:
    assert parse_sizes(["64", " imix-simple", "64", "1400"]) == (Size(64), Size(mix="imix-simple"), Size(1400))


@pytest.mark.parametrize("text", ["", "x", "27", "8801", "-1", "1e3", "imix", "٣٤"])
def test_other_sizes_are_refused_by_name(text: str) -> None:
    with pytest.raises(UsageError, match="--sizes"):
        parse_sizes([text])


def test_no_size_is_refused() -> None:
    with pytest.raises(UsageError, match="none given"):
        parse_sizes([])


def test_suites_bring_the_ones_without_encryption_that_belong_to_them() -> None:
    assert choose_suites(OFFERS, ["aes256gcm16", "3des-md5"], quick=False) == (
        "null-sha256",
        "aes256gmac",
        "null-md5",
        "aes256gcm16",
        "3des-md5",
    )


def test_the_short_plan_is_short_and_holds_what_it_promises() -> None:
    suites = choose_suites(OFFERS, [], quick=True)
    assert set(QUICK_SUITES) < set(suites)
    assert len(suites) < 16
    assert len(choose_suites(OFFERS, [], quick=False)) > len(suites)


def test_all_are_all_that_can_be_had_and_negotiated() -> None:
    suites = choose_suites(OFFERS, ["all"], quick=False)
    assert len(suites) == len(set(suites)) > 100
    for name in suites:
        assert not name.startswith(("blowfish", "twofish", "serpent"))
    # A pattern is a part of that.
    assert set(choose_suites(OFFERS, ["camellia*"], quick=False)) < set(suites)


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [("blowfish128-sha1", "no legacy provider"), ("twofish128-sha1", "IKEv2 has no number"), ("aes512", "aes512")],
)
def test_what_cannot_be_had_is_refused_with_its_reason(wanted: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        choose_suites(OFFERS, [wanted], quick=False)


def test_without_a_library_nothing_is_planned() -> None:
    with pytest.raises(UsageError, match="no usable libcrypto"):
        choose_suites([], [], quick=False)


def test_every_row_stands_beside_its_packet_loop() -> None:
    plan = lab_plan(["null-sha256", "aes128gcm16"], parse_sizes(["64", "imix-simple"]), "agent")
    assert len(plan) == 2 * 2 * 2 * 2
    for lab, loop in zip(plan[::2], plan[1::2], strict=True):
        assert (lab.tier, loop.tier) == (Tier.TUN_LAB, Tier.PACKET_LOOP)
        assert (lab.provider, loop.provider) == ("agent", "libcrypto")
        assert (lab.operation, lab.algorithm, lab.size_bytes, lab.mix) == (
            (loop.operation, loop.algorithm, loop.size_bytes, loop.mix)
        )
    assert {work.provider for work in lab_plan(["null-sha256"], parse_sizes(["64"]), "agent", "libipsec-mb")} == {
        "agent",
        "libipsec-mb",
    }
