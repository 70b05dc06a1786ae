"""The kernel's own ESP, through XFRM: what most routers really run.

The plane works in the network namespace of the thread that makes it. It adds SAs and policies, asks what became of
them, and takes away what it added and nothing else. What the kernel cannot do is refused, not left out in silence;
docs/kernel-esp.md has the list.
"""

from __future__ import annotations

import contextlib
import errno
import math
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from ipsecbench.dataplane import xfrm_messages as xfrm
from ipsecbench.dataplane.interface import (
    PlaneEvent,
    PlaneEventKind,
    PlaneKind,
    PlaneStatistics,
    SaStatistics,
)
from ipsecbench.dataplane.kernel_esp import kernel_esp_available, refusal_text
from ipsecbench.dataplane.kernel_policies import KernelPolicies
from ipsecbench.dataplane.kernel_sockets import KernelSockets
from ipsecbench.dataplane.kernel_statistics import DropCounters
from ipsecbench.dataplane.xfrm_algorithms import kernel_algorithms
from ipsecbench.dataplane.xfrm_messages import AddressChange, KernelSa, Message, Resumption, SaRecord
from ipsecbench.dataplane.xfrm_selectors import covering_selector, sole_selector
from ipsecbench.dataplane.xfrm_socket import EventSocket, KernelRefusalError, NetlinkSocket
from ipsecbench.errors import DataPlaneError, MalformedError
from ipsecbench.esp.configuration import (
    Direction,
    DontFragment,
    Layering,
    PolicyConfiguration,
    SaConfiguration,
    UdpEncapsulation,
)
from ipsecbench.esp.mode import Mode

WINDOW_MAXIMUM_PACKETS = 4096
"""XFRMA_REPLAY_ESN_MAX in bits."""
_SEQUENCE_HIGHEST = (1 << 32) - 1
_SEQUENCE_GAP = 1024
"""Numbers that a moved SA leaves out: more packets than can leave while it is moved."""
_GONE = frozenset({errno.ESRCH, errno.ENOENT})
_Key = tuple[Direction, int]


@dataclass(slots=True)
class _Sa:
    """What the plane remembers of one SA."""

    configuration: SaConfiguration
    added_seconds: float
    last: SaRecord | None = None
    """As it was when it ended or was last asked about."""
    changed_seconds: float = 0.0
    """When a growing number of packets was last seen."""
    ended: bool = False
    """The kernel has forgotten it."""
    replayed_before: int = 0
    """Counted before it was moved."""
    forged_before: int = 0
    told: set[PlaneEventKind] = field(default_factory=set)
    path: tuple[str, int] | None = None
    """Where the peer was last seen, other than where the SA has it."""


