"""docs/requirements.md names every key and every preset, and shows the example that is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ipsecbench.recommend.peers.peer import LISTS
from ipsecbench.recommend.peers.peer_file import parse_peer
from ipsecbench.recommend.peers.presets import PEERS
from ipsecbench.recommend.requirements.records import Requirements
from ipsecbench.recommend.requirements.requirement_file import (
    KEYS,
    PEER,
    PEER_DATASET,
    POLICY,
    PROFILE,
    parse_requirement_file,
)

DOCS = Path(__file__).resolve().parents[3] / "docs"
TEXT = (DOCS / "requirements.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```toml\n(.*?)^```", TEXT, re.M | re.S)


def first_cells() -> set[str]:
    return {name for row in re.findall(r"^\| (`[^|]*) \|", TEXT, re.M) for name in re.findall(r"`([^`]+)`", row)}


def test_every_key_table_and_preset_has_its_row() -> None:
    assert first_cells() >= {
        *KEYS,
        POLICY,
        PROFILE,
        PEER,
        PEER_DATASET,
        *PEERS,
        *LISTS,
        "esn",
        "ike_seconds",
        "child_seconds",
    }


def test_the_example_is_the_file() -> None:
    shown = BLOCKS[0]
    assert (DOCS / "examples" / "need.toml").read_text(encoding="utf-8").endswith(shown)


def test_the_other_blocks_can_be_read() -> None:
    assert parse_requirement_file(BLOCKS[1], Path("need.toml")).fields["traffic"]
    peer = parse_peer(BLOCKS[2], Path("peer.toml"))
    assert peer.esp_suites == frozenset({"aes128gcm16", "aes128-sha256"})
    assert peer.is_uncertain("key_exchange", "x25519")


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("mtu", "1500"),
        ("tunnels", "1"),
        ("rtt", "20"),
        ("reordering", "0"),
        ("certificates", "1"),
        ("mode", "`tunnel`"),
    ],
)  # fmt: skip
def test_defaults_are_those_of_the_code(key: str, shown: str) -> None:
    row = next(row for row in TEXT.splitlines() if row.startswith(f"| `{key}` |"))
    assert row.rstrip(" |").endswith(f"| {shown}")
    assert str(getattr(Requirements(), KEYS[key].field)).removesuffix(".0") == shown.strip("`")
