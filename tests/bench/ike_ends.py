"""Ends of IKE SAs for measurements: our endpoint and strongSwan, each a process of its own in a network namespace.

Both take orders over a Unix socket and answer when the order is carried out, so that they are timed in the same way:
strongSwan with its own protocol (VICI), our endpoint with lines of text. Our endpoint is this file, run as a program.
"""

from __future__ import annotations

import argparse
import contextlib
import ipaddress
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ipsecbench.algorithms.proposals import parse_esp, parse_ike
from ipsecbench.errors import IpsecbenchError, LaboratoryError
from ipsecbench.esp.traffic_selector import TrafficSelector
from ipsecbench.ike.configuration import (
    AuthMethod,
    ChildConfiguration,
    ConnectionConfiguration,
    EndpointConfiguration,
    LocalAuthentication,
    RemoteAuthentication,
    Unique,
)
from ipsecbench.ike.endpoint import Endpoint
from ipsecbench.ike.events import ChildSaEstablished, ChildSaFailed, Event, IkeSaDeleted, IkeSaFailed
from ipsecbench.ike.identification import Identity, IdType
from ipsecbench.lab.driver import Driver, open_sockets, spare_the_collector
from ipsecbench.lab.namespaces import Host, Hosts
from ipsecbench.lab.strongswan import StrongSwan
from ipsecbench.lab.vici import Vici
from ipsecbench.secret import Secret

PSK = "k2;2.6TbYl+{/qa"
ESP = "aes128-sha256"
_START_SECONDS = 15.0
_ORDER_SECONDS = 30.0
_TCP = 6


@dataclass(frozen=True)
class Connection:
    """One connection between the two ends; several at a time have several names and identities."""

    name: str
    """Name, also of its Child SA."""
    proposal: str
    """Phase 1, strongSwan's spelling."""
    version: int = 2
    """Version of IKE."""
    tcp_port: int | None = None
    """Only port that the Child SA is for, so that several between two hosts have selectors of their own; None: all."""
    esp: str = ESP
    """Phase 2, strongSwan's spelling."""

    def identity(self, initiator: bool) -> str:
        """Domain name that an end proves."""
        return f"{self.name}.{'initiator' if initiator else 'responder'}.example"


class Session(Protocol):
    """A control connection to an end, which carries out one order at a time."""

    def initiate(self, name: str) -> None:
        """Set up the IKE SA and the Child SA of a connection; returns when they are up."""

    def terminate(self, name: str) -> None:
        """Delete them; returns when they are gone."""

    def close(self) -> None:
        """End the control connection."""


class End(Protocol):
    """One end, running."""

    process_id: int

    def session(self) -> Session:
        """A new control connection."""


def processor_seconds(process_id: int) -> float:
    """Processor time of all threads of a process so far, to the nanosecond (those that have ended are left out)."""
    total = 0
    for task in Path(f"/proc/{process_id}/task").iterdir():
        with contextlib.suppress(OSError):
            total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


# ── strongSwan ───────────────────────────────────────────────────────────────────────────────────────────────────────


class StrongSwanEnd:
    """strongSwan's daemon, without a log, with replacing of older IKE SAs turned off."""

    def __init__(self, peer: StrongSwan, host: Host, other: Host, connections: Sequence[Connection], initiator: bool):
        self._peer = peer
        self.process_id = peer.process_id
        self.vici_uri = f"unix://{peer.control_socket}"
        self.version: str = peer.vici.request("version")["version"]
        peer.load_shared_key(PSK)
        for connection in connections:
            peer.load(
                connection.name,
                {
                    "version": connection.version,
                    "local_addrs": [host.ipv4],
                    "remote_addrs": [other.ipv4],
                    "proposals": [connection.proposal],
                    "unique": "never",
                    "local": {"auth": "psk", "id": connection.identity(initiator)},
                    "remote": {"auth": "psk", "id": connection.identity(not initiator)},
                    "children": {
                        connection.name: {
                            "local_ts": [f"{host.inner_ipv4}/32{_port(connection)}"],
                            "remote_ts": [f"{other.inner_ipv4}/32{_port(connection)}"],
                            "esp_proposals": [connection.esp],
                        }
                    },
                },
            )

    def session(self) -> Session:
        """See :class:`End`."""
        return _ViciSession(self._peer.control_socket)


