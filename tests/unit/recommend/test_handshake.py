"""Handshake costs against sums done by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from ipsecbench.bench.measurement import Estimate, Measurement, Status, Tier, Workload
from ipsecbench.dataset.model import Dataset
from ipsecbench.recommend.keys.handshake import HandshakeModel
from ipsecbench.recommend.keys.ike_operations import child_key_bytes, ike_key_bytes
from ipsecbench.recommend.keys.ike_parameters import IkeParameters
from ipsecbench.recommend.prediction.cost_model import CostModel

MakeDataset = Callable[..., Dataset]
SIGNED = IkeParameters("aes128gcm16", None, "prfsha256", "x25519", "ecdsa-256", "aes128gcm16", certificate_chain=1)


def model(dataset: Dataset) -> HandshakeModel:
    return HandshakeModel(CostModel(dataset))


def test_key_lengths_are_those_of_the_rfcs() -> None:
    # RFC 5282 section 7.1: 4 octets of salt for GCM; three keys as long as the PRF's output.
    assert ike_key_bytes("aes256gcm16", None, "prfsha384") == 3 * 48 + 2 * 36
    # RFC 7296 section 2.14: SK_d, SK_ai, SK_ar, SK_ei, SK_er, SK_pi, SK_pr.
    assert ike_key_bytes("aes128", "sha256", "prfsha256") == 3 * 32 + 2 * (16 + 32)
    assert child_key_bytes("aes128-sha1") == 2 * (16 + 20)
    assert child_key_bytes("chacha20poly1305") == 2 * 36


def test_a_handshake_is_the_sum_of_its_steps(make_dataset: MakeDataset) -> None:
    cost = model(make_dataset()).cost(SIGNED)
    assert cost is not None
    # prf 0.95 µs; prf+ of 256 octets is 8 blocks and 7.6 µs. IKE SA keys: 136 octets, 5 blocks; KEYMAT: 40, 2 blocks.
    derived = 0.95 + 7.6 * 5 / 8
    expected = 28 + 36 + derived + 22 + 58 + 2 * 0.95 + 7.6 * 2 / 8
    assert cost.initiator_us.median == pytest.approx(expected)
    assert cost.responder_us.median == pytest.approx(expected)
    assert cost.child_rekey_us.median == pytest.approx(28 + 36 + 7.6 * 2 / 8)
    assert cost.ike_rekey_us.median == pytest.approx(28 + 36 + derived)
    assert cost.handshakes_per_second.median == pytest.approx(1e6 / expected)
    assert sum(step.cost_us.median for step in cost.initiator_steps) == pytest.approx(expected)


def test_ikev1_is_main_mode_and_quick_mode(make_dataset: MakeDataset) -> None:
    old = IkeParameters("aes256", "sha1", "prfsha1", "modp1024", "psk", "aes128-md5", ike_version=1)
    cost = model(make_dataset()).cost(old)
    assert cost is not None
    # RFC 2409: SKEYID and its three keys, 2 for the key of AES-256, HASH_I and HASH_R, three hashes and KEYMAT of 4.
    assert cost.responder_us.median == pytest.approx(80 + 78 + 15 * 0.7)
    assert cost.ike_rekey_us.median == pytest.approx(80 + 78 + 8 * 0.7)
    assert cost.child_rekey_us.median == pytest.approx(80 + 78 + 7 * 0.7)


def test_a_pre_shared_key_costs_four_prf_calls(make_dataset: MakeDataset) -> None:
    costs = [model(make_dataset()).cost(replace(SIGNED, authentication=name)) for name in ("psk", "ecdsa-256")]
    assert costs[0] is not None
    assert costs[1] is not None
    saved = costs[1].initiator_us.median - costs[0].initiator_us.median
    assert saved == pytest.approx(22 + 58 + 2 * 0.95 - 4 * 0.95)


def test_the_two_ends_of_a_key_encapsulation_differ(make_dataset: MakeDataset) -> None:
    dataset = make_dataset()
    rows = tuple(
        Measurement(
            Workload(Tier.PRIMITIVE, "libcrypto", operation, "mlkem768"),
            Status.OK,
            ns_per_operation=Estimate(cost * 1e3, cost * 990, cost * 1010),
        )
        for operation, cost in (("generate", 30), ("encapsulate", 25), ("decapsulate", 40))
    )
    found = model(replace(dataset, measurements=(*dataset.measurements, *rows))).key_exchange("mlkem768")
    assert found is not None
    assert found.initiator_us.median == pytest.approx(70)
    assert found.responder_us.median == pytest.approx(25)
    assert found.dearer_us.median == pytest.approx(70)


def test_a_missing_step_is_no_cost(make_dataset: MakeDataset) -> None:
    dataset = make_dataset()
    rows = tuple(row for row in dataset.measurements if row.workload.operation != "agree")
    assert model(replace(dataset, measurements=rows)).key_exchange("x25519") is None
    for missing in ("x25519", "ecdsa-256"):
        found = model(make_dataset(without=[missing]))
        assert found.cost(SIGNED) is None


def test_a_prf_is_taken_from_the_hmac_of_its_hash_where_it_was_not_measured(make_dataset: MakeDataset) -> None:
    found = model(make_dataset(without=["prfsha256"])).prf_us("prfsha256")
    assert found is not None
    # HMAC-SHA2-256 of 64 octets: 480 ns + 2.4 ns per octet.
    assert found.median == pytest.approx((480 + 2.4 * 64) / 1e3)
    assert model(make_dataset(without=["prfsha256", "sha256"])).prf_us("prfsha256") is None
