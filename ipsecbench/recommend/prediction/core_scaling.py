"""How much more several cores carry than one: measured, measured of another suite, or assumed.

One SA is one core's work in most data planes, so that several cores need several SAs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ipsecbench.bench.measurement import Estimate
from ipsecbench.recommend.prediction.arithmetic import scaled, total
from ipsecbench.recommend.prediction.cost_model import CostModel
from ipsecbench.recommend.requirements.records import Requirements

ASSUMED_SHARE = Estimate(0.8, 0.5, 1.0)
"""What each further core is assumed to add, of one core's rate: docs/prediction.md says why."""


class ScalingBasis(StrEnum):
    """How the rate of several cores came about."""

    ONE = "one core"
    """There is nothing to scale."""
    MEASURED = "measured"
    """The packet loop of this suite ran on so many cores at once."""
    OTHER_SUITE = "measured with another suite"
    """The worst that any suite did on so many cores."""
    ASSUMED = "assumed"
    """Each core that was not measured adds half of one to a whole one."""


@dataclass(frozen=True, slots=True)
class CoreScaling:
    """The rate of several cores over that of one."""

    cores: int
    """Cores."""
    factor: Estimate
    """Their rate over that of one."""
    basis: ScalingBasis
    """How it came about."""


def core_scaling(costs: CostModel, suite: str, cores: int, *, assume: bool) -> CoreScaling:
    """The scaling of a suite to so many cores.

    Args:
        costs: of the box.
        suite: the ESP suite.
        cores: how many may work.
        assume: whether cores that were not measured count; without it the scaling is to as many as were.
    """
    own, other = costs.multi_core_scaling(suite, cores), costs.worst_scaling(cores)
    found = own if own is not None and (other is None or own[0] >= other[0]) else other
    basis = ScalingBasis.MEASURED if found is own else ScalingBasis.OTHER_SUITE
    if found is None:
        found, basis = (1, Estimate(1.0, 1.0, 1.0)), ScalingBasis.ONE
    known, factor = found
    if known >= cores or not assume:
        return CoreScaling(known, factor, basis)
    return CoreScaling(cores, total((factor, scaled(ASSUMED_SHARE, cores - known))), ScalingBasis.ASSUMED)


def wanted_scaling(costs: CostModel, suite: str, wanted: Requirements) -> CoreScaling:
    """The scaling to the SAs that are wanted: one core each, as many as may be used.

    Where nothing is said of cores, only those count that were measured at once.
    """
    sas = wanted.tunnels * wanted.sas_per_tunnel
    cores = sas if wanted.cores is None else min(sas, wanted.cores)
    return core_scaling(costs, suite, cores, assume=wanted.cores is not None)


def box_cores(environment: Mapping[str, Any]) -> int | None:
    """Cores of a box, without counting threads of one core twice; None where its dataset does not say.

    Args:
        environment: of the dataset.
    """
    hardware = environment.get("hardware")
    cpu = hardware.get("cpu") if isinstance(hardware, Mapping) else None
    for key in ("cores", "processors"):
        value = cpu.get(key) if isinstance(cpu, Mapping) else None
        if isinstance(value, int) and value > 0:
            return value
    return None
