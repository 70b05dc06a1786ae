"""Claims of the article and of common advice, and how each is held against a box."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from ipsecbench.explain.plain_names import plain

if TYPE_CHECKING:
    from ipsecbench.explain.box import Box, Figure
    from ipsecbench.explain.verdicts import Outcome


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing that people say."""

    name: str
    """Short name."""
    text: str
    """The claim."""
    aliases: tuple[str, ...]
    """Other ways to say it."""
    about: tuple[str, ...]
    """Names of what it is said of."""
    said_by: str
    """Where it is said."""
    sources: tuple[str, ...]
    """Keys of the sources that bear on it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A claim with its verdict."""

    name: str
    """Short name of the claim."""
    claim: str
    """The claim."""
    said_by: str
    """Where it is said."""
    verdict: str
    """One of :class:`ipsecbench.explain.verdicts.Verdict`."""
    answer: str
    """Why, the decision first."""
    figures: tuple[Figure, ...]
    """What it rests on, with intervals."""
    tiers: tuple[str, ...]
    """Tiers of the evidence."""
    sources: tuple[str, ...]
    """Keys of the sources."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON: docs/explain.md."""
        return asdict(self)


@cache
def all_claims() -> tuple[Claim, ...]:
    """Every claim, in the order that they are shown."""
    rows = tomllib.loads(files("ipsecbench.explain").joinpath("claims.toml").read_text(encoding="utf-8"))["claim"]
    return tuple(
        Claim(
            row["name"], row["text"], tuple(row["aliases"]), tuple(row["about"]), row["said_by"], tuple(row["sources"])
        )
        for row in rows
    )


def claim_named(name: str) -> Claim:
    """The claim of a short name.

    Raises:
        KeyError: there is none.
    """
    found = next((claim for claim in all_claims() if claim.name == name), None)
    if found is None:
        raise KeyError(name)
    return found


def claims_about(name: str) -> tuple[Claim, ...]:
    """What is said of something, by its name here."""
    return tuple(claim for claim in all_claims() if name in claim.about)


def find_claim(text: str) -> Claim | None:
    """The claim that somebody makes; None where the text is no claim that is known here."""
    wanted = plain(text)
    for claim in all_claims():
        if any(plain(one) == wanted for one in (claim.text, *claim.aliases)):
            return claim
    return None


@cache
def _judges() -> Mapping[str, Callable[[Box | None], Outcome]]:
    from ipsecbench.explain.ike_claims import IKE_CLAIMS
    from ipsecbench.explain.packet_claims import PACKET_CLAIMS
    from ipsecbench.explain.throughput_claims import THROUGHPUT_CLAIMS

    return {**THROUGHPUT_CLAIMS, **PACKET_CLAIMS, **IKE_CLAIMS}


def judge(claim: Claim, box: Box | None) -> Finding:
    """Hold a claim against a box, or, without one, against what the standards say."""
    outcome = _judges()[claim.name](box)
    tiers = dict.fromkeys((*(figure.tier for figure in outcome.figures), *outcome.tiers))
    return Finding(
        name=claim.name,
        claim=claim.text,
        said_by=claim.said_by,
        verdict=outcome.verdict.value,
        answer=outcome.answer,
        figures=outcome.figures,
        tiers=tuple(tiers),
        sources=claim.sources,
    )
