"""What the laboratory's commands show to people."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ipsecbench.lab.scenarios.model import Outcome

_BINARY = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


def render_status(status: Mapping[str, Any], rates: Mapping[str, Mapping[str, float]] | None = None) -> str:
    """IKE and Child SAs, counters and throughput of each side.

    Args:
        status: what the laboratory said.
        rates: Mbit/s in and out, by side; None where none was measured.
    """
    lines = []
    for side, end in status["ends"].items():
        device = status["devices"].get(side)
        words = [f"{side}  {end['program']}", f"data plane {end['dataplane']}" + (f" on {device}" if device else "")]
        words += [f"outside {end['outer_address']}", f"inside {end['inner_address']}"]
        lines.append("  ".join(words))
        if not end["running"]:
            lines += [f"   it has ended: {end['failure']}", ""]
            continue
        if not end["ike_sas"]:
            lines.append("   no IKE SA")
        for sa in end["ike_sas"]:
            lines += _ike_sa(sa)
        lines.append("   " + _carried(end, (rates or {}).get(side)))
        dropped = {name: number for name, number in end["dropped"].items() if number}
        if dropped:
            lines.append("   dropped: " + ", ".join(f"{name} {number}" for name, number in dropped.items()))
        lines.append("")
    return "\n".join(lines[:-1])


def _ike_sa(sa: Mapping[str, Any]) -> list[str]:
    nat = " and ".join(word for word, there in (("this end", sa["nat_local"]), ("the peer", sa["nat_remote"])) if there)
    lines = [
        f"   IKE SA {sa['unique_id']}  IKEv{sa['version']} {sa['role']}, {sa['state']}  {sa['proposal']}",
        f"      SPIs {sa['spi_i']} {sa['spi_r']}  {sa['local']} … {sa['remote']}" + (f"  NAT at {nat}" if nat else ""),
    ]
    for child in sa["children"]:
        udp = "  in UDP" if child["udp_encapsulation"] else ""
        lines += [
            f"   Child SA {child['name']}  {child['mode']} mode{udp}  {child['proposal']}",
            f"      SPI in {child['inbound_spi']}, out {child['outbound_spi']}  "
            f"{' '.join(child['local_ts'])} … {' '.join(child['remote_ts'])}",
            f"      in {child['packets_in']} packets, {amount(child['bytes_in'])}B; "
            f"out {child['packets_out']} packets, {amount(child['bytes_out'])}B"
            + (f"; replayed {child['replayed']}" if child["replayed"] else "")
            + (f"; forged {child['forged']}" if child["forged"] else ""),
        ]
    return lines


def _carried(end: Mapping[str, Any], rates: Mapping[str, float] | None) -> str:
    text = (
        f"in all: in {end['packets_in']} packets, {amount(end['bytes_in'])}B; "
        f"out {end['packets_out']} packets, {amount(end['bytes_out'])}B"
    )
    if rates:
        text += f"; now {rates['in']:.1f} Mbit/s in, {rates['out']:.1f} Mbit/s out"
    if cpu := end["cpu_ns"].get("total"):
        text += f"; processor {cpu / 1e9:.2f} s"
    return text


def amount(value: float) -> str:
    """A number with its decimal prefix, such as ``12.3 k``; the unit follows."""
    for size, prefix in _BINARY:
        if value >= size:
            return f"{value / size:.1f} {prefix}"
    return f"{value:.0f} "


def table(rows: Sequence[Sequence[str]], numbers: frozenset[int] = frozenset()) -> str:
    """Rows in columns; the first row is the heading.

    Args:
        rows: of equal length.
        numbers: columns that are set flush right.
    """
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column in numbers else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def age(since: float) -> str:
    """How long ago a time was."""
    seconds = max(0, round(time.time() - since))
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"


def render_outcome(outcome: Outcome) -> str:
    """What came of a scenario, on a short screen."""
    if outcome.parts:
        return _side_by_side(outcome)
    lines = [f"{outcome.name}: {outcome.title}"]
    said = outcome.negotiated
    if said:
        lines.append(f"  phase 1  {said['ike']}")
        lines.append("  phase 2  " + "  ".join([said["esp"], f"{said['mode']} mode", said["udp"]]).rstrip())
        lines.append(f"  planes   {said['dataplane']}")
    if outcome.overheads:
        rows = [["  packet", *(str(row.inner_bytes) for row in outcome.overheads)]]
        rows.append(["  on the wire", *(str(row.wire_bytes) for row in outcome.overheads)])
        rows.append(["  computed", *(str(row.computed_bytes) for row in outcome.overheads)])
        rows.append(["  overhead", *(f"+{row.wire_bytes - row.inner_bytes}" for row in outcome.overheads)])
        lines += table(rows, frozenset(range(1, len(rows[0])))).splitlines()
    figures = []
    if outcome.inner_mtu_bytes:
        figures.append(f"inner MTU {outcome.inner_mtu_bytes}")
    if outcome.tcp_mss_bytes:
        figures.append(f"TCP MSS {outcome.tcp_mss_bytes}")
    if outcome.ping_ms:
        figures.append(f"ping {outcome.ping_ms:.2f} ms")
    if outcome.tcp_mbit:
        figures.append(f"TCP {outcome.tcp_mbit:.0f} Mbit/s ({outcome.tcp_program})")
    if figures:
        lines.append("  " + ", ".join(figures))
    failed = [check for check in outcome.checks if not check.held]
    lines += [f"  FAILED  {check.claim}: {check.seen}" for check in failed]
    number = len(outcome.checks)
    lines.append(f"  {number - len(failed)} of {number} claims hold")
    return "\n".join(lines)


def _side_by_side(outcome: Outcome) -> str:
    heading = ["", "mode", "ESP", "64 B", "576 B", "largest", "inner MTU", "MSS", "ping ms", "TCP Mbit/s", "claims"]
    rows = [heading]
    for part in outcome.parts:
        extra = {row.inner_bytes: f"+{row.wire_bytes - row.inner_bytes}" for row in part.overheads}
        largest = max(extra, default=0)
        held = sum(check.held for check in part.checks)
        rows.append(
            [
                part.name,
                part.negotiated.get("mode", ""),
                part.negotiated.get("udp", ""),
                extra.get(64, ""),
                extra.get(576, ""),
                extra.get(largest, ""),
                str(part.inner_mtu_bytes or ""),
                str(part.tcp_mss_bytes or ""),
                f"{part.ping_ms:.2f}",
                f"{part.tcp_mbit:.0f}",
                f"{held}/{len(part.checks)}",
            ]
        )
    lines = [f"{outcome.name}: {outcome.title}", *table(rows, frozenset(range(3, len(heading)))).splitlines()]
    lines += [
        f"FAILED  {part.name}: {check.claim}: {check.seen}"
        for part in outcome.parts
        for check in part.checks
        if not check.held
    ]
    return "\n".join(lines)
