"""What a flood of replayed, forged, unknown or malformed ESP packets does to a host's own traffic; needs root.

One TCP flow runs through the agent's data plane before, during and after a flood that the sender's host pours out as
fast as it can (the agent's generator, docs/agent-traffic.md): here the flood takes its processor time from the
flow as well, so that what is lost is not the receiver's work alone. Packets of the flood are as large as those of the
flow. Afterwards both SAs must be as they were. Then a million replays of packets that were delivered once go to a
host that is otherwise idle, and the sink behind it counts what comes out.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ipsecbench.algorithms.suites import parse_esp_suite
from ipsecbench.esp.configuration import Direction
from ipsecbench.lab import namespaces
from ipsecbench.lab.namespaces import Hosts, two_hosts
from ipsecbench.lab.traffic import TrafficAgent
from ipsecbench.lab.traffic_model import EspPackets, EspStream, Packets, Plan
from ipsecbench.secret import Secret
from tests.bench import iperf_flows
from tests.bench.figures import as_urgent_as_this, go_before_others, heading, middle, ratios
from tests.bench.iperf_flows import FlowReceiver, processor_seconds, run_tcp
from tests.bench.manual_sas import PlaneEnd, add_sa_pair, key_octets, sa_configuration, spi_of
from tests.bench.plane_ends import agent_ends, process_id

SUITE = "aes128gcm16"
ESP_BYTES = 1432
ATTACKER_PORT = 40_000
PORT = 5998
VICTIM = 0
"""SA pair of the flow."""
RECORDED = 1
"""SA whose packets were delivered once and are sent again; nobody else sends with it."""


def streams(hosts: Hosts) -> dict[str, EspStream]:
    """The floods by name."""
    way: dict[str, Any] = {
        "outer_source": hosts.local.ipv4,
        "outer_source_port": ATTACKER_PORT,
        "outer_destination": hosts.peer.ipv4,
    }
    suite = parse_esp_suite(SUITE)
    key, _ = key_octets(suite, spi_of(RECORDED, to_peer=True))
    inner = Packets(hosts.peer.inner_ipv4, PORT, 1400, source=hosts.local.inner_ipv4)
    return {
        "replayed": EspStream(
            packets=EspPackets.SEALED,
            spi=spi_of(RECORDED, to_peer=True),
            suite=SUITE,
            encryption_key=Secret(key),
            inner=inner,
            **way,
        ),
        # Numbers far ahead: each is checked in full.
        "forged": EspStream(
            packets=EspPackets.FORGED,
            spi=spi_of(VICTIM, to_peer=True),
            sequence=2**31,
            size_bytes=ESP_BYTES,
            **way,
        ),
        "unknown SPI": EspStream(packets=EspPackets.FORGED, spi=0xEEEEEEEE, size_bytes=ESP_BYTES, **way),
        "malformed": EspStream(packets=EspPackets.MALFORMED, spi=spi_of(VICTIM, to_peer=True), **way),
    }


@dataclass
class Row:
    """One kind of flood, round by round."""

    name: str
    before: list[float] = field(default_factory=list)
    during: list[float] = field(default_factory=list)
    after: list[float] = field(default_factory=list)
    flood: list[float] = field(default_factory=list)
    dropped: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    names: set[str] = field(default_factory=set)


@dataclass
class Bench:
    """Two hosts with data planes, an attacker in the first, and a flow's receiver in the second."""

    hosts: Hosts
    ends: tuple[PlaneEnd, PlaneEnd]
    attacker: TrafficAgent
    receiver: FlowReceiver

    def gbits(self, seconds: int) -> float:
        """Rate of one flow."""
        flow = run_tcp(self.hosts.local, self.hosts.local.inner_ipv4, self.receiver, seconds)
        return flow.bits_per_second / 1e9

    def counted(self) -> dict[str, int]:
        """What the receiver's data plane has dropped so far."""
        return dict(self.ends[1].plane.statistics().dropped)

    def take(self, row: Row, seconds: int) -> None:
        """One flow before, one during and one after a flood."""
        row.before.append(self.gbits(seconds))
        before, start = self.counted(), time.perf_counter()
        spent = processor_seconds(process_id(self.ends[1]))
        plan = Plan(seconds=seconds + 1.0, replay=row.name != "malformed")
        self.attacker.start(row.name, plan)
        row.during.append(self.gbits(seconds))
        report = self.attacker.stop(row.name)
        lasted = time.perf_counter() - start
        time.sleep(0.2)
        new = {name: count - before.get(name, 0) for name, count in self.counted().items()}
        row.names |= {name for name, count in new.items() if count}
        row.flood.append((report.packets - report.refused) / (report.wall_ns / 1e9) / 1e3)
        row.dropped.append(100 * sum(new.values()) / max(1, report.packets - report.refused))
        row.processor.append((processor_seconds(process_id(self.ends[1])) - spent) / lasted)
        row.after.append(self.gbits(seconds))


