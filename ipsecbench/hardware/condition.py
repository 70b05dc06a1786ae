"""The state of a box at one moment: governor, boost, temperature, throttling, power, load and memory."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ipsecbench.hardware.activity import Activity, read_activity
from ipsecbench.hardware.source import Source

MAX_SENSORS = 64

_CPUFREQ = "sys/devices/system/cpu/cpufreq"
_SELF_GOVERNING = ("intel_pstate", "amd-pstate-epp", "amd_pstate_epp")
"""Drivers whose `powersave` governor lets the hardware choose the clock and is no cap."""


@dataclass(frozen=True, slots=True)
class Temperature:
    """One sensor."""

    sensor: str
    celsius: float


@dataclass(frozen=True, slots=True)
class Condition:
    """What can change from one measurement to the next. Empty or `None`: the kernel does not say."""

    governors: tuple[str, ...]
    """The different cpufreq governors in use."""
    frequency_driver: str | None
    is_boost_on: bool | None
    """Turbo."""
    temperatures: tuple[Temperature, ...]
    throttle_events: int | None
    """Since boot, of all cores (x86 only)."""
    power_sources: tuple[str, ...]
    """Such as `mains online` or `battery discharging 80 %`."""
    load_average: tuple[float, float, float] | None
    memory_total_bytes: int | None
    memory_available_bytes: int | None
    activity: Activity

    @property
    def has_varying_clock(self) -> bool:
        """Whether a governor may change the clock during a measurement."""
        return any(governor != "performance" for governor in self.governors) and (
            self.frequency_driver not in _SELF_GOVERNING
        )

    @property
    def steal_since_boot(self) -> float | None:
        """The share of all processors' time since boot that a hypervisor gave to others."""
        ticks, total = self.activity.steal_ticks, self.activity.total_ticks
        return None if ticks is None or not total else ticks / total


def read_condition(source: Source, processors: tuple[int, ...]) -> Condition:
    """Read the state of a box.

    Args:
        source: its files.
        processors: the kernel's numbers of its processors.
    """
    policies = [name for name in source.names(_CPUFREQ) if name.startswith("policy")]
    governors = {source.read_line(f"{_CPUFREQ}/{policy}/scaling_governor") for policy in policies}
    driver = source.read_line(f"{_CPUFREQ}/{policies[0]}/scaling_driver") if policies else None
    total, available = _memory(source.read_text("proc/meminfo") or "")
    return Condition(
        governors=tuple(sorted(governor for governor in governors if governor)),
        frequency_driver=driver,
        is_boost_on=_boost(source),
        temperatures=_temperatures(source),
        throttle_events=_throttle_events(source, processors),
        power_sources=_power_sources(source),
        load_average=load_average(source.read_line("proc/loadavg")),
        memory_total_bytes=total,
        memory_available_bytes=available,
        activity=read_activity(source),
    )


def _boost(source: Source) -> bool | None:
    boost = source.read_integer(f"{_CPUFREQ}/boost")
    if boost is not None:
        return boost == 1
    no_turbo = source.read_integer("sys/devices/system/cpu/intel_pstate/no_turbo")
    return None if no_turbo is None else no_turbo == 0


def _temperatures(source: Source) -> tuple[Temperature, ...]:
    """Thermal zones, and the hardware monitors where there are none; both count in thousandths of a degree."""
    found = []
    for zone in source.names("sys/class/thermal")[:MAX_SENSORS]:
        if zone.startswith("thermal_zone"):
            name = source.read_line(f"sys/class/thermal/{zone}/type") or zone
            found.append((name, source.read_integer(f"sys/class/thermal/{zone}/temp")))
    for monitor in source.names("sys/class/hwmon")[:MAX_SENSORS] if not found else ():
        directory = f"sys/class/hwmon/{monitor}"
        name = source.read_line(f"{directory}/name") or monitor
        for file in source.names(directory):
            if re.fullmatch(r"temp\d{1,3}_input", file):
                label = source.read_line(f"{directory}/{file.replace('_input', '_label')}")
                found.append((f"{name} {label}" if label else name, source.read_integer(f"{directory}/{file}")))
    # Absent sensors answer with nonsense such as -274000 or 0.
    return tuple(
        Temperature(name, thousandths / 1000)
        for name, thousandths in found[:MAX_SENSORS]
        if thousandths is not None and -55_000 < thousandths < 150_000 and thousandths != 0
    )


def _throttle_events(source: Source, processors: tuple[int, ...]) -> int | None:
    counts = [
        source.read_integer(f"sys/devices/system/cpu/cpu{processor}/thermal_throttle/core_throttle_count")
        for processor in processors
    ]
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _power_sources(source: Source) -> tuple[str, ...]:
    found = []
    for supply in source.names("sys/class/power_supply")[:MAX_SENSORS]:
        directory = f"sys/class/power_supply/{supply}"
        kind = (source.read_line(f"{directory}/type") or supply).lower()
        online = source.read_integer(f"{directory}/online")
        status = (source.read_line(f"{directory}/status") or "").lower()
        capacity = source.read_integer(f"{directory}/capacity")
        words = [
            kind,
            status,
            "" if online is None else ("online" if online else "offline"),
            "" if capacity is None else f"{capacity} %",
        ]
        found.append(" ".join(word for word in words if word))
    return tuple(found)


def load_average(line: str | None) -> tuple[float, float, float] | None:
    """Mean number of running processes over 1, 5 and 15 minutes (proc(5), loadavg); None where the line has none."""
    words = (line or "").split()[:3]
    if len(words) < 3 or not all(re.fullmatch(r"\d{1,6}\.\d{1,4}", word) for word in words):
        return None
    return float(words[0]), float(words[1]), float(words[2])


def _memory(text: str) -> tuple[int | None, int | None]:
    found: dict[str, int] = {}
    for key, kib in re.findall(r"^(MemTotal|MemAvailable):\s*(\d{1,15}) kB$", text, re.MULTILINE):
        found[key] = int(kib) * 1024
    return found.get("MemTotal"), found.get("MemAvailable")
