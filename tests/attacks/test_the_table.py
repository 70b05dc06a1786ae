"""docs/ike-robustness.md names every test of a known attack, each in its row, and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "ike-robustness.md").read_text()
ROWS = range(1, 56)


def rows() -> Iterator[tuple[int, str]]:
    """Number and text of each row."""
    for line in PAGE.splitlines():
        match = re.match(r"\| (\d+) \|", line)
        if match:
            yield int(match[1]), line


def attack_tests() -> set[str]:
    """Names of the tests of known attacks."""
    return {
        node.name
        for path in Path(__file__).parent.glob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_row_")
    }


def test_every_row_is_there_once() -> None:
    assert sorted(number for number, _ in rows()) == list(ROWS)


def test_every_test_stands_in_its_row_and_every_name_is_a_test() -> None:
    named: dict[str, set[int]] = {}
    for number, line in rows():
        for name in re.findall(r"`(test_\w+)`", line):
            named.setdefault(name, set()).add(number)
    assert named.keys() == attack_tests()
    for name, numbers in named.items():
        assert numbers == {int(number) for number in re.findall(r"row_(\d\d)_", name)}, name


def test_a_row_without_a_test_says_why() -> None:
    for number, line in rows():
        if "`test_row_" not in line:
            assert re.search(r"not implemented|not the IKE daemon", line), number


def test_the_name_of_a_test_has_the_name_of_the_attack() -> None:
    for number, line in rows():
        known = {each.lower().replace("-", "_") for each in re.findall(r"CVE-\d+-\d+", line)}
        for name in re.findall(r"`(test_row_\w+)`", line):
            parts = re.findall(r"row_(\d\d)_((?:cve_\d+_\d+(?:_and_(?=cve))?)+)", name)
            assert parts, name
            mine = [cves for row, cves in parts if int(row) == number]
            assert any(cve in known for cves in mine for cve in re.findall(r"cve_\d+_\d+", cves)), name


def test_every_environment_variable_is_documented() -> None:
    used = set()
    for folder in ("fuzz", "attacks"):
        for path in (ROOT / "tests" / folder).glob("*.py"):
            used |= set(re.findall(r"IPSECBENCH_FUZZ_\w+", path.read_text()))
    assert {name for name in used if name in PAGE} == used
