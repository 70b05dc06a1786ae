"""What is run, what cannot be, and which prediction a measured rate may be held against."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ipsecbench.bench.measurement import Tier
from ipsecbench.bench.runner import Offer
from ipsecbench.dataset.model import Dataset
from ipsecbench.dataset.store import read_dataset
from ipsecbench.export.connection import EspAlgorithms, IkeAlgorithms, Life
from ipsecbench.ike.configuration import AuthMethod
from ipsecbench.lab.trials.burst import Flow
from ipsecbench.lab.trials.plan import Size
from ipsecbench.proof.comparable import comparable, loops_then
from ipsecbench.proof.endpoints import endpoint_files, flow_of, lab_connection, not_here
from ipsecbench.proof.run import outlives_a_trial
from ipsecbench.proof.runner_up import runner_up_of
from ipsecbench.recommend import recommend
from ipsecbench.recommend.model import Recommendation
from ipsecbench.recommend.policies.policy import load_policy
from ipsecbench.recommend.requirements.records import Requirements
from tests.unit.export.connections import a_connection

DATASETS = Path(__file__).resolve().parents[3] / "datasets"
OFFERS = (Offer("libcrypto", Tier.PACKET_LOOP, "aes256gcm16", ("outbound", "inbound"), None),)


@pytest.fixture(scope="module")
def laboratory() -> Dataset:
    return read_dataset(DATASETS / "lab.ipsecbench.json")


@pytest.fixture(scope="module")
def first(laboratory: Dataset) -> Recommendation:
    return recommend(laboratory, load_policy("modern"), Requirements())


def test_the_headline_of_the_laboratorys_plane_is_what_is_compared(laboratory: Dataset, first: Recommendation) -> None:
    found = comparable(first, laboratory)
    assert found.prediction == first.phase2.candidate.headline
    assert (found.reason, found.encapsulation) == (None, "udp")
    assert found.library == first.phase2.candidate.headline.provider


def test_rows_of_another_plane_do_not_stand_for_it(laboratory: Dataset, first: Recommendation) -> None:
    """As the kernel's, twice as slow: the recommendation goes by them, the proof does not."""
    kernel = tuple(
        replace(
            row,
            workload=replace(row.workload, tier=Tier.KERNEL, provider="xfrm"),
            samples=tuple(replace(one, wall_ns=2 * one.wall_ns) for one in row.samples),
        )
        for row in laboratory.measurements
        if row.workload.tier is Tier.TUN_LAB
    )
    both = replace(laboratory, measurements=(*laboratory.measurements, *kernel))
    wanted = recommend(both, load_policy("modern"), Requirements())
    assert wanted.phase2.candidate.headline.fixed.tier is Tier.KERNEL
    found = comparable(wanted, both)
    assert found.prediction is not None
    assert found.prediction.fixed.plane == "agent"
    if wanted.phase2.suite == first.phase2.suite:
        assert found.prediction == first.phase2.candidate.headline


def test_without_rows_of_the_laboratory_nothing_is_compared() -> None:
    dataset = read_dataset(DATASETS / "example.ipsecbench.json")
    found = comparable(recommend(dataset, load_policy("modern"), Requirements()), dataset)
    assert found.prediction is None
    assert found.reason is not None
    assert "stated default" in found.reason


def test_the_packet_loops_of_the_dataset_are_found(laboratory: Dataset) -> None:
    found = loops_then(laboratory, "aes128gcm16", "libcrypto", Size(1400))
    assert set(found) == {"outbound", "inbound"}
    (row,) = (
        row
        for row in laboratory.measurements
        if (row.workload.tier, row.workload.provider, row.workload.algorithm, row.workload.operation)
        == (Tier.PACKET_LOOP, "libcrypto", "aes128gcm16", "inbound")
        and row.workload.size_bytes == 1400
    )
    assert found["inbound"] == row.ns_per_operation
    assert loops_then(laboratory, "aes128gcm16", "libcrypto", Size(mix="own")) == {}


