"""Takes samples of whole set-ups with this program's own IKE stack, broken down by end and part.

One set-up gives a figure for every row of its set at once. So the rows of a set share their samples: the first row
that asks for its n-th sample has it taken, and the others get their part of the same set-ups. The parts of a sample
then add up to its whole, and a set costs as much time as a single row.
"""

from __future__ import annotations

import gc
import resource
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from ipsecbench import __version__
from ipsecbench.bench.handshake import SETS, SETS_BY_NAME, STACK_PROVIDER, HandshakeSet, Part, Role
from ipsecbench.bench.measurement import Tier, Workload
from ipsecbench.bench.runner import Offer, RawSample
from ipsecbench.errors import UnsupportedError
from ipsecbench.providers.interface import LibraryInfo

if TYPE_CHECKING:
    from ipsecbench.bench.handshake_pair import HandshakePair, SetupTimes
    from ipsecbench.providers.selection import ProviderSelection

_SAMPLE_NS = 20_000_000
_QUICK_SAMPLE_NS = 10_000_000
_WARM_UPS = 3
_PARTS = {part.operation(role): (role, part) for role in Role for part in Part}


@dataclass(slots=True)
class _Series:
    """The samples of one set so far."""

    pair: HandshakePair
    setups: int
    """Set-ups that make one sample."""
    samples: list[Mapping[str, RawSample]] = field(default_factory=list)
    """By operation."""


class HandshakeRunner:
    """See :class:`ipsecbench.bench.runner.Runner`; a context manager, since it holds sockets.

    Args:
        quick: whether samples are short.
    """

    def __init__(self, quick: bool = False) -> None:
        self._sample_ns = _QUICK_SAMPLE_NS if quick else _SAMPLE_NS
        self._series: dict[str, _Series] = {}
        self._taken: dict[Workload, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for series in self._series.values():
            series.pair.__exit__(kind, error, trace)
        self._series.clear()

    def library_info(self) -> LibraryInfo:
        """The stack, as a row of ``libraries``."""
        from ipsecbench.providers.selection import ProviderSelection

        info = ProviderSelection().library_info()
        version = f"{__version__} over {info['version']}" if info["version"] else __version__
        return {**info, "provider": STACK_PROVIDER, "version": version}

    def offers(self) -> Sequence[Offer]:
        """See :meth:`ipsecbench.bench.runner.Runner.offers`."""
        from ipsecbench.providers.selection import ProviderSelection

        cryptography = ProviderSelection()
        return tuple(_offer(row, cryptography) for row in SETS)

    def sample(self, workload: Workload, iterations: int) -> RawSample:
        """See :meth:`ipsecbench.bench.runner.Runner.sample`.

        The number of set-ups is the runner's own choice, whatever ``iterations`` says: a part that takes microseconds
        is timed within as many set-ups as the others.
        """
        handshake = SETS_BY_NAME.get(workload.algorithm)
        if workload.tier is not Tier.HANDSHAKE or handshake is None or workload.operation not in handshake.operations:
            raise UnsupportedError(f"there is no {workload.operation} of {workload.algorithm} in {workload.tier}")
        series = self._series.get(handshake.name)
        if series is None:
            series = self._begin(handshake)
        index = self._taken.get(workload, 0)
        self._taken[workload] = index + 1
        if index == len(series.samples):
            series.samples.append(_take(series, handshake))
        return series.samples[index][workload.operation]

    def _begin(self, handshake: HandshakeSet) -> _Series:
        """Make the two ends, have every algorithm admitted, and see how long a set-up takes."""
        from ipsecbench.bench.handshake_pair import HandshakePair

        pair = HandshakePair(handshake)
        try:
            times = [pair.set_up() for _ in range(_WARM_UPS)]
        except BaseException:
            pair.__exit__(None, None, None)
            raise
        fastest = min(sum(parts[Part.SETUP] for parts in each.ns.values()) for each in times)
        series = _Series(pair, max(1, round(self._sample_ns / max(1, fastest))))
        self._series[handshake.name] = series
        return series


def _take(series: _Series, handshake: HandshakeSet) -> dict[str, RawSample]:
    collecting = gc.isenabled()
    gc.disable()
    try:
        switches = resource.getrusage(resource.RUSAGE_THREAD).ru_nivcsw
        cpu, wall = time.thread_time_ns(), time.perf_counter_ns()
        times = [series.pair.set_up() for _ in range(series.setups)]
        wall, cpu = time.perf_counter_ns() - wall, time.thread_time_ns() - cpu
        switches = resource.getrusage(resource.RUSAGE_THREAD).ru_nivcsw - switches
    finally:
        if collecting:
            gc.enable()
    busy = cpu / max(1, wall)
    detail = _detail(handshake, times[-1])
    return {
        operation: _part_sample(sum(each.ns[role][part] for each in times), busy, len(times), switches, detail)
        for operation, (role, part) in _PARTS.items()
        if operation in handshake.operations
    }


def _part_sample(spent_ns: int, busy: float, setups: int, switches: int, detail: Mapping[str, Any]) -> RawSample:
    """The processor clock is too dear to be read at every part: each has its share of the whole sample's."""
    wall_ns = max(1, spent_ns)
    return RawSample(setups, wall_ns, round(wall_ns * busy), None, switches, detail)


def _detail(handshake: HandshakeSet, times: SetupTimes) -> dict[str, Any]:
    return {
        "esp_proposal": handshake.esp_proposal,
        "datagrams": times.datagrams,
        "datagram_bytes": times.octets,
    }


def _offer(handshake: HandshakeSet, cryptography: ProviderSelection) -> Offer:
    proposal = handshake.ike
    exchanges = (*proposal.key_exchange, *(name for names in proposal.additional_key_exchanges for name in names))
    signature = (handshake.authentication,) if handshake.signed else ()
    reason = None
    try:
        for name in (*proposal.encryption, *proposal.integrity, *proposal.prf, *exchanges, *signature):
            cryptography.library(name)
    except UnsupportedError as error:
        reason = str(error)
    return Offer(STACK_PROVIDER, Tier.HANDSHAKE, handshake.name, () if reason else handshake.operations, reason)
