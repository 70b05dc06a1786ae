"""The recommendation as one JSON document, with what it takes to ask again and to look its sources up.

docs/recommend-output.md describes it. Keys are only ever added within one version of the format.
"""

from __future__ import annotations

from typing import Any

from ipsecbench import __version__
from ipsecbench.algorithms.sources import sources
from ipsecbench.recommend.model import Recommendation
from ipsecbench.recommend.requirements.requirement_file import write_requirements

FORMAT = "ipsecbench-recommendation"
"""What the document is."""
FORMAT_VERSION = 1
"""Raised where a key changes its meaning or goes away."""


def answer_document(
    recommendation: Recommendation, policy: str | None = None, peer_dataset: str | None = None
) -> dict[str, Any]:
    """The answer with its provenance, ready for JSON.

    Args:
        recommendation: the answer.
        policy: name or path by which the policy was asked for; the policy's own name if None.
        peer_dataset: path of the other end's dataset, where there is one.
    """
    answer = recommendation.to_dict()
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "tool_version": __version__,
        "requirements_file": write_requirements(
            recommendation.requirements, policy or recommendation.policy, peer_dataset
        ),
        **answer,
        "sources": {key: _source(key) for key in sorted(_cited(answer))},
    }


def _cited(value: object) -> set[str]:
    """Every key under ``sources`` anywhere."""
    found: set[str] = set()
    if isinstance(value, dict):
        for key, item in value.items():
            found |= _keys(item) if key == "sources" else _cited(item)
    elif isinstance(value, list):
        for item in value:
            found |= _cited(item)
    return found


def _keys(named: list[Any]) -> set[str]:
    """The keys of a list of keys, or of a peer's list of pairs of a field and its keys."""
    return {key for each in named for key in ([each] if isinstance(each, str) else each[1])}


def _source(key: str) -> dict[str, Any] | None:
    source = sources().get(key)
    if source is None:
        return None
    return {"title": source.title, "location": source.location, "unverified": source.unverified}
