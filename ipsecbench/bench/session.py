"""One run on a box: what it is, what it offers, the plan, the figures, and what disturbed them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from ipsecbench.agent.client import PROTOCOL_VERSION, Agent, clock_hz
from ipsecbench.agent.mask import mask_environment
from ipsecbench.bench.handshake import STACK_PROVIDER
from ipsecbench.bench.measurement import Fit, Measurement, Tier, Workload
from ipsecbench.bench.place import Place, ThisMachine
from ipsecbench.bench.plan import AGENT_PROVIDERS, KERNEL_PROVIDERS, PYTHON_PROVIDERS, Request, build_plan, is_decisive
from ipsecbench.bench.runner import AgentRunner, Offer, PythonRunner, Runner
from ipsecbench.bench.scheduler import INTERRUPTED, Pace, Progress, Scheduler
from ipsecbench.bench.stability import run_warnings
from ipsecbench.bench.statistics import fit_line
from ipsecbench.errors import AgentError, IpsecbenchError

_FEWEST_SIZES_FOR_FIT = 3
_SAME_CLOCK = 0.02


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run brought, before it becomes a dataset."""

    created: str
    """UTC time of the start, ISO 8601."""
    ended: str
    """See :mod:`ipsecbench.bench.scheduler`."""
    environment: Mapping[str, Any]
    """The box, its libraries, its clock and what was stolen."""
    measurements: tuple[Measurement, ...]
    """One row per planned workload."""
    fits: tuple[Fit, ...]
    """Lines through sizes."""
    warnings: tuple[tuple[str, str], ...]
    """Doubts about the run, as (code, message)."""


@dataclass
class Session:
    """Everything that is open while measuring: the agent and the runners.

    Use it as a context manager.

    Args:
        request: which workloads.
        pace: how long and how precisely.
        mask: instructions to hide, from :func:`ipsecbench.agent.mask.parse_mask`.
        place: the box; the Python libraries and the IKE stack are always this process's own.

    Raises (on entering):
        AgentError: there is no agent, or no libcrypto although it was asked for.
        RemoteError: the box is out of reach.
        UsageError: the mask cannot be applied here.
    """

    request: Request
    pace: Pace
    mask: tuple[str, ...] = ()
    place: Place = field(default_factory=ThisMachine)
    hardware: Mapping[str, Any] = field(default_factory=dict, init=False)
    libraries: list[Mapping[str, Any]] = field(default_factory=list, init=False)
    agent_info: Mapping[str, Any] = field(default_factory=dict, init=False)
    cores: tuple[int, ...] = field(default=(), init=False)
    _agent: Agent | None = field(default=None, init=False)
    _runners: dict[str, Runner] = field(default_factory=dict, init=False)
    _stack: ExitStack = field(default_factory=ExitStack, init=False)

    def __enter__(self) -> Self:
        try:
            self._open()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _open(self) -> None:
        agent_providers = [name for name in self.request.providers if name in (*AGENT_PROVIDERS, *KERNEL_PROVIDERS)]
        python_providers = [name for name in self.request.providers if name in PYTHON_PROVIDERS]
        if agent_providers:
            self._open_agent(agent_providers)
        elif self.mask:
            raise AgentError("--mask needs the agent: the Python libraries cannot be told to ignore instructions")
        if python_providers and not self.mask:
            self._open_python(python_providers)
        if STACK_PROVIDER in self.request.providers and not self.mask:
            self._open_stack()
        self.hardware = self.place.hardware(self._measure_clock)

    def _open_agent(self, providers: Sequence[str]) -> None:
        environment: Mapping[str, str] = {}
        if self.mask:
            with self.place.agent({}) as unmasked:
                info = _agent_info(unmasked)
            settings = next((row["cpu_settings"] for row in info["libraries"] if row.get("cpu_settings")), None)
            environment = mask_environment(self.mask, str(info.get("machine")), settings)
        agent = self._stack.enter_context(self.place.agent(environment))
        info = _agent_info(agent)
        self._agent, self.agent_info = agent, info
        # Both ways of asking the kernel are one library.
        named = {"kernel" if name in KERNEL_PROVIDERS else name for name in providers}
        self.libraries += [row for row in info["libraries"] if row["provider"] in named]
        for row in self.libraries:
            if row["provider"] == "libcrypto" and row["status"] != "loaded":
                raise AgentError(
                    f"no usable libcrypto: {row['note']}; "
                    "install OpenSSL, or name its libcrypto.so in IPSECBENCH_LIBCRYPTO"
                )
        self.cores = self._order_cores(info["cores"])
        self.request = replace(self.request, cores=min(self.request.cores, max(1, len(self.cores))))
        runner = AgentRunner(agent, self.cores)
        # These cannot be told to ignore instructions: their figures would not be those of the masked box.
        usable = [name for name in providers if not (self.mask and name in ("libgcrypt", *KERNEL_PROVIDERS))]
        self._runners.update(dict.fromkeys(usable, runner))

    def _open_python(self, providers: Sequence[str]) -> None:
        from ipsecbench.providers.catalogue import library_info

        for name in providers:
            self.libraries.append(library_info(name))
        self._runners.update(dict.fromkeys(providers, PythonRunner(providers)))

    def _open_stack(self) -> None:
        from ipsecbench.bench.handshake_runner import HandshakeRunner

        runner = self._stack.enter_context(HandshakeRunner(quick=self.request.quick))
        self.libraries.append(runner.library_info())
        self._runners[STACK_PROVIDER] = runner

    def _order_cores(self, cores: Sequence[int]) -> tuple[int, ...]:
        """The fastest first; among equals the highest number, since the lowest one gets most interrupts."""
        rates = {core: self._measure_clock(core) or 0.0 for core in cores}
        fastest = max(rates.values(), default=0.0)
        return tuple(sorted(cores, key=lambda core: (rates[core] < fastest * (1 - _SAME_CLOCK), -core)))

    def _measure_clock(self, core: int | None) -> float | None:
        return None if self._agent is None else clock_hz(self._agent, core)

    def offers(self) -> tuple[Offer, ...]:
        """Everything that can be measured here, and why the rest cannot."""
        runners = {id(runner): runner for runner in self._runners.values()}.values()
        return tuple(offer for runner in runners for offer in runner.offers() if offer.provider in self._runners)

    def plan(self) -> tuple[Workload, ...]:
        """The workloads that were asked for.

        Raises:
            UsageError: see :func:`ipsecbench.bench.plan.build_plan`.
        """
        return build_plan(self.offers(), self.request)

    @property
    def agent_process_id(self) -> int | None:
        """Process of the agent that measures; None without one on this machine."""
        return None if self._agent is None else self._agent.pid

    def add_runner(self, provider: str, runner: Runner) -> None:
        """Let something else take part in the rounds, under a provider's name."""
        self._runners[provider] = runner

    def measure(
        self,
        plan: Sequence[Workload],
        progress: Callable[[Progress], None] | None = None,
        *,
        decisive: Callable[[Workload], bool] = is_decisive,
        checkpoint: Callable[[RunResult], None] | None = None,
        rescue: Callable[[RunResult], None] | None = None,
    ) -> RunResult:
        """Measure a plan. Ctrl-C ends it early and keeps what was measured.

        Args:
            plan: what to measure.
            progress: called before every sample.
            decisive: which rows get the time that is left after the minimum of rounds.
            checkpoint: given what there is after each round, as if the run had been interrupted then.
            rescue: given what there is when the agent is lost, before that is raised.

        Raises:
            AgentError: the agent died.
            RemoteError: the box is out of reach.
        """
        created = datetime.now(UTC).isoformat(timespec="seconds")
        used = self.cores[: max(1, self.request.cores)]
        before, activity = self._clocks(used), self.place.activity()

        def result(rows: tuple[Measurement, ...], ended: str, after: Mapping[int, float]) -> RunResult:
            steal = self.place.activity().since(activity).steal_fraction
            environment = self._environment(before, after, steal)
            doubts = (*run_warnings(before, after, steal), *self.place.warnings())
            return RunResult(created, ended, environment, rows, fit_lines(rows), doubts)

        def keep(rows: tuple[Measurement, ...]) -> None:
            if checkpoint is not None and any(row.usable for row in rows):
                checkpoint(result(rows, INTERRUPTED, {}))

        def save(rows: tuple[Measurement, ...]) -> None:
            if rescue is not None and any(row.usable for row in rows):
                rescue(result(rows, INTERRUPTED, {}))

        scheduler = Scheduler(
            self._runners, self.pace, progress, self.place.clock, checkpoint=keep if checkpoint else None, rescue=save
        )
        measurements, ended = scheduler.measure(plan, frozenset(workload for workload in plan if decisive(workload)))
        return result(measurements, ended, self._clocks(used))

    def _environment(
        self, before: Mapping[int, float], after: Mapping[int, float], steal: float | None
    ) -> dict[str, Any]:
        return {
            "hardware": self.hardware,
            "libraries": self.libraries,
            "agent": {key: value for key, value in self.agent_info.items() if key not in ("id", "type", "libraries")},
            "clock": {
                "before": [{"core": core, "hz": hz} for core, hz in before.items()],
                "after": [{"core": core, "hz": hz} for core, hz in after.items()],
            },
            "steal": steal,
            "core_order": list(self.cores),
            **self.place.facts(),
        }

    def _clocks(self, cores: Sequence[int]) -> dict[int, float]:
        rates = {}
        for core in cores:
            try:
                hz = self._measure_clock(core)
            except IpsecbenchError:
                continue
            if hz:
                rates[core] = hz
        return rates


