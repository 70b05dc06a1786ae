"""Phase 1: the IKE SA, chosen for security, because it is quiet.

Among what the policy allows with at least the target strength: the key exchange and the signature with the lowest
measured cost, ties broken by security (under the objective ``security`` the strongest, and of those the cheapest); an
encryption transform at least as strong as phase 2's, and a PRF to match.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.bench.measurement import Estimate
from ipsecbench.errors import PolicyError
from ipsecbench.recommend.choice.additional_exchange import AdditionalChoice, choose_additional
from ipsecbench.recommend.choice.constraints import exclusion
from ipsecbench.recommend.choice.end_verdicts import transform_at_ends
from ipsecbench.recommend.choice.ends import End, Ends
from ipsecbench.recommend.choice.objectives import (
    Costed,
    exchange_cost,
    exchange_shown,
    signature_cost,
    signature_shown,
)
from ipsecbench.recommend.choice.phase1_transforms import (
    choose_encryption,
    choose_integrity,
    choose_prf,
    encryption_reason,
    known_names,
    nothing_left,
)
from ipsecbench.recommend.choice.ranking import SURE, Option, chance_of, cheapest_first, choose_cheapest
from ipsecbench.recommend.formats import microseconds
from ipsecbench.recommend.reasons import Exclusion, ExclusionKind, Reason, Role
from ipsecbench.recommend.requirements.records import Objective, Requirements
from ipsecbench.recommend.rules import Rules, Verdict
from ipsecbench.recommend.standing import level, next_step_bits, security_order, strength_bits


@dataclass(frozen=True, slots=True)
class Phase1Choice:
    """The parts of phase 1 and what lost against them."""

    encryption: str
    """Encryption transform."""
    integrity: str | None
    """Integrity transform beside it, where it needs one."""
    prf: str
    """Pseudo-random function."""
    key_exchange: str
    """Key exchange method."""
    authentication: str
    """Authentication method."""
    exclusions: tuple[Exclusion, ...]
    """Everything else that is known, by role."""
    stronger_key_exchange: str | None
    """The cheapest method of the next higher strength that has a figure."""
    exchange_options: tuple[Option, ...]
    """Key exchange methods that could have been chosen."""
    authentication_options: tuple[Option, ...]
    """Signatures that could have been chosen."""
    additional: AdditionalChoice
    """Additional key exchanges."""
    reasons: tuple[Reason, ...]
    """Why these."""
    warnings: tuple[Reason, ...]
    """What the user has to see to."""

    @property
    def strength_bits(self) -> int:
        """The weakest part; a pre-shared key counts as strong as the rest, for its entropy is the user's."""
        parts = (
            strength_bits(Role.IKE_ENCRYPTION, self.encryption),
            strength_bits(Role.PRF, self.prf),
            strength_bits(Role.KEY_EXCHANGE, self.key_exchange),
            strength_bits(Role.AUTHENTICATION, self.authentication),
        )
        return min(bits for bits in parts if bits is not None)


def choose_phase1(rules: Rules, ends: Ends, suite: str, suite_bits: int) -> Phase1Choice:
    """Choose the IKE SA's parameters to go with an ESP suite.

    Raises:
        PolicyError: nothing that the policy allows for one of the roles has a figure.
    """
    exchange = _choose_exchange(rules, ends)
    security = rules.requirements.objective is Objective.SECURITY
    bits = max(rules.target_strength_bits, exchange.strength_bits if security else 0)
    encryption, other_encryption = choose_encryption(rules, ends, suite, max(bits, suite_bits))
    prf, other_prf = choose_prf(rules, ends, encryption, bits)
    authentication = _choose_authentication(rules, ends)
    additional = choose_additional(rules, ends, rules.ike_version)
    reasons = (
        exchange.reason,
        encryption_reason(encryption, suite, exchange.name),
        Reason(
            f"{prf} is the shortest PRF that suffices: twice the target of {bits} bits, "
            "and 384 bits beside AES-256, as in every published suite.",
            ("rfc8247", "rfc9206"),
        ),
        authentication.reason,
        *additional.reasons,
    )
    return Phase1Choice(
        encryption=encryption,
        integrity=choose_integrity(rules, ends[0].costs, encryption, prf),
        prf=prf,
        key_exchange=exchange.name,
        authentication=authentication.name,
        exclusions=(
            *exchange.exclusions,
            *other_encryption,
            *other_prf,
            *authentication.exclusions,
            *additional.exclusions,
        ),
        stronger_key_exchange=_next_stronger(exchange.name, exchange.contest.options),
        exchange_options=exchange.contest.options,
        authentication_options=authentication.contest.options,
        additional=additional,
        reasons=reasons,
        warnings=(*additional.warnings, *(_psk_warning(rules) if authentication.name == "psk" else ())),
    )


