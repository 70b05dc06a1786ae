"""Runs the rows that need the kernel's ESP, inside the virtual machine: ``python -m tests.interop.guest``.

Prints one line for each row, ``row NAME: ok`` or what went wrong.
"""

from __future__ import annotations

import traceback

from tests.interop.laboratory import Laboratory
from tests.interop.matrix import MATRIX
from tests.interop.run import run_row
from tests.interop.table import OK


def main() -> None:
    with Laboratory() as laboratory:
        for scenario in MATRIX:
            if scenario.kernel and not scenario.peer_cannot:
                result = OK
                try:
                    run_row(laboratory, scenario)
                except Exception as error:  # the row failed; the others are still to be tried
                    traceback.print_exc()
                    result = f"{type(error).__name__}: {error}".replace("\n", " ")
                print(f"row {scenario.name}: {result}", flush=True)


if __name__ == "__main__":
    main()
