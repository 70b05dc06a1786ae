"""Claims about key exchange, authentication, lives and rekeying."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.bench.draws import Draws
from ipsecbench.bench.measurement import Estimate, Tier
from ipsecbench.explain.box import Box, Figure, interval, quotient
from ipsecbench.explain.verdicts import SURE, Outcome, Verdict, by_chance, rates, ratio_figure, unknown
from ipsecbench.recommend.formats import microseconds, octets, significant, small_percent
from ipsecbench.recommend.prediction.arithmetic import scaled

SMALL_SHARE = 0.01
"""Share of a core below which a cost is no argument."""
_HOUR_SECONDS = 3600
_NO_ANSWER = "The dataset does not support a recommendation under the default policy, which these figures come from"
_GROUP_2, _REPLACEMENTS = "modp1024", ("x25519", "ecp256", "modp2048")


def group_2(box: Box | None) -> Outcome:
    """Group 2 is fine."""
    method = KEY_EXCHANGE[_GROUP_2]
    wrong = (
        f"About {method.strength_bits} bits: the work that breaks the prime is done once for all who use it, so that a "
        "life of 24 hours does not help, and what was recorded is read later"
    )
    if box is None:
        return Outcome(Verdict.FAILS, f"{wrong}.")
    found = [one for name in _REPLACEMENTS if (one := box.compare_exchanges(name, _GROUP_2)) is not None]
    if not found:
        return Outcome(Verdict.FAILS, f"{wrong}. The dataset has no figure to say what a better group costs.")
    best = max(found, key=lambda one: one.ratio.median)
    better = KEY_EXCHANGE[best.one].strength_bits
    times = best.ratio.median
    if best.chance >= SURE:
        saves = f"It saves nothing here: {best.one} has {better} bits and is {significant(times)} times as fast"
    else:
        saves = f"The cheapest better one is {best.one} with {better} bits, at {significant(1 / times)} times the time"
    figures = tuple(_exchange(box, name) for name in (_GROUP_2, *(one.one for one in found)))
    return Outcome(Verdict.FAILS, f"{wrong}. {saves}.", figures)


def _exchange(box: Box, name: str) -> Figure:
    drawn = box.exchange_us(name)
    value = Estimate(0.0, 0.0, 0.0) if drawn is None else interval(drawn)
    method = KEY_EXCHANGE[name]
    return Figure(f"{name} (group {method.ikev2_id}, {method.strength_bits} bits)", value, "µs", Tier.PRIMITIVE)


def bigger_group(box: Box | None) -> Outcome:
    """A bigger group number is stronger and slower."""
    known = "Numbers count registrations: group 19 has 128 bits and group 18 about 200, group 22 is as weak as group 2"
    if box is None:
        return Outcome(Verdict.FAILS, f"{known}.")
    measured = sorted(
        (method.ikev2_id, name)
        for name, method in KEY_EXCHANGE.items()
        if not method.kem and method.strength_bits >= 112 and box.exchange_us(name) is not None
    )
    against = [
        found
        for place, (_, low) in enumerate(measured)
        for _, high in measured[place + 1 :]
        if (found := box.compare_exchanges(high, low)) is not None and found.chance >= SURE
    ]
    if not against:
        return Outcome(
            Verdict.FAILS, f"{known}. Of the groups that were measured here none shows the speed half wrong."
        )
    curves = [one for one in against if (one.one, one.other) == ("ecp521", "ecp384")]
    shown = (curves or sorted(against, key=lambda one: (-one.ratio.median, one.one)))[0]
    high, low = KEY_EXCHANGE[shown.one], KEY_EXCHANGE[shown.other]
    answer = (
        f"{known}. Nor is it slower: group {high.ikev2_id} ({shown.one}, {high.strength_bits} bits) is "
        f"{significant(shown.ratio.median)} times as fast here as group {low.ikev2_id} ({shown.other}, "
        f"{low.strength_bits} bits), one of {len(against)} such pairs."
    )
    names = dict.fromkeys((shown.other, shown.one, *(one for one in ("modp2048", "x25519") if box.exchange_us(one))))
    return Outcome(Verdict.FAILS, answer, (*(_exchange(box, name) for name in names), ratio_figure(shown)))


def group_and_traffic(box: Box | None) -> Outcome:
    """A larger DH group slows the tunnel's traffic."""
    fact = "The group is used when keys are made and adds no octet to any packet"
    dearest = _dearest(box, most_bits=None)
    if box is None or dearest is None:
        return Outcome(Verdict.FAILS, f"{fact}.")
    name, drawn = dearest
    share = drawn.value / 1e6 / _HOUR_SECONDS
    answer = (
        f"{fact}. Even {name}, the dearest measured here, takes {small_percent(share)} of a core if a tunnel is "
        f"rekeyed with it once an hour; {_peers(share)}."
    )
    return Outcome(Verdict.FAILS, answer, (_exchange(box, name), _hourly(drawn)))


