"""The agent as a data plane: ESP in C over TUN (docs/agent-esp.md), in a process of its own without privileges."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ipsecbench.agent.client import AgentClient
from ipsecbench.dataplane.interface import (
    PlaneEvent,
    PlaneEventKind,
    PlaneKind,
    PlaneStatistics,
    SaStatistics,
)
from ipsecbench.errors import AgentError, CorrectnessError, DataPlaneError, MeasurementError
from ipsecbench.esp.configuration import (
    Direction,
    PolicyConfiguration,
    SaConfiguration,
    SaLimits,
    SelectorPair,
    UdpEncapsulation,
)
from ipsecbench.esp.traffic_selector import TrafficSelector

_NOBODY = 65534
"""User and group of the agent once it is open."""
_ORDER_SECONDS = 20.0


class AgentPlane:
    """One running agent with its own TUN queues and sockets.

    The agent gets the descriptors; here they are closed, so that devices and ports are gone with the agent, whatever
    ends it.

    Args:
        tun_fds: descriptors of one TUN device, one for each queue (and thread).
        udp_sockets: UDP sockets for ESP in UDP, bound; the first of each address family belongs to the first queue.
        raw_sockets: raw sockets of IP protocol 50, likewise.
        cores: processors that the threads are bound to, one for each queue; empty: any.
        vnet_header: whether the TUN device has IFF_VNET_HDR.
        split_cpu: also measure which part of the work takes how long (``cpu_ns``), at a small cost.
        provider: the only library whose ciphers are used: ``libipsec-mb``, ``libcrypto`` or ``libgcrypt``; default: for
            each suite the fastest that has it, in this order.
        path: the agent's executable; default: the one that ``find`` finds.

    Raises:
        DataPlaneError: there is no agent, or it cannot use the descriptors.
    """

    def __init__(
        self,
        *,
        tun_fds: Sequence[int],
        udp_sockets: Sequence[socket.socket] = (),
        raw_sockets: Sequence[socket.socket] = (),
        cores: Sequence[int] = (),
        vnet_header: bool = True,
        split_cpu: bool = False,
        provider: str | None = None,
        path: Path | None = None,
    ) -> None:
        sockets = [*udp_sockets, *raw_sockets]
        queues = _queues(tun_fds, udp_sockets, raw_sockets, cores)
        self._agent: AgentClient | None = None
        try:
            self._agent = AgentClient(
                path, arguments=["esp"], descriptors=[*tun_fds, *(sock.fileno() for sock in sockets)]
            )
            user = _unprivileged_user()
            self._request(
                "open",
                queues=queues,
                vnet_header=vnet_header,
                split_cpu=split_cpu,
                provider=provider,
                uid=user,
                gid=user,
            )
        except AgentError as error:
            raise DataPlaneError(str(error)) from error
        except BaseException:
            self.close()
            raise
        finally:
            for descriptor in tun_fds:
                with contextlib.suppress(OSError):
                    os.close(descriptor)
            for sock in sockets:
                sock.close()

    @property
    def kind(self) -> PlaneKind:
        """Which one."""
        return PlaneKind.AGENT

    @property
    def pid(self) -> int:
        """Number of the agent's process; 0 when it has been closed."""
        return 0 if self._agent is None else self._agent.pid

    def add_sa(self, sa: SaConfiguration) -> None:
        """Put an SA to use; see :class:`ipsecbench.dataplane.interface.DataPlane`."""
        self._request("add-sa", **sa_order(sa))

    def remove_sa(self, direction: Direction, spi: int) -> None:
        """Forget an SA and its keys."""
        self._request("remove-sa", direction=direction, spi=spi)

    def move_sa(
        self, direction: Direction, spi: int, source: str, destination: str, encapsulation: UdpEncapsulation | None
    ) -> None:
        """Let an SA live on between other addresses and ports."""
        self._request(
            "move-sa",
            direction=direction,
            spi=spi,
            source=source,
            destination=destination,
            encapsulation=_encapsulation(encapsulation),
        )

    def add_policy(self, policy: PolicyConfiguration) -> None:
        """Add an entry to the SPD."""
        self._request("add-policy", **_policy_order(policy))

    def remove_policy(self, policy: PolicyConfiguration) -> None:
        """Remove an entry of the SPD."""
        self._request("remove-policy", **_policy_order(policy))

    def sa_statistics(self, direction: Direction, spi: int) -> SaStatistics:
        """What an SA has carried."""
        answer = self._request("sa-statistics", direction=direction, spi=spi)
        return SaStatistics(
            answer["packets"], answer["bytes"], answer["replayed"], answer["forged"], answer["idle_ms"] / 1000
        )

    def sa_provider(self, direction: Direction, spi: int) -> str:
        """The library that does the work for an SA, by the agent's name, such as ``libcrypto``.

        Raises:
            DataPlaneError: there is no such SA.
        """
        return str(self._request("sa-statistics", direction=direction, spi=spi)["provider"])

    def statistics(self) -> PlaneStatistics:
        """What the plane has done so far."""
        answer = self._request("statistics")
        return PlaneStatistics(
            answer["outbound_packets"],
            answer["outbound_bytes"],
            answer["inbound_packets"],
            answer["inbound_bytes"],
            answer["dropped"],
            answer["cpu_ns"],
        )

    def counts(self) -> dict[str, Any]:
        """Everything that the agent counts, by thread too: the answer to ``statistics`` (docs/agent-esp.md)."""
        return self._request("statistics")

    def take_events(self) -> list[PlaneEvent]:
        """What happened since the last call."""
        return [
            PlaneEvent(
                PlaneEventKind(event["kind"]),
                Direction(event["direction"]),
                event["spi"],
                event.get("source", ""),
                event.get("source_port", 0),
            )
            for event in self._request("events")["events"]
        ]

    def close(self) -> None:
        """End the agent; its SAs, keys and devices are gone with it. Safe to call more than once."""
        if self._agent is not None:
            self._agent.close()
            self._agent = None

    def _request(self, command: str, **fields: Any) -> dict[str, Any]:
        if self._agent is None:
            raise DataPlaneError("the data plane has been closed")
        try:
            return self._agent.request(command, timeout=_ORDER_SECONDS, **fields)
        except (AgentError, CorrectnessError, MeasurementError) as error:
            raise DataPlaneError(f"data plane: {error}") from error


