"""Steps that most scenarios have: negotiate, be reached, be protected, cost what was computed, carry TCP."""

from __future__ import annotations

from ipsecbench.algorithms.proposals import parse_ike
from ipsecbench.lab import expected, probes, tcp_stream
from ipsecbench.lab.capture import Capture
from ipsecbench.lab.end_status import ChildSaStatus, EndStatus
from ipsecbench.lab.scenarios.model import Overhead, Run
from ipsecbench.lab.wire_view import Seen, Sort, in_clear, look

_PINGS = 10
_LIBIPSEC_MTU = 1400
"""The MTU of kernel-libipsec's device, whatever the link's is."""
_SIZES = (64, 100, 576, 1000)
_TIMESTAMPS_BYTES = 12
"""TCP's option of time stamps, with its padding."""


def negotiate(run: Run) -> None:
    """Set up IKE SA and Child SA, and compare what both ends say."""
    run.status = run.laboratory.establish()
    first, second = run.status["A"], run.status["B"]
    sa, child = first.ike_sas[0], first.children[0]
    run.outcome.negotiated = {
        "ike": f"IKEv{sa.version} {sa.proposal}",
        "esp": child.proposal,
        "mode": child.mode,
        "udp": _udp(child, first),
        "dataplane": f"{first.dataplane} and {second.dataplane}",
    }
    run.check("IKE of the version asked for", sa.version == run.arrangement.version, f"IKEv{sa.version}")
    run.check(
        "the IKE SA has the same SPIs at both ends",
        any((sa.spi_i, sa.spi_r) == (other.spi_i, other.spi_r) for other in second.ike_sas),
        f"{sa.spi_i} {sa.spi_r}",
    )
    run.check(
        "what one end sends with, the other receives with",
        any(
            (child.inbound_spi, child.outbound_spi) == (other.outbound_spi, other.inbound_spi)
            for other in second.children
        ),
        f"SPIs {child.inbound_spi} and {child.outbound_spi}",
    )
    if first.program == "ipsecbench":
        _check_proposals(run, first)


def _udp(child: ChildSaStatus, end: EndStatus) -> str:
    if child.udp_encapsulation is None:
        return "in UDP" if end.dataplane == "kernel-libipsec" else ""
    return "in UDP" if child.udp_encapsulation else "IP protocol 50"


def _check_proposals(run: Run, end: EndStatus) -> None:
    wanted = parse_ike(run.arrangement.ike)
    seen = end.ike_sas[0].proposal
    words = [*wanted.encryption[:1], *wanted.integrity[:1], *wanted.key_exchange[:1]]
    run.check("phase 1 is what was proposed", all(word in seen for word in words), seen)
    child = end.children[0]
    suite = expected.suite_of(run.arrangement).name
    esn = run.arrangement.esn == ("esn" in child.proposal.split("-"))
    run.check("phase 2 is what was proposed", child.proposal.startswith(suite) and esn, child.proposal)
    run.check("the mode is the one asked for", child.mode == run.arrangement.mode, child.mode)
    run.check(
        "ESP is in UDP exactly where it was to be",
        child.udp_encapsulation == run.arrangement.udp_encapsulation,
        "in UDP" if child.udp_encapsulation else "IP protocol 50",
    )


def reach(run: Run) -> None:
    """Echo requests through the SA, and nothing of them in clear on the way."""
    here, there = _addresses(run)
    with Capture(run.laboratory.host("A")) as capture:
        echoes = probes.ping(run.laboratory.host("A"), here, there, count=_PINGS, timeout_seconds=2.0)
    run.outcome.ping_ms = echoes.median_ms
    lossy = run.arrangement.impairment.loss_percent > 0
    enough = echoes.answered >= _PINGS / 2 if lossy else echoes.answered == _PINGS
    run.check("the other host answers through the SA", enough, f"{echoes.answered} of {_PINGS}")
    seen = look(capture.packets())
    number, which = in_clear(seen)
    run.check("nothing passes in clear", number == 0, which)
    child = run.status["A"].children[0]
    spis = {packet.spi for packet in seen if packet.is_esp}
    mine = {int(spi, 16) for spi in (child.inbound_spi, child.outbound_spi)}
    run.check("what passes is ESP with the SPIs that were negotiated", bool(spis) and spis <= mine, _spis(spis))
    wanted = Sort.ESP_IN_UDP if run.arrangement.udp_encapsulation else Sort.ESP
    sorts = sorted({str(packet.sort) for packet in seen if packet.is_esp})
    run.check(f"it travels as {wanted}", sorts == [wanted], ", ".join(sorts) or "nothing")


def _spis(spis: set[int]) -> str:
    return ", ".join(f"{spi:08x}" for spi in sorted(spis)) or "none"


