"""Removing what identifies a box from a dataset: host names, serial numbers, MAC addresses, UUIDs."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from ipsecbench.dataset.model import Dataset

REDACTED = "redacted"

_SECRET_KEYS = re.compile(r"(?:^|_)(?:host_?name|node_?name|serial(?:_number)?|mac(?:_address)?|uuid|asset_tag)$", re.I)
_SYSTEM_FOLDERS = ("/usr/", "/lib", "/opt/", "/etc/")
"""A path below these says nothing of a user; of any other only the file's name is kept."""
_MAC = re.compile(r"\b[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}\b")
_UUID = re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b")


def redact(dataset: Dataset, host_names: Collection[str]) -> Dataset:
    """The dataset without host names, serial numbers, MAC addresses and UUIDs.

    Fields that are named so are replaced whole; MAC addresses, UUIDs and the given host names are replaced wherever
    they stand in a text; of a library outside the system's folders only the file's name is kept. The label stays: the
    user chose it.

    Args:
        dataset: what was measured.
        host_names: names of the box, such as its short and its full host name.
    """
    names = sorted({name for name in host_names if len(name) > 1 and name != "localhost"}, key=len, reverse=True)
    pattern = re.compile("|".join(rf"(?<![\w-]){re.escape(name)}(?![\w-])" for name in names)) if names else None

    def clean(value: Any, key: str = "") -> Any:
        if isinstance(value, Mapping):
            return {name: clean(inner, str(name)) for name, inner in value.items()}
        if isinstance(value, (list, tuple)):
            return [clean(inner, key) for inner in value]
        if not isinstance(value, str):
            return REDACTED if _SECRET_KEYS.search(key) and value is not None else value
        if _SECRET_KEYS.search(key):
            return REDACTED
        if key == "path" and not value.startswith(_SYSTEM_FOLDERS):
            return value.rpartition("/")[2]
        text = _UUID.sub(REDACTED, _MAC.sub(REDACTED, value))
        return pattern.sub(REDACTED, text) if pattern else text

    return replace(dataset, environment=clean(dataset.environment), redacted=True, sha256=None)
