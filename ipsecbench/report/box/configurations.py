"""The recommendation as configuration of products, to be copied from the page: both ends, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass

from ipsecbench.errors import RefusedError, UsageError
from ipsecbench.export.connection import Connection
from ipsecbench.export.from_recommendation import connection_of
from ipsecbench.export.target import Proof, Target, find_target
from ipsecbench.recommend.model import Recommendation

SHOWN = ("swanctl", "openwrt", "vyos", "pfsense", "opnsense", "routeros", "fortios", "ios-xe", "libreswan")
"""Targets that a page shows; ``ipsecbench export`` has more."""
_IKEV1 = {"ios-xe": "ios-ikev1"}
_PROOFS = {
    Proof.NEGOTIATED: "negotiated by the product in the tests",
    Proof.PARSED: "accepted by the product's parser in the tests",
    Proof.GRAMMAR: "checked against its documentation only",
}
_PRESETS = {name: name for name in ("pfsense", "opnsense", "routeros", "fortios")} | {"ios-xe": "cisco-ios-xe"}
"""What ``--peer`` takes for a target's product, where there is such a preset."""


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
    preset: str | None = None
    """What ``--peer`` takes for parameters that the product has; None where there is no such preset."""


def configurations(recommendation: Recommendation) -> list[Configuration]:
    """What the shown products are to be given: those that can be written first, the others after them."""
    try:
        connection = connection_of(recommendation)
    except UsageError:  # the placeholders do not fit what was wanted: nothing can be shown
        return []
    names = [_IKEV1.get(name, name) if connection.ike_version == 1 else name for name in SHOWN]
    found = [_configuration(find_target(name), connection) for name in names]
    return sorted(found, key=lambda one: bool(one.refusals))


def _configuration(target: Target, connection: Connection) -> Configuration:
    version = target.version(None)
    title = f"{target.title} {version}"
    preset = _PRESETS.get(target.name)
    try:
        files = _files(target, connection, version)
    except RefusedError as error:
        return Configuration(target.name, title, _PROOFS[target.proof], refusals=error.reasons, preset=preset)
    return Configuration(target.name, title, _PROOFS[target.proof], files, target.verify(connection))


def _files(target: Target, connection: Connection, version: str) -> tuple[EndFile, ...]:
    if target.both_ends_in_one:
        ends = [("both ends", target.files(connection, version))]
    else:
        ends = [(f"this end, {connection.local.address}", target.files(connection, version))]
        # Where the product's own text for this end comes with a table for any other one, that table is shown once.
        there = [file for file in target.files(connection.mirrored(), version) if "other-end" not in file.name]
        ends.append((f"the other end, {connection.peer.address}", tuple(there)))
    return tuple(
        EndFile(f"config-{target.name}-{place}-{number}", f"{file.name}: {title}", file.text)
        for place, (title, files) in enumerate(ends)
        for number, file in enumerate(files)
    )