def _agent_info(agent: Agent) -> Mapping[str, Any]:
    """What the agent says of itself and its libraries, of the expected shape.

    Raises:
        AgentError: it is of another version, or says something else.
    """
    info = agent.request("info")
    if info.get("protocol") != PROTOCOL_VERSION:
        raise AgentError(f"the agent speaks protocol {info.get('protocol')!r}; reinstall ipsecbench")
    rows, cores = info.get("libraries"), info.get("cores")
    if not isinstance(rows, list) or not all(
        isinstance(row, dict) and {"provider", "status", "note"} <= row.keys() for row in rows
    ):
        raise AgentError("the agent's list of libraries is not what the protocol says")
    if not isinstance(cores, list) or not all(type(core) is int and core >= 0 for core in cores):
        raise AgentError("the agent's list of cores is not what the protocol says")
    return info


def fit_lines(measurements: Sequence[Measurement]) -> tuple[Fit, ...]:
    """Lines through the sizes of every algorithm and direction that was measured at three sizes or more."""
    groups: dict[tuple[Tier, str, str, str], dict[int, list[float]]] = {}
    for row in measurements:
        work = row.workload
        if row.usable and work.size_bytes is not None and work.cores == 1 and not work.operation.startswith("prf"):
            key = (work.tier, work.provider, work.operation, work.algorithm)
            groups.setdefault(key, {})[work.size_bytes] = row.times_ns
    fits = []
    for (tier, provider, operation, algorithm), samples in groups.items():
        if len(samples) >= _FEWEST_SIZES_FOR_FIT:
            fixed, slope, residual = fit_line(samples)
            fits.append(Fit(tier, provider, operation, algorithm, fixed, slope, tuple(sorted(samples)), residual))
    return tuple(fits)
