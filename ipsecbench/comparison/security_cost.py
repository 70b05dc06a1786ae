"""What more security costs on each box: how much less it carries, or how much longer a set-up computes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.bench.draws import Draws
from ipsecbench.bench.measurement import Estimate
from ipsecbench.comparison.boxes import without_laboratory
from ipsecbench.comparison.model import Box
from ipsecbench.lab.plane_cost import DIRECTIONS
from ipsecbench.recommend.choice.ends import End
from ipsecbench.recommend.prediction.predictions import PREDICTION_CONFIDENCE
from ipsecbench.recommend.requirements.traffic import Traffic


@dataclass(frozen=True, slots=True)
class Step:
    """One step towards more security."""

    title: str
    """For people."""
    less: str
    """Suite or key exchange methods (joined by ``+``) before it."""
    more: str
    """The same after it."""


TRAFFIC_STEPS = (
    Step("encryption at all", "null-sha256", "aes128-sha256"),
    Step("SHA-2 instead of SHA-1", "aes128-sha1", "aes128-sha256"),
    Step("AES instead of 3DES", "3des-sha1", "aes128-sha1"),
    Step("one combined transform", "aes128-sha256", "aes128gcm16"),
    Step("256-bit keys, combined", "aes128gcm16", "aes256gcm16"),
    Step("256-bit keys, CBC", "aes128-sha256", "aes256-sha256"),
    Step("ChaCha20 instead of AES", "aes256gcm16", "chacha20poly1305"),
    Step("SHA-512 instead of SHA-256", "aes256-sha256", "aes256-sha512"),
)
"""Steps of phase 2: what they do to the rate of one core."""
EXCHANGE_STEPS = (
    Step("modp2048 instead of modp1024", "modp1024", "modp2048"),
    Step("modp3072 instead of modp2048", "modp2048", "modp3072"),
    Step("an elliptic curve instead", "modp2048", "ecp256"),
    Step("ecp384 instead of ecp256", "ecp256", "ecp384"),
    Step("X25519 instead of ecp256", "ecp256", "x25519"),
    Step("ML-KEM-768 besides", "x25519", "x25519+mlkem768"),
)
"""Steps of phase 1: what they do to the time of a key exchange, at the responder."""


@dataclass(frozen=True, slots=True)
class StepCost:
    """What a step costs on one box."""

    step: Step
    """The step."""
    factor: Estimate | None
    """Rate after the step over the rate before it (phase 2), or time after over time before (phase 1), with its 90%
    interval; None where the box has no figure of one of them."""
    before: float | None = None
    """10^6 bit/s of one core, or microseconds, before the step."""
    after: float | None = None
    """The same after it."""


@dataclass(frozen=True, slots=True)
class SecurityCost:
    """All steps on one box."""

    box: Box
    """The box."""
    traffic: tuple[StepCost, ...]
    """:data:`TRAFFIC_STEPS`."""
    exchanges: tuple[StepCost, ...]
    """:data:`EXCHANGE_STEPS`."""


def security_costs(boxes: Sequence[Box], traffic: Traffic) -> tuple[SecurityCost, ...]:
    """The cost of every step on every box, for one kind of traffic.

    The stated default stands for every box's data plane, so that boxes whose own was measured are told the same as
    the others. What both sides of a step share, such as that plane's fixed cost, is drawn once and cancels as far as
    it does on the box.
    """
    return tuple(_of_box(box, traffic) for box in boxes)


def _of_box(box: Box, traffic: Traffic) -> SecurityCost:
    end = End(box.name, without_laboratory(box.dataset))
    return SecurityCost(
        box,
        tuple(_traffic_step(end, step, traffic) for step in TRAFFIC_STEPS),
        tuple(_exchange_step(end, step) for step in EXCHANGE_STEPS),
    )


def _traffic_step(end: End, step: Step, traffic: Traffic) -> StepCost:
    less, more = (_slower_ns(end, name, traffic) for name in (step.less, step.more))
    if less is None or more is None:
        return StepCost(step, None)
    bits = traffic.mean_bytes * 8e3
    factor = (less * more.under(1.0)).estimate(PREDICTION_CONFIDENCE)
    return StepCost(step, factor, bits / less.value, bits / more.value)


def _slower_ns(end: End, suite: str, traffic: Traffic) -> Draws | None:
    """Time of a packet in the direction that takes longer; suites are held against each other in one tier only."""
    times = [end.costs.time_draws(esp_suites()[suite], traffic, direction) for direction in DIRECTIONS]
    known = [time for time in times if time is not None]
    return max(known, key=lambda time: time.value) if len(known) == len(times) else None


def _exchange_step(end: End, step: Step) -> StepCost:
    less, more = (_exchange_us(end, names) for names in (step.less, step.more))
    if less is None or more is None:
        return StepCost(step, None)
    factor = (more * less.under(1.0)).estimate(PREDICTION_CONFIDENCE)
    return StepCost(step, factor, less.value, more.value)


def _exchange_us(end: End, names: str) -> Draws | None:
    """Microseconds at the responder of one method, or of several in one set-up (RFC 9370)."""
    found: Draws | None = None
    for name in names.split("+"):
        if name not in KEY_EXCHANGE or end.exchange(name) is None:
            return None
        one = end.exchange_us(name)[1]
        found = one if found is None else found + one
    return found
