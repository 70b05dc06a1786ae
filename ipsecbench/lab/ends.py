"""The ends of a laboratory: an endpoint of ours or strongSwan, alike to whoever runs the laboratory."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from ipsecbench.errors import LaboratoryError
from ipsecbench.ike.endpoint import Endpoint
from ipsecbench.ike.events import ChildSaFailed, Event, IkeSaDeleted, IkeSaFailed
from ipsecbench.lab.arrangement import CHILD, CONNECTION, Arrangement
from ipsecbench.lab.driver import Driver, open_sockets, system_environment
from ipsecbench.lab.end_status import (
    ChildSaStatus,
    EndStatus,
    own_child_sa,
    own_ike_sa,
    strongswan_ike_sa,
)
from ipsecbench.lab.endpoint_file import EndpointFile, read_endpoint_file
from ipsecbench.lab.key_log_files import KeyLogFiles
from ipsecbench.lab.namespaces import Host, private_folder
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


class OwnEnd:
    """An endpoint of ours, with its data plane, in a host."""

    def __init__(
        self,
        side: str,
        host: Host,
        config: str,
        arrangement: Arrangement,
        key_log: Path | None = None,
    ) -> None:
        """
        Args:
            side: A or B.
            host: where it runs.
            config: its configuration file as text.
            arrangement: of the laboratory.
            key_log: folder for the keys.
        """
        self.side, self.host = side, host
        self._arrangement = arrangement
        self._key_log_folder = key_log
        self._key_log: KeyLogFiles | None = None
        self._driver: Driver | None = None
        self._lines: list[str] = []
        self._file = self._read(config)

    def _read(self, config: str) -> EndpointFile:
        # The file has a secret in it, and is there for a moment only.
        folder = private_folder()
        try:
            path = folder / "endpoint.toml"
            path.write_text(config)
            return read_endpoint_file(path, system_environment().certificates)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @property
    def device(self) -> str:
        """See :class:`End`."""
        return ""

    @property
    def log(self) -> list[str]:
        """See :class:`End`."""
        return list(self._lines)

    @property
    def driver(self) -> Driver:
        """What runs it.

        Raises:
            LaboratoryError: nothing does.
        """
        if self._driver is None:
            raise LaboratoryError(f"the end {self.side} is not running")
        return self._driver

    def start(self) -> None:
        """See :class:`End`."""
        self._key_log = None if self._key_log_folder is None else KeyLogFiles(self._key_log_folder)
        sockets = self.host.call(lambda: open_sockets(self._file.configuration))
        self._driver = Driver(
            self._file.configuration, sockets, system_environment(), log=self._note, key_log=self._key_log
        )
        self._driver.start()

    def _note(self, line: str) -> None:
        self._lines.append(line)
        del self._lines[:-_LOG_LINES]

    def initiate(self) -> None:
        """See :class:`End`."""
        self.driver.call(lambda endpoint, now: endpoint.initiate(CONNECTION, now, [CHILD]))

    def status(self) -> EndStatus:
        """See :class:`End`."""
        sas = self.driver.call(
            lambda endpoint, _now: [
                (info, tuple(association.child_sas))
                for association in endpoint.associations()
                if (info := association.info) is not None and not association.finished
            ]
        )
        rows = tuple(own_ike_sa(info, tuple(own_child_sa(child) for child in children)) for info, children in sas)
        return EndStatus(
            side=self.side,
            host=self.host.name,
            program="ipsecbench",
            dataplane="none",
            running=True,
            outer_address=self._arrangement.outer_address(self.host),
            inner_address=self._arrangement.inner_address(self.host),
            ike_sas=rows,
        )

    def failure(self) -> str:
        """See :class:`End`."""
        events: list[Event] = [] if self._driver is None else self._driver.events
        failed = [event for event in events if isinstance(event, IkeSaFailed | ChildSaFailed | IkeSaDeleted)]
        return failed[-1].reason if failed else ""

    def stop(self, *, politely: bool = True) -> None:
        """See :class:`End`."""
        driver, self._driver = self._driver, None
        if driver is not None:
            if not politely:
                driver.call(_abandon_everything)
            driver.stop(_POLITE_SECONDS if politely else 0.0)
        if self._key_log is not None:
            self._key_log.close()
            self._key_log = None


def _abandon_everything(endpoint: Endpoint, now: float) -> None:
    for association in endpoint.associations():
        association.abandon("the host restarted", now)


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
        self._daemon.load(CONNECTION, self._arrangement.strongswan_connection(self.host, self._there))
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
