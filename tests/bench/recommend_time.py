"""How long ``ipsecbench recommend`` takes on a dataset, as a user would time it, and what of it goes where.

Prints medians with their range: the whole command as a process, and, inside one process, importing, reading the dataset
and choosing (the first time, and again with everything loaded).
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "datasets" / "example.ipsecbench.json"
_INSIDE = """
import sys, time
from pathlib import Path
times = [time.perf_counter()]
from ipsecbench.dataset.store import read_dataset
from ipsecbench.recommend import recommend
from ipsecbench.recommend.policy import load_policy
times.append(time.perf_counter())
dataset = read_dataset(Path(sys.argv[1]))
times.append(time.perf_counter())
for _ in range(2):
    recommend(dataset, load_policy(sys.argv[2]))
    times.append(time.perf_counter())
print(*(after - before for before, after in zip(times, times[1:])))
"""
_PARTS = ("import", "read the dataset", "choose, first time", "choose, again")


def timed(run: Callable[[], object], repeat: int) -> list[float]:
    """Elapsed milliseconds of each of some runs, after one that does not count."""
    run()
    found = []
    for _ in range(repeat):
        start = time.perf_counter()
        run()
        found.append((time.perf_counter() - start) * 1e3)
    return found


def show(name: str, times: list[float]) -> None:
    """One line."""
    print(f"{name:<28} median {statistics.median(times):7.0f} ms  ({min(times):.0f} to {max(times):.0f})")


def main() -> None:
    """Time the command and its parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", nargs="?", type=Path, default=EXAMPLE)
    parser.add_argument("--policy", default="modern")
    parser.add_argument("--repeat", type=int, default=11, help="times that everything is run")
    arguments = parser.parse_args()
    dataset, policy = str(arguments.dataset.resolve()), arguments.policy
    command = [sys.executable, "-m", "ipsecbench", "recommend", dataset, "--policy", policy, "--json"]
    inside: list[list[float]] = []

    def whole() -> None:
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)

    def parts() -> None:
        run = subprocess.run(
            [sys.executable, "-c", _INSIDE, dataset, policy], cwd=ROOT, check=True, capture_output=True, text=True
        )
        inside.append([float(word) * 1e3 for word in run.stdout.split()])

    show("ipsecbench recommend --json", timed(whole, arguments.repeat))
    timed(parts, arguments.repeat)
    for name, times in zip(_PARTS, zip(*inside[1:], strict=True), strict=True):
        show(f"  {name}", list(times))


if __name__ == "__main__":
    main()
