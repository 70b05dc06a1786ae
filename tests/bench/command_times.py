"""How long the commands take, as a user would time them, and how large the agent is.

Prints medians with their range. ``--runs`` also times a whole quick run and a whole default run, once each.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def seconds(command: list[str], cwd: Path) -> float:
    """Elapsed seconds of one run; its output is thrown away."""
    start = time.perf_counter()
    subprocess.run(command, cwd=cwd, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    """Time the commands and print one line each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=11, help="times that the short commands are run")
    parser.add_argument("--runs", action="store_true", help="also time 'run --quick' and 'run'")
    arguments = parser.parse_args()
    program = shutil.which("ipsecbench", path=os.fspath(Path(sys.executable).parent)) or "ipsecbench"
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        for name, command in (
            ("python -c pass", [sys.executable, "-c", "pass"]),
            ("ipsecbench --help", [program, "--help"]),
            ("ipsecbench detect", [program, "detect"]),
        ):
            seconds(command, place)
            times = [seconds(command, place) * 1e3 for _ in range(arguments.repeat)]
            print(f"{name:<24} median {statistics.median(times):7.0f} ms  ({min(times):.0f} to {max(times):.0f})")
        if arguments.runs:
            for options in (["--quick"], []):
                elapsed = seconds([program, "run", *options], place)
                print(f"{'ipsecbench run ' + ' '.join(options):<24} whole  {elapsed:7.1f} s")
    agent = ROOT / "agent" / "build" / "ipsecbench-agent"
    with tempfile.TemporaryDirectory() as directory:
        stripped = Path(directory) / "agent"
        subprocess.run(["strip", "-o", os.fspath(stripped), os.fspath(agent)], check=True)
        print(f"{'agent, stripped':<24} {stripped.stat().st_size:14,} bytes")


if __name__ == "__main__":
    main()
