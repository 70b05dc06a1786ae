"""One parameter set for real: negotiated, timed, looked at, rekeyed, and loaded with packets in each direction."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ipsecbench.bench.measurement import Estimate
from ipsecbench.bench.scheduler import INTERRUPTED, Pace
from ipsecbench.bench.session import Session
from ipsecbench.bench.statistics import median_estimate
from ipsecbench.errors import MeasurementError, UsageError
from ipsecbench.lab.plane_cost import DIRECTIONS, LOOP_PROVIDER
from ipsecbench.lab.trials.capacity import CapacityRequest, measure_capacity
from ipsecbench.lab.trials.inner_packets import interleaved
from ipsecbench.lab.trials.own_bed import CONNECTION
from ipsecbench.lab.trials.plan import LARGEST_SIZE_BYTES, SMALLEST_SIZE_BYTES, Size, lab_plan
from ipsecbench.lab.trials.proof_bed import HeldSet, ProofBed

CYCLE_PACKETS = 512
"""How many packets stand for a distribution of the user's own; a burst is three such cycles."""
OWN_MIX = "own"
"""What such a distribution is called here."""
_PRECISION = 0.02


@dataclass(frozen=True, slots=True)
class Effort:
    """How long one set is worked on."""

    set_ups: int
    """Timed set-ups."""
    seconds: float
    """Longest time for the traffic."""
    rounds: tuple[int, int]
    """Fewest and most bursts."""


THOROUGH = Effort(15, 8.0, (15, 60))
QUICK = Effort(3, 1.5, (5, 9))


def session_pace(effort: Effort) -> Pace:
    """The pace of a session that measures sets with this effort."""
    fewest, most = effort.rounds
    return Pace(_PRECISION, effort.seconds, minimum_rounds=fewest, maximum_rounds=most, longest_sample_ns=4_000_000)


@dataclass(frozen=True, slots=True)
class Carried:
    """What one core carries, and how fast the box is at that moment."""

    rates: Mapping[str, Estimate]
    """By direction: Mbit/s of inner octets."""
    loops_ns: Mapping[str, Estimate]
    """By direction: nanoseconds of the suite's packet loop, measured beside it; empty for a distribution of one's
    own, for which there is none."""


@dataclass(frozen=True, slots=True)
class SetTrial:
    """What one parameter set did."""

    held: tuple[HeldSet, HeldSet]
    """What both ends hold after the set-up."""
    rekeyed: tuple[HeldSet, HeldSet]
    """The same after the Child SA was rekeyed."""
    set_up_ms: Estimate
    """Milliseconds for an IKE SA with its Child SA, both ends' work, installing them in the data planes included."""


def packets(parts: Sequence[tuple[int, float]]) -> tuple[Size, tuple[int, ...]]:
    """What is sent for a distribution of packet sizes.

    Args:
        parts: (octets, share of the packets).

    Returns:
        The name that the rows have it under, and the sizes of one cycle; each size as often as its share says, to
        the nearest of :data:`CYCLE_PACKETS`.

    Raises:
        UsageError: the laboratory has no packets of that size.
    """
    for size, _ in parts:
        if not SMALLEST_SIZE_BYTES <= size <= LARGEST_SIZE_BYTES:
            raise UsageError(
                f"the laboratory sends packets of {SMALLEST_SIZE_BYTES} to {LARGEST_SIZE_BYTES} octets, not of {size}"
            )
    if len(parts) == 1:
        return Size(parts[0][0]), (parts[0][0],)
    exact = [share * CYCLE_PACKETS for _, share in parts]
    counts = [int(number) for number in exact]
    # Those that lost most by rounding down get what is left.
    for index in sorted(range(len(parts)), key=lambda i: counts[i] - exact[i])[: CYCLE_PACKETS - sum(counts)]:
        counts[index] += 1
    return Size(mix=OWN_MIX), interleaved([(size, count) for (size, _), count in zip(parts, counts, strict=True)])


def negotiated(bed: ProofBed, effort: Effort) -> SetTrial:
    """Everything about one set but its traffic, on a bed that stands.

    Args:
        bed: the two hosts.
        effort: how long.

    Raises:
        MeasurementError: a set-up or the rekeying failed, or took too long.
    """
    times = _set_ups(bed, effort.set_ups)
    held = bed.held()
    bed.rekey()
    return SetTrial(held, bed.held(), median_estimate(times))


def _set_ups(bed: ProofBed, count: int, clock: Callable[[], float] = time.monotonic) -> list[float]:
    times = []
    for _ in range(count):
        bed.take_down()
        began = clock()
        bed.sender.peer.initiate(CONNECTION)
        times.append((clock() - began) * 1e3)
    return times


def carried(session: Session, bed: ProofBed, traffic: tuple[Size, Sequence[int]]) -> Carried:
    """What one core of the bed's data plane carries, by direction.

    Args:
        session: measures; its pace is that of :func:`session_pace`.
        bed: the two hosts.
        traffic: from :func:`packets`, or a named mix with its cycle.

    Raises:
        MeasurementError: packets were lost.
        KeyboardInterrupt: Ctrl-C.
    """
    size, cycle = traffic
    (suite,) = bed.flows
    library = bed.library or LOOP_PROVIDER
    own = size.mix == OWN_MIX
    loops = [work for work in lab_plan((suite,), (size,), bed.provider, library) if work.provider != bed.provider]
    request = CapacityRequest(
        (suite,),
        (size,),
        library,
        frozenset(loops if own else ()),
        cycles={OWN_MIX: cycle} if own else {},
    )
    result = measure_capacity(session, bed, request)
    if result.ended == INTERRUPTED:
        raise KeyboardInterrupt
    bits = sum(cycle) / len(cycle) * 8e3
    rates: dict[str, Estimate] = {}
    loops_ns: dict[str, Estimate] = {}
    for row in result.measurements:
        time_ns, direction = row.ns_per_operation, row.workload.operation
        if time_ns is None:
            raise MeasurementError(f"{row.workload}: {row.message or 'no figure'}")
        if row.workload.provider == bed.provider:
            rates[direction] = Estimate(bits / time_ns.median, bits / time_ns.upper, bits / time_ns.lower)
        else:
            loops_ns[direction] = time_ns
    return Carried({direction: rates[direction] for direction in DIRECTIONS}, loops_ns)
