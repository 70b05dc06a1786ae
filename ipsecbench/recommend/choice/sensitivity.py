"""What would change the answer, and where: found by choosing again under other requirements.

Line rates are tried where a suite's lower bound lies, strengths where the weakest part of the answer does, packet sizes
by bisection between sizes with different answers, and cores one doubling after the other. Nothing is predicted anew
but what a new packet size needs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.errors import PolicyError
from ipsecbench.recommend.alternatives import Change, Lever
from ipsecbench.recommend.choice.decision import Decision, Phase1Choices, decide
from ipsecbench.recommend.choice.ends import Ends
from ipsecbench.recommend.choice.suite_ranking import with_goal
from ipsecbench.recommend.formats import rate
from ipsecbench.recommend.policies.records import Policy
from ipsecbench.recommend.prediction.core_scaling import box_cores
from ipsecbench.recommend.proposals import ike_proposal
from ipsecbench.recommend.requirements.records import Objective, Requirements
from ipsecbench.recommend.requirements.traffic import Traffic

_ABOVE = 1 + 1e-9
"""Just beyond a threshold."""
_MOST_RATES = 12
_SIZES = (64, 576, 1400)
"""Where every candidate is predicted anyway."""
_SIZE_STEP = 8
"""Octets to which the size of a change is found."""
_MOST_STRENGTHS = 3
_MOST_BITS = 256


@dataclass(frozen=True, slots=True)
class _Question:
    """What everything here needs."""

    ends: Ends
    decision: Decision
    policy: Policy
    wanted: Requirements
    known: Phase1Choices

    def again(self, **changes: object) -> str | None:
        """The answer under other requirements; None where nothing can be recommended."""
        try:
            wanted = replace(self.wanted, **changes)  # type: ignore[arg-type]
            return answer_text(decide(self.ends, self.policy, wanted, self.known))
        except PolicyError:
            return None

    @property
    def answer(self) -> str:
        """The answer as it is."""
        return answer_text(self.decision)


def answer_text(decision: Decision) -> str:
    """ESP suite and IKE proposal of a decision, for people."""
    phase1 = decision.phase1
    proposal = ike_proposal(
        phase1.encryption, phase1.integrity, phase1.prf, phase1.key_exchange, phase1.additional.names
    )
    return f"ESP {decision.suite}, IKE {proposal}"


def sensitivity(
    ends: Ends, decision: Decision, policy: Policy, wanted: Requirements, known: Phase1Choices
) -> tuple[Change, ...]:
    """What would change the answer.

    Args:
        ends: the boxes.
        decision: the answer.
        policy: the policy as it is written.
        wanted: what was asked for.
        known: phase 1 choices that were made before.
    """
    question = _Question(ends, decision, policy, wanted, known)
    return (
        *_line_rates(question),
        *_packet_sizes(question),
        *_cores(question),
        *_strengths(question),
        *_aes_instructions(question),
    )


def _line_rates(question: _Question) -> list[Change]:
    """Where a goal is the last that a suite is sure to reach, and another answer follows."""
    ranking = question.decision.ranking
    lowers = sorted({ranking.capacities[option.name].mbit_per_second.lower for option in ranking.options})
    lowers = [goal for goal in lowers if goal > 0][-_MOST_RATES:]
    suites = {goal: with_goal(ranking, goal).contest.winner.name for goal in lowers}
    suites |= {goal * _ABOVE: with_goal(ranking, goal * _ABOVE).contest.winner.name for goal in lowers}
    answers: dict[str, str | None] = {}
    found: list[Change] = []
    for goal in lowers:
        below, above = suites[goal], suites[goal * _ABOVE]
        if below == above:
            continue
        for suite, at in ((below, goal), (above, goal * _ABOVE)):
            if suite not in answers:
                answers[suite] = question.again(goal_mbit_per_second=at)
        one, other = answers[below], answers[above]
        if one is not None and one != other:
            text = f"Up to a goal of {rate(goal)}, {below}; above it, {above}."
            found.append(Change(Lever.LINE_RATE, goal, "Mbit/s", one, other, True, text))
    if not found:
        text = "No goal changes the answer."
        found.append(Change(Lever.LINE_RATE, None, "Mbit/s", question.answer, None, True, text))
    return found


def _packet_sizes(question: _Question) -> list[Change]:
    """Where the answer changes between small and large packets."""

    def at(size: int) -> str | None:
        return question.again(traffic=Traffic(size_bytes=size))

    found: list[Change] = []
    answers = [(size, at(size)) for size in _SIZES]
    for (low, below), (high, above) in pairwise(answers):
        if below is not None and below != above:
            last = _last_with(at, below, low, high)
            text = f"For packets of up to about {last} octets, {_suite(below)}; for larger ones, {_suite(above)}."
            found.append(Change(Lever.PACKET_SIZE, float(last), "octets", below, above, True, text))
    same = {answer for _, answer in answers}
    if same == {question.answer}:
        text = f"The size of the packets does not change the answer, from {_SIZES[0]} to {_SIZES[-1]} octets."
        found.append(Change(Lever.PACKET_SIZE, None, "octets", question.answer, None, True, text))
    elif not found:
        text = (
            f"For packets of one size, from {_SIZES[0]} to {_SIZES[-1]} octets, the answer is {_suite(answers[0][1])}."
        )
        other = answers[0][1] or question.answer
        found.append(Change(Lever.PACKET_SIZE, None, "octets", other, None, True, text))
    return found


def _last_with(at: Callable[[int], str | None], below: str, low: int, high: int) -> int:
    """The largest size found with an answer, between one that has it and one that has not."""
    while high - low > _SIZE_STEP:
        middle = (low + high) // 2
        low, high = (middle, high) if at(middle) == below else (low, middle)
    return low


def _suite(answer: str | None) -> str:
    return "nothing" if answer is None else answer.partition(",")[0].removeprefix("ESP ")


def _cores(question: _Question) -> list[Change]:
    """Where more or fewer cores change the answer: only with a goal, and only with several SAs."""
    wanted = question.wanted
    sas = wanted.tunnels * wanted.sas_per_tunnel
    if wanted.goal_mbit_per_second is None or wanted.objective is Objective.THROUGHPUT:
        text = "Without a goal the number of cores does not change the answer: every suite gains by them."
        if wanted.goal_mbit_per_second is not None:
            text = "The number of cores does not change the answer: the fastest suite is the fastest on any number."
        return [Change(Lever.CORES, None, "cores", question.answer, None, True, text)]
    if sas == 1:
        text = "More cores change nothing: one SA is one core's work in most data planes (--tunnels, --sas-per-tunnel)."
        return [Change(Lever.CORES, None, "cores", question.answer, None, True, text)]
    most = min(sas, box_cores(question.ends[0].dataset.environment) or wanted.cores or 1)
    numbers = sorted({most, *(power for power in (1, 2, 4, 8, 16, 32, 64) if power < most)})
    answers = [(number, question.again(cores=number)) for number in numbers]
    found: list[Change] = []
    for (few, below), (_, above) in pairwise(answers):
        if below is not None and below != above:
            cores = "one core" if few == 1 else f"up to {few} cores"
            text = f"With {cores}, {_suite(below)}; with more, {_suite(above)}."
            found.append(Change(Lever.CORES, float(few), "cores", below, above, True, text))
    if not found:
        text = f"The number of cores, from {numbers[0]} to {numbers[-1]}, does not change the answer."
        found.append(Change(Lever.CORES, None, "cores", question.answer, None, True, text))
    return found


def _strengths(question: _Question) -> list[Change]:
    """What follows when more is asked than the weakest part of the answer has, step by step."""
    found: list[Change] = []
    decision: Decision | None = question.decision
    while decision is not None and len(found) < _MOST_STRENGTHS:
        bits = min(decision.phase1.strength_bits, esp_suites()[decision.suite].strength_bits)
        if bits >= _MOST_BITS:
            break
        before = answer_text(decision)
        decision = _stronger(question, bits)
        after = None if decision is None else answer_text(decision)
        words = "nothing can be recommended" if after is None else f"the answer is {after}"
        text = f"With more than {bits} bits asked of every part (--min-bits), {words}."
        found.append(Change(Lever.STRENGTH, float(bits), "bits", before, after, True, text))
    return found


def _stronger(question: _Question, bits: int) -> Decision | None:
    try:
        wanted = replace(question.wanted, min_strength_bits=bits + 1)
        return decide(question.ends, question.policy, wanted, question.known)
    except PolicyError:
        return None


def _aes_instructions(question: _Question) -> list[Change]:
    """What follows without AES instructions: what was measured so, or how much dearer AES would have to become."""
    masked = [end for end in question.ends if "aes" in end.dataset.masked]
    ranking = question.decision.ranking
    if masked:
        text = (
            "Measured without AES instructions (--mask aes): what the box does with them is in a run without the mask."
        )
        return [Change(Lever.AES_INSTRUCTIONS, None, "times", question.answer, None, False, text)]
    winner = ranking.contest.winner
    if not winner.name.startswith("aes"):
        text = f"{winner.name} uses no AES instructions: without them the answer is the same."
        return [Change(Lever.AES_INSTRUCTIONS, None, "times", question.answer, None, True, text)]
    rival = next((option for option in ranking.options if not option.name.startswith("aes")), None)
    measure = "measure it with 'ipsecbench bench --mask aes'"
    if rival is None:
        text = (
            f"What AES costs without instructions for it is not known here, and no other cipher is compared: {measure}."
        )
        return [Change(Lever.AES_INSTRUCTIONS, None, "times", question.answer, None, False, text)]
    factor = rival.cost.value / winner.cost.value
    text = (
        f"What AES costs without instructions for it is not known here ({measure}). {rival.name}, which uses none, is "
        f"ahead where a packet with {winner.name} takes more than {factor:.2f} times what it takes here."
    )
    above = f"ESP {rival.name}"
    return [Change(Lever.AES_INSTRUCTIONS, factor, "times", question.answer, above, False, text)]
