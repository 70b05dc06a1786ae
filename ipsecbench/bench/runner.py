"""What takes a sample: the agent for the box's own libraries, Python for the Python libraries."""

from __future__ import annotations

import gc
import re
import resource
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ipsecbench.agent.client import Agent
from ipsecbench.bench.measurement import Tier, Workload
from ipsecbench.errors import AgentError, UnsupportedError

_MOST_COUNTED = 2**63
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class RawSample:
    """What a runner brings back; see :class:`ipsecbench.bench.measurement.Sample` for several cores."""

    iterations: int
    wall_ns: int
    cpu_ns: int
    cycles: int | None = None
    involuntary_switches: int = 0
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Offer:
    """One row of what can be measured here."""

    provider: str
    tier: Tier
    algorithm: str
    operations: tuple[str, ...]
    reason: str | None
    """Why there is no operation."""


class Runner(Protocol):
    """Takes samples of the workloads of its providers."""

    def offers(self) -> Sequence[Offer]:
        """Everything that can be measured, and why the rest cannot."""

    def sample(self, workload: Workload, iterations: int) -> RawSample:
        """Time a number of operations as a whole.

        Raises:
            UnsupportedError: there is no such algorithm here.
            CorrectnessError: a known answer came out wrong.
            MeasurementError: an operation failed.
            AgentError: the agent died or does not keep to its protocol.
            RemoteError: the box that is measured is out of reach.
        """


class AgentRunner:
    """Samples of the box's own libraries, taken by the agent.

    Args:
        agent: a running agent; the caller closes it.
        cores: processors to use, in the order in which they are loaded.
    """

    def __init__(self, agent: Agent, cores: Sequence[int]) -> None:
        self._agent = agent
        self._cores = tuple(cores)

    def offers(self) -> Sequence[Offer]:
        """See :class:`Runner`."""
        try:
            return tuple(
                Offer(
                    _name(row["provider"]),
                    Tier(row["tier"]),
                    _name(row["algorithm"]),
                    tuple(_name(operation) for operation in row["operations"]),
                    None if row["reason"] is None else str(row["reason"]),
                )
                for row in self._agent.request("list")["rows"]
            )
        except (KeyError, TypeError, ValueError) as error:
            raise AgentError(f"the agent's list is not what the protocol says: {error}") from error

    def sample(self, workload: Workload, iterations: int) -> RawSample:
        """See :class:`Runner`."""
        answer = self._agent.request(
            "speed",
            provider=workload.provider,
            tier=workload.tier.value,
            operation=workload.operation,
            algorithm=workload.algorithm,
            size_bytes=workload.size_bytes,
            mix=workload.mix,
            iterations=iterations,
            cores=list(self._cores[: workload.cores]),
        )
        try:
            return _merge([_checked(worker) for worker in answer["workers"]], answer.get("detail") or {})
        except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
            raise AgentError(f"the agent's sample is not what the protocol says: {error!r}") from error


def _name(value: Any) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ValueError(f"{str(value)[:40]!r} is no name")
    return value


def _checked(worker: Mapping[str, Any]) -> Mapping[str, Any]:
    """A worker's figures, if they are counts: an agent on another box may send anything.

    Raises:
        KeyError, TypeError, ValueError: they are not.
    """
    for name in ("iterations", "wall_ns", "cpu_ns", "involuntary_switches", "cycles"):
        count = worker[name]
        if count is None and name == "cycles":
            continue
        if type(count) is not int or not 0 <= count < _MOST_COUNTED:
            raise ValueError(f"{name} is {str(count)[:40]}")
    return worker


def _merge(workers: Sequence[Mapping[str, Any]], detail: Mapping[str, Any]) -> RawSample:
    """One sample out of those of several cores: their rates add up."""
    if not workers or not isinstance(detail, dict):
        raise ValueError("no workers" if not workers else "no detail")
    iterations = sum(worker["iterations"] for worker in workers)
    rate = sum(worker["iterations"] / worker["wall_ns"] for worker in workers)
    cycles = [worker["cycles"] for worker in workers]
    return RawSample(
        iterations=iterations,
        wall_ns=max(1, round(iterations / rate)),
        cpu_ns=sum(worker["cpu_ns"] for worker in workers),
        cycles=None if None in cycles else sum(cycles),
        involuntary_switches=sum(worker["involuntary_switches"] for worker in workers),
        detail=detail,
    )


class PythonRunner:
    """Samples of the Python libraries, taken in this process.

    Args:
        providers: names of the providers to offer.
    """

    def __init__(self, providers: Sequence[str]) -> None:
        self._providers = tuple(providers)
        self._prepared: dict[Workload, Callable[[int], None]] = {}

    def offers(self) -> Sequence[Offer]:
        """See :class:`Runner`."""
        from ipsecbench.providers.workloads import operations

        return tuple(
            Offer(row.provider, Tier(row.tier), row.algorithm, tuple(row.operations), row.reason)
            for provider in self._providers
            for row in operations(provider)
        )

    def sample(self, workload: Workload, iterations: int) -> RawSample:
        """See :class:`Runner`."""
        from ipsecbench.providers.workloads import prepare

        if workload.tier is not Tier.PRIMITIVE or workload.cores != 1 or workload.mix is not None:
            raise UnsupportedError(f"{workload.provider} is measured as a primitive on one core only")
        perform = self._prepared.get(workload)
        if perform is None:
            perform = prepare(workload.provider, workload.operation, workload.algorithm, workload.size_bytes)
            self._prepared[workload] = perform
        collecting = gc.isenabled()
        gc.disable()
        try:
            switches = resource.getrusage(resource.RUSAGE_THREAD).ru_nivcsw
            cpu, wall = time.thread_time_ns(), time.perf_counter_ns()
            perform(iterations)
            wall, cpu = time.perf_counter_ns() - wall, time.thread_time_ns() - cpu
            switches = resource.getrusage(resource.RUSAGE_THREAD).ru_nivcsw - switches
        finally:
            if collecting:
                gc.enable()
        return RawSample(iterations, max(1, wall), cpu, None, switches)
