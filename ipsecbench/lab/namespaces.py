"""Two hosts on one machine: network namespaces with a veth pair, and a NAT between them on request.

Everything made here is removed at the end, also after an exception or Ctrl-C. What a killed process left behind is
removed by the next one: the name of a namespace says which process made it (id and start time), and :func:`sweep`
removes those whose process is gone.

Nothing is ever put into the namespace that the caller lives in: both ends of each veth pair are born inside.
"""

from __future__ import annotations

import contextlib
import ctypes
import ipaddress
import itertools
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ipsecbench.errors import LaboratoryError

PREFIX = "ipsb"
_NAMESPACES = Path("/run/netns")
_NAME = re.compile(rf"{PREFIX}-(\d+)-([0-9a-f]+)-\d+-[a-z]+")
_FOLDER = re.compile(rf"{PREFIX}-(\d+)-([0-9a-f]+)-[^-]+")
_CLONE_NEWNET = 0x40000000
_COMMAND_TIMEOUT_SECONDS = 20.0
_numbers = itertools.count(1)

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Host:
    """One host of the laboratory."""

    name: str
    """Name of the network namespace."""
    ipv4: str
    """Its address on the outside."""
    ipv6: str
    """Its IPv6 address on the outside; empty behind a NAT, which is IPv4 only."""
    inner_ipv4: str
    """Its address inside the protected network 10.N.0.0/16, on the loopback interface; there is 10.N.7.1 too."""
    inner_ipv6: str
    """The same for IPv6."""
    outside: str = ""
    """The address under which the other host sees it: that of the NAT, or its own."""

    def command(self, *arguments: str) -> list[str]:
        """The command line that runs ``arguments`` in this host."""
        return ["ip", "netns", "exec", self.name, *arguments]

    def run(
        self, *arguments: str, text: str | None = None, timeout_seconds: float = _COMMAND_TIMEOUT_SECONDS
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in this host to its end; its exit status is the caller's business."""
        return subprocess.run(
            self.command(*arguments), input=text, capture_output=True, text=True, timeout=timeout_seconds, check=False
        )

    def start(
        self, *arguments: str, environment: Mapping[str, str] | None = None, output: int | None = subprocess.DEVNULL
    ) -> subprocess.Popen[bytes]:
        """Start a command in this host. It gets SIGKILL when the calling thread ends, however that happens."""
        return subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *self.command(*arguments)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT if output is not None else None,
            env={**os.environ, **(environment or {})},
        )

    def call(self, function: Callable[[], _Result]) -> _Result:
        """Call a function inside the namespace, in a thread of its own, and return what it returns.

        Sockets that it opens stay in the namespace wherever they are used afterwards.
        """
        answers: list[_Result] = []
        failures: list[BaseException] = []

        def work() -> None:
            try:
                _enter(self.name)
                answers.append(function())
            except BaseException as error:  # handed to the caller's thread
                failures.append(error)

        thread = threading.Thread(target=work, name=f"in {self.name}")
        thread.start()
        thread.join()
        if failures:
            raise failures[0]
        return answers[0]

    def udp_socket(self, port: int, address: str | None = None) -> socket.socket:
        """A UDP socket bound in this host (to its IPv4 address if none is given), for use by this process."""
        bind_to = address or self.ipv4
        family = socket.AF_INET6 if ":" in bind_to else socket.AF_INET

        def open_socket() -> socket.socket:
            opened = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            try:
                opened.bind((bind_to, port))
            except OSError:
                opened.close()
                raise
            return opened

        return self.call(open_socket)


@dataclass(frozen=True)
class Hosts:
    """Two hosts that reach each other, perhaps through a NAT that the first one is behind."""

    local: Host
    peer: Host
    nat: Host | None = None
    relay: Host | None = None
    """Where a relay has to run (``left``, towards the first host, and ``right``); until then nothing passes."""


