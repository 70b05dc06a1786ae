"""When keys are replaced: by time (the policy), by octets and by packets (the limits of the cipher and of ESP).

Soft limits start a rekey, hard limits end the SA. As in strongSwan a hard limit is a tenth above the soft one
(``life = 1.1 · rekey``), but never above the policy's maximum or the cipher's cap. IKEv2 does not negotiate lives
(RFC 7296 section 2.8): each end keeps its own.
"""

from __future__ import annotations

from ipsecbench.algorithms.limits import ADVANTAGE_EXPONENT, SEQUENCE_NUMBER_PACKETS, bytes_per_key, packets_per_key
from ipsecbench.algorithms.suites import EspSuite
from ipsecbench.bench.measurement import Estimate
from ipsecbench.recommend.formats import octets, rate, seconds
from ipsecbench.recommend.lives import Lifetime
from ipsecbench.recommend.policy import Policy
from ipsecbench.recommend.reasons import Reason
from ipsecbench.recommend.traffic import Traffic

_MARGIN_PERCENT = 10


def payload_bytes(traffic: Traffic) -> int:
    """Octets that a packet of the traffic's mean size has encrypted, rounded up."""
    return max(1, round(traffic.mean_bytes + 0.5))


def seconds_per_key(suite: EspSuite, traffic: Traffic, mbit_per_second: float) -> float | None:
    """How long one key lasts at a rate before its cap on octets; None without a cap."""
    cap = bytes_per_key(suite.encryption, payload_bytes(traffic))
    return None if cap is None else cap * 8 / (mbit_per_second * 1e6)


def ike_lifetime(policy: Policy) -> Lifetime:
    """The IKE SA's life: time only, for it moves a handful of packets."""
    soft, hard = _seconds(policy, "ike")
    reasons = (
        policy.settings["ike_rekey_seconds"].reason,
        Reason(
            "Octets and packets set no limit: the IKE SA carries a few messages an hour. 24 hours is a default of "
            "2005 (RFC 4308), not a computed value; with PFS no Child SA's keys depend on the IKE key alone.",
            ("rfc4308", "nist77"),
        ),
    )
    return Lifetime(soft, hard, None, None, None, None, float(soft), reasons)


def child_lifetime(
    policy: Policy, suite: EspSuite, traffic: Traffic, rate_estimate: Estimate, smallest_per_second: float, esn: bool
) -> Lifetime:
    """The Child SA's life in seconds, octets and packets at the predicted rate.

    Args:
        policy: gives the times.
        suite: the ESP suite.
        traffic: the packets that are expected.
        rate_estimate: predicted Mbit/s of that traffic; its upper end counts.
        smallest_per_second: predicted packets per second of the smallest packets, for the sequence numbers.
        esn: whether sequence numbers have 64 bits.
    """
    soft_seconds, hard_seconds = _seconds(policy, "child")
    size = payload_bytes(traffic)
    hard_bytes = bytes_per_key(suite.encryption, size)
    caps = [packets_per_key(suite.encryption, size), None if esn else SEQUENCE_NUMBER_PACKETS - 1]
    hard_packets = min((cap for cap in caps if cap is not None), default=None)
    soft_bytes, soft_packets = _soft(hard_bytes), _soft(hard_packets)
    fastest = rate_estimate.upper
    times = [float(soft_seconds)]
    if soft_bytes is not None:
        times.append(soft_bytes * 8 / (fastest * 1e6))
    if soft_packets is not None:
        times.append(soft_packets * traffic.mean_bytes * 8 / (fastest * 1e6))
    reasons = [policy.settings["child_rekey_seconds"].reason]
    reasons.append(_bytes_reason(suite, hard_bytes, fastest))
    reasons.append(_sequence_reason(esn, smallest_per_second))
    reasons.append(
        Reason(
            "IKEv2 does not negotiate lives: each end keeps its own. Give the two ends different jitter, or they "
            "rekey at the same moment.",
            ("rfc7296", "ssdoc"),
        )
    )
    return Lifetime(
        soft_seconds, hard_seconds, soft_bytes, hard_bytes, soft_packets, hard_packets, min(times), tuple(reasons)
    )


def _seconds(policy: Policy, which: str) -> tuple[int, int]:
    soft = policy.number(f"{which}_rekey_seconds")
    hard = min(soft * (100 + _MARGIN_PERCENT) // 100, policy.number(f"{which}_maximum_seconds"))
    return soft, hard


def _soft(hard: int | None) -> int | None:
    return None if hard is None else max(1, hard * 100 // (100 + _MARGIN_PERCENT))


def _bytes_reason(suite: EspSuite, hard_bytes: int | None, mbit_per_second: float) -> Reason:
    if hard_bytes is None:
        return Reason(f"{suite.name} sets no limit on octets: time and sequence numbers bound it.", ("aead",))
    lasts = seconds(hard_bytes * 8 / (mbit_per_second * 1e6))
    if suite.encryption.block_bytes == 8:
        text = (
            f"64-bit blocks: {octets(hard_bytes)} (2^20 blocks) per key; {rate(mbit_per_second)} takes {lasts} for it."
        )
        return Reason(text, ("nisttdea", "sweet32"))
    text = (
        f"One key may protect {octets(hard_bytes)} (advantage of at most 2^-{ADVANTAGE_EXPONENT}); "
        f"{rate(mbit_per_second)} takes {lasts} for it."
    )
    return Reason(text, ("aead",))


def _sequence_reason(esn: bool, packets_per_second: float) -> Reason:
    lasts = seconds(SEQUENCE_NUMBER_PACKETS / packets_per_second)
    small = f"{packets_per_second / 1e6:.2f} million small packets a second"
    if esn:
        return Reason(f"Extended sequence numbers: 32 bits would last {lasts} at {small}.", ("rfc4303",))
    return Reason(f"32-bit sequence numbers must not cycle: they last {lasts} at {small}.", ("rfc4303",))
