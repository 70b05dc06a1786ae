"""The recommendation for a peer: what it lacks is excluded by its name, what is not confirmed is warned of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ipsecbench.dataset.store import read_dataset
from ipsecbench.errors import PolicyError
from ipsecbench.recommend import recommend
from ipsecbench.recommend.model import Recommendation
from ipsecbench.recommend.peers.presets import PEERS, load_peer
from ipsecbench.recommend.policies.policy import load_policy
from ipsecbench.recommend.reasons import ExclusionKind, Role
from ipsecbench.recommend.requirements.packet_sizes import read_traffic
from ipsecbench.recommend.requirements.records import Requirements

ROOT = Path(__file__).resolve().parents[3]
Answer = Callable[[str, str], Recommendation]


@pytest.fixture(scope="module")
def answer() -> Answer:
    dataset = read_dataset(ROOT / "datasets" / "example.ipsecbench.json")

    def ask(peer: str, policy: str) -> Recommendation:
        return recommend(dataset, load_policy(policy), Requirements(peer=load_peer(peer)))

    return ask


def test_an_old_asa_gets_what_it_has(answer: Answer) -> None:
    found = answer("cisco-asa", "legacy-interop")
    # AES-CBC with HMAC-SHA1 and a group that it has, in phase 1 and for perfect forward secrecy.
    assert found.phase2.suite in ("aes128-sha1", "aes256-sha1")
    assert found.phase1.key_exchange == found.phase2.key_exchange == "modp2048"


def test_what_the_peer_lacks_is_excluded_by_its_name(answer: Answer) -> None:
    suites = {exclusion.name: exclusion for exclusion in answer("aws", "modern").excluded(Role.ESP_SUITE)}
    assert suites["chacha20poly1305"].kind is ExclusionKind.PEER
    assert suites["chacha20poly1305"].reason.text == "AWS Site-to-Site VPN does not have chacha20poly1305"
    assert suites["chacha20poly1305"].reason.sources == ("aws",)
    # That there are no other groups is not confirmed here.
    exchanges = {exclusion.name: exclusion for exclusion in answer("cisco-asa-x", "modern").excluded(Role.KEY_EXCHANGE)}
    assert exchanges["x25519"].kind is ExclusionKind.PEER
    assert exchanges["x25519"].reason.text == "Cisco ASA 5500-X, Firepower is not known to have x25519"


def test_a_policy_that_the_peer_cannot_meet_is_one_line(answer: Answer) -> None:
    with pytest.raises(PolicyError) as caught:
        answer("cisco-asa", "modern")
    assert "Cisco ASA (old)" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_not_confirmed_and_what_one_should_know_is_warned_of(answer: Answer) -> None:
    texts = [reason.text for reason in answer("aws", "modern").warnings]
    assert any("do not confirm" in text and "prfsha256" in text for text in texts)
    assert any("8 to 64 letters" in text for text in texts)


@pytest.mark.parametrize("name", PEERS)
def test_what_is_chosen_for_a_peer_is_what_it_has(answer: Answer, name: str) -> None:
    peer = load_peer(name)
    found = answer(name, "legacy-interop")
    assert peer.has("ike_versions", found.phase1.ike_version)
    assert peer.has("key_exchange", found.phase1.key_exchange)
    assert peer.has("ike_encryption", found.phase1.encryption)
    assert peer.has("prf", found.phase1.prf)
    assert peer.has("authentication", found.phase1.authentication)
    assert peer.has("esp_suites", found.phase2.suite)
    if found.phase2.key_exchange is not None:
        assert peer.has("child_key_exchange", found.phase2.key_exchange)
    assert not (found.phase2.esn and peer.esn is False)


def test_a_histogram_leads_to_an_answer_for_its_packets(tmp_path: Path) -> None:
    path = tmp_path / "office.csv"
    path.write_text("64,7\n570,4\n1518,1\n", encoding="utf-8")
    dataset = read_dataset(ROOT / "datasets" / "example.ipsecbench.json")
    own = recommend(dataset, load_policy("modern"), Requirements(traffic=read_traffic(path)))
    imix = recommend(dataset, load_policy("modern"))
    assert str(own.phase2.candidate.headline.traffic) == "office.csv"
    # The same packets as the simple IMIX, by another way: from the line through the sizes.
    one, other = (found.phase2.candidate.headline.one_way_mbit_per_second.median for found in (own, imix))
    assert one == pytest.approx(other, rel=0.1)
