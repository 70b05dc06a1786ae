"""Tries a strongSwan of version 6, which has ML-KEM and several key exchanges.

``python -m tests.interop.strongswan6 PROGRAM [PATTERN]`` as root, where PROGRAM is its ``charon-systemd``: runs the
rows of :mod:`tests.interop.matrix_hybrid` and those of the matrix for IKEv2, and says what came of them. What was seen
so is written down in ``docs/interop-strongswan6.md``.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from pathlib import Path

from ipsecbench.lab.strongswan import PLUGINS
from tests.interop import matrix, matrix_hybrid
from tests.interop.laboratory import Laboratory
from tests.interop.run import run_row


def main() -> int:
    """Run the rows; 1 when one failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", type=Path)
    parser.add_argument("pattern", nargs="?", default="")
    arguments = parser.parse_args()
    rows = [row for row in (*matrix_hybrid.ROWS, *matrix.MATRIX) if row.version == 2 and not row.peer_cannot]
    tried: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    with Laboratory(arguments.program, (*PLUGINS, "ml")) as laboratory:
        for row in rows:
            if row.kernel or not re.search(arguments.pattern, row.name):
                continue
            tried[row.area] += 1
            try:
                run_row(laboratory, row)
            except Exception as error:  # the row failed; the others are still to be tried
                failed[row.area] += 1
                print(f"{row.name}: {type(error).__name__}: {error}", flush=True)
    for area, count in tried.items():
        print(f"{area}: {count - failed[area]} of {count} ok")
    print(f"{tried.total() - failed.total()} of {tried.total()} ok")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
