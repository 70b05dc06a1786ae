"""Which formats there are, and which one a text has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType

from ipsecbench.dataset.model import Dataset
from ipsecbench.errors import DatasetError, UsageError
from ipsecbench.importers.text import Text


@dataclass(frozen=True, slots=True)
class Format:
    """One format; each module of :data:`MODULES` has one as its ``FORMAT``."""

    name: str
    """As the command line takes it."""
    title: str
    """What it is, for people."""
    confidence: Callable[[Text], int]
    """How sure it is, from 0 (no) to 100, that a text has this format; quick, and never an error."""
    read: Callable[[Text], tuple[Dataset, ...]]
    """The datasets of a text, one for each box or run in it; DatasetError with the reason where there is none."""


_CERTAIN = 100
"""Confidence beyond which no other format is asked."""
MODULES: Mapping[str, str] = MappingProxyType(
    {
        "dataset": "ipsecbench.importers.readers.own.dataset",
        "report": "ipsecbench.importers.readers.own.report_page",
        "probe": "ipsecbench.importers.readers.probe.reader",
        "sbc-bench": "ipsecbench.importers.readers.sbc_bench",
        "cpuinfo": "ipsecbench.importers.readers.boxes.cpuinfo",
        "lscpu": "ipsecbench.importers.readers.boxes.lscpu",
        "proc-crypto": "ipsecbench.importers.readers.boxes.proc_crypto",
        "cryptsetup": "ipsecbench.importers.readers.cryptsetup",
        "dpdk": "ipsecbench.importers.readers.dpdk_perf",
        "botan": "ipsecbench.importers.readers.botan.reader",
        "wolfcrypt": "ipsecbench.importers.readers.wolfcrypt.reader",
        "iperf3": "ipsecbench.importers.readers.tunnels.iperf3",
        "tcrypt": "ipsecbench.importers.readers.tcrypt",
        "bssl-speed": "ipsecbench.importers.readers.bssl_speed",
        "tunnel-table": "ipsecbench.importers.readers.tunnels.table",
        "netbenches": "ipsecbench.importers.readers.tunnels.netbenches",
        "openssl-speed": "ipsecbench.importers.readers.openssl_speed",
        "aesbench": "ipsecbench.importers.readers.aesbench.reader",
        "aesbench-table": "ipsecbench.importers.readers.aesbench.table",
        "cryptobench": "ipsecbench.importers.readers.cryptobench",
    }
)
"""Module of each format by the format's name."""


def named_format(name: str) -> Format:
    """The format of a name.

    Raises:
        UsageError: there is none of that name; the message lists those that there are.
    """
    if name not in MODULES:
        raise UsageError(f"there is no format {name!r}; choose from {', '.join(MODULES)}")
    found: Format = import_module(MODULES[name]).FORMAT
    return found


def guessed_format(text: Text) -> Format:
    """The format that is surest of a text; of equally sure ones the first of :data:`MODULES`.

    Raises:
        DatasetError: none knows the text.
    """
    return likely_formats(text)[0]


def likely_formats(text: Text) -> tuple[Format, ...]:
    """The formats that a text may have, the surest first; only one where that is certain.

    Raises:
        DatasetError: none knows the text.
    """
    found: list[tuple[int, Format]] = []
    for name in MODULES:
        one = named_format(name)
        sure = one.confidence(text)
        if sure > 0:
            found.append((sure, one))
        if sure >= _CERTAIN:
            found = [(sure, one)]
            break
    if not found:
        raise DatasetError("no known format; 'ipsecbench import --list-formats' shows which there are")
    return tuple(one for _, one in sorted(found, key=lambda each: -each[0]))


def import_text(text: Text, format_name: str | None = None) -> tuple[Dataset, ...]:
    """The datasets of a text, at least one.

    Raises:
        UsageError: there is no format of that name.
        DatasetError: the text is not of the format, or has no figure and no description of a box; says why.
    """
    chosen = guessed_format(text) if format_name is None else named_format(format_name)
    found = chosen.read(text)
    if not found:
        raise DatasetError(f"no figure in what looks like {chosen.title}")
    return found