def missing_prerequisite() -> str | None:
    """Why there can be no namespaces here, or None where there can."""
    if not hasattr(os, "geteuid") or not Path("/proc/self/ns/net").exists():
        return "network namespaces need Linux"
    if os.geteuid() != 0:
        return "network namespaces need root (the commands of 'ipsecbench lab' do without: see docs/lab.md)"
    for program, package in (("ip", "iproute2"), ("nft", "nftables"), ("setpriv", "util-linux")):
        if not any((Path(folder) / program).exists() for folder in ("/usr/sbin", "/sbin", "/usr/bin", "/bin")):
            return f"no program '{program}': install the package '{package}'"
    return None


@contextlib.contextmanager
def two_hosts(nat: bool = False, relay: bool = False) -> Iterator[Hosts]:
    """Make two hosts and remove them at the end.

    Args:
        nat: put a third namespace between them that masquerades the first host (IPv4, new ports for UDP).
        relay: put a namespace without addresses into the link of the first host, for :mod:`ipsecbench.lab.relay`.

    Raises:
        LaboratoryError: not root, not Linux, or a command failed.
    """
    if reason := missing_prerequisite():
        raise LaboratoryError(f"no laboratory: {reason}")
    sweep()
    stem = f"{_owner()}-{next(_numbers)}"
    names = [f"{stem}-a", f"{stem}-b"] + ([f"{stem}-n"] if nat else [])
    between = f"{stem}-r" if relay else ""
    names += [between] if relay else []
    try:
        for name in names:
            _ip("netns", "add", name)
            _ip("-n", name, "link", "set", "lo", "up")
        first, second, *others = names
        yield _behind_nat(first, second, others[0], between) if nat else _side_by_side(first, second, between)
    finally:
        for name in names:
            _remove(name)


def private_folder() -> Path:
    """A new folder that only this user can read, for secrets; the caller removes it, or failing that :func:`sweep`."""
    return Path(tempfile.mkdtemp(prefix=f"{_owner()}-"))


def sweep() -> list[str]:
    """Remove what processes that are gone have left behind: namespaces, the processes in them, and private folders.

    Returns:
        Names of the namespaces.
    """
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}-*"):
        owner = _FOLDER.fullmatch(folder.name)
        if owner and process_start_time(int(owner[1])) != int(owner[2], 16):
            shutil.rmtree(folder, ignore_errors=True)
    stale = []
    for entry in _NAMESPACES.glob(f"{PREFIX}-*") if _NAMESPACES.is_dir() else ():
        owner = _NAME.fullmatch(entry.name)
        if owner and process_start_time(int(owner[1])) != int(owner[2], 16):
            _remove(entry.name)
            stale.append(entry.name)
    return stale


def _side_by_side(local: str, peer: str, between: str) -> Hosts:
    _link(local, peer, "eth0", between)
    for name, number in ((local, 1), (peer, 2)):
        _address(name, "eth0", f"192.0.2.{number}/24", f"2001:db8::{number}/64")
        _address(name, "lo", f"10.{number}.0.1/16", f"10.{number}.7.1/16", f"2001:db8:{number}::1/64")
    relay = _nameless(between)
    return Hosts(_host(local, 1, "192.0.2.1", "2001:db8::1"), _host(peer, 2, "192.0.2.2", "2001:db8::2"), None, relay)


def _behind_nat(local: str, peer: str, nat: str, between: str) -> Hosts:
    _link(local, nat, "inside", between)
    _veth(nat, "outside", peer, "eth0")
    _address(local, "eth0", "198.51.100.2/24")
    _address(nat, "inside", "198.51.100.1/24")
    _address(nat, "outside", "192.0.2.1/24")
    _address(peer, "eth0", "192.0.2.2/24")
    for name, number in ((local, 1), (peer, 2)):
        _address(name, "lo", f"10.{number}.0.1/16", f"10.{number}.7.1/16", f"2001:db8:{number}::1/64")
    _ip("-n", local, "route", "add", "default", "via", "198.51.100.1")
    router = Host(nat, "192.0.2.1", "", "", "", "192.0.2.1")
    _checked(router.command("sysctl", "-q", "-w", "net.ipv4.ip_forward=1"))
    # fully-random: the ports that the peer sees are never 500 and 4500, as with a NAT shared by many hosts.
    rules = """table ip nat {
        chain postrouting {
            type nat hook postrouting priority 100
            oifname "outside" meta l4proto udp masquerade to :20000-60000 fully-random
        }
    }"""
    _checked(router.command("nft", rules))
    first, second = _host(local, 1, "198.51.100.2", "", "192.0.2.1"), _host(peer, 2, "192.0.2.2", "", "192.0.2.2")
    return Hosts(first, second, router, _nameless(between))