class KernelPlane:
    """The kernel's ESP as a data plane.

    Args:
        ike_sockets: UDP sockets of IKE in the same namespace. Their own datagrams pass every policy; the plane takes
            that back when it is closed.
        encapsulation_sockets: those of them (port 4500) on which ESP in UDP arrives, RFC 3948: the kernel takes the
            ESP packets and keep-alives, and leaves IKE's with their non-ESP marker.

    Raises:
        DataPlaneError: this kernel has no ESP, or this process may not use it; the message says which.
    """

    def __init__(
        self,
        ike_sockets: Sequence[socket.socket] = (),
        encapsulation_sockets: Sequence[socket.socket] = (),
    ) -> None:
        esp = kernel_esp_available()
        if esp.available is not True:
            raise DataPlaneError(f"no data plane 'kernel': {esp.reason}")
        self._netlink = NetlinkSocket()
        self._closing: list[Callable[[], None]] = [self._netlink.close]
        self._sas: dict[_Key, _Sa] = {}
        self._policies = KernelPolicies(self._netlink)
        self._packets = dict.fromkeys(Direction, 0)
        self._bytes = dict.fromkeys(Direction, 0)
        self._waiting: list[PlaneEvent] = []
        try:
            self._events = EventSocket()
            self._closing.append(self._events.close)
            self._drops = DropCounters()
            self._closing.append(self._drops.close)
            self._exhausted_before = self._drops.read().get("XfrmOutStateSeqError", 0)
            self._sockets = KernelSockets(ike_sockets, encapsulation_sockets)
            self._closing.append(self._sockets.close)
        except DataPlaneError:
            self.close()
            raise

    @property
    def kind(self) -> PlaneKind:
        """The kernel's."""
        return PlaneKind.KERNEL

    def fileno(self) -> int:
        """A descriptor that becomes readable when :meth:`take_events` has something, for an event loop."""
        return self._events.fileno()

    def add_sa(self, sa: SaConfiguration) -> None:
        """Put an SA to use; of outbound ones with the same reqid the kernel takes the newest from the next packet on.

        Raises:
            DataPlaneError: the kernel refuses it, or cannot do what it asks for.
        """
        key = (sa.direction, sa.spi)
        if key in self._sas:
            raise DataPlaneError(f"SPI {sa.spi:#010x} is in use for {sa.direction}")
        wanted = kernel_sa(sa)
        try:
            self._netlink.request(Message.NEW_SA, xfrm.new_sa(wanted))
        except KernelRefusalError as refusal:
            raise DataPlaneError(f"SA {sa.spi:#010x}: {refusal_text(refusal, sa.suite)}") from refusal
        self._sas[key] = _Sa(sa, time.monotonic())
        self._policies.sa_added(sa)

    def remove_sa(self, direction: Direction, spi: int) -> None:
        """Forget an SA; what it has carried stays in :meth:`statistics`."""
        known = self._sas.pop((direction, spi), None)
        if known is None:
            return
        if not known.ended:
            self._observe(known)
            self._forget(known.configuration)
        if known.last is not None:
            self._packets[direction] += known.last.packets
            self._bytes[direction] += known.last.bytes

    def move_sa(
        self, direction: Direction, spi: int, source: str, destination: str, encapsulation: UdpEncapsulation | None
    ) -> None:
        """Let an SA live on between other addresses and ports, with its sequence numbers, window, counters and lives.

        New ports alone are changed in place. For new addresses the kernel has to be given the SA again; packets that
        arrive in the moment between (some 100 µs) are lost.

        Raises:
            DataPlaneError: there is no such SA, or the kernel refuses it at its new place.
        """
        known = self._known(direction, spi)
        before = known.configuration
        moved = replace(before, source=source, destination=destination, encapsulation=encapsulation)
        if moved == before:
            return
        record = self._record(known)
        if record is None:
            raise DataPlaneError(f"SA {spi:#010x} ({direction}) has reached its limit and is gone")
        same_place = (source, destination) == (before.source, before.destination)
        try:
            if same_place and encapsulation is not None and before.encapsulation is not None:
                self._netlink.request(Message.UPDATE_SA, xfrm.new_sa(kernel_sa(moved)))
            else:
                self._renew(known, moved, record)
        except KernelRefusalError as refusal:
            raise DataPlaneError(f"SA {spi:#010x} cannot be moved: {refusal_text(refusal, before.suite)}") from refusal
        known.configuration, known.path = moved, None
        self._policies.sa_added(moved)

    def add_policy(self, policy: PolicyConfiguration) -> None:
        """Add an entry to the SPD.

        Raises:
            DataPlaneError: the same one is there already, or the kernel cannot have it.
        """
        self._policies.add(policy)

    def remove_policy(self, policy: PolicyConfiguration) -> None:
        """Remove an entry of the SPD; one that is not there is no error."""
        self._policies.remove(policy)

    def sa_statistics(self, direction: Direction, spi: int) -> SaStatistics:
        """What an SA has carried, also after it reached its hard limit.

        Raises:
            DataPlaneError: there is no such SA.
        """
        known = self._known(direction, spi)
        self._observe(known)
        last = known.last
        if last is None:
            return SaStatistics(0, 0, idle_seconds=time.monotonic() - known.added_seconds)
        return SaStatistics(
            last.packets,
            last.bytes,
            last.replayed + known.replayed_before,
            last.forged + known.forged_before,
            _idle_seconds(known, last),
        )

    def statistics(self) -> PlaneStatistics:
        """What the plane's SAs have carried. The drops are those of the whole namespace since the plane was made."""
        packets, carried_bytes = dict(self._packets), dict(self._bytes)
        for (direction, _), known in self._sas.items():
            self._observe(known)
            if known.last is not None:
                packets[direction] += known.last.packets
                carried_bytes[direction] += known.last.bytes
        return PlaneStatistics(
            outbound_packets=packets[Direction.OUTBOUND],
            outbound_bytes=carried_bytes[Direction.OUTBOUND],
            inbound_packets=packets[Direction.INBOUND],
            inbound_bytes=carried_bytes[Direction.INBOUND],
            dropped=self._drops.since_opened(),
            cpu_ns={},
        )

    def take_events(self) -> list[PlaneEvent]:
        """What happened since the last call."""
        messages, lost = self._events.take()
        for message in messages:
            with contextlib.suppress(MalformedError):
                if message.kind == Message.EXPIRE:
                    expiry = xfrm.parse_expiry(message.body)
                    self._expired(expiry.record, expiry.hard)
                elif message.kind == Message.MAPPING:
                    self._path_changed(xfrm.parse_mapping(message.body))
        if lost:
            self._look_at_all()
        self._look_for_exhaustion()
        events, self._waiting = self._waiting, []
        return events

    def close(self) -> None:
        """Take back every policy and SA that was added. Safe to call more than once."""
        if not self._closing:
            return
        with contextlib.suppress(DataPlaneError):
            self._policies.close()
        for direction, spi in list(self._sas):
            with contextlib.suppress(DataPlaneError):
                self.remove_sa(direction, spi)
        while self._closing:
            self._closing.pop()()

    def _known(self, direction: Direction, spi: int) -> _Sa:
        known = self._sas.get((direction, spi))
        if known is None:
            raise DataPlaneError(f"there is no SA {spi:#010x} ({direction})")
        return known

    def _record(self, known: _Sa) -> SaRecord | None:
        """What the kernel says of an SA; None when it has forgotten it."""
        sa = known.configuration
        try:
            answers = self._netlink.request(Message.GET_SA, xfrm.sa_id(sa.destination, sa.spi))
        except KernelRefusalError as refusal:
            if refusal.number in _GONE:
                return None
            raise
        return next((xfrm.parse_sa(answer.body) for answer in answers if answer.kind == Message.NEW_SA), None)

    def _observe(self, known: _Sa) -> None:
        if known.ended:
            return
        record = self._record(known)
        if record is None:
            return
        if record.packets != (0 if known.last is None else known.last.packets):
            known.changed_seconds = time.monotonic()
        known.last = record

    def _forget(self, sa: SaConfiguration) -> None:
        try:
            self._netlink.request(Message.DELETE_SA, xfrm.sa_id(sa.destination, sa.spi))
        except KernelRefusalError as refusal:
            if refusal.number not in _GONE:
                raise DataPlaneError(f"SA {sa.spi:#010x} cannot be removed: {refusal}") from refusal

    def _renew(self, known: _Sa, moved: SaConfiguration, record: SaRecord) -> None:
        # Never both at once: two SAs that send would use each sequence number twice.
        self._forget(known.configuration)
        # Packets may have been sent since the record was made: their numbers must not come again.
        outbound = moved.direction is Direction.OUTBOUND
        resumption = xfrm.with_later_sequence(record.resumption, _SEQUENCE_GAP) if outbound else record.resumption
        try:
            self._netlink.request(Message.NEW_SA, xfrm.new_sa(replace(kernel_sa(moved), resumption=resumption)))
        except KernelRefusalError:
            self._restore(known, resumption)
            raise
        known.replayed_before += record.replayed
        known.forged_before += record.forged

    def _restore(self, known: _Sa, resumption: Resumption) -> None:
        with contextlib.suppress(KernelRefusalError):
            before = replace(kernel_sa(known.configuration), resumption=resumption)
            self._netlink.request(Message.NEW_SA, xfrm.new_sa(before))

    def _find(self, destination: str, spi: int) -> tuple[_Key, _Sa] | None:
        for direction in Direction:
            known = self._sas.get((direction, spi))
            if known is not None and known.configuration.destination == destination:
                return (direction, spi), known
        return None

    def _expired(self, record: SaRecord, hard: bool) -> None:
        found = self._find(record.destination, record.spi)
        if found is None:
            return
        key, known = found
        if hard:
            known.last, known.ended = record, True
        self._tell(key, known, PlaneEventKind.HARD_LIMIT if hard else PlaneEventKind.SOFT_LIMIT)

    def _path_changed(self, change: AddressChange) -> None:
        found = self._find(change.destination, change.spi)
        if found is None:
            return
        key, known = found
        if known.path != (change.source, change.source_port):
            known.path = (change.source, change.source_port)
            self._waiting.append(PlaneEvent(PlaneEventKind.PATH_CHANGED, *key, change.source, change.source_port))

    def _tell(self, key: _Key, known: _Sa, kind: PlaneEventKind) -> None:
        if kind not in known.told:
            known.told.add(kind)
            self._waiting.append(PlaneEvent(kind, *key))

    def _look_at_all(self) -> None:
        """Events were lost: find out what they said."""
        for key, known in self._sas.items():
            if known.ended:
                continue
            record = self._record(known)
            if record is None:
                known.ended = True
                self._tell(key, known, PlaneEventKind.HARD_LIMIT)
            elif _beyond_soft(known.configuration, record, time.monotonic() - known.added_seconds):
                self._tell(key, known, PlaneEventKind.SOFT_LIMIT)

    def _look_for_exhaustion(self) -> None:
        """The kernel sends no event when numbers run out, but it counts the packets that it did not send."""
        refused = self._drops.read().get("XfrmOutStateSeqError", 0)
        if refused == self._exhausted_before:
            return
        self._exhausted_before = refused
        for key, known in self._sas.items():
            if key[0] is Direction.OUTBOUND and not known.configuration.esn and not known.ended:
                record = self._record(known)
                if record is not None and record.sequence >= _SEQUENCE_HIGHEST:
                    self._tell(key, known, PlaneEventKind.SEQUENCE_EXHAUSTED)