def _peers(share: float) -> str:
    return (
        f"1% of a core is reached with {int(SMALL_SHARE / share):,} tunnels" if share < SMALL_SHARE else "that is a lot"
    )


def _hourly(drawn: Draws) -> Figure:
    share = scaled(interval(drawn), 100 / 1e6 / _HOUR_SECONDS)
    return Figure("share of one core, once an hour", share, "%", Tier.PRIMITIVE)


def _dearest(box: Box | None, most_bits: int | None) -> tuple[str, Draws] | None:
    if box is None:
        return None
    found = [
        (drawn.value, name, drawn)
        for name, method in KEY_EXCHANGE.items()
        if (most_bits is None or method.strength_bits <= most_bits) and (drawn := box.exchange_us(name)) is not None
    ]
    if not found:
        return None
    _, name, drawn = max(found, key=lambda one: one[:2])
    return name, drawn


def strong_phase_1(box: Box | None) -> Outcome:
    """Phase 1 should be strong, phase 2 fast."""
    if box is None:
        return unknown("This needs the costs of both phases")
    answer = box.recommendation
    dearest = _dearest(box, most_bits=None)
    if answer is None or dearest is None:
        return unknown(_NO_ANSWER)
    name, drawn = dearest
    share = drawn.value / 1e6 / _HOUR_SECONDS
    candidates = sorted(answer.candidates, key=lambda one: one.headline.one_way_mbit_per_second.median)
    fast, slow = candidates[-1].name, candidates[0].name
    found = box.compare_suites(fast, slow)
    phase2 = (
        f"what the policy allows for phase 2 differs {significant(found.ratio.median)} times ({fast} against {slow})"
        if found is not None and fast != slow
        else "the policy leaves one suite for phase 2"
    )
    verdict = Verdict.HOLDS if share < SMALL_SHARE else Verdict.DEPENDS
    said = (
        f"The dearest exchange measured, {name}, takes {small_percent(share)} of a core once an hour, and {phase2}. "
        "Fast must not mean weak: the fastest here has "
        f"{candidates[-1].strength_bits} bits."
    )
    figures = (_hourly(drawn), *rates(box, fast, *(() if fast == slow else (slow,))))
    return Outcome(verdict, said, (*figures, *(() if found is None or fast == slow else (ratio_figure(found),))))


def day_lives(box: Box | None) -> Outcome:
    """24-hour lives are right."""
    if box is None:
        return unknown("24 hours are a default of RFC 4308; what they open and save needs the rate of a box")
    found = box.recommendation
    if found is None:
        return unknown(_NO_ANSWER)
    day = found.day_long_lives
    saved = day.hourly_rekey_core_seconds_per_day.median - day.daily_rekey_core_seconds_per_day.median
    verdict = Verdict.FAILS if saved / 86400 < SMALL_SHARE else Verdict.DEPENDS
    figures = (
        Figure("one SA's traffic in 24 hours", _exactly(day.opened_without_pfs_bytes / 1e9), "GB", "prediction"),
        Figure(
            "processor time a day, rekeyed hourly with PFS", day.hourly_rekey_core_seconds_per_day, "s", "prediction"
        ),
        Figure("processor time a day, rekeyed once", day.daily_rekey_core_seconds_per_day, "s", "prediction"),
        Figure("32-bit sequence numbers last", _exactly(day.sequence_numbers_last_seconds), "s", "prediction"),
    )
    return Outcome(verdict, day.text, figures)


