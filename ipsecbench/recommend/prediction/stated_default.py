"""The fixed cost of a data plane that nobody measured: a stated default with wide bounds.

It is for a kernel that forwards packets through IPsec, which is what a router does, in cycles of one core for one
packet. docs/prediction.md derives every number; what published tunnels make of them is in its section on validation.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

_NORMAL_90 = 1.645
_NOMINAL_CLOCK = re.compile(r"(\d{1,2}\.\d{1,3}|\d{1,5})\s*(GHz|MHz)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PlaneClass:
    """A class of boxes whose kernels take about as many cycles for a packet."""

    name: str
    """For people."""
    lower_cycles: float
    """Lower end of the 90% interval."""
    upper_cycles: float
    """Upper end."""

    @property
    def cycles(self) -> float:
        """The middle: the geometric mean of the ends."""
        return math.sqrt(self.lower_cycles * self.upper_cycles)

    @property
    def sigma(self) -> float:
        """Standard deviation of the logarithm."""
        return math.log(self.upper_cycles / self.lower_cycles) / 2 / _NORMAL_90


X86_KERNEL = PlaneClass("kernel IPsec on x86", 6_000, 25_000)
SMALL_KERNEL = PlaneClass("kernel IPsec on ARM, MIPS and others", 10_000, 90_000)
UNKNOWN_CLOCK_HZ = 1.5e9
"""Where a dataset names no clock at all."""
_UNKNOWN_CLOCK_SIGMA = 0.45
"""Half to twice as fast, at 90%."""
TRANSFORM_FACTOR = 1.2
"""How much longer a kernel's ciphers take than the library that was measured, in the middle."""
TRANSFORM_SIGMA = 0.35
"""Standard deviation of the logarithm of that factor."""
SUITE_SIGMA = 0.1
"""The same of each suite alone."""
SOURCES = ("netbenches", "mikrotik-rb1100", "mtk-eip93")
"""Keys of the sources in docs/prediction.md."""


@dataclass(frozen=True, slots=True)
class StatedDefault:
    """The default for one box."""

    plane: str
    """Class of data plane that is assumed."""
    fixed_ns: float
    """Nanoseconds a packet, in the middle."""
    fixed_sigma: float
    """Standard deviation of its logarithm."""
    transform_factor: float
    """How much longer the transform takes there than in a packet loop, in the middle."""
    transform_sigma: float
    """Standard deviation of its logarithm."""
    suite_sigma: float
    """The same of each suite alone."""
    text: str
    """The assumption, in a sentence."""
    sources: tuple[str, ...] = SOURCES
    """Where the figures come from."""


def stated_default(environment: Mapping[str, Any]) -> StatedDefault:
    """The default for a box, as far as its dataset says what it is.

    Args:
        environment: of the dataset.
    """
    kind = X86_KERNEL if _is_x86(environment) else SMALL_KERNEL
    clock = clock_hz(environment)
    hz, sigma = (UNKNOWN_CLOCK_HZ, _UNKNOWN_CLOCK_SIGMA) if clock is None else (clock, 0.0)
    at = f"at {hz / 1e9:.2f} GHz" if clock is not None else "at an unknown clock"
    text = (
        f"not measured on this box: {kind.name} takes {kind.lower_cycles:,.0f} to {kind.upper_cycles:,.0f} cycles for "
        f"a packet ({at}), and its ciphers take longer than the measured library's; 'ipsecbench lab run' measures it"
    )
    return StatedDefault(
        f"{kind.name} (stated default)",
        kind.cycles / hz * 1e9,
        math.hypot(kind.sigma, sigma),
        TRANSFORM_FACTOR,
        TRANSFORM_SIGMA,
        SUITE_SIGMA,
        text,
    )


def _is_x86(environment: Mapping[str, Any]) -> bool:
    cpu = _at(environment, "hardware", "cpu")
    agent = _at(environment, "agent")
    words = [str(part.get(key, "")) for part in (cpu, agent) for key in ("architecture", "machine")]
    return any(word in ("x86", "i386", "i686", "x86_64", "amd64") for word in words)


def clock_hz(environment: Mapping[str, Any]) -> float | None:
    """The clock of a box: measured, claimed, or in the processor's name; None where its dataset says nothing."""
    measured = [hz for when in ("before", "after") for hz in _numbers(_at(environment, "clock").get(when), "hz")]
    if measured:
        return median(measured)
    compared = _at(environment, "hardware").get("clocks")
    for entry in compared if isinstance(compared, (list, tuple)) else ():
        comparison = entry.get("comparison") if isinstance(entry, Mapping) else None
        for key in ("measured_hz", "claimed_hz"):
            value = comparison.get(key) if isinstance(comparison, Mapping) else None
            if isinstance(value, (int, float)) and value > 0:
                return float(value)
    named = _NOMINAL_CLOCK.search(str(_at(environment, "hardware", "cpu").get("model") or ""))
    return None if named is None else float(named[1]) * (1e9 if named[2].lower() == "ghz" else 1e6)


def _numbers(entries: object, key: str) -> Iterator[float]:
    for entry in entries if isinstance(entries, (list, tuple)) else ():
        value = entry.get(key) if isinstance(entry, Mapping) else None
        if isinstance(value, (int, float)) and value > 0:
            yield float(value)


def _at(environment: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    found: Any = environment
    for key in keys:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}
