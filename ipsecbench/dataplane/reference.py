"""The data plane to read: :class:`ipsecbench.esp.processing.EspProcessing` between a TUN device and sockets.

One thread moves packets, one by one; a lock lets another one add and remove SAs between two packets.
"""

from __future__ import annotations

import contextlib
import errno
import os
import selectors
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from typing import Any, TypeVar

from ipsecbench.dataplane.interface import PlaneEvent, PlaneKind, PlaneStatistics, SaStatistics
from ipsecbench.errors import DataPlaneError, MalformedError, UnsupportedError
from ipsecbench.esp.configuration import Direction, PolicyConfiguration, SaConfiguration, UdpEncapsulation
from ipsecbench.esp.outer_packet import OuterPacket, parse_outer
from ipsecbench.esp.processing import EspProcessing, Output
from ipsecbench.providers.interface import Provider
from ipsecbench.wire.ip import IpHeader, Protocol

T = TypeVar("T")

_LARGEST_PACKET = 65536
_BURST = 32
_TIMEOUTS_SECONDS = 0.2
"""How often lives in seconds are looked at."""
_CONTROL_BYTES = 512
_IP_MTU_DISCOVER, _IPV6_MTU_DISCOVER = 10, 23
_IP_RECVERR, _IPV6_RECVERR = 11, 25
_IP_RECVTOS, _IP_RECVTTL = 13, 12
_IPV6_RECVTCLASS, _IPV6_RECVHOPLIMIT = 66, 51
_MSG_ERRQUEUE = 0x2000
_DONT_FRAGMENT = {False: 0, True: 3}
"""IP_PMTUDISC_DONT lets the kernel fragment, IP_PMTUDISC_PROBE sets DF whatever the kernel knows of the path."""


