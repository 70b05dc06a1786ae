"""Everything that a run of the laboratory tries beside the capacity of a data plane, one trial after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from ipsecbench.dataset.trial import LabTrial
from ipsecbench.lab.plane_cost import BASE_SUITES
from ipsecbench.lab.trials.own_bed import LARGE_MTU_BYTES, USUAL_MTU_BYTES, OwnBed, other_core
from ipsecbench.lab.trials.plan import Size
from ipsecbench.lab.trials.rates import SMALLEST_SIZE_BYTES, RatePace, rate_trials
from ipsecbench.lab.trials.strongswan_bed import StrongSwanBed
from ipsecbench.lab.trials.whole_path import set_ups, tcp_streams

_MOST_SUITES = 3
_QUICK_PACE = RatePace(trial_seconds=0.1, relative_width=0.05, trials=3, most_trials=30, latency_trials=3)
_PACE = RatePace(trial_seconds=0.1, relative_width=0.02, trials=3, most_trials=40)


@dataclass(frozen=True, slots=True)
class FurtherRequest:
    """What to try."""

    suites: tuple[str, ...]
    """All suites of the run; the first few that encrypt are tried, and one that does not."""
    sizes: tuple[Size, ...]
    """Sizes of the run; the smallest, the largest and a mix are tried."""
    core: int
    """Processor of the second host; the first one gets another, where there is one."""
    library: str
    encapsulated: bool = True
    quick: bool = False

    def tried_suites(self) -> tuple[str, ...]:
        """Without encryption first."""
        base = next((suite for suite in self.suites if suite in BASE_SUITES), None)
        others = [suite for suite in self.suites if not suite.startswith("null-") and "gmac" not in suite]
        return tuple(filter(None, (base, *others[: 1 if self.quick else _MOST_SUITES])))

    def tried_sizes(self) -> tuple[Size, ...]:
        """At most three."""
        sized = sorted(
            (size for size in self.sizes if size.size_bytes is not None and size.size_bytes >= SMALLEST_SIZE_BYTES),
            key=lambda size: size.size_bytes or 0,
        )
        mixes = [size for size in self.sizes if size.mix is not None]
        if self.quick:
            return tuple((mixes or sized)[:1])
        return tuple(dict.fromkeys([*sized[:1], *mixes[:1], *sized[-1:]]))


def further_trials(request: FurtherRequest, progress: Callable[[str], None] | None = None) -> Iterator[LabTrial]:
    """The trials, each as soon as it is there.

    Raises:
        LaboratoryError: the hosts cannot be had.
        DataPlaneError: a data plane cannot be had, or died.
    """
    say = progress or (lambda words: None)
    suites = request.tried_suites()
    cores = (other_core(request.core), request.core)

    def told(trial: LabTrial) -> LabTrial:
        return replace(trial, detail={**trial.detail, "library": request.library})

    def bed(link_mtu_bytes: int) -> OwnBed:
        return OwnBed(
            suites,
            cores=cores,
            encapsulated=request.encapsulated,
            library=request.library,
            link_mtu_bytes=link_mtu_bytes,
        )

    with bed(USUAL_MTU_BYTES) as usual:
        say("one TCP connection")
        yield from map(told, tcp_streams(usual, suites, 1.0, rounds=1 if request.quick else 5))
        say("set-ups")
        yield from map(told, set_ups(usual, suites[-1], count=10 if request.quick else 30))
    with bed(LARGE_MTU_BYTES) as large:
        pace = _QUICK_PACE if request.quick else _PACE
        yield from map(told, rate_trials(large, suites, request.tried_sizes(), pace, cores, say))


def strongswan_trials(request: FurtherRequest, progress: Callable[[str], None] | None = None) -> Iterator[LabTrial]:
    """The same rates and streams through strongSwan's own userspace ESP at both ends, for comparison.

    Raises:
        LaboratoryError: strongSwan is not here, or set up none of the suites.
    """
    say = progress or (lambda words: None)
    cores = (other_core(request.core), request.core)
    suites = request.tried_suites()
    with StrongSwanBed(suites, cores=cores, link_mtu_bytes=USUAL_MTU_BYTES) as usual:
        say("one TCP connection through strongSwan")
        yield from tcp_streams(usual, tuple(usual.flows), 1.0, rounds=1 if request.quick else 5, in_clear=False)
    with StrongSwanBed(suites, cores=cores) as large:
        pace = _QUICK_PACE if request.quick else _PACE
        yield from rate_trials(
            large, tuple(large.flows), request.tried_sizes(), pace, cores, lambda words: say(f"strongSwan {words}"),
            in_clear=False,
        )  # fmt: skip
