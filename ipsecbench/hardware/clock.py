"""The clock of each core type: what is claimed, what was measured, and whether they agree.

BogoMIPS is not a clock: it counts turns of a delay loop, or the rate of a timer, and is never used here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ipsecbench.hardware.cpu import Cpu
from ipsecbench.hardware.cpuinfo import CpuInfo
from ipsecbench.hardware.source import Source

MeasureClock = Callable[[int | None], float | None]
"""Measures the clock of one processor (`None`: wherever the scheduler likes), in Hz; `None` when it cannot."""

TOLERANCE = 0.02
"""Measured and claimed clocks within 2 % agree: spread of crystals, rounding of marketing names, noise."""

_NOMINAL = re.compile(r"@?\s*(\d{1,2}\.\d{1,3}|\d{1,5})\s*(GHz|MHz)\b", re.IGNORECASE)
_REFERENCE_ORDER = ("maximum", "nominal", "base", "reported")
_PLAUSIBLE_HZ = (1_000_000, 20_000_000_000)


@dataclass(frozen=True, slots=True)
class ClockClaim:
    """One clock that the box claims for a core."""

    kind: str
    """`maximum`, `base` (guaranteed), `nominal` (in the name) or `reported` (at that moment)."""
    hz: int
    source: str


@dataclass(frozen=True, slots=True)
class ClockComparison:
    """A measured clock against the best claim."""

    claimed_hz: int | None
    claim: str | None
    """Which kind of claim was compared."""
    measured_hz: int | None
    ratio: float | None
    """Measured over claimed."""
    agrees: bool | None
    """Within 2 %, or above a claim that turbo may exceed; `None` when one of the two is unknown."""
    verdict: str
    """One sentence for people."""


@dataclass(frozen=True, slots=True)
class CoreClock:
    """The clock of one core type."""

    core_type: str | None
    processor: int | None
    """The processor that was asked and measured."""
    claims: tuple[ClockClaim, ...]
    comparison: ClockComparison


def compare_clocks(claims: Sequence[ClockClaim], measured_hz: float | None) -> ClockComparison:
    """Judge a measured clock by the claims.

    Args:
        claims: what is claimed; the maximum counts first, then the nominal, the base and the reported clock.
        measured_hz: what was measured, or `None`.
    """
    order = {kind: place for place, kind in enumerate(_REFERENCE_ORDER)}
    best = min(claims, key=lambda one: order.get(one.kind, len(order)), default=None)
    measured = None if measured_hz is None or not _is_plausible(measured_hz) else round(measured_hz)
    if best is None:
        verdict = "no clock is claimed" if measured is not None else "unknown: nothing claimed, not measured"
        return ClockComparison(None, None, measured, None, None, verdict)
    if measured is None:
        return ClockComparison(best.hz, best.kind, None, None, None, "not measured")
    ratio = measured / best.hz
    percent = abs(ratio - 1) * 100
    if abs(ratio - 1) <= TOLERANCE:
        agrees, verdict = True, f"as claimed ({best.kind})"
    elif ratio > 1 and best.kind != "maximum":
        turbo = "" if best.kind == "reported" else ": turbo"  # what is reported need not be the clock at all
        agrees, verdict = True, f"{percent:.0f} % above the {best.kind} clock{turbo}"
    elif ratio > 1:
        agrees, verdict = False, f"{percent:.0f} % above the claimed maximum: the claim is wrong"
    elif best.kind == "maximum":
        agrees, verdict = False, f"{percent:.0f} % below the claimed maximum: throttled, capped or not boosted"
    else:
        agrees, verdict = False, f"{percent:.0f} % below the {best.kind} clock: throttled or capped"
    return ClockComparison(best.hz, best.kind, measured, round(ratio, 4), agrees, verdict)


def read_clocks(source: Source, cpu: Cpu, info: CpuInfo, measure_clock: MeasureClock | None) -> tuple[CoreClock, ...]:
    """The clock of the first processor of every core type.

    Args:
        source: the box's files.
        cpu: its processors.
        info: the records of its cpuinfo.
        measure_clock: the measurement, or `None` to measure nothing.
    """
    found = []
    for core_type in cpu.core_types or (None,):
        processor = core_type.processors[0] if core_type is not None and core_type.processors else None
        name = None if core_type is None else core_type.name
        claims = (*_frequency_claims(source, processor), *_cpuinfo_claims(cpu, info, name, processor))
        measured = None if measure_clock is None else measure_clock(processor)
        found.append(CoreClock(name, processor, claims, compare_clocks(claims, measured)))
    return tuple(found)


def _frequency_claims(source: Source, processor: int | None) -> tuple[ClockClaim, ...]:
    """What cpufreq says, in kHz."""
    if processor is None:
        return ()
    directory = f"sys/devices/system/cpu/cpu{processor}/cpufreq"
    claims = []
    for kind, name in (("maximum", "cpuinfo_max_freq"), ("base", "base_frequency"), ("reported", "scaling_cur_freq")):
        khz = source.read_integer(f"{directory}/{name}")
        if khz is not None and _is_plausible(khz * 1000):
            claims.append(ClockClaim(kind, khz * 1000, f"cpufreq {name}"))
    return tuple(claims)


def _cpuinfo_claims(cpu: Cpu, info: CpuInfo, name: str | None, processor: int | None) -> tuple[ClockClaim, ...]:
    claims = []
    index = info.numbers.index(processor) if processor in info.numbers else None
    model = info.first("model name") if cpu.architecture in ("mips", "loongarch") else name
    if match := _NOMINAL.search(model or ""):
        claims.append(_claim("nominal", match.group(1), match.group(2), "cpuinfo model name"))
    for key, unit in (("cpu mhz", "MHz"), ("cpu mhz static", "MHz"), ("clock", "MHz"), ("cpu-freq", "GHz")):
        value = info.first(key) if index is None else info.of(index, key)
        if match := re.match(r"(\d{1,5}(?:\.\d{1,6})?)\s*(MHz|GHz)?", value or "", re.IGNORECASE):
            claims.append(_claim("reported", match.group(1), match.group(2) or unit, f"cpuinfo {key}"))
    if cpu.architecture == "sparc":
        ticks = next((value for key, value in info.shared.items() if re.fullmatch(r"cpu\d+clktck", key)), None)
        if re.fullmatch(r"[0-9a-f]{1,16}", ticks or ""):
            claims.append(ClockClaim("nominal", int(ticks or "0", 16), "cpuinfo ClkTck"))
    return tuple(claim for claim in claims if _is_plausible(claim.hz))


def _claim(kind: str, number: str, unit: str, source: str) -> ClockClaim:
    factor = 1_000_000_000 if unit.lower() == "ghz" else 1_000_000
    return ClockClaim(kind, round(float(number) * factor), source)


def _is_plausible(hz: float) -> bool:
    return _PLAUSIBLE_HZ[0] <= hz <= _PLAUSIBLE_HZ[1]
