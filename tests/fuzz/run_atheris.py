"""Runs one fuzz target under atheris: ``python -m tests.fuzz.run_atheris TARGET SECONDS [options of libFuzzer]``.

Begins with the target's seeds, guided by the coverage of the package's own code. Ends with 0 when nothing was found; a
finding is printed with its traceback and kept in the folder that ``-artifact_prefix`` names.
"""

from __future__ import annotations

import importlib
import sys
import tempfile
from pathlib import Path

import atheris

LARGEST = 4096
"""Octets of the longest input that is made; longer ones have a test of their own."""
SLOWER = 10.0
"""How much slower than the package's own is code that counts its branches."""


def main(arguments: list[str]) -> None:
    """Fuzz until the time is over or something is found."""
    name, seconds, options = arguments[1], arguments[2], arguments[3:]
    with atheris.instrument_imports(include=["ipsecbench"]):
        budget = importlib.import_module("tests.fuzz.budget")
        targets = importlib.import_module("tests.fuzz.targets")
    target = next(each for each in targets.TARGETS if each.name == name)

    def test_one_input(data: bytes) -> None:
        budget.within_budget(target.run, data, target.limit_seconds * SLOWER)

    with tempfile.TemporaryDirectory(prefix="ipsecbench-corpus-") as folder:
        for number, seed in enumerate(target.seeds()):
            (Path(folder) / f"{number:04}").write_bytes(seed)
        fixed = ["-seed=1", f"-max_total_time={seconds}", f"-max_len={LARGEST}", "-timeout=30", "-rss_limit_mb=1024"]
        atheris.Setup([arguments[0], *fixed, *options, folder], test_one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv)