def _nameless(name: str) -> Host | None:
    """A host without addresses, which only passes packets on."""
    return Host(name, "", "", "", "") if name else None


def _link(first: str, second: str, second_interface: str, between: str) -> None:
    """The first host's link, with a namespace in it where one is named."""
    if between:
        _veth(first, "eth0", between, "left")
        _veth(between, "right", second, second_interface)
    else:
        _veth(first, "eth0", second, second_interface)


def _host(name: str, number: int, ipv4: str, ipv6: str, outside: str = "") -> Host:
    return Host(name, ipv4, ipv6, f"10.{number}.0.1", f"2001:db8:{number}::1", outside or ipv4)


def _veth(first: str, first_interface: str, second: str, second_interface: str) -> None:
    _ip(
        *("link", "add", first_interface, "netns", first, "type", "veth"),
        *("peer", "name", second_interface, "netns", second),
    )
    _ip("-n", first, "link", "set", first_interface, "up")
    _ip("-n", second, "link", "set", second_interface, "up")


def _address(name: str, interface: str, *addresses: str) -> None:
    for address in addresses:
        # Without duplicate address detection, which would keep an IPv6 address unusable for a second.
        nodad = ["nodad"] if ipaddress.ip_interface(address).version == 6 else []
        _ip("-n", name, "addr", "add", address, "dev", interface, *nodad)


def _ip(*arguments: str) -> None:
    _checked(["ip", *arguments])


def _checked(command: Sequence[str]) -> None:
    try:
        result = subprocess.run(
            command, capture_output=True, text=True, timeout=_COMMAND_TIMEOUT_SECONDS, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LaboratoryError(f"'{' '.join(command)}' failed: {error}") from error
    if result.returncode:
        raise LaboratoryError(f"'{' '.join(command)}' failed: {result.stderr.strip() or result.stdout.strip()}")


def _remove(name: str) -> None:
    """Remove a namespace and end what still runs in it; both may be gone already."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        inside = subprocess.run(
            ["ip", "netns", "pids", name], capture_output=True, text=True, timeout=_COMMAND_TIMEOUT_SECONDS
        )
        for process in inside.stdout.split():
            # A thread of this process that works inside for a moment is not a process of the namespace.
            if int(process) != os.getpid():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(process), signal.SIGKILL)
        subprocess.run(["ip", "netns", "del", name], capture_output=True, timeout=_COMMAND_TIMEOUT_SECONDS)


def _owner() -> str:
    """How the names of this process's belongings begin."""
    return f"{PREFIX}-{os.getpid()}-{process_start_time(os.getpid()):x}"


def process_start_time(process: int) -> int:
    """When a process started, in clock ticks since boot; -1 where there is none of that id."""
    try:
        # The name in brackets may contain anything; field 22 is the twentieth after it.
        return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19])
    except (OSError, IndexError, ValueError):
        return -1


def _enter(name: str) -> None:
    """Move the calling thread into a network namespace, setns(2)."""
    descriptor = os.open(_NAMESPACES / name, os.O_RDONLY | os.O_CLOEXEC)
    try:
        library = ctypes.CDLL(None, use_errno=True)
        if library.setns(descriptor, _CLONE_NEWNET) != 0:
            number = ctypes.get_errno()
            raise LaboratoryError(f"cannot enter the namespace '{name}': {os.strerror(number)}")
    finally:
        os.close(descriptor)
