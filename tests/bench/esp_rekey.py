"""Packets lost while SAs are rekeyed under full load, both versions of IKE; needs root.

Both ends are ours: IKE in this process, ESP in the agent. Full load is sought first: the highest rate at which trials
of 1400-octet packets lose nothing. Then trials at three quarters of it take turns: with nothing else, with the Child SA
rekeyed every half second, and with the IKE SA and the Child SA rekeyed in turn, by either end. A packet that a change
of SAs costs is missing at the sink and counted by one of the data planes; what the full queue of a TUN device or socket
drops while somebody else has the processor is missing too, but counted by the kernel (a burst of packets at a socket as
one). Last, one TCP flow at full speed.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from ipsecbench.dataplane.agent import AgentPlane
from ipsecbench.lab import namespaces
from ipsecbench.lab.namespaces import Hosts, two_hosts
from ipsecbench.lab.own_peer import OwnPeer
from ipsecbench.lab.traffic import TrafficAgent, offer
from ipsecbench.lab.traffic_model import STREAMS, Packets, Plan
from ipsecbench.lab.trials.rate_search import NDR, RateSearch, RateTrial
from tests.bench import iperf_flows
from tests.bench.esp_paths import spread_cores
from tests.bench.figures import as_urgent_as_this, go_before_others, heading, middle
from tests.bench.iperf_flows import FlowReceiver, run_tcp
from tests.dataplane.ends import Case, end
from tests.proofs.full_queues import dropped_by_full_queues

PORT = 5998
SIZE_BYTES = 1400
PAUSE_SECONDS = 0.5
LOAD = 0.75
"""Part of the highest rate without loss: what is lost at that rate is hardly ever the queues'."""
SUITE = "aes128gcm16"


@dataclass
class Row:
    """One kind of trial, and what its trials brought."""

    title: str
    rekey: Callable[[], None] | None
    sent: int = 0
    lost: int = 0
    by_planes: int = 0
    by_queues: int = 0
    rekeyings: int = 0
    rates: list[float] = field(default_factory=list)


@dataclass
class Bench:
    """Two ends with a Child SA, a generator and a sink."""

    hosts: Hosts
    ends: tuple[OwnPeer, OwnPeer]
    sender: TrafficAgent
    receiver: TrafficAgent
    streams: itertools.count[int] = field(default_factory=itertools.count)

    def offer(self, pps: float, seconds: float = 0.5) -> RateTrial:
        """One trial without rekeying."""
        plan = Plan(seconds=seconds, packets_per_second=round(pps))
        done = offer(self.sender, "source", self.receiver, "sink", plan, 1 + next(self.streams) % (STREAMS - 1))
        return RateTrial(pps, seconds, done.source.packets, done.sink.received)

    def full_load(self) -> float:
        """Highest rate without loss."""
        found = RateSearch(self.offer, 2_000.0, 800_000.0, (NDR,), 30).run()[0].pps
        return found or 2_000.0

    def take(self, row: Row, pps: float, seconds: float) -> None:
        """One trial at a rate, with what is rekeyed meanwhile."""
        stream = 1 + next(self.streams) % (STREAMS - 1)
        queues, planes = dropped_by_full_queues(self.hosts), sum(self.dropped().values())
        self.receiver.reset_sink("sink", stream)
        self.sender.start("source", Plan(seconds=seconds, packets_per_second=round(pps)), stream)
        row.rekeyings += self.rekey_for(row, seconds)
        report = self.sender.wait("source")
        sink = self.receiver.settled_statistics("sink")
        row.sent += report.packets
        row.lost += report.packets - sink.received
        row.by_queues += dropped_by_full_queues(self.hosts) - queues + sink.dropped + report.refused
        row.by_planes += sum(self.dropped().values()) - planes

    def rekey_for(self, row: Row, seconds: float) -> int:
        """Rekey for so long; how often it was done."""
        number, ends_at = 0, time.monotonic() + seconds - PAUSE_SECONDS
        while row.rekey is not None and time.monotonic() < ends_at:
            row.rekey()
            number += 1
            time.sleep(PAUSE_SECONDS)
        return number

    def dropped(self) -> dict[str, int]:
        """What the data planes have dropped in all."""
        total: dict[str, int] = {}
        for each in self.ends:
            for name, count in each.statistics().dropped.items():
                total[name] = total.get(name, 0) + count
        return {name: count for name, count in total.items() if count}

    def rows(self) -> list[Row]:
        """The kinds of trials."""
        turns = itertools.cycle(
            [self.ends[0].rekey_child, self.ends[1].rekey_ike, self.ends[1].rekey_child, self.ends[0].rekey_ike]
        )
        return [
            Row("nothing rekeyed", None),
            Row("Child SA, by the sender", lambda: void(self.ends[0].rekey_child)),
            Row("Child SA, by the receiver", lambda: void(self.ends[1].rekey_child)),
            Row("IKE SA and Child SA, by both in turn", lambda: void(next(turns))),
        ]


