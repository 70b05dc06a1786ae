"""What the kernel has to know of IKE's sockets: that IKE itself is never protected, and where ESP in UDP arrives."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Sequence

from ipsecbench.dataplane import xfrm_messages as xfrm
from ipsecbench.dataplane.xfrm_messages import PolicyDirection
from ipsecbench.errors import DataPlaneError

UDP_ENCAPSULATION = 100
"""UDP_ENCAP of <linux/udp.h>."""
_OPTIONS = {
    socket.AF_INET: (socket.IPPROTO_IP, 17, 4),
    socket.AF_INET6: (socket.IPPROTO_IPV6, 35, 6),
}
"""IP_XFRM_POLICY and IPV6_XFRM_POLICY: level, option and IP version."""


class KernelSockets:
    """Sockets of IKE, prepared; they are left as they were by :meth:`close`.

    Args:
        ike_sockets: what they send and receive passes as it is (RFC 4301 section 5: IKE is a BYPASS).
        encapsulation_sockets: ESP in UDP that arrives there is the kernel's.

    Raises:
        DataPlaneError: the kernel refuses it.
    """

    def __init__(self, ike_sockets: Sequence[socket.socket], encapsulation_sockets: Sequence[socket.socket]) -> None:
        self._ike: list[socket.socket] = []
        self._encapsulation: list[socket.socket] = []
        try:
            for sock in ike_sockets:
                self._ike.append(sock)
                level, option, version = _OPTIONS[sock.family]
                for direction in (PolicyDirection.INBOUND, PolicyDirection.OUTBOUND):
                    sock.setsockopt(level, option, xfrm.socket_policy(version, direction))
            for sock in encapsulation_sockets:
                self._encapsulation.append(sock)
                sock.setsockopt(socket.IPPROTO_UDP, UDP_ENCAPSULATION, xfrm.ESP_IN_UDP)
        except OSError as error:
            self.close()
            raise DataPlaneError(
                f"the kernel does not take IKE's socket for ESP: {error.strerror}; it needs root, and Linux 5.8 for "
                "ESP in UDP over IPv6"
            ) from error

    def close(self) -> None:
        """Take it back; sockets that are closed already are left alone."""
        for sock in self._ike:
            level, option, _ = _OPTIONS[sock.family]
            with contextlib.suppress(OSError):
                sock.setsockopt(level, option, None, 0)
        for sock in self._encapsulation:
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.IPPROTO_UDP, UDP_ENCAPSULATION, 0)
        self._ike, self._encapsulation = [], []
