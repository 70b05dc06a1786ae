"""The additional key exchange beside that of IKE_SA_INIT (RFC 9370): ML-KEM, so that what is recorded today stays shut.

Only where the policy wants one. A policy that requires it gets it even where this box has no figure for it: what it is
for does not depend on a measurement, and the answer says that its cost is missing and how to get it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.errors import PolicyError
from ipsecbench.recommend.choice.constraints import exclusion
from ipsecbench.recommend.choice.end_verdicts import transform_at_ends
from ipsecbench.recommend.choice.ends import End, Ends
from ipsecbench.recommend.choice.objectives import Costed, exchange_cost
from ipsecbench.recommend.choice.ranking import Option, choose_cheapest
from ipsecbench.recommend.formats import microseconds
from ipsecbench.recommend.policies.policy import Line
from ipsecbench.recommend.reasons import Exclusion, ExclusionKind, Reason, Role
from ipsecbench.recommend.requirements.records import Objective
from ipsecbench.recommend.rules import Rules, Verdict
from ipsecbench.recommend.standing import security_order

_ROLE = Role.ADDITIONAL_KEY_EXCHANGE


@dataclass(frozen=True, slots=True)
class AdditionalChoice:
    """What goes into ADDKE1 and following, and what does not."""

    names: tuple[str, ...] = ()
    """Methods, in the order of ADDKE1 to ADDKE7; none or one."""
    exclusions: tuple[Exclusion, ...] = ()
    """What the policy lists besides, with the reason against each."""
    reasons: tuple[Reason, ...] = ()
    """Why."""
    warnings: tuple[Reason, ...] = ()
    """What has to be seen to."""


def choose_additional(rules: Rules, ends: Ends, ike_version: int = 2) -> AdditionalChoice:
    """Choose the additional key exchange of a policy.

    Args:
        rules: policy and requirements.
        ends: the boxes.
        ike_version: 2, or 1, which has no such exchange.

    Raises:
        PolicyError: the policy requires one, and there is none that it could be; the message says why.
    """
    wanted = rules.policy.word("additional_key_exchange")
    if wanted == "off":
        return AdditionalChoice()
    if ike_version == 1:
        return _none(rules, {}, "IKEv1 has no additional key exchange (RFC 9370 is for IKEv2)")
    required = wanted == "required"
    lines = {line.name: line for line in rules.policy.additional_key_exchanges}
    verdicts: dict[str, Verdict] = {}
    for name in lines:
        verdict = transform_at_ends(_ROLE, name, rules, ends, partial(_usable, name=name, required=required))
        if verdict is not None:
            verdicts[name] = verdict
    left = [name for name in lines if name not in verdicts]
    if not left:
        return _none(rules, verdicts, "; ".join(f"{name}: {verdict[1].text}" for name, verdict in verdicts.items()))
    costs = {name: cost for name in left if (cost := exchange_cost(rules.requirements, ends, name)) is not None}
    chosen = _best(rules, costs) or left[0]
    for name in left:
        if name != chosen:
            verdicts[name] = _second(name, chosen, costs)
    exclusions = tuple(
        exclusion(_ROLE, name, verdict, cost_us=costs[name].shown if name in costs else None)
        for name, verdict in verdicts.items()
    )
    reasons = (rules.policy.settings["additional_key_exchange"].reason, _reason(chosen, lines[chosen], costs))
    warnings = () if chosen in costs else (_not_measured(chosen, ends),)
    return AdditionalChoice((chosen,), exclusions, reasons, warnings)


def _usable(end: End, *, name: str, required: bool) -> bool:
    """Whether an end's figures speak against it: where the policy requires one, a missing figure does not."""
    return required or end.exchange(name) is not None


def _none(rules: Rules, verdicts: dict[str, Verdict], why: str) -> AdditionalChoice:
    policy = rules.policy
    if policy.word("additional_key_exchange") == "required":
        raise PolicyError(
            f"policy {policy.label} requires an additional key exchange and none can be used ({why}): take "
            "another policy, such as modern, or a peer and a library that have it"
        )
    reason = Reason(f"No additional key exchange, though policy {policy.label} prefers one: {why}.", ("rfc9370",))
    return AdditionalChoice((), tuple(exclusion(_ROLE, *each) for each in verdicts.items()), (reason,))


def _best(rules: Rules, costs: dict[str, Costed]) -> str | None:
    """The cheapest, ties by security; where security is the objective, the strongest. None without a figure."""
    options = [
        Option(name, cost.draws, KEY_EXCHANGE[name].strength_bits, security_order(_ROLE, name))
        for name, cost in costs.items()
    ]
    if rules.requirements.objective is Objective.SECURITY:
        strongest = max((option.strength_bits for option in options), default=0)
        options = [option for option in options if option.strength_bits == strongest]
    best = choose_cheapest(options)
    return None if best is None else best.name


def _second(name: str, chosen: str, costs: dict[str, Costed]) -> Verdict:
    if name not in costs:
        text = f"not measured, and {chosen} was" if chosen in costs else f"{chosen} comes first in the policy"
        return ExclusionKind.NOT_MEASURED, Reason(text)
    mine, other = (microseconds(costs[each].shown) for each in (name, chosen))
    return ExclusionKind.OTHER_WANTED, Reason(f"one suffices, and {chosen} was chosen: {mine} against {other}")


def _reason(chosen: str, line: Line, costs: dict[str, Costed]) -> Reason:
    price = f"{microseconds(costs[chosen].shown)} of computation" if chosen in costs else "its cost was not measured"
    method = KEY_EXCHANGE[chosen]
    text = (
        f"{chosen} beside it as additional key exchange: {price}, {method.initiator_bytes} and "
        f"{method.responder_bytes} octets on the wire in one more exchange. {line.reason.text}"
    )
    return Reason(text, line.reason.sources)


def _not_measured(chosen: str, ends: Ends) -> Reason:
    without = [end for end in ends if end.exchange(chosen) is None]
    where = " and ".join(f"at {end.name}" if end.remote else "on this box" for end in without)
    return Reason(
        f"{chosen} was not measured {where} ({without[0].costs.why_not(chosen)}): what set-ups and rekeys cost is said "
        f"without it. Measure it with 'ipsecbench bench --only {chosen}' and a library that has it: the Python "
        "packages cryptography or pycryptodome, in versions with ML-KEM."
    )
