"""How many 64-octet packets a second go through ESP without loss, beside strongSwan's kernel-libipsec; needs root.

Generator and sink are the agent's (docs/agent-traffic.md) and the same for all. Each round searches anew on every path,
in a random order, by repeated short trials (ipsecbench/lab/trials/rate_search.py); a trial's packets are UDP datagrams
of 64 octets with their IP header. All that works for one path shares the processors of this machine: generator, both
data planes and sink. "In bursts": the generator hands packets to the kernel 16 at a time, as programs do that use UDP
segmentation; a TUN device without offloads gets them one by one again.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import itertools
import random
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from ipsecbench.lab import namespaces, strongswan
from ipsecbench.lab.traffic import TrafficAgent, offer
from ipsecbench.lab.traffic_model import STREAMS, Packets, Plan
from ipsecbench.lab.trials.rate_search import NDR, PDR, RateSearch, RateTrial
from tests.bench.esp_paths import TrafficPath, strongswan_path, veth_path
from tests.bench.figures import as_urgent_as_this, go_before_others, heading, middle, ratios
from tests.bench.iperf_flows import processor_seconds
from tests.bench.plane_ends import agent_path

SIZE_BYTES = 64
PORT = 5998
LOWEST_PPS = 1_000.0
HIGHEST_PPS = {"veth": 4e6, "kernel-libipsec": 80e3, "agent": 3e6}
"""Where a search begins, far above what each was seen to carry; a result that is as high says nothing of the path."""


@dataclass
class Row:
    """One path with a generator and a sink, and what the searches found."""

    kind: str
    path: TrafficPath
    sender: TrafficAgent
    receiver: TrafficAgent
    burst: int
    seconds: float
    zero_loss: list[float] = field(default_factory=list)
    half_percent: list[float] = field(default_factory=list)
    nanoseconds: list[float] = field(default_factory=list)
    streams: itertools.count[int] = field(default_factory=itertools.count)

    @property
    def title(self) -> str:
        """For the table."""
        return self.path.title + (", in bursts" if self.burst > 1 else "")

    def offer(self, pps: float) -> RateTrial:
        """One trial."""
        plan = Plan(seconds=self.seconds, packets_per_second=round(pps))
        done = offer(self.sender, "source", self.receiver, "sink", plan, 1 + next(self.streams) % (STREAMS - 1))
        return RateTrial(pps, self.seconds, done.source.packets, done.sink.received)

    def search(self, most_trials: int) -> None:
        """One round."""
        results = RateSearch(self.offer, LOWEST_PPS, HIGHEST_PPS[self.kind.split()[0]], (NDR, PDR), most_trials).run()
        self.zero_loss.append(results[0].pps or 0.0)
        self.half_percent.append(results[1].pps or 0.0)
        if results[1].pps is not None:
            before = self._processor_seconds()
            trial = self.offer(results[1].pps)
            self.nanoseconds.append((self._processor_seconds() - before) * 1e9 / max(1, trial.received))

    def _processor_seconds(self) -> float:
        return sum(processor_seconds(process) for process in self.path.processes.values())


Maker = Callable[[], AbstractContextManager[TrafficPath]]


def open_row(stack: contextlib.ExitStack, kind: str, make: Maker, burst: int, seconds: float) -> Row:
    """A path with its generator and its sink."""
    path = stack.enter_context(make())
    hosts = path.hosts
    sender = stack.enter_context(TrafficAgent(hosts.local.command()))
    receiver = stack.enter_context(TrafficAgent(hosts.peer.command()))
    for each in (sender, receiver):
        as_urgent_as_this(each.pid)
    packets = Packets(path.destination, PORT, SIZE_BYTES, source=path.source, segments=burst)
    sender.open_udp_source("source", packets)
    receiver.open_udp_sink("sink", path.destination, PORT)
    receiver.start_sink("sink")
    return Row(kind, path, sender, receiver, burst, seconds)


def main() -> None:
    """Measure and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.5, help="of each trial")
    parser.add_argument("--trials", type=int, default=40, help="at most in one search")
    parser.add_argument("--suites", default="aes128gcm16")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    reason = namespaces.missing_prerequisite() or strongswan.missing_prerequisite()
    if reason:
        print(f"esp_small_packets: skipped: {reason}")
        return
    go_before_others()
    shuffle = random.Random(arguments.seed)
    print(heading())
    print(f"\n{SIZE_BYTES}-octet packets, {arguments.rounds} searches in trials of {arguments.seconds:g} s,")
    print("median (middle half), thousand packets a second; processor time is that of both data planes at 0.5% loss.\n")
    with contextlib.ExitStack() as stack:
        made: list[tuple[str, Maker]] = [("veth", veth_path)]
        for suite in arguments.suites.split(","):
            made.append((f"kernel-libipsec {suite}", functools.partial(strongswan_path, suite)))
            made.append((f"agent {suite}", functools.partial(agent_path, suite)))
        rows = [open_row(stack, kind, make, burst, arguments.seconds) for kind, make in made for burst in (1, 16)]
        for _ in range(arguments.rounds):
            for row in shuffle.sample(rows, len(rows)):
                row.search(arguments.trials)
        print_rates(rows)


def print_rates(rows: Sequence[Row]) -> None:
    """The table; the ratios are to the better of kernel-libipsec's two ways of the same suite and round."""
    print("| path | no loss | at most 0.5% lost | no loss, to kernel-libipsec | processor time, ns a packet |")
    print("|---|---|---|---|---|")
    for row in rows:
        suite = row.kind.partition(" ")[2]
        theirs = [other for other in rows if suite and other.kind == f"kernel-libipsec {suite}"]
        beside = ""
        if theirs and row.kind.startswith("agent"):
            best = [max(pair) for pair in zip(*(other.zero_loss for other in theirs), strict=True)]
            # A search that found no rate without loss within its trials says nothing.
            found = [number for number, rate in enumerate(best) if rate > 0]
            beside = ratios([row.zero_loss[number] for number in found], [best[number] for number in found], 1)
        print(f"| {row.title} | {middle([each / 1e3 for each in row.zero_loss], 1)} "
              f"| {middle([each / 1e3 for each in row.half_percent], 1)} | {beside} "
              f"| {middle(row.nanoseconds, 0) if row.path.processes else ''} |", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
