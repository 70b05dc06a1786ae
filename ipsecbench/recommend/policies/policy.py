"""Policies: data files that say what is allowed, each line with its reason and its sources.

Those that come with the program are ``policies/*.toml``; a user's own file has the same form (docs/policies.md). A
policy only ever narrows: what a standard forbids cannot be allowed by one in silence. What it sets all the same has
to stand under ``[[accept]]`` and is warned of with every answer; some things are not acceptable at all
(:func:`ipsecbench.recommend.standing.never_acceptable`).
"""

from __future__ import annotations

from pathlib import Path

from ipsecbench.errors import UsageError
from ipsecbench.recommend.policies.policy_file import parse_policy
from ipsecbench.recommend.policies.records import (
    Acceptance,
    Fallback,
    Line,
    Permission,
    Policy,
    Setting,
    Unlisted,
    fallback_parts,
)
from ipsecbench.recommend.policies.shipped import POLICIES, shipped_policy_text
from ipsecbench.toml.table import read_toml_text

__all__ = [
    "POLICIES",
    "Acceptance",
    "Fallback",
    "Line",
    "Permission",
    "Policy",
    "Setting",
    "Unlisted",
    "fallback_parts",
    "load_policy",
    "parse_policy",
]


def load_policy(name_or_path: str) -> Policy:
    """One of the program's policies by name, or a user's own file by its path.

    Raises:
        UsageError: there is no such policy or file, or the file is not a policy; the message names the field.
    """
    if name_or_path in POLICIES:
        return parse_policy(shipped_policy_text(name_or_path), name_or_path)
    path = Path(name_or_path)
    if path.suffix != ".toml" and not path.exists():
        raise UsageError(
            f"policy {name_or_path!r} is not known; there are {', '.join(POLICIES)}, or give the path of a .toml file"
        )
    try:
        text = read_toml_text(path)
    except UsageError as error:
        raise UsageError(f"policy {error}") from None
    return parse_policy(text, name_or_path)
