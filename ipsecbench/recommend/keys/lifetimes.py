"""When keys are replaced: computed from every limit that there is, each of them named in the answer.

Soft limits start a rekey, hard limits end the SA. As in strongSwan a hard limit is a tenth above the soft one
(``life = 1.1 · rekey``), but never above the policy's maximum or a limit of the cipher or of ESP: there the soft one is
what is left of the hard one. Data limits hold for whatever sizes of packets come (:class:`KeyBudget`). For products
that count nothing but seconds a second pair of lives is cut so that an SA as fast as this box can make it keeps
to them too.
"""

from __future__ import annotations

from dataclasses import dataclass

from ipsecbench.algorithms.limits import (
    ADVANTAGE_EXPONENT,
    SEQUENCE_NUMBER_PACKETS,
    bytes_per_key,
    forgeries_per_key,
    key_budget,
)
from ipsecbench.algorithms.suites import EspSuite
from ipsecbench.esp.overhead import ESP_TRAILER_BYTES
from ipsecbench.recommend.formats import octets, rate, seconds
from ipsecbench.recommend.keys.jitter import jitter
from ipsecbench.recommend.keys.lives import Effect, LifeConditions, LifeLimit, Lifetime, Unit
from ipsecbench.recommend.policies.policy import Policy
from ipsecbench.recommend.reasons import Reason
from ipsecbench.recommend.requirements.traffic import Traffic

MARGIN_PERCENT = 10
"""By how much a hard limit is above the soft one: strongSwan's ``over_time`` and ``life_time`` (swanctl.conf)."""
REKEY_SHARE = 0.05
"""Share of the allowed cores that rekeying may take before lives are made longer, within the policy. Ours."""
_ASSOCIATED_BYTES = 12
"""SPI and extended sequence number: what a combined mode authenticates beside the payload (RFC 4106 section 5)."""
POLICY_REKEY = "policy's rekey time"
POLICY_MAXIMUM = "policy's maximum"
POLICY_OCTETS = "policy's octets"
PEER = "peer's life"
CIPHER = "cipher"
BLOCK_64 = "64-bit blocks"
SEQUENCE = "sequence numbers"
FORGERY = "forgeries"
REKEY_COST = "cost of rekeying"
_BLOCK_64_SOURCES: tuple[str, ...] = ("nisttdea", "sweet32")
_CIPHER_SOURCES: tuple[str, ...] = ("aead",)


@dataclass(frozen=True, slots=True)
class SaRate:
    """The most that one SA carries on this box: upper ends, since a life has to hold in the fastest case."""

    mbit_per_second: float
    """10^6 bit/s of inner packets of the wanted traffic."""
    packets_per_second: float
    """The same in packets."""
    smallest_packets_per_second: float
    """Packets per second if all of them were small."""


def payload_bytes(traffic: Traffic) -> int:
    """Octets that a packet of the traffic's mean size has encrypted, rounded up."""
    return max(1, round(traffic.mean_bytes + 0.5))


def seconds_per_key(suite: EspSuite, traffic: Traffic, mbit_per_second: float) -> float | None:
    """How long one key lasts at a rate before its cap on octets; None without a cap."""
    cap = bytes_per_key(suite.encryption, payload_bytes(traffic))
    return None if cap is None else cap * 8 / (mbit_per_second * 1e6)


def ike_lifetime(policy: Policy, conditions: LifeConditions | None = None) -> Lifetime:
    """The IKE SA's life: time only, for it moves a handful of packets."""
    given = conditions or LifeConditions()
    peer_seconds = None if given.peer is None else given.peer.ike_seconds
    limits = _time_limits(policy, "ike", given, peer_seconds)
    soft, hard, binding = _seconds(policy, "ike", given, peer_seconds, ())
    reasons = (
        policy.settings["ike_rekey_seconds"].reason,
        Reason(
            "Octets and packets set no limit: the IKE SA carries a few messages an hour. 24 hours is a default of "
            "2005 (RFC 4308), not a computed value; with PFS no Child SA's keys depend on the IKE key alone.",
            ("rfc4308", "nist77"),
        ),
        *_binding_reason(binding, limits),
    )
    spread = jitter(soft, hard, given, peer_seconds)
    return Lifetime(
        soft, hard, None, None, None, None, float(soft), reasons, _in_order(limits), binding, spread, soft, hard,
        given.ike_version == 1,
    )  # fmt: skip