def print_floods(rows: Sequence[Row]) -> None:
    """The table."""
    print("| flood | before, Gbit/s | during | after | during to before | flood, thousand a second "
          "| of that taken in and dropped, % | receiver's data plane, cores | counted as |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|")
    for row in rows:
        print(f"| {row.name} | {middle(row.before)} | {middle(row.during)} | {middle(row.after)} "
              f"| {ratios(row.during, row.before)} | {middle(row.flood, 0)} | {middle(row.dropped, 0)} "
              f"| {middle(row.processor)} | {', '.join(sorted(row.names))} |")  # fmt: skip


def check_sas(ends: tuple[PlaneEnd, PlaneEnd]) -> str:
    """What became of the flow's SAs."""
    local, peer = ends
    sealed = local.plane.sa_statistics(Direction.OUTBOUND, spi_of(VICTIM, to_peer=True)).packets
    opened = peer.plane.sa_statistics(Direction.INBOUND, spi_of(VICTIM, to_peer=True)).packets
    return f"Of the flow's SA {sealed:,} packets were sealed and {opened:,} accepted; both ends still have it."


def add_recorded_sa(peer: PlaneEnd, hosts: Hosts) -> None:
    """An SA for the same policy that only the attacker sends with."""
    suite, spi = parse_esp_suite(SUITE), spi_of(RECORDED, to_peer=True)
    sa = sa_configuration(Direction.INBOUND, spi, VICTIM + 1, suite, hosts.local.ipv4, hosts.peer.ipv4)
    peer.plane.add_sa(sa)


def replays(number: int) -> str:
    """A million replays of packets that were delivered once."""
    with two_hosts() as hosts, agent_ends(hosts) as ends:
        add_sa_pair(*ends, SUITE, VICTIM)
        add_recorded_sa(ends[1], hosts)
        with TrafficAgent(hosts.local.command()) as attacker, TrafficAgent(hosts.peer.command()) as sink:
            sink.open_udp_sink("sink", hosts.peer.inner_ipv4, PORT)
            sink.start_sink("sink")
            attacker.open_esp_source("replayed", streams(hosts)["replayed"])
            # Once each, slowly enough for none to be lost.
            attacker.start("replayed", Plan(count=4096, packets_per_second=20_000))
            attacker.wait("replayed")
            first = sink.settled_statistics("sink")
            sent = 0
            while sent < number:
                attacker.start(
                    "replayed", Plan(count=min(250_000, number - sent), packets_per_second=150_000, replay=True)
                )
                sent += attacker.wait("replayed").packets
            last = sink.settled_statistics("sink")
        refused = ends[1].plane.statistics().dropped.get("XfrmInStateSeqError", 0)
        delivered = last.received - first.received + last.duplicated
        return (
            f"{first.received:,} packets delivered once; then {sent:,} replays sent, {refused:,} of them refused by "
            f"the window\n(the rest never reached the data plane), {delivered} delivered."
        )


def main() -> None:
    """Measure and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="of each flow")
    parser.add_argument("--replays", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if reason := namespaces.missing_prerequisite() or iperf_flows.missing_prerequisite():
        print(f"esp_floods: skipped: {reason}")
        return
    go_before_others()
    print(heading())
    print(f"\nOne TCP flow, {SUITE}, {arguments.rounds} rounds of {arguments.seconds} s each: median (middle half)\n")
    shuffle = random.Random(arguments.seed)
    with (
        two_hosts() as hosts,
        agent_ends(hosts) as ends,
        TrafficAgent(hosts.local.command()) as attacker,
        FlowReceiver(hosts.peer, hosts.peer.inner_ipv4) as receiver,
    ):
        add_sa_pair(*ends, SUITE, VICTIM)
        add_recorded_sa(ends[1], hosts)
        as_urgent_as_this(attacker.pid)
        rows = []
        for name, stream in streams(hosts).items():
            attacker.open_esp_source(name, stream)
            rows.append(Row(name))
        bench = Bench(hosts, ends, attacker, receiver)
        bench.gbits(1)
        for _ in range(arguments.rounds):
            for row in shuffle.sample(rows, len(rows)):
                bench.take(row, arguments.seconds)
        print_floods(rows)
        print(f"\n{check_sas(ends)}", flush=True)
    print(f"\n{replays(arguments.replays)}")


if __name__ == "__main__":
    main()
