"""Charts of the box: handshake costs, scaling over cores, libraries compared."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ipsecbench.algorithms.authentication import AUTHENTICATION
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.bench.measurement import Estimate, Measurement, Tier, Workload
from ipsecbench.dataset.model import Dataset
from ipsecbench.recommend.model import Recommendation
from ipsecbench.report.drawing.dot_plot import DotPlot, Row
from ipsecbench.report.drawing.plan import Absent, Plan
from ipsecbench.report.drawing.svg import SHAPES, Shape
from ipsecbench.report.drawing.xy_plot import Point, Series, XyPlot, exact
from ipsecbench.report.formats import duration, duration_tick, rate, rate_tick, shorten, size_title
from ipsecbench.report.tables import Cell, Column, Line, Table, estimate_cell

PROVIDERS = ("libcrypto", "libgcrypt", "libipsec-mb", "cryptography", "pycryptodome", "kernel", "kernel-batched")
"""Libraries in the order in which they are shown."""
_NAME_LIMIT = 26
_MOST_CORE_SUITES = 5
_MOST_PROVIDER_ROWS = 12
_MOST_TABLE_LINES = 80


@dataclass(frozen=True, slots=True)
class _Step:
    """One series of the handshake chart: operations that play the same part."""

    title: str
    shape: Shape
    operations: tuple[str, ...]


_STEPS = (
    _Step("generate a key pair", Shape.CIRCLE, ("generate",)),
    _Step("agree on, or decapsulate, the secret", Shape.SQUARE, ("agree", "decapsulate")),
    _Step("encapsulate (ML-KEM)", Shape.TRIANGLE, ("encapsulate",)),
    _Step("sign", Shape.DIAMOND, ("sign",)),
    _Step("verify", Shape.CROSS, ("verify",)),
)


def handshakes(dataset: Dataset, recommendation: Recommendation) -> Plan | Absent:
    """Costs of key exchange methods and signatures."""
    title = "What a handshake costs"
    provider = recommendation.phase1.handshake.provider
    costs: dict[str, dict[str, Estimate]] = {}
    for row in dataset.rows(tier=Tier.PRIMITIVE, provider=provider, cores=1):
        work, time = row.workload, row.ns_per_operation
        if time is not None and (work.algorithm in KEY_EXCHANGE or work.algorithm in AUTHENTICATION):
            costs.setdefault(work.algorithm, {})[work.operation] = time
    if not costs:
        return Absent(title, f"no key exchange method and no signature was measured with {provider}")
    used = {recommendation.phase1.key_exchange, recommendation.phase1.authentication}
    used.add(recommendation.phase2.key_exchange or "")
    names = sorted(costs, key=lambda name: (name in AUTHENTICATION, _total(costs[name]), name))
    steps = [step for step in _STEPS if any(_cost(costs[name], step) for name in names)]
    rows = tuple(
        Row(
            f"{name}, {_strength(name)} bit",
            tuple(_cost(costs[name], step) for step in steps),
            name in used,
            "Signatures" if name in AUTHENTICATION else "Key exchange methods",
        )
        for name in names
    )
    handshake = recommendation.phase1.handshake
    return Plan(
        "handshakes",
        title,
        f"Time of each step on one core ({provider}, {Tier.PRIMITIVE}). The recommended set-up takes "
        f"{duration(handshake.initiator_us.median * 1000)} at the initiator and "
        f"{duration(handshake.responder_us.median * 1000)} at the responder, so at most "
        f"{handshake.handshakes_per_second.median:,.0f} set-ups per second on one core.",
        DotPlot(
            tuple((step.title, step.shape) for step in steps),
            rows,
            "time, logarithmic",
            duration_tick,
            duration,
            logarithmic=True,
            joined=True,
        ),
        Table(
            "Time of each step, µs: median and 95% interval",
            (
                Column("Algorithm", code=True),
                Column("Strength, bits", numeric=True),
                *(Column(step.title.capitalize(), numeric=True) for step in steps),
            ),
            tuple(
                Line(
                    (
                        Cell(name),
                        Cell(str(_strength(name)), float(_strength(name))),
                        *(estimate_cell(_cost(costs[name], step), 1000.0) for step in steps),
                    ),
                    name in used,
                )
                for name in names
            ),
        ),
        "The strength is against today's computers; of these only ML-KEM is meant to withstand a quantum computer.",
    )


def _strength(name: str) -> int:
    if name in KEY_EXCHANGE:
        return KEY_EXCHANGE[name].strength_bits
    return AUTHENTICATION[name].strength_bits or 0


def _cost(costs: dict[str, Estimate], step: _Step) -> Estimate | None:
    return next((costs[operation] for operation in step.operations if operation in costs), None)


def _total(costs: dict[str, Estimate]) -> float:
    return sum(cost.median for cost in costs.values())


def core_scaling(dataset: Dataset, recommendation: Recommendation) -> Plan | Absent:
    """Throughput over the number of cores that work at once."""
    title = "Scaling over cores"
    tier = recommendation.evidence.tier
    groups: dict[Workload, dict[int, Measurement]] = {}
    for row in dataset.rows(tier=tier):
        work = row.workload
        if row.megabits_per_second is not None:
            key = Workload(work.tier, work.provider, work.operation, work.algorithm, work.size_bytes, work.mix)
            groups.setdefault(key, {})[work.cores] = row
    curves = {key: rows for key, rows in groups.items() if len(rows) > 1}
    if not curves:
        return Absent(title, "only one core was measured; 'ipsecbench bench --cores all' measures more")
    picked = _picked_curves(curves, recommendation)
    first = picked[0]
    single = curves[first][min(curves[first])].megabits_per_second
    base = single.median / min(curves[first]) if single else 0.0
    most = max(max(curves[key]) for key in picked)
    last = curves[first][max(curves[first])].megabits_per_second
    share = (last.median / (base * max(curves[first]))) if last and base else 0.0
    names = {key: f"{shorten(key.algorithm, _NAME_LIMIT)}, {key.operation}" for key in picked}
    counts = sorted({count for key in picked for count in curves[key]})
    return Plan(
        "cores",
        title,
        f"{first.algorithm} on {max(curves[first])} cores carries {share:.0%} of what as many single cores would "
        f"({size_title(first.size_bytes, first.mix)}, {tier}). One SA is one core's work in most data planes: more "
        "cores help where there is more than one tunnel.",
        XyPlot(
            tuple(
                Series(
                    names[key],
                    SHAPES[index % len(SHAPES)],
                    tuple(_core_point(names[key], count, row) for count, row in sorted(curves[key].items())),
                    tuple(
                        (float(count), rate_.median)
                        for count, row in sorted(curves[key].items())
                        if (rate_ := row.megabits_per_second) is not None
                    ),
                )
                for index, key in enumerate(picked)
            ),
            "cores at once",
            "bit/s in all",
            lambda value: f"{value:g}",
            rate_tick,
            x_ticks=tuple(float(count) for count in counts) if len(counts) <= 16 else (),
            guide=((0.0, 0.0), (float(most), base * most)),
            guide_label="the recommended suite, times cores",
        ),
        Table(
            "Throughput of all cores together, Mbit/s: median and 95% interval",
            (
                Column("Suite", code=True),
                Column("Direction"),
                Column("Packets"),
                *(Column(f"{count} core{'s' if count > 1 else ''}", numeric=True) for count in counts),
            ),
            tuple(
                Line(
                    (
                        Cell(key.algorithm),
                        Cell(key.operation),
                        Cell(size_title(key.size_bytes, key.mix)),
                        *(estimate_cell(_rate(curves[key].get(count))) for count in counts),
                    ),
                    key.algorithm == recommendation.phase2.suite,
                )
                for key in list(curves)[:_MOST_TABLE_LINES]
            ),
        ),
    )


def _rate(row: Measurement | None) -> Estimate | None:
    return None if row is None else row.megabits_per_second


def _core_point(name: str, count: int, row: Measurement) -> Point:
    estimate = row.megabits_per_second or exact(0.0)
    return Point(exact(float(count)), estimate, f"{name}, {count} cores: {rate(estimate.median)}")


def _picked_curves(curves: dict[Workload, dict[int, Measurement]], recommendation: Recommendation) -> list[Workload]:
    """The recommended suite's curve first, then others of the same packets and direction."""
    wanted = recommendation.requirements.traffic

    def order(key: Workload) -> tuple[bool, bool, bool, str]:
        same_packets = key.size_bytes == wanted.size_bytes and key.mix == wanted.mix
        return key.algorithm != recommendation.phase2.suite, not same_packets, key.operation != "outbound", str(key)

    first, *rest = sorted(curves, key=order)
    alike = [
        key
        for key in rest
        if (key.size_bytes, key.mix, key.operation) == (first.size_bytes, first.mix, first.operation)
    ]
    return [first, *alike][:_MOST_CORE_SUITES]


