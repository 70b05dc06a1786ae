"""BYPASS and DISCARD beside PROTECT (RFC 4301 section 4.4.1): seen on the wire, and counted."""

from __future__ import annotations

import socket

from ipsecbench.esp.configuration import Action
from ipsecbench.lab.arrangement import UnprotectedTraffic
from ipsecbench.lab.capture import Capture
from ipsecbench.lab.scenarios.model import Run
from ipsecbench.lab.wire_view import Seen, Sort, look

BYPASSED_PORT, DISCARDED_PORT, PROTECTED_PORT = 5001, 5002, 5003
"""UDP ports of the peer."""
UNPROTECTED = tuple(
    UnprotectedTraffic(action, (f"192.0.2.1/32[udp/{port}]", f"192.0.2.2/32[udp/{port}]"))
    for action, port in ((Action.BYPASS, BYPASSED_PORT), (Action.DISCARD, DISCARDED_PORT))
)
"""Everything between the hosts is protected (transport mode), but for two ports."""
_WAIT_SECONDS = 1.0


def _send(run: Run, port: int) -> tuple[bool, list[Seen]]:
    """Whether a datagram from A arrives at B, and what passes meanwhile."""
    first, second = run.laboratory.host("A"), run.laboratory.host("B")
    here, there = run.arrangement.outer_address(first), run.arrangement.outer_address(second)
    with first.udp_socket(port, here) as sender, second.udp_socket(port, there) as receiver, Capture(first) as capture:
        receiver.settimeout(_WAIT_SECONDS)
        try:
            sender.sendto(b"a datagram in clear or not", (there, port))
            arrived = bool(receiver.recv(100))
        except OSError:  # nothing came, or this end's own policy refused it
            arrived = False
        return arrived, look(capture.packets())


def protect(run: Run) -> None:
    """Whatever has no policy of its own goes through the SA."""
    arrived, seen = _send(run, PROTECTED_PORT)
    sorts = {packet.sort for packet in seen}
    run.check("PROTECT: it arrives, and is ESP on the way", arrived and sorts <= {Sort.ESP, Sort.LINK}, _sorts(seen))


def bypass(run: Run) -> None:
    """One port goes in clear, and arrives."""
    arrived, seen = _send(run, BYPASSED_PORT)
    clear = [packet for packet in seen if packet.sort is Sort.CLEAR and packet.protocol == socket.IPPROTO_UDP]
    run.check("BYPASS: it arrives, and is in clear on the way", arrived and len(clear) == 1, _sorts(seen))


def discard(run: Run) -> None:
    """One port goes nowhere, and is counted."""
    before = run.laboratory.a.status().dropped.get("XfrmOutPolBlock", 0)
    arrived, seen = _send(run, DISCARDED_PORT)
    left = [packet for packet in seen if packet.sort is not Sort.LINK]
    run.check("DISCARD: it does not arrive, and nothing leaves", not arrived and not left, _sorts(seen))
    counted = run.laboratory.a.status().dropped.get("XfrmOutPolBlock", 0) - before
    run.check("and is counted as XfrmOutPolBlock", counted >= 1, f"{counted} counted")


def clear_is_refused(run: Run) -> None:
    """What must be protected and comes in clear gets no answer."""
    from ipsecbench.dataplane.esp_sockets import OWN_MARK

    first, second = run.laboratory.host("A"), run.laboratory.host("B")
    there = run.arrangement.outer_address(second)
    with second.udp_socket(PROTECTED_PORT, there) as receiver, first.udp_socket(0) as sender:
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, OWN_MARK)  # goes around the data plane
        receiver.settimeout(_WAIT_SECONDS / 2)
        sender.sendto(b"in clear", (there, PROTECTED_PORT))
        try:
            arrived = bool(receiver.recv(100))
        except TimeoutError:
            arrived = False
    counted = run.laboratory.b.status().dropped.get("XfrmInTmplMismatch", 0)
    run.check(
        "what must be protected and comes in clear is refused", not arrived and counted >= 1, f"{counted} counted"
    )


def _sorts(seen: list[Seen]) -> str:
    sorts = [str(packet.sort) for packet in seen if packet.sort is not Sort.LINK]
    return ", ".join(sorts) or "nothing passes"


POLICIES = (protect, bypass, discard, clear_is_refused)
"""All of them."""