def sa_order(sa: SaConfiguration) -> dict[str, Any]:
    """An SA as the order ``add-sa`` has it."""
    return {
        "direction": sa.direction,
        "spi": sa.spi,
        "reqid": sa.reqid,
        "suite": sa.suite.name,
        "encryption_key": sa.encryption_key.reveal().hex(),
        "integrity_key": None if sa.integrity_key is None else sa.integrity_key.reveal().hex(),
        "mode": sa.mode,
        "source": sa.source,
        "destination": sa.destination,
        "esn": sa.esn,
        "replay_window_packets": sa.replay_window_packets,
        "encapsulation": _encapsulation(sa.encapsulation),
        "layering": sa.layering,
        "selectors": [_pair(pair) for pair in sa.selectors],
        "limits": _limits(sa.limits),
        "path_mtu_bytes": sa.path_mtu_bytes,
        "dont_fragment": sa.dont_fragment,
        "fragmentation": sa.fragmentation,
        "copy_dscp": sa.copy_dscp,
        "tfc_bytes": sa.tfc_bytes,
    }


def _policy_order(policy: PolicyConfiguration) -> dict[str, Any]:
    return {
        "direction": policy.direction,
        "selectors": [_pair(pair) for pair in policy.selectors],
        "action": policy.action,
        "reqid": policy.reqid,
        "priority": policy.priority,
    }


def _encapsulation(ports: UdpEncapsulation | None) -> dict[str, int] | None:
    return None if ports is None else {"source_port": ports.source_port, "destination_port": ports.destination_port}


def _limits(limits: SaLimits) -> dict[str, int | float]:
    return {
        "soft_bytes": limits.soft_bytes,
        "hard_bytes": limits.hard_bytes,
        "soft_packets": limits.soft_packets,
        "hard_packets": limits.hard_packets,
        "soft_seconds": round(limits.soft_seconds, 3),
        "hard_seconds": round(limits.hard_seconds, 3),
    }


def _pair(pair: SelectorPair) -> dict[str, Any]:
    return {"source": _selector(pair.source), "destination": _selector(pair.destination)}


def _selector(selector: TrafficSelector) -> dict[str, Any]:
    kind = ipaddress.IPv4Address if selector.version == 4 else ipaddress.IPv6Address
    return {
        "version": selector.version,
        "start": str(kind(selector.start)),
        "end": str(kind(selector.end)),
        "protocol": selector.protocol,
        "start_port": selector.start_port,
        "end_port": selector.end_port,
    }


def _queues(
    tun_fds: Sequence[int],
    udp_sockets: Sequence[socket.socket],
    raw_sockets: Sequence[socket.socket],
    cores: Sequence[int],
) -> list[dict[str, int]]:
    """The queues of the order ``open``: to each its descriptors."""
    if not tun_fds:
        raise DataPlaneError("the agent needs at least one descriptor of a TUN device")
    if cores and len(cores) != len(tun_fds):
        raise DataPlaneError(f"{len(tun_fds)} queues cannot be bound to {len(cores)} processors: name one for each")
    queues = [{"tun": descriptor} for descriptor in tun_fds]
    for name, sockets in (("udp", udp_sockets), ("raw", raw_sockets)):
        for family, version in ((socket.AF_INET, 4), (socket.AF_INET6, 6)):
            own = [sock for sock in sockets if sock.family == family]
            if len(own) > len(queues):
                raise DataPlaneError(f"{len(own)} {name} sockets for IPv{version} and {len(queues)} queues")
            for queue, sock in zip(queues, own, strict=False):
                queue[f"{name}{version}"] = sock.fileno()
    for queue, core in zip(queues, cores, strict=False):
        queue["core"] = core
    return queues


def _unprivileged_user() -> int | None:
    """The user that the agent becomes; None where it is one already, or none exists in this user namespace."""
    if os.geteuid() != 0:
        return None
    try:
        lines = Path("/proc/self/uid_map").read_text().splitlines()
    except OSError:
        return None
    ranges = [(int(first), int(count)) for first, _, count in (line.split() for line in lines)]
    return _NOBODY if any(first <= _NOBODY < first + count for first, count in ranges) else None