def _exactly(value: float) -> Estimate:
    return Estimate(value, value, value)


def no_pfs(box: Box | None) -> Outcome:
    """Disable PFS for speed."""
    if box is None:
        return unknown("PFS adds a key exchange to each rekey and nothing to packets; what that is needs a box")
    found = box.recommendation
    if found is None:
        return unknown(_NO_ANSWER)
    price = found.pfs
    extra = price.share_with.median - price.share_without.median
    verdict = Verdict.FAILS if extra < SMALL_SHARE else Verdict.DEPENDS
    many = f" It would be 1% with {int(SMALL_SHARE / extra):,} tunnels." if 0 < extra < SMALL_SHARE else ""
    answer = (
        f"It frees {small_percent(max(extra, 0.0))} of one core for one tunnel and not one packet gets faster.{many} "
        f"Without it one broken exchange opens {octets(price.opened_without_bytes)} at this box's rate, with it "
        f"{octets(price.opened_with_bytes)}."
    )
    figures = (
        Figure("a rekey with PFS, responder", price.with_pfs.responder.cpu_us, "µs", "prediction"),
        Figure("a rekey without", price.without_pfs.responder.cpu_us, "µs", "prediction"),
        Figure("share of one core with PFS", scaled(price.share_with, 100.0), "%", "prediction"),
        Figure("share of one core without", scaled(price.share_without, 100.0), "%", "prediction"),
    )
    return Outcome(verdict, answer, figures)


def rekeying(box: Box | None) -> Outcome:
    """Rekeying is transparent."""
    if box is None:
        return unknown("Whether it is noticed depends on what a rekey takes of the core that carries traffic")
    found = box.recommendation
    if found is None:
        return unknown(_NO_ANSWER)
    cost = found.setup.child_rekey.responder.cpu_us
    packets = scaled(cost, found.phase2.candidate.headline.packets_per_second.median / 1e6)
    answer = (
        f"To the users, if both ends make the new SA before the old one ends: a rekey takes {microseconds(cost)} of a "
        f"core, the time of {packets.median:,.0f} packets if it is the core that carries them. Not where the peer "
        "deletes first and authenticates again, as IKEv1 does when phase 1 ends."
    )
    figures = (
        Figure("a Child SA's rekey, responder", cost, "µs", "prediction"),
        Figure("packets that pass in that time at full rate", packets, "packets", "prediction"),
    )
    return Outcome(Verdict.DEPENDS, answer, figures)


def aggressive(box: Box | None) -> Outcome:
    """Aggressive mode is faster, so use it."""
    wrong = (
        "Not to be used with a pre-shared key: anyone who asks is given a hash to guess it with, offline. It saves two "
        "round trips once for each set-up, and nothing of the traffic"
    )
    found = None if box is None else box.recommendation
    if found is None:
        return Outcome(Verdict.FAILS, f"{wrong}.")
    ways = {cost.name.partition(" ")[0]: cost for cost in (found.setup.setup, *found.setup.other_setups)}
    shown = [cost for word, cost in ways.items() if word in ("main", "aggressive", "IKE_SA_INIT,")]
    figures = tuple(
        Figure(f"{cost.name}: until traffic flows", scaled(cost.wall_ms, 1e3), "µs", "prediction") for cost in shown
    )
    trip = found.setup.round_trip_ms
    return Outcome(
        Verdict.FAILS, f"{wrong}, {significant(2 * trip)} ms at a round trip of {significant(trip)} ms.", figures
    )


def newer_ike(box: Box | None) -> Outcome:
    """IKEv2 is faster than IKEv1: at setting up, by the messages that each needs; packets do not notice."""
    traffic = "The traffic is the same: both negotiate the same ESP"
    found = None if box is None else box.recommendation
    if found is None:
        return unknown(f"{traffic}; what a set-up takes needs a box")
    costs = (found.setup.setup, *found.setup.other_setups)
    new = next((cost for cost in costs if cost.name.startswith("IKE_SA_INIT")), None)
    old = next((cost for cost in costs if cost.name.startswith("main mode")), None)
    if new is None or old is None:
        return unknown(f"{traffic}; a set-up has no figure here")
    shorter = new.wall_ms.upper < old.wall_ms.lower
    answer = (
        f"At setting up: {new.messages} messages and {new.round_trips} round trips against {old.messages} and "
        f"{old.round_trips} with main and quick mode. {traffic}."
    )
    figures = tuple(
        Figure(f"{cost.name}: until traffic flows", scaled(cost.wall_ms, 1e3), "µs", "prediction")
        for cost in (new, old)
    )
    return Outcome(Verdict.HOLDS if shorter else Verdict.DEPENDS, answer, figures)