def void(order: Callable[[], object]) -> None:
    """Carry out, whatever the answer."""
    order()


def plane_process(peer: OwnPeer) -> int:
    """Number of an end's agent."""
    assert isinstance(peer.plane, AgentPlane)
    return peer.plane.pid


@contextlib.contextmanager
def bench(version: int) -> Iterator[Bench]:
    """Everything for one version of IKE."""
    case = Case(version=version, esp=SUITE, encap=True)
    cores = spread_cores()
    with contextlib.ExitStack() as stack:
        hosts = stack.enter_context(two_hosts())
        first, second = (
            stack.enter_context(end(hosts, case.changed(plane={"cores": (cores[number],)}), "agent", number == 0))
            for number in range(2)
        )
        first.initiate()
        second.wait_for_child()
        sender = stack.enter_context(TrafficAgent(hosts.local.command()))
        receiver = stack.enter_context(TrafficAgent(hosts.peer.command()))
        for process in (sender.pid, receiver.pid, plane_process(first), plane_process(second)):
            as_urgent_as_this(process)
        destination = hosts.peer.inner_ipv4
        sender.open_udp_source("source", Packets(destination, PORT, SIZE_BYTES, source=hosts.local.inner_ipv4))
        receiver.open_udp_sink("sink", destination, PORT)
        receiver.start_sink("sink")
        yield Bench(hosts, (first, second), sender, receiver)


def measure(version: int, rounds: int, seconds: float, flow_seconds: int, shuffle: random.Random) -> None:
    """One version of IKE."""
    with bench(version) as made:
        pps = LOAD * made.full_load()
        rows = made.rows()
        for _ in range(rounds):
            for row in shuffle.sample(rows, len(rows)):
                made.take(row, pps, seconds)
        print(f"\nIKEv{version}, {SUITE}, {pps:,.0f} packets of {SIZE_BYTES} octets a second\n")
        print("| rekeyed | rekeyings | packets sent | missing | dropped by data planes | drops of full queues |")
        print("|---|---|---|---|---|---|")
        for row in rows:
            print(f"| {row.title} | {row.rekeyings} | {row.sent:,} | {row.lost} | {row.by_planes} | {row.by_queues} |")
        print(f"\nCounters of both data planes: {made.dropped() or 'all 0'}")
        tcp(made, rows, rounds, flow_seconds, shuffle)


def tcp(made: Bench, rows: Sequence[Row], rounds: int, seconds: int, shuffle: random.Random) -> None:
    """One TCP flow with and without rekeying."""
    again: dict[str, int] = {}
    with FlowReceiver(made.hosts.peer, made.hosts.peer.inner_ipv4) as receiver:
        for _ in range(rounds):
            for row in shuffle.sample((rows[0], rows[-1]), 2):
                thread = threading.Thread(target=made.rekey_for, args=(row, seconds))
                thread.start()
                flow = run_tcp(made.hosts.local, made.hosts.local.inner_ipv4, receiver, seconds)
                thread.join()
                row.rates.append(flow.bits_per_second / 1e9)
                again[row.title] = again.get(row.title, 0) + flow.retransmits
    for row in (rows[0], rows[-1]):
        print(f"\nOne TCP flow, {row.title}: {middle(row.rates)} Gbit/s, {again[row.title]} segments sent again")


def main() -> None:
    """Measure and print tables in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each trial")
    parser.add_argument("--flow-seconds", type=int, default=3, help="of each TCP flow")
    parser.add_argument("--versions", default="2,1")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if reason := namespaces.missing_prerequisite() or iperf_flows.missing_prerequisite():
        print(f"esp_rekey: skipped: {reason}")
        return
    go_before_others()
    print(heading())
    shuffle = random.Random(arguments.seed)
    for version in arguments.versions.split(","):
        measure(int(version), arguments.rounds, arguments.seconds, arguments.flow_seconds, shuffle)


if __name__ == "__main__":
    main()
