"""The Pareto front of strength, traffic and set-ups over everything that the policy allows, and the price of each step.

The strength of a combination is that of its weakest part; what it carries depends on the suite alone, and what its
set-up costs on the key exchange and the authentication. So for any strength one combination is best: the fastest suite
and the cheapest methods that are at least so strong. The front is these, for every strength that a part has; no search
over all combinations is needed, and there are never more points than strengths.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ipsecbench.bench.measurement import Estimate
from ipsecbench.recommend.alternatives import FrontPoint
from ipsecbench.recommend.choice.decision import Decision
from ipsecbench.recommend.choice.ends import Ends
from ipsecbench.recommend.choice.phase1_transforms import choose_encryption, choose_integrity, choose_prf
from ipsecbench.recommend.choice.ranking import Option
from ipsecbench.recommend.formats import percent, rate, significant
from ipsecbench.recommend.keys.ike_parameters import IkeParameters
from ipsecbench.recommend.prediction.arithmetic import ratio

_ANY_STRENGTH = 1 << 16
"""Of a pre-shared key: as strong as its entropy, which is the user's, so that it bounds nothing here."""


def pareto_front(ends: Ends, decision: Decision) -> tuple[FrontPoint, ...]:
    """The front, weakest first; empty where the set-ups have no figure."""
    exchanges, signatures = decision.phase1.exchange_options, _signatures(decision)
    suites = decision.ranking.options
    points: list[FrontPoint] = []
    seen: set[tuple[str, str, str]] = set()
    # From the strongest down, so that of equal combinations the one with the highest strength is kept.
    for bits in sorted({bits for field in (suites, exchanges, signatures) for bits in _strengths(field)}, reverse=True):
        suite = _fastest(suites, bits, decision)
        exchange, signature = _cheapest(exchanges, bits), _cheapest(signatures, bits)
        if suite is None or exchange is None or signature is None:
            continue
        names = suite.name, exchange.name, signature.name
        if names not in seen:
            seen.add(names)
            strength = min(suite.strength_bits, exchange.strength_bits, signature.strength_bits)
            point = _point(ends, decision, names, strength)
            points += [] if point is None else [point]
    return _priced(tuple(reversed(points)), ends, decision)


def _signatures(decision: Decision) -> tuple[Option, ...]:
    """What may authenticate: what was asked for, or every signature that could have been chosen."""
    phase1 = decision.phase1
    found = phase1.authentication_options
    if decision.rules.requirements.authentication is not None or phase1.authentication == "psk":
        found = tuple(option for option in found if option.name == phase1.authentication)
    if found:
        return found
    return (Option(phase1.authentication, decision.phase1.exchange_options[0].cost * 0.0, _ANY_STRENGTH, ("",)),)


def _strengths(options: Iterable[Option]) -> list[int]:
    return [option.strength_bits for option in options if option.strength_bits < _ANY_STRENGTH]


def _fastest(suites: tuple[Option, ...], bits: int, decision: Decision) -> Option | None:
    carried = decision.ranking.capacities
    enough = [option for option in suites if option.strength_bits >= bits]
    return min(enough, key=lambda o: (-carried[o.name].mbit_per_second.median, o.security), default=None)


def _cheapest(options: tuple[Option, ...], bits: int) -> Option | None:
    enough = [option for option in options if option.strength_bits >= bits]
    return min(enough, key=lambda option: (option.cost.value, option.security), default=None)


def _point(ends: Ends, decision: Decision, names: tuple[str, str, str], bits: int) -> FrontPoint | None:
    suite, exchange, signature = names
    setups = _setups_per_second(ends, decision, names, bits)
    if setups is None:
        return None
    phase1 = decision.phase1
    chosen = names == (decision.suite, phase1.key_exchange, phase1.authentication)
    carried = decision.ranking.capacities[suite].mbit_per_second
    return FrontPoint(bits, suite, exchange, signature, carried, setups, None, None, chosen, "")


def _setups_per_second(ends: Ends, decision: Decision, names: tuple[str, str, str], bits: int) -> Estimate | None:
    """Of the end that does fewer, with the PRF and the encryption that phase 1 would have at that strength."""
    suite, exchange, signature = names
    rules = decision.rules
    strongest = max(bits, next(o.strength_bits for o in decision.ranking.options if o.name == suite))
    encryption, _ = choose_encryption(rules, ends, suite, strongest)
    prf, _ = choose_prf(rules, ends, encryption, min(bits, 256))
    parameters = IkeParameters(
        encryption=encryption,
        integrity=choose_integrity(rules, ends[0].costs, encryption, prf),
        prf=prf,
        key_exchange=exchange,
        authentication=signature,
        suite=suite,
        additional_key_exchanges=decision.phase1.additional.names,
        ike_version=rules.ike_version,
        certificate_chain=rules.requirements.certificate_chain,
        exchange_mode=rules.policy.word("ikev1_exchange_mode"),
    )
    costs = [end.handshakes.cost(parameters) for end in ends]
    rates = [cost.handshakes_per_second for cost in costs if cost is not None]
    return min(rates, key=lambda each: each.median) if len(rates) == len(ends) else None


def _priced(points: tuple[FrontPoint, ...], ends: Ends, decision: Decision) -> tuple[FrontPoint, ...]:
    """The same with what each step costs against the one before."""
    found: list[FrontPoint] = []
    for point in points:
        words = f"{point.strength_bits} bits: {point.suite}, {point.key_exchange}, {point.authentication}: "
        words += f"{rate(point.mbit_per_second.median)}, {significant(point.setups_per_second.median)} set-ups/s a core"
        if not found:
            found.append(replace(point, text=f"{words}."))
            continue
        traffic = decision.ranking.traffic_lost_percent(ends, point.suite, found[-1].suite)
        setups = _lost(point.setups_per_second, found[-1].setups_per_second)
        price = f"this step costs {percent(traffic)} of the traffic and {percent(setups)} of the set-ups"
        text = f"{words}; {price}."
        found.append(replace(point, traffic_lost_percent=traffic, setups_lost_percent=setups, text=text))
    return tuple(found)


def _lost(new: Estimate, old: Estimate) -> Estimate:
    quotient = ratio(new, old)
    return Estimate(*((1 - part) * 100 for part in (quotient.median, quotient.upper, quotient.lower)))
