"""Perfect forward secrecy: on or off by policy, objective and peer, with which method, and at what price."""

from __future__ import annotations

from dataclasses import dataclass

from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.errors import PolicyError
from ipsecbench.recommend.formats import microseconds, octets, seconds, significant, small_percent
from ipsecbench.recommend.keys.ike_operations import IkeOperations
from ipsecbench.recommend.keys.lives import Lifetime
from ipsecbench.recommend.keys.rekey_load import Tunnels, child_rekeys_per_second, dearer_cryptography_us, dearer_us
from ipsecbench.recommend.keys.setup_load import ExchangeCost, PfsPrice
from ipsecbench.recommend.prediction.arithmetic import scaled
from ipsecbench.recommend.reasons import Reason, Role
from ipsecbench.recommend.requirements.records import Objective
from ipsecbench.recommend.rules import Rules

CHEAP_SHARE = 0.01
"""Share of a core up to which PFS is no argument against itself, where the policy leaves the choice. Ours."""
_SPARING = (Objective.CPU, Objective.THROUGHPUT, Objective.LATENCY)


@dataclass(frozen=True, slots=True)
class PfsMethod:
    """The key exchange method that a Child SA's rekey would have."""

    name: str | None
    """None where both ends have none in common."""
    reason: Reason
    """Why this one."""


def child_method(rules: Rules, operations: IkeOperations, phase1_method: str) -> PfsMethod:
    """Phase 1's own method where the peer has it for Child SAs too, otherwise the cheapest that is no weaker.

    A weaker one would be the way in. A policy whose setting ``child_key_exchange`` is ``same`` takes no other.
    """
    peer = rules.requirements.peer
    if peer is None or peer.has("child_key_exchange", phase1_method) is not False:
        text = f"The group is that of phase 1 ({phase1_method}), for a weaker one would be the way in."
        return PfsMethod(phase1_method, Reason(text, ("nist77",)))
    if rules.policy.word("child_key_exchange") == "same":
        text = f"{peer.name} does not have {phase1_method} for Child SAs, and the policy wants phase 1's own method."
        return PfsMethod(None, Reason(text, rules.policy.settings["child_key_exchange"].reason.sources))
    enough = []
    for name in KEY_EXCHANGE:
        cost = operations.key_exchange(name)
        strong = KEY_EXCHANGE[name].strength_bits >= KEY_EXCHANGE[phase1_method].strength_bits
        has = peer.has("child_key_exchange", name)
        if has and strong and cost is not None and rules.policy.line(Role.KEY_EXCHANGE, name) is not None:
            enough.append((cost.dearer_us.median, name))
    if not enough:
        text = (
            f"{peer.name} has no method for Child SAs that is as strong as {phase1_method} and that the policy lists."
        )
        return PfsMethod(None, Reason(text, ("nist77",)))
    chosen = min(enough)[1]
    text = f"{peer.name} does not have {phase1_method} for Child SAs; {chosen} is no weaker and the cheapest it has."
    return PfsMethod(chosen, Reason(text, ("nist77",)))


@dataclass(frozen=True, slots=True)
class PfsDecision:
    """Whether a rekey has a key exchange of its own."""

    on: bool
    """Whether it has."""
    reasons: tuple[Reason, ...]
    """Why."""


def decide_pfs(rules: Rules, method: PfsMethod, extra_share: float) -> PfsDecision:
    """Whether PFS is on.

    Args:
        rules: the policy requires it, prefers it or has it off; the objective counts where it prefers it.
        method: what a rekey would use.
        extra_share: share of one core that PFS adds for all tunnels.

    Raises:
        PolicyError: the policy requires it and the ends have no method in common.
    """
    setting = rules.policy.settings["perfect_forward_secrecy"]
    if setting.value == "off":
        return PfsDecision(False, (setting.reason,))
    if method.name is None:
        if setting.value == "required":
            raise PolicyError(
                f"policy {rules.policy.label} requires perfect forward secrecy: {method.reason.text} Use another "
                "policy, or change the peer"
            )
        return PfsDecision(False, (setting.reason, method.reason))
    objective = rules.requirements.objective
    if setting.value == "prefer" and objective in _SPARING and extra_share > CHEAP_SHARE:
        text = f"Off for the objective {objective}: it would take {extra_share:.1%} of a core, above {CHEAP_SHARE:.0%}."
        return PfsDecision(False, (setting.reason, Reason(text)))
    return PfsDecision(True, (setting.reason, method.reason))


def pfs_price(
    decision: PfsDecision,
    method: PfsMethod,
    costs: tuple[ExchangeCost, ExchangeCost],
    tunnels: Tunnels,
    child_life: Lifetime,
    ike_life: Lifetime,
    sa_bytes_per_second: float,
) -> PfsPrice:
    """What PFS costs and what it keeps closed.

    Args:
        decision: whether it is on.
        method: its key exchange.
        costs: a rekey with it, and without it.
        tunnels: how many there are.
        child_life: when a Child SA is rekeyed.
        ike_life: when the IKE SA is.
        sa_bytes_per_second: the most that one SA carries.
    """
    with_pfs, without_pfs = costs
    rekeys = child_rekeys_per_second(tunnels, child_life)
    share_with, share_without = (scaled(dearer_us(cost), rekeys / 1e6) for cost in costs)
    opened_with = opened_bytes(child_life, sa_bytes_per_second)
    opened_without = ike_life.hard_seconds * sa_bytes_per_second * tunnels.sas_per_tunnel
    cryptography = " and ".join(significant(dearer_cryptography_us(cost).median) for cost in costs)
    text = (
        f"A rekey takes {microseconds(dearer_us(with_pfs))} with PFS and {microseconds(dearer_us(without_pfs))} "
        f"without, {cryptography} µs of it cryptography: {small_percent(share_with.median)} against "
        f"{small_percent(share_without.median)} of a core for {_number(tunnels.child_sas)}. Without it one broken key "
        f"exchange opens all traffic of an IKE SA, {octets(opened_without)} in {seconds(ike_life.hard_seconds)} at the "
        f"most that this box carries; with it, one Child SA's {octets(opened_with)}."
    )
    hidden = (
        "The first Child SA of an IKEv2 connection has the IKE SA's own key exchange (RFC 7296 section 1.2): ends that "
        "disagree about PFS notice at the first rekey. Force one when you test."
    )
    return PfsPrice(
        on=decision.on,
        key_exchange=method.name if decision.on else None,
        with_pfs=with_pfs,
        without_pfs=without_pfs,
        share_with=share_with,
        share_without=share_without,
        opened_with_bytes=opened_with,
        opened_without_bytes=opened_without,
        reasons=(*decision.reasons, Reason(text, ("nist77", "rfc7296")), Reason(hidden, ("rfc7296",))),
    )


def opened_bytes(life: Lifetime, bytes_per_second: float) -> float:
    """Octets that one SA carries in its hard life at a rate, or as many as its limit on octets lets it."""
    carried = life.hard_seconds * bytes_per_second
    return carried if life.hard_bytes is None else min(carried, float(life.hard_bytes))


def _number(sas: int) -> str:
    return "one Child SA" if sas == 1 else f"{sas} Child SAs"
