"""What is to be said of the peer that a choice counts on: what its sources leave open, and its notes."""

from __future__ import annotations

from ipsecbench.recommend.choice.policy_warnings import Part
from ipsecbench.recommend.peers.peer import Peer
from ipsecbench.recommend.reasons import Reason
from ipsecbench.recommend.rules import PEER_FIELDS


def peer_warnings(peer: Peer | None, parts: tuple[Part, ...], child_exchange: str | None) -> tuple[Reason, ...]:
    """A warning for what was chosen and is not certain to be there, then the peer's notes."""
    if peer is None:
        return ()
    named = [(PEER_FIELDS[role], name) for role, name in parts if role in PEER_FIELDS]
    named += [("child_key_exchange", child_exchange)] if child_exchange is not None else []
    doubtful = [(field, name) for field, name in named if peer.has(field, name) and peer.is_uncertain(field, name)]
    if not doubtful:
        return peer.notes
    names = ", ".join(dict.fromkeys(name for _, name in doubtful))
    keys = tuple(dict.fromkeys(key for field, _ in doubtful for key in peer.sources_of(field)))
    text = f"The sources do not confirm that {peer.name} has {names}: look there before you count on it."
    return (Reason(text, keys), *peer.notes)
