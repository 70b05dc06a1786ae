"""Ties of handshake costs, and what the evidence says of libraries, rows and boxes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from ipsecbench.bench.measurement import Estimate, Measurement, Status, Tier, Workload
from ipsecbench.dataset.model import Dataset
from ipsecbench.recommend import recommend
from ipsecbench.recommend.choice.evidence import box_name, library
from ipsecbench.recommend.policies.policy import load_policy
from ipsecbench.recommend.reasons import ExclusionKind, Role
from ipsecbench.recommend.requirements.records import Requirements
from ipsecbench.recommend.requirements.traffic import Traffic

MakeDataset = Callable[..., Dataset]
MODERN = load_policy("modern")


def with_costs_us(dataset: Dataset, costs: Mapping[str, float]) -> Dataset:
    """The dataset with every primitive row of some algorithms at a given cost, ±5%."""

    def changed(row: Measurement) -> Measurement:
        cost = costs.get(row.workload.algorithm)
        if cost is None or row.workload.tier is not Tier.PRIMITIVE:
            return row
        return replace(row, samples=(), ns_per_operation=Estimate(cost * 1e3, cost * 950, cost * 1050))

    return replace(dataset, measurements=tuple(changed(row) for row in dataset.measurements))


def test_a_tie_is_won_by_strength_and_the_reason_names_the_rival(make_dataset: MakeDataset) -> None:
    found = recommend(with_costs_us(make_dataset(), {"x25519": 10, "x448": 10.2, "ecp256": 20}), MODERN)
    assert found.phase1.key_exchange == "x448"
    reason = found.phase1.reasons[0].text
    assert "ties with the cheapest key exchange, x25519" in reason
    assert "224 bits" in reason
    lost = {e.name: e for e in found.excluded(Role.KEY_EXCHANGE)}
    assert lost["x25519"].kind is ExclusionKind.WEAKER
    assert "128 bits against 224" in lost["x25519"].reason.text
    assert lost["ecp256"].kind is ExclusionKind.SLOWER


def test_a_tie_of_equal_strength_is_won_by_the_rfc_level(make_dataset: MakeDataset) -> None:
    found = recommend(with_costs_us(make_dataset(), {"x25519": 20, "ecp256": 20.4}), MODERN)
    assert found.phase1.key_exchange == "ecp256"
    lost = next(e for e in found.excluded(Role.KEY_EXCHANGE) if e.name == "x25519")
    assert "against SHOULD" in lost.reason.text
    assert lost.reason.sources == ("rfc8247",)


def test_a_tie_of_equal_strength_and_level_is_won_by_name(make_dataset: MakeDataset) -> None:
    found = recommend(with_costs_us(make_dataset(), {"ecdsa-256": 99, "rsa-3072": 99, "ed25519": 300}), MODERN)
    assert found.phase1.authentication == "ecdsa-256"
    lost = next(e for e in found.excluded(Role.AUTHENTICATION) if e.name == "rsa-3072")
    assert "first by name" in lost.reason.text


def test_libraries_are_named_as_the_dataset_names_them(make_dataset: MakeDataset) -> None:
    dataset = make_dataset()
    assert library(dataset, "libcrypto") == "OpenSSL 3.0.19 27 Jan 2026, /usr/lib/libcrypto.so.3"
    assert library(dataset, "libgcrypt") is None
    by_name = {"libraries": {"libcrypto": {"version": "OpenSSL 4.0.0", "path": None}}}
    assert library(make_dataset(environment=by_name), "libcrypto") == "OpenSSL 4.0.0"
    assert library(make_dataset(environment={"libraries": None}), "libcrypto") is None


def test_the_box_is_named_as_far_as_the_dataset_says(make_dataset: MakeDataset) -> None:
    cpu = {"system": "Router X", "model": None, "architecture": "mips"}
    assert box_name(make_dataset(label="edge", environment={"hardware": {"cpu": cpu}})) == "edge · Router X · mips"
    assert box_name(make_dataset(environment={"hardware": {}})) == "this box"


def test_flags_and_wide_intervals_are_said(make_dataset: MakeDataset) -> None:
    dataset = make_dataset(sizes=(1400,), mixes=())
    rows = tuple(
        replace(row, flags=("few-samples",)) if row.workload.algorithm.startswith("prfsha") else row
        for row in dataset.measurements
    )
    found = recommend(replace(dataset, measurements=rows), MODERN)
    text = " ".join(warning.text for warning in found.evidence.warnings)
    assert f"Flagged while measuring: {found.phase1.prf} (few-samples)" in text
    assert "from a single size" in text
    assert "only known to ±" in text


def test_without_packet_loops_the_agents_cipher_calls_are_an_upper_bound(make_dataset: MakeDataset) -> None:
    dataset = make_dataset()
    rows = tuple(row for row in dataset.measurements if row.workload.tier is Tier.PRIMITIVE)
    found = recommend(replace(dataset, measurements=rows, fits=()), MODERN)
    assert found.evidence.tier is Tier.PRIMITIVE
    assert any("the least that it can take" in warning.text for warning in found.evidence.warnings)


@pytest.mark.parametrize("size", [64, 1400, 9000])
def test_a_size_that_was_asked_for_is_what_is_ranked_by(make_dataset: MakeDataset, size: int) -> None:
    found = recommend(make_dataset(), MODERN, Requirements(traffic=Traffic(size_bytes=size)))
    assert found.phase2.candidate.headline.traffic == Traffic(size_bytes=size)
    assert found.phase2.candidate.headline in found.phase2.candidate.predictions


def test_a_suite_that_only_the_multi_buffer_library_has_is_not_proposed(make_dataset: MakeDataset) -> None:
    dataset = make_dataset()
    rows = [row for row in dataset.measurements if row.workload.provider != "libipsec-mb"]
    fast = Workload(Tier.PACKET_LOOP, "libipsec-mb", "outbound", "aes256gcm16", mix="imix-simple")
    rows.append(Measurement(fast, Status.OK, ns_per_operation=Estimate(1.0, 0.9, 1.1)))
    found = recommend(replace(dataset, measurements=tuple(rows)), MODERN)
    assert found.phase2.suite == "aes128gcm16"
    assert found.ceilings[0].suite == "aes256gcm16"
