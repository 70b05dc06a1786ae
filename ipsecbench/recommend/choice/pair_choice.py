"""Two boxes: what was decided for both ends together, and which of them decided it.

Every choice is max-min: the best by what the worse end does with it. What each box would have chosen alone is said
beside it, so that one sees what the other end costs.
"""

from __future__ import annotations

from ipsecbench.bench.measurement import Estimate
from ipsecbench.errors import PolicyError
from ipsecbench.recommend.choice.decision import Decision, decide
from ipsecbench.recommend.choice.ends import End, Ends
from ipsecbench.recommend.formats import microseconds, rate_interval
from ipsecbench.recommend.pair import Binding, BoxPair
from ipsecbench.recommend.policies.records import Policy
from ipsecbench.recommend.reasons import Reason, Role
from ipsecbench.recommend.requirements.records import Requirements


def describe_pair(ends: Ends, decision: Decision, policy: Policy, wanted: Requirements) -> BoxPair | None:
    """What the other end means for a decision; None where there is only one box."""
    if len(ends) == 1:
        return None
    there = ends[-1]
    return BoxPair(
        box=there.name,
        dataset_created=there.dataset.created,
        dataset_sha256=there.dataset.sha256,
        bindings=tuple(_bindings(ends, decision)),
        goal_end=decision.ranking.capacities[decision.suite].end,
        alone=tuple(found for end in ends if (found := _alone(end, decision, policy, wanted, ends[0])) is not None),
    )


def _bindings(ends: Ends, decision: Decision) -> list[Binding]:
    suite, exchange, signature = decision.suite, decision.phase1.key_exchange, decision.phase1.authentication
    rates = [each.one_way_mbit_per_second for each in decision.ranking.predictions[suite]]
    found = [_binding(Role.ESP_SUITE, suite, ends, rates, "Mbit/s")]
    exchanges = [cost.dearer_us for end in ends if (cost := end.exchange(exchange)) is not None]
    found.append(_binding(Role.KEY_EXCHANGE, exchange, ends, exchanges, "µs"))
    signatures = [known for end in ends if (known := end.signature(signature)) is not None]
    if len(signatures) == len(ends):
        found.append(_binding(Role.AUTHENTICATION, signature, ends, signatures, "µs"))
    return found


def _binding(role: Role, chosen: str, ends: Ends, figures: list[Estimate], unit: str) -> Binding:
    here, there = figures
    slower_there = there.median < here.median if unit == "Mbit/s" else there.median > here.median
    end, other = (ends[1], ends[0]) if slower_there else (ends[0], ends[1])
    words = rate_interval if unit == "Mbit/s" else microseconds
    worse, better = (there, here) if slower_there else (here, there)
    factor = max(here.median, there.median) / min(here.median, there.median)
    text = (
        f"{chosen}: {_which(end)} decides, with {words(worse)} against {words(better)} at {_which(other)} "
        f"({factor:.1f} times)."
    )
    return Binding(role, chosen, end.name, unit, here, there, text)


def _which(end: End) -> str:
    return "the other end" if end.remote else "this box"


def _alone(end: End, decision: Decision, policy: Policy, wanted: Requirements, box: End) -> Reason | None:
    try:
        found = decide((end,), policy, wanted)
    except PolicyError as error:
        return Reason(f"Alone, {_which(end)} could not be recommended anything: {error}")
    if found.answer == decision.answer:
        return None
    together = decision.ranking.predictions[decision.suite][0 if end is box else -1].one_way_mbit_per_second
    mine = found.ranking.headline(found.suite).one_way_mbit_per_second
    text = (
        f"Alone, {_which(end)} would take {found.suite} at {rate_interval(mine)} with {found.phase1.key_exchange}; for "
        f"the pair it carries {rate_interval(together)} with {decision.suite}."
    )
    return Reason(text)
