"""What each standard says of each algorithm: RFC 8221, 8247 and 9395, NIST, CNSA, BSI, strongSwan's own advice.

The RFC levels say what an implementation must *support*, not what an operator must *use* (RFC 8221 section 1.3).
An empty level means that the document does not speak of the algorithm. A level that was not read in its document ends
with "(M)" in the data and comes out with ``verified`` false.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

STANDARDS: Mapping[str, str] = MappingProxyType(
    {
        "rfc8221_esp": "RFC 8221 (ESP)",
        "rfc8247_ike": "RFC 8247 (IKEv2)",
        "rfc9395": "RFC 9395",
        "nist_sp800_77r1": "NIST SP 800-77r1",
        "fips140_3": "FIPS 140-3",
        "cnsa1_rfc9206": "CNSA 1.0 (RFC 9206)",
        "cnsa2_draft": "CNSA 2.0 (draft-guthrie-cnsa2-ipsec-profile-04)",
        "bsi_tr02102_3": "BSI TR-02102-3",
        "strongswan_security_page": "strongSwan security recommendations",
    }
)
"""Column of the data to the name that people know the standard by."""


@dataclass(frozen=True, slots=True)
class Level:
    """What one standard says of one algorithm."""

    standard: str
    """Key in :data:`STANDARDS`."""
    text: str
    """The level in the document's words, such as ``MUST NOT``."""
    verified: bool
    """False where the statement was not read in its document."""

    @property
    def forbids(self) -> bool:
        """Whether the standard says that the algorithm must not be implemented or is not allowed."""
        return self.text.startswith(("MUST NOT", "Not allowed", "not allowed", "shall not"))


@dataclass(frozen=True, slots=True)
class Standing:
    """The standing of one algorithm: its registry status and what the standards say."""

    transform: str
    """``ENCR``, ``PRF``, ``INTEG`` or ``KE``."""
    name: str
    """strongSwan's proposal token."""
    iana_status: str
    """Status in the IANA registry, such as ``active`` or ``DEPRECATED (RFC 8247)``."""
    levels: Mapping[str, Level]
    """By key of :data:`STANDARDS`; standards that say nothing are absent."""


@cache
def _standings() -> Mapping[tuple[str, str], Standing]:
    text = files("ipsecbench.algorithms").joinpath("requirement_levels.csv").read_text(encoding="utf-8")
    found: dict[tuple[str, str], Standing] = {}
    for row in csv.DictReader(text.splitlines()):
        levels = {
            key: Level(key, row[key].removesuffix("(M)").strip(), not row[key].endswith("(M)"))
            for key in STANDARDS
            if row[key]
        }
        standing = Standing(row["transform"], row["name"], row["iana_status"], MappingProxyType(levels))
        found[standing.transform, standing.name] = standing
    return MappingProxyType(found)


def standing(transform: str, name: str) -> Standing:
    """The standing of one algorithm.

    Args:
        transform: ``ENCR``, ``PRF``, ``INTEG`` or ``KE``.
        name: strongSwan's proposal token.

    Raises:
        KeyError: the data has no such algorithm.
    """
    return _standings()[transform, name]
