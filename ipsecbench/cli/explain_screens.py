"""What ``ipsecbench explain`` prints: the decision first, at most 100 columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import floor, log10
from typing import TYPE_CHECKING

from ipsecbench.algorithms.sources import sources
from ipsecbench.bench.measurement import Estimate
from ipsecbench.cli.screen.text_blocks import wrapped
from ipsecbench.recommend.formats import chance, microseconds, rate_interval, significant

if TYPE_CHECKING:
    from ipsecbench.explain.claims import Finding
    from ipsecbench.explain.costs import Cost, CostTable
    from ipsecbench.explain.explanation import Algorithm, Explanation
    from ipsecbench.explain.policy_standing import Standing

_MOST_ALGORITHMS = 4
_UNVERIFIED = " (unverified)"


def render_explanation(explanation: Explanation) -> str:
    """An explanation, for people."""
    lines = wrapped(f"{explanation.name}: {explanation.title}", "")
    if explanation.decision:
        lines += wrapped(explanation.decision, "→ ")
    if explanation.text:
        lines += ["", *wrapped(explanation.text, "")]
    if explanation.documents:
        lines += wrapped(f"Defined in {', '.join(explanation.documents)}.", "")
    for number in explanation.numbers:
        lines += wrapped(number, "  ")
    lines += _algorithms(explanation.algorithms)
    lines += _policies(explanation.standings, explanation.name)
    lines += _costs(explanation)
    if explanation.overhead:
        lines += ["", "Lengths"]
        for text in explanation.overhead[:_MOST_ALGORITHMS]:
            lines += wrapped(text, "  ")
    if explanation.figures:
        lines.append("")
        for reason in explanation.figures:
            table = "  " in reason.text.strip()
            lines += [f"  {reason.text}"] if table else wrapped(reason.text, "  ")
    if explanation.cost_note:
        lines += ["", *wrapped(explanation.cost_note, "")]
    if explanation.see:
        lines += ["", *wrapped(f"See also: {', '.join(explanation.see)}", "")]
    lines += _said(explanation.claims)
    return "\n".join([*lines, "", *_legend(explanation.sources)])


def _algorithms(algorithms: Sequence[Algorithm]) -> list[str]:
    lines: list[str] = []
    for each in algorithms[:_MOST_ALGORITHMS]:
        lines += ["", *wrapped(f"{each.name} ({each.kind}): {each.strength}", "")]
        lines += wrapped("; ".join((*each.numbers, *each.sizes)), "  ")
        levels = [f"{name} {text}{'' if verified else _UNVERIFIED}" for name, text, verified in each.levels]
        if each.registry_status:
            levels.insert(0, f"registry: {each.registry_status}")
        lines += wrapped("; ".join(levels), "  ") if levels else []
    left = len(algorithms) - _MOST_ALGORITHMS
    return [
        *lines,
        *([f"  and {left} more: {', '.join(a.name for a in algorithms[_MOST_ALGORITHMS:])}"] if left > 0 else []),
    ]


def _policies(standings: Sequence[Standing], subject: str) -> list[str]:
    """A paragraph for policies that say the same: what they say of each role, and why."""
    if not standings:
        return []
    words: dict[str, list[str]] = {}
    for name in dict.fromkeys(one.policy for one in standings):
        said = [one for one in standings if one.policy == name]
        words.setdefault("; ".join(_together(said, subject)), []).append(name)
    lines = ["", "Policies"]
    for text, names in words.items():
        lines += wrapped(f"{', '.join(names)}: {text}", "  ", " " * 6)
    return lines


def _together(said: Sequence[Standing], subject: str) -> list[str]:
    """What a policy says of several things for one reason, together."""
    groups: dict[tuple[str, str], list[Standing]] = {}
    for one in said:
        groups.setdefault((one.permission, one.reason.text), []).append(one)
    found = []
    for (permission, sentence), ones in groups.items():
        reason = sentence.rstrip(".")
        unverified = "" if all(one.verified for one in ones) else _UNVERIFIED
        if permission == "set":
            names = ", ".join(f"{one.role.replace('_', ' ')} {one.name}" for one in ones)
            found.append(f"{names}{unverified}: {reason}")
            continue
        if len(said) == 1 and ones[0].name == subject:
            found.append(f"{permission}{unverified}: {reason}")
            continue
        roles: dict[str, list[str]] = {}
        for one in ones:
            roles.setdefault(one.role.replace("-", " ").replace("ike ", "IKE ").replace("esp ", "ESP "), []).append(
                one.name
            )
        names = ", ".join(f"{role} {', '.join(dict.fromkeys(each))}" for role, each in roles.items())
        found.append(f"{permission} as {names}{unverified}: {reason}")
    return found


def _costs(explanation: Explanation) -> list[str]:
    if not explanation.costs:
        return []
    lines = ["", *wrapped(f"On this box: {explanation.box}", "")]
    for table in explanation.costs:
        lines += _table(table)
    return lines


def _table(table: CostTable) -> list[str]:
    lines = wrapped(f"{table.title} ({table.tier})", "  ")
    width = max(len(row.name) for row in table.rows)
    first = next(row.name for row in table.rows if row.ratio is None)
    for row in table.rows:
        mark = "→" if row.asked_for else " "
        figure = rate_interval(row.value) if table.unit == "Mbit/s" else microseconds(row.value)
        lines.append(f"  {mark} {row.name:<{width}}  {figure:<28}{_against(row, first)}".rstrip())
    return lines


def _against(row: Cost, first: str) -> str:
    if row.ratio is None or row.chance is None:
        return ""
    ratio = row.ratio
    if 0.05 < row.chance < 0.95:
        return f"a tie with {first} ({chance(row.chance)} that it is faster)"
    if row.ratio.median < 1:
        faster = Estimate(1 / ratio.median, 1 / ratio.upper, 1 / ratio.lower)
        return f"{times(faster)} as fast as {first}"
    return f"{times(ratio)} the time of {first}"


def times(value: Estimate) -> str:
    """A ratio with its interval, such as ``1.46 [1.40–1.52] ×``."""
    return f"{significant(value.median)} [{significant(value.lower)}–{significant(value.upper)}] ×"


def _said(claims: Sequence[str]) -> list[str]:
    if not claims:
        return []
    lines = ["", "What people say of it"]
    for text in claims:
        lines += wrapped(f'ipsecbench explain "{text}" DATASET', "  ", "      ")
    return lines


def render_claims(findings: Sequence[Finding], box: str | None) -> str:
    """Claims with their verdicts, for people."""
    head = f"On this box: {box}" if box is not None else "Without a dataset: what the standards say alone"
    lines = wrapped(head, "")
    if len(findings) > 1:
        lines += _tally(findings)
    for finding in findings:
        lines += ["", *wrapped(f'"{finding.claim}" ({finding.said_by}): {finding.verdict.upper()}', "")]
        lines += wrapped(finding.answer, "  ")
        width = max((len(figure.label) for figure in finding.figures), default=0)
        for figure in finding.figures:
            lines += wrapped(f"{figure.label:<{width}}  {quantity(figure.value, figure.unit)}", "    ", " " * 8)
        if finding.tiers:
            lines += wrapped(f"Evidence: {'; '.join(finding.tiers)}", "    ", " " * 8)
    cited = dict.fromkeys(key for finding in findings for key in finding.sources)
    return "\n".join([*lines, "", *_legend(cited)])


def _tally(findings: Iterable[Finding]) -> list[str]:
    """Every claim with its verdict, in a line each."""
    findings = tuple(findings)
    counted: dict[str, int] = {}
    for finding in findings:
        counted[finding.verdict] = counted.get(finding.verdict, 0) + 1
    lines = wrapped("; ".join(f"{number} {verdict}" for verdict, number in counted.items()), "")
    width = max(len(verdict) for verdict in counted)
    return [*lines, "", *(f"  {finding.verdict:<{width}}  {finding.claim}" for finding in findings)]


def quantity(value: Estimate, unit: str) -> str:
    """A figure with its interval and unit."""
    if unit == "Mbit/s":
        return rate_interval(value)
    if unit == "µs":
        return microseconds(value)
    if unit == "times":
        return times(value)
    low, mid, high = (_number(part) for part in (value.lower, value.median, value.upper))
    mark = "%" if unit == "%" else f" {unit}"
    return f"{mid}{mark}" if low == high else f"{mid} [{low} to {high}]{mark}"


def _number(value: float) -> str:
    """Digits enough to tell it from zero, without an exponent."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    if value == 0 or abs(value) >= 0.1:
        return significant(value)
    return f"{value:.{1 - floor(log10(abs(value)))}f}"


def _legend(keys: Iterable[str]) -> list[str]:
    known = sources()
    lines = ["Sources"]
    for key in keys:
        if key in known:
            source = known[key]
            mark = _UNVERIFIED if source.unverified else ""
            place = f", {source.location}" if source.location else ""
            lines += wrapped(f"{key}: {source.title}{place}{mark}", "  ", " " * 6)
    return lines if len(lines) > 1 else []


def render_list() -> str:
    """Names that can be explained, by kind; suites are only counted."""
    from ipsecbench.explain.claims import all_claims
    from ipsecbench.explain.names import all_subjects

    groups: dict[str, list[str]] = {}
    for subject in all_subjects():
        kind = "Parameters, modes and names" if subject.concept is not None else subject.members[0].kind.value
        groups.setdefault(f"{kind[0].upper()}{kind[1:]}", []).append(subject.name)
    lines: list[str] = []
    for kind, names in groups.items():
        lines += [kind, *wrapped(", ".join(names), "  "), ""]
    lines.append("Claims")
    for claim in all_claims():
        lines += wrapped(claim.text, "  ")
    return "\n".join(lines)