def child_lifetime(
    policy: Policy,
    suite: EspSuite,
    traffic: Traffic,
    sa_rate: SaRate,
    *,
    esn: bool,
    conditions: LifeConditions | None = None,
) -> Lifetime:
    """The Child SA's life in seconds, octets and packets.

    Args:
        policy: gives the times.
        suite: the ESP suite.
        traffic: the packets that are expected; only the limits' split into octets and packets depends on them.
        sa_rate: the most that one SA carries.
        esn: whether sequence numbers have 64 bits.
        conditions: IKE version, peer and what rekeying costs; IKEv2 with a peer of which nothing is known if None.
    """
    given = conditions or LifeConditions()
    peer_seconds = None if given.peer is None else given.peer.child_seconds
    cipher = (*_policy_octets(policy, sa_rate), *_cipher_limits(suite, traffic, sa_rate))
    sequence = _sequence_limit(esn, sa_rate)
    forgery = _forgery_limit(suite, traffic, sa_rate)
    data = (*cipher, *(each for each in (sequence,) if each.effect is Effect.AT_MOST))
    limits = (*_time_limits(policy, "child", given, peer_seconds), *cipher, sequence, *forgery)
    soft_seconds, hard_seconds, binding = _seconds(policy, "child", given, peer_seconds, ())
    uncounted_soft, uncounted_hard, _ = _seconds(policy, "child", given, peer_seconds, data)
    hard_bytes = min((each.value for each in data if each.unit is Unit.BYTES), default=None)
    hard_packets = min((each.value for each in data if each.unit is Unit.PACKETS), default=None)
    soft_bytes, soft_packets = _soft(hard_bytes), _soft(hard_packets)
    expected = [float(soft_seconds)]
    if soft_bytes is not None:
        expected.append(soft_bytes * 8 / (sa_rate.mbit_per_second * 1e6))
    if soft_packets is not None:
        expected.append(soft_packets / sa_rate.packets_per_second)
    if min(expected) < soft_seconds:
        binding = min(data, key=lambda each: (each.reached_after_seconds or 0.0, each.name)).name
    reasons = (
        policy.settings["child_rekey_seconds"].reason,
        *dict.fromkeys(each.reason for each in cipher),
        *([_no_cap(suite)] if key_budget(suite.encryption) is None else []),
        sequence.reason,
        *_binding_reason(binding, limits),
    )
    spread = jitter(soft_seconds, hard_seconds, given, peer_seconds, octets=(soft_bytes, hard_bytes),
                    packets=(soft_packets, hard_packets))  # fmt: skip
    return Lifetime(
        soft_seconds, hard_seconds, soft_bytes, hard_bytes, soft_packets, hard_packets, min(expected), reasons,
        _in_order(limits), binding, spread, uncounted_soft, uncounted_hard, given.ike_version == 1,
    )  # fmt: skip


