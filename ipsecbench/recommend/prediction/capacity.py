"""What the box will carry with the chosen suite: per core, per SA, on all cores, at each size; and what that costs.

Everything follows from the time of a packet, draw by draw:
:meth:`ipsecbench.recommend.prediction.cost_model.CostModel.time_draws`.
"""

from __future__ import annotations

from dataclasses import dataclass

from ipsecbench.algorithms.suites import EspSuite, esp_suites
from ipsecbench.bench.draws import Draws, estimate_draws, smaller
from ipsecbench.bench.measurement import MIXES, Estimate
from ipsecbench.esp.overhead import IPV6_LEAST_MTU_BYTES, Encapsulation, inner_mtu_bytes
from ipsecbench.recommend.prediction.arithmetic import scaled
from ipsecbench.recommend.prediction.core_scaling import (
    CoreScaling,
    ScalingBasis,
    box_cores,
    core_scaling,
    wanted_scaling,
)
from ipsecbench.recommend.prediction.cost_model import CostModel
from ipsecbench.recommend.prediction.packet_lengths import LineShare, PacketLengths, line_share, packet_lengths
from ipsecbench.recommend.prediction.predictions import PREDICTION_CONFIDENCE, FixedCost
from ipsecbench.recommend.reasons import Reason
from ipsecbench.recommend.requirements.records import Requirements
from ipsecbench.recommend.requirements.traffic import Traffic

CAPACITY_SIZES = (64, 128, 256, 512, 1024, 1280, 1400, 1500)
"""Octets of inner packets that every capacity is given for, beside the mixes and what was asked for."""

_IP_NAMES = {"ipv4": "IPv4", "ipv6": "IPv6"}


@dataclass(frozen=True, slots=True)
class TrafficCapacity:
    """What the box carries of one kind of traffic. Intervals are 90%."""

    traffic: Traffic
    """The packets."""
    mbit_per_second: Estimate
    """One core, which is one SA in most data planes."""
    packets_per_second: Estimate
    """The same in packets."""
    all_cores_mbit_per_second: Estimate | None
    """Every core of the box, where there are SAs for all of them; None where nobody knows how many it has."""
    line: LineShare
    """What it takes of the line."""


