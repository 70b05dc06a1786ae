"""Runs fuzz targets under atheris: ``python -m tests.fuzz.run_atheris FOLDER SECONDS TARGET...``.

Each target runs in a process of its own, which begins with the target's seeds and follows the coverage of the package's
own code. That code is made to count its branches once for all targets, because it takes long. A target's output goes
to ``FOLDER/TARGET.log``, what it found beside it. Ends with 1 when anything was found.
"""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import atheris

LARGEST = 4096
"""Octets of the longest input that is made; longer ones have a test of their own."""
SLOWER = 10.0
"""How much slower than the package's own is code that counts its branches."""


def fuzz(target: Any, within_budget: Any, folder: Path, seconds: str) -> None:
    """Fuzz until the time is over or something is found; never returns."""

    def test_one_input(data: bytes) -> None:
        within_budget(target.run, data, target.limit_seconds * SLOWER)

    with tempfile.TemporaryDirectory(prefix="ipsecbench-corpus-") as corpus:
        for number, seed in enumerate(target.seeds()):
            (Path(corpus) / f"{number:04}").write_bytes(seed)
        options = ["-seed=1", f"-max_total_time={seconds}", f"-max_len={LARGEST}", "-timeout=60", "-rss_limit_mb=1024"]
        atheris.Setup([sys.argv[0], *options, f"-artifact_prefix={folder}/{target.name}-", corpus], test_one_input)
        atheris.Fuzz()


def main(arguments: list[str]) -> int:
    """Fuzz one target after the other."""
    folder, seconds, names = Path(arguments[1]), arguments[2], arguments[3:]
    with atheris.instrument_imports(include=["ipsecbench"]):
        budget = importlib.import_module("tests.fuzz.budget")
        targets = importlib.import_module("tests.fuzz.targets")
    failed = False
    for target in targets.TARGETS:
        if target.name not in names:
            continue
        child = os.fork()
        if child == 0:
            log = os.open(folder / f"{target.name}.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            os.dup2(log, 1)
            os.dup2(log, 2)
            fuzz(target, budget.within_budget, folder, seconds)
            os._exit(0)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        failed |= code != 0
        print(f"{target.name}: {'nothing found' if code == 0 else f'ended with {code}'}", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