@dataclass(frozen=True, slots=True)
class _Contest:
    """The comparison for one role, by cost."""

    role: Role
    """What for."""
    options: tuple[Option, ...]
    """Everything that could have been chosen."""
    field: tuple[Option, ...]
    """Those that were compared to the end, cheapest first."""
    winner: Option | None
    """The best; None where the policy allows nothing that has a figure."""
    costs: Mapping[str, Costed]
    """What everything that could have been chosen is compared by."""
    shown: Mapping[str, Estimate]
    """The figure of everything that has one."""
    verdicts: Mapping[str, Verdict]
    """Why the rest was out before the comparison."""


@dataclass(frozen=True, slots=True)
class _Choice:
    """The outcome for one role."""

    name: str
    """What was chosen."""
    strength_bits: int
    """Of it; 0 for a pre-shared key."""
    contest: _Contest
    """The comparison."""
    exclusions: tuple[Exclusion, ...]
    """Everything else that is known."""
    reason: Reason
    """Why."""


_Shown = Callable[[Requirements, Ends, str], Estimate | None]
_Cost = Callable[[Requirements, Ends, str], Costed | None]


def _compare(role: Role, rules: Rules, ends: Ends, cost_of: _Cost, shown_of: _Shown) -> _Contest:
    wanted = rules.requirements
    shown = {name: figure for name in known_names(role) if (figure := shown_of(wanted, ends, name)) is not None}
    costs: dict[str, Costed] = {}
    verdicts: dict[str, Verdict] = {}
    options: list[Option] = []
    for name in known_names(role):
        verdict = transform_at_ends(role, name, rules, ends, partial(_has, role=role, name=name))
        if verdict is not None:
            verdicts[name] = verdict
        elif (cost := cost_of(wanted, ends, name)) is not None:
            costs[name] = cost
            bits = strength_bits(role, name) or 0
            options.append(Option(name, cost.draws, bits, security_order(role, name)))
    field = cheapest_first(options)
    if wanted.objective is Objective.SECURITY:
        strongest = max((option.strength_bits for option in options), default=0)
        field = tuple(option for option in field if option.strength_bits == strongest)
    return _Contest(role, tuple(options), field, choose_cheapest(field), costs, shown, verdicts)


def _has(end: End, *, role: Role, name: str) -> bool:
    if role is Role.KEY_EXCHANGE:
        return end.exchange(name) is not None
    return name == "psk" or end.signature(name) is not None


def _choose_exchange(rules: Rules, ends: Ends) -> _Choice:
    contest = _compare(Role.KEY_EXCHANGE, rules, ends, exchange_cost, exchange_shown)
    if contest.winner is None:
        raise PolicyError(nothing_left(Role.KEY_EXCHANGE, rules, contest.verdicts, "x25519"))
    return _chosen(contest, contest.winner, "")


def _choose_authentication(rules: Rules, ends: Ends) -> _Choice:
    role = Role.AUTHENTICATION
    contest = _compare(role, rules, ends, signature_cost, signature_shown)
    wanted = rules.requirements.authentication
    if wanted is not None:
        verdict = contest.verdicts.get(wanted)
        if verdict is not None:
            raise PolicyError(f"authentication {wanted}: {verdict[1].text}; choose another --auth or another policy")
        why = f"{wanted} was asked for"
        return _Choice(
            wanted,
            strength_bits(role, wanted) or 0,
            contest,
            _exclusions(contest, wanted, {}, why),
            Reason(f"{why}.", ("rfc8247",)),
        )
    if contest.winner is not None:
        text = (
            f"{contest.winner.name} is as strong as the target; a pre-shared key is as strong as its entropy, and both "
            "ends know it"
        )
        return _chosen(contest, contest.winner, text)
    if "psk" in contest.verdicts:
        raise PolicyError(nothing_left(role, rules, contest.verdicts, "ecdsa-256"))
    reason = Reason(
        "No signature that the policy allows was measured and can be used here, so a pre-shared key it is.",
        ("rfc8247",),
    )
    return _Choice("psk", 0, contest, _exclusions(contest, "psk", {}, ""), reason)


def _chosen(contest: _Contest, winner: Option, why_not_others: str) -> _Choice:
    """The outcome where the comparison decided."""
    lost = {option.name: _lost(option, winner, contest) for option in contest.options if option is not winner}
    excluded = _exclusions(contest, winner.name, lost, why_not_others)
    return _Choice(winner.name, winner.strength_bits, contest, excluded, _winner_reason(winner, contest))


