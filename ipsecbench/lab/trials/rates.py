"""Rates of RFC 2544 between two hosts: without loss, with 0.5%, latency at that rate, loss at falling rates.

A source of UDP packets in one host, a sink in the other (:mod:`ipsecbench.lab.traffic`), and whatever carries packets
between them. The draft's order holds: in clear first, then without encryption, then the rest.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from ipsecbench.bench.measurement import Estimate, Status, Tier
from ipsecbench.bench.statistics import median_estimate
from ipsecbench.dataset.trial import CLEARTEXT, PLAIN_VETH, LabTrial, TrialKind
from ipsecbench.errors import IpsecbenchError
from ipsecbench.lab.traffic import TrafficAgent, offer
from ipsecbench.lab.traffic_model import Packets, Plan, Trial
from ipsecbench.lab.trials.plan import Size
from ipsecbench.lab.trials.rate_search import NDR, PDR, GoalResult, LossGoal, RateSearch, RateTrial, loss_steps
from ipsecbench.lab.trials.whole_path import PathBed

PORT = 5001
SMALLEST_SIZE_BYTES = 44
"""A test packet carries its stream, number and time."""
_SOURCE, _SINK = "source", "sink"
_LOWEST_PPS = 1_000.0
_HIGHEST_PPS = 5_000_000.0
_LATENCIES = ("p50", "p95", "p99", "p999")


@dataclass(frozen=True, slots=True)
class RatePace:
    """How long and how often."""

    trial_seconds: float = 0.25
    """Of each trial: short, and repeated, after MLRsearch."""
    relative_width: float = 0.02
    """The search ends when its bounds are so close."""
    trials: int = 3
    """Trials of one rate that decide about it."""
    most_trials: int = 60
    latency_trials: int = 5
    """Trials at the rate without loss, each with percentiles of its own."""

    def goals(self) -> tuple[LossGoal, LossGoal]:
        """No loss, and 0.5%."""
        return tuple(  # type: ignore[return-value]
            replace(goal, relative_width=self.relative_width, trials=self.trials) for goal in (NDR, PDR)
        )


class Path:
    """A source in A, a sink in B, one kind of packets between them; from ``with`` to the end of its block.

    Args:
        bed: the hosts.
        suite: whose flow; :data:`CLEARTEXT`: past the data planes.
        size: of the packets.
        cores: processors of source and sink.
    """

    def __init__(
        self, bed: PathBed, suite: str, size: Size, cores: tuple[int | None, int | None] = (None, None)
    ) -> None:
        hosts = bed.hosts
        self._hosts = hosts
        self._cores = cores
        if suite == CLEARTEXT:
            self._source, self._destination = hosts.local.ipv4, hosts.peer.ipv4
        else:
            flow = bed.flows[suite]
            self._source, self._destination = flow.source, flow.destination
        self._size = size
        self._streams = itertools.count(1)
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Path:
        """Open source and sink.

        Raises:
            LaboratoryError: they cannot be had.
        """
        packets = Packets(
            self._destination, PORT, size_bytes=self._size.size_bytes, mix=self._size.mix, source=self._source
        )
        with contextlib.ExitStack() as stack:
            self._receiver = stack.enter_context(TrafficAgent(self._hosts.peer.command()))
            self._receiver.open_udp_sink(_SINK, self._destination, PORT, core=self._cores[1])
            self._sender = stack.enter_context(TrafficAgent(self._hosts.local.command()))
            self._sender.open_udp_source(_SOURCE, packets, core=self._cores[0])
            for agent in (self._receiver, self._sender):
                agent.drop_privileges()
            self._receiver.start_sink(_SINK)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    def trial(self, pps: float, seconds: float) -> Trial:
        """Offer packets at a rate for a time."""
        plan = Plan(seconds=seconds, packets_per_second=max(1, round(pps)))
        return offer(self._sender, _SOURCE, self._receiver, _SINK, plan, next(self._streams))


def rate_trial(pps: float, seconds: float, trial: Trial) -> RateTrial:
    """What a trial says about a rate. What the kernel refused was offered and lost: the queue behind it was full."""
    return RateTrial(pps, seconds, trial.source.packets, min(trial.source.packets, trial.sink.received))


def rate_trials(
    bed: PathBed,
    suites: Sequence[str],
    sizes: Sequence[Size],
    pace: RatePace,
    cores: tuple[int | None, int | None] = (None, None),
    progress: Callable[[str], None] | None = None,
    *,
    in_clear: bool = True,
) -> Iterator[LabTrial]:
    """Throughput, latency and loss of each suite and size, each as soon as it is there; in clear first.

    Args:
        bed: hosts with the suites' SAs.
        suites: which; those without encryption should come first.
        sizes: of the packets.
        pace: how long and how often.
        cores: processors of source and sink.
        progress: told what comes next.
        in_clear: past the data planes too.
    """
    for size in sizes:
        for suite in (*([CLEARTEXT] if in_clear else []), *suites):
            if progress is not None:
                progress(f"{suite} {size.mix or f'{size.size_bytes} B'}")
            yield from _one(bed, suite, size, pace, cores)


def _one(
    bed: PathBed, suite: str, size: Size, pace: RatePace, cores: tuple[int | None, int | None]
) -> Iterator[LabTrial]:
    in_clear = suite == CLEARTEXT
    common = LabTrial(
        TrialKind.THROUGHPUT,
        Tier.TUN_LAB,
        PLAIN_VETH if in_clear else bed.provider,
        suite,
        peer=None if in_clear else bed.provider,
        direction="both",
        size_bytes=size.size_bytes,
        mix=size.mix,
        encapsulation=None if in_clear else bed.encapsulation,
        detail={"trial_seconds": pace.trial_seconds, "trials_of_a_rate": pace.trials},
    )
    try:
        with Path(bed, suite, size, cores) as path:

            def offered(pps: float) -> RateTrial:
                return rate_trial(pps, pace.trial_seconds, path.trial(pps, pace.trial_seconds))

            search = RateSearch(offered, _LOWEST_PPS, _HIGHEST_PPS, pace.goals(), pace.most_trials)
            ndr, pdr = search.run()
            yield _throughput(common, ndr, pdr, search.trials)
            rate = ndr.pps or pdr.pps
            if rate is not None:
                yield _latency(common, rate, path, pace)
            steps = loss_steps(offered, max(trial.forwarded_pps for trial in search.trials) * 1.2)
            yield _loss(common, steps)
    except IpsecbenchError as error:
        yield replace(common, status=Status.FAILED, message=str(error))


def _columns(trials: Sequence[RateTrial]) -> dict[str, tuple[float, ...]]:
    return {
        "offered_pps": tuple(trial.offered_pps for trial in trials),
        "sent": tuple(float(trial.sent) for trial in trials),
        "received": tuple(float(trial.received) for trial in trials),
    }


def _throughput(common: LabTrial, ndr: GoalResult, pdr: GoalResult, trials: Sequence[RateTrial]) -> LabTrial:
    values = {}
    for result in (ndr, pdr):
        if result.pps is not None:
            upper = result.upper_pps if result.upper_pps is not None else result.pps
            values[f"{result.goal.name}_pps"] = Estimate(result.pps, result.pps, upper)
    settled = ndr.settled and pdr.settled
    message = None if settled else f"the bounds did not meet within {len(trials)} trials"
    if ndr.pps is None:
        message = f"even {_LOWEST_PPS:g} packets per second were not carried without loss"
    return replace(
        common,
        status=Status.OK if settled and ndr.pps is not None else Status.UNSTABLE,
        message=message,
        limited_by=ndr.limited_by.value,
        values=values,
        raw=_columns(trials),
    )


def _latency(common: LabTrial, rate: float, path: Path, pace: RatePace) -> LabTrial:
    found: dict[str, list[float]] = {name: [] for name in _LATENCIES}
    for _ in range(pace.latency_trials):
        latency = path.trial(rate, pace.trial_seconds).sink.latency
        if latency is not None and latency.count:
            for name in _LATENCIES:
                found[name].append(getattr(latency, f"{name}_ns") / 1e3)
    values = {f"{name}_us": median_estimate(times) for name, times in found.items() if times}
    return replace(
        common,
        kind=TrialKind.LATENCY,
        values=values,
        raw={f"{name}_us": tuple(times) for name, times in found.items()},
        detail={**common.detail, "offered_pps": round(rate)},
        status=Status.OK if values else Status.FAILED,
        message=None if values else "no packet arrived",
    )


def _loss(common: LabTrial, steps: Sequence[RateTrial]) -> LabTrial:
    ratios = [trial.loss_ratio for trial in steps]
    return replace(
        common,
        kind=TrialKind.FRAME_LOSS,
        values={"highest_loss_ratio": Estimate(ratios[0], ratios[0], ratios[0])},
        raw=_columns(steps),
    )
