"""The recommendation as configuration of products, to be copied from the page: both ends, or why there is none.

A product that cannot say the recommendation is shown with its own: the best that it has by the same policy.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ipsecbench.errors import PolicyError, RefusedError, UsageError
from ipsecbench.export.connection import Connection
from ipsecbench.export.fitting import Again, fit
from ipsecbench.export.from_recommendation import connection_of
from ipsecbench.export.target import File, Proof, Target, find_target
from ipsecbench.recommend.model import Recommendation
from ipsecbench.recommend.requirements.records import Requirements

SHOWN = ("swanctl", "openwrt", "vyos", "pfsense", "opnsense", "routeros", "fortios", "ios-xe", "libreswan")
"""Targets that a page shows; ``ipsecbench export`` has more."""
_IKEV1 = {"ios-xe": "ios-ikev1"}
_PROOFS = {
    Proof.NEGOTIATED: "negotiated by the product in the tests",
    Proof.PARSED: "accepted by the product's parser in the tests",
    Proof.GRAMMAR: "checked against its documentation only",
}


@dataclass(frozen=True, slots=True)
class EndFile:
    """One file of one end."""

    identifier: str
    """Stable id within the page."""
    title: str
    """Whose file, and its name."""
    text: str
    """What is in it."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """What one product is to be given, or why it cannot be."""

    name: str
    """The target, as ``ipsecbench export --to`` takes it."""
    title: str
    """The product and the version that it is written for."""
    proof: str
    """How the text is known to be right."""
    files: tuple[EndFile, ...] = ()
    """The files of both ends; empty where it was refused."""
    verify: str = ""
    """The command that shows on that product what the SAs really have."""
    refusals: tuple[str, ...] = ()
    """Why it cannot or must not be written."""
    differences: tuple[str, ...] = ()
    """What the product's own recommendation has otherwise; empty where it can say the recommendation itself."""
    cost: str = ""
    """What that costs."""
    nothing_fits: str | None = None
    """Why there is no recommendation of its own either, where one was looked for."""


def configurations(recommendation: Recommendation, again: Again | None = None) -> list[Configuration]:
    """What the shown products are to be given.

    Args:
        recommendation: what to use.
        again: makes the recommendations of products that cannot say it; without it they are only refused.

    Returns:
        Those that say the recommendation itself, those with one of their own, and those that are refused.
    """
    try:
        connection = connection_of(recommendation)
    except UsageError:  # the placeholders do not fit what was wanted: nothing can be shown
        return []
    names = [_IKEV1.get(name, name) if connection.ike_version == 1 else name for name in SHOWN]
    once = None if again is None else _once(again)
    found = [_configuration(find_target(name), connection, recommendation, once) for name in names]
    return sorted(found, key=lambda one: (bool(one.refusals), bool(one.differences)))


def _once(again: Again) -> Again:
    """The same, but products that have the same are recommended for once: names of peers are in no configuration."""
    known: dict[Requirements, Recommendation] = {}

    def recommend(requirements: Requirements) -> Recommendation:
        if requirements.peer is not None:
            requirements = replace(requirements, peer=replace(requirements.peer, name="the product"))
        if requirements not in known:
            known[requirements] = again.recommend(requirements)
        return known[requirements]

    return Again(again.policy, recommend)


def _configuration(
    target: Target, connection: Connection, recommendation: Recommendation, again: Again | None
) -> Configuration:
    version = target.version(None)
    empty = Configuration(target.name, f"{target.title} {version}", _PROOFS[target.proof])
    try:
        return replace(empty, files=_files(target, connection, version), verify=target.verify(connection))
    except RefusedError as error:
        refused = replace(empty, refusals=error.reasons)
    if again is None:
        return refused
    try:
        fitted = fit(target, version, recommendation, again, connection_of)
        # It is for both ends on this product: the table for any other one at the other end is left out.
        files = _files(target, fitted.connection, version, tables=False)
    except RefusedError as error:
        return replace(refused, refusals=error.reasons)
    except PolicyError as error:
        return replace(refused, nothing_fits=str(error))
    differences = tuple(difference.text for difference in fitted.differences)
    return replace(
        empty, files=files, verify=target.verify(fitted.connection), differences=differences, cost=fitted.cost
    )


def _files(target: Target, connection: Connection, version: str, *, tables: bool = True) -> tuple[EndFile, ...]:
    if target.both_ends_in_one:
        ends = [("both ends", target.files(connection, version))]
    else:
        here, there = target.files(connection, version), target.files(connection.mirrored(), version)
        # Where the product's own text for this end comes with a table for any other one, that table is shown once.
        ends = [
            (f"this end, {connection.local.address}", here if tables else _without_table(here)),
            (f"the other end, {connection.peer.address}", _without_table(there)),
        ]
    return tuple(
        EndFile(f"config-{target.name}-{place}-{number}", f"{file.name}: {title}", file.text)
        for place, (title, files) in enumerate(ends)
        for number, file in enumerate(files)
    )


def _without_table(files: tuple[File, ...]) -> tuple[File, ...]:
    return tuple(file for file in files if "other-end" not in file.name)
