"""Why, what more security would cost, and what would change the answer: sentences with figures and sources."""

from __future__ import annotations

from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.recommend.alternatives import Change
from ipsecbench.recommend.choice.ends import Ends
from ipsecbench.recommend.choice.phase1 import Phase1Choice
from ipsecbench.recommend.choice.phase2 import SuiteChoice
from ipsecbench.recommend.choice.suite_ranking import SuiteRanking
from ipsecbench.recommend.formats import microseconds, percent, rate, rate_interval
from ipsecbench.recommend.keys.handshake import HandshakeModel
from ipsecbench.recommend.policies.policy import Policy
from ipsecbench.recommend.prediction.arithmetic import percent_change, ratio
from ipsecbench.recommend.prediction.predictions import Candidate
from ipsecbench.recommend.reasons import Exclusion, ExclusionKind, Price, Reason, Role
from ipsecbench.recommend.requirements.records import Requirements
from ipsecbench.recommend.standing import level

_SIZES_COMPARED = 3


def suite_reasons(choice: SuiteChoice, requirements: Requirements, policy: Policy) -> tuple[Reason, ...]:
    """Why this ESP suite."""
    chosen = choice.chosen
    line = policy.line(Role.ESP_SUITE, chosen.name)
    reasons = [_main_reason(choice, requirements)]
    if line is not None:
        reasons.append(line.reason)
    rival = next((c for c in choice.candidates if c.name != chosen.name), None)
    if rival is not None:
        reasons.append(Reason(_against(chosen, rival)))
    return tuple(reasons)


def _main_reason(choice: SuiteChoice, requirements: Requirements) -> Reason:
    chosen, traffic = choice.chosen, requirements.traffic
    figure = f"{rate_interval(chosen.headline.one_way_mbit_per_second)} of {traffic} on one core"
    if choice.goal is not None and chosen.meets_goal:
        wanted = rate(choice.goal.mbit_per_second)
        text = f"{chosen.name} is the strongest suite ({chosen.strength_bits} bits) whose lower bound reaches {wanted}."
    elif choice.goal is not None:
        text = f"No suite of the policy is sure to reach the goal; {chosen.name} is the best of the fastest."
    elif len([c for c in choice.candidates if c.tied]) > 1:
        ties = ", ".join(c.name for c in choice.candidates if c.tied and c.name != chosen.name)
        text = (
            f"{chosen.name} carries {figure}, a tie with {ties}; it wins by security: "
            f"{chosen.strength_bits} bits, {chosen.level} in RFC 8221."
        )
        return Reason(text, ("rfc8221", "nist57"))
    else:
        text = f"{chosen.name} is the fastest suite that the policy allows and that was measured: {figure}."
    return Reason(text)


def _against(chosen: Candidate, rival: Candidate) -> str:
    """The chosen suite beside the best other one, at each size that both have."""
    others = {prediction.traffic: prediction for prediction in rival.predictions}
    parts = []
    for mine in chosen.predictions[:_SIZES_COMPARED]:
        other = others.get(mine.traffic)
        if other is not None:
            quotient = ratio(mine.one_way_mbit_per_second, other.one_way_mbit_per_second)
            parts.append(f"{quotient.median:.2f} at {mine.traffic.size_bytes or mine.traffic} bytes")
    return f"Against {rival.name}, its speed is {', '.join(parts)} (1 is equal)."


def prices(
    suites: SuiteChoice, ranking: SuiteRanking, ends: Ends, phase1: Phase1Choice, handshakes: HandshakeModel
) -> tuple[Price, ...]:
    """What the next stronger suite and key exchange would cost."""
    found = []
    chosen, stronger = suites.chosen, suites.stronger
    if stronger is not None:
        loss = ranking.traffic_lost_percent(ends, stronger.name, chosen.name)
        text = f"{stronger.name} instead of {chosen.name} costs {percent(loss)} of the throughput"
        found.append(Price(Role.ESP_SUITE, chosen.name, stronger.name, loss, text))
    if phase1.stronger_key_exchange is not None:
        mine, other = (handshakes.key_exchange(n) for n in (phase1.key_exchange, phase1.stronger_key_exchange))
        if mine is not None and other is not None:
            name = phase1.stronger_key_exchange
            added = percent_change(other.dearer_us, mine.dearer_us)
            text = (
                f"{name} ({KEY_EXCHANGE[name].strength_bits} bits) takes {microseconds(other.dearer_us)} for each key "
                f"exchange, {phase1.key_exchange} {microseconds(mine.dearer_us)}"
            )
            found.append(Price(Role.KEY_EXCHANGE, phase1.key_exchange, name, added, text))
    return tuple(found)


def what_would_change(
    suites: SuiteChoice,
    exclusions: tuple[Exclusion, ...],
    changes: tuple[Change, ...],
    *,
    other_end_measured: bool,
) -> tuple[Reason, ...]:
    """Under which circumstances the answer would be another one."""
    chosen = suites.chosen
    found = [Reason(change.text) for change in changes if change.above is not None or not change.known]
    ties = [candidate.name for candidate in suites.candidates if candidate.tied and candidate.name != chosen.name]
    if ties and chosen.tied:
        text = f"{chosen.name} and {', '.join(ties)} are a tie here; a longer run (--precision 0.5) may part them."
        found.append(Reason(text))
    unmeasured = [e.name for e in exclusions if e.role is Role.ESP_SUITE and e.kind is ExclusionKind.NOT_MEASURED]
    if unmeasured:
        found.append(Reason(f"Not measured here, though the policy allows it: {', '.join(unmeasured)}."))
    if not other_end_measured:
        found.append(Reason("The other end counts too: measure it, and give it with --peer-dataset."))
    return tuple(found)


def strength_note(suite_bits: int, phase1: Phase1Choice) -> Reason | None:
    """That phase 2's cipher is stronger than the key exchange that feeds it."""
    bits = KEY_EXCHANGE[phase1.key_exchange].strength_bits
    if suite_bits <= bits:
        return None
    name_level = level(Role.KEY_EXCHANGE, phase1.key_exchange)[0]
    text = (
        f"The key exchange bounds the tunnel at about {bits} bits ({phase1.key_exchange}, {name_level}): a "
        f"{suite_bits}-bit cipher behind it is a margin, not more strength; --min-bits {suite_bits} raises both."
    )
    return Reason(text, ("nist57", "rfc8247"))
