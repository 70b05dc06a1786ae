"""What the box did between two moments: busy, stolen and idle time, and context switches of this process.

The measuring engine takes a snapshot before and after a sample. Times are clock ticks (USER_HZ, 1/100 s), so that
only intervals of a second and more say anything about steal. Sources: proc(5), /proc/stat and /proc/pid/status.
"""

from __future__ import annotations

from dataclasses import dataclass

from ipsecbench.hardware.source import Source, parse_integer

_FIELDS = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")


@dataclass(frozen=True, slots=True)
class Activity:
    """Counters at one moment, since boot and since the start of the process. `None`: the kernel does not say."""

    total_ticks: int | None
    idle_ticks: int | None
    steal_ticks: int | None
    """Time in which a hypervisor ran somebody else; kernels before 2.6.11 do not count it."""
    voluntary_switches: int | None
    involuntary_switches: int | None

    def since(self, earlier: Activity) -> ActivityChange:
        """What happened since an earlier snapshot."""
        total = _difference(self.total_ticks, earlier.total_ticks)
        idle = _difference(self.idle_ticks, earlier.idle_ticks)
        busy = None if total is None or idle is None else total - idle
        return ActivityChange(
            steal_fraction=_fraction(_difference(self.steal_ticks, earlier.steal_ticks), total),
            busy_fraction=_fraction(busy, total),
            voluntary_switches=_difference(self.voluntary_switches, earlier.voluntary_switches),
            involuntary_switches=_difference(self.involuntary_switches, earlier.involuntary_switches),
        )


@dataclass(frozen=True, slots=True)
class ActivityChange:
    """The difference of two snapshots. `None`: not known, or no tick passed."""

    steal_fraction: float | None
    """Of all processors' time, 0 to 1."""
    busy_fraction: float | None
    voluntary_switches: int | None
    involuntary_switches: int | None


def read_activity(source: Source) -> Activity:
    """Take a snapshot."""
    ticks = _stat_ticks(source.read_text("proc/stat") or "")
    switches = {}
    for line in (source.read_text("proc/self/status") or "").split("\n"):
        key, _, value = line.partition(":")
        if key.endswith("voluntary_ctxt_switches"):
            switches[key] = parse_integer(value)
    return Activity(
        total_ticks=sum(ticks) if ticks else None,
        idle_ticks=ticks[3] + (ticks[4] if len(ticks) > 4 else 0) if ticks else None,
        steal_ticks=ticks[7] if len(ticks) > 7 else None,
        voluntary_switches=switches.get("voluntary_ctxt_switches"),
        involuntary_switches=switches.get("nonvoluntary_ctxt_switches"),
    )


def _stat_ticks(text: str) -> list[int]:
    """The first eight counters of the line of all processors; guest time is within user time already."""
    first = text.partition("\n")[0].split()
    if len(first) < 5 or first[0] != "cpu":
        return []
    numbers = [parse_integer(word) for word in first[1 : 1 + len(_FIELDS)]]
    return [] if None in numbers else [number for number in numbers if number is not None]


def _difference(later: int | None, earlier: int | None) -> int | None:
    return None if later is None or earlier is None else max(0, later - earlier)


def _fraction(part: int | None, whole: int | None) -> float | None:
    return None if part is None or not whole else min(1.0, part / whole)