def _port(connection: Connection) -> str:
    return "" if connection.tcp_port is None else f"[tcp/{connection.tcp_port}]"


class _ViciSession:
    def __init__(self, path: Path) -> None:
        self._vici = Vici(path, _ORDER_SECONDS)

    # Without the events that tell how it goes: one question and one answer, as with our endpoint.

    def initiate(self, name: str) -> None:
        self._vici.request("initiate", {"ike": name, "child": name, "timeout": int(_ORDER_SECONDS * 1000)})

    def terminate(self, name: str) -> None:
        self._vici.request("terminate", {"ike": name, "timeout": int(_ORDER_SECONDS * 1000)})

    def close(self) -> None:
        self._vici.close()


# ── our endpoint, seen from outside ──────────────────────────────────────────────────────────────────────────────────


class OurEnd:
    """Our endpoint: this file as a program in a host."""

    def __init__(self, process: subprocess.Popen[bytes], path: Path) -> None:
        self.process_id = process.pid
        self._path = path

    def session(self) -> Session:
        """See :class:`End`."""
        return _LineSession(self._path)


class _LineSession:
    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(_ORDER_SECONDS)
        self._socket.connect(os.fspath(path))

    def _order(self, line: str) -> None:
        self._socket.sendall(f"{line}\n".encode())
        answer = b""
        while not answer.endswith(b"\n"):
            more = self._socket.recv(4096)
            if not more:
                raise LaboratoryError("our endpoint ended the control connection")
            answer += more
        if answer != b"ok\n":
            raise LaboratoryError(f"our endpoint: {answer.decode().strip()}")

    def initiate(self, name: str) -> None:
        self._order(f"initiate {name}")

    def terminate(self, name: str) -> None:
        self._order(f"terminate {name}")

    def close(self) -> None:
        self._socket.close()


# ── two ends at a time ───────────────────────────────────────────────────────────────────────────────────────────────


@contextlib.contextmanager
def ends(hosts: Hosts, initiator: str, responder: str, connections: Sequence[Connection]) -> Iterator[tuple[End, End]]:
    """Run an initiator in the first host and a responder in the second.

    Each is ``ours``, ``strongSwan``, or ``strongSwan without routes``.
    """
    with contextlib.ExitStack() as stack:
        made: list[End] = []
        for kind, host, other, first in (
            (initiator, hosts.local, hosts.peer, True),
            (responder, hosts.peer, hosts.local, False),
        ):
            if kind == "ours":
                made.append(stack.enter_context(_our_end(host, other, connections, first)))
            else:
                options = {} if kind == "strongSwan" else {"install_routes": False, "install_virtual_ip": False}
                peer = stack.enter_context(StrongSwan(host, options=options, log_levels={"default": -1}))
                made.append(StrongSwanEnd(peer, host, other, connections, first))
        yield made[0], made[1]


@contextlib.contextmanager
def _our_end(host: Host, other: Host, connections: Sequence[Connection], initiator: bool) -> Iterator[OurEnd]:
    with tempfile.TemporaryDirectory(prefix="ipsb-") as directory:
        path = Path(directory) / "control"
        words = [f"{row.name}={row.proposal}={row.version}={row.tcp_port or ''}={row.esp}" for row in connections]
        process = host.start(
            sys.executable, os.path.abspath(__file__), "--control", os.fspath(path), "--role",
            "initiator" if initiator else "responder", "--own", host.ipv4, "--peer", other.ipv4,
            "--own-inner", host.inner_ipv4, "--peer-inner", other.inner_ipv4, *words,
            environment={"PYTHONPATH": os.fspath(Path(__file__).resolve().parents[2])}, output=None,
        )  # fmt: skip
        try:
            deadline = time.monotonic() + _START_SECONDS
            while not path.exists():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise LaboratoryError("our endpoint did not start")
                time.sleep(0.02)
            yield OurEnd(process, path)
        finally:
            process.terminate()
            process.wait(10.0)


# ── our endpoint, as a program ───────────────────────────────────────────────────────────────────────────────────────


