"""Test traffic: sources and sinks in C, in a process of their own inside a host of the laboratory.

What they send and count is described in docs/agent-traffic.md. Open every source and sink, give up the privileges, then
start: :func:`offer` does a whole trial.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ipsecbench.agent.client import AgentClient
from ipsecbench.agent.find import agent_path
from ipsecbench.errors import AgentError, CorrectnessError, LaboratoryError, MeasurementError
from ipsecbench.lab.traffic_model import (
    STREAMS,
    EspStream,
    Packets,
    Plan,
    SinkReport,
    SourceReport,
    Trial,
    sink_report,
    source_report,
)

_NOBODY = 65534
_SETTLE_STEP_SECONDS = 0.05
_GRACE_SECONDS = 30.0


@dataclass(slots=True)
class TrafficAgent:
    """One agent with sources and sinks, in one host. A context manager; leaving it ends everything.

    Args:
        command_prefix: runs it inside a host, such as ``host.command()``.
        path: the agent's executable; default: the one that ``find`` finds.

    Raises:
        LaboratoryError: there is no agent, or it does not start.
    """

    command_prefix: Sequence[str] = ()
    path: Path | None = None
    _agent: AgentClient = field(init=False, repr=False)

    def __post_init__(self) -> None:
        try:
            path = self.path or agent_path()
            command = [*self.command_prefix, str(path), "traffic"]
            self._agent = AgentClient(Path(command[0]), arguments=command[1:])
        except AgentError as error:
            raise LaboratoryError(str(error)) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """Number of its process."""
        return self._agent.pid

    def close(self) -> None:
        """End every source and sink, and the process; safe to call more than once."""
        self._agent.close()

    def open_udp_source(
        self, name: str, packets: Packets, *, dont_fragment: bool = False, core: int | None = None
    ) -> None:
        """A source behind a socket of the host.

        Raises:
            LaboratoryError: it cannot be had; so for every other method.
        """
        order = {**packets.order(), "dont_fragment": dont_fragment}
        self._order("open-source", name=name, kind="udp", core=core, **order)

    def open_device_source(
        self, name: str, device: str, packets: Packets, *, mac: str | None = None, core: int | None = None
    ) -> None:
        """A source that puts packets onto a device; ``mac`` is their destination on an Ethernet device."""
        digits = mac.replace(":", "") if mac is not None else None
        self._order("open-source", name=name, kind="device", device=device, mac=digits, core=core, **packets.order())

    def open_esp_source(self, name: str, stream: EspStream, *, core: int | None = None) -> None:
        """A source of ESP packets, which are made here and now."""
        self._order("open-source", name=name, kind="esp", core=core, **stream.order())

    def open_tcp_source(
        self,
        name: str,
        destination: str,
        port: int,
        *,
        source: str | None = None,
        interval_seconds: float = 1.0,
        core: int | None = None,
    ) -> None:
        """One TCP connection for each start."""
        self._order(
            "open-source",
            name=name,
            kind="tcp",
            destination=destination,
            destination_port=port,
            source=source,
            interval_ms=round(interval_seconds * 1000),
            core=core,
        )

    def open_udp_sink(self, name: str, address: str, port: int, *, stream: int = 0, core: int | None = None) -> None:
        """A sink behind a socket; it counts packets of one stream, and tells others apart."""
        self._order("open-sink", name=name, kind="udp", address=address, port=port, stream=stream, core=core)

    def open_tcp_sink(
        self, name: str, address: str, port: int, *, interval_seconds: float = 1.0, core: int | None = None
    ) -> None:
        """A sink of up to 64 TCP streams."""
        interval_ms = round(interval_seconds * 1000)
        self._order("open-sink", name=name, kind="tcp", address=address, port=port, interval_ms=interval_ms, core=core)

    def open_device_sink(
        self,
        name: str,
        device: str,
        *,
        protocol: int | None = None,
        port: int | None = None,
        outgoing: bool = False,
        core: int | None = None,
    ) -> None:
        """A sink that counts what comes in at a device (with ``outgoing`` also what goes out)."""
        self._order(
            "open-sink",
            name=name,
            kind="device",
            device=device,
            protocol=protocol,
            port=port,
            outgoing=outgoing,
            core=core,
        )

    def drop_privileges(self) -> None:
        """Become nobody, where there is one, without any capability: when all is open, before anything is started."""
        user = _NOBODY if os.geteuid() == 0 and _is_mapped(_NOBODY) else None
        self._order("drop-privileges", uid=user, gid=user)

    def start_sink(self, name: str) -> None:
        """Let a sink count."""
        self._order("start", name=name)

    def reset_sink(self, name: str, stream: int | None = None) -> None:
        """Let a sink forget what it counted, and perhaps listen to another stream."""
        self._order("reset", name=name, stream=stream)

    def start(self, name: str, plan: Plan, stream: int | None = None) -> None:
        """Start a source and return at once; with ``stream`` it begins another one, from number 0."""
        self._order(
            "start",
            name=name,
            packets_per_second=plan.packets_per_second,
            count=plan.count,
            milliseconds=max(1, round(plan.seconds * 1000)) if plan.seconds is not None else None,
            spin=plan.spin,
            replay=plan.replay,
            stream=stream,
        )

    def wait(self, name: str, timeout_seconds: float = 60.0) -> SourceReport:
        """Wait until a source has done its plan.

        Raises:
            LaboratoryError: it could not go on, or did not end in time.
        """
        report = self._source_report("wait", name, timeout_ms=round(timeout_seconds * 1000), timeout=timeout_seconds)
        if report.running:
            self.stop(name)
            raise LaboratoryError(f"the source '{name}' did not end within {timeout_seconds:g} s and was stopped")
        return report

    def stop(self, name: str) -> SourceReport:
        """Stop a source."""
        return self._source_report("stop", name)

    def source_statistics(self, name: str) -> SourceReport:
        """What a source has done so far."""
        return self._source_report("statistics", name)

    def sink_statistics(self, name: str, histogram: bool = False) -> SinkReport:
        """What a sink has counted so far."""
        return sink_report(self._order("statistics", name=name, histogram=histogram))

    def settled_statistics(self, name: str, patience_seconds: float = 1.0, histogram: bool = False) -> SinkReport:
        """The same, as soon as nothing more arrives."""
        deadline = time.monotonic() + patience_seconds
        seen = -1
        while True:
            report = self.sink_statistics(name, histogram)
            now = report.received + report.duplicated + report.foreign + report.bytes
            if now == seen or time.monotonic() > deadline:
                return report
            seen = now
            time.sleep(_SETTLE_STEP_SECONDS)

    def close_end(self, name: str) -> None:
        """Close one source or sink."""
        self._order("close", name=name)

    def _source_report(self, command: str, name: str, timeout: float = 0.0, **fields: Any) -> SourceReport:
        answer = self._order(command, timeout, name=name, **fields)
        if answer["failed"]:
            raise LaboratoryError(f"the source '{name}' stopped: {answer['reason']}")
        return source_report(answer)

    def _order(self, command: str, timeout: float = 0.0, **fields: Any) -> dict[str, Any]:
        try:
            return self._agent.request(command, timeout + _GRACE_SECONDS, **fields)
        except (AgentError, MeasurementError, CorrectnessError) as error:
            raise LaboratoryError(f"test traffic: {error}") from error


def offer(
    sender: TrafficAgent,
    source: str,
    receiver: TrafficAgent,
    sink: str,
    plan: Plan,
    stream: int,
    *,
    histogram: bool = False,
    timeout_seconds: float = 120.0,
) -> Trial:
    """One trial: a new stream from a source to a sink that is started already.

    Args:
        sender: has the source.
        source: its name.
        receiver: has the sink.
        sink: its name.
        plan: how much.
        stream: number of the stream, another one than that of the trial before, so that what was still on the way then
            is not counted now.
        histogram: with every bucket of the latencies.
        timeout_seconds: give up then.

    Raises:
        LaboratoryError: the source could not go on.
    """
    receiver.reset_sink(sink, stream % STREAMS)
    sender.start(source, plan, stream % STREAMS)
    sent = sender.wait(source, timeout_seconds)
    return Trial(sent, receiver.settled_statistics(sink, histogram=histogram))


def _is_mapped(user: int) -> bool:
    """Whether this user namespace has such a user."""
    try:
        lines = Path("/proc/self/uid_map").read_text().splitlines()
    except OSError:
        return False
    ranges = [(int(first), int(count)) for first, _, count in (line.split() for line in lines)]
    return any(first <= user < first + count for first, count in ranges)
