"""Puts the Child SAs of an IKE endpoint to use in a data plane, so that no packet is lost when they are replaced.

Sans-IO: it is given events and the time. The rules, for both versions of IKE and both roles:

- A new Child SA is installed in both directions before anything leaves that could tell the peer of it.
- One that IKE has prepared, and not yet confirmed, opens packets and seals none.
- One that replaces another opens packets at once. It seals them at once where the peer is known to have it: the
  initiator of an IKEv2 rekeying has its answer, the responder of an IKEv1 quick mode its last message. The other end
  goes on with the old one until that is deleted, or packets have come in with the new one, and for
  :data:`LATEST_SWITCH_SECONDS` at most.
- A Child SA that was deleted and has a successor opens packets for :data:`LINGER_SECONDS` more: some are under way.
- Rekeying of an IKE SA does not touch its Child SAs.
- Of two that replaced the same one (both ends at once) the newest that the peer is known to have is used, and the other
  when that is deleted.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol

from ipsecbench.dataplane.child_traffic import (
    ChildTraffic,
    TrafficConfiguration,
    carried,
    encapsulation_of,
    ends_of,
    policy_of,
    sa_of,
)
from ipsecbench.dataplane.interface import DataPlane, PlaneEvent, PlaneEventKind, SaStatistics
from ipsecbench.errors import DataPlaneError, UsageError
from ipsecbench.esp.configuration import Direction, PolicyConfiguration
from ipsecbench.esp.mode import Mode
from ipsecbench.esp.traffic_selector import TrafficSelector
from ipsecbench.ike.association import Association
from ipsecbench.ike.events import (
    ChildSaDeleted,
    ChildSaEstablished,
    ChildSaInfo,
    ChildSaPrepared,
    ChildSaRekeyed,
    ChildSaWithdrawn,
    Event,
    IkeSaDeleted,
    IkeSaEstablished,
    IkeSaRekeyed,
    PathChanged,
)
from ipsecbench.ike.path import Address, Path

LINGER_SECONDS = 5.0
"""How long a replaced Child SA opens packets after it was deleted."""
SWITCH_SECONDS = 1.0
"""How often it is looked whether packets have come in with a Child SA that the peer may not have yet."""
LATEST_SWITCH_SECONDS = 10.0
"""When such a Child SA is used in any case."""
POLL_SECONDS = 1.0
"""How often a data plane is asked for what has happened."""
_REPORTS_AT_ONCE = 64


class Orders(Protocol):
    """What is asked of the IKE endpoint (:class:`ipsecbench.ike.endpoint.Endpoint`)."""

    def report_traffic(self, inbound_spi: bytes, octets: int, packets: int, now: float) -> None:
        """What a Child SA has carried so far."""

    def report_path(self, inbound_spi: bytes, remote: Address, now: float) -> None:
        """An authentic ESP packet of a Child SA has come from this address."""

    def order(self, unique_id: int, action: Callable[[Association], None]) -> None:
        """Have something done to an IKE SA."""


class RouteKeeper(Protocol):
    """What is routed into the data plane (:class:`ipsecbench.dataplane.routes.Routes`)."""

    def protect(self, local: tuple[TrafficSelector, ...], remote: tuple[TrafficSelector, ...]) -> None:
        """Lead packets into it."""

    def unprotect(self, local: tuple[TrafficSelector, ...], remote: tuple[TrafficSelector, ...]) -> None:
        """No longer."""


@dataclass(eq=False, slots=True)
class _Child:
    """One Child SA that IKE holds."""

    info: ChildSaInfo
    family: _Family
    seals: bool = False
    """Whether its outbound SA was added."""
    replaces: bytes = b""
    """Inbound SPI of the one that it replaced."""
    look_at: float = 0.0
    """When to look whether the peer uses it."""
    latest_at: float = 0.0
    """When it is used in any case."""
    replaced: bool = False
    """Whether another one has its place."""
    prepared: bool = False
    """Whether it opens packets only, since the peer has not confirmed it yet."""

    @property
    def spi(self) -> bytes:
        """Its name."""
        return self.info.inbound_spi


@dataclass(eq=False, slots=True)
class _Family:
    """Child SAs for the same traffic, the oldest first: they share a reqid and the policies."""

    key: object
    """What they have in common."""
    reqid: int
    traffic: ChildTraffic
    members: list[_Child] = field(default_factory=list)
    policies: list[PolicyConfiguration] = field(default_factory=list)
    routed: bool = False


class ChildSaInstaller:
    """See the module. It belongs to the thread of the data plane and of the endpoint.

    Args:
        plane: the data plane; whoever made it closes it.
        configuration: how traffic is carried.
        routes: where traffic is routed into the data plane; None where that is not needed.
    """

    def __init__(
        self,
        plane: DataPlane,
        configuration: TrafficConfiguration | None = None,
        routes: RouteKeeper | None = None,
    ) -> None:
        self.plane = plane
        self.log: Callable[[str, str], None] = lambda cause, text: None
        """Takes a cause (a stable word) and a line; the driver sets it to that of the endpoint."""
        self._configuration = configuration or TrafficConfiguration()
        self._routes = routes
        self._connections: dict[int, str] = {}
        self._children: dict[bytes, _Child] = {}
        self._by_outbound: dict[bytes, _Child] = {}
        self._families: dict[object, _Family] = {}
        self._waiting: dict[bytes, _Child] = {}
        """Those that the peer may not have yet."""
        self._lingering: dict[bytes, float] = {}
        self._refused: list[ChildSaInfo] = []
        self._next_reqid = 1
        self._poll_at = float("-inf")
        self._next_report = 0

    # What the driver calls.

    def handle(self, event: Event, now: float) -> None:
        """An event of the endpoint; to be handed over before anything that the endpoint wants to send is sent.

        Never raises for one Child SA that the data plane refuses: it is deleted with the next :meth:`poll`.
        """
        match event:
            case IkeSaEstablished(sa):
                self._connections[sa.unique_id] = sa.connection
            case IkeSaRekeyed(old, sa):
                self._connections[sa.unique_id] = sa.connection
                for child in self._children.values():
                    if child.info.ike_unique_id == old:
                        child.info = replace(child.info, ike_unique_id=sa.unique_id)
            case IkeSaDeleted(unique_id=number):
                self._connections.pop(number, None)
            case ChildSaPrepared(info):
                self._prepare(info, now)
            case ChildSaEstablished(info):
                self._install(info, None, now)
            case ChildSaRekeyed(old_spi, info):
                self._install(info, self._children.get(old_spi), now)
            case ChildSaDeleted(inbound_spi=spi) | ChildSaWithdrawn(inbound_spi=spi):
                self._delete(spi, now)
            case PathChanged(number, path):
                self._move(number, path)

    def next_timeout(self) -> float:
        """When :meth:`poll` is to be called. Also without a Child SA: a data plane that has ended is to be noticed."""
        times = [self._poll_at, *self._lingering.values()]
        times += [child.look_at for child in self._waiting.values()]
        return min(times)

    def poll(self, orders: Orders, now: float) -> list[PlaneEvent]:
        """Time has come, or may have: switch SAs, and take to IKE what the data plane has to say.

        Args:
            orders: the endpoint.
            now: seconds.

        Returns:
            What the data plane had to say.

        Raises:
            DataPlaneError: the data plane does not answer any more.
        """
        for spi in [spi for spi, when in self._lingering.items() if when <= now]:
            del self._lingering[spi]
            self.plane.remove_sa(Direction.INBOUND, int.from_bytes(spi))
        for child in list(self._waiting.values()):
            if child.look_at <= now:
                self._look(child, now)
        refused, self._refused = self._refused, []
        for info in refused:
            _give(orders, info, _deletion(info.inbound_spi, now))
        if now < self._poll_at:
            return []
        self._poll_at = now + POLL_SECONDS
        events = self.plane.take_events()
        for event in events:
            self._take(event, orders, now)
        self._report(orders, now)
        return events

    def child_sas(self) -> Iterator[tuple[ChildSaInfo, SaStatistics, SaStatistics]]:
        """Every Child SA that IKE holds, with what it has carried inbound and outbound."""
        for child in list(self._children.values()):
            yield child.info, *self._statistics(child)

    def traffic_of(self, inbound_spi: bytes) -> ChildTraffic | None:
        """How a Child SA's traffic is carried, as the data plane was told; None where there is no such one."""
        child = self._children.get(inbound_spi)
        return None if child is None else child.family.traffic

    # Installation.

    def _prepare(self, info: ChildSaInfo, now: float) -> None:
        child = _Child(info, self._family(self._connections.get(info.ike_unique_id, ""), info), prepared=True)
        self._enter(child)
        self._admit(child, now)

    def _enter(self, child: _Child) -> None:
        child.family.members.append(child)
        self._children[child.spi] = child
        self._by_outbound[child.info.outbound_spi] = child

    def _install(self, info: ChildSaInfo, old: _Child | None, now: float) -> None:
        child = self._children.get(info.inbound_spi)
        known = child is not None and child.prepared
        if child is None or not known:
            child = _Child(info, self._family(self._connections.get(info.ike_unique_id, ""), info))
        child.info, child.prepared = info, False
        if old is not None:
            old.replaced = True
            child.replaces = old.spi
        in_use = any(member.seals for member in child.family.members) or (old is not None and old.seals)
        if in_use and info.is_initiator == (info.version == 1):
            child.look_at, child.latest_at = now + SWITCH_SECONDS, now + LATEST_SWITCH_SECONDS
            self._waiting[child.spi] = child
        if known:
            self._switch(child, now)
        else:
            self._enter(child)
            self._admit(child, now)

    def _admit(self, child: _Child, now: float) -> None:
        """Let it open packets, and seal them if it may already; what the plane refuses is deleted."""
        info, family, mtu = child.info, child.family, self._configuration.path_mtu_bytes
        try:
            self._refuse_impossible(child)
            self.plane.add_sa(sa_of(info, Direction.INBOUND, family.reqid, family.traffic, mtu, now))
            if child.spi not in self._waiting and not child.prepared:
                self._seal(child, now)
            self._ensure_policies(family, info)
        except DataPlaneError as error:
            self.log("child-sa-refused", f"Child SA {info.name} cannot be put to use: {error}")
            if not child.prepared:
                self._refused.append(info)
            self._delete(child.spi, now)

    def _refuse_impossible(self, child: _Child) -> None:
        if child.family.traffic.layering != "none" and child.info.mode is not Mode.TRANSPORT:
            raise DataPlaneError(f"{child.family.traffic.layering} needs transport mode, not tunnel mode")

    def _family(self, connection: str, info: ChildSaInfo) -> _Family:
        key = (connection, info.name, info.mode, info.local_ts, info.remote_ts)
        family = self._families.get(key)
        if family is None:
            family = _Family(key, self._next_reqid, self._configuration.of(connection, info.name))
            self._families[key] = family
            self._next_reqid += 1
        return family

    def _seal(self, child: _Child, now: float) -> None:
        """Let it carry what goes out: it takes over from older ones of its family."""
        family, mtu = child.family, self._configuration.path_mtu_bytes
        self._waiting.pop(child.spi, None)
        newer = family.members[family.members.index(child) + 1 :]
        if child.seals or any(other.seals for other in newer):
            return
        self.plane.add_sa(sa_of(child.info, Direction.OUTBOUND, family.reqid, family.traffic, mtu, now))
        child.seals = True

    def _ensure_policies(self, family: _Family, info: ChildSaInfo) -> None:
        """Policies follow their SAs: outbound traffic must not meet a policy before there is an SA to protect it."""
        if not family.routed and self._routes is not None:
            self._routes.protect(*map(tuple, carried(info, family.traffic)))
            family.routed = True
        present = {policy.direction for policy in family.policies}
        wanted = [Direction.INBOUND] + [Direction.OUTBOUND] * any(member.seals for member in family.members)
        for direction in wanted:
            if direction not in present:
                policy = policy_of(info, direction, family.reqid, family.traffic)
                self.plane.add_policy(policy)
                family.policies.append(policy)

    # Replacement.

    def _look(self, child: _Child, now: float) -> None:
        """Whether the peer has begun to use it, or it has to be used in any case."""
        used = False
        with contextlib.suppress(DataPlaneError):
            used = self.plane.sa_statistics(Direction.INBOUND, int.from_bytes(child.spi)).packets > 0
        if used or child.latest_at <= now:
            self._switch(child, now)
        else:
            child.look_at = now + SWITCH_SECONDS

    def _switch(self, child: _Child, now: float) -> None:
        try:
            self._seal(child, now)
            self._ensure_policies(child.family, child.info)
        except DataPlaneError as error:
            self.log("child-sa-refused", f"Child SA {child.info.name} cannot be put to use: {error}")
            self._refused.append(child.info)

    def _succeed(self, spi: bytes, now: float) -> None:
        """A Child SA is not to be used any more: what has replaced it, and waits, is."""
        for other in list(self._waiting.values()):
            if other.replaces == spi:
                self._switch(other, now)

    def _delete(self, spi: bytes, now: float) -> None:
        """IKE holds it no more."""
        child = self._children.pop(spi, None)
        if child is None:
            return
        if self._by_outbound.get(child.info.outbound_spi) is child:
            del self._by_outbound[child.info.outbound_spi]
        self._waiting.pop(spi, None)
        self._succeed(spi, now)
        family = child.family
        family.members.remove(child)
        confirmed = [member for member in family.members if not member.prepared]
        if confirmed and not any(member.seals for member in confirmed):
            self._switch(confirmed[-1], now)
        if not family.members:
            self._dissolve(family, child)
        if child.seals:
            self._spare(partial(self.plane.remove_sa, Direction.OUTBOUND, int.from_bytes(child.info.outbound_spi)))
        if child.replaced or family.members:
            self._lingering[spi] = now + LINGER_SECONDS
        else:
            self._spare(partial(self.plane.remove_sa, Direction.INBOUND, int.from_bytes(spi)))

    def _dissolve(self, family: _Family, last: _Child) -> None:
        """Nothing is left for this traffic: its policies go before its SAs."""
        for policy in family.policies:
            self._spare(partial(self.plane.remove_policy, policy))
        family.policies.clear()
        if family.routed and self._routes is not None:
            self._spare(partial(self._routes.unprotect, *map(tuple, carried(last.info, family.traffic))))
        self._families.pop(family.key, None)

    def _spare(self, action: Callable[[], None]) -> None:
        """Removal goes on where one thing cannot be removed: a plane that has ended is found out by :meth:`poll`."""
        try:
            action()
        except DataPlaneError as error:
            self.log("not-removed", str(error))

    def _move(self, ike_unique_id: int, path: Path) -> None:
        """The peer has another address: what goes to it goes there."""
        for child in list(self._children.values()):
            if child.info.ike_unique_id != ike_unique_id:
                continue
            child.info = replace(child.info, path=path)
            self._spare(partial(self._move_one, Direction.INBOUND, child.spi, child.info))
            if child.seals:
                self._spare(partial(self._move_one, Direction.OUTBOUND, child.info.outbound_spi, child.info))

    def _move_one(self, direction: Direction, spi: bytes, info: ChildSaInfo) -> None:
        source, destination = ends_of(info.path, direction)
        encapsulation = encapsulation_of(info, info.path, direction)
        self.plane.move_sa(direction, int.from_bytes(spi), source, destination, encapsulation)

    # What the data plane says.

    def _take(self, event: PlaneEvent, orders: Orders, now: float) -> None:
        spi = event.spi.to_bytes(4)
        inbound = event.direction is Direction.INBOUND
        child = self._children.get(spi) if inbound else self._by_outbound.get(spi)
        if child is None:
            return
        own, info = child.spi, child.info
        if event.kind is PlaneEventKind.PATH_CHANGED:
            if inbound and info.udp_encapsulation:
                orders.report_path(own, Address(event.source, event.source_port), now)
            return
        octets, packets = self._carried(child)
        orders.report_traffic(own, octets, packets, now)
        if event.kind is PlaneEventKind.SOFT_LIMIT:
            if not info.expiry.soft_reached(octets, packets):
                # The sequence numbers are running out, which no limit of IKE says.
                _give(orders, info, _rekeying(own, now))
            return
        # It carries nothing any more: a successor that waits has to do it.
        self._succeed(own, now)
        if event.kind is PlaneEventKind.SEQUENCE_EXHAUSTED:
            _give(orders, info, _rekeying(own, now))
        else:
            _give(orders, info, _deletion(own, now))

    def _report(self, orders: Orders, now: float) -> None:
        """Tell IKE what Child SAs with limits have carried; of many, a part each time."""
        limited = [
            child
            for child in self._children.values()
            if any(limit is not None for limit in (child.info.expiry.hard_bytes, child.info.expiry.hard_packets))
            or any(limit is not None for limit in (child.info.expiry.soft_bytes, child.info.expiry.soft_packets))
        ]
        if not limited:
            return
        begin = self._next_report % len(limited)
        chosen = (limited[begin:] + limited[:begin])[:_REPORTS_AT_ONCE]
        self._next_report = begin + len(chosen)
        for child in chosen:
            octets, packets = self._carried(child)
            orders.report_traffic(child.spi, octets, packets, now)

    def _carried(self, child: _Child) -> tuple[int, int]:
        """Octets and packets in the busier direction."""
        both = self._statistics(child)
        return max(each.bytes for each in both), max(each.packets for each in both)

    def _statistics(self, child: _Child) -> tuple[SaStatistics, SaStatistics]:
        found = [SaStatistics(0, 0), SaStatistics(0, 0)]
        wanted = [(Direction.INBOUND, child.spi)] + [(Direction.OUTBOUND, child.info.outbound_spi)] * child.seals
        for number, (direction, spi) in enumerate(wanted):
            with contextlib.suppress(DataPlaneError):
                found[number] = self.plane.sa_statistics(direction, int.from_bytes(spi))
        return found[0], found[1]


def _rekeying(spi: bytes, now: float) -> Callable[[Association], None]:
    return lambda sa: sa.rekey_child_sa(spi, now)


def _deletion(spi: bytes, now: float) -> Callable[[Association], None]:
    return lambda sa: sa.delete_child_sa(spi, now)


def _give(orders: Orders, info: ChildSaInfo, action: Callable[[Association], None]) -> None:
    """An order; the IKE SA may be gone by now."""
    with contextlib.suppress(UsageError):
        orders.order(info.ike_unique_id, action)
