"""Lives of products that have one margin for both kinds of SAs (strongSwan's ``ipsec.conf``, libreswan).

They end an SA after its lifetime and rekey it the margin, and up to a percentage of it more, before. The margin is the
smaller one of the two SAs; the other SA's lifetime is its soft limit and the margin, which is below its hard limit.
"""

from __future__ import annotations

from dataclasses import dataclass

from ipsecbench.export.connection import Connection


@dataclass(frozen=True, slots=True)
class SharedMargin:
    """One margin, and the lifetimes that go with it."""

    margin_seconds: int
    """How long before the end an SA is rekeyed."""
    fuzz_percent: int
    """By how much the margin is lengthened at most, at random."""
    ike_seconds: int
    """When the IKE SA ends."""
    child_seconds: int
    """When the Child SA ends."""


def shared_margin(connection: Connection) -> SharedMargin:
    """The margin and the lifetimes: rekeying begins at the soft limits or before, and no SA outlives its hard one."""
    ike, child = connection.ike_life, connection.child_life
    margin = max(1, min(ike.hard_seconds - ike.soft_seconds, child.hard_seconds - child.soft_seconds))
    return SharedMargin(
        margin_seconds=margin,
        fuzz_percent=min(100, round(100 * child.rand_seconds / margin)),
        ike_seconds=min(ike.hard_seconds, ike.soft_seconds + margin),
        child_seconds=min(child.hard_seconds, child.soft_seconds + margin),
    )
