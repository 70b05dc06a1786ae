"""A data plane that records what it is told, and a network on which two of them carry packets in virtual time."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, replace
from typing import Any

from ipsecbench.dataplane.child_sas import ChildSaInstaller
from ipsecbench.dataplane.child_traffic import TrafficConfiguration
from ipsecbench.dataplane.interface import PlaneEvent, PlaneKind, PlaneStatistics, SaStatistics
from ipsecbench.errors import DataPlaneError
from ipsecbench.esp.configuration import (
    Direction,
    PolicyConfiguration,
    SaConfiguration,
    UdpEncapsulation,
)
from ipsecbench.esp.traffic_selector import TrafficSelector
from ipsecbench.ike.configuration import EndpointConfiguration
from tests.exchanges.network import Network, Node


class RecordingPlane:
    """SAs and policies as a real plane keeps them: refuses what is there already."""

    kind = PlaneKind.REFERENCE

    def __init__(self) -> None:
        self.calls: list[str] = []
        """Everything in order: ``+in SPI``, ``-out SPI``, ``+policy in REQID`` …"""
        self.sas: dict[tuple[Direction, int], SaConfiguration] = {}
        """In the order of their addition."""
        self.policies: list[PolicyConfiguration] = []
        self.events: deque[PlaneEvent] = deque()
        self.carried: Counter[tuple[Direction, int]] = Counter()
        self.refuses: set[str] = set()
        """Names of suites that it does not have."""
        self.dead = False

    def _call(self, text: str) -> None:
        if self.dead:
            raise DataPlaneError("the data plane has ended")
        self.calls.append(text)

    def add_sa(self, sa: SaConfiguration) -> None:
        self._call(f"+{_short(sa.direction)} {sa.spi:x}")
        if sa.suite.name in self.refuses:
            raise DataPlaneError(f"there is no {sa.suite.name} here")
        if (sa.direction, sa.spi) in self.sas:
            raise DataPlaneError(f"SPI {sa.spi:x} is in use")
        self.sas[sa.direction, sa.spi] = sa

    def remove_sa(self, direction: Direction, spi: int) -> None:
        self._call(f"-{_short(direction)} {spi:x}")
        self.sas.pop((direction, spi), None)

    def move_sa(
        self, direction: Direction, spi: int, source: str, destination: str, encapsulation: UdpEncapsulation | None
    ) -> None:
        self._call(f"move {_short(direction)} {spi:x} {source} {destination}")
        sa = self.sas[direction, spi]
        moved = replace(sa, source=source, destination=destination, encapsulation=encapsulation)
        self.sas[direction, spi] = moved

    def add_policy(self, policy: PolicyConfiguration) -> None:
        self._call(f"+policy {_short(policy.direction)} {policy.reqid}")
        if policy in self.policies:
            raise DataPlaneError("the policy is there already")
        self.policies.append(policy)

    def remove_policy(self, policy: PolicyConfiguration) -> None:
        self._call(f"-policy {_short(policy.direction)} {policy.reqid}")
        if policy in self.policies:
            self.policies.remove(policy)

    def sa_statistics(self, direction: Direction, spi: int) -> SaStatistics:
        if (direction, spi) not in self.sas:
            raise DataPlaneError("there is no such SA")
        packets = self.carried[direction, spi]
        return SaStatistics(packets, packets * 1000)

    def statistics(self) -> PlaneStatistics:
        return PlaneStatistics(0, 0, 0, 0, {}, {})

    def take_events(self) -> list[PlaneEvent]:
        if self.dead:
            raise DataPlaneError("the data plane has ended")
        taken = list(self.events)
        self.events.clear()
        return taken

    def close(self) -> None:
        self.sas.clear()

    # Packets.

    def spis(self, direction: Direction) -> list[int]:
        """SPIs of one direction, the oldest first."""
        return [spi for side, spi in self.sas if side is direction]

    def seal(self) -> SaConfiguration | None:
        """The SA that carries a packet now: the newest with the reqid of the first outbound policy."""
        for policy in self.policies:
            if policy.direction is Direction.OUTBOUND:
                found = [
                    sa
                    for (direction, _), sa in self.sas.items()
                    if direction is Direction.OUTBOUND and sa.reqid == policy.reqid
                ]
                if found:
                    self.carried[Direction.OUTBOUND, found[-1].spi] += 1
                return found[-1] if found else None
        return None

    def opens(self, sealed: SaConfiguration) -> bool:
        """Whether a packet that another plane has sealed is accepted: an SA with its keys, and a policy."""
        sa = self.sas.get((Direction.INBOUND, sealed.spi))
        if sa is None or sa.encryption_key != sealed.encryption_key or sa.integrity_key != sealed.integrity_key:
            return False
        admitted = any(policy.direction is Direction.INBOUND and policy.reqid == sa.reqid for policy in self.policies)
        if admitted:
            self.carried[Direction.INBOUND, sealed.spi] += 1
        return admitted


def _short(direction: Direction) -> str:
    return "in" if direction is Direction.INBOUND else "out"


class RecordingRoutes:
    """Routes that are only counted."""

    def __init__(self) -> None:
        self.wanted: Counter[str] = Counter()

    def protect(self, local: tuple[TrafficSelector, ...], remote: tuple[TrafficSelector, ...]) -> None:
        self.wanted.update(map(str, remote))

    def unprotect(self, local: tuple[TrafficSelector, ...], remote: tuple[TrafficSelector, ...]) -> None:
        self.wanted.subtract(map(str, remote))


@dataclass
class Loss:
    """Packets of one end that were sent, and those that the other one did not accept."""

    sent: int = 0
    lost: int = 0


class TrafficNetwork(Network):
    """A network whose nodes have data planes. An endpoint's events are handled before its datagrams are under way."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.planes: dict[str, RecordingPlane] = {}
        self.installers: dict[str, ChildSaInstaller] = {}
        self.losses: dict[str, Loss] = {}

    def add(self, name: str, configuration: EndpointConfiguration, traffic: TrafficConfiguration | None = None) -> Node:
        node = super().add(name, configuration)
        self.planes[name] = RecordingPlane()
        self.installers[name] = ChildSaInstaller(self.planes[name], traffic)
        self.losses[name] = Loss()
        return node

    def settle(self, node: Node) -> None:
        seen = len(node.events)
        flights = len(self.under_way)
        super().settle(node)
        # What is under way by now arrives later than this in any case.
        assert len(self.under_way) >= flights
        for event in node.events[seen:]:
            self.installers[node.name].handle(event, self.now)

    def carry(self, seconds: float, each: float = 0.002, latency: float = 0.01) -> None:
        """Let the network work while both ends send a packet every ``each`` seconds, once they have an SA."""
        under_way: deque[tuple[float, str, SaConfiguration | None]] = deque()
        end = self.now + seconds
        while self.now < end or under_way:
            self.run(each)
            while under_way and under_way[0][0] <= self.now:
                _, sender, sealed = under_way.popleft()
                (receiver,) = (name for name in self.planes if name != sender)
                if sealed is None or not self.planes[receiver].opens(sealed):
                    self.losses[sender].lost += 1
            for node in self.nodes:
                installer = self.installers[node.name]
                if installer.next_timeout() <= self.now:
                    installer.poll(node.endpoint, self.now)
                    self.settle(node)
                plane = self.planes[node.name]
                if self.now < end and plane.policies:
                    self.losses[node.name].sent += 1
                    under_way.append((self.now + latency, node.name, plane.seal()))