def test_the_runner_up_is_a_recommendation_of_its_own(laboratory: Dataset, first: Recommendation) -> None:
    second = runner_up_of(first, laboratory, load_policy("modern"))
    assert isinstance(second, Recommendation)
    assert second.phase2.suite == first.runner_up.suite
    assert first.runner_up.ike_proposal is not None
    assert second.phase1.key_exchange == first.runner_up.ike_proposal.split("-")[-1]
    assert second.phase1.key_exchange != first.phase1.key_exchange
    assert second.requirements == first.requirements


def test_the_article_has_no_second_choice(laboratory: Dataset) -> None:
    article = load_policy("article")
    second = runner_up_of(recommend(laboratory, article, Requirements()), laboratory, article)
    assert isinstance(second, str)
    assert "no second choice" in second


def test_the_endpoints_are_configured_as_recommended(first: Recommendation) -> None:
    connection = lab_connection(first)
    local, peer = endpoint_files(connection, 1)
    (ours,), (theirs,) = local.configuration.connections, peer.configuration.connections
    assert (ours.local.method, theirs.remote.method) == (AuthMethod.PUBKEY, AuthMethod.PUBKEY)
    assert (ours.local_addresses, ours.remote_addresses) == (("192.0.2.1",), ("192.0.2.2",))
    assert [each.text for each in ours.proposals] == [connection.ike.proposal]
    # One certificate is verified where its issuer is trusted, two where only the root is.
    assert [len(each.local.certificates) for each in (ours, theirs)] == [1, 1]
    longer = endpoint_files(connection, 2)[0].configuration.connections[0]
    assert len(longer.local.certificates) == 2
    assert longer.remote.authorities != ours.remote.authorities


def test_two_ends_with_a_secret_have_the_same_and_nobody_else_has() -> None:
    first, second = endpoint_files(a_connection(), 1), endpoint_files(a_connection(), 1)
    secrets = [[file.configuration.connections[0].psk for file in files] for files in (first, second)]
    one, other = ([None if each is None else each.reveal() for each in pair] for pair in secrets)
    assert one[0] == one[1]
    assert other[0] == other[1]
    assert one[0] != other[0]
    assert one[0] is not None
    assert len(one[0]) == 32


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, None),
        ({"esp": EspAlgorithms("aes128ccm16", None, None)}, "libcrypto does not have aes128ccm16"),
        ({"esp": EspAlgorithms("twofish128", "sha1", None)}, "IKEv2 has no number for twofish128"),
        ({"ike": IkeAlgorithms("aes256gcm16", None, "prfsha384", "modp6144")}, None),
        ({"replay_window_packets": 10**6}, "no anti-replay window above 65536"),
        ({"mode": "transport"}, None),
    ],
)
def test_what_the_laboratory_cannot_run_is_said(changes: dict[str, Any], words: str | None) -> None:
    found = not_here(a_connection(**changes), OFFERS, "libcrypto")
    assert found is None if words is None else found is not None and words in found


def test_transport_mode_with_ipv6_outside_is_not_run() -> None:
    connection = a_connection(outer="ipv6", inner="ipv6", mode="transport")
    assert "packets are IPv4" in str(not_here(connection, OFFERS, "libcrypto"))


def test_packets_of_transport_mode_are_the_hosts_own() -> None:
    assert flow_of(a_connection(mode="transport")) == Flow("192.0.2.1", "198.51.100.1")
    assert flow_of(a_connection()) is None


@pytest.mark.parametrize(
    ("life", "lives_on"),
    [
        (Life(3600, 3960), True),
        (Life(3600, 3960, 10**12, 11 * 10**11, 2 * 10**9, 22 * 10**8), True),
        # 8 MiB for a key of a 64-bit block.
        (Life(3600, 3960, 2**23 - 2**20, 2**23), False),
        (Life(3600, 3960, soft_packets=10**5, hard_packets=10**6), False),
    ],
)
def test_lives_that_a_trial_would_use_up_are_told_apart(life: Life, lives_on: bool) -> None:
    assert outlives_a_trial(life) is lives_on
