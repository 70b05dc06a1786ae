"""What is counted has a name that Linux knows and a row in docs/esp.md."""

from __future__ import annotations

import re
from pathlib import Path

from ipsecbench.esp.accounting import COUNTERS

ROOT = Path(__file__).parents[3]
USED = {
    name
    for path in (ROOT / "ipsecbench" / "esp").glob("*.py")
    if path.name != "accounting.py"
    for name in re.findall(r'"(Xfrm\w+)"', path.read_text(encoding="utf-8"))
}


def test_every_counter_is_one_of_linux() -> None:
    assert len(USED) > 12
    assert set(COUNTERS) >= USED


def test_the_page_has_a_row_for_each_and_no_other() -> None:
    page = (ROOT / "docs" / "esp.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(Xfrm\w+)` \|", page, re.M)
    assert len(rows) == len(set(rows))
    assert set(rows) == USED
