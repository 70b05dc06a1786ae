"""A packet that may not be fragmented and does not fit once it is sealed: the sender is told, and TCP goes on."""

from __future__ import annotations

from ipsecbench.lab import expected, probes, tcp_stream
from ipsecbench.lab.capture import Capture
from ipsecbench.lab.scenarios.model import Run
from ipsecbench.lab.wire_view import Sort, look

_TOO_BIG = {4: bytes([3, 4]), 6: bytes([2, 0])}
"""Type and code of the ICMP message: fragmentation needed (RFC 1191), packet too big (RFC 8201)."""
_HEADERS = {4: 20, 6: 40}


def too_big_is_said(run: Run) -> None:
    """A packet with DF of the device's full length comes back as an ICMP error that names the right MTU."""
    first, second = run.laboratory.host("A"), run.laboratory.host("B")
    here, there = run.arrangement.inner_address(first), run.arrangement.inner_address(second)
    version = run.arrangement.inner
    fits = expected.inner_mtu_bytes(run.arrangement)
    with Capture(first, run.laboratory.a.device) as capture:
        learnt = probes.learnt_path_mtu(first, here, there, run.arrangement.mtu)
        packets = capture.packets()
    start = _HEADERS[version]
    errors = [packet[start:] for packet in packets if packet[start : start + 2] == _TOO_BIG[version]]
    named = sorted({int.from_bytes(error[4:8], "big") & 0xFFFF for error in errors})
    run.check("the data plane says that the packet is too big", bool(errors), f"{len(errors)} ICMP messages")
    run.check("and names the MTU that was computed", named == [fits], ", ".join(map(str, named)) or "none")
    run.check("the host has learnt it", learnt == fits, f"path MTU {learnt}")
    run.outcome.inner_mtu_bytes = learnt


def tcp_goes_on(run: Run) -> None:
    """TCP, which begins with segments for the whole device, comes down to what fits; nothing is fragmented outside."""
    first, second = run.laboratory.host("A"), run.laboratory.host("B")
    here, there = run.arrangement.inner_address(first), run.arrangement.inner_address(second)
    with Capture(first) as capture:
        found = tcp_stream.measure(first, second, here, there, 0.3, own=True)
        seen = look(capture.packets())
    room = expected.inner_mtu_bytes(run.arrangement) - probes.ip_header_bytes(run.arrangement.inner) - 20
    run.outcome.tcp_mss_bytes = found.mss_bytes
    run.check("TCP goes on, with segments that fit", room - 12 <= found.mss_bytes <= room, f"MSS {found.mss_bytes}")
    pieces = sum(packet.sort is Sort.FRAGMENT for packet in seen)
    run.check("no outer packet is fragmented", not pieces, f"{pieces} fragments")


PATH_MTU = (too_big_is_said, tcp_goes_on)
"""Both."""
