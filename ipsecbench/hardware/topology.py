"""How the processors of a running box hang together, from /sys/devices/system/cpu."""

from __future__ import annotations

from dataclasses import dataclass

from ipsecbench.hardware.source import Source, parse_integer, parse_processor_list

_CPU = "sys/devices/system/cpu"

_HYBRID_ROLES = {"cpu_core": "performance", "cpu_atom": "efficiency", "cpu_lowpower": "low-power efficiency"}
"""Linux names the counters of each core type of a hybrid x86 so, with the processors they cover."""


@dataclass(frozen=True, slots=True)
class Topology:
    """Which processors share what. `None` where the kernel does not say."""

    online: tuple[int, ...]
    sockets: int | None
    clusters: int | None
    cores: int | None
    roles: tuple[tuple[str, tuple[int, ...]], ...]
    """On a hybrid x86: the role of each core type and its processors."""
    capacities: tuple[tuple[int, int], ...]
    """Processor and its relative capacity, 1024 for the fastest, where the kernel rates them."""


def read_topology(source: Source) -> Topology:
    """Read the topology; everything is empty or `None` when /sys is not there."""
    online = parse_processor_list(source.read_line(f"{_CPU}/online"))
    if not online:
        online = tuple(
            sorted(
                number
                for name in source.names(_CPU)
                if name.startswith("cpu") and (number := parse_integer(name[3:])) is not None
            )
        )
    sockets: set[str] = set()
    clusters: set[str] = set()
    cores: set[str] = set()
    capacities: list[tuple[int, int]] = []
    for processor in online:
        topology = f"{_CPU}/cpu{processor}/topology"
        threads = source.read_line(f"{topology}/thread_siblings_list")
        if threads is None:
            continue
        cores.add(threads)
        sockets.add(source.read_line(f"{topology}/physical_package_id") or "")
        cluster = source.read_integer(f"{topology}/cluster_id")
        if cluster is not None and cluster not in (-1, 65535):
            clusters.add(source.read_line(f"{topology}/cluster_cpus_list") or str(cluster))
        capacity = source.read_integer(f"{_CPU}/cpu{processor}/cpu_capacity")
        if capacity is not None:
            capacities.append((processor, capacity))
    return Topology(
        online=online,
        sockets=_count(sockets - {"", "-1"}),
        clusters=_count(clusters),
        cores=_count(cores),
        roles=_hybrid_roles(source),
        capacities=tuple(capacities),
    )


def _count(found: set[str]) -> int | None:
    return len(found) or None


def _hybrid_roles(source: Source) -> tuple[tuple[str, tuple[int, ...]], ...]:
    roles = []
    for directory, role in _HYBRID_ROLES.items():
        processors = parse_processor_list(source.read_line(f"sys/devices/{directory}/cpus"))
        if processors:
            roles.append((role, processors))
    return tuple(roles)
