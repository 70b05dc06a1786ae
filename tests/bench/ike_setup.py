"""How long an IKE set-up takes with our stack and with strongSwan, side by side; needs root and strongSwan.

Two hosts are network namespaces on one machine; each end is a process of its own: ours in Python, strongSwan's
charon-systemd. Everything is interleaved, a few set-ups of each after the other, and every IKE SA is deleted before the
next one begins. The first of the few finds the processor's caches full of the others' work, the rest find them warm.
An order is given over a Unix socket, and counts as carried out when the end answers that the Child SA
is up: VICI's ``initiate`` at strongSwan, a line of text at ours. ``swanctl`` is a program that is started for each
order, which the line of that name includes.

strongSwan's own ESP (kernel-libipsec) takes the keys; our endpoint reports them to nobody, for its data plane is not
part of this. How much that is can be seen in the line "without routes", where strongSwan does not install its routes.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from ipsecbench.lab import namespaces, strongswan
from ipsecbench.lab.namespaces import two_hosts
from tests.bench.figures import heading, middle, ratios
from tests.bench.ike_ends import Connection, End, Session, StrongSwanEnd, ends, processor_seconds

OURS, STRONGSWAN, BARE = "ours", "strongSwan", "strongSwan without routes"
PAIRS = ((OURS, OURS), (STRONGSWAN, STRONGSWAN), (BARE, BARE), (OURS, STRONGSWAN), (STRONGSWAN, OURS))
GROUPS = {
    "2": "modp1024",
    "14": "modp2048",
    "16": "modp4096",
    "19": "ecp256",
    "31": "x25519",
    "31 + ML-KEM-768": "x25519-ke1_mlkem768",
}
PARALLEL = 4
IN_A_ROW = 5


@dataclass
class Pair:
    """Two running ends and what was measured with them."""

    initiator: str
    responder: str
    ends: tuple[End, End]
    session: Session
    up_ms: list[float] = field(default_factory=list)
    first_ms: list[float] = field(default_factory=list)
    rounds_ms: list[float] = field(default_factory=list)
    swanctl_ms: list[float] = field(default_factory=list)
    cycle_ms: list[float] = field(default_factory=list)
    processor_ms: list[float] = field(default_factory=list)
    parallel_ms: list[float] = field(default_factory=list)

    @property
    def title(self) -> str:
        """For the table."""
        return f"{self.initiator} → {self.responder}"

    def processor_seconds(self) -> float:
        """Of both ends together."""
        return sum(processor_seconds(end.process_id) for end in self.ends)


@contextlib.contextmanager
def pair(initiator: str, responder: str, connections: Sequence[Connection]) -> Iterator[Pair]:
    """Two hosts with an end each."""
    with two_hosts() as hosts, ends(hosts, initiator, responder, connections) as made:
        session = made[0].session()
        try:
            yield Pair(initiator, responder, made, session)
        finally:
            session.close()


def timed_ms(action: Callable[[], object]) -> float:
    """Milliseconds that it takes."""
    start = time.perf_counter()
    action()
    return (time.perf_counter() - start) * 1e3


def take_latency(row: Pair, name: str) -> None:
    """Set-ups, each timed from order to answer, and their end."""
    times = []
    for _ in range(IN_A_ROW):
        times.append(timed_ms(lambda: row.session.initiate(name)))
        row.session.terminate(name)
    row.first_ms.append(times[0])
    row.up_ms += times
    row.rounds_ms.append(statistics.median(times))
    initiator = row.ends[0]
    if isinstance(initiator, StrongSwanEnd):
        command = ["swanctl", "--initiate", "--child", name, "--uri", initiator.vici_uri]
        row.swanctl_ms.append(timed_ms(lambda: subprocess.run(command, check=True, capture_output=True)))
        row.session.terminate(name)


def latencies(rounds: int, shuffle: random.Random) -> list[Pair]:
    """Latency of one set-up, for all pairs of ends."""
    connection = Connection("x25519", "aes128-sha256-x25519")
    with contextlib.ExitStack() as stack:
        rows = [stack.enter_context(pair(first, second, [connection])) for first, second in PAIRS]
        for number in range(rounds + 2):
            for row in shuffle.sample(rows, len(rows)):
                take_latency(row, connection.name)
                if number < 2:
                    for values in (row.up_ms, row.first_ms, row.rounds_ms, row.swanctl_ms):
                        values.clear()
        return rows


def take_cycles(row: Pair, connection: Connection, number: int) -> None:
    """Set-ups with their end, one after the other: time and processor time of each."""
    before = row.processor_seconds()
    start = time.perf_counter()
    for _ in range(number):
        row.session.initiate(connection.name)
        row.session.terminate(connection.name)
    row.cycle_ms.append((time.perf_counter() - start) * 1e3 / number)
    row.processor_ms.append((row.processor_seconds() - before) * 1e3 / number)


def take_parallel(row: Pair, connections: Sequence[Connection], number: int) -> None:
    """The same with several at once, one thread and one control connection for each."""

    def work(connection: Connection) -> None:
        session = row.ends[0].session()
        try:
            for _ in range(number):
                session.initiate(connection.name)
                session.terminate(connection.name)
        finally:
            session.close()

    threads = [threading.Thread(target=work, args=(connection,)) for connection in connections]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    row.parallel_ms.append((time.perf_counter() - start) * 1e3 / number / len(connections))


def rates(group: str, rounds: int, number: int, shuffle: random.Random) -> list[Pair]:
    """Set-ups a second and processor time of each, for one group."""
    proposal = f"aes128-sha256-{GROUPS[group]}"
    connections = [Connection(f"c{each}", proposal, tcp_port=1000 + each) for each in range(PARALLEL)]
    kinds = [OURS] if "mlkem" in proposal else [OURS, STRONGSWAN]
    with contextlib.ExitStack() as stack:
        rows = [stack.enter_context(pair(kind, kind, connections)) for kind in kinds]
        for row in rows:
            take_cycles(row, connections[0], 2)
            take_parallel(row, connections, 1)
            for values in (row.cycle_ms, row.processor_ms, row.parallel_ms):
                values.clear()
        for _ in range(rounds):
            for row in shuffle.sample(rows, len(rows)):
                take_cycles(row, connections[0], number)
                take_parallel(row, connections, max(1, number // PARALLEL))
        return rows


def per_second(milliseconds: Sequence[float]) -> str:
    """Rate of a median time."""
    return f"{1e3 / statistics.median(milliseconds):.0f}"


def print_latencies(rows: Sequence[Pair]) -> None:
    """The first table, and ratios of interleaved rounds."""
    print(f"| initiator → responder | order to Child SA up, ms | first of {IN_A_ROW} | swanctl from start to end, ms |")
    print("|---|---|---|---|")
    for row in rows:
        print(f"| {row.title} | {middle(row.up_ms)} | {middle(row.first_ms)} | {middle(row.swanctl_ms)} |")
    ours, *others = rows
    for other in others[:2]:
        print(f"\nours over {other.title.split(' →')[0]}, round by round: {ratios(ours.rounds_ms, other.rounds_ms)}")


def print_rates(group: str, rows: Sequence[Pair]) -> None:
    """Lines of the second table."""
    for row in rows:
        print(
            f"| {group} | {row.initiator} | {middle(row.cycle_ms)} | {per_second(row.cycle_ms)} "
            f"| {per_second(row.parallel_ms)} | {middle(row.processor_ms)} |",
            flush=True,
        )


def main() -> None:
    """Measure and print two tables in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40, help="rounds of the first table")
    parser.add_argument("--rate-rounds", type=int, default=9, help="rounds of the second table")
    parser.add_argument("--cycles", type=int, default=16, help="set-ups in each round of the second table")
    parser.add_argument("--groups", default=",".join(GROUPS), help="groups of the second table")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--realtime", action="store_true", help="ask for real-time priority, where other work goes on")
    arguments = parser.parse_args()
    if arguments.realtime:
        # Every process that is started from here inherits it, ours and strongSwan's alike.
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
    reason = namespaces.missing_prerequisite() or strongswan.missing_prerequisite()
    if reason:
        print(f"ike_setup: skipped: {reason}")
        return
    shuffle = random.Random(arguments.seed)
    print(heading())
    print("\nIKEv2, aes128-sha256-x25519 with a pre-shared key, Child SA aes128-sha256: median (middle half)\n")
    print_latencies(latencies(arguments.rounds, shuffle))
    print("\nSet-up and tear-down, the same but for the group; processor time of both ends together\n")
    print(f"| group | both ends | one after the other, ms | per second | per second, {PARALLEL} at once "
          "| processor time, ms |")  # fmt: skip
    print("|---|---|---|---|---|---|")
    for group in arguments.groups.split(","):
        print_rates(group, rates(group, arguments.rate_rounds, arguments.cycles, shuffle))


if __name__ == "__main__":
    main()
