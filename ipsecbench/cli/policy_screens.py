"""What ``ipsecbench policy`` prints: lists, policies and verdicts as text and as JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

from ipsecbench.audit.changes import changes, passing_pair
from ipsecbench.audit.configuration import Format
from ipsecbench.audit.findings import Finding, Grade, spoken
from ipsecbench.cli.screen.text_blocks import wrapped
from ipsecbench.recommend.reasons import Reason

if TYPE_CHECKING:
    from ipsecbench.audit.verdict import ConnectionVerdict, Verdict
    from ipsecbench.recommend.policies.policy import Fallback, Line, Policy, Setting
    from ipsecbench.recommend.reasons import Role

_WIDTH = 100
_MOST_REASONS = 2
_MOST_NAMES = 5
_TITLES = {
    Format.PROPOSALS: "proposals",
    Format.SWANCTL: "strongSwan's swanctl.conf",
    Format.STRONGSWAN: "strongSwan's ipsec.conf",
    Format.LIBRESWAN: "libreswan's ipsec.conf",
    Format.IKE_SCAN: "output of ike-scan",
}


def render_list(policies: Sequence[Policy]) -> str:
    """One line for each policy."""
    width = max(len(policy.name) for policy in policies)
    return "\n".join(f"{policy.name:<{width}}  {policy.version:<7}  {policy.title}" for policy in policies)


# ── a policy ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def render_policy(policy: Policy) -> str:
    """All that a policy says, for people."""
    lines = [f"{policy.name} {policy.version}: {policy.title}"]
    verified = [setting.verified for setting in policy.settings.values()]
    verified += [line.verified for entries in policy.lines.values() for line in entries]
    if not all(verified):
        lines += wrapped("Unverified is what rests on a source that was not read in its own text.", "")
    lines += ["", "Settings"]
    for name, setting in policy.settings.items():
        mark = "" if setting.verified else " (unverified)"
        lines += _entry(f"{spoken(name.replace('_', '-'))} = {setting.value}{mark}", setting.reason)
    for role, entries in policy.lines.items():
        if entries:
            lines += ["", f"{_title(role)}, in order of preference"]
            lines += _alike((line.name, line.reason, _marks(line)) for line in entries)
    lines += _exceptions(policy)
    if policy.notes:
        lines += ["", "Notes"]
        lines += [line for note in policy.notes for line in wrapped(_cited(note), "  ")]
    return "\n".join([*lines, "", *_legend(_policy_reasons(policy))])


def _marks(line: Line) -> str:
    marks = [] if line.recommended else ["allowed, but not advised"]
    marks += [] if line.verified else ["unverified"]
    return f" ({'; '.join(marks)})" if marks else ""


def _title(role: Role) -> str:
    words = spoken(role.value)
    return f"{words[0].upper()}{words[1:]}"


def _exceptions(policy: Policy) -> list[str]:
    """What is only for old peers, what is set against a standard, and why the rest is not listed."""
    lines: list[str] = []
    if policy.acceptances:
        lines += ["", "Set against a standard's word, and warned of in every answer"]
        for each in policy.acceptances:
            lines += _entry(f"{spoken(each.role.value)} {each.name}", each.reason)
    for what, fallbacks in (("IKE", policy.ike_fallbacks), ("ESP", policy.esp_fallbacks)):
        if fallbacks:
            lines += ["", f"For old peers, after the first choice: {what}"]
            for fallback in fallbacks:
                lines += _entry(fallback.text, fallback.reason)
                lines += [] if fallback.warning is None else wrapped(_cited(fallback.warning), "      warning: ")
    for role in policy.lines:
        others = [entry for entry in policy.unlisted if entry.role is role]
        if others:
            lines += ["", f"{_title(role)}: not listed, and why; the first that matches counts"]
            lines += _alike((", ".join(entry.patterns), entry.reason, "") for entry in others)
    return lines


def _alike(entries: Iterable[tuple[str, Reason, str]]) -> list[str]:
    """Entries that follow each other and say the same, as one."""
    lines: list[str] = []
    for (reason, mark), group in groupby(entries, key=lambda entry: (entry[1], entry[2])):
        lines += wrapped(", ".join(name for name, _, _ in group) + mark, "  ")
        lines += wrapped(_cited(reason), "      ")
    return lines


def _entry(name: str, reason: Reason) -> list[str]:
    return [*wrapped(name, "  "), *wrapped(_cited(reason), "      ")]


def _policy_reasons(policy: Policy) -> Iterable[Reason]:
    yield from (setting.reason for setting in policy.settings.values())
    yield from (line.reason for lines in policy.lines.values() for line in lines)
    yield from (each.reason for each in policy.acceptances)
    for fallback in (*policy.ike_fallbacks, *policy.esp_fallbacks):
        yield from (reason for reason in (fallback.reason, fallback.warning) if reason is not None)
    yield from (entry.reason for entry in policy.unlisted)
    yield from policy.notes


def policy_to_dict(policy: Policy) -> dict[str, Any]:
    """All that a policy says, as JSON."""
    return {
        "name": policy.name,
        "version": policy.version,
        "title": policy.title,
        "settings": {name: _setting(setting) for name, setting in policy.settings.items()},
        "lines": {role.value: [_line(line) for line in lines] for role, lines in policy.lines.items()},
        "accepts": [
            {"role": each.role.value, "name": each.name, **_reason(each.reason)} for each in policy.acceptances
        ],
        "fallbacks": {
            "ike": [_fallback(each) for each in policy.ike_fallbacks],
            "esp": [_fallback(each) for each in policy.esp_fallbacks],
        },
        "unlisted": [
            {"role": each.role.value, "names": list(each.patterns), **_reason(each.reason)} for each in policy.unlisted
        ],
        "notes": [_reason(note) for note in policy.notes],
    }


def _reason(reason: Reason) -> dict[str, Any]:
    return {"reason": reason.text, "sources": list(reason.sources)}


def _fallback(fallback: Fallback) -> dict[str, Any]:
    warning = None if fallback.warning is None else fallback.warning.text
    return {"proposal": fallback.text, "warning": warning, **_reason(fallback.reason)}


def _setting(setting: Setting) -> dict[str, Any]:
    return {"value": setting.value, "verified": setting.verified, **_reason(setting.reason)}


def _line(line: Line) -> dict[str, Any]:
    said = {"name": line.name, "recommended": line.recommended, "verified": line.verified}
    return {**said, **_reason(line.reason)}


# ── a verdict ────────────────────────────────────────────────────────────────────────────────────────────────────────


def render_verdict(where: str, verdict: Verdict, policy: Policy) -> str:
    """What is to be said of a configuration, for people."""
    lines = [f"{where}: {_TITLES[verdict.format]} · policy {verdict.policy}"]
    lines += [line for note in verdict.notes for line in _noted(note.text, note.line)]
    for alike in _alike_connections(verdict):
        lines += ["", *_connection(alike[0])]
        if len(alike) > 1:
            twins = ", ".join(f"{each.connection.name} (line {each.connection.line})" for each in alike[1:])
            lines += wrapped(twins, "  the same for ")
    if not verdict.connections:
        lines += ["", "No host chose a proposal: there is nothing to grade."]
    lines += ["", *_summary(verdict, policy)]
    shown = [reason for finding in verdict.findings for reason in _worth_saying(finding) if _shown(finding)]
    return "\n".join([*lines, "", *_legend(shown)])


def _noted(text: str, line: int | None) -> list[str]:
    place = "" if line is None else f"line {line}: "
    return wrapped(f"{place}{text}", "  note: ")


def _alike_connections(verdict: Verdict) -> list[list[ConnectionVerdict]]:
    """The connections, those together of which the same is to be said, whatever the lines of the text."""
    found: dict[tuple[object, ...], list[ConnectionVerdict]] = {}
    for connection in verdict.connections:
        said = tuple(replace(finding, lines=()) for finding in connection.findings)
        notes = tuple(note.text for note in connection.connection.notes)
        found.setdefault((said, notes), []).append(connection)
    return list(found.values())


def _connection(verdict: ConnectionVerdict) -> list[str]:
    """All that is to be said of one connection."""
    here = verdict.connection
    said = [here.name]
    if here.line is not None:
        said.append(f"line {here.line}")
    if here.ike_versions:
        said.append(" and ".join(f"IKEv{version}" for version in here.ike_versions))
    if here.exchange is not None:
        said.append(f"{here.exchange.value} mode")
    if here.chosen:
        said.append("what it chose from what it was offered")
    lines = [" · ".join(said)]
    lines += [line for note in here.notes for line in _noted(note.text, note.line)]
    for group in _groups(verdict.findings):
        lines += _finding(group)
    left_out = sum(not _shown(finding) for finding in verdict.findings)
    if left_out:
        lines.append(f"  [ok]   and {left_out} more in the program's own proposals")
    return lines


def _shown(finding: Finding) -> bool:
    return not (finding.grade is Grade.OK and finding.implied and finding.about != "life")


def _groups(findings: Iterable[Finding]) -> list[list[Finding]]:
    """Findings that say the same of several algorithms, together."""
    found: dict[tuple[object, ...], list[Finding]] = {}
    for finding in findings:
        if _shown(finding):
            said = tuple(reason.text.replace(finding.subject, "") for reason in finding.reasons[:_MOST_REASONS])
            key = (finding.grade, finding.about, said, finding.implied, finding.lines)
            found.setdefault(key, []).append(finding)
    return list(found.values())


def _finding(group: Sequence[Finding]) -> list[str]:
    first = group[0]
    facts = []
    if first.strength_bits is not None:
        bits = sorted({finding.strength_bits for finding in group if finding.strength_bits is not None})
        facts.append(f"{'/'.join(str(number) for number in bits)} bits")
    levels = dict.fromkeys(finding.level.partition(" (")[0] for finding in group if finding.level)
    facts += list(levels)[:2]
    if first.lines:
        facts.append(f"line{'s' if len(first.lines) > 1 else ''} {', '.join(str(line) for line in first.lines)}")
    if first.implied:
        facts.append("not written: the program's default")
    if not first.verified:
        facts.append("unverified")
    names = ", ".join(finding.subject for finding in group)
    head = f"{spoken(first.about)}: {names}"
    lines = wrapped(f"{head} ({'; '.join(facts)})" if facts else head, f"  [{first.grade}]".ljust(9))
    for reason in _worth_saying(first):
        text = reason.text.removeprefix(f"{first.subject}: ") if len(group) > 1 else reason.text
        if len(group) > 1:
            text = text.replace(first.subject, "each of them")
        lines += wrapped(_cited(Reason(text, reason.sources)), " " * 11)
    return lines


def _worth_saying(finding: Finding) -> tuple[Reason, ...]:
    """The gravest reason; of a failure one more, where it says more than that the policy does not list it."""
    more = finding.reasons[1:_MOST_REASONS] if finding.grade is Grade.FAIL else ()
    return (finding.reason, *(reason for reason in more if reason.sources))


def _summary(verdict: Verdict, policy: Policy) -> list[str]:
    kinds = _alike_connections(verdict)
    groups = [group for alike in kinds for group in _groups(alike[0].findings)]
    counts = {grade: sum(group[0].grade is grade for group in groups) for grade in Grade}
    bits = [connection.strength_bits for connection in verdict.connections if connection.strength_bits is not None]
    weakest = f"; the weakest part has about {min(bits)} bits" if bits else ""
    said = f"{verdict.grade.upper()}: {counts[Grade.FAIL]} fail, {counts[Grade.WARN]} warn{weakest}"
    lines = [f"VERDICT  {said}"]
    found: dict[tuple[str, ...], list[str]] = {}
    for alike in kinds:
        names = found.setdefault(changes(alike[0], policy, verdict.format), [])
        names += [each.connection.name for each in alike]
    found.pop((), None)
    for texts, names in found.items():
        lines += wrapped(f"in {_listed(names)}:", "CHANGE   ") if len(verdict.connections) > 1 else []
        for number, change in enumerate(texts):
            first = not number and len(verdict.connections) == 1
            lines += wrapped(change, "CHANGE   - " if first else "         - ")
    pair = passing_pair(policy)
    if verdict.grade in (Grade.WARN, Grade.FAIL) and pair is not None:
        lines += ["", f"PASSES   {pair}"]
    return lines


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_MOST_NAMES]) + (
        f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    )


def verdict_to_dict(where: str, verdict: Verdict, policy: Policy) -> dict[str, Any]:
    """What is to be said of a configuration, as JSON: docs/policy-check.md says what each field is."""
    found = verdict.to_dict()
    texts = {}
    for alike in _alike_connections(verdict):
        told = changes(alike[0], policy, verdict.format)
        texts.update({id(each): told for each in alike})
    for connection, entry in zip(verdict.connections, found["connections"], strict=True):
        entry["changes"] = list(texts[id(connection)])
    return {"input": where, **found, "passes": passing_pair(policy)}


# ── both ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _cited(reason: Reason) -> str:
    return reason.text if not reason.sources else f"{reason.text} [{', '.join(reason.sources)}]"


def _legend(reasons: Iterable[Reason]) -> list[str]:
    """The sources that were cited, with where they can be read."""
    from ipsecbench.algorithms.sources import sources

    keys = sorted({key for reason in reasons for key in reason.sources})
    lines = ["SOURCES"] if keys else []
    for key in keys:
        source = sources().get(key)
        if source is not None:
            place = f", {source.location}" if source.location else ""
            mark = " (unverified: from memory)" if source.unverified else ""
            text = f"{key}: {source.title}{place}{mark}"
            lines += textwrap.wrap(text, _WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)
    return lines
