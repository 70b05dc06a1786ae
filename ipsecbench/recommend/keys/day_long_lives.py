"""The article's question, "why are we using 24-hour key lifetimes?", answered with this box's figures."""

from __future__ import annotations

from ipsecbench.algorithms.limits import SEQUENCE_NUMBER_PACKETS, key_budget
from ipsecbench.algorithms.suites import EspSuite
from ipsecbench.bench.measurement import Estimate
from ipsecbench.recommend.formats import octets, rate, seconds, significant, small_percent
from ipsecbench.recommend.keys.lifetimes import SaRate
from ipsecbench.recommend.keys.rekey_load import DAY_SECONDS, Tunnels, dearer_us
from ipsecbench.recommend.keys.setup_load import DayLongLives, PfsPrice
from ipsecbench.recommend.prediction.arithmetic import scaled
from ipsecbench.recommend.requirements.traffic import Traffic

_HOURS = 24


def day_long_lives(suite: EspSuite, traffic: Traffic, sa_rate: SaRate, tunnels: Tunnels, pfs: PfsPrice) -> DayLongLives:
    """What 24 hours open and what they save here."""
    opened = sa_rate.mbit_per_second * 1e6 / 8 * DAY_SECONDS
    recommended = pfs.opened_with_bytes if pfs.on else pfs.opened_without_bytes
    once = scaled(dearer_us(pfs.with_pfs), tunnels.child_sas / 1e6)
    hourly = scaled(once, _HOURS)
    sequence = SEQUENCE_NUMBER_PACKETS / sa_rate.packets_per_second
    budget = key_budget(suite.encryption)
    cipher = None if budget is None else budget.packets(traffic.mean_bytes) / sa_rate.packets_per_second
    return DayLongLives(
        text=_text(opened, recommended, pfs.on, (once, hourly), tunnels, sa_rate, sequence, cipher),
        opened_without_pfs_bytes=opened,
        opened_recommended_bytes=recommended,
        hourly_rekey_core_seconds_per_day=hourly,
        daily_rekey_core_seconds_per_day=once,
        sequence_numbers_last_seconds=sequence,
        cipher_lasts_seconds=cipher,
        sources=("rfc4308", "nist77", "rfc4303", *(() if cipher is None else ("aead",))),
    )


def _text(
    opened: float, recommended: float, pfs: bool, work: tuple[Estimate, Estimate], tunnels: Tunnels, sa_rate: SaRate,
    sequence: float, cipher: float | None,
) -> str:  # fmt: skip
    once, hourly = work
    box = rate(sa_rate.mbit_per_second)
    share = hourly.median / DAY_SECONDS
    found = [
        "24 hours are a default of RFC 4308 (2005) that SP 800-77r1 repeats, and no result of a computation: IKE moves "
        "a handful of packets, a key exchange was dear, and an IKEv1 SA that ends has to authenticate again.",
        f"On this box one SA at up to {box} carries {octets(opened)} in 24 hours, and without PFS one broken key "
        f"exchange opens all of it; with what is recommended {'(PFS)' if pfs else '(no PFS)'} it opens "
        f"{octets(recommended)}.",
        f"Rekeying {_of(tunnels)} each hour with PFS takes {_work(hourly)} of a core in a day "
        f"({small_percent(share)} of it), against {_work(once)} for once a day: "
        + (
            "the saving is no reason for 24 hours."
            if share < 0.01
            else "with so many tunnels on such a box that counts."
        ),
        f"At that rate 32-bit sequence numbers last {seconds(sequence)}"
        + ("" if cipher is None else f" and the cipher's bound {seconds(cipher)}")
        + f": {_verdict(sequence, cipher)}.",
    ]
    return " ".join(found)


def _of(tunnels: Tunnels) -> str:
    return "one Child SA" if tunnels.child_sas == 1 else f"{tunnels.child_sas} Child SAs"


def _work(value: Estimate) -> str:
    if value.median < 1:
        return f"{significant(value.median * 1e3)} ms"
    return seconds(value.median)


def _verdict(sequence: float, cipher: float | None) -> str:
    short = [name for name, lasts in (("without ESN the numbers", sequence), ("the cipher", cipher or DAY_SECONDS))
             if lasts < DAY_SECONDS]  # fmt: skip
    return f"{' and '.join(short)} would not last a day" if short else "either would last a day"
