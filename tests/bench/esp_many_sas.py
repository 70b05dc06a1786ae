"""What 10,000 SA pairs cost against one: packets a second, processor time, and memory of each pair; needs root.

Paths of the agent's data plane take turns in a random order: one has a single SA pair for the whole inner network,
the other a pair (SAs, policies, keys) for each of 10,000 addresses. The same generator sends packets to these addresses
in turn, as fast as the TUN device takes them, so that on the second path no two packets in a row belong to the same SA:
the worst that can be. Memory is what the data plane's process has for itself (Private_Dirty) once packets went through
every SA, less what it has with one.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import random
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ipsecbench.lab import namespaces
from ipsecbench.lab.namespaces import two_hosts
from ipsecbench.lab.traffic import TrafficAgent, offer
from ipsecbench.lab.traffic_model import STREAMS, Packets, Plan
from tests.bench.esp_paths import TrafficPath
from tests.bench.figures import as_urgent_as_this, go_before_others, heading, middle, ratios
from tests.bench.iperf_flows import processor_seconds
from tests.bench.manual_sas import PlaneEnd, add_sa_pair
from tests.bench.plane_ends import agent_ends, process_id

PORT = 5998
FIRST_ADDRESS = (10 << 24) + (2 << 16) + (16 << 8)
SIZES = (64, 1300)


def address(number: int) -> str:
    """Address behind the second host."""
    value = FIRST_ADDRESS + number
    return ".".join(str(value >> shift & 255) for shift in (24, 16, 8, 0))


def private_bytes(process: int) -> int:
    """Memory that a process shares with nobody."""
    text = Path(f"/proc/{process}/smaps_rollup").read_text()
    found = re.search(r"^Private_Dirty: +(\d+) kB", text, re.M)
    assert found is not None
    return int(found[1]) * 1024


@dataclass
class Row:
    """One path and what was measured on it, by size of the packets."""

    pairs: int
    flows: int
    path: TrafficPath
    ends: tuple[PlaneEnd, PlaneEnd]
    sender: TrafficAgent
    receiver: TrafficAgent
    add_seconds: float
    rates: dict[int, list[float]] = field(default_factory=lambda: {size: [] for size in SIZES})
    sealing_ns: dict[int, list[float]] = field(default_factory=lambda: {size: [] for size in SIZES})
    opening_ns: dict[int, list[float]] = field(default_factory=lambda: {size: [] for size in SIZES})
    streams: itertools.count[int] = field(default_factory=itertools.count)

    def take(self, size: int, seconds: float) -> None:
        """Measure once."""
        before = [processor_seconds(process) for process in self.path.processes.values()]
        stream = 1 + next(self.streams) % (STREAMS - 1)
        done = offer(self.sender, f"source {size}", self.receiver, "sink", Plan(seconds=seconds), stream)
        spent = [
            processor_seconds(process) - start
            for process, start in zip(self.path.processes.values(), before, strict=True)
        ]
        self.rates[size].append(done.sink.received / (done.source.wall_ns / 1e9) / 1e3)
        sealed = done.source.packets - done.source.refused
        self.sealing_ns[size].append(spent[0] * 1e9 / max(1, sealed))
        self.opening_ns[size].append(spent[1] * 1e9 / max(1, done.sink.received))

    def forget(self) -> None:
        """What was measured so far was to warm up."""
        for table in (self.rates, self.sealing_ns, self.opening_ns):
            for values in table.values():
                values.clear()


@contextlib.contextmanager
def row(suite: str, pairs: int, flows: int) -> Iterator[Row]:
    """A path with so many SA pairs, and a generator for so many addresses."""
    with contextlib.ExitStack() as stack:
        hosts = stack.enter_context(two_hosts())
        ends = stack.enter_context(agent_ends(hosts))
        start = time.perf_counter()
        if pairs == 1:
            add_sa_pair(*ends, suite)
        else:
            for number in range(pairs):
                add_sa_pair(*ends, suite, number, local_network="10.1.0.1/32", peer_network=f"{address(number)}/32")
        added = time.perf_counter() - start
        sender = stack.enter_context(TrafficAgent(hosts.local.command()))
        receiver = stack.enter_context(TrafficAgent(hosts.peer.command()))
        for each in (sender, receiver):
            as_urgent_as_this(each.pid)
        for size in SIZES:
            packets = Packets(address(0), PORT, size, source="10.1.0.1", flows=flows, wait=True)
            sender.open_udp_source(f"source {size}", packets)
        receiver.open_udp_sink("sink", "0.0.0.0", PORT)  # noqa: S104  inside a namespace
        receiver.start_sink("sink")
        path = TrafficPath(
            f"{pairs:,} SA pair{'s' if pairs > 1 else ''}, {flows:,} address{'es' if flows > 1 else ''}",
            hosts,
            {"sender's": process_id(ends[0]), "receiver's": process_id(ends[1])},
        )
        yield Row(pairs, flows, path, ends, sender, receiver, added)


def print_rates(suite: str, rows: Sequence[Row]) -> None:
    """Rates and processor times; ratios to the row with one SA pair and the same addresses."""
    base = next(each for each in rows if each.pairs == 1 and each.flows > 1)
    print(f"\n{suite}; the ratios are to one SA pair and as many addresses, round by round\n")
    print("| SAs | octets | thousand a second | ratio | sealing, ns a packet | ratio | opening, ns a packet | ratio |")
    print("|---|---|---|---|---|---|---|---|")
    for each in rows:
        for size in SIZES:
            cells = []
            for table, digits in (("rates", 1), ("sealing_ns", 0), ("opening_ns", 0)):
                values, others = getattr(each, table)[size], getattr(base, table)[size]
                cells += [middle(values, digits), ratios(values, others) if each is not base else ""]
            print(f"| {each.path.title} | {size} | {' | '.join(cells)} |")


def measure(suite: str, pairs: int, rounds: int, seconds: float, shuffle: random.Random) -> None:
    """One suite."""
    with row(suite, 1, 1) as single, row(suite, 1, pairs) as one, row(suite, pairs, pairs) as many:
        rows = [single, one, many]
        for each in rows:
            for size in SIZES:
                each.take(size, seconds)
            each.forget()
        for _ in range(rounds):
            for each, size in shuffle.sample([(each, size) for each in rows for size in SIZES], len(rows) * len(SIZES)):
                each.take(size, seconds)
        print_rates(suite, rows)
        for name, process in many.path.processes.items():
            grown = private_bytes(process) - private_bytes(one.path.processes[name])
            print(f"\nMemory of each SA pair in the {name} data plane: {grown / (pairs - 1):.0f} octets")
        print(f"\nAdding one pair with its policies at both ends: {many.add_seconds / pairs * 1e6:.0f} µs", flush=True)


def main() -> None:
    """Measure and print tables in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each measurement")
    parser.add_argument("--pairs", type=int, default=10_000)
    parser.add_argument("--suites", default="aes128gcm16,aes128-sha1")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if reason := namespaces.missing_prerequisite():
        print(f"esp_many_sas: skipped: {reason}")
        return
    go_before_others()
    print(heading())
    shuffle = random.Random(arguments.seed)
    for suite in arguments.suites.split(","):
        measure(suite, arguments.pairs, arguments.rounds, arguments.seconds, shuffle)


if __name__ == "__main__":
    main()
