"""A page that this program wrote, as something to import: the datasets that it carries come back.

Only the one element of data is read, and only as text: no markup is interpreted, and nothing of it is run.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any

from ipsecbench.dataset.model import Dataset
from ipsecbench.dataset.packed import unpacked
from ipsecbench.dataset.store import LARGEST_FILE_BYTES, dataset_of
from ipsecbench.errors import DatasetError
from ipsecbench.importers.formats import Format
from ipsecbench.importers.text import Text

LARGEST_PAGE_CHARACTERS = 8 * 2**20
"""No page of this program is nearly as large."""
MOST_DATASETS = 1000
"""Nor compares this many."""
_HEAD_CHARACTERS = 65536
_MARK = re.compile(r'<meta name="generator" content="ipsecbench [0-9]')
_HTML = re.compile(r"\s{0,100}(?:<!--[^>]{0,300}-->\s{0,100})?<(?:!doctype\s+html|html)\b", re.IGNORECASE)
_DATA = re.compile(r'<script\b[^<>]{0,100}\bid="ipsecbench-data"[^<>]{0,100}>')
_SAVED = re.compile(r'\s{0,100}\{\s{0,100}"(?:recommendation|proof|comparison)"\s{0,100}:')
_SAVED_DATASET = re.compile(r'"dataset(?:s|_gzip)?"\s{0,100}:')


def _confidence(text: Text) -> int:
    head = text.content[:_HEAD_CHARACTERS]
    if _HTML.match(head):
        # Any other page is refused by this reader with the reason, if no other one knows it.
        return 100 if _MARK.search(head) else 1
    return 60 if _SAVED.match(head) and _SAVED_DATASET.search(text.content) else 0


def _read(text: Text) -> tuple[Dataset, ...]:
    if len(text.content) > LARGEST_PAGE_CHARACTERS:
        raise DatasetError(f"larger than {LARGEST_PAGE_CHARACTERS // 2**20} MiB, which no report of ipsecbench is")
    data = _data(text.content) if text.content.lstrip()[:1] == "<" else text.content
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"the data of the report is not JSON, or cut short: {str(error)[:200]}") from error
    if not isinstance(document, dict):
        raise DatasetError("the data of the report is no JSON object")
    found = tuple(_datasets(document))
    if not found:
        raise DatasetError("the report carries no dataset: it was left out for size, and is in the file that it names")
    return found


def _data(page: str) -> str:
    """The text of the page's element of data.

    Raises:
        DatasetError: the page is not one of this program's, or damaged.
    """
    if not _MARK.search(page, 0, _HEAD_CHARACTERS):
        raise DatasetError("a web page, and no report of ipsecbench")
    starts = list(_DATA.finditer(page))
    if len(starts) != 1:
        raise DatasetError(f"a report of ipsecbench has one element of data, and this page has {len(starts)}")
    end = page.find("</script>", starts[0].end())
    if end < 0:
        raise DatasetError("the page was cut short: its data has no end")
    return page[starts[0].end() : end]


def _datasets(document: dict[str, Any]) -> list[Dataset]:
    if "dataset_gzip" in document:
        return [_packed(document["dataset_gzip"])]
    several = document.get("datasets", [])
    if not isinstance(several, list) or len(several) > MOST_DATASETS:
        raise DatasetError(f"field 'datasets' of the report is no list of at most {MOST_DATASETS}")
    single = [document["dataset"]] if "dataset" in document else []
    # Through the octets of a file, since a dataset's digest is theirs, and so are the bounds of its numbers.
    return [dataset_of(json.dumps(one, separators=(",", ":")).encode() + b"\n") for one in (*single, *several)]


def _packed(value: object) -> Dataset:
    try:
        octets = base64.b64decode(value if isinstance(value, str) else "", validate=True)
    except binascii.Error as error:
        raise DatasetError(f"field 'dataset_gzip' of the report is no base64: {error}") from error
    content = unpacked(octets, LARGEST_FILE_BYTES)
    if len(content) > LARGEST_FILE_BYTES:
        raise DatasetError(f"field 'dataset_gzip' holds more than {LARGEST_FILE_BYTES // 2**20} MiB")
    return dataset_of(content)


FORMAT = Format("report", "a report of this program", _confidence, _read)
