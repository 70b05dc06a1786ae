"""The whole of IPsec processing (RFC 4301 section 5) over one SAD and one SPD, without a socket, a device or a clock.

Packets come from the inside (:meth:`EspProcessing.protect`) and from the outside (:meth:`EspProcessing.receive`), each
with the time; what is to be sent where comes back. Nothing that a packet contains raises: what cannot be carried is
dropped and counted with Linux's names.

With a layering (GRE, IP in IP) SPD and selectors look at the inner packet: what is between it and ESP is the SA's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_address

from ipsecbench.errors import DroppedError, MalformedError
from ipsecbench.esp.accounting import SaStatistics
from ipsecbench.esp.configuration import (
    Action,
    Direction,
    PolicyConfiguration,
    SaConfiguration,
    UdpEncapsulation,
)
from ipsecbench.esp.databases import Flow, PolicyDatabase, SaDatabase, flow_of, selects
from ipsecbench.esp.events import PlaneEvent, PlaneEventKind
from ipsecbench.esp.inbound import Decapsulated, decapsulated
from ipsecbench.esp.keep_alives import KeepAlives
from ipsecbench.esp.outbound import Content, TooBigError, contents_of, is_tunnel, sealed
from ipsecbench.esp.outer_header import outer_header
from ipsecbench.esp.outer_packet import OuterPacket
from ipsecbench.esp.packet import parse_esp_header
from ipsecbench.esp.path_mtu import MessageLimit, parse_too_big, too_big_message
from ipsecbench.esp.security_association import InboundSa, OutboundSa, check_configuration
from ipsecbench.esp.udp_encapsulation import DatagramKind, kind_of
from ipsecbench.providers.interface import Provider
from ipsecbench.wire.ip import IpHeader, IpPacket, Protocol, address_octets, parse_ip
from ipsecbench.wire.reassembly import Reassembly


@dataclass(slots=True)
class Output:
    """What is to be sent, in this order of each kind."""

    outside: list[OuterPacket] = field(default_factory=list)
    """ESP, to the peers."""
    inside: list[bytes] = field(default_factory=list)
    """IP packets that came out of ESP or may pass as they are, and ICMP messages to inner senders."""
    bypassed: list[bytes] = field(default_factory=list)
    """IP packets from the inside that go out as they are."""
    ike: list[OuterPacket] = field(default_factory=list)
    """IKE messages on the port of ESP, with their non-ESP marker."""


class EspProcessing:
    """SAs, policies, and the packets that pass them.

    Args:
        cryptography: algorithms, each admitted by its known answers.
        random: source of unpredictable octets: IVs of CBC, the first Identification of outer headers.
        keepalive_seconds: after so much silence outbound SAs in UDP send a keep-alive; 0: IKE does, on the same port.
    """

    def __init__(self, cryptography: Provider, random: Callable[[int], bytes], keepalive_seconds: float = 0.0) -> None:
        self._cryptography = cryptography
        self._random = random
        self._policies = PolicyDatabase()
        self._sas = SaDatabase()
        self._events: list[PlaneEvent] = []
        self._dropped: Counter[str] = Counter()
        self._messages = MessageLimit()
        self._keepalives = KeepAlives(keepalive_seconds)
        self._fragments = Reassembly()
        self._identification = int.from_bytes(random(4))
        self.outbound_packets = 0
        """Inner packets sealed; a fragment is one."""
        self.outbound_bytes = 0
        """Their octets."""
        self.inbound_packets = 0
        """Inner packets that came out of ESP and were admitted."""
        self.inbound_bytes = 0
        """Their octets."""
        self.dummy_packets = 0
        """Authentic packets without content that came."""

    @property
    def dropped(self) -> Mapping[str, int]:
        """Packets that were dropped, by the names of :data:`ipsecbench.esp.accounting.COUNTERS`."""
        lost = {"XfrmOutError": self._dropped["XfrmOutError"] + self._fragments.lost} if self._fragments.lost else {}
        return dict(self._dropped) | lost

    # SAs and policies

    def add_sa(self, sa: SaConfiguration, now: float) -> None:
        """Put an SA to use; an outbound one takes over from older ones with the same reqid.

        Raises:
            DataPlaneError: the SPI is in use or reserved, or the SA makes no sense.
            UnsupportedError: no library here has the suite.
        """
        if sa.direction is Direction.INBOUND:
            self._sas.add(InboundSa(self._cryptography, sa, now))
        else:
            self._sas.add(OutboundSa(self._cryptography, sa, self._random, now))

    def remove_sa(self, direction: Direction, spi: int) -> None:
        """Forget an SA and its keys; an SPI that is not there is no error."""
        self._sas.remove(direction, spi)

    def move_sa(
        self, direction: Direction, spi: int, source: str, destination: str, encapsulation: UdpEncapsulation | None
    ) -> None:
        """Let an SA live on between other addresses and ports: keys, window and counters stay.

        Raises:
            DataPlaneError: there is no such SA, or the addresses make no sense.
        """
        sa = self._sas.get(direction, spi)
        moved = replace(sa.configuration, source=source, destination=destination, encapsulation=encapsulation)
        check_configuration(moved)
        sa.configuration = moved
        if isinstance(sa, InboundSa):
            sa.path = None

    def add_policy(self, policy: PolicyConfiguration) -> None:
        """Add an entry to the SPD.

        Raises:
            DataPlaneError: the same one is there already.
        """
        self._policies.add(policy)

    def remove_policy(self, policy: PolicyConfiguration) -> None:
        """Remove an entry of the SPD; one that is not there is no error."""
        self._policies.remove(policy)

    def sa_statistics(self, direction: Direction, spi: int, now: float) -> SaStatistics:
        """What an SA has carried.

        Raises:
            DataPlaneError: there is no such SA.
        """
        return self._sas.get(direction, spi).statistics(now)

    # Time

    def next_timeout(self) -> float | None:
        """When :meth:`handle_timeout` has something to do; None: never, as things are."""
        times = [time for sa in self._sas if (time := sa.lives.next_timeout()) is not None]
        times += self._keepalives.times(self._sas.outbound.values())
        fragments = self._fragments.next_timeout()
        return min(times if fragments is None else [*times, fragments], default=None)

    def handle_timeout(self, now: float) -> Output:
        """Look whose life has reached a limit, which NAT has seen nothing for too long, what is not put together."""
        self._fragments.expire(now)
        for sa in self._sas:
            self._tell_limits(sa, now)
        return Output(outside=self._keepalives.due(self._sas.outbound.values(), now))

    def take_events(self) -> list[PlaneEvent]:
        """What happened since the last call."""
        events, self._events = self._events, []
        return events

    # From the inside

    def protect(self, octets: bytes, now: float) -> Output:
        """A packet from the inside (RFC 4301 section 5.1).

        Args:
            octets: an IP packet.
            now: monotonic seconds.
        """
        output = Output()
        try:
            packet = self._parsed(octets, "XfrmOutError")
            sa = self._outbound_sa(packet, octets, output)
            if sa is not None:
                self._seal(sa, packet, octets[: packet.total_bytes], now, output)
        except DroppedError as error:
            self._dropped[error.counter] += 1
        return output

    def _outbound_sa(self, packet: IpPacket, octets: bytes, output: Output) -> OutboundSa | None:
        policy = self._policies.find(Direction.OUTBOUND, flow_of(packet))
        if policy is None or policy.action is Action.DISCARD:
            raise DroppedError("XfrmOutPolBlock", "a policy discards the packet, or none is for it")
        if policy.action is Action.BYPASS:
            output.bypassed.append(octets)
            return None
        sa = self._sas.newest_outbound(policy.reqid)
        if sa is None:
            raise DroppedError("XfrmOutNoStates", f"no SA with reqid {policy.reqid}")
        return sa

    def _seal(self, sa: OutboundSa, packet: IpPacket, octets: bytes, now: float, output: Output) -> None:
        path_mtu_bytes = sa.path_mtu.current(now)
        if packet.header.is_fragment and not is_tunnel(sa.configuration):
            # RFC 4303 section 3.1.1: transport mode is for whole packets, and this is a bump in the stack.
            whole = self._fragments.add(packet, now)
            if whole is None:
                return
            packet, octets = whole, whole.encode()
        try:
            # As a list: either all fragments are there, or the packet is dropped as a whole.
            contents = contents_of(sa.configuration, packet, octets, path_mtu_bytes, self._next_identification)
        except TooBigError as error:
            message = too_big_message(packet, octets, error.mtu_bytes)
            if message is not None and self._messages.take(now):
                output.inside.append(message)
            raise
        except MalformedError as error:
            raise DroppedError("XfrmOutError", str(error)) from error
        for content in contents:
            self._seal_content(sa, content, path_mtu_bytes, now, output)

    def _seal_content(self, sa: OutboundSa, content: Content, path_mtu_bytes: int, now: float, output: Output) -> None:
        try:
            output.outside.append(sealed(sa, content, path_mtu_bytes, now))
            self.outbound_packets += 1
            self.outbound_bytes += content.carried_bytes
        finally:
            self._tell_limits(sa, now)
            if sa.sequence.exhausted and not sa.exhaustion_told:
                sa.exhaustion_told = True
                self._tell(PlaneEventKind.SEQUENCE_EXHAUSTED, sa)

    def dummy_packet(self, spi: int, payload_bytes: int, now: float) -> Output:
        """A packet of an outbound SA that carries nothing (Next Header 59, RFC 4303 section 2.6), to hide traffic.

        Args:
            spi: the outbound SA.
            payload_bytes: octets of zeros that it looks like carrying; what does not fit the path is left out.
            now: monotonic seconds.

        Raises:
            DataPlaneError: there is no such SA.
        """
        sa = self._sas.get(Direction.OUTBOUND, spi)
        output = Output()
        if isinstance(sa, OutboundSa):
            source = address_octets(sa.configuration.source)
            header = outer_header(sa.configuration, IpHeader(source, source, 0), self._next_identification())
            path_mtu_bytes = sa.path_mtu.current(now)
            content = Content(header, bytes(payload_bytes), Protocol.NO_NEXT_HEADER, 0)
            try:
                output.outside.append(sealed(sa, content, path_mtu_bytes, now))
            except DroppedError as error:
                self._dropped[error.counter] += 1
        return output

    # From the outside

    def receive(self, outer: OuterPacket, now: float) -> Output:
        """ESP from the outside, itself or in UDP (RFC 4301 section 5.2).

        Args:
            outer: what came; fragments were put together before.
            now: monotonic seconds.
        """
        output = Output()
        if outer.encapsulation is not None:
            kind = kind_of(outer.content)
            if kind is DatagramKind.KEEPALIVE:
                return output
            if kind is DatagramKind.IKE:
                output.ike.append(outer)
                return output
        try:
            self._open(outer, now, output)
        except DroppedError as error:
            self._dropped[error.counter] += 1
        return output

    def _open(self, outer: OuterPacket, now: float, output: Output) -> None:
        try:
            spi = parse_esp_header(outer.content).spi
        except MalformedError as error:
            raise DroppedError("XfrmInHdrError", str(error)) from error
        sa = self._sas.inbound.get(spi)
        if sa is None:
            raise DroppedError("XfrmInNoStates", f"no inbound SA with SPI {spi:08x}")
        sa.check_outside(outer)
        payload, next_header, is_newest = sa.open(outer.content, now)
        if is_newest:
            self._tell_path(sa, outer)
        if next_header == Protocol.NO_NEXT_HEADER:
            self.dummy_packets += 1
            sa.lives.carried(0, now)
            self._tell_limits(sa, now)
            return
        carried_bytes = len(payload)
        try:
            inner = decapsulated(sa.configuration, outer, payload, next_header)
            carried_bytes = inner.packet.total_bytes
        finally:
            sa.lives.carried(carried_bytes, now)
            self._tell_limits(sa, now)
        self._admit(sa.configuration, inner)
        self.inbound_packets += 1
        self.inbound_bytes += len(inner.octets)
        output.inside.append(inner.octets)

    def _admit(self, sa: SaConfiguration, inner: Decapsulated) -> None:
        """Hold a packet against the selectors of its SA, and against the SPD (RFC 4301 section 5.2 step 4)."""
        flow = flow_of(inner.packet)
        if sa.selectors and not selects(sa.selectors, flow):
            raise DroppedError("XfrmInStateMismatch", "the packet is not for the selectors of its SA")
        policy = self._inbound_policy(flow)
        if policy.action is not Action.PROTECT or policy.reqid != sa.reqid:
            raise DroppedError("XfrmInTmplMismatch", f"reqid {sa.reqid} is not what the packet's policy wants")

    def _inbound_policy(self, flow: Flow) -> PolicyConfiguration:
        policy = self._policies.find(Direction.INBOUND, flow)
        if policy is None:
            raise DroppedError("XfrmInNoPols", "no policy admits the packet")
        if policy.action is Action.DISCARD:
            raise DroppedError("XfrmInPolBlock", "a policy discards the packet")
        return policy

    def receive_clear(self, octets: bytes) -> Output:
        """A packet from the outside that is not ESP: it passes only where a policy says BYPASS.

        Args:
            octets: an IP packet.
        """
        output = Output()
        try:
            policy = self._inbound_policy(flow_of(self._parsed(octets, "XfrmInHdrError")))
            if policy.action is Action.PROTECT:
                raise DroppedError("XfrmInTmplMismatch", "the packet had to come by an SA")
            output.inside.append(octets)
        except DroppedError as error:
            self._dropped[error.counter] += 1
        return output

    def receive_icmp(self, octets: bytes, now: float) -> None:
        """An ICMP packet from the outside: it may say that a path is smaller (RFC 4301 section 8.2).

        Args:
            octets: an IP packet with ICMP or ICMPv6.
            now: monotonic seconds.
        """
        try:
            message = parse_too_big(octets)
        except MalformedError:
            self._dropped["XfrmInHdrError"] += 1
            return
        if message is None:
            return
        for sa in self._sas.outbound.values():
            if sa.has_sent(message):
                sa.path_mtu.learn(message.mtu_bytes, (len(message.destination) == 4 and 4) or 6, now)

    def learn_path_mtu(self, spi: int, mtu_bytes: int, now: float) -> None:
        """The path of an outbound SA takes packets of so many octets, as the kernel's error queue says.

        Args:
            spi: the outbound SA; one that is not there is no error.
            mtu_bytes: octets of the largest outer packet.
            now: monotonic seconds.
        """
        sa = self._sas.outbound.get(spi)
        if sa is not None:
            sa.path_mtu.learn(mtu_bytes, 4 if len(address_octets(sa.configuration.destination)) == 4 else 6, now)

    # News

    def _tell(self, kind: PlaneEventKind, sa: InboundSa | OutboundSa) -> None:
        self._events.append(PlaneEvent(kind, sa.configuration.direction, sa.configuration.spi))

    def _tell_limits(self, sa: InboundSa | OutboundSa, now: float) -> None:
        for kind in sa.lives.news(now):
            self._tell(kind, sa)

    def _tell_path(self, sa: InboundSa, outer: OuterPacket) -> None:
        """An end behind a NAT has moved (RFC 7296 section 2.23): its newest packet says so, each time once."""
        configuration = sa.configuration
        if configuration.encapsulation is None or outer.encapsulation is None:
            return
        agreed = address_octets(configuration.source), configuration.encapsulation.source_port
        seen = outer.header.source, outer.encapsulation.source_port
        if seen == (sa.path or agreed):
            return
        sa.path = seen
        source, port = str(ip_address(seen[0])), seen[1]
        self._events.append(PlaneEvent(PlaneEventKind.PATH_CHANGED, Direction.INBOUND, configuration.spi, source, port))

    def _parsed(self, octets: bytes, counter: str) -> IpPacket:
        try:
            return parse_ip(octets)
        except MalformedError as error:
            raise DroppedError(counter, str(error)) from error

    def _next_identification(self) -> int:
        self._identification = (self._identification + 1) & 0xFFFFFFFF
        return self._identification
