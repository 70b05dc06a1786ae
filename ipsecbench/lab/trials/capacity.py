"""The capacity of a data plane and the packet loops beside it, in one session of interleaved rounds."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ipsecbench.bench.measurement import Workload
from ipsecbench.bench.scheduler import Progress
from ipsecbench.bench.session import RunResult, Session
from ipsecbench.lab.plane_cost import LOOP_PROVIDER
from ipsecbench.lab.trials.burst import BURST_PACKETS, BurstRunner, Flow, Station
from ipsecbench.lab.trials.frozen import prefer
from ipsecbench.lab.trials.own_bed import other_core
from ipsecbench.lab.trials.plan import Size, lab_plan


class Bed(Protocol):
    """Two hosts with data planes, as capacity needs them."""

    @property
    def provider(self) -> str:
        """Whose data planes."""

    @property
    def sender(self) -> Station:
        """The host that seals."""

    @property
    def receiver(self) -> Station:
        """The host that opens."""

    @property
    def flows(self) -> Mapping[str, Flow]:
        """Addresses of each suite's flow."""


@dataclass(frozen=True, slots=True)
class CapacityRequest:
    """What to measure."""

    suites: tuple[str, ...]
    """Suites, those without encryption included."""
    sizes: tuple[Size, ...]
    """Sizes and mixes of inner packets."""
    library: str = LOOP_PROVIDER
    """Library that the planes use, and whose packet loops are measured."""
    known_loops: frozenset[Workload] = frozenset()
    """Packet loops that are known already."""
    burst_packets: int = BURST_PACKETS
    """Packets of one burst."""
    beside: tuple[Workload, ...] = ()
    """Other rows of the session's own runners, such as key exchange, so that a recommendation can be made."""
    cycles: Mapping[str, Sequence[int]] = field(default_factory=dict)
    """Sizes of one cycle of mixes of the user's own, by name."""


def measure_capacity(
    session: Session,
    bed: Bed,
    request: CapacityRequest,
    progress: Callable[[Progress], None] | None = None,
    checkpoint: Callable[[RunResult], None] | None = None,
) -> RunResult:
    """Measure every suite in both directions, each beside its packet loop.

    This process moves away from the processor that is measured. Suites without encryption get the time that is left
    after the minimum of rounds first.

    Raises:
        AgentError: the agent or a data plane died.
    """
    session.add_runner(
        bed.provider,
        BurstRunner(
            bed.provider,
            bed.sender,
            bed.receiver,
            bed.flows,
            request.library,
            request.burst_packets,
            cycles=request.cycles,
        ),
    )
    if session.agent_process_id is not None:
        prefer(session.agent_process_id)
    plan = lab_plan(request.suites, request.sizes, bed.provider, request.library)
    plan = tuple(work for work in (*plan, *request.beside) if work not in request.known_loops)
    with away_from(session.cores[0] if session.cores else None):
        return session.measure(plan, progress, decisive=_is_base, checkpoint=checkpoint)


def _is_base(work: Workload) -> bool:
    """Whether others are held against it: its noise is in the predictions of all of them."""
    return work.algorithm.startswith("null-") or "gmac" in work.algorithm


@contextlib.contextmanager
def away_from(core: int | None) -> Iterator[None]:
    """Keep the calling thread off a processor, where there is another one, and let it not wait for others there.

    It does little and sleeps much, but the planes stand still until it goes on.
    """
    allowed = os.sched_getaffinity(0)
    if core is None or other_core(core) is None:
        yield
        return
    os.sched_setaffinity(0, allowed - {core})
    prefer(os.getpid())
    try:
        yield
    finally:
        prefer(os.getpid(), preferred=False)
        os.sched_setaffinity(0, allowed)