def kernel_sa(sa: SaConfiguration) -> KernelSa:
    """An SA as the kernel is told of it.

    Raises:
        DataPlaneError: it asks for something that XFRM cannot do.
    """
    if sa.replay_window_packets > WINDOW_MAXIMUM_PACKETS:
        raise DataPlaneError(
            f"the kernel's anti-replay window has at most {WINDOW_MAXIMUM_PACKETS} packets, not "
            f"{sa.replay_window_packets}"
        )
    inbound = sa.direction is Direction.INBOUND
    if sa.esn and inbound and sa.replay_window_packets == 0:
        raise DataPlaneError("the kernel has no extended sequence numbers without an anti-replay window")
    if sa.layering is Layering.GRE:
        raise DataPlaneError("layering 'gre' is not for the data plane 'kernel': make a GRE device of the kernel's own")
    if sa.dont_fragment is DontFragment.SET and sa.mode is Mode.TUNNEL:
        raise DataPlaneError("the kernel copies DF to the outer header or clears it; it cannot always set it")
    # RFC 3884: IP in IP in transport mode and tunnel mode are the same on the wire.
    mode = Mode.TUNNEL if sa.layering is Layering.IPIP else sa.mode
    limits = sa.limits
    return KernelSa(
        spi=sa.spi,
        reqid=sa.reqid,
        source=sa.source,
        destination=sa.destination,
        mode=mode.value,
        algorithms=kernel_algorithms(sa.suite, sa.encryption_key, sa.integrity_key),
        selector=_inner_selector(sa, mode),
        esn=sa.esn,
        # Outbound the window means nothing, but the kernel wants one beside ESN.
        replay_window_packets=sa.replay_window_packets if inbound else 32 * sa.esn,
        soft_bytes=limits.soft_bytes,
        hard_bytes=limits.hard_bytes,
        soft_packets=limits.soft_packets,
        hard_packets=limits.hard_packets,
        soft_seconds=math.ceil(limits.soft_seconds),
        hard_seconds=math.ceil(limits.hard_seconds),
        ports=None if sa.encapsulation is None else (sa.encapsulation.source_port, sa.encapsulation.destination_port),
        clear_dont_fragment=sa.dont_fragment is DontFragment.CLEAR,
        copy_dscp=sa.copy_dscp,
        tfc_bytes=sa.tfc_bytes if mode is Mode.TUNNEL and not inbound else 0,
    )


def _inner_selector(sa: SaConfiguration, mode: Mode) -> xfrm.KernelSelector | None:
    """The kernel has room for one selector in an SA.

    In tunnel mode policies keep out what the others do not admit. In transport mode a packet that matches no policy
    passes, so there the SA itself must not be wider than it need be.
    """
    if sa.direction is Direction.OUTBOUND:
        return None
    return covering_selector(sa.selectors) if mode is Mode.TRANSPORT else sole_selector(sa.selectors)


def _idle_seconds(known: _Sa, last: SaRecord) -> float:
    now = time.monotonic()
    if last.packets == 0:
        return now - known.added_seconds
    if last.used_at:
        return max(0.0, time.time() - last.used_at)
    return now - known.changed_seconds


def _beyond_soft(sa: SaConfiguration, record: SaRecord, age_seconds: float) -> bool:
    limits = sa.limits
    return (
        bool(limits.soft_bytes and record.bytes >= limits.soft_bytes)
        or bool(limits.soft_packets and record.packets >= limits.soft_packets)
        or bool(limits.soft_seconds and age_seconds >= limits.soft_seconds)
    )
