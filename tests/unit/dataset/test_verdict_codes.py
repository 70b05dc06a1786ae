"""The codes of verdicts: each is given somewhere and explained, and none is given that is not known."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from ipsecbench.dataset.source import VERDICT_KINDS

ROOT = Path(__file__).resolve().parents[3]
KINDS = ROOT / "ipsecbench" / "dataset" / "source.py"
PAGES = ("import.md", "import-formats.md", "probe.md", "report.md", "compare.md")


def nodes() -> Iterator[ast.AST]:
    """Every node of what can give a verdict."""
    for package in ("importers", "dataset", "comparison"):
        for path in sorted((ROOT / "ipsecbench" / package).rglob("*.py")):
            if path != KINDS:
                yield from ast.walk(ast.parse(path.read_text(encoding="utf-8")))


def texts(found: Iterable[ast.AST]) -> set[str]:
    return {node.value for node in found if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def test_every_code_is_given_somewhere() -> None:
    assert set(VERDICT_KINDS) - texts(nodes()) == set()


def test_every_code_that_is_given_is_known() -> None:
    """Calls of ``….verdict("code", …)`` and ``….mark(…, "code")``, the ways in which readers give one."""
    given: set[str] = set()
    for node in nodes():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            given |= texts({"verdict": node.args[:1], "mark": node.args[1:]}.get(node.func.attr, []))
    assert len(given) > 15
    assert given - set(VERDICT_KINDS) == set()


@pytest.mark.parametrize("code", VERDICT_KINDS)
def test_every_code_is_explained(code: str) -> None:
    text = "".join((ROOT / "docs" / page).read_text(encoding="utf-8") for page in PAGES)
    assert f"`{code}`" in text, f"no page of {', '.join(PAGES)} says what {code} is"
