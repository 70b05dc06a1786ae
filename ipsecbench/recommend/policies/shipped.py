"""The policies that come with the program, as the text of their files."""

from __future__ import annotations

from importlib.resources import files

POLICIES = (
    "modern",
    "nist",
    "cnsa1",
    "cnsa2",
    "bsi",
    "anssi",
    "post-quantum",
    "legacy-interop",
    "article",
)
"""Their names, the default first."""


def shipped_policy_text(name: str) -> str:
    """The TOML text of one of them."""
    return files("ipsecbench.recommend").joinpath("policies", f"{name}.toml").read_text(encoding="utf-8")