@dataclass(frozen=True, slots=True)
class Load:
    """What the goal takes of the processor. Intervals are 90%."""

    busy_cores: Estimate
    """Cores that do nothing else: with the goal in each direction, both directions are counted."""
    cpu_share: Estimate
    """The same of the cores of the box, or of those that may be used; 1 is all of them."""
    of_cores: int
    """How many that is."""
    headroom_percent: Estimate
    """What the wanted SAs carry beyond the goal."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """What the box will carry with a suite. Intervals are 90%."""

    suite: str
    """ESP suite."""
    outbound_share: float | None
    """Share of the octets that leave; None: rates are of one direction, the slower one."""
    wanted: TrafficCapacity
    """The traffic that was asked for."""
    traffics: tuple[TrafficCapacity, ...]
    """:data:`CAPACITY_SIZES` and the mixes."""
    tunnels_mbit_per_second: Estimate
    """What all wanted SAs carry of the wanted traffic."""
    scaling: CoreScaling
    """On how many cores they do, and how much more that is than one."""
    all_cores: CoreScaling | None
    """Every core of the box; None where nobody knows how many it has."""
    fixed: FixedCost
    """The data plane that the figures are for."""
    load: Load | None
    """What the goal takes; None without a goal."""
    packet_lengths: tuple[PacketLengths, ...]
    """Inner MTU, MSS and overhead of every way that the suite can travel."""
    notes: tuple[Reason, ...]
    """What has to be known to read the figures."""
    warnings: tuple[Reason, ...]
    """Where the verdict on the goal counts on more cores than there are, or the link is not for the inner packets."""


def capacity(costs: CostModel, suite: str, wanted: Requirements) -> Capacity | None:
    """What the box carries with a suite.

    Args:
        costs: of the box.
        suite: the ESP suite.
        wanted: traffic, tunnels, cores, direction mix, link and goal.

    Returns:
        None where nothing supports a figure for the wanted traffic.

    Raises:
        UsageError: the link is too small for the suite.
    """
    parts = esp_suites()[suite]
    prediction = costs.predict(parts, wanted.traffic)
    rates = _rates(costs, parts, wanted.traffic, wanted.outbound_share)
    if prediction is None or rates is None:
        return None
    cores = box_cores(costs.dataset.environment)
    every = None if cores is None else core_scaling(costs, suite, cores, assume=True)
    scaling = wanted_scaling(costs, suite, wanted)
    carried = rates * _factor(scaling, suite)
    shown = (*(Traffic(size_bytes=size) for size in CAPACITY_SIZES), *(Traffic(mix=mix) for mix in MIXES))
    traffics = [_traffic(costs, parts, traffic, wanted, every) for traffic in shown]
    asked = _traffic(costs, parts, wanted.traffic, wanted, every)
    if asked is None:
        return None
    load = _load(costs, parts, wanted, carried, cores or scaling.cores)
    return Capacity(
        suite=suite,
        outbound_share=wanted.outbound_share,
        wanted=asked,
        traffics=tuple(traffic for traffic in traffics if traffic is not None),
        tunnels_mbit_per_second=carried.estimate(PREDICTION_CONFIDENCE),
        scaling=scaling,
        all_cores=every,
        fixed=prediction.fixed,
        load=load,
        packet_lengths=packet_lengths(parts, wanted),
        notes=tuple(_notes(asked, wanted, scaling, every)),
        warnings=(*_core_warnings(load, wanted, cores), *_length_warnings(parts, wanted)),
    )


def _rates(costs: CostModel, suite: EspSuite, traffic: Traffic, outbound_share: float | None) -> Draws | None:
    """10^6 bit/s of one core: the slower direction, or both directions in their shares summed."""
    outbound, inbound = (costs.time_draws(suite, traffic, direction) for direction in ("outbound", "inbound"))
    if outbound is None or inbound is None:
        return None
    bits = traffic.mean_bytes * 8e3
    if outbound_share is None:
        return smaller(outbound.under(bits), inbound.under(bits))
    return (outbound * outbound_share + inbound * (1 - outbound_share)).under(bits)


def tunnel_rates(costs: CostModel, suite: str, wanted: Requirements, scaling: CoreScaling) -> Draws | None:
    """What all wanted SAs carry of the wanted traffic, in 10^6 bit/s; None where nothing supports a figure.

    Args:
        costs: of the box.
        suite: the ESP suite.
        wanted: traffic and direction mix.
        scaling: to the cores that work on it.
    """
    rates = _rates(costs, esp_suites()[suite], wanted.traffic, wanted.outbound_share)
    return None if rates is None else rates * _factor(scaling, suite)


def _factor(scaling: CoreScaling, suite: str) -> Draws:
    return estimate_draws(scaling.factor, f"{suite} on {scaling.cores} cores")


def _traffic(
    costs: CostModel, suite: EspSuite, traffic: Traffic, wanted: Requirements, every: CoreScaling | None
) -> TrafficCapacity | None:
    rates = _rates(costs, suite, traffic, wanted.outbound_share)
    if rates is None:
        return None
    one = rates.estimate(PREDICTION_CONFIDENCE)
    together = None if every is None else (rates * _factor(every, suite.name)).estimate(PREDICTION_CONFIDENCE)
    packets = scaled(one, 1e6 / (traffic.mean_bytes * 8))
    return TrafficCapacity(traffic, one, packets, together, line_share(suite, traffic, wanted))


def _load(costs: CostModel, suite: EspSuite, wanted: Requirements, carried: Draws, cores: int) -> Load | None:
    goal = wanted.goal_mbit_per_second
    outbound, inbound = (costs.time_draws(suite, wanted.traffic, direction) for direction in ("outbound", "inbound"))
    if goal is None or outbound is None or inbound is None:
        return None
    share = wanted.outbound_share
    work = outbound + inbound if share is None else outbound * share + inbound * (1 - share)
    busy = work * (goal / (wanted.traffic.mean_bytes * 8e3))
    of = cores if wanted.cores is None else wanted.cores
    headroom = carried.estimate(PREDICTION_CONFIDENCE)
    return Load(
        busy.estimate(PREDICTION_CONFIDENCE),
        (busy * (1 / of)).estimate(PREDICTION_CONFIDENCE),
        of,
        Estimate(*((value / goal - 1) * 100 for value in (headroom.median, headroom.lower, headroom.upper))),
    )


def _core_warnings(load: Load | None, wanted: Requirements, cores: int | None) -> list[Reason]:
    found = []
    if wanted.cores is not None and cores is not None and wanted.cores > cores:
        found.append(Reason(f"{wanted.cores} cores are counted with, and the box has {cores}."))
    if load is not None and wanted.outbound_share is None and load.busy_cores.median > load.of_cores:
        text = (
            f"The goal in each direction at once keeps {load.busy_cores.median:.1f} cores busy, and there "
            f"{'is' if load.of_cores == 1 else 'are'} {load.of_cores}: the verdict is of one direction. Say what share "
            "leaves where the same cores do both (--direction 50:50, the goal then being the sum)."
        )
        found.append(Reason(text))
    return found


def _length_warnings(suite: EspSuite, wanted: Requirements) -> list[Reason]:
    found = []
    inner = wanted.inner
    if wanted.mode == "transport" and wanted.outer != inner:
        inner = wanted.outer
        text = (
            f"Transport mode protects the packets of the two ends themselves, so that only {_IP_NAMES[inner]} is "
            f"carried: its MSS counts. Tunnel mode, or GRE over transport mode, carries {_IP_NAMES[wanted.inner]} too."
        )
        found.append(Reason(text))
    outside = Encapsulation.carrying(wanted.mode, wanted.outer, wanted.nat_traversal)
    mtu = inner_mtu_bytes(suite, wanted.link_mtu_bytes, outside)
    if inner == "ipv6" and mtu < IPV6_LEAST_MTU_BYTES:
        text = (
            f"An inner MTU of {mtu} octets is less than the {IPV6_LEAST_MTU_BYTES} that IPv6 needs (RFC 8200 "
            "section 5): the ESP packets have to be fragmented outside, or the link needs a larger MTU."
        )
        found.append(Reason(text))
    return found


def _notes(
    asked: TrafficCapacity, wanted: Requirements, scaling: CoreScaling, every: CoreScaling | None
) -> list[Reason]:
    notes = [Reason("One SA is one core's work in most data planes: what one core carries is what one SA carries.")]
    if wanted.tunnels * wanted.sas_per_tunnel > scaling.cores:
        text = f"{wanted.tunnels * wanted.sas_per_tunnel} SAs are counted with {scaling.cores} cores"
        why = "only so many were measured at once" if wanted.cores is None else "only so many may be used"
        notes.append(Reason(f"{text}: {why}."))
    assumed = [one for one in (scaling, every) if one is not None and one.basis is ScalingBasis.ASSUMED]
    if assumed:
        text = (
            "Cores that were not measured at once ('ipsecbench bench --cores all') are assumed to add half of one to a "
            "whole one each."
        )
        notes.append(Reason(text))
    if asked.line.esp_packets > 1:
        text = (
            f"{asked.line.esp_packets - 1:.0%} more ESP packets than inner ones: some are longer than the inner MTU, "
            "and are cut; the rates do not count that work."
        )
        notes.append(Reason(text))
    return notes
