"""Who is excluded before anything is compared, and why: exactly one main reason each, the first that applies.

The order is that of :class:`~ipsecbench.recommend.reasons.ExclusionKind`: what no policy could change first, what a
faster box could change last. The comparison itself (goal, ranking) adds its reasons in ``phase1`` and ``phase2``.
"""

from __future__ import annotations

from ipsecbench.algorithms.limits import BLOCK_64_BYTES
from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.bench.measurement import Estimate, Measurement
from ipsecbench.recommend.formats import rate, seconds
from ipsecbench.recommend.keys.lifetimes import seconds_per_key
from ipsecbench.recommend.policies.policy import Policy
from ipsecbench.recommend.prediction.cost_model import CostModel
from ipsecbench.recommend.reasons import Exclusion, ExclusionKind, Reason, Role
from ipsecbench.recommend.rules import Rules, Verdict
from ipsecbench.recommend.standing import forbidden, strength_bits, unregistered

_REFERENCE_MBIT_PER_SECOND = 1000.0
"""Rate that a data limit is illustrated with where no rate is predicted."""


def standards_verdict(role: Role, name: str, policy: Policy) -> Verdict | None:
    """What the standards alone exclude, unless the policy accepts it with its eyes open (and warns of it)."""
    accepted = policy.accepts(role, name) is not None
    reason = forbidden(role, name)
    if reason is not None and not accepted:
        return ExclusionKind.FORBIDDEN, reason
    reason = unregistered(role, name)
    if reason is not None and not accepted:
        return ExclusionKind.NO_NUMBER, reason
    if role in (Role.ESP_SUITE, Role.IKE_ENCRYPTION) and strength_bits(Role.ESP_SUITE, _as_suite(name)) == 0:
        text = f"{name.partition('-')[0]} hides nothing: it protects integrity only"
        return ExclusionKind.NO_ENCRYPTION, Reason(text, ("rfc8221",))
    return None


def _as_suite(name: str) -> str:
    """An encryption transform with integrity beside it, so that its strength as a suite can be asked for."""
    return name if name in esp_suites() else f"{name}-sha256"


def incorrect_verdict(row: Measurement | None) -> Verdict | None:
    """That an implementation on this box failed. This is said loudly: whatever runs on this library is affected."""
    if row is None:
        return None
    text = (
        f"FAILED ITS CHECK on this box: {row.workload}: {row.message or 'an operation failed'}. "
        "Do not use it with this library"
    )
    return ExclusionKind.INCORRECT, Reason(text)


def data_limit_verdict(name: str, rules: Rules, predicted: Estimate | None) -> Verdict | None:
    """That the 64-bit block of a suite forces rekeys more often than the policy accepts, at the predicted rate."""
    suite = esp_suites()[name]
    if suite.encryption.block_bytes != 8 or rules.policy.accepts(Role.ESP_SUITE, name) is not None:
        return None
    traffic = rules.requirements.traffic
    mbit, at = _REFERENCE_MBIT_PER_SECOND, f"at {rate(_REFERENCE_MBIT_PER_SECOND)}"
    if predicted is not None:
        mbit = predicted.median
        at = f"at the predicted {rate(mbit)}"
    interval = seconds_per_key(suite, traffic, mbit)
    if interval is None or interval >= rules.policy.number("shortest_rekey_seconds"):
        return None
    mebibytes = BLOCK_64_BYTES // 2**20
    text = f"64-bit block: {mebibytes} MiB per key, i.e. a rekey every {seconds(interval)} {at}"
    return ExclusionKind.DATA_LIMIT, Reason(text, ("nisttdea", "sweet32"))


def suite_verdict(name: str, rules: Rules, costs: CostModel, predicted: Estimate | None) -> Verdict | None:
    """The main reason against an ESP suite before any comparison; None where it may be compared.

    Args:
        name: the suite.
        rules: policy and requirements.
        costs: the box's figures.
        predicted: what one core carries, in 10^6 bit/s; None without a figure.
    """
    suite = esp_suites()[name]
    role = Role.ESP_SUITE
    found = (
        incorrect_verdict(costs.incorrect(suite))
        or standards_verdict(role, name, rules.policy)
        or rules.not_in_version(role, name)
        or data_limit_verdict(name, rules, predicted)
        or rules.too_weak(role, name)
        or rules.not_listed(role, name)
        or rules.not_at_peer(role, name)
    )
    if found is not None or predicted is not None:
        return found
    names = [name, suite.encryption.name, *([suite.integrity.name] if suite.integrity is not None else [])]
    return not_measured(costs, *names)


def transform_verdict(role: Role, name: str, rules: Rules, costs: CostModel, measured: bool) -> Verdict | None:
    """The main reason against a transform or method of phase 1 before any comparison."""
    found = (
        incorrect_verdict(costs.failed(name))
        or standards_verdict(role, name, rules.policy)
        or rules.not_in_version(role, name)
        or rules.too_weak(role, name)
        or rules.not_listed(role, name)
        or rules.not_at_peer(role, name)
    )
    if found is not None or measured:
        return found
    return not_measured(costs, name)


def not_measured(costs: CostModel, *names: str) -> Verdict:
    """That there is no figure, with the reason that the dataset gives."""
    return ExclusionKind.NOT_MEASURED, Reason(f"not measured: {costs.why_not(*names)}")


def exclusion(
    role: Role,
    name: str,
    verdict: Verdict,
    *,
    rate_estimate: Estimate | None = None,
    cost_us: Estimate | None = None,
    chance: float | None = None,
) -> Exclusion:
    """An exclusion with its figures."""
    return Exclusion(role, name, verdict[0], verdict[1], rate_estimate, cost_us, chance)
