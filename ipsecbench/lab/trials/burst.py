"""What a packet costs a data plane, one direction at a time: bursts through two planes that are stopped in between.

Both planes are stopped. Packets are put into the queue of the first one's TUN device. Then it is let go and timed until
it is idle: outbound. What it sealed waits in the socket of the second one, which is then let go and timed in its turn:
inbound. So no generator has to keep up with the plane that is measured, each plane always finds a full queue, nothing
but the plane runs while it is timed, and every packet is a real one: right keys, sequence numbers in order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol

from ipsecbench.bench.measurement import Tier, Workload
from ipsecbench.bench.runner import Offer, RawSample
from ipsecbench.errors import MeasurementError, UnsupportedError
from ipsecbench.lab.plane_cost import LOOP_PROVIDER
from ipsecbench.lab.trials.frozen import WorkDone, freeze, thaw, work_until_idle
from ipsecbench.lab.trials.inner_packets import mix_cycle, udp_packet

SEALED, OPENED = "outbound", "inbound"
BURST_PACKETS = 1536
"""Packets of one burst: whole cycles of every mix, and the same for every suite and size. How much memory waiting
packets take decides in which cache a plane finds them, so that bursts of different lengths could not be compared."""
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Counts:
    """What a plane has done so far."""

    sealed: int
    opened: int
    dropped: int = 0
    parts_ns: Mapping[str, int] = field(default_factory=dict)
    """Processor time by part, where it is told apart."""


class Station(Protocol):
    """One host with its data plane, as bursts need it."""

    @property
    def process_id(self) -> int:
        """The process that is the data plane."""

    def counts(self) -> Counts:
        """What the plane has done so far."""

    def inject(self, packets: Sequence[bytes], count: int) -> None:
        """Put packets into the queue of the TUN device, from the first again after the last.

        Raises:
            MeasurementError: the queue takes no more.
        """


@dataclass(frozen=True, slots=True)
class Flow:
    """Where packets for one suite come from and go to."""

    source: str
    destination: str


class BurstRunner:
    """Samples of two data planes; a :class:`ipsecbench.bench.runner.Runner`.

    Both directions come out of one burst: whichever is asked for second is given what the first one's burst brought.

    Args:
        provider: whose planes.
        sender: seals.
        receiver: opens.
        flows: by suite.
        library: that the planes use, for the rows' ``detail``.
        burst_packets: packets of one burst; both queues must hold them.
        tier: of the rows.
        work: lets a station work and times it; tests inject their own.
        cycles: sizes of one cycle of mixes that :data:`ipsecbench.bench.measurement.MIXES` does not have, by name.
    """

    def __init__(
        self,
        provider: str,
        sender: Station,
        receiver: Station,
        flows: Mapping[str, Flow],
        library: str = LOOP_PROVIDER,
        burst_packets: int = BURST_PACKETS,
        tier: Tier = Tier.TUN_LAB,
        work: Callable[[Station], WorkDone] | None = None,
        cycles: Mapping[str, Sequence[int]] = MappingProxyType({}),
    ) -> None:
        self._provider = provider
        self._sender = sender
        self._receiver = receiver
        self._flows = dict(flows)
        self._library = library
        self._burst_packets = burst_packets
        self._tier = tier
        self._work = work or _let_go
        self._cycles = cycles
        self._spare: dict[Workload, RawSample] = {}
        self._packets: dict[tuple[str, int | None, str | None], list[bytes]] = {}

    def offers(self) -> Sequence[Offer]:
        """See :class:`ipsecbench.bench.runner.Runner`."""
        return tuple(Offer(self._provider, self._tier, suite, (SEALED, OPENED), None) for suite in self._flows)

    def sample(self, workload: Workload, iterations: int) -> RawSample:
        """See :class:`ipsecbench.bench.runner.Runner`. A sample is one burst, however many packets are asked for."""
        if workload.algorithm not in self._flows:
            raise UnsupportedError(f"no SA was negotiated with {workload.algorithm}")
        spare = self._spare.pop(workload, None)
        if spare is not None:
            return spare
        found = dict(zip((SEALED, OPENED), self._burst(workload), strict=True))
        other = _turned(workload)
        self._spare[other] = found[other.operation]
        return found[workload.operation]

    def _templates(self, workload: Workload) -> list[bytes]:
        key = (workload.algorithm, workload.size_bytes, workload.mix)
        if key not in self._packets:
            flow = self._flows[workload.algorithm]
            sizes = self._sizes(workload)
            made = {size: udp_packet(flow.source, flow.destination, size) for size in set(sizes)}
            self._packets[key] = [made[size] for size in sizes]
        return self._packets[key]

    def _sizes(self, workload: Workload) -> Sequence[int]:
        if workload.mix is None:
            return (workload.size_bytes or 0,)
        return self._cycles.get(workload.mix) or mix_cycle(workload.mix)

    def _burst(self, workload: Workload) -> tuple[RawSample, RawSample]:
        """One burst; repeated when something else came between."""
        trouble = ""
        templates = self._templates(workload)
        # Whole cycles of a mix.
        count = max(1, self._burst_packets // len(templates)) * len(templates)
        for _ in range(_ATTEMPTS):
            before = self._sender.counts(), self._receiver.counts()
            freeze(self._receiver.process_id)
            try:
                freeze(self._sender.process_id)
                try:
                    self._sender.inject(templates, count)
                    sealing = self._work(self._sender)
                finally:
                    thaw(self._sender.process_id)
                opening = self._work(self._receiver)
            finally:
                thaw(self._receiver.process_id)
            after = self._sender.counts(), self._receiver.counts()
            sealed = after[0].sealed - before[0].sealed
            opened = after[1].opened - before[1].opened
            if sealed == opened == count:
                return (
                    self._sample(count, sealing, before[0], after[0]),
                    self._sample(count, opening, before[1], after[1]),
                )
            dropped = after[0].dropped - before[0].dropped, after[1].dropped - before[1].dropped
            trouble = (
                f"of {count} packets {sealed} were sealed and {opened} opened; dropped {dropped[0]} and {dropped[1]}"
            )
        raise MeasurementError(f"{workload}: {trouble}")

    def _sample(self, count: int, work: WorkDone, before: Counts, after: Counts) -> RawSample:
        detail: dict[str, Any] = {"packets_per_burst": count, "limited_by": "plane", "library": self._library}
        parts = {
            name: round((after.parts_ns[name] - before.parts_ns.get(name, 0)) / count, 1)
            for name in after.parts_ns
            if name != "total"
        }
        if any(parts.values()):
            detail["ns_per_packet"] = parts
        return RawSample(count, work.wall_ns, work.cpu_ns, None, 0, detail)


def _let_go(station: Station) -> WorkDone:
    return work_until_idle(station.process_id, lambda: thaw(station.process_id))


def _turned(workload: Workload) -> Workload:
    operation = OPENED if workload.operation == SEALED else SEALED
    return Workload(
        workload.tier,
        workload.provider,
        operation,
        workload.algorithm,
        workload.size_bytes,
        workload.mix,
        workload.cores,
    )
