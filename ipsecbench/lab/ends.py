"""The ends of a laboratory: an endpoint of ours or strongSwan, alike to whoever runs the laboratory."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Protocol

from ipsecbench.errors import LaboratoryError
from ipsecbench.lab.arrangement import CHILD, CONNECTION, Arrangement
from ipsecbench.lab.end_configuration import strongswan_connection
from ipsecbench.lab.end_status import (
    ChildSaStatus,
    EndStatus,
    strongswan_ike_sa,
)
from ipsecbench.lab.namespaces import Host
from ipsecbench.lab.strongswan import StrongSwan

_POLITE_SECONDS = 3.0
_LOG_LINES = 200


class End(Protocol):
    """One end."""

    side: str
    """A or B."""
    host: Host
    """Where it runs."""

    @property
    def device(self) -> str:
        """Name of the network device that traffic of the SA enters by; empty where there is none."""

    @property
    def log(self) -> list[str]:
        """The newest lines that it logged."""

    def start(self) -> None:
        """Begin to listen.

        Raises:
            IpsecbenchError: it cannot.
        """

    def initiate(self) -> None:
        """Order the connection, and do not wait."""

    def status(self) -> EndStatus:
        """What it says of itself."""

    def failure(self) -> str:
        """Why the connection could not be set up; empty where nothing failed."""

    def stop(self, *, politely: bool = True) -> None:
        """End it: politely, with a word to the peer, or as by a crash. Safe to call more than once."""


class StrongSwanEnd:
    """strongSwan in a host, with the userspace ESP of kernel-libipsec."""

    device = "ipsec0"

    def __init__(self, side: str, host: Host, there: Host, psk: str, arrangement: Arrangement) -> None:
        """
        Args:
            side: A or B.
            host: where it runs.
            there: the other host.
            psk: hexadecimal digits of the pre-shared key.
            arrangement: of the laboratory.
        """
        self.side, self.host, self._there = side, host, there
        self._psk = bytes.fromhex(psk)
        self._arrangement = arrangement
        self._stack = contextlib.ExitStack()
        self._daemon: StrongSwan | None = None
        self._failure = ""

    @property
    def daemon(self) -> StrongSwan:
        """The daemon.

        Raises:
            LaboratoryError: it is not running.
        """
        if self._daemon is None:
            raise LaboratoryError(f"strongSwan at {self.side} is not running")
        return self._daemon

    @property
    def log(self) -> list[str]:
        """See :class:`End`."""
        return [] if self._daemon is None else self._daemon.log.splitlines()[-_LOG_LINES:]

    def start(self) -> None:
        """See :class:`End`."""
        self._daemon = self._stack.enter_context(StrongSwan(self.host))
        self._daemon.load(CONNECTION, strongswan_connection(self._arrangement, self.host, self._there))
        self._daemon.load_shared_key(self._psk)

    def initiate(self) -> None:
        """See :class:`End`."""
        self._failure = ""
        try:
            self.daemon.initiate(CONNECTION, CHILD, timeout_seconds=10.0)
        except LaboratoryError as error:
            self._failure = str(error)

    def status(self) -> EndStatus:
        """See :class:`End`."""
        sas = tuple(strongswan_ike_sa(sa) for sa in self.daemon.ike_sas())
        children = [child for sa in sas for child in sa.children]
        return EndStatus(
            side=self.side,
            host=self.host.name,
            program="strongswan",
            dataplane="kernel-libipsec",
            running=True,
            outer_address=self._arrangement.outer_address(self.host),
            inner_address=self._arrangement.inner_address(self.host),
            ike_sas=sas,
            packets_in=_sum(children, lambda child: child.packets_in),
            bytes_in=_sum(children, lambda child: child.bytes_in),
            packets_out=_sum(children, lambda child: child.packets_out),
            bytes_out=_sum(children, lambda child: child.bytes_out),
            cpu_ns={"total": round(self.daemon.processor_seconds * 1e9)},
        )

    def failure(self) -> str:
        """See :class:`End`."""
        return self._failure

    def stop(self, *, politely: bool = True) -> None:
        """See :class:`End`."""
        daemon, self._daemon = self._daemon, None
        if daemon is not None and not politely:
            daemon.kill()
        self._stack.close()


def _sum(children: list[ChildSaStatus], value: Callable[[ChildSaStatus], int]) -> int:
    return sum(map(value, children))


def wait_until(condition: Callable[[], bool], timeout_seconds: float, pause_seconds: float = 0.02) -> bool:
    """Whether a condition came true in time."""
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause_seconds)
    return True
