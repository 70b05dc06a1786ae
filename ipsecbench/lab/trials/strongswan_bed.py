"""Two hosts with strongSwan at both ends and its userspace ESP (kernel-libipsec), for comparison.

Its daemon is the data plane, so bursts stop and time the whole daemon. It always puts ESP in UDP.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ipsecbench.errors import LaboratoryError
from ipsecbench.lab.namespaces import Host, Hosts, two_hosts
from ipsecbench.lab.strongswan import StrongSwan
from ipsecbench.lab.trials.burst import Counts, Flow
from ipsecbench.lab.trials.frozen import prefer
from ipsecbench.lab.trials.own_bed import (
    CONNECTION,
    IKE_PROPOSAL,
    LARGE_MTU_BYTES,
    InjectionQueue,
    checked,
    drop_rules,
    flow_of,
)

BURST_PACKETS = 84
"""Whole cycles of IMIX, and what the daemon's socket holds with the system's usual buffer."""
_DEVICE = "ipsec0"
_SET_UP_SECONDS = 5.0


@dataclass(frozen=True)
class StrongSwanStation:
    """A host with a daemon."""

    daemon: StrongSwan
    queue: InjectionQueue

    @property
    def process_id(self) -> int:
        """The daemon."""
        return self.daemon.process_id

    def counts(self) -> Counts:
        """What its Child SAs have carried."""
        children = [child for sa in self.daemon.ike_sas() for child in sa.children]
        return Counts(sum(child.packets_out for child in children), sum(child.packets_in for child in children))

    def inject(self, packets: Sequence[bytes], count: int) -> None:
        """Put packets into the queue of the TUN device."""
        self.queue.put(packets, count)


class StrongSwanBed:
    """Two hosts, from ``with`` to the end of its block.

    Args:
        suites: each gets a Child SA; those that strongSwan does not set up are left out of :attr:`flows`.
        cores: processors that the daemons are pinned to; None: any.
        preferred: give the daemons the right of way over whatever else runs, where that is allowed.
        link_mtu_bytes: of the link between the hosts.
    """

    provider = "strongswan"
    ike_proposal = IKE_PROPOSAL
    encapsulation = "udp"

    def __init__(
        self,
        suites: Sequence[str],
        *,
        cores: tuple[int | None, int | None] = (None, None),
        preferred: bool = False,
        link_mtu_bytes: int = LARGE_MTU_BYTES,
    ) -> None:
        self._wanted = {suite: flow_of(number) for number, suite in enumerate(suites, start=1)}
        self.flows: Mapping[str, Flow] = {}
        self.refused: dict[str, str] = {}
        """Suites that were not set up, with the reason."""
        self._cores = cores
        self._prefer = preferred
        self._link_mtu_bytes = link_mtu_bytes
        self._stack = contextlib.ExitStack()
        self.hosts: Hosts
        self.sender: StrongSwanStation
        self.receiver: StrongSwanStation

    def __enter__(self) -> Self:
        """Make the hosts, start the daemons and negotiate.

        Raises:
            LaboratoryError: strongSwan is not here, or no suite came up.
        """
        with contextlib.ExitStack() as stack:
            self.hosts = stack.enter_context(two_hosts())
            ends = (self.hosts.local, self.hosts.peer)
            daemons = []
            secret = secrets.token_bytes(32)
            for here, there in (ends, ends[::-1]):
                checked(here, "ip", "link", "set", "eth0", "mtu", str(self._link_mtu_bytes))
                for flow in self._wanted.values():
                    # strongSwan makes its route from an address that an interface really has.
                    own = flow.source if here is self.hosts.local else flow.destination
                    checked(here, "ip", "addr", "add", f"{own}/32", "dev", "lo")
                daemon = stack.enter_context(StrongSwan(here))
                daemon.load_shared_key(secret)
                daemon.load(CONNECTION, self._connection(here, there))
                daemons.append(daemon)
            self._set_up(daemons[0])
            self.sender, self.receiver = (self._station(stack, daemon) for daemon in daemons)
            for station, core in zip((self.sender, self.receiver), self._cores, strict=True):
                _pin(station.process_id, core)
                if self._prefer:
                    prefer(station.process_id)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _set_up(self, initiator: StrongSwan) -> None:
        flows = {}
        for suite, flow in self._wanted.items():
            try:
                initiator.initiate(CONNECTION, suite, timeout_seconds=_SET_UP_SECONDS)
                flows[suite] = flow
            except LaboratoryError as error:
                self.refused[suite] = str(error)
        if not flows:
            raise LaboratoryError(f"strongSwan set up none of the suites: {next(iter(self.refused.values()))}")
        self.flows = flows

    def _station(self, stack: contextlib.ExitStack, daemon: StrongSwan) -> StrongSwanStation:
        checked(daemon.host, "ip", "link", "set", _DEVICE, "mtu", str(self._link_mtu_bytes - 100))
        checked(daemon.host, "nft", drop_rules(_DEVICE))
        queue = InjectionQueue(daemon.host, _DEVICE)
        stack.callback(queue.close)
        return StrongSwanStation(daemon, queue)

    def _connection(self, here: Host, there: Host) -> dict[str, Any]:
        is_a = here is self.hosts.local
        children = {
            suite: {
                "local_ts": [f"{flow.source if is_a else flow.destination}/32"],
                "remote_ts": [f"{flow.destination if is_a else flow.source}/32"],
                "esp_proposals": [suite],
                "rekey_time": "0s",
            }
            for suite, flow in self._wanted.items()
        }
        return {
            "version": "2",
            "local_addrs": [here.ipv4],
            "remote_addrs": [there.ipv4],
            "proposals": [IKE_PROPOSAL],
            "rekey_time": "0s",
            "local": {"auth": "psk", "id": here.ipv4},
            "remote": {"auth": "psk", "id": there.ipv4},
            "children": children,
        }


def _pin(process_id: int, core: int | None) -> None:
    """Bind every thread of a process to a processor."""
    if core is None:
        return
    for task in Path(f"/proc/{process_id}/task").iterdir():
        with contextlib.suppress(OSError):
            os.sched_setaffinity(int(task.name), {core})
