"""One TCP stream between two hosts: by iperf3 where it is installed, else by a pair of sockets of our own."""

from __future__ import annotations

import contextlib
import json
import math
import shutil
import socket
import subprocess
import threading
import time
from dataclasses import dataclass

from ipsecbench.errors import LaboratoryError
from ipsecbench.lab.namespaces import Host

_PORT = 5201
_CHUNK = bytes(1 << 20)
_CONNECT_SECONDS = 10.0
_PATIENCE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Stream:
    """What a stream came to."""

    mbit_per_second: float
    """Received, TCP payload only."""
    mss_bytes: int
    """Maximum segment size that the sender uses."""
    retransmissions: int
    """Segments sent again; -1: unknown."""
    program: str
    """``iperf3`` or ``own``."""


def measure(
    sender: Host, receiver: Host, source: str, destination: str, seconds: float, *, own: bool = False
) -> Stream:
    """Send as fast as TCP does.

    Args:
        sender: host that sends.
        receiver: host that receives.
        source: address of the sender.
        destination: address of the receiver.
        seconds: how long.
        own: our own sockets even where there is iperf3.

    Raises:
        LaboratoryError: no connection came about, or nothing arrived.
    """
    if not own and shutil.which("iperf3"):
        return _iperf3(sender, receiver, source, destination, seconds)
    return _own(sender, receiver, source, destination, seconds)


def _iperf3(sender: Host, receiver: Host, source: str, destination: str, seconds: float) -> Stream:
    seconds = max(1, math.ceil(seconds))  # it knows whole seconds only, and 0 is for ever
    listener = receiver.start("iperf3", "-s", "-1", "-B", destination, "-p", str(_PORT), "--idle-timeout", "60")
    try:
        command = ["iperf3", "-c", destination, "-B", source, "-p", str(_PORT), "-t", str(seconds), "-J"]
        command += ["--connect-timeout", str(int(_CONNECT_SECONDS * 1000))]
        deadline = time.monotonic() + _CONNECT_SECONDS
        while True:
            done = sender.run(*command, timeout_seconds=seconds + _CONNECT_SECONDS + _PATIENCE_SECONDS)
            # The other one may not listen yet.
            if "refused" not in done.stdout or time.monotonic() > deadline:
                break
            time.sleep(0.05)
    except subprocess.TimeoutExpired as error:
        raise LaboratoryError(f"iperf3 did not end {_PATIENCE_SECONDS:.0f} s after its time") from error
    finally:
        listener.kill()
        listener.wait()
    try:
        said = json.loads(done.stdout)
    except ValueError as error:
        raise LaboratoryError(f"iperf3 failed: {done.stderr.strip() or done.stdout.strip()}") from error
    if "error" in said:
        raise LaboratoryError(f"iperf3: {said['error']}")
    return Stream(
        mbit_per_second=said["end"]["sum_received"]["bits_per_second"] / 1e6,
        mss_bytes=int(said["start"].get("tcp_mss_default", 0)),
        retransmissions=int(said["end"]["sum_sent"].get("retransmits", -1)),
        program="iperf3",
    )


def _own(sender: Host, receiver: Host, source: str, destination: str, seconds: float) -> Stream:
    family = socket.AF_INET6 if ":" in destination else socket.AF_INET

    def open_socket() -> socket.socket:
        opened = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return opened

    with receiver.call(open_socket) as listener, sender.call(open_socket) as outgoing:
        listener.bind((destination, 0))
        listener.listen(1)
        listener.settimeout(_CONNECT_SECONDS)
        outgoing.bind((source, 0))
        outgoing.settimeout(_CONNECT_SECONDS)
        try:
            outgoing.connect((destination, listener.getsockname()[1]))
            incoming, _address = listener.accept()
        except OSError as error:
            raise LaboratoryError(f"no TCP connection from {source} to {destination}: {error}") from error
        with incoming:
            received = _received(incoming, outgoing, seconds)
        mss = outgoing.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG)
    return Stream(received * 8 / 1e6, mss, -1, "own")


def _received(incoming: socket.socket, outgoing: socket.socket, seconds: float) -> float:
    """Octets a second that come in."""
    incoming.settimeout(_PATIENCE_SECONDS)
    outgoing.settimeout(_PATIENCE_SECONDS)
    deadline = time.monotonic() + seconds

    def send() -> None:
        with contextlib.suppress(OSError):
            while time.monotonic() < deadline:
                outgoing.send(_CHUNK)
            outgoing.shutdown(socket.SHUT_WR)

    thread = threading.Thread(target=send, name="tcp-stream")
    buffer = bytearray(1 << 20)
    octets, began = 0, time.monotonic()
    thread.start()
    try:
        while count := incoming.recv_into(buffer):
            octets += count
    except OSError as error:
        raise LaboratoryError(f"the TCP stream came to a stop after {octets} octets: {error}") from error
    finally:
        thread.join()
    return octets / (time.monotonic() - began)
