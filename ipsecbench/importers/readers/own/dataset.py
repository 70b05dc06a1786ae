"""A dataset of this program, as something to import: it comes back as it is."""

from __future__ import annotations

import re

from ipsecbench.dataset.codec import from_document
from ipsecbench.dataset.model import FORMAT as DATASET_FORMAT
from ipsecbench.dataset.model import Dataset
from ipsecbench.dataset.strict_json import parse_json
from ipsecbench.errors import DatasetError
from ipsecbench.importers.formats import Format
from ipsecbench.importers.text import Text

_LOOKED_AT = 4096
_MARK = re.compile(r'"format"\s*:\s*"' + DATASET_FORMAT + '"')


def _confidence(text: Text) -> int:
    start = text.content[:_LOOKED_AT]
    return 100 if start.lstrip().startswith("{") and _MARK.search(start) else 0


def _read(text: Text) -> tuple[Dataset, ...]:
    try:
        document = parse_json(text.content)
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"not JSON, or cut short: {error}") from error
    return (from_document(document),)


FORMAT = Format("dataset", "a dataset of this program", _confidence, _read)
