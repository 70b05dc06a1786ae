"""Results of netbenches: what FreeBSD gateways forwarded through a tunnel, as the data that its plots are made from.

A file has ``#index median minimum maximum`` and a line for each cipher, in Mbit/s of Ethernet frames at the rate where
the gateway is in equilibrium, the median of five runs; the README and the labels of the plot may be in the same text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ipsecbench.bench.measurement import Tier, Workload
from ipsecbench.bench.published import Unit
from ipsecbench.dataset.model import Dataset
from ipsecbench.errors import DatasetError
from ipsecbench.importers.figures import LONGEST_TOOL_LINE, MOST_RUNS, box, number, tool_lines
from ipsecbench.importers.formats import Format
from ipsecbench.importers.readers.tunnels.names import protection
from ipsecbench.importers.readers.tunnels.table import PROVIDER
from ipsecbench.importers.sheet import Sheet, printable
from ipsecbench.importers.text import Text

FRAME_BYTES = 542
"""Ethernet frame of netbenches' tests of tunnels: 500 octets over UDP."""
_LONGEST_README = 400
"""Lines above the figures that are looked at."""
_TITLE = re.compile(r"^#\s*index\s+median\s+minimum\s+maximum\s*$", re.I)
_ROW = re.compile(r"^(\S{1,60})\s+(\d[\d.]*)\s+(\d[\d.]*)\s+(\d[\d.]*)\s*$")
_PATH = re.compile(r"netbenches/(?:blob|tree)/[^/]+/([^/]+)/([^/]+)/([^/]+)/results/([^/\s]+)")
_BULLET = re.compile(r"^\s+-\s+(.{3,200})$")
_FRAME = re.compile(r"Ethernet frame size:\s*(\d{2,5})\s*B", re.I)
_PACKET = re.compile(r"packet size:\s*(\d{2,5})\s*B", re.I)
_SYSTEM = re.compile(r"FreeBSD\s+([\w.-]+(?: r\d+)?)")
_CORES = re.compile(r"(\d{1,3})[ _]?cores|\b(dual|quad)[ -]cores?", re.I)
_CORE_WORDS = {"dual": 2, "quad": 4}


def _confidence(text: Text) -> int:
    return 95 if any(_TITLE.match(line) for line in text.lines[:400]) else 0


@dataclass(frozen=True, slots=True)
class _About:
    """What stands above the figures."""

    kind: str
    """``ipsec`` or ``openvpn``."""
    frame_bytes: int | None
    packet_bytes: int | None


def _about(text: Text, title: int) -> _About:
    above = "\n".join(line[:LONGEST_TOOL_LINE] for line in text.lines[: min(title, _LONGEST_README)])
    path = _PATH.search(text.header.get("source", ""))
    frame, packet = _FRAME.search(above), _PACKET.search(above)
    said = "openvpn" if "openvpn" in above.lower() else "ipsec"
    return _About(
        said if path is None else path[3].lower(),
        None if frame is None else int(frame[1]),
        None if packet is None else int(packet[1]),
    )


def _read(text: Text) -> tuple[Dataset, ...]:
    title = next((place for place, line in enumerate(text.lines, 1) if _TITLE.match(line)), None)
    if title is None:
        raise DatasetError("no line '#index median minimum maximum' in it")
    sheets: dict[tuple[str, ...], Sheet] = {}
    odd: list[int] = []
    about = _about(text, title)
    for line, content in tool_lines(text, title + 1):
        row = _ROW.match(content)
        if row is not None:
            _take(text, sheets, line, about, row)
        elif content.strip() and not content.startswith("#"):
            odd.append(line)
    if not any(sheet.workloads for sheet in sheets.values()):
        raise DatasetError("no line with a median, a minimum and a maximum below its title")
    first = next(iter(sheets.values()))
    for line in odd:
        first.unread(line, "no name with a median, a minimum and a maximum")
    return tuple(sheet.dataset() for sheet in sheets.values() if sheet.workloads)


def _take(text: Text, sheets: dict[tuple[str, ...], Sheet], line: int, about: _About, row: re.Match[str]) -> None:
    found = protection(f"{about.kind} {row[1]}")
    sheet = sheets.get(found.variants)
    if sheet is None:
        if len(sheets) >= MOST_RUNS:
            raise DatasetError(f"more than {MOST_RUNS} runs in one text")
        sheet = sheets[found.variants] = Sheet(text, "netbenches", part=_part(text, found.variants))
        _describe(sheet)
    work = Workload(Tier.ON_WIRE, PROVIDER, "both", found.algorithm, about.frame_bytes or FRAME_BYTES)
    detail: dict[str, Any] = {"printed": row[1], "counts": "Ethernet frames", "median_of": 5}
    if about.packet_bytes is not None:
        detail["packet_bytes"] = about.packet_bytes
    middle, least, most = (number(cell) or 0.0 for cell in row.groups()[1:])
    if not least <= middle <= most:
        sheet.unread(line, "the median does not lie between the minimum and the maximum")
        return
    for value in (middle, least, most):
        sheet.figure(work, value, Unit.MEGABITS, line, detail=detail)
    if about.frame_bytes is None:
        message = f"the size of the frames is not stated: {FRAME_BYTES} octets, as in the other tests of netbenches"
        sheet.verdict("size-assumed", message, work)


def _part(text: Text, variants: tuple[str, ...]) -> str | None:
    path = _PATH.search(text.header.get("source", ""))
    names = (() if path is None else (path[3], path[4])) + variants
    return ", ".join(names) or None


def _describe(sheet: Sheet) -> None:
    """The box: from the first points of the README, and from the path of the results."""
    text = sheet.text
    points = [match[1].strip() for line in text.lines[:60] if (match := _BULLET.match(line))]
    path = _PATH.search(text.header.get("source", ""))
    device = points[0] if points else None if path is None else path[1].replace("_", " ")
    described = f"{device} {'' if path is None else path[1]}"
    cores = _CORES.search(described)
    count = None if cores is None else int(cores[1]) if cores[1] else _CORE_WORDS[cores[2].lower()]
    system = _SYSTEM.search("\n".join(points))
    name = f"FreeBSD {system[1]}" if system is not None else None if path is None else f"FreeBSD {path[4]}"
    sheet.device = None if device is None else re.sub(r"\s*\(.*", "", device)
    if sheet.device is not None and sheet.part is not None:
        sheet.label = f"{sheet.device} {sheet.part}"
    sheet.hardware = box(
        model=None if device is None else printable(device),
        cores=count,
        device=None if sheet.device is None else printable(sheet.device),
        operating_system=None if name is None else printable(name),
    )
    if device is None:
        sheet.verdict("device-unknown", "the text does not say which box it is")


FORMAT = Format("netbenches", "results of netbenches (data of a plot: median, minimum, maximum)", _confidence, _read)
