"""How well packet loops predict real ESP: ``ipsecbench lab run``, quick and in full, and what came of it.

Run it as root on a quiet machine: ``python -m tests.bench.lab_prediction [--quick]``.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any


def run(name: str, *arguments: str) -> None:
    """Run it once and print one line for each data plane."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "ipsecbench", "lab", "run", "--json", "-q", *arguments]
        began = time.monotonic()
        done = subprocess.run(
            [*command, "-o", str(Path(folder) / "lab.ipsecbench.json")], capture_output=True, text=True, check=False
        )
    if done.returncode:
        print(f"{name}: {done.stderr.strip().splitlines()[-1:]}")
        return
    document: dict[str, Any] = json.loads(done.stdout)
    seconds = time.monotonic() - began
    for found in document["agreements"]:
        errors = f"median error {found['median_error']:.1%}  95% within {found['percentile_95_error']:.1%}"
        order = f"{len(found['inversions'])} of {found['pairs']} pairs in the wrong order"
        print(
            f"{name:<28} {found['provider']:<11} {len(found['rows']):4} rows  {errors}  "
            f"{found['close_share']:.0%} within 10%  {order}  ({seconds:.0f} s)"
        )


def main() -> None:
    """Print the figures of docs/performance.md."""
    run("quick", "--quick")
    run("quick, IP protocol 50", "--quick", "--raw")
    run("quick, libIPSec_MB", "--quick", "--library", "libipsec-mb")
    if "--quick" not in sys.argv[1:]:
        run("default, beside strongSwan", "--peer", "strongswan")


if __name__ == "__main__":
    main()