class _Control:
    """Takes orders over a Unix socket in the driver's loop, and answers when they are carried out."""

    def __init__(self, path: Path) -> None:
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # Bound under another name, so that whoever sees the file can connect.
        self._listener.bind(f"{path}.new")
        self._listener.listen(64)
        os.rename(f"{path}.new", path)
        self._waiting: dict[int, socket.socket] = {}
        self._ike_sa: dict[str, int] = {}

    def begin(self, driver: Driver) -> None:
        """Listen."""
        driver.watch(self._listener, lambda: self._accept(driver))

    def _accept(self, driver: Driver) -> None:
        client, _ = self._listener.accept()
        driver.watch(client, lambda: self._read(driver, client))

    def _read(self, driver: Driver, client: socket.socket) -> None:
        line = client.recv(4096)
        if not line:
            driver.forget(client)
            client.close()
            return
        command, name = line.decode().split()
        try:
            self._carry_out(driver.endpoint, client, command, name, time.monotonic())
        except IpsecbenchError as error:
            client.sendall(f"{error}\n".encode())

    def _carry_out(self, endpoint: Endpoint, client: socket.socket, command: str, name: str, now: float) -> None:
        if command == "initiate":
            number = endpoint.initiate(name, now)
            self._ike_sa[name] = number
        else:
            number = self._ike_sa[name]
            endpoint.order(number, lambda sa: sa.delete(now))
        self._waiting[number] = client

    def see(self, event: Event) -> None:
        """An event of the endpoint, in the driver's thread."""
        match event:
            case ChildSaEstablished(sa):
                self._answer(sa.ike_unique_id, "ok")
            case IkeSaDeleted(unique_id=number):
                self._answer(number, "ok")
            case IkeSaFailed(unique_id=number, reason=reason):
                self._answer(number, reason)
            case ChildSaFailed(ike_unique_id=number, reason=reason):
                self._answer(number, reason)

    def _answer(self, number: int, text: str) -> None:
        client = self._waiting.pop(number, None)
        if client is not None:
            client.sendall(f"{text}\n".encode())


def _configuration(arguments: argparse.Namespace) -> EndpointConfiguration:
    initiator = arguments.role == "initiator"
    connections = []
    for word in arguments.connections:
        name, proposal, version, port, esp = word.split("=")
        row = Connection(name, proposal, int(version), int(port) if port else None, esp)
        own, peer = (_selector(address, row.tcp_port) for address in (arguments.own_inner, arguments.peer_inner))
        ids = [Identity(IdType.ID_FQDN, row.identity(who).encode()) for who in (initiator, not initiator)]
        connections.append(
            ConnectionConfiguration(
                name,
                row.version,
                (parse_ike(proposal),),
                LocalAuthentication(AuthMethod.PSK, ids[0]),
                RemoteAuthentication(AuthMethod.PSK, ids[1]),
                (ChildConfiguration(name, (parse_esp(row.esp),), (own,), (peer,)),),
                (arguments.own,),
                (arguments.peer,),
                psk=Secret(PSK.encode()),
                unique=Unique.KEEP,
            )
        )
    return EndpointConfiguration(tuple(connections), own_addresses=(arguments.own,))


def _selector(address: str, tcp_port: int | None) -> TrafficSelector:
    number = int(ipaddress.IPv4Address(address))
    if tcp_port is None:
        return TrafficSelector(4, number, number)
    return TrafficSelector(4, number, number, _TCP, tcp_port, tcp_port)


def main() -> None:
    """Run one endpoint until the process is ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    for option in ("--control", "--role", "--own", "--peer", "--own-inner", "--peer-inner"):
        parser.add_argument(option, required=True)
    parser.add_argument("connections", nargs="+", metavar="NAME=PROPOSAL=VERSION=PORT=ESP")
    arguments = parser.parse_args()
    configuration = _configuration(arguments)
    sockets = open_sockets(configuration)
    control = _Control(Path(arguments.control))
    driver = Driver(configuration, sockets, on_event=control.see, keep_events=False)
    control.begin(driver)
    spare_the_collector()
    driver.run()


if __name__ == "__main__":
    main()