def _exclusions(contest: _Contest, chosen: str, lost: Mapping[str, Verdict], why: str) -> tuple[Exclusion, ...]:
    """Everything of the role but the chosen one: out before, lost, or not wanted for the reason given."""
    role, found = contest.role, []
    of_chosen = next((option for option in contest.options if option.name == chosen), None)
    options = {option.name: option for option in contest.options}
    for name in known_names(role):
        if name != chosen:
            verdict = contest.verdicts.get(name) or lost.get(name)
            final = verdict or (ExclusionKind.OTHER_WANTED, Reason(why, ("rfc8247",)))
            chance = chance_of(of_chosen, options[name]) if of_chosen is not None and name in options else None
            found.append(exclusion(role, name, final, cost_us=contest.shown.get(name), chance=chance))
    return tuple(found)


def _winner_reason(winner: Option, contest: _Contest) -> Reason:
    role, best = contest.role, contest.field[0]
    cost = microseconds(contest.costs[winner.name].shown)
    what = "key exchange" if role is Role.KEY_EXCHANGE else "signature"
    if winner.name == best.name:
        if len(contest.options) == 1:
            return Reason(f"{winner.name} is the only {what} that suffices: {cost}, {winner.strength_bits} bits.")
        which = f"of the {len(contest.options)} that suffice"
        if len(contest.field) < len(contest.options):
            which = f"of the {len(contest.field)} strongest"
            if len(contest.field) == 1:
                return Reason(f"{winner.name} is the strongest {what}: {cost}, {winner.strength_bits} bits.")
        return Reason(f"{winner.name} is the cheapest {what} {which}: {cost}, {winner.strength_bits} bits.")
    rival = microseconds(contest.costs[best.name].shown)
    text = (
        f"{winner.name} ({cost}) ties with the cheapest {what}, {best.name} ({rival}), and wins by security: "
        f"{winner.strength_bits} bits, {level(role, winner.name)[0]}."
    )
    return Reason(text, ("rfc8247",))


def _lost(option: Option, winner: Option, contest: _Contest) -> Verdict:
    """Why something that could have been chosen was not."""
    role, best = contest.role, contest.field[0]
    mine, other = (microseconds(contest.costs[each.name].shown) for each in (option, best))
    if option not in contest.field:
        text = f"weaker than {winner.name}: {option.strength_bits} bits against {winner.strength_bits}"
        return ExclusionKind.WEAKER, Reason(text, ("nist57",))
    if chance_of(best, option) >= SURE:
        factor = option.cost.value / best.cost.value
        return ExclusionKind.SLOWER, Reason(f"dearer than {best.name}: {mine} against {other}, {factor:.1f} times")
    ahead = "not surely the cheapest"
    if option is not best:
        ahead = f"{best.name} is cheaper with a chance of {chance_of(best, option):.0%}"
    start = f"a tie ({mine}, {winner.name} {microseconds(contest.costs[winner.name].shown)}; {ahead}), "
    if option.strength_bits != winner.strength_bits:
        text = f"{start}broken by security: {option.strength_bits} bits against {winner.strength_bits}"
        return ExclusionKind.WEAKER, Reason(text, ("nist57",))
    mine_level, best_level = level(role, option.name)[0], level(role, winner.name)[0]
    if mine_level != best_level:
        text = f"{start}broken by security: {mine_level} against {best_level}"
        return ExclusionKind.WEAKER, Reason(text, ("rfc8247",))
    text = f"{start}broken by name: equal in strength and RFC level, {winner.name} is first by name"
    return ExclusionKind.WEAKER, Reason(text)


def _psk_warning(rules: Rules) -> tuple[Reason, ...]:
    bits = max(rules.target_strength_bits, rules.policy.optional_number("psk_minimum_bits") or 0)
    text = (
        f"A pre-shared key is as strong as its entropy: draw at least {bits} random bits "
        "(such as 'openssl rand -base64 32'), one per pair of gateways; anyone who knows it can pose as either."
    )
    return (Reason(text, ("nist77", "rfc7296")),)


def _next_stronger(chosen: str, options: tuple[Option, ...]) -> str | None:
    """What would be chosen if the next step of strength were asked for."""
    step = next_step_bits(KEY_EXCHANGE[chosen].strength_bits)
    best = choose_cheapest([option for option in options if step is not None and option.strength_bits >= step])
    return None if best is None else best.name
