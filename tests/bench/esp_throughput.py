"""How much one TCP flow carries through ESP beside a plain veth pair and strongSwan's kernel-libipsec; needs root.

All paths are up at once, each between two hosts of its own, and take turns in a random order, a flow of some seconds
each; every figure is also given as a ratio to veth's and kernel-libipsec's of the same round. Processor time is that of
the whole machine and of each process, for each inner packet of 1400 octets; the kernel's work in softirqs is counted
where it happens to run.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import random
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from ipsecbench.lab import namespaces, strongswan
from tests.bench import iperf_flows
from tests.bench.esp_paths import TrafficPath, strongswan_path, veth_path
from tests.bench.figures import go_before_others, heading, middle, ratios
from tests.bench.iperf_flows import FlowReceiver, TcpFlow, run_tcp
from tests.bench.plane_ends import agent_path, reference_path

SUITES = ("aes128gcm16", "aes128-sha1", "chacha20poly1305")
VETH = "veth"


@dataclass
class Row:
    """One path and what was measured on it, round by round."""

    kind: str
    """``veth``, ``kernel-libipsec``, or a data plane of ours."""
    suite: str
    path: TrafficPath
    receiver: FlowReceiver
    flows: list[TcpFlow] = field(default_factory=list)

    @property
    def rates(self) -> list[float]:
        """Gbit/s of each round."""
        return [flow.bits_per_second / 1e9 for flow in self.flows]

    def take(self, seconds: int) -> None:
        """Measure once."""
        hosts = self.path.hosts
        self.flows.append(run_tcp(hosts.local, self.path.source, self.receiver, seconds, self.path.processes))


Maker = Callable[[], AbstractContextManager[TrafficPath]]


def makers(suites: Sequence[str]) -> list[tuple[str, str, Maker]]:
    """Kind, suite and how to make it, for every path."""
    made: list[tuple[str, str, Maker]] = [(VETH, "", veth_path)]
    for suite in suites:
        made.append(("kernel-libipsec", suite, functools.partial(strongswan_path, suite)))
        made.append(("agent", suite, functools.partial(agent_path, suite)))
    made.append(("agent", suites[0], functools.partial(agent_path, suites[0], encapsulated=False)))
    made.append(("reference", suites[0], functools.partial(reference_path, suites[0])))
    return made


def measure(paths: Sequence[tuple[str, str, Maker]], rounds: int, seconds: int, shuffle: random.Random) -> list[Row]:
    """Every path once a round, in a random order, after a round that is not counted."""
    with contextlib.ExitStack() as stack:
        rows = []
        for kind, suite, make in paths:
            path = stack.enter_context(make())
            receiver = stack.enter_context(FlowReceiver(path.hosts.peer, path.destination))
            rows.append(Row(kind, suite, path, receiver))
        for row in rows:
            row.take(1)
            row.flows.clear()
        for _ in range(rounds):
            for row in shuffle.sample(rows, len(rows)):
                row.take(seconds)
        return rows


def print_rates(rows: Sequence[Row]) -> None:
    """The first table: rates and ratios."""
    veth = next(row for row in rows if row.kind == VETH)
    print("| path | Gbit/s | to veth | to kernel-libipsec of the same suite | TCP segments sent again, % |")
    print("|---|---|---|---|---|")
    for row in rows:
        theirs = [other for other in rows if other.kind == "kernel-libipsec" and other.suite == row.suite]
        beside = ratios(row.rates, theirs[0].rates, 1) if theirs and theirs[0] is not row else ""
        again = [100 * max(0, flow.retransmits) / max(1.0, flow.bytes_received / 1348) for flow in row.flows]
        print(f"| {row.path.title} | {middle(row.rates)} | {ratios(row.rates, veth.rates, 3)} | {beside} "
              f"| {middle(again)} |")  # fmt: skip


def print_processor_times(rows: Sequence[Row]) -> None:
    """The second table."""
    print("\nProcessor time for each 1348 octets of TCP payload (one inner packet of 1400 octets), ns, median\n")
    names = list(dict.fromkeys(name for row in rows for name in row.flows[0].processor_seconds))
    print(f"| path | {' | '.join(names)} |")
    print("|---|" + "---|" * len(names))
    for row in rows:
        cells = []
        for name in names:
            known = [flow.nanoseconds_per_packet(name) for flow in row.flows if name in flow.processor_seconds]
            cells.append(f"{sorted(known)[len(known) // 2]:.0f}" if known else "")
        print(f"| {row.path.title} | {' | '.join(cells)} |")


def main() -> None:
    """Measure and print two tables in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=int, default=3, help="of each flow")
    parser.add_argument("--suites", default=",".join(SUITES))
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    reason = (
        namespaces.missing_prerequisite() or strongswan.missing_prerequisite() or iperf_flows.missing_prerequisite()
    )
    if reason:
        print(f"esp_throughput: skipped: {reason}")
        return
    go_before_others()
    print(heading())
    print(f"\nOne TCP flow, {arguments.rounds} rounds of {arguments.seconds} s: median (middle half)\n")
    rows = measure(
        makers(arguments.suites.split(",")), arguments.rounds, arguments.seconds, random.Random(arguments.seed)
    )
    print_rates(rows)
    print_processor_times(rows)


if __name__ == "__main__":
    main()