def providers(dataset: Dataset) -> Plan | Absent:
    """The libraries compared, tier by tier."""
    title = "Libraries compared"
    groups = [group for tier in (Tier.PACKET_LOOP, Tier.PRIMITIVE) if (group := _provider_group(dataset, tier))]
    found = [name for name in PROVIDERS if any(name in rates for group in groups for rates in group.rates.values())]
    if len(found) < 2:
        return Absent(title, f"only {found[0]} was measured" if found else "no library has comparable figures")
    rows = tuple(
        Row(shorten(algorithm, _NAME_LIMIT), tuple(rates.get(name) for name in found), False, group.title)
        for group in groups
        for algorithm, rates in group.shown()
    )
    return Plan(
        "libraries",
        title,
        "The same work by each library on one core. Figures are comparable within one heading only: the packet loop "
        "does the whole ESP transform, a primitive is one call of a cipher.",
        DotPlot(
            tuple((name, SHAPES[index % len(SHAPES)]) for index, name in enumerate(found)),
            rows,
            "bit/s, logarithmic",
            rate_tick,
            rate,
            logarithmic=True,
            joined=True,
        ),
        Table(
            "Throughput of each library on one core, Mbit/s: median and 95% interval",
            (
                Column("Algorithm", code=True),
                Column("Tier, operation and size"),
                *(Column(name, numeric=True) for name in found),
            ),
            tuple(
                Line((Cell(algorithm), Cell(group.title), *(estimate_cell(rates.get(name)) for name in found)))
                for group in groups
                for algorithm, rates in list(group.rates.items())[:_MOST_TABLE_LINES]
            ),
        ),
        "libipsec-mb works on several packets at once: it bounds what VPP or DPDK can reach here, not what a kernel "
        "does. cryptography and pycryptodome are called from Python, whose own cost per call is in their figures.",
    )


