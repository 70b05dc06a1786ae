"""``ipsecbench recommend --prove``: the recommended set and the runner-up for real, predicted against measured."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from pathlib import Path

    from ipsecbench.bench.measurement import Estimate
    from ipsecbench.cli.requirement_options import Wanted
    from ipsecbench.dataset.model import Dataset
    from ipsecbench.proof.records import DirectionProof, Proof, SetProof
    from ipsecbench.recommend.model import Recommendation
    from ipsecbench.recommend.policies.records import Policy

_WIDTH = 100
_LABEL = 12
_MODES = {"gre": "GRE over transport", "ipip": "IP in IP over transport"}


def prove_command(dataset: Path, wanted: Wanted, *, quick: bool, json_output: bool, html: Path | None = None) -> None:
    """Recommend, run what was recommended, print both, write the page, and end with the proof's exit code.

    Raises:
        UsageError: the other end was measured too, or the dataset is of another box.
        LaboratoryError: this machine or this user cannot have a laboratory.
    """
    from ipsecbench.cli.screen.progress import StepLine
    from ipsecbench.dataset.store import read_dataset
    from ipsecbench.errors import UsageError
    from ipsecbench.lab import enclosure

    if wanted.peer_dataset is not None:
        raise UsageError("--prove: both ends of the laboratory are this box; leave --peer-dataset out")
    from ipsecbench.proof.run import check, prove

    if html is not None:
        from ipsecbench.cli.report_file import refuse_other_files
        from ipsecbench.dataset.store import check_writable

        refuse_other_files(html, None, "--html")
        check_writable(html)
    measured = read_dataset(dataset)
    check(measured, wanted.requirements.traffic)
    # Before anything that starts threads: an enclosure can only be entered by a process with one.
    enclosure.enter()
    from ipsecbench.cli.answer_screen import render_recommendation
    from ipsecbench.lab.trials.proof_trial import QUICK, THOROUGH
    from ipsecbench.recommend import recommend
    from ipsecbench.recommend.answer_file import answer_document
    from ipsecbench.recommend.policies.policy import load_policy

    policy = load_policy(wanted.policy)
    recommendation = recommend(measured, policy, wanted.requirements)
    line = StepLine(json_output)
    try:
        proof = prove(measured, policy, recommendation, QUICK if quick else THOROUGH, line)
    finally:
        line.close()
    if json_output:
        document = {**answer_document(recommendation, wanted.policy), "proof": proof.to_dict()}
        typer.echo(json.dumps(document, allow_nan=False))
    else:
        typer.echo(f"{render_recommendation(recommendation)}\n\n{render_proof(proof)}")
    if html is not None:
        _write_page(html, proof, measured, policy, recommendation, dataset.name)
    if proof.outcome:
        raise typer.Exit(int(proof.outcome))


def _write_page(
    path: Path, proof: Proof, measured: Dataset, policy: Policy, first: Recommendation, file_name: str
) -> None:
    from ipsecbench.cli.measure import say
    from ipsecbench.dataset.store import write_atomically
    from ipsecbench.proof.runner_up import runner_up_of
    from ipsecbench.report.proof_page import render_proof_page

    second = runner_up_of(first, measured, policy)
    found = [first] if isinstance(second, str) else [first, second]
    content = render_proof_page(proof, found, measured, file_name).encode("utf-8")
    write_atomically(path, content)
    say(f"Saved {path} ({len(content) / 1000:,.0f} kB)")


def render_proof(proof: Proof) -> str:
    """The proof on one screen: each set, the verdict, and what it does not prove; lines of at most 100 columns."""
    lines = _wrapped(
        f"on this box ({proof.box}), one core (number {proof.core}), data plane {proof.dataplane}, "
        f"{proof.traffic}; Mbit/s of inner octets",
        "PROOF",
    )
    for each in proof.sets:
        lines += ["", *_set(each)]
    lines.append("")
    if proof.not_compared is not None:
        lines += _wrapped(proof.not_compared, "Not compared")
    for doubt in proof.doubts:
        lines += _wrapped(doubt, "!")
    lines += _wrapped(proof.verdict, "VERDICT")
    lines += _wrapped("; ".join(proof.proves_not), "Proves not")
    return "\n".join(lines)


def _wrapped(text: str, label: str) -> list[str]:
    first = f"{label:<{_LABEL}} "
    return textwrap.wrap(text, _WIDTH, initial_indent=first, subsequent_indent=" " * len(first), break_on_hyphens=False)


def _set(each: SetProof) -> list[str]:
    name = each.name.capitalize()
    if not each.ike_proposal:
        return _wrapped(f"not run: {each.skipped}", name)
    text = (
        f"IKEv{each.ike_version} {each.ike_proposal}, auth {each.authentication}; ESP {each.esp_proposal}, "
        f"{_MODES.get(each.mode, each.mode)} mode"
    )
    lines = _wrapped(text, name)
    if each.skipped is not None:
        return [*lines, *_wrapped(f"NOT RUN: {each.skipped}", "")]
    if each.failure is not None:
        return [*lines, *_wrapped(f"NOT SET UP: {each.failure}", "  negotiated")]
    if each.differences:
        for difference in each.differences:
            lines += _wrapped(
                f"NO: {difference.what} is {difference.held} at the {difference.end} end, not {difference.wanted}",
                "  negotiated",
            )
    else:
        lines += _wrapped(f"exactly, at both ends; {each.pfs}", "  negotiated")
    lines += _set_up(each)
    for direction in each.directions:
        lines += _wrapped(_direction(direction), f"  {direction.direction}")
    if each.unmeasured is not None:
        lines += _wrapped(f"NOT MEASURED: {each.unmeasured}", "  traffic")
    return [*lines, *_as_negotiated(each)]


def _set_up(each: SetProof) -> list[str]:
    found = each.set_up
    if found is None:
        return []
    word = "predicted" if found.whole else "at least"
    return _wrapped(
        f"{word} {found.predicted_ms.median:.3g} ms ({found.basis}), measured {found.measured_ms.median:.3g} ms "
        f"[{found.measured_ms.lower:.3g}–{found.measured_ms.upper:.3g}]",
        "  set-up",
    )


def _direction(each: DirectionProof) -> str:
    measured = f"measured {each.measured.median:.0f}"
    if each.predicted is None or each.error is None:
        return f"{measured}, nothing to compare it with"
    where = "inside" if each.inside else "OUTSIDE THE INTERVAL"
    return f"predicted {_interval(each.predicted)}, {measured}, {each.error:+.1%}: {where}{_change(each)}"


def _change(each: DirectionProof) -> str:
    """How the box itself compares with what it was when the dataset was measured."""
    return "" if each.box_change is None else f"; packet loop {each.box_change:+.0%} against the dataset's"


def _interval(rate: Estimate) -> str:
    return f"{rate.median:.0f} [90%: {rate.lower:.0f}–{rate.upper:.0f}]"


def _as_negotiated(each: SetProof) -> list[str]:
    """Where the prediction's evidence travels otherwise than the set: what the set itself carries."""
    if not any(one.as_negotiated != one.measured for one in each.directions):
        return []
    ways = {"udp": "in UDP", "none": "as IP protocol 50"}
    rates = ", ".join(f"{one.direction} {one.as_negotiated.median:.0f}" for one in each.directions)
    return _wrapped(
        f"{rates} with ESP {ways[each.encapsulation]}, as negotiated; above it went "
        f"{ways[each.compared_encapsulation]}, as in the rows that the prediction comes from",
        "  itself",
    )
