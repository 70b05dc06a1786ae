"""The page of a proof: the verdict first, predicted beside measured, what was negotiated, the files, the data."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from ipsecbench import __version__
from ipsecbench.cli.app import app
from ipsecbench.export.target import find_target
from ipsecbench.importers.formats import import_text
from ipsecbench.importers.text import text_of
from ipsecbench.proof.endpoints import lab_connection
from ipsecbench.proof.records import Difference, SetProof
from ipsecbench.report.proof_page import render_proof_page
from tests.unit.proof.test_screen import FIRST, a_proof
from tests.unit.report.conftest import Page

Answer = Callable[..., tuple[Any, Any]]
SECOND = replace(FIRST, name="runner-up")


def test_the_verdict_comes_first_and_every_figure_is_there(make_answer: Answer) -> None:
    dataset, answer = make_answer(label="<b>Box</b>")
    proof = a_proof(FIRST, SECOND)
    html = render_proof_page(proof, [answer, answer], dataset, "box.ipsecbench.json")
    page = Page(html)
    assert not page.faults
    assert proof.verdict in page.by_id("decision").text
    places = [html.index(mark) for mark in ('id="decision"', 'id="proof-section"', 'id="set-recommended"')]
    assert places == sorted(places)
    rows = [[cell.text for cell in row.children] for row in page.by_id("rates-recommended").all("tr")[1:]]
    assert rows[0] == ["outbound", "846 769–939", "804 800–808", "−5.0%", "inside", "–", "743 740–746"]
    assert rows[1][3:6] == ["+21.0%", "outside", "+22.0%"]
    words = " ".join(page.by_id("set-recommended").text.split())
    assert "predicted 3.93 ms (3.80–4.10), measured 4.50 ms (4.10–5.20)" in words
    assert "perfect forward secrecy" in words
    assert "2 of 4 rates lie within their predicted 90% interval" in page.by_id("proof-section").text


def test_the_files_are_those_that_the_proof_ran_with_but_for_the_secret(make_answer: Answer) -> None:
    dataset, answer = make_answer()
    page = Page(render_proof_page(a_proof(FIRST, SECOND), [answer], dataset))
    connection, target = lab_connection(answer), find_target("endpoint")
    wanted = [file.text for view in (connection, connection.mirrored()) for file in target.files(view, __version__)]
    shown = [node.text for node in page.all("pre") if node.attributes["id"].startswith("file-")]
    assert shown == wanted


def test_what_was_not_negotiated_exactly_or_not_run_is_said(make_answer: Answer) -> None:
    dataset, answer = make_answer()
    wrong = replace(FIRST, differences=(Difference("peer", "mode", "tunnel", "<transport>"),))
    absent = SetProof("runner-up", 0, "", "", "", "", "", skipped="there is no second choice")
    page = Page(render_proof_page(a_proof(wrong, absent, doubts=("a <doubt>",)), [answer], dataset))
    assert not page.faults
    assert "Mode is <transport> at the peer end, not tunnel" in page.by_id("set-recommended").text
    assert "there is no second choice" in page.by_id("set-runner-up").text
    assert "A <doubt>" in page.by_id("decision").text
    failed = replace(FIRST, failure="no proposal chosen", directions=(), set_up=None)
    page = Page(render_proof_page(a_proof(failed, absent), [answer], dataset))
    assert "no proposal chosen" in page.by_id("set-recommended").text
    assert not page.all("svg")


def test_the_page_carries_the_proof_and_gives_the_dataset_back(make_answer: Answer) -> None:
    dataset, answer = make_answer()
    proof = a_proof(FIRST, SECOND)
    html = render_proof_page(proof, [answer], dataset)
    data = json.loads(Page(html).by_id("ipsecbench-data").text)
    assert data["proof"] == json.loads(json.dumps(proof.to_dict()))
    assert data["dataset"]["format"] == "ipsecbench dataset"
    assert data["recommendation"]["phase2"]["suite"] == answer.phase2.suite
    empty = replace(dataset, measurements=(), fits=(), settings=SETTINGS)
    assert import_text(text_of(render_proof_page(proof, [answer], empty).encode(), "p.html")) == (empty,)


SETTINGS = {
    **{"mode": "quick", "precision": 0.1, "budget_seconds": 1.0, "minimum_rounds": 1, "only": []},
    **{"sizes_bytes": [], "providers": [], "cores": 1, "mask": [], "seed": 0},
}


def test_html_goes_with_prove_and_never_destroys_another_file(tmp_path: Path) -> None:
    other = tmp_path / "notes.txt"
    other.write_text("mine")
    result = CliRunner().invoke(app, ["recommend", "x.json", "--html", str(tmp_path / "a.html")])
    assert result.exit_code != 0
    assert "--html goes with --prove" in str(result.exception)
    result = CliRunner().invoke(app, ["recommend", "x.json", "--prove", "--html", str(other)])
    assert result.exit_code != 0
    assert "no report" in str(result.exception)
    assert other.read_text() == "mine"
