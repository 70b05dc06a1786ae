"""What is printed: at most 100 columns, the decision first, unverified things marked."""

from __future__ import annotations

from collections.abc import Callable

from ipsecbench.cli.explain_screens import render_claims, render_explanation, render_list
from ipsecbench.dataset.model import Dataset
from ipsecbench.explain.box import Box
from ipsecbench.explain.claims import all_claims, judge
from ipsecbench.explain.explanation import HOW_TO_MEASURE, explain
from ipsecbench.explain.names import all_subjects, find_subject

COLUMNS = 100


def _fits(text: str) -> bool:
    return all(len(line) <= COLUMNS and line == line.rstrip() for line in text.splitlines())


def test_every_screen_fits(make_dataset: Callable[..., Dataset]) -> None:
    box = Box(make_dataset(lab={}))
    shown = [subject for subject in all_subjects() if subject.concept is not None or len(subject.name) < 13]
    assert len(shown) > 120
    for subject in shown:
        assert _fits(render_explanation(explain(subject, box))), subject.name
    assert _fits(render_claims([judge(claim, box) for claim in all_claims()], box.name))
    assert _fits(render_claims([judge(claim, None) for claim in all_claims()], None))
    assert _fits(render_list())


def test_the_decision_is_the_second_line() -> None:
    for name in ("group2", "aes256gcm16", "pfs", "rc4", "md5"):
        assert render_explanation(explain(find_subject(name))).splitlines()[1].startswith("→ "), name


def test_the_cost_is_beside_the_alternatives(make_dataset: Callable[..., Dataset]) -> None:
    box = Box(make_dataset(lab={}))
    text = render_explanation(explain(find_subject("ecp384"), box))
    # Synthetic: 390 + 410 µs against 28 + 36 µs, 12.5 times as long.
    assert "→ ecp384" in text
    assert "12.5 [" in next(line for line in text.splitlines() if line.strip().startswith("x25519"))
    assert HOW_TO_MEASURE in " ".join(render_explanation(explain(find_subject("ecp384"))).split())


def test_what_was_not_read_is_marked() -> None:
    assert "bsi: allowed (unverified)" in render_explanation(explain(find_subject("ecp256")))


def test_a_row_of_another_tier_does_not_stand_beside_packets(make_dataset: Callable[..., Dataset]) -> None:
    """AES-256 with HMAC-MD5 was measured as calls only; its sum of calls is no packet."""
    box = Box(make_dataset(lab={}))
    (table,) = explain(find_subject("aes256"), box).costs
    assert "aes256-sha256" in [row.name for row in table.rows]
    assert "aes256-md5" not in [row.name for row in table.rows]


def test_names_lead_to_claims() -> None:
    assert "MD5 is faster than SHA1" in explain(find_subject("md5")).claims
    assert "disable PFS for speed" in explain(find_subject("pfs")).claims
