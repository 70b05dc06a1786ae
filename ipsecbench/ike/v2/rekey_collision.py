"""Which of two simultaneous rekeyings of one SA survives (RFC 7296 sections 2.8.1 and 2.8.2)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Nonces:
    """Both nonces of one CREATE_CHILD_SA exchange."""

    initiator: bytes
    """Ni."""
    responder: bytes
    """Nr."""

    @property
    def lowest(self) -> bytes:
        """The lower one, octet by octet; of two that begin alike the shorter."""
        return min(self.initiator, self.responder)


def loses(own: Nonces, peers: Nonces) -> bool:
    """Whether the exchange that this end began has the lowest of the four nonces.

    The SA that it made is redundant then, and this end deletes it; otherwise the peer deletes the one of its own, and
    this end deletes the SA that was rekeyed. Both ends come to opposite answers.

    Args:
        own: nonces of the exchange that this end began.
        peers: nonces of the exchange that the peer began.
    """
    return own.lowest < peers.lowest
