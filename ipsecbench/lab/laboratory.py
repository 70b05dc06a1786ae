"""A laboratory: two hosts, what lies between them, and an end in each, from ``with`` to the end of its block."""

from __future__ import annotations

import contextlib
import secrets
import subprocess
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from ipsecbench.errors import LaboratoryError
from ipsecbench.lab import impairment, relay, strongswan
from ipsecbench.lab.arrangement import SIDES, Arrangement
from ipsecbench.lab.end_configuration import endpoint_text
from ipsecbench.lab.end_status import EndStatus
from ipsecbench.lab.endpoint_file import EndpointFile
from ipsecbench.lab.ends import End, StrongSwanEnd, wait_until
from ipsecbench.lab.namespaces import Host, Hosts, two_hosts
from ipsecbench.lab.own_end import OwnEnd, read_endpoint_text

_RELAY_TIMEOUT_SECONDS = 10.0
ESTABLISH_SECONDS = 15.0
"""How long the negotiation may take; the network is one machine, perhaps a slow one with losses."""


class Laboratory:
    """Two hosts with their ends.

    Args:
        arrangement: what it is to be.
        key_log: folder under which each end of ours writes its keys, in ``A`` and ``B``.
        files: the configurations of A and of B, instead of what the arrangement gives.
    """

    def __init__(
        self,
        arrangement: Arrangement,
        *,
        key_log: Path | None = None,
        files: tuple[EndpointFile, EndpointFile] | None = None,
    ) -> None:
        self.arrangement = arrangement
        self._key_log = key_log
        self._files = files
        self._stack = contextlib.ExitStack()
        self._psk = secrets.token_hex(32)
        self.hosts: Hosts
        self.ends: dict[str, End] = {}
        """By side."""

    def __enter__(self) -> Self:
        """Make the hosts and start the ends; nothing is negotiated yet.

        Raises:
            IpsecbenchError: something of it cannot be had.
        """
        if self.arrangement.strongswan and (reason := strongswan.missing_prerequisite()):
            raise LaboratoryError(f"no strongSwan: {reason}")
        with contextlib.ExitStack() as stack:
            self.hosts = self._make_hosts(stack)
            for side in SIDES:
                end = self._make_end(side)
                stack.callback(end.stop)
                end.start()
                self.ends[side] = end
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def a(self) -> End:
        """The end that is behind the NAT, where there is one."""
        return self.ends["A"]

    @property
    def b(self) -> End:
        """The other end."""
        return self.ends["B"]

    def host(self, side: str) -> Host:
        """A host."""
        return self.hosts.local if side == "A" else self.hosts.peer

    def establish(self, timeout_seconds: float = ESTABLISH_SECONDS) -> dict[str, EndStatus]:
        """Negotiate, and wait until both ends have the Child SA.

        Returns:
            What each end says, by side.

        Raises:
            LaboratoryError: it did not come up; the message says why, as the ends say it.
        """
        initiator = self.ends[self.arrangement.initiator]
        initiator.initiate()
        found: dict[str, EndStatus] = {}

        def up() -> bool:
            found.update(self.status())
            return all(status.children for status in found.values()) or bool(initiator.failure())

        if not wait_until(up, timeout_seconds) or initiator.failure():
            reasons = [f"{side}: {end.failure()}" for side, end in self.ends.items() if end.failure()]
            raise LaboratoryError(
                f"no Child SA: {'; '.join(reasons) or f'nothing answered within {timeout_seconds:.0f} s'}"
            )
        return found

    def status(self) -> dict[str, EndStatus]:
        """What each end says, by side."""
        return {side: end.status() for side, end in self.ends.items()}

    def restart(self, side: str, *, politely: bool = False) -> None:
        """End one end, without a word to the other unless politely, and start it anew; it has forgotten everything."""
        self.ends[side].stop(politely=politely)
        self.ends[side].start()

    def _make_end(self, side: str) -> End:
        here, there = self.host(side), self.host("B" if side == "A" else "A")
        if self.arrangement.is_strongswan(side):
            return StrongSwanEnd(side, here, there, self._psk, self.arrangement)
        if self._files is None:
            file = read_endpoint_text(endpoint_text(self.arrangement, here, there, self._psk))
        else:
            file = self._files[SIDES.index(side)]
        key_log = None if self._key_log is None else self._key_log / side
        return OwnEnd(side, here, file, self.arrangement, key_log)

    def _make_hosts(self, stack: contextlib.ExitStack) -> Hosts:
        wanted = self.arrangement.impairment
        netem = wanted.needs_relay and _kernel_has_netem()
        hosts = stack.enter_context(two_hosts(self.arrangement.nat, relay=wanted.needs_relay and not netem))
        between = [host for host in (hosts.local, hosts.peer, hosts.nat, hosts.relay) if host is not None]
        if self.arrangement.mtu != 1500:
            for host in between:
                for interface in _interfaces(host):
                    impairment.set_mtu(host, self.arrangement.mtu, interface)
        if hosts.relay is not None:
            self._start_relay(stack, hosts.relay)
            wanted = replace(wanted, loss_percent=0.0, delay_ms=0.0, reorder_percent=0.0, duplicate_percent=0.0)
        for host in (hosts.local, hosts.peer):
            if netem:
                impairment.apply_netem(host, wanted)
                continue
            if wanted.loss_percent:
                impairment.apply_loss(host, wanted.loss_percent)
            if wanted.rate_mbit:
                impairment.apply_rate(host, wanted.rate_mbit)
        return hosts

    def _start_relay(self, stack: contextlib.ExitStack, host: Host) -> None:
        process = host.start(*relay.arguments(self.arrangement.impairment), output=subprocess.PIPE)
        stack.callback(_end, process)
        if process.stdout is None or process.stdout.readline().strip() != b"ready":
            raise LaboratoryError("the relay between the hosts did not start")


def _kernel_has_netem() -> bool:
    with two_hosts() as hosts:
        return impairment.has_netem(hosts.local)


def _interfaces(host: Host) -> list[str]:
    lines = host.run("ip", "-o", "link", "show", "type", "veth").stdout.splitlines()
    return [line.split(": ")[1].partition("@")[0] for line in lines]


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()
