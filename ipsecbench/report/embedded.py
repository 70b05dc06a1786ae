"""The data within a page: as much of it as fits, as JSON that cannot end its element early.

``ipsecbench import`` reads it back (:mod:`ipsecbench.importers.readers.own.report_page`). The element holds one object
with some of these keys: ``recommendation``, ``proof``; ``dataset`` (a dataset's object); ``datasets`` where the page is
about several. What is too large has ``_gzip`` behind its name and is packed by gzip and in base64: ``dataset_gzip`` is
a dataset's file, octet for octet, ``recommendation_gzip`` the object's JSON.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from ipsecbench.dataset.codec import to_document
from ipsecbench.dataset.model import Dataset
from ipsecbench.dataset.reduced import without_samples
from ipsecbench.dataset.store import encoded
from ipsecbench.report.frame import environment
from ipsecbench.report.references import References

LARGEST_PAGE_BYTES = 1_000_000
"""A page about one dataset is smaller than this, whatever the dataset holds."""
_RESERVE_BYTES = 4096
_BROKEN_LEVELS = 3
"""Down to this depth each entry has a line of its own: a row of a dataset is one line."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """JSON for a ``<script type="application/json">`` element."""

    json: Markup
    """The text."""
    note: str
    """What it holds and what was left out."""


def render_with_data(template: str, context: Mapping[str, Any], dataset: Dataset, others: Mapping[str, Any]) -> str:
    """A page that carries a dataset: the data takes the room that the rest leaves.

    Args:
        template: name of the template.
        context: what it needs, with ``file_name``, but ``references``, ``data`` and ``data_note``.
        dataset: what the page is about.
        others: as in :func:`embedded_data`.
    """
    page = environment().get_template(template)
    bare = page.render(**context, references=References(), data=Markup("{}"), data_note="")
    budget = LARGEST_PAGE_BYTES - len(bare.encode("utf-8")) - _RESERVE_BYTES
    data = embedded_data(dataset, others, context["file_name"], budget)
    return page.render(**context, references=References(), data=data.json, data_note=data.note)


def script_safe(value: object, lines_to_depth: int = 0) -> Markup:
    """JSON in ASCII without ``<``, ``>`` and ``&``, so that no content can end the element that holds it.

    Args:
        value: what JSON can say.
        lines_to_depth: down to this depth each entry has a line of its own.
    """
    text = _written(value, lines_to_depth)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    # What could be read as markup was just replaced.
    return Markup(text)  # noqa: S704


def _written(value: object, levels: int) -> str:
    if levels > 0 and value and isinstance(value, dict):
        inner = ",\n".join(f"{json.dumps(str(key))}:{_written(part, levels - 1)}" for key, part in value.items())
        return f"{{{inner}}}"
    if levels > 0 and value and isinstance(value, list):
        return "[\n" + ",\n".join(_written(part, levels - 1) for part in value) + "]"
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True)


def embedded_data(dataset: Dataset, others: Mapping[str, Any], dataset_file: str, budget_bytes: int) -> Embedded:
    """What else a page has to say as data, and as much of the dataset as the budget allows.

    Args:
        dataset: the dataset.
        others: further keys, such as ``recommendation``; they are left out last.
        dataset_file: name of the dataset's file, for the note.
        budget_bytes: most octets of JSON.
    """
    digest = f" ({dataset_file}, SHA-256 {dataset.sha256})" if dataset.sha256 else f" ({dataset_file})"
    names = "".join(f"the {name.replace('_', ' ')} and " for name in others)
    all_of_it = f"{names}the whole dataset, raw samples included"
    whole = _in_lines({**others, "dataset": to_document(dataset)})
    if len(whole) <= budget_bytes:
        return Embedded(whole, all_of_it)
    packed = {"dataset_gzip": _packed(encoded(dataset))}
    others_packed = {f"{name}_gzip": _packed(json.dumps(value).encode()) for name, value in others.items()}
    for extra in (others, others_packed):
        data = _in_lines({**extra, **packed})
        if len(data) <= budget_bytes:
            return Embedded(data, f"{all_of_it}, packed by gzip")
    reduced = without_samples(dataset)
    text = f"{names}the dataset with medians and intervals; the raw samples are in the dataset's file{digest}"
    medians = _in_lines({**others, "dataset": to_document(reduced)})
    if len(medians) <= budget_bytes:
        return Embedded(medians, text)
    medians = _in_lines({**others_packed, "dataset_gzip": _packed(encoded(reduced))})
    if len(medians) <= budget_bytes:
        return Embedded(medians, f"{text}; packed by gzip")
    alone = _in_lines(others)
    if others and len(alone) <= budget_bytes:
        return Embedded(alone, f"{names.removesuffix(' and ')} alone, for size; the dataset is in its file{digest}")
    return Embedded(script_safe({}), f"nothing, for size: the figures are in the dataset's file{digest}")


def _in_lines(value: Mapping[str, Any]) -> Markup:
    return script_safe(dict(value), _BROKEN_LEVELS)


def _packed(content: bytes) -> str:
    """Octets by gzip and in base64; the time that gzip notes is left out, so that the same octets give the same."""
    return base64.b64encode(gzip.compress(content, mtime=0)).decode("ascii")
