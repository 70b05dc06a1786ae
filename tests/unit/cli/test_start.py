"""Commands load what they need and no more: each of these takes longer to load than the command has to do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).resolve().parents[3] / "datasets" / "example.ipsecbench.json"


@pytest.mark.parametrize(
    ("words", "unwanted"),
    [
        (["--help"], {"numpy", "ipsecbench.recommend.recommendation"}),
        (["recommend", str(EXAMPLE), "--json"], {"fastjsonschema", "pandas", "jinja2", "ipsecbench.wire.ip"}),
    ],
)
def test_a_command_loads_only_what_it_needs(words: list[str], unwanted: set[str]) -> None:
    code = (
        "import sys\n"
        "from ipsecbench.cli import main\n"
        f"sys.argv = ['ipsecbench', *{words!r}]\n"
        "try:\n"
        "    main()\n"
        "except SystemExit as end:\n"
        "    assert end.code == 0, end.code\n"
        f"loaded = set({sorted(unwanted)!r}) & set(sys.modules)\n"
        "assert not loaded, loaded\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr
