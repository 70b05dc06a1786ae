"""Predictions with the stated default against tunnels whose throughput somebody published.

``python -m tests.bench.published_tunnels``. Of the box of each tunnel only its clock and the speed of cryptography of
its processor are known (tests/data/prediction/published_tunnels.toml); its data plane is the stated default.
"""

from __future__ import annotations

import statistics
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ipsecbench.algorithms.integrity import INTEGRITY
from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.bench.draws import Draws, estimate_draws
from ipsecbench.bench.measurement import Estimate, Measurement, Status, Tier, Workload
from ipsecbench.dataset.model import Dataset
from ipsecbench.recommend.prediction.core_scaling import core_scaling
from ipsecbench.recommend.prediction.cost_model import CostModel
from ipsecbench.recommend.prediction.predictions import PREDICTION_CONFIDENCE
from ipsecbench.recommend.requirements.traffic import Traffic

TABLE = Path(__file__).parents[1] / "data" / "prediction" / "published_tunnels.toml"
_HASH_BLOCK_BYTES = 64
_SPREAD = 0.03
"""Half width of the interval that a published speed is given, for it has none."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A published tunnel and its prediction, in 10^6 bit/s of inner packets."""

    box: str
    processor: str
    kind: str
    suite: str
    published: float
    predicted: Estimate

    @property
    def inside(self) -> bool:
        """Whether the interval holds what was published."""
        return self.predicted.lower <= self.published <= self.predicted.upper

    @property
    def width_factor(self) -> float:
        """The interval's upper end over its lower one."""
        return self.predicted.upper / self.predicted.lower


def _row(tier: Tier, operation: str, algorithm: str, size: int, nanoseconds: float) -> Measurement:
    time = Estimate(nanoseconds, nanoseconds * (1 - _SPREAD), nanoseconds * (1 + _SPREAD))
    return Measurement(Workload(tier, "libcrypto", operation, algorithm, size), Status.OK, ns_per_operation=time)


def dataset_of(processor: Mapping[str, Any], clock_mhz: float) -> Dataset:
    """What a box of this processor at this clock would have measured of its primitives."""
    faster = clock_mhz / processor["clock_mhz"]
    rows: list[Measurement] = []
    for name, speeds in processor.items():
        if not isinstance(speeds, list) or name == "sizes":
            continue
        sizes = processor["sizes"]
        times = {size: size * 1e6 / speed / faster for size, speed in zip(sizes, speeds, strict=True)}
        if name in INTEGRITY:
            # The outer hash of HMAC is one more call of a block.
            outer = times[_HASH_BLOCK_BYTES]
            rows += [_row(Tier.PRIMITIVE, "authenticate", name, size, time + outer) for size, time in times.items()]
        elif name in esp_suites() and "-" in name:
            for step in ("outbound", "inbound"):
                rows += [_row(Tier.PACKET_LOOP, step, name, size, time) for size, time in times.items()]
        else:
            for step in ("encrypt", "decrypt"):
                rows += [_row(Tier.PRIMITIVE, step, name, size, time) for size, time in times.items()]
    environment = {
        "hardware": {"cpu": {"machine": processor["machine"], "cores": processor["cores"]}},
        "clock": {"before": [{"core": 0, "hz": clock_mhz * 1e6}]},
    }
    return Dataset("2026-11-27T00:00:00Z", "0", None, "finished", {}, environment, tuple(rows))


def pairs() -> list[Pair]:
    """Every published tunnel with its prediction."""
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    found = []
    for tunnel in table["tunnel"]:
        processor = table["processor"][tunnel["processor"]]
        costs = CostModel(dataset_of(processor, tunnel.get("clock_mhz", processor["clock_mhz"])))
        size = tunnel["packet_bytes"]
        published = tunnel.get("mbit_per_second") or tunnel["kpps"] * size * 8e-3
        rates = _rates(costs, tunnel["suite"], size, tunnel["kind"], processor["cores"])
        estimate = rates.estimate(PREDICTION_CONFIDENCE)
        found.append(
            Pair(tunnel["box"], tunnel["processor"], tunnel["kind"], tunnel["suite"], float(published), estimate)
        )
    return found


def _rates(costs: CostModel, suite: str, size: int, kind: str, cores: int) -> Draws:
    """One direction on one core; for WireGuard on one machine all cores share what both ends do."""
    traffic = Traffic(size_bytes=size)
    outbound, inbound = (
        costs.time_draws(esp_suites()[suite], traffic, direction) for direction in ("outbound", "inbound")
    )
    assert outbound is not None
    assert inbound is not None
    if kind == "ipsec":
        return outbound.under(size * 8e3)
    scaling = core_scaling(costs, suite, cores, assume=True)
    return (outbound + inbound).under(size * 8e3) * estimate_draws(scaling.factor, "cores")


def main() -> int:
    """Print every pair, and how many of them the interval holds."""
    found = pairs()
    for pair in found:
        inside = "inside" if pair.inside else "OUTSIDE"
        interval = f"{pair.predicted.median:6.0f} [{pair.predicted.lower:.0f} to {pair.predicted.upper:.0f}]"
        print(f"{pair.box[:56]:<56} {pair.suite:<17} {pair.published:6.1f} {interval:<24} {inside}")
    for kind in ("ipsec", "wireguard", ""):
        some = [pair for pair in found if kind in ("", pair.kind)]
        share = sum(pair.inside for pair in some) / len(some)
        width = statistics.median(pair.width_factor for pair in some)
        off = statistics.median(abs(pair.predicted.median / pair.published - 1) for pair in some)
        print(f"{kind or 'all':<10} {len(some)} pairs, {share:.0%} inside, error {off:.0%}, width factor {width:.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
