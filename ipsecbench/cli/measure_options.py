"""The flags of commands that measure, in one place: what to measure, how long, and where the dataset goes.

A command declares one parameter of type :class:`MeasureOptions` and is decorated with :func:`with_measuring`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ipsecbench.cli import options as option
from ipsecbench.cli.grouped_flags import with_flags
from ipsecbench.errors import UsageError

if TYPE_CHECKING:
    from ipsecbench.bench.place import Place
    from ipsecbench.bench.plan import Request
    from ipsecbench.bench.scheduler import Pace
    from ipsecbench.bench.session import Session

QUICK_BUDGET_SECONDS = 42.0
DEFAULT_BUDGET_SECONDS = 240.0
QUICK_PRECISION = 0.03
DEFAULT_PRECISION = 0.01
_LONGEST_BUDGET_SECONDS = 7 * 86400.0
_LONGEST_LABEL = 200
MAX_PROCESSORS = 8192
"""Most that Linux supports."""


@dataclass(frozen=True, slots=True)
class MeasureOptions:
    """The options of a measuring command, as the user gave them."""

    quick: bool = False
    only: tuple[str, ...] = ()
    sizes: str | None = None
    providers: str | None = None
    cores: str = "all"
    mask: str | None = None
    budget: float | None = None
    precision: float | None = None
    seed: int = 0
    label: str | None = None
    redact: bool = False
    output: Path | None = None
    force: bool = False
    quiet: bool = False
    strict: bool = False
    box: str | None = None
    """Name of the box that is measured; None: this machine."""

    def pace(self) -> Pace:
        """How long and how precisely to measure.

        Raises:
            UsageError: a figure is out of range.
        """
        from ipsecbench.bench.scheduler import Pace

        budget = self.budget if self.budget is not None else (QUICK_BUDGET_SECONDS if self.quick else None)
        budget = DEFAULT_BUDGET_SECONDS if budget is None else budget
        if not 1 <= budget <= _LONGEST_BUDGET_SECONDS:
            raise UsageError(f"--budget: {budget:g} is outside 1 to {_LONGEST_BUDGET_SECONDS:g} seconds")
        precision = QUICK_PRECISION if self.quick else DEFAULT_PRECISION
        if self.precision is not None:
            if not 0.05 <= self.precision <= 50:
                raise UsageError(f"--precision: {self.precision:g} is outside 0.05 to 50 percent")
            precision = self.precision / 100
        return Pace(precision, budget, minimum_rounds=5 if self.quick else 7, seed=self.seed)

    def request(self) -> Request:
        """Which workloads to measure.

        Raises:
            UsageError: a size or a provider is nonsense.
        """
        from ipsecbench.bench.plan import Request, parse_sizes

        return Request(
            quick=self.quick,
            only=self.only,
            sizes_bytes=parse_sizes(self.sizes) if self.sizes is not None else (),
            providers=self._providers(),
            cores=_parse_cores(self.cores, _own_cores() if self.box is None else MAX_PROCESSORS),
        )

    def _providers(self) -> tuple[str, ...]:
        from ipsecbench.bench.plan import AGENT_PROVIDERS, DEFAULT_PROVIDERS, KERNEL_PROVIDERS, parse_providers

        if self.providers is None:
            return DEFAULT_PROVIDERS if self.box is None else AGENT_PROVIDERS
        names = parse_providers(self.providers)
        for name in names:
            if self.box is not None and name not in (*AGENT_PROVIDERS, *KERNEL_PROVIDERS):
                raise UsageError(
                    f"--providers: {name!r} is measured on this machine only; on another one there are "
                    f"{', '.join((*AGENT_PROVIDERS, *KERNEL_PROVIDERS))}"
                )
        return names

    def check_for_box(self) -> None:
        """Find out what is wrong with the options for another box.

        Raises:
            UsageError: an option is nonsense.
        """
        from ipsecbench.bench.place import ThisMachine

        replace(self, box="box").session(ThisMachine())

    def session(self, place: Place | None = None) -> Session:
        """A session, not yet entered.

        Args:
            place: the box; None: this machine.

        Raises:
            UsageError: an option is nonsense.
        """
        from ipsecbench.agent.mask import parse_mask
        from ipsecbench.bench.place import ThisMachine
        from ipsecbench.bench.session import Session

        if self.label is not None and len(self.label) > _LONGEST_LABEL:
            raise UsageError(f"--label: longer than {_LONGEST_LABEL} characters")
        mask = parse_mask(self.mask) if self.mask is not None else ()
        return Session(self.request(), self.pace(), mask, ThisMachine() if place is None else place)


def _own_cores() -> int:
    import os

    return len(os.sched_getaffinity(0))


def _parse_cores(text: str, available: int) -> int:
    """More than another box has are as many as it has: that is found out there."""
    if text == "all":
        return available
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:9]) <= available:
        raise UsageError(
            f"--cores: {text!r} is not 'all' or a number from 1 to {available}"
            + (", which this process may use" if available < MAX_PROCESSORS else "")
        )
    return int(text)


FLAGS: dict[str, Any] = {
    "quick": option.Quick,
    "only": option.Only,
    "sizes": option.Sizes,
    "providers": option.Providers,
    "cores": option.Cores,
    "mask": option.Mask,
    "budget": option.Budget,
    "precision": option.Precision,
    "seed": option.Seed,
    "label": option.Label,
    "redact": option.Redact,
    "output": option.Output,
    "force": option.Force,
    "strict": option.Strict,
    "quiet": option.Quiet,
}
"""The flags by the field that each one fills, in the order of ``--help``."""


def with_measuring(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the flags of :data:`FLAGS` in the place of its parameter of type :class:`MeasureOptions`."""
    defaults = {field.name: field.default for field in fields(MeasureOptions)}
    defaults["only"] = None
    flags = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=defaults[name], annotation=annotation)
        for name, annotation in FLAGS.items()
    ]
    return with_flags(command, MeasureOptions, flags, _options_of)


def _options_of(given: dict[str, Any]) -> MeasureOptions:
    return MeasureOptions(**{**given, "only": tuple(given["only"] or ())})
