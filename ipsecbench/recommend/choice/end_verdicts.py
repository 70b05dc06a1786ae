"""The main reason against something before any comparison, at whichever end it applies first."""

from __future__ import annotations

from collections.abc import Callable

from ipsecbench.bench.measurement import Tier
from ipsecbench.recommend.choice.constraints import suite_verdict, transform_verdict
from ipsecbench.recommend.choice.ends import End, Ends
from ipsecbench.recommend.policies.records import Policy
from ipsecbench.recommend.prediction.predictions import Prediction
from ipsecbench.recommend.reasons import ExclusionKind, Reason, Role
from ipsecbench.recommend.rules import Rules, Verdict

_OF_THE_BOX = (ExclusionKind.INCORRECT, ExclusionKind.DATA_LIMIT, ExclusionKind.NOT_MEASURED)
"""What the figures of one box say, where the rest is the same at both ends."""


def way_out_for_peers(policy: Policy) -> str:
    """What to do where the peer has nothing that the policy allows."""
    if policy.ike_fallbacks or policy.esp_fallbacks:
        return "the peer has none of the policy's proposals for old peers either: it has to be replaced"
    return "take the policy legacy-interop, which has proposals for old peers, or a newer peer"


def suite_at_ends(
    name: str, rules: Rules, ends: Ends, predictions: tuple[Prediction | None, ...]
) -> tuple[tuple[Prediction, ...], Verdict | None]:
    """What each end carries with an ESP suite, or the main reason against it."""
    for end, prediction in zip(ends, predictions, strict=True):
        predicted = None if prediction is None else prediction.one_way_mbit_per_second
        verdict = suite_verdict(name, rules, end.costs, predicted)
        if verdict is not None:
            return (), _of(end, verdict)
    return tuple(prediction for prediction in predictions if prediction is not None), None


def unlisted_suite(name: str, rules: Rules, ends: Ends, tier: Tier) -> Verdict:
    """The main reason against an ESP suite that the policy does not list, with its figure if it is of a tier."""
    for end in ends:
        verdict = suite_verdict(name, rules, end.costs, end.headline(name, rules.requirements.traffic, tier))
        if verdict is not None:
            return _of(end, verdict)
    raise KeyError(f"{name} is listed")


def transform_at_ends(
    role: Role, name: str, rules: Rules, ends: Ends, measured: Callable[[End], bool]
) -> Verdict | None:
    """The main reason against a transform or method of phase 1; None where it may be compared."""
    for end in ends:
        verdict = transform_verdict(role, name, rules, end.costs, measured(end))
        if verdict is not None:
            return _of(end, verdict)
    return None


def _of(end: End, verdict: Verdict) -> Verdict:
    """The verdict, with the other end's name where it is of that one's figures."""
    kind, reason = verdict
    if not end.remote or kind not in _OF_THE_BOX:
        return verdict
    return kind, Reason(f"at the other end, {end.name}: {reason.text}", reason.sources)
