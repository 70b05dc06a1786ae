"""What a data plane says and counts, as lines for people and as fields for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ipsecbench.dataplane.interface import PlaneEvent, PlaneEventKind, PlaneKind, PlaneStatistics, SaStatistics
from ipsecbench.ike.events import ChildSaInfo

Carried = Sequence[tuple[ChildSaInfo, SaStatistics, SaStatistics]]
"""Child SAs, and what they have carried inbound and outbound."""


def event_fields(event: PlaneEvent) -> dict[str, Any]:
    """What a data plane has to say, for a program."""
    fields: dict[str, Any] = {
        "event": "PlaneEvent",
        "kind": str(event.kind),
        "direction": str(event.direction),
        "spi": f"{event.spi:08x}",
    }
    if event.kind is PlaneEventKind.PATH_CHANGED:
        fields |= {"source": event.source, "source_port": event.source_port}
    return fields


def event_line(event: PlaneEvent) -> str:
    """What a data plane has to say, for people."""
    what = {
        PlaneEventKind.SOFT_LIMIT: "has reached its soft limit",
        PlaneEventKind.HARD_LIMIT: "has reached its hard limit",
        PlaneEventKind.SEQUENCE_EXHAUSTED: "has no sequence number left",
        PlaneEventKind.PATH_CHANGED: f"gets packets from {event.source} port {event.source_port} now",
    }
    return f"SA {event.spi:08x} ({event.direction}) {what[event.kind]}"


def statistics_fields(kind: PlaneKind, figures: PlaneStatistics, children: Carried) -> dict[str, Any]:
    """Figures of a data plane, for a program."""
    return {
        "event": "Statistics",
        "data_plane": str(kind),
        "inbound_packets": figures.inbound_packets,
        "inbound_bytes": figures.inbound_bytes,
        "outbound_packets": figures.outbound_packets,
        "outbound_bytes": figures.outbound_bytes,
        "dropped": {name: number for name, number in figures.dropped.items() if number},
        "cpu_ns": dict(figures.cpu_ns),
        "child_sas": [
            {
                "child": sa.name,
                "inbound_spi": sa.inbound_spi.hex(),
                "outbound_spi": sa.outbound_spi.hex(),
                "inbound_packets": inbound.packets,
                "inbound_bytes": inbound.bytes,
                "outbound_packets": outbound.packets,
                "outbound_bytes": outbound.bytes,
                "replayed": inbound.replayed,
                "forged": inbound.forged,
            }
            for sa, inbound, outbound in children
        ],
    }


def statistics_lines(kind: PlaneKind, figures: PlaneStatistics, children: Carried) -> list[str]:
    """Figures of a data plane, for people: one line for all, and one for each Child SA."""
    dropped = ", ".join(f"{name} {number}" for name, number in figures.dropped.items() if number) or "nothing"
    total_ns = figures.cpu_ns.get("total")
    processor = "" if total_ns is None else f"; {total_ns / 1e9:.3f} s of processor time"
    lines = [
        f"Data plane {kind}: {figures.inbound_packets} packets ({figures.inbound_bytes} octets) in, "
        f"{figures.outbound_packets} packets ({figures.outbound_bytes} octets) out; dropped: {dropped}{processor}"
    ]
    lines += [
        f"Child SA {sa.name}: SPI {sa.inbound_spi.hex()} in {inbound.packets} packets ({inbound.bytes} octets), "
        f"{inbound.replayed} replayed, {inbound.forged} forged; SPI {sa.outbound_spi.hex()} out "
        f"{outbound.packets} packets ({outbound.bytes} octets)"
        for sa, inbound, outbound in children
    ]
    return lines
