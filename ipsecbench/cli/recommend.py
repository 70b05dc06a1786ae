"""``ipsecbench recommend``: the answer from a dataset, on one screen or as JSON."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ipsecbench.cli import options as option
from ipsecbench.cli.requirement_options import Wanted, with_requirements

if TYPE_CHECKING:
    from ipsecbench.recommend.handshake_cost import StackCost
    from ipsecbench.recommend.lives import Lifetime
    from ipsecbench.recommend.model import Recommendation
    from ipsecbench.recommend.predictions import Candidate
    from ipsecbench.recommend.reasons import Exclusion
    from ipsecbench.recommend.traffic import Traffic

EXIT_GOAL_MISSED = 3
_WIDTH = 100
_MOST_LINES = 40
_MOST_SUITES = 6
_MOST_EXCLUSIONS = 4
_REASON_LINES = 8
_LEAST_WARNING_LINES = 6


@with_requirements
def recommend_command(
    dataset: Annotated[Path, typer.Argument(metavar="DATASET", help="A file written by 'ipsecbench bench' or 'run'.")],
    wanted: Wanted,
    prove: Annotated[
        bool,
        typer.Option("--prove", help="Run the recommended set and the runner-up in the laboratory (docs/prove.md)."),
    ] = False,
    quick: Annotated[bool, typer.Option("--quick", help="With --prove: seconds instead of half a minute.")] = False,
    json_output: option.Json = False,
) -> None:
    """Recommend phase 1 and phase 2 parameter sets under a policy and a workload.

    Exits with 3 when nothing meets the policy, or when the goal is not sure to be met; with --prove see docs/prove.md.
    """
    from ipsecbench.dataset.store import read_dataset

    if prove:
        from ipsecbench.cli.recommend_prove import prove_command

        prove_command(dataset, wanted, quick=quick, json_output=json_output)
        return
    recommendation = wanted.prepared()(read_dataset(dataset))
    if json_output:
        typer.echo(json.dumps(recommendation.to_dict(), ensure_ascii=False, allow_nan=False))
    else:
        typer.echo(render_recommendation(recommendation))
    if not goal_met(recommendation):
        raise typer.Exit(EXIT_GOAL_MISSED)


def goal_met(recommendation: Recommendation) -> bool:
    """Whether the goal is sure to be met, or there was none."""
    from ipsecbench.recommend.model import GoalVerdict

    return recommendation.goal is None or recommendation.goal.verdict is GoalVerdict.MET


def render_recommendation(recommendation: Recommendation) -> str:
    """The answer on one screen: at most 40 lines of 100 columns, the decision first."""
    fixed = [*_head(recommendation), "", *_suite_table(recommendation), "", *_facts(recommendation)]
    warnings = _warnings(recommendation, max(_LEAST_WARNING_LINES, _MOST_LINES - len(fixed) - _REASON_LINES))
    reasons = _reasons(recommendation)[: max(0, _MOST_LINES - len(fixed) - len(warnings) - 1)]
    return "\n".join(_cut(line) for line in (*fixed, "", *reasons, *warnings))


def _cut(line: str) -> str:
    return line if len(line) <= _WIDTH else line[: _WIDTH - 1].rstrip() + "…"


def _wrapped(text: str, first: str, most_lines: int = 2) -> list[str]:
    lines = textwrap.wrap(text, _WIDTH, initial_indent=first, subsequent_indent=" " * len(first))
    if len(lines) > most_lines:
        lines = [*lines[: most_lines - 1], lines[most_lines - 1][: _WIDTH - 1].rstrip() + "…"]
    return lines


def _head(recommendation: Recommendation) -> list[str]:
    phase1, phase2 = recommendation.phase1, recommendation.phase2
    exchange = "PFS" if phase2.key_exchange is not None else "no PFS"
    numbers = "ESN" if phase2.esn else "no ESN"
    lines = [
        f"{recommendation.box} · policy {recommendation.policy} {recommendation.policy_version}",
        "",
        f"USE  phase 1  IKEv{phase1.ike_version}  {phase1.proposal}  auth {phase1.authentication}",
        f"     phase 2  ESP    {phase2.proposal}  ({exchange}, {numbers}, {phase2.mode} mode)",
    ]
    if phase1.fallback_proposals or phase2.fallback_proposals:
        lines.append(f"     then for old peers, IKE: {', '.join(phase1.fallback_proposals) or 'none'}")
        lines.append(f"                         ESP: {', '.join(phase2.fallback_proposals) or 'none'}")
    if recommendation.goal is not None:
        lines.append(f"GOAL {recommendation.goal.text}")
    lines.append(f"EVIDENCE {recommendation.evidence.summary}")
    return lines


def _suite_table(recommendation: Recommendation) -> list[str]:
    traffic = recommendation.requirements.traffic
    heading = f"{traffic} Mbit/s [90%]"
    rows = [f"{'ESP suite':<18} {'64 B kpps':>9} {'1400 B':>8} {heading:>31} {'vs best':>8}  verdict"]
    fastest = recommendation.candidates[0].headline.one_way_mbit_per_second.median
    for candidate in recommendation.candidates[:_MOST_SUITES]:
        value = candidate.headline.one_way_mbit_per_second
        figure = f"{value.median:.0f} [{value.lower:.0f}–{value.upper:.0f}]"
        rows.append(
            f"{candidate.name:<18} {_kpps(candidate):>9} {_rate_at(candidate, 1400):>8} {figure:>31} "
            f"{value.median / fastest:>8.2f}  {_verdict_word(candidate, recommendation)}"
        )
    return rows


def _find(candidate: Candidate, traffic: Traffic) -> tuple[float, float] | None:
    """Mbit/s and packets per second for a traffic."""
    for prediction in candidate.predictions:
        if prediction.traffic == traffic:
            return prediction.one_way_mbit_per_second.median, prediction.packets_per_second.median
    return None


def _kpps(candidate: Candidate) -> str:
    from ipsecbench.recommend.traffic import Traffic

    found = _find(candidate, Traffic(size_bytes=64))
    return "-" if found is None else f"{found[1] / 1e3:.0f}"


def _rate_at(candidate: Candidate, size_bytes: int) -> str:
    from ipsecbench.recommend.traffic import Traffic

    found = _find(candidate, Traffic(size_bytes=size_bytes))
    return "-" if found is None else f"{found[0]:.0f}"


def _verdict_word(candidate: Candidate, recommendation: Recommendation) -> str:
    if candidate.name == recommendation.phase2.suite:
        return "recommended"
    for exclusion in recommendation.exclusions:
        if exclusion.name == candidate.name and exclusion.mbit_per_second is not None:
            return exclusion.kind.value.replace("-", " ")
    return "offered to old peers"


def _facts(recommendation: Recommendation) -> list[str]:
    from ipsecbench.recommend.arithmetic import scaled
    from ipsecbench.recommend.formats import microseconds, rate, rate_interval, significant

    phase1, phase2 = recommendation.phase1, recommendation.phase2
    headline = phase2.candidate.headline
    handshake = phase1.handshake
    plane_us = scaled(headline.fixed.outbound_ns, 1e-3)
    lines = [
        f"One core   {rate_interval(headline.one_way_mbit_per_second)} of {headline.traffic}, one direction at a time;",
        f"           both ways at once {rate_interval(headline.both_ways_mbit_per_second)} in sum; "
        f"the ESP transform alone {rate(headline.transform_mbit_per_second.median)}",
        f"           data plane: {headline.fixed.plane}, {microseconds(plane_us)} a packet",
        f"Handshake  initiator {microseconds(handshake.initiator_us)}, "
        f"responder {microseconds(handshake.responder_us)} "
        f"(at most {significant(handshake.handshakes_per_second.median)}/s a core);",
        f"           Child SA rekey with its key exchange {microseconds(handshake.child_rekey_us)}",
        *([] if handshake.stack is None else [_stack_line(handshake.stack)]),
        f"Lives      IKE SA: {_life(phase1.lifetime)}",
        f"           Child SA: {_life(phase2.lifetime)}",
        f"Packets    inner MTU {phase2.inner_mtu_bytes}, "
        f"TCP MSS {phase2.mss_ipv4_bytes} (IPv6 {phase2.mss_ipv6_bytes}), "
        f"at link MTU {recommendation.requirements.link_mtu_bytes}; replay window {phase2.replay_window_packets}",
        f"Strength   phase 1 {phase1.strength_bits} bits, phase 2 {phase2.strength_bits} bits "
        f"(target {recommendation.target_strength_bits})",
    ]
    if recommendation.ceilings:
        same = [ceiling for ceiling in recommendation.ceilings if ceiling.suite == phase2.suite]
        best = (same or recommendation.ceilings)[0]
        figure = rate_interval(best.mbit_per_second)
        lines.append(f"Ceiling    {figure} for VPP or DPDK: {best.provider}, {best.suite}")
    return lines


def _stack_line(stack: StackCost) -> str:
    from ipsecbench.recommend.formats import milliseconds

    share = stack.responder_other_us.median / stack.responder_us.median
    return (
        f"           all of it in ipsecbench's own stack, in Python: {milliseconds(stack.initiator_us)} and "
        f"{milliseconds(stack.responder_us)} ms, {share:.0%} no cryptography"
    )


def _life(lifetime: Lifetime) -> str:
    from ipsecbench.recommend.formats import octets

    parts = [f"{lifetime.soft_seconds} s"]
    if lifetime.soft_bytes is not None:
        parts.append(octets(lifetime.soft_bytes))
    if lifetime.soft_packets is not None:
        parts.append(f"{lifetime.soft_packets:.2g} packets".replace("e+", "e"))
    return f"rekey {' or '.join(parts)}, end {lifetime.hard_seconds} s"


def _reasons(recommendation: Recommendation) -> list[str]:
    lines: list[str] = []
    for reason in (recommendation.phase1.reasons[0], recommendation.phase2.reasons[0]):
        lines += _wrapped(reason.text, "Why      ")
    for price in recommendation.prices:
        lines += _wrapped(price.text, "Price    ")
    for exclusion in _telling(recommendation):
        lines += _wrapped(f"{exclusion.name}: {exclusion.reason.text}", "Not      ", 1)
    return lines


def _telling(recommendation: Recommendation) -> list[Exclusion]:
    """The exclusions that a reader asks about first: failures, rivals, then what else was measured, fastest first."""
    from ipsecbench.recommend.reasons import ExclusionKind, Role

    exclusions = recommendation.exclusions
    rivals = {candidate.name for candidate in recommendation.candidates}
    suites = [e for e in exclusions if e.role is Role.ESP_SUITE]
    failures = [e for e in exclusions if e.kind is ExclusionKind.INCORRECT]
    unmeasured = [e for e in suites if e.kind is ExclusionKind.NOT_MEASURED]
    ordered = [*failures, *(e for e in suites if e.name in rivals), *unmeasured]
    ordered += [e for e in suites if e.mbit_per_second is not None]
    return list(dict.fromkeys(ordered))[:_MOST_EXCLUSIONS]


def _warnings(recommendation: Recommendation, most_lines: int) -> list[str]:
    reasons = [*recommendation.evidence.warnings, *recommendation.warnings]
    lines: list[str] = []
    for shown, reason in enumerate(reasons):
        more = _wrapped(reason.text, "! ")
        left = len(reasons) - shown
        if len(lines) + len(more) + (left > 1) > most_lines:
            lines.append(f"! {left} more: see --json or the report")
            break
        lines += more
    return ["", *lines] if lines else []
