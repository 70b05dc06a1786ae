"""Bursts through two planes that are simulated, and what is made of what they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from ipsecbench.bench.measurement import SIMPLE_IMIX, Tier, Workload
from ipsecbench.bench.scheduler import Pace, Scheduler
from ipsecbench.errors import MeasurementError, UnsupportedError
from ipsecbench.lab.trials import burst
from ipsecbench.lab.trials.burst import BURST_PACKETS, BurstRunner, Counts, Flow
from ipsecbench.lab.trials.frozen import WorkDone

WORK = Workload(Tier.TUN_LAB, "agent", "outbound", "aes128gcm16", 64)


@dataclass
class Plane:
    """A plane that takes so many nanoseconds for a packet, and may lose some."""

    process_id: int
    ns_per_packet: float
    lost: int = 0
    sealed: int = 0
    opened: int = 0
    waiting: list[bytes] = field(default_factory=list)
    peer: Plane | None = None
    arrived: list[bytes] = field(default_factory=list)

    def counts(self) -> Counts:
        done = self.sealed + self.opened
        return Counts(self.sealed, self.opened, 0, {"total": done * 100, "crypto": done * 60, "tun": done * 40})

    def inject(self, packets: Sequence[bytes], count: int) -> None:
        self.waiting += [packets[index % len(packets)] for index in range(count)]

    def work(self) -> WorkDone:
        done = len(self.waiting) + len(self.arrived)
        passed = self.waiting[: len(self.waiting) - self.lost]
        self.sealed += len(passed)
        self.opened += len(self.arrived)
        if self.peer is not None:
            self.peer.arrived += passed
        self.waiting, self.arrived = [], []
        nanoseconds = round(done * self.ns_per_packet)
        return WorkDone(nanoseconds + 100, nanoseconds)


@pytest.fixture
def planes(monkeypatch: pytest.MonkeyPatch) -> tuple[Plane, Plane, list[tuple[str, int]]]:
    signals: list[tuple[str, int]] = []
    monkeypatch.setattr(burst, "freeze", lambda process: signals.append(("freeze", process)))
    monkeypatch.setattr(burst, "thaw", lambda process: signals.append(("thaw", process)))
    receiver = Plane(2, 1500.0)
    return Plane(1, 1000.0, peer=receiver), receiver, signals


def runner(sender: Plane, receiver: Plane, packets: int = 500) -> BurstRunner:
    flows = {"aes128gcm16": Flow("10.1.1.1", "10.2.1.1"), "null-sha256": Flow("10.1.2.1", "10.2.2.1")}

    def work(station: Any) -> WorkDone:
        done: WorkDone = station.work()
        return done

    return BurstRunner("agent", sender, receiver, flows, burst_packets=packets, work=work)


Planes = tuple[Plane, Plane, list[tuple[str, int]]]


def test_one_burst_times_both_directions(planes: Planes) -> None:
    sender, receiver, signals = planes
    run = runner(sender, receiver)
    outbound = run.sample(WORK, 500)
    assert (outbound.iterations, outbound.wall_ns, outbound.cpu_ns) == (500, 500_100, 500_000)
    assert outbound.detail["ns_per_packet"] == {"crypto": 60.0, "tun": 40.0}
    frozen = len(signals)
    inbound = run.sample(Workload(Tier.TUN_LAB, "agent", "inbound", "aes128gcm16", 64), 500)
    assert (inbound.iterations, inbound.cpu_ns) == (500, 750_000)
    # The second direction cost no burst of its own; asking for it again does.
    assert len(signals) == frozen
    run.sample(Workload(Tier.TUN_LAB, "agent", "inbound", "aes128gcm16", 64), 300)
    assert sender.sealed == receiver.opened == 1000
    assert [signal for signal in signals if signal[0] == "freeze"] == [("freeze", 2), ("freeze", 1)] * 2


def test_bursts_are_alike_and_hold_whole_cycles(planes: Planes) -> None:
    run = runner(planes[0], planes[1], packets=1000)
    assert run.sample(WORK, 10**6).iterations == 1000
    assert run.sample(Workload(Tier.TUN_LAB, "agent", "outbound", "null-sha256", 1400), 1).iterations == 1000
    mixed = Workload(Tier.TUN_LAB, "agent", "outbound", "aes128gcm16", mix=SIMPLE_IMIX)
    assert run.sample(mixed, 10**6).iterations == 996
    assert BURST_PACKETS % 48 == 0


def test_lost_packets_are_no_sample(planes: Planes) -> None:
    sender, receiver, signals = planes
    sender.lost = 3
    with pytest.raises(MeasurementError, match="of 500 packets 497 were sealed and 497 opened"):
        runner(sender, receiver).sample(WORK, 100)
    # Both go on afterwards, whatever happened.
    assert signals[-1] == ("thaw", 2)
    assert signals.count(("freeze", 1)) == signals.count(("thaw", 1))


def test_a_suite_without_an_sa_is_unsupported(planes: Planes) -> None:
    with pytest.raises(UnsupportedError, match="3des-sha1"):
        runner(planes[0], planes[1]).sample(Workload(Tier.TUN_LAB, "agent", "outbound", "3des-sha1", 64), 10)


def test_the_engine_measures_bursts_as_it_does_loops(planes: Planes) -> None:
    sender, receiver, _ = planes
    run = runner(sender, receiver)
    plan = [
        Workload(Tier.TUN_LAB, "agent", direction, suite, size)
        for direction in ("outbound", "inbound")
        for suite in ("aes128gcm16", "null-sha256")
        for size in (64, 1400)
    ]
    rows, ended = Scheduler({"agent": run}, Pace(minimum_rounds=5, budget_seconds=30)).measure(plan)
    assert ended == "finished"
    for row in rows:
        assert row.ns_per_operation is not None
        expected = 1000 if row.workload.operation == "outbound" else 1500
        assert row.ns_per_operation.median == pytest.approx(expected, rel=0.001)
        assert row.detail["limited_by"] == "plane"