def count(run: Run) -> None:
    """The counters of the SAs have gone up by the echo requests."""
    after = run.laboratory.status()
    for side, other in (("A", "B"), ("B", "A")):
        sent = sum(child.packets_out for child in after[side].children)
        received = sum(child.packets_in for child in after[other].children)
        run.check(
            f"{other} has counted what {side} has sent",
            received == sent >= _PINGS if not run.arrangement.impairment.loss_percent else sent >= received > 0,
            f"sent {sent}, received {received}",
        )


def weigh(run: Run) -> None:
    """The octets of packets on the wire, against those computed."""
    for inner_bytes in (*_SIZES, _longest(run)):
        seen = _on_the_wire(run, inner_bytes)
        if seen is None:
            run.check(f"a packet of {inner_bytes} octets can be seen on the way", False, "none")
            continue
        computed = expected.wire_bytes(run.arrangement, inner_bytes)
        run.outcome.overheads.append(Overhead(inner_bytes, seen.packet_bytes, computed))
    rows = run.outcome.overheads
    wrong = [row for row in rows if row.wire_bytes != row.computed_bytes]
    shown = ", ".join(f"{row.inner_bytes} → {row.wire_bytes} not {row.computed_bytes}" for row in wrong)
    run.check("packets are as long as computed", bool(rows) and not wrong, shown or f"{len(rows)} sizes")


def fit(run: Run) -> None:
    """The longest packet goes through in one piece, and one octet more does not."""
    here, there = _addresses(run)
    longest = _longest(run)
    host = run.laboratory.host("A")
    with Capture(host) as capture:
        echoes = probes.ping(host, here, there, packet_bytes=longest, may_fragment=False, timeout_seconds=2.0)
    whole = not any(packet.sort is Sort.FRAGMENT for packet in look(capture.packets()))
    run.check("the longest packet computed goes through", echoes.answered == 1 and whole, f"{longest} octets")
    learnt = probes.learnt_path_mtu(host, here, there, longest + 1)
    run.check("one octet more is refused, and the host learns the MTU", learnt == longest, f"path MTU {learnt}")
    run.outcome.inner_mtu_bytes = learnt


def stream(run: Run) -> None:
    """A TCP stream from A to B."""
    here, there = _addresses(run)
    first, second = run.laboratory.host("A"), run.laboratory.host("B")
    with Capture(first) as capture:
        found = tcp_stream.measure(first, second, here, there, 0.2, own=True)
    number, which = in_clear(look(capture.packets()))
    run.check("nothing of a TCP stream passes in clear", number == 0, which)
    run.outcome.tcp_mss_bytes = found.mss_bytes
    if not run.arrangement.strongswan:
        version = 6 if ":" in there else 4
        room = expected.inner_mtu_bytes(run.arrangement) - probes.ip_header_bytes(version) - 20
        run.check(
            "TCP fills the packets that fit, and no longer ones",
            found.mss_bytes in (room, room - _TIMESTAMPS_BYTES),
            f"MSS {found.mss_bytes} of {room}, time stamps take {_TIMESTAMPS_BYTES}",
        )
    found = tcp_stream.measure(first, second, here, there, run.seconds, own=run.own_stream)
    run.outcome.tcp_mbit, run.outcome.tcp_program = found.mbit_per_second, found.program
    run.check("TCP flows", found.mbit_per_second > 0, f"{found.mbit_per_second:.0f} Mbit/s by {found.program}")


def part(run: Run) -> None:
    """Both ends part politely: no SA is left."""
    for end in run.laboratory.ends.values():
        end.stop()
    run.check("both ends part politely", True, "stopped")


def _addresses(run: Run) -> tuple[str, str]:
    arrangement, laboratory = run.arrangement, run.laboratory
    return arrangement.inner_address(laboratory.host("A")), arrangement.inner_address(laboratory.host("B"))


def _longest(run: Run) -> int:
    computed = expected.inner_mtu_bytes(run.arrangement)
    return min(computed, _LIBIPSEC_MTU) if run.arrangement.strongswan else computed


def _on_the_wire(run: Run, inner_bytes: int) -> Seen | None:
    """The ESP packet that an echo request of so many octets becomes."""
    here, there = _addresses(run)
    host = run.laboratory.host("A")
    outer = run.arrangement.outer_address(host)
    for _try in range(5):  # it may be lost where losses are wished for, but it is seen where it leaves
        with Capture(host) as capture:
            probes.ping(host, here, there, packet_bytes=inner_bytes)
        seen = [packet for packet in look(capture.packets()) if packet.is_esp and packet.source == outer]
        if seen:
            return seen[0]
    return None


BASIC = (negotiate, reach, count, weigh, fit, stream)
"""What every data plane of ours has to stand."""
WITH_STRONGSWAN = (negotiate, reach, count, weigh, stream)
"""The same for kernel-libipsec, which does not say when a packet is too long."""
