"""Peers by name, as a proposal string, and from a file: what ``--peer`` takes.

The presets are data with their sources, ``peers/*.toml``.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Any

from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.algorithms.proposals import EspProposal, IkeProposal, parse_esp, parse_ike
from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.errors import UsageError
from ipsecbench.recommend.peers.peer import Peer
from ipsecbench.recommend.peers.peer_file import parse_peer, peer_of_table
from ipsecbench.toml.table import read_toml

PEERS = (
    "aws",
    "azure",
    "gcp",
    "cisco-ios",
    "cisco-ios-xe",
    "cisco-asa",
    "cisco-asa-x",
    "fortios",
    "panos",
    "routeros",
    "pfsense",
    "opnsense",
    "strongswan-defaults",
    "libreswan-defaults",
    "windows",
    "apple",
)
"""The presets that come with the program."""
_FOLDER = "peers"


def load_peer(spec: str) -> Peer:
    """The peer that ``--peer`` names.

    Args:
        spec: a preset's name such as ``aws``, proposals such as ``aes256-sha256-modp2048/aes128gcm16-modp2048``
            (phase 1, a slash, phase 2; several of each with commas; either side may be left out), or the path of a
            ``.toml`` file.

    Raises:
        UsageError: it is none of these, or what it names cannot be read; one line.
    """
    plain = spec.strip()
    if plain in PEERS:
        resource = files("ipsecbench.recommend").joinpath(_FOLDER, f"{plain}.toml")
        return parse_peer(resource.read_text(encoding="utf-8"), Path(f"{plain}.toml"), plain)
    if plain.endswith(".toml"):
        return peer_of_table(read_toml(Path(plain)))
    if "/" in plain:
        return _peer_of_proposals(plain)
    nearest = get_close_matches(plain.lower(), PEERS, n=1)
    hint = f"did you mean {nearest[0]!r}?" if nearest else f"there are {', '.join(PEERS)}."
    raise UsageError(
        f"peer {spec!r} is not known; {hint} Or write its proposals, such as "
        "aes256-sha256-modp2048/aes128gcm16-modp2048, or give a .toml file"
    )


def _peer_of_proposals(spec: str) -> Peer:
    phase1, _, phase2 = spec.partition("/")
    if "/" in phase2:
        raise UsageError(f"peer {spec!r}: write phase 1, one slash, phase 2, with commas between several proposals")
    ike = [parse_ike(part) for part in phase1.split(",") if part.strip()]
    esp = [parse_esp(part) for part in phase2.split(",") if part.strip()]
    if not ike and not esp:
        raise UsageError(f"peer {spec!r}: it names no proposal, such as aes256-sha256-modp2048/aes128gcm16-modp2048")
    return Peer(name=f"a peer with {spec}", spec=spec, **_phase1(ike), **_phase2(esp))


def _phase1(proposals: Sequence[IkeProposal]) -> dict[str, Any]:
    if not proposals:
        return {}
    return {
        "key_exchange": frozenset(name for one in proposals for name in one.key_exchange),
        "prf": frozenset(name for one in proposals for name in one.prf),
        "ike_encryption": frozenset(name for one in proposals for name in one.encryption),
        "ike_integrity": frozenset(name for one in proposals for name in one.integrity),
        "additional_key_exchange": frozenset(
            name for one in proposals for methods in one.additional_key_exchanges for name in methods
        )
        & frozenset(KEY_EXCHANGE),
    }


def _phase2(proposals: Sequence[EspProposal]) -> dict[str, Any]:
    if not proposals:
        return {}
    written = {
        name if mac is None else f"{name}-{mac}"
        for one in proposals
        for name in one.encryption
        for mac in one.integrity or (None,)
    }
    return {
        "esp_suites": frozenset(written) & frozenset(esp_suites()),
        # "none" makes the exchange optional; a proposal that names no method goes without.
        "child_key_exchange": frozenset(name for one in proposals for name in one.key_exchange)
        & frozenset(KEY_EXCHANGE),
        "esn": any(True in one.esn for one in proposals),
    }
