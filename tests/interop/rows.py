"""How rows of the matrix are written down, and what most of them have in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tests.interop.scenario import INITIATOR, RESPONDER, Scenario

Fields = dict[str, Any]
"""Fields of :class:`Scenario`."""

IKE2, ESP2 = "aes128-sha256-x25519", "aes128gcm16"
IKE1, ESP1 = "aes128-sha1-modp1024", "aes128-sha1"
ROLES = (INITIATOR, RESPONDER)

NO_ML_KEM = "strongSwan 5.9.8 has no ML-KEM and no additional key exchanges"


AGGRESSIVE: Fields = {"ours": {"aggressive": True}, "theirs": {"aggressive": True}}


def rows(
    area: str, version: int, titles: Sequence[str], roles: Sequence[str] = ROLES, **fields: Any
) -> Iterator[Scenario]:
    """One row for each title and role; ``{}`` in ``ike`` and ``esp`` stands for the title."""
    for title in titles:
        for role in roles:
            filled = {"ike": IKE1 if version == 1 else IKE2, "esp": ESP1 if version == 1 else ESP2} | fields
            filled |= {key: filled[key].replace("{}", title) for key in ("ike", "esp")}
            yield Scenario(area, title, version, role, **filled)