class ReferencePlane:
    """See the module.

    Args:
        cryptography: algorithms, each admitted by its known answers.
        tun: descriptor of a TUN device with one queue and without ``struct virtio_net_hdr``; this object owns it from
            now on.
        udp_sockets: sockets for ESP in UDP beside those of IKE; owned as well.
        raw_sockets: sockets for IP protocol 50, bound to this host's addresses; owned as well.
        random: source of unpredictable octets.
    """

    kind = PlaneKind.REFERENCE

    def __init__(
        self,
        cryptography: Provider,
        tun: int,
        udp_sockets: Sequence[socket.socket] = (),
        raw_sockets: Sequence[socket.socket] = (),
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._processing = EspProcessing(cryptography, random)
        self._lock = threading.Lock()
        self._tun = tun
        self._links = [_Link(sock) for sock in (*udp_sockets, *raw_sockets)]
        self._not_sent = 0
        self._cpu_ns = 0
        self._failure: str | None = None
        self._closed = False
        self._wake_reader, self._wake_writer = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        self._selector.register(tun, selectors.EVENT_READ, self._from_inside)
        for link in self._links:
            self._selector.register(link.sock, selectors.EVENT_READ, link)
        self._selector.register(self._wake_reader, selectors.EVENT_READ, None)
        self._thread = threading.Thread(target=self._run, name="reference-plane", daemon=True)
        self._thread.start()

    # See ipsecbench.dataplane.interface.DataPlane.

    def add_sa(self, sa: SaConfiguration) -> None:
        """See :class:`ipsecbench.dataplane.interface.DataPlane`."""
        try:
            self._do(lambda now: self._processing.add_sa(sa, now))
        except UnsupportedError as error:
            raise DataPlaneError(str(error)) from error

    def remove_sa(self, direction: Direction, spi: int) -> None:
        """See :class:`ipsecbench.dataplane.interface.DataPlane`."""
        self._do(lambda now: self._processing.remove_sa(direction, spi))

    def move_sa(
        self, direction: Direction, spi: int, source: str, destination: str, encapsulation: UdpEncapsulation | None
    ) -> None:
        """See :class:`ipsecbench.dataplane.interface.DataPlane`."""
        self._do(lambda now: self._processing.move_sa(direction, spi, source, destination, encapsulation))

    def add_policy(self, policy: PolicyConfiguration) -> None:
        """See :class:`ipsecbench.dataplane.interface.DataPlane`."""
        self._do(lambda now: self._processing.add_policy(policy))

    def remove_policy(self, policy: PolicyConfiguration) -> None:
        """See :class:`ipsecbench.dataplane.interface.DataPlane`."""
        self._do(lambda now: self._processing.remove_policy(policy))

    def sa_statistics(self, direction: Direction, spi: int) -> SaStatistics:
        """See :class:`ipsecbench.dataplane.interface.DataPlane`."""
        return self._do(lambda now: self._processing.sa_statistics(direction, spi, now))

    def statistics(self) -> PlaneStatistics:
        """See :class:`ipsecbench.dataplane.interface.DataPlane`. What could not be sent counts as XfrmOutError."""

        def read(now: float) -> PlaneStatistics:
            processing = self._processing
            dropped = dict(processing.dropped)
            if self._not_sent:
                dropped["XfrmOutError"] = dropped.get("XfrmOutError", 0) + self._not_sent
            return PlaneStatistics(
                processing.outbound_packets,
                processing.outbound_bytes,
                processing.inbound_packets,
                processing.inbound_bytes,
                dropped,
                {"total": self._cpu_ns},
            )

        return self._do(read)

    def take_events(self) -> list[PlaneEvent]:
        """See :class:`ipsecbench.dataplane.interface.DataPlane`."""
        return self._do(lambda now: self._processing.take_events())

    def close(self) -> None:
        """See :class:`ipsecbench.dataplane.interface.DataPlane`."""
        if self._closed:
            return
        self._closed = True
        self._wake_writer.send(b"\0")
        self._thread.join()
        self._selector.close()
        os.close(self._tun)
        for sock in (*(link.sock for link in self._links), self._wake_reader, self._wake_writer):
            sock.close()

    def _do(self, action: Callable[[float], T]) -> T:
        """Between two packets.

        Raises:
            DataPlaneError: the plane has ended.
        """
        if self._closed:
            raise DataPlaneError("the data plane 'reference' is closed")
        with self._lock:
            if self._failure is not None:
                raise DataPlaneError(f"the data plane 'reference' has ended: {self._failure}")
            return action(time.monotonic())

    # The thread.

    def _run(self) -> None:
        try:
            while not self._closed:
                for key, _ in self._selector.select(_TIMEOUTS_SECONDS):
                    if isinstance(key.data, _Link):
                        self._from_outside(key.data)
                    elif key.data is not None:
                        key.data()
                with self._lock:
                    self._pass_on(self._processing.handle_timeout(time.monotonic()))
                    self._cpu_ns = time.thread_time_ns()
        except OSError as error:
            self._failure = f"the TUN device is gone ({error.strerror})"
        except Exception as error:  # said to whoever asks next, instead of a traceback nobody waits for
            self._failure = f"{type(error).__name__}: {error}"

    def _from_inside(self) -> None:
        for _ in range(_BURST):
            try:
                octets = os.read(self._tun, _LARGEST_PACKET)
            except BlockingIOError:
                return
            with self._lock:
                self._pass_on(self._processing.protect(octets, time.monotonic()))

    def _from_outside(self, link: _Link) -> None:
        for _ in range(_BURST):
            try:
                outer = link.receive()
            except BlockingIOError:
                return
            except MalformedError:
                continue
            except OSError:
                # What ICMP has said of an earlier packet; the error queue has it in full.
                with self._lock:
                    self._learn_path_mtu(link)
                continue
            with self._lock:
                self._pass_on(self._processing.receive(outer, time.monotonic()))

    def _pass_on(self, output: Output) -> None:
        for packet in output.inside:
            with contextlib.suppress(BlockingIOError):
                os.write(self._tun, packet)
        for outer in output.outside:
            link = next((link for link in self._links if link.fits(outer)), None)
            if link is None or not link.send(outer):
                self._not_sent += 1
                if link is not None:
                    self._learn_path_mtu(link)
        # A packet that is to bypass is not routed here; one that comes nevertheless has no other way out.
        self._not_sent += len(output.bypassed)

    def _learn_path_mtu(self, link: _Link) -> None:
        for spi, mtu_bytes in link.path_mtus():
            self._processing.learn_path_mtu(spi, mtu_bytes, time.monotonic())


class _Link:
    """One socket to the outside.

    Args:
        sock: bound to an address of this host; UDP, or raw for IP protocol 50.
    """

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._is_udp = sock.type == socket.SOCK_DGRAM
        self._is_ipv4 = sock.family == socket.AF_INET
        host, self._port = sock.getsockname()[:2]
        self._host = ip_address(host).packed
        self._dont_fragment: bool | None = None
        sock.setblocking(False)
        if self._is_ipv4:
            for option in (_IP_RECVTOS, _IP_RECVTTL, _IP_RECVERR):
                sock.setsockopt(socket.IPPROTO_IP, option, 1)
        else:
            for option in (_IPV6_RECVTCLASS, _IPV6_RECVHOPLIMIT, _IPV6_RECVERR):
                sock.setsockopt(socket.IPPROTO_IPV6, option, 1)

    def fits(self, outer: OuterPacket) -> bool:
        """Whether a packet leaves here."""
        ports = outer.encapsulation
        if self._is_udp != (ports is not None) or outer.header.source != self._host:
            return False
        return ports is None or ports.source_port == self._port

    def send(self, outer: OuterPacket) -> bool:
        """Send a packet; whether it has left."""
        header = outer.header
        if header.dont_fragment is not self._dont_fragment:
            level, option = (
                (socket.IPPROTO_IP, _IP_MTU_DISCOVER) if self._is_ipv4 else (socket.IPPROTO_IPV6, _IPV6_MTU_DISCOVER)
            )
            self.sock.setsockopt(level, option, _DONT_FRAGMENT[header.dont_fragment])
            self._dont_fragment = header.dont_fragment
        port = 0 if outer.encapsulation is None else outer.encapsulation.destination_port
        kind = (socket.IPPROTO_IP, socket.IP_TOS) if self._is_ipv4 else (socket.IPPROTO_IPV6, socket.IPV6_TCLASS)
        ancillary = [(*kind, struct.pack("i", header.traffic_class))]
        try:
            self.sock.sendmsg([outer.content], ancillary, 0, (str(ip_address(header.destination)), port))
        except OSError:
            return False
        return True

    def receive(self) -> OuterPacket:
        """The next packet.

        Raises:
            BlockingIOError: there is none.
            OSError: an error of an earlier packet.
            MalformedError: it is no ESP packet.
        """
        octets, ancillary, _flags, source = self.sock.recvmsg(_LARGEST_PACKET, _CONTROL_BYTES)
        if self._is_ipv4 and not self._is_udp:
            # With its IP header, put together by the kernel where it came in fragments.
            return parse_outer(octets)
        traffic_class, hop_limit = _from_ancillary(ancillary)
        header = IpHeader(
            ip_address(source[0].partition("%")[0]).packed,
            self._host,
            Protocol.UDP if self._is_udp else Protocol.ESP,
            traffic_class,
            hop_limit,
        )
        return OuterPacket(header, octets, UdpEncapsulation(source[1], self._port) if self._is_udp else None)

    def path_mtus(self) -> list[tuple[int, int]]:
        """What ICMP has said of packets that were too large: SPIs and sizes."""
        found = []
        for _ in range(_BURST):
            try:
                octets, ancillary, _flags, _source = self.sock.recvmsg(_LARGEST_PACKET, _CONTROL_BYTES, _MSG_ERRQUEUE)
            except OSError:
                break
            for level, option, data in ancillary:
                if (level, option) not in (
                    (socket.IPPROTO_IP, _IP_RECVERR),
                    (socket.IPPROTO_IPV6, _IPV6_RECVERR),
                ):
                    continue
                number, _origin, _type, _code, information = struct.unpack_from("IBBBxI", data)
                if number == errno.EMSGSIZE and information and len(octets) >= 4:
                    found.append((int.from_bytes(octets[:4]), information))
        return found


def _from_ancillary(ancillary: Sequence[tuple[int, int, Any]]) -> tuple[int, int]:
    """Traffic Class and Hop Limit of a datagram."""
    traffic_class, hop_limit = 0, 64
    for level, option, data in ancillary:
        # An octet for IPv4, an int for IPv6.
        number = int.from_bytes(data, sys.byteorder)
        if (level, option) in ((socket.IPPROTO_IP, socket.IP_TOS), (socket.IPPROTO_IPV6, socket.IPV6_TCLASS)):
            traffic_class = number & 0xFF
        elif (level, option) in ((socket.IPPROTO_IP, socket.IP_TTL), (socket.IPPROTO_IPV6, socket.IPV6_HOPLIMIT)):
            hop_limit = number & 0xFF
    return traffic_class, hop_limit
