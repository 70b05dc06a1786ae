"""``ipsecbench bench``: measure only."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from ipsecbench.cli import options as option
from ipsecbench.cli.measure_options import MeasureOptions, with_measuring

if TYPE_CHECKING:
    from ipsecbench.bench.runner import Offer
    from ipsecbench.dataset.model import Dataset

_TABLE_TRAFFIC = (("64 B", 64, None), ("576 B", 576, None), ("1400 B", 1400, None), ("IMIX", None, "imix-simple"))


@with_measuring
def bench_command(
    options: MeasureOptions,
    dry_run: option.DryRun = False,
    list_: Annotated[
        bool, typer.Option("--list", help="List what can be measured here, and why the rest cannot.")
    ] = False,
    json_output: option.Json = False,
) -> None:
    """Measure, and write one dataset; the table of packet loops goes to standard output."""
    from ipsecbench.cli.measure import describe_plan, judge, measure_and_store, output_path, say

    with options.session() as session:
        if list_:
            typer.echo(_offers_text(session.offers(), json_output))
            return
        plan = session.plan()
        if dry_run:
            typer.echo(describe_plan(plan, options))
            return
        path = output_path(options)
        dataset = measure_and_store(session, plan, path, options)
    if json_output:
        from ipsecbench.dataset.codec import to_document

        typer.echo(json.dumps(to_document(dataset)))
    else:
        typer.echo(render_table(dataset))
    say(f"Saved {path} ({len(dataset.measurements)} rows, {dataset.ended})")
    judge(dataset, options.strict)


def _offers_text(offers: tuple[Offer, ...], json_output: bool) -> str:
    if json_output:
        return json.dumps(
            [
                {
                    "provider": offer.provider,
                    "tier": offer.tier.value,
                    "algorithm": offer.algorithm,
                    "operations": list(offer.operations),
                    "reason": offer.reason,
                }
                for offer in offers
            ]
        )
    return "\n".join(
        f"{offer.provider:<12}  {offer.tier.value:<11}  {offer.algorithm:<22}  "
        + (" ".join(offer.operations) or f"- ({offer.reason})")
        for offer in offers
    )


def render_table(dataset: Dataset) -> str:
    """Throughput of every packet loop on one core, Mbit/s of inner packets, the slower direction; one-column fallback.

    Where no packet loop was measured the rows are listed with their time per operation.
    """
    from ipsecbench.bench.measurement import Tier, Workload

    suites = list(
        dict.fromkeys(
            (row.workload.provider, row.workload.algorithm)
            for row in dataset.rows(tier=Tier.PACKET_LOOP, cores=1)
            if row.workload.operation != "key-setup"
        )
    )
    if not suites:
        return "\n".join(
            f"{row.workload!s:<70}  {time.median:14,.1f} ns  ±{time.relative_half_width:.1%}"
            for row in dataset.measurements
            if (time := row.ns_per_operation) is not None
        )
    lines = [
        f"{'packet loop, one core, slower direction':<42}" + "".join(f"{name:>20}" for name, _, _ in _TABLE_TRAFFIC)
    ]
    for provider, algorithm in suites:
        cells = []
        for _, size, mix in _TABLE_TRAFFIC:
            rates = [
                row.megabits_per_second
                for direction in ("outbound", "inbound")
                if (row := dataset.get(Workload(Tier.PACKET_LOOP, provider, direction, algorithm, size, mix)))
                and row.megabits_per_second
            ]
            slowest = min(rates, key=lambda rate: rate.median, default=None)
            cells.append(f"{slowest.median:,.0f} ±{slowest.relative_half_width:.1%}" if slowest else "-")
        name = algorithm if provider == "libcrypto" else f"{algorithm} ({provider})"
        lines.append(f"{name:<42}" + "".join(f"{cell:>20}" for cell in cells))
    lines.append("Mbit/s of inner IP packets. Tier: packet loop (ESP transform on one core), not an on-wire result.")
    return "\n".join(lines)
