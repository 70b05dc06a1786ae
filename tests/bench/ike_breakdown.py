"""Where the time of an IKE set-up goes in our own stack, both versions, several sets; prints a table in Markdown.

The same as the rows of the tier ``handshake`` of a dataset, with more set-ups: one of each set after the other, so
that a slow minute falls on all. Then what keeping the account costs, by set-ups with and without it.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import gc
import os
import platform
import statistics
from collections.abc import Sequence
from pathlib import Path

from ipsecbench.bench.handshake import SETS, HandshakeSet, Part, Role
from ipsecbench.bench.handshake_pair import HandshakePair, SetupTimes
from ipsecbench.bench.handshake_runner import HandshakeRunner
from ipsecbench.errors import UnsupportedError

_WARM_UPS = 5


def take(rows: Sequence[HandshakeSet], number: int) -> dict[str, list[SetupTimes]]:
    """So many set-ups of each set, interleaved; sets that a library here cannot do are left out."""
    found: dict[str, list[SetupTimes]] = {}
    with contextlib.ExitStack() as stack:
        pairs = {}
        for row in rows:
            try:
                pair = stack.enter_context(HandshakePair(row))
                for _ in range(_WARM_UPS):
                    pair.set_up()
            except UnsupportedError as error:
                print(f"{row.name}: left out: {error}\n")
                continue
            pairs[row.name] = pair
            found[row.name] = []
        gc.disable()
        for _ in range(number):
            for name, pair in pairs.items():
                found[name].append(pair.set_up())
            gc.collect(0)
        gc.enable()
    return found


def cell(times: Sequence[SetupTimes], role: Role, part: Part) -> str:
    """Median in microseconds, or nothing."""
    median = statistics.median(each.ns[role][part] for each in times) / 1e3
    return f"{median:.0f}" if median else "–"


def overhead(number: int) -> tuple[float, float, float]:
    """Median of a whole set-up at both ends in microseconds, without and with the account, and the ratio of rounds."""
    row = SETS[0]
    with HandshakePair(row, account=False) as plain, HandshakePair(row) as accounted:
        sums: dict[bool, list[float]] = {False: [], True: []}
        for turn in range(number + _WARM_UPS):
            for kind, pair in ((False, plain), (True, accounted)):
                spent = sum(parts[Part.SETUP] for parts in pair.set_up().ns.values()) / 1e3
                if turn >= _WARM_UPS:
                    sums[kind].append(spent)
    ratio = statistics.median(with_ / without for with_, without in zip(sums[True], sums[False], strict=True))
    return statistics.median(sums[False]), statistics.median(sums[True]), ratio


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--setups", type=int, default=300, help="set-ups of each set")
    parser.add_argument("--realtime", action="store_true", help="ask for real-time priority, where other work goes on")
    arguments = parser.parse_args()
    if arguments.realtime:
        # Every process that is started from here inherits it, ours and strongSwan's alike.
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
    today = datetime.datetime.now(datetime.UTC).date()
    print(f"{today}, {name}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}")
    print(f"ipsecbench {HandshakeRunner().library_info()['version']}\n")
    print(f"Median of {arguments.setups} set-ups, µs\n")
    print("| set | end | " + " | ".join(part.value for part in Part) + " |")
    print("|---|---|" + "---|" * len(Part))
    for algorithm, times in take(SETS, arguments.setups).items():
        for role in Role:
            title = f"`{algorithm}`" if role is Role.INITIATOR else ""
            print(f"| {title} | {role} | " + " | ".join(cell(times, role, part) for part in Part) + " |")
    without, with_, ratio = overhead(arguments.setups)
    print(
        f"\nWhat the account costs: {without:.0f} µs at both ends without it, {with_:.0f} µs with it, ratio {ratio:.3f}"
    )


if __name__ == "__main__":
    main()