@dataclass(frozen=True, slots=True)
class _ProviderGroup:
    """Figures of several libraries that may be compared with each other."""

    title: str
    rates: dict[str, dict[str, Estimate]]
    """Algorithm to library to Mbit/s."""

    def shown(self) -> list[tuple[str, dict[str, Estimate]]]:
        """Those that more than one library has; of these, as many as there is room for."""
        # NULL copies octets: its rate would push all ciphers into a corner.
        shared = [(name, rates) for name, rates in self.rates.items() if len(rates) > 1 and name != "null"]
        return shared[:_MOST_PROVIDER_ROWS]


def _provider_group(dataset: Dataset, tier: Tier) -> _ProviderGroup | None:
    operation = "outbound" if tier is Tier.PACKET_LOOP else "encrypt"
    by_algorithm: dict[str, list[Measurement]] = {}
    for row in dataset.rows(tier=tier, operation=operation, cores=1):
        if row.workload.size_bytes is not None:
            by_algorithm.setdefault(row.workload.algorithm, []).append(row)
    found: dict[str, dict[str, Estimate]] = {}
    sizes: set[int] = set()
    for algorithm, rows in by_algorithm.items():
        # The size nearest to 1400 octets that most libraries have: block ciphers are measured at 1408.
        size = _common_size(row.workload for row in rows)
        sizes.add(size)
        found[algorithm] = {
            row.workload.provider: rate_
            for row in rows
            if row.workload.size_bytes == size and (rate_ := row.megabits_per_second) is not None
        }
    if not found:
        return None
    words = f"{min(sizes):,} B" if len(sizes) == 1 else f"{min(sizes):,} to {max(sizes):,} B"
    ordered = sorted(found.items(), key=lambda item: (-max(rate_.median for rate_ in item[1].values()), item[0]))
    return _ProviderGroup(f"{tier}: {operation}, {words}", dict(ordered))


def _common_size(workloads: Iterable[Workload]) -> int:
    by_size: dict[int, set[str]] = {}
    for work in workloads:
        by_size.setdefault(work.size_bytes or 0, set()).add(work.provider)
    return min(by_size, key=lambda size: (-len(by_size[size]), abs(size - 1400), size))
