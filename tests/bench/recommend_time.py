"""How long ``ipsecbench recommend`` takes on a dataset, as a user would time it, and what of it goes where.

Prints medians with their range: the whole command as a process and its processor time, and, inside one process, what
goes where: Python's packages, ours, reading the dataset, reading the policy, choosing (the first time, and again with
everything loaded), and writing the answer as JSON. All in processor time, which other work on the box changes little.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "datasets" / "example.ipsecbench.json"
_INSIDE = """
import json, sys, time
from pathlib import Path
times = [0.0, time.process_time()]
def done():
    times.append(time.process_time())
import typer.main
done()
from ipsecbench.cli.app import app
typer.main.get_command(app).make_context("ipsecbench", ["recommend", sys.argv[1]]).close()
try:
    import typer._adapters
except ImportError:
    pass
done()
import numpy.random
done()
from ipsecbench.recommend.requirements.requirement_file import flag_fields
from ipsecbench.dataset.store import read_dataset
from ipsecbench.recommend.policies.policy import load_policy
from ipsecbench.recommend import recommend
done()
dataset = read_dataset(Path(sys.argv[1]))
done()
policy = load_policy(sys.argv[2])
done()
answer = recommend(dataset, policy)
done()
json.dumps(answer.to_dict())
done()
recommend(dataset, policy)
done()
print(*(after - before for before, after in zip(times, times[1:])))
"""
_PARTS = (
    "start Python",
    "import typer",
    "commands and their flags",
    "import numpy",
    "import the recommender",
    "read the dataset",
    "read the policy",
    "choose, first time",
    "write the answer as JSON",
    "choose, again (not in the sum)",
)


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
    print(f"{name:<36} median {statistics.median(times):7.0f} ms  ({min(times):.0f} to {max(times):.0f})")


def main() -> None:
    """Time the command and its parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", nargs="?", type=Path, default=EXAMPLE)
    parser.add_argument("--policy", default="modern")
    parser.add_argument("--repeat", type=int, default=11, help="times that everything is run")
    arguments = parser.parse_args()
    dataset, policy = str(arguments.dataset.resolve()), arguments.policy
    command = [sys.executable, "-m", "ipsecbench", "recommend", dataset, "--policy", policy, "--json"]
    processor: list[float] = []
    inside: list[list[float]] = []
    with tempfile.TemporaryDirectory() as directory:
        # Compiled modules are there for a user, whatever this environment says of them.
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = directory

        def run(words: list[str]) -> str:
            before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
            done = subprocess.run(words, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
            processor.append((resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before) * 1e3)
            return done.stdout

        elapsed = timed(lambda: run(command), arguments.repeat)
        show("ipsecbench recommend --json, elapsed", elapsed)
        show("  its user time", processor[1:])
        parts = [sys.executable, "-c", _INSIDE, dataset, policy]
        timed(lambda: inside.append([float(word) * 1e3 for word in run(parts).split()]), arguments.repeat)
    for name, times in zip(_PARTS, zip(*inside[1:], strict=True), strict=True):
        show(f"  {name}", list(times))


if __name__ == "__main__":
    main()
