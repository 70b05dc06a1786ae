"""Netlink sockets to the kernel's XFRM: requests with their answers, and events.

A socket belongs to the network namespace of the thread that opened it and stays there, whichever thread uses it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from collections.abc import Iterator

from ipsecbench.dataplane import xfrm_messages as xfrm
from ipsecbench.dataplane.xfrm_messages import Message, NetlinkMessage
from ipsecbench.errors import DataPlaneError, MalformedError

NETLINK_ROUTE, NETLINK_XFRM = 0, 6
_SOL_NETLINK = 270
_CAP_ACK, _EXTENDED_ACK = 10, 11
_ANSWER_MAXIMUM_BYTES = 65536
_EVENTS_BUFFER_BYTES = 1 << 20
_PATIENCE_SECONDS = 10
_BURST = 10_000
"""Datagrams that are read at once at most."""


class KernelRefusalError(DataPlaneError):
    """The kernel answered a request with an error.

    Attributes:
        number: of errno.
    """

    def __init__(self, message: str, number: int) -> None:
        super().__init__(message)
        self.number = number


class NetlinkSocket:
    """Requests to the kernel, one at a time.

    Args:
        protocol: :data:`NETLINK_XFRM` or :data:`NETLINK_ROUTE`.

    Raises:
        DataPlaneError: the kernel has no such thing.
    """

    def __init__(self, protocol: int = NETLINK_XFRM) -> None:
        self._socket = _open(protocol)
        # A kernel that always answers soon may still be loading a module of a cipher.
        self._socket.settimeout(_PATIENCE_SECONDS)
        for option in (_CAP_ACK, _EXTENDED_ACK):
            # Kernels before 4.12 have no words for their errors.
            with contextlib.suppress(OSError):
                self._socket.setsockopt(_SOL_NETLINK, option, 1)
        self._sequence = 0

    def request(self, kind: int, body: bytes | bytearray, flags: int = 0) -> list[NetlinkMessage]:
        """Send one request and wait until it is done; the messages that came with the answer. The body is wiped.

        Raises:
            KernelRefusalError: the kernel said no.
            DataPlaneError: it did not answer.
        """
        self._sequence += 1
        message = xfrm.frame(kind, xfrm.FLAG_REQUEST | xfrm.FLAG_ACKNOWLEDGE | flags, self._sequence, body)
        try:
            self._socket.sendto(message, (0, 0))
        except OSError as error:
            raise DataPlaneError(f"the kernel's netlink took no request: {error.strerror}") from error
        finally:
            _wipe(message)
            if isinstance(body, bytearray):
                _wipe(body)
        found: list[NetlinkMessage] = []
        for answer in self._answers():
            if answer.kind == Message.ERROR:
                number, words = xfrm.parse_error(answer)
                if number:
                    raise KernelRefusalError(words.rstrip(".") or os.strerror(number), number)
                return found
            found.append(answer)
        raise DataPlaneError("the kernel's netlink answers without end")

    def close(self) -> None:
        """Close it. Safe to call more than once."""
        self._socket.close()

    def _answers(self) -> Iterator[NetlinkMessage]:
        for _ in range(_BURST):
            try:
                data, sender = self._socket.recvfrom(_ANSWER_MAXIMUM_BYTES)
            except TimeoutError as error:
                raise DataPlaneError(f"the kernel's netlink did not answer within {_PATIENCE_SECONDS} s") from error
            except OSError as error:
                raise DataPlaneError(f"the kernel's netlink failed: {error.strerror}") from error
            # Only the kernel has port number 0.
            if sender[0] == 0:
                yield from (message for message in xfrm.parse_frames(data) if message.sequence == self._sequence)


class EventSocket:
    """What the kernel says by itself: SAs that reach a limit, peers that move.

    Raises:
        DataPlaneError: the kernel has no XFRM, or this process may not listen to it.
    """

    def __init__(self) -> None:
        self._socket = _open(NETLINK_XFRM)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _EVENTS_BUFFER_BYTES)
        try:
            self._socket.bind((0, xfrm.groups_mask((xfrm.EXPIRE_GROUP, xfrm.MAPPING_GROUP))))
        except OSError as error:
            self._socket.close()
            raise DataPlaneError(f"cannot listen to the kernel's XFRM: {error.strerror}; it needs root") from error

    def fileno(self) -> int:
        """The descriptor, which becomes readable with an event."""
        return self._socket.fileno()

    def take(self) -> tuple[list[NetlinkMessage], bool]:
        """Messages so far, and whether some were lost because there were too many."""
        found: list[NetlinkMessage] = []
        lost = False
        for _ in range(_BURST):
            try:
                data, sender = self._socket.recvfrom(_ANSWER_MAXIMUM_BYTES)
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise DataPlaneError(f"the kernel's XFRM events failed: {error.strerror}") from error
                lost = True
                continue
            if sender[0] == 0:
                with contextlib.suppress(MalformedError):
                    found += xfrm.parse_frames(data)
        return found, lost

    def close(self) -> None:
        """Close it. Safe to call more than once."""
        self._socket.close()


def _open(protocol: int) -> socket.socket:
    netlink = getattr(socket, "AF_NETLINK", None)
    if netlink is None:
        raise DataPlaneError("this system is no Linux: it has no XFRM; use the data plane 'agent' or 'reference'")
    try:
        return socket.socket(netlink, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol)
    except OSError as error:
        raise DataPlaneError(
            "this kernel has no XFRM (CONFIG_XFRM_USER); use the data plane 'agent' or 'reference'"
        ) from error


def _wipe(octets: bytearray) -> None:
    octets[:] = bytes(len(octets))
