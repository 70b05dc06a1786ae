"""What may stand in a connection, and how it is made from a recommendation."""

from dataclasses import replace
from typing import Any

import pytest

from ipsecbench.dataset.model import Dataset
from ipsecbench.errors import UsageError
from ipsecbench.export.connection import End, IkeAlgorithms, Life, placeholder_ends
from ipsecbench.export.from_recommendation import connection_of
from ipsecbench.recommend.policies.policy import load_policy
from ipsecbench.recommend.recommendation import recommend
from ipsecbench.recommend.requirements.records import Requirements
from tests.unit.export.connections import a_connection


@pytest.mark.parametrize(
    ("address", "networks", "identity", "message"),
    [
        ("192.0.2.300", ("10.1.0.0/16",), "a", "no IP address"),
        ("fe80::1%eth0", ("10.1.0.0/16",), "a", "no address that one host can have"),
        ("224.0.0.1", ("10.1.0.0/16",), "a", "no address that one host can have"),
        ("192.0.2.1", (), "a", "at least one network"),
        ("192.0.2.1", ("10.1.0.0",), "a", "with its length"),
        ("192.0.2.1", ("10.1.0.1/16",), "a", "host bits set"),
        ("192.0.2.1", ("10.1.0.0/16",), 'a"\n', "identity"),
        ("192.0.2.1", ("10.1.0.0/16",), "a b", "identity"),
        ("192.0.2.1", ("10.1.0.0/16",), "", "identity"),
        ("192.0.2.1", ("10.1.0.0/16",), "{a}", "identity"),
    ],
)
def test_an_end_that_cannot_stand_in_a_configuration_is_refused(
    address: str, networks: tuple[str, ...], identity: str, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        End(address, networks, identity)


@pytest.mark.parametrize(
    ("identity", "kind"),
    [("192.0.2.1", "address"), ("2001:db8::1", "address"), ("gw.example.net", "domain"), ("ops@example.net", "mail")],
)
def test_the_kind_of_an_identity(identity: str, kind: str) -> None:
    assert End("192.0.2.1", ("10.0.0.0/8",), identity).identity_kind == kind


def test_placeholders_are_of_the_documentation_ranges() -> None:
    for outer, inner in (("ipv4", "ipv4"), ("ipv6", "ipv4"), ("ipv6", "ipv6")):
        local, peer = placeholder_ends(outer, inner)
        assert local.ip_version == peer.ip_version == (4 if outer == "ipv4" else 6)
        assert (":" in local.networks[0]) is (inner == "ipv6")
    assert placeholder_ends() == (
        End("192.0.2.1", ("10.1.0.0/16",), "192.0.2.1"),
        End("198.51.100.1", ("10.2.0.0/16",), "198.51.100.1"),
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "no spaces"}, "letters, digits and hyphens"),
        ({"name": "x{"}, "letters, digits and hyphens"),
        ({"ike_version": 3}, "1 or 2"),
        ({"authentication": "rsa-1"}, "not known"),
        ({"mode": "beet"}, "not known"),
        ({"peer": End("2001:db8::1", ("10.2.0.0/16",), "x")}, "one IP version"),
        ({"peer": End("192.0.2.1", ("10.2.0.0/16",), "x")}, "both ends"),
        ({"peer": End("192.0.2.2", ("10.1.4.0/24",), "x")}, "overlap"),
    ],
)
def test_what_makes_no_connection_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        a_connection(**changes)


def test_unknown_algorithms_and_lives_that_do_not_fit_are_refused() -> None:
    with pytest.raises(UsageError, match="aes512"):
        IkeAlgorithms("aes512", None, "prfsha256", "x25519")
    with pytest.raises(UsageError, match="prfsha3"):
        IkeAlgorithms("aes256gcm16", None, "prfsha3", "x25519")
    with pytest.raises(UsageError, match="do not fit"):
        Life(3600, 3000)
    with pytest.raises(UsageError, match="do not fit"):
        Life(3600, 3960, soft_bytes=5)


def test_the_mirrored_connection_is_the_other_ends_and_mirrored_twice_itself() -> None:
    connection = a_connection()
    mirrored = connection.mirrored()
    assert (mirrored.local, mirrored.peer, mirrored.end_name) == (connection.peer, connection.local, "peer")
    assert mirrored.mirrored() == connection
    assert replace(mirrored, local=connection.local, peer=connection.peer, at_peer=False) == connection


def test_a_recommendation_becomes_a_connection_with_its_own_parameters(example_dataset: Dataset) -> None:
    requirements = Requirements(nat_traversal=True, link_mtu_bytes=1400, authentication="psk")
    recommendation = recommend(example_dataset, load_policy("legacy-interop"), requirements)
    connection = connection_of(recommendation)
    assert connection.ike.proposal == recommendation.phase1.proposal
    assert connection.esp.proposal == recommendation.phase2.proposal
    assert connection.uses_psk
    assert connection.nat_traversal
    assert connection.link_mtu_bytes == 1400
    assert connection.inner_mtu_bytes == recommendation.phase2.inner_mtu_bytes
    assert connection.child_life.hard_bytes == recommendation.phase2.lifetime.hard_bytes
    assert connection.provenance.dataset_sha256 == example_dataset.sha256
    assert connection.provenance.policy == f"legacy-interop {recommendation.policy_version}"
    assert connection.ike_proposals == (connection.ike,)


def test_fallback_proposals_come_only_if_they_are_asked_for(example_dataset: Dataset) -> None:
    recommendation = recommend(example_dataset, load_policy("legacy-interop"))
    connection = connection_of(recommendation, with_fallbacks=True)
    assert recommendation.phase1.fallback_proposals
    assert tuple(ike.proposal for ike in connection.ike_fallbacks) == recommendation.phase1.fallback_proposals
    assert tuple(esp.encryption for esp in connection.esp_fallbacks) == tuple(
        text.partition("-")[0] for text in recommendation.phase2.fallback_proposals
    )
