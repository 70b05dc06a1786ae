"""For a peer that has nothing of what a policy lists first: the policy's own proposal for old peers takes its place.

It is no widening: only proposals that the policy writes down are taken, whole, with their warning, and only where no
line of a role can be used with the peer or with the version of IKE.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from ipsecbench.recommend.choice.ends import Ends
from ipsecbench.recommend.choice.fallbacks import available, part_at_peer
from ipsecbench.recommend.policies.records import Acceptance, Fallback, Line, Policy, Setting, fallback_parts
from ipsecbench.recommend.reasons import Reason, Role
from ipsecbench.recommend.rules import Rules
from ipsecbench.recommend.standing import strength_bits

_PHASE1 = (Role.KEY_EXCHANGE, Role.PRF, Role.IKE_ENCRYPTION)
_PHASE2 = (Role.ESP_SUITE,)


@dataclass(frozen=True, slots=True)
class Promoted:
    """The rules after that."""

    rules: Rules
    """With the promoted proposals in the place of the policy's lines."""
    texts: tuple[str, ...]
    """The promoted proposals, as the policy spells them: IKE's, then ESP's."""
    reasons: tuple[Reason, ...]
    """Why; empty where nothing was promoted."""


def promote(rules: Rules, ends: Ends) -> Promoted:
    """The policy's first proposal for old peers where none of its lines is left; the rules as they are otherwise."""
    texts: list[str] = []
    reasons: list[Reason] = []
    found = rules
    for roles, fallbacks, for_ike in (
        (_PHASE1, rules.policy.ike_fallbacks, True),
        (_PHASE2, rules.policy.esp_fallbacks, False),
    ):
        if any(_none_left(role, rules) for role in roles):
            fallback = next((each for each in fallbacks if _usable(each, for_ike, rules, ends)), None)
            if fallback is not None:
                found = replace(found, policy=_with(found.policy, fallback, for_ike), written=rules.policy)
                texts.append(fallback.text)
                reasons.append(_reason(fallback, for_ike, rules))
    return Promoted(found, tuple(texts), tuple(reasons))


def _none_left(role: Role, rules: Rules) -> bool:
    return all(part_at_peer(role, line.name, rules) is not None for line in rules.policy.lines[role])


def _usable(fallback: Fallback, for_ike: bool, rules: Rules, ends: Ends) -> bool:
    parts = fallback_parts(fallback.proposal, for_ike)
    return all(available(role, name, rules, end.costs, end.handshakes) for role, name in parts for end in ends)


def _with(policy: Policy, fallback: Fallback, for_ike: bool) -> Policy:
    parts = [part for part in fallback_parts(fallback.proposal, for_ike) if for_ike or part[0] is Role.ESP_SUITE]
    lines: dict[Role, tuple[Line, ...]] = dict(policy.lines)
    for role, name in parts:
        lines[role] = (Line(name, fallback.reason),)
    # Its warning is said once, of the part that names it, and also lifts the limit on 64-bit blocks.
    accepted = Role.IKE_ENCRYPTION if for_ike else Role.ESP_SUITE
    warning = fallback.warning or fallback.reason
    acceptances = tuple(Acceptance(role, name, warning) for role, name in parts if role is accepted)
    return replace(
        policy,
        settings=_lowered(policy.settings, parts, fallback),
        lines=MappingProxyType(lines),
        acceptances=(*acceptances, *policy.acceptances),
    )


def _lowered(
    settings: Mapping[str, Setting], parts: list[tuple[Role, str]], fallback: Fallback
) -> Mapping[str, Setting]:
    """The policy's own minimum does not apply to its proposals for old peers: that is what they are for."""
    minimum = settings["minimum_strength_bits"]
    bits = [found for role, name in parts if (found := strength_bits(role, name)) is not None]
    least = min([int(minimum.value), *bits])
    if least == minimum.value:
        return settings
    return MappingProxyType({**settings, "minimum_strength_bits": Setting(least, fallback.reason)})


def _reason(fallback: Fallback, for_ike: bool, rules: Rules) -> Reason:
    peer = rules.requirements.peer
    who = f"IKEv{rules.ike_version}" if peer is None else peer.name
    # Of an ESP proposal only the suite is taken: the key exchange of a rekey is that of phase 1.
    suites = [name for role, name in fallback_parts(fallback.proposal, for_ike) if role is Role.ESP_SUITE]
    taken = fallback.text if for_ike else ", ".join(suites)
    text = (
        f"{who} can use nothing that policy {rules.policy.label} lists first for {'IKE' if for_ike else 'ESP'}: "
        f"{taken}, which it has for old peers, takes that place."
    )
    return Reason(text, fallback.reason.sources)
