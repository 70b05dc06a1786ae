"""The text of ``lscpu``, as a description of the box that it ran on."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ipsecbench.dataset.model import Dataset
from ipsecbench.errors import DatasetError
from ipsecbench.hardware.lscpu import LscpuText, hardware_of, parse_fields
from ipsecbench.importers.formats import Format
from ipsecbench.importers.readers.boxes.described import described, name_of
from ipsecbench.importers.text import Text

_LOOKED_AT = 80
_FEWEST_MARKS = 2


def _confidence(text: Text) -> int:
    if _is_json(text):
        return 90
    fields = parse_fields(text.lines[:_LOOKED_AT])
    return 80 if fields.marks >= _FEWEST_MARKS else 0


def _is_json(text: Text) -> bool:
    start = text.content[:2000].lstrip()
    return start.startswith("{") and '"lscpu"' in start[:200]


def _read(text: Text) -> tuple[Dataset, ...]:
    fields = parse_fields(tuple(_json_lines(text)) if _is_json(text) else text.lines)
    if not fields.marks:
        raise DatasetError("nothing in it that lscpu writes")
    hardware = hardware_of(fields, name_of(text))
    if hardware is None:
        raise DatasetError(f"lscpu of an architecture that is not known: {fields.get('architecture') or 'not named'}")
    return (described(text, "lscpu", hardware, is_cut=_is_cut(text, fields)).dataset(),)


def _is_cut(text: Text, fields: LscpuText) -> bool:
    """lscpu always counts processors; what lacks that lost its beginning, and what ends within a line its end."""
    return fields.get("cpu(s)") is None or not text.content.endswith(("\n", "}"))


def _json_lines(text: Text) -> Iterator[str]:
    """``lscpu --json`` as the lines of the usual text.

    Raises:
        DatasetError: it is no JSON.
    """
    try:
        pending = [json.loads(text.content)["lscpu"]]
    except (ValueError, RecursionError, KeyError, TypeError) as error:
        raise DatasetError("no whole JSON of lscpu") from error
    while pending:
        level = pending.pop()
        for entry in level if isinstance(level, list) else ():
            if isinstance(entry, dict):
                yield f"{entry.get('field')} {entry.get('data')}"
                pending.append(entry.get("children"))


FORMAT = Format("lscpu", "lscpu, as text or with --json", _confidence, _read)
