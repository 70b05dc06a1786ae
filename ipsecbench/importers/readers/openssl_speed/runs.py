"""The runs of ``speed`` in a text: what was asked for, in which version, and the figures that came out."""

from __future__ import annotations

from dataclasses import dataclass, field

from ipsecbench.bench.published import Unit
from ipsecbench.importers.readers.openssl_speed.lines import Command, Count, KeyCount, Row
from ipsecbench.importers.readers.openssl_speed.public_key import KeyFigure
from ipsecbench.importers.readers.openssl_speed.versions import Version


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a cipher, hash or MAC."""

    line: int
    name: str
    """Of the cipher, as printed."""
    size: int
    value: float
    unit: Unit
    note: str | None = None
    """What stands in brackets behind the row."""
    is_total_of: int = 0
    """Of how many children it is the sum that this reader made; 0 where ``speed`` printed it."""
    is_cut: bool = False
    """Whether the row has fewer values than there are sizes."""


@dataclass
class Run:
    """One run of ``speed``, or as much of it as the text has."""

    version: Version | None = None
    command: Command | None = None
    is_elapsed: bool | None = None
    """Whether it divided by elapsed time; None where nothing says so."""
    engine: str | None = None
    """An engine that the command or a heading names."""
    cpu_settings: str | None = None
    """``OPENSSL_ia32cap=…`` as printed or set."""
    heading: str | None = None
    """The last free line above it."""
    box: str | None = None
    """The box that a heading or the prompt names."""
    sizes: tuple[int, ...] | None = None
    rows: list[Row] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    keys: list[KeyFigure] = field(default_factory=list)
    counts: list[Count] = field(default_factory=list)
    key_counts: list[KeyCount] = field(default_factory=list)
    children: int = 0
    """Processes of ``-multi`` that the text shows."""
    machine: list[tuple[int, str, list[str], int | None]] = field(default_factory=list)
    """Lines of ``-mr``: line, kind, fields, and the child that it is of."""
    times: dict[str, float] = field(default_factory=dict)
    """What the shell's ``time`` said: ``real``, ``user``, ``sys``."""
    unread: list[tuple[int, str]] = field(default_factory=list)
    """Lines that should have given a figure, and why they gave none."""
    contradicted: set[tuple[int, int]] = field(default_factory=set)
    """(line, size) of figures that disagree with the counts above them."""
    sizes_assumed: bool = False
    """Whether no line says which sizes the columns are of."""
    has_failed_calls: bool = False
    """Whether the text shows errors of the library during the run."""
    is_last: bool = False
    """Whether the text ends with it, so that its last row may be cut off."""

    @property
    def is_multi(self) -> bool:
        """Whether several processes ran at once."""
        return self.children > 0 or (self.command is not None and self.command.multi is not None)

    @property
    def cores(self) -> int | None:
        """How many processes ran at once; None where a shell put the number in and nothing else tells it."""
        asked = None if self.command is None else self.command.multi
        if self.children:
            return self.children
        return 1 if asked is None else asked or None

    @property
    def is_as_found(self) -> bool:
        """Whether capabilities that it prints are the processor's own, and not set for the run."""
        return self.command is None or self.command.environment is None

    @property
    def has_result(self) -> bool:
        """Whether tables or lines of ``-mr`` were read already, so that what follows is of another run."""
        return bool(
            self.rows or self.keys or any(kind.startswith("F") and child is None for _, kind, _, child in self.machine)
        )

    @property
    def all_counts(self) -> tuple[Count | KeyCount, ...]:
        """The counts of every kind."""
        return (*self.counts, *self.key_counts)

    @property
    def has_figures(self) -> bool:
        """Whether any line with a figure was read."""
        return bool(self.rows or self.keys or self.counts or self.key_counts or self.machine)

    @property
    def is_empty(self) -> bool:
        """Whether nothing in it is of any use."""
        return not (self.has_figures or self.unread)
