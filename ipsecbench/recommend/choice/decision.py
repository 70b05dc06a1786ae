"""The bare choice: what is decided on, without the words and figures around it.

It costs a few milliseconds once the boxes' figures are there, so that it can be made again under other requirements to
see when the answer changes.
"""

from __future__ import annotations

from dataclasses import dataclass

from ipsecbench.recommend.choice.ends import Ends
from ipsecbench.recommend.choice.phase1 import Phase1Choice, choose_phase1
from ipsecbench.recommend.choice.promotion import promote
from ipsecbench.recommend.choice.suite_ranking import SuiteRanking, rank_suites
from ipsecbench.recommend.ike_version import choose_ike_version, exchange_mode
from ipsecbench.recommend.policies.records import Policy
from ipsecbench.recommend.reasons import Reason
from ipsecbench.recommend.requirements.records import Requirements
from ipsecbench.recommend.rules import Rules

Answer = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """What is decided on."""

    rules: Rules
    """Policy and requirements, after the version of IKE and proposals for old peers took effect."""
    ranking: SuiteRanking
    """How the ESP suites compare."""
    phase1: Phase1Choice
    """The IKE SA."""
    mode: str | None
    """IKEv1's exchange for phase 1."""
    promoted: tuple[str, ...]
    """Proposals for old peers that became the first choice, as the policy spells them."""
    promotion_reasons: tuple[Reason, ...]
    """Why."""

    @property
    def suite(self) -> str:
        """The ESP suite."""
        return self.ranking.contest.winner.name

    @property
    def answer(self) -> Answer:
        """Everything that is configured, to tell whether two decisions are the same."""
        phase1 = self.phase1
        parts = (
            str(self.rules.ike_version),
            self.mode,
            phase1.encryption,
            phase1.integrity,
            phase1.prf,
            phase1.key_exchange,
            phase1.authentication,
            *phase1.additional.names,
            self.suite,
        )
        return tuple(part or "" for part in parts)


Phase1Choices = dict[tuple[object, ...], Phase1Choice]
"""Choices of phase 1 that were made before, by everything that they depend on."""


def decide(ends: Ends, policy: Policy, wanted: Requirements, known: Phase1Choices | None = None) -> Decision:
    """Decide on phase 1 and phase 2.

    Args:
        ends: the boxes.
        policy: what is allowed.
        wanted: what is wanted.
        known: phase 1 choices for these ends and this policy, which are not made again; new ones are added.

    Raises:
        PolicyError: nothing can be recommended; the message says why and what to do.
    """
    promoted = promote(Rules(policy, wanted, choose_ike_version(policy, wanted)), ends)
    rules = promoted.rules
    ranking = rank_suites(rules, ends)
    winner = ranking.contest.winner
    key = (winner.name, promoted.texts, rules.ike_version, wanted.objective, wanted.min_strength_bits)
    phase1 = None if known is None else known.get(key)
    if phase1 is None:
        phase1 = choose_phase1(rules, ends, winner.name, winner.strength_bits)
    if known is not None:
        known[key] = phase1
    mode = exchange_mode(policy, rules.ike_version, phase1.authentication)
    return Decision(rules, ranking, phase1, mode, promoted.texts, promoted.reasons)
