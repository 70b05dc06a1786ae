"""One TCP or UDP flow between two hosts, with iperf3: what got through, and whose processor time it took."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ipsecbench.errors import LaboratoryError
from ipsecbench.lab.namespaces import Host

_INTERVAL_SECONDS = 0.5
_UDP_BUFFER = "4M"
_GRACE_SECONDS = 15.0
_START_SECONDS = 5.0


def missing_prerequisite() -> str | None:
    """Why there can be no TCP flow here, or None where there can."""
    return None if shutil.which("iperf3") else "no program 'iperf3': install the package 'iperf3'"


@dataclass(frozen=True)
class TcpFlow:
    """What one TCP flow did."""

    bits_per_second: float
    """Received, without the first interval of half a second, in which TCP finds its window."""
    bytes_received: int
    """As a whole."""
    retransmits: int
    """TCP segments that the sender sent again."""
    processor_seconds: Mapping[str, float] = field(default_factory=dict)
    """By name of a process: what it took meanwhile; ``machine`` is all that was not idle, of all processors."""

    def nanoseconds_per_packet(self, name: str, packet_bytes: int = 1400) -> float:
        """Processor time of a process for each inner packet of so many octets (their TCP payload is 52 less)."""
        return self.processor_seconds[name] * 1e9 / (self.bytes_received / (packet_bytes - 52))


@dataclass(frozen=True)
class UdpFlow:
    """What one UDP flow did."""

    sent: int
    """Datagrams."""
    lost: int
    """Datagrams that the receiver missed between the first and the last that came."""
    out_of_order: int
    """Datagrams that came after a later one."""


def processor_seconds(process_id: int) -> float:
    """Processor time of all threads of a process so far, to the nanosecond; 0 for one that has ended."""
    total = 0
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{process_id}/task").iterdir():
            with contextlib.suppress(OSError):
                total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def machine_seconds() -> float:
    """Processor time of all processors so far that was neither idle nor stolen."""
    user, nice, system, _idle, _iowait, irq, softirq = (
        int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:8]
    )
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


class FlowReceiver:
    """An iperf3 that receives in a host, from ``with`` to the end of its block."""

    def __init__(self, host: Host, address: str, port: int = 5201) -> None:
        """
        Args:
            host: where it runs.
            address: IP address that it listens on.
            port: TCP port that it listens on.
        """
        self.host = host
        self.address = address
        self.port = port
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def process_id(self) -> int:
        """Number of its process."""
        if self._process is None:
            raise LaboratoryError("iperf3 is not running")
        return self._process.pid

    def __enter__(self) -> FlowReceiver:
        """Start it and wait until it listens.

        Raises:
            LaboratoryError: there is no iperf3, or it does not listen.
        """
        if reason := missing_prerequisite():
            raise LaboratoryError(reason)
        self._process = self.host.start("iperf3", "-s", "-B", self.address, "-p", str(self.port))
        deadline = time.monotonic() + _START_SECONDS
        while f":{self.port} " not in self.host.run("ss", "-Hltn").stdout:
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.__exit__()
                raise LaboratoryError(f"iperf3 does not listen on {self.address} port {self.port}")
            time.sleep(0.02)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(5.0)
            self._process = None


def run_tcp(
    sender: Host, own_address: str, receiver: FlowReceiver, seconds: int, processes: Mapping[str, int] | None = None
) -> TcpFlow:
    """Send as fast as TCP can, for so long.

    Args:
        sender: host that sends.
        own_address: IP address that it sends from.
        receiver: where to.
        seconds: how long; whole seconds, as iperf3 wants them.
        processes: name → process whose processor time is wanted.

    Raises:
        LaboratoryError: it did not come about; the message is iperf3's.
    """
    watched = {**(processes or {}), "iperf3 receiver": receiver.process_id}
    before = {name: processor_seconds(number) for name, number in watched.items()}
    busy = machine_seconds()
    result = _run(sender, own_address, receiver, seconds, "-i", f"{_INTERVAL_SECONDS:g}")
    spent = {name: processor_seconds(number) - before[name] for name, number in watched.items()}
    spent["machine"] = machine_seconds() - busy
    end = result["end"]
    spent["iperf3 sender"] = end["cpu_utilization_percent"]["host_total"] / 100 * end["sum_sent"]["seconds"]
    later = [interval["sum"] for interval in result["intervals"][1:]] or [end["sum_received"]]
    carried, time_taken = (sum(interval[name] for interval in later) for name in ("bytes", "seconds"))
    return TcpFlow(
        carried * 8 / time_taken, int(end["sum_received"]["bytes"]), int(end["sum_sent"]["retransmits"]), spent
    )


def run_udp(
    sender: Host, own_address: str, receiver: FlowReceiver, seconds: int, bits_per_second: float, payload_bytes: int
) -> UdpFlow:
    """Send UDP datagrams of one size at a steady rate.

    Args:
        sender: host that sends.
        own_address: IP address that it sends from.
        receiver: where to.
        seconds: how long.
        bits_per_second: of UDP payload.
        payload_bytes: of each datagram.

    Raises:
        LaboratoryError: it did not come about; the message is iperf3's.
    """
    result = _run(
        *(sender, own_address, receiver, seconds, "-u", "-b", f"{bits_per_second:.0f}", "-l", str(payload_bytes)),
        *("-w", _UDP_BUFFER, "--pacing-timer", "1000"),
    )
    stream = result["end"]["streams"][0]["udp"]
    return UdpFlow(int(stream["packets"]), int(stream["lost_packets"]), int(stream["out_of_order"]))


def _run(sender: Host, own_address: str, receiver: FlowReceiver, seconds: int, *options: str) -> dict[str, Any]:
    command = ["iperf3", "-c", receiver.address, "-p", str(receiver.port), "-B", own_address, "-J", "-t", str(seconds),
               "--connect-timeout", "3000", *options]  # fmt: skip
    process = sender.start(*command, output=subprocess.PIPE)
    try:
        output, _ = process.communicate(timeout=seconds + _GRACE_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise LaboratoryError(f"iperf3 has not ended {_GRACE_SECONDS:.0f} s after its time") from error
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    try:
        result: dict[str, Any] = json.loads(output)
    except ValueError as error:
        raise LaboratoryError(f"iperf3: {output.decode(errors='replace').strip()[:300]}") from error
    if "error" in result:
        raise LaboratoryError(f"iperf3: {result['error']}")
    return result
