"""The matrix and its results as docs/interop.md: the same rows and results give the same octets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from tests.interop.scenario import INITIATOR, RESPONDER, UP, Scenario

OK = "ok"
_HEADING = """# Interoperability with strongSwan

Written by the tests in `tests/interop`; do not edit. The peer is strongSwan {version}, in a network namespace of its
own; this project's endpoint runs in another. The peer uses the userspace ESP of its kernel-libipsec plugin; for rows
with † it uses the kernel's, in a virtual machine.

A row is *ok* when both ends list the IKE SA and the Child SA with exactly the agreed transforms, when two datagrams
went through ESP in each direction (opened and sealed by an ESP written for the tests alone, with the keys of our
endpoint), and when everything of the column *then* was done and seen on both ends, with traffic after it. A row that
must be refused is *ok* when it was refused in the right way and neither end kept a Child SA. Where the peer cannot do
something, the row says why. Empty: it makes no sense in this role.

{summary}
"""


def render(matrix: Sequence[Scenario], results: Mapping[str, str], version: str) -> str:
    """The whole page."""
    tried = [scenario for scenario in matrix if not scenario.peer_cannot]
    passed = sum(results.get(scenario.name) == OK for scenario in tried)
    summary = f"{passed} of {len(tried)} exchanges ok; {len(matrix) - len(tried)} are beyond the peer."
    parts = [_HEADING.format(version=version, summary=summary)]
    for number in (2, 1):
        of_version = [scenario for scenario in matrix if scenario.version == number]
        areas = list(dict.fromkeys(scenario.area for scenario in of_version))
        parts.append(f"## IKEv{number}\n")
        for area in areas:
            rows = [scenario for scenario in of_version if scenario.area == area]
            parts += [f"### IKEv{number}: {area}\n", _table(rows, results)]
    return "\n".join(parts).rstrip() + "\n"


def _table(rows: Sequence[Scenario], results: Mapping[str, str]) -> str:
    lines = [
        "| | IKE proposal | ESP proposal | then | we initiate | the peer initiates |",
        "|---|---|---|---|---|---|",
    ]
    for title, group in groupby(rows, lambda scenario: scenario.title):
        by_role = {scenario.role: scenario for scenario in group}
        one = by_role.get(INITIATOR) or by_role[RESPONDER]
        then = ", ".join(one.actions) if one.outcome == UP else f"refused: {one.outcome}"
        cells = [f"{title} †" if one.kernel else title, f"`{one.ike}`", f"`{one.esp}`", then]
        cells += [_result(by_role[role], results) if role in by_role else "" for role in (INITIATOR, RESPONDER)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _result(scenario: Scenario, results: Mapping[str, str]) -> str:
    if scenario.peer_cannot:
        return f"not run: {scenario.peer_cannot}"
    return results.get(scenario.name, "not run").replace("|", "\\|")
