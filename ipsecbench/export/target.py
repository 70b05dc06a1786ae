"""A target: one product's configuration, in some versions, and how its text is known to be right.

Each target is one module of :mod:`ipsecbench.export.targets` with a :data:`TARGET`; the registry finds it by the
module's name and imports no other. A target never approximates: what it cannot say at a version it refuses, one clear
line for each thing.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from pkgutil import iter_modules

from ipsecbench.errors import RefusedError, UsageError
from ipsecbench.export import targets as _modules
from ipsecbench.export.connection import Connection
from ipsecbench.export.rules import common_refusals, legacy_warnings

_COMMENT_COLUMNS = 110


class Proof(StrEnum):
    """How the text of a target is known to be right."""

    NEGOTIATED = "negotiated"
    """The product itself read it in the tests and brought up SAs with exactly these parameters."""
    PARSED = "parsed"
    """The product's own parser accepts it in the tests; nothing was negotiated with it."""
    GRAMMAR = "grammar"
    """Only checked against the documented grammar: nothing of the product was at hand."""


@dataclass(frozen=True, slots=True)
class Comment:
    """How a line of comment is written."""

    before: str = "# "
    """In front of each line."""
    after: str = ""
    """Behind each line, as in ``<!-- … -->``."""

    def lines(self, *texts: str) -> str:
        """The texts as comment, wrapped, each line ended."""
        written = ""
        for text in texts:
            wrapped = textwrap.wrap(_harmless(text), _COMMENT_COLUMNS, subsequent_indent="  ", break_on_hyphens=False)
            written += self._written(wrapped or [""])
        return written

    def commands(self, *texts: str) -> str:
        """The texts as comment, each on one line whatever its length, so that it can be copied."""
        return self._written(f"  {_harmless(text)}" for text in texts)

    def _written(self, lines: Iterable[str]) -> str:
        return "".join(f"{self.before}{line}{self.after}".rstrip() + "\n" for line in lines)


def _harmless(text: str) -> str:
    """Printable ASCII: a label of a dataset or a policy must not end a comment, nor upset a product's reader."""
    plain = text.replace("\u00b7", "-").replace("\u00b5", "u").replace("-->", "->").replace("*/", "* /")
    if plain.isascii() and plain.isprintable():
        return plain
    return "".join(char if char.isascii() and char.isprintable() else "-" for char in plain)


@dataclass(frozen=True, slots=True)
class File:
    """One file of a configuration."""

    name: str
    """Its name, with folders below the end's own where the product wants them."""
    text: str
    """What is in it."""
    mode: int = 0o644
    """Permissions; 0600 where a secret is to be put in."""


@dataclass(frozen=True, slots=True)
class Target:
    """One product's configuration."""

    name: str
    """As on the command line; that of its module with hyphens for underscores."""
    title: str
    """For people."""
    versions: tuple[str, ...]
    """Versions of the product that the text is written for, the default first; never empty."""
    proof: Proof
    """How the text is known to be right."""
    proof_text: str
    """The same for people, in one sentence: which parser, what was compared."""
    comment: Comment
    """How its comments are written."""
    refuse: Callable[[Connection, str], tuple[str, ...]]
    """What it cannot express at a version, one line each; empty where it can."""
    render: Callable[[Connection, str], tuple[File, ...]]
    """The files of the connection's local end; only called where nothing was refused."""
    verify: Callable[[Connection], str]
    """The command that shows on that platform which parameters the SAs really have."""
    both_ends_in_one: bool = False
    """Whether what :attr:`render` gives is for both ends, so that it is not rendered twice."""

    def version(self, wanted: str | None) -> str:
        """The version that is written for: the default, one of them, or the one that a longer number belongs to.

        Raises:
            UsageError: there is no such version.
        """
        if wanted is None:
            return self.versions[0]
        for known in self.versions:
            if wanted == known or wanted.startswith(f"{known}."):
                return known
        raise UsageError(f"target {self.name} has no version {wanted!r}; there are {', '.join(self.versions)}")

    def refusals(self, connection: Connection, version: str, *, accept_legacy: bool = False) -> tuple[str, ...]:
        """Everything that stands against writing this connection: what no target writes, and what this one cannot."""
        return (*common_refusals(connection, accept_legacy=accept_legacy), *self.refuse(connection, version))

    def files(self, connection: Connection, version: str, *, accept_legacy: bool = False) -> tuple[File, ...]:
        """The files for the connection's local end.

        Raises:
            RefusedError: it cannot or must not be written; the error has one line for each reason.
        """
        reasons = self.refusals(connection, version, accept_legacy=accept_legacy)
        if reasons:
            raise RefusedError(f"{self.title} {version}", reasons)
        return self.render(connection, version)

    def header(self, connection: Connection, version: str) -> str:
        """The comment that every file begins with: where its contents come from and how they can be verified."""
        return self.comment.lines(*header_lines(self, connection, version))


def header_lines(target: Target, connection: Connection, version: str) -> tuple[str, ...]:
    """What every file says of itself, for targets that have no comments too."""
    origin = connection.provenance
    digest = "sha256 not known" if origin.dataset_sha256 is None else f"sha256 {origin.dataset_sha256}"
    end = "both ends" if target.both_ends_in_one else f"the {connection.end_name} end ({connection.local.address})"
    return (
        f"{target.title} {version}, for {end}. Written by ipsecbench {origin.tool_version}.",
        f"policy {origin.policy}; box {origin.box}",
        f"dataset {digest}, measured {origin.dataset_created}",
        f"phase 1 IKEv{connection.ike_version} {connection.ike.proposal}, {connection.authentication}; "
        f"phase 2 ESP {connection.esp.proposal}, {connection.mode} mode",
        *origin.differences,
        f"Text checked: {target.proof_text}",
        f"Verify with: {target.verify(connection)}",
        *(f"WARNING: {line}" for line in legacy_warnings(connection)),
    )


def target_names() -> tuple[str, ...]:
    """The names of all targets, sorted; none of them is imported for it."""
    return tuple(sorted(module.name.replace("_", "-") for module in iter_modules(_modules.__path__)))


def find_target(name: str) -> Target:
    """The target of a name.

    Raises:
        UsageError: there is none.
    """
    if name not in target_names():
        raise UsageError(f"no target {name!r}; there are {', '.join(target_names())}")
    target: Target = import_module(f"{_modules.__name__}.{name.replace('-', '_')}").TARGET
    return target


def all_targets() -> Iterator[Target]:
    """Every target, by name."""
    return map(find_target, target_names())