def ecdsa(box: Box | None) -> Outcome:
    """ECDSA is faster than RSA: at signing, and at verifying; both ends do both."""
    one, other = "ecdsa-256", "rsa-3072"
    first = None if box is None else box.signature_us(one)
    second = None if box is None else box.signature_us(other)
    if first is None or second is None:
        return unknown(f"This needs figures for {one} and {other}, of the same strength")
    chances = [mine.chance_below(its) for mine, its in zip(first, second, strict=True)]
    figures = tuple(
        Figure(f"{name} {step}", interval(drawn), "µs", Tier.PRIMITIVE)
        for name, pair in ((one, first), (other, second))
        for step, drawn in zip(("sign", "verify"), pair, strict=True)
    )
    both = (first[0] + first[1]).chance_below(second[0] + second[1])
    words = {Verdict.HOLDS: "faster", Verdict.FAILS: "slower", Verdict.DEPENDS: "about as fast"}
    steps = [
        f"{words[by_chance(chance)]} at {step}" for chance, step in zip(chances, ("signing", "verifying"), strict=True)
    ]
    answer = f"{one} is {' and '.join(steps)} than {other} of the same strength; a set-up does both at each end."
    verdict = by_chance(both) if by_chance(chances[0]) is by_chance(chances[1]) else Verdict.DEPENDS
    if verdict is Verdict.DEPENDS and by_chance(both) is not Verdict.DEPENDS:
        ratio = quotient(second[0] + second[1], first[0] + first[1]).value
        answer += f" In sum it takes {significant(100 / ratio)}% of RSA's time."
    return Outcome(verdict, answer, figures)


def post_quantum(box: Box | None) -> Outcome:
    """Post-quantum key exchange is slow."""
    name = "mlkem768"
    drawn = None if box is None else box.exchange_us(name)
    others = (
        [] if box is None else [one for one in ("x25519", "ecp256", "modp2048") if box.exchange_us(one) is not None]
    )
    if box is None or drawn is None or not others:
        return unknown(f"This needs {name} beside a classical method; ML-KEM takes OpenSSL 3.5 or a recent library")
    found = [one for other in others if (one := box.compare_exchanges(name, other)) is not None]
    slower = [one.other for one in found if one.chance <= 1 - SURE]
    verdict = Verdict.HOLDS if len(slower) == len(found) else Verdict.FAILS if not slower else Verdict.DEPENDS
    share = drawn.value / 1e6 / _HOUR_SECONDS
    method = KEY_EXCHANGE[name]
    rest = [name for name in others if name not in slower]
    words = " and ".join(
        [f"it takes longer than {', '.join(slower)}"] * bool(slower)
        + [f"no longer than {', '.join(rest)}"] * bool(rest)
    )
    answer = (
        f"Here {words}; beside a classical exchange it adds {small_percent(share)} of a core once an hour, and "
        f"{method.initiator_bytes} and {method.responder_bytes} octets with a round trip more."
    )
    return Outcome(verdict, answer, tuple(_exchange(box, one) for one in (name, *others)))


IKE_CLAIMS: Mapping[str, Callable[[Box | None], Outcome]] = {
    "group-2-is-fine": group_2,
    "bigger-group": bigger_group,
    "group-slows-traffic": group_and_traffic,
    "strong-phase-1": strong_phase_1,
    "24-hour-lives": day_lives,
    "disable-pfs": no_pfs,
    "rekeying-is-transparent": rekeying,
    "aggressive-is-faster": aggressive,
    "ikev2-is-faster": newer_ike,
    "ecdsa-beats-rsa": ecdsa,
    "post-quantum-is-slow": post_quantum,
}
"""By the name of the claim."""