def _soft(hard: int | None) -> int | None:
    return None if hard is None else max(1, hard * 100 // (100 + MARGIN_PERCENT))


def _hard(soft: int) -> int:
    return soft * (100 + MARGIN_PERCENT) // 100


def _seconds(
    policy: Policy, which: str, conditions: LifeConditions, peer_seconds: int | None, data: tuple[LifeLimit, ...]
) -> tuple[int, int, str]:
    """Soft and hard life, and the name of the limit that the soft one comes from."""
    longest = policy.number(f"{which}_maximum_seconds")
    ceilings = [(longest, POLICY_MAXIMUM)]
    if peer_seconds is not None and conditions.ike_version == 1:
        ceilings.append((peer_seconds, PEER))
    floor = policy.number("shortest_rekey_seconds")
    for limit in data:
        # Seconds below the policy's shortest rekey are not set: there octets or packets have to be counted.
        ceilings.append((max(floor, int(limit.reached_after_seconds or 0.0)), limit.name))
    ceiling, ceiling_name = min(ceilings)
    soft, name = policy.number(f"{which}_rekey_seconds"), POLICY_REKEY
    if conditions.least_seconds > soft:
        soft, name = int(conditions.least_seconds + 1), REKEY_COST
    most = max(1, ceiling * 100 // (100 + MARGIN_PERCENT))
    if most < soft:
        return most, max(most, ceiling), ceiling_name
    return soft, min(_hard(soft), ceiling), name


def _time_limits(
    policy: Policy, which: str, conditions: LifeConditions, peer_seconds: int | None
) -> tuple[LifeLimit, ...]:
    found = []
    for name, key in ((POLICY_REKEY, "rekey"), (POLICY_MAXIMUM, "maximum")):
        setting = policy.settings[f"{which}_{key}_seconds"]
        value = policy.number(f"{which}_{key}_seconds")
        found.append(LifeLimit(name, Unit.SECONDS, value, Effect.AT_MOST, float(value), setting.reason))
    if peer_seconds is not None and conditions.peer is not None:
        negotiated = conditions.ike_version == 1
        doubt = " (its sources do not confirm it)" if conditions.peer.is_uncertain(f"{which}_seconds") else ""
        text = f"{conditions.peer.name} lets a key live {peer_seconds} s{doubt}"
        rule = (
            "IKEv1 offers lives to the other end, and the smaller one wins"
            if negotiated
            else "IKEv2 does not negotiate lives: that end keeps its own, and whichever is first rekeys"
        )
        effect = Effect.AT_MOST if negotiated else Effect.REPORTED
        sources = ("rfc2409",) if negotiated else ("rfc7296",)
        found.append(
            LifeLimit(
                PEER, Unit.SECONDS, peer_seconds, effect, float(peer_seconds), Reason(f"{text}: {rule}.", sources)
            )
        )
    if conditions.least_seconds > 0:
        value = int(conditions.least_seconds + 1)
        text = (
            f"Rekeying more often than every {seconds(value)} would take more than {REKEY_SHARE:.0%} of the cores; "
            "this bound is ours."
        )
        found.append(LifeLimit(REKEY_COST, Unit.SECONDS, value, Effect.AT_LEAST, float(value), Reason(text)))
    return tuple(found)


def _cipher_limits(suite: EspSuite, traffic: Traffic, sa_rate: SaRate) -> tuple[LifeLimit, ...]:
    """The cipher's cap in octets and in packets, which together hold for packets of any sizes."""
    budget = key_budget(suite.encryption)
    if budget is None:
        return ()
    packets = max(1, budget.packets(traffic.mean_bytes))
    amount = max(1, int(packets * traffic.mean_bytes))
    lasts = amount * 8 / (sa_rate.mbit_per_second * 1e6)
    at = f"{rate(sa_rate.mbit_per_second)} takes {seconds(lasts)} for it"
    if suite.encryption.block_bytes == 8:
        name, sources = BLOCK_64, _BLOCK_64_SOURCES
        text = f"64-bit blocks: 2^20 of them per key, {octets(amount)} of this traffic; {at}."
    else:
        name, sources = CIPHER, _CIPHER_SOURCES
        text = f"One key may protect {octets(amount)} (advantage of at most 2^-{ADVANTAGE_EXPONENT}); {at}."
    reason = Reason(text, sources)
    return (
        LifeLimit(name, Unit.BYTES, amount, Effect.AT_MOST, lasts, reason),
        LifeLimit(name, Unit.PACKETS, packets, Effect.AT_MOST, packets / sa_rate.packets_per_second, reason),
    )


def _policy_octets(policy: Policy, sa_rate: SaRate) -> tuple[LifeLimit, ...]:
    """The policy's own limit on octets, where it has one."""
    value = policy.optional_number("child_maximum_bytes")
    if value is None:
        return ()
    lasts = value * 8 / (sa_rate.mbit_per_second * 1e6)
    reason = policy.settings["child_maximum_bytes"].reason
    return (LifeLimit(POLICY_OCTETS, Unit.BYTES, value, Effect.AT_MOST, lasts, reason),)


def _no_cap(suite: EspSuite) -> Reason:
    return Reason(f"{suite.name} sets no limit on octets: time and sequence numbers bound it.", ("aead",))


def _sequence_limit(esn: bool, sa_rate: SaRate) -> LifeLimit:
    lasts = seconds(SEQUENCE_NUMBER_PACKETS / sa_rate.smallest_packets_per_second)
    small = f"{sa_rate.smallest_packets_per_second / 1e6:.2f} million small packets a second"
    if esn:
        text = f"Extended sequence numbers: 32 bits would last {lasts} at {small}."
        return LifeLimit(
            SEQUENCE, Unit.PACKETS, 2**64 - 1, Effect.REPORTED, (2**64 - 1) / sa_rate.packets_per_second,
            Reason(text, ("rfc4303",)),
        )  # fmt: skip
    text = f"32-bit sequence numbers must not cycle: they last {lasts} at {small}."
    value = SEQUENCE_NUMBER_PACKETS - 1
    return LifeLimit(
        SEQUENCE, Unit.PACKETS, value, Effect.AT_MOST, value / sa_rate.packets_per_second, Reason(text, ("rfc4303",))
    )


def _forgery_limit(suite: EspSuite, traffic: Traffic, sa_rate: SaRate) -> tuple[LifeLimit, ...]:
    size = payload_bytes(traffic) + ESP_TRAILER_BYTES + _ASSOCIATED_BYTES
    value = forgeries_per_key(suite.encryption, suite.icv_bytes, size)
    if value is None:
        return ()
    lasts = value / sa_rate.packets_per_second
    text = (
        f"After {value:.2g} forged packets one is accepted with a chance of 2^-{ADVANTAGE_EXPONENT}; an attacker who "
        f"fills this box needs {seconds(lasts)} for them. Rekey when a counter of wrong ICVs comes near it."
    ).replace("e+", "e")
    return (LifeLimit(FORGERY, Unit.FORGERIES, value, Effect.REPORTED, lasts, Reason(text, ("aead",))),)


def _in_order(limits: tuple[LifeLimit, ...]) -> tuple[LifeLimit, ...]:
    """What bounds from above and is reached first comes first; what is only reported comes last."""
    effects = list(Effect)
    return tuple(
        sorted(limits, key=lambda each: (effects.index(each.effect), each.reached_after_seconds or 0.0, each.name))
    )


def _binding_reason(binding: str, limits: tuple[LifeLimit, ...]) -> tuple[Reason, ...]:
    """That something other than the policy's time sets the life; nothing where that does."""
    if binding == POLICY_REKEY:
        return ()
    found = next(each for each in limits if each.name == binding)
    after = "" if found.reached_after_seconds is None else f" ({seconds(found.reached_after_seconds)})"
    return (
        Reason(f"What ends a key first is not the policy's rekey time but: {binding}{after}.", found.reason.sources),
    )
