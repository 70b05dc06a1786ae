"""Two runs one after the other: how many rows have medians within 2% of each other.

A quiet machine should give 95%. Prints the share for each tier, and the worst rows.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from ipsecbench.dataset.model import Dataset
from ipsecbench.dataset.store import read_dataset

WITHIN = 0.02


def measure(place: Path, number: int, options: list[str]) -> Dataset:
    """One run of ``ipsecbench bench``."""
    program = shutil.which("ipsecbench", path=os.fspath(Path(sys.executable).parent)) or "ipsecbench"
    path = place / f"{number}.ipsecbench.json"
    subprocess.run([program, "bench", "--output", os.fspath(path), *options], check=True, stdout=subprocess.DEVNULL)
    return read_dataset(path)


def main() -> None:
    """Measure twice and print the agreement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("options", nargs="*", default=["--quick"], help="options of 'ipsecbench bench' (after --)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        first, second = (measure(Path(directory), number, arguments.options) for number in (1, 2))
    changes = {}
    for row in first.measurements:
        other = second.get(row.workload)
        if row.ns_per_operation is not None and other is not None and other.ns_per_operation is not None:
            changes[row.workload] = other.ns_per_operation.median / row.ns_per_operation.median - 1
    for tier in sorted({work.tier for work in changes}):
        rows = [abs(change) for work, change in changes.items() if work.tier is tier]
        close = sum(change <= WITHIN for change in rows)
        print(f"{tier:<12} {close:4d} of {len(rows):4d} rows within {WITHIN:.0%} ({close / len(rows):.1%})")
    close = sum(abs(change) <= WITHIN for change in changes.values())
    print(f"{'all':<12} {close:4d} of {len(changes):4d} rows within {WITHIN:.0%} ({close / len(changes):.1%})")
    print(f"steal: {first.environment['steal']}, {second.environment['steal']}")
    for work, change in sorted(changes.items(), key=lambda item: -abs(item[1]))[:10]:
        print(f"  {change:+6.1%}  {work}")


if __name__ == "__main__":
    main()
