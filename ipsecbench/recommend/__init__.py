"""From measurements to parameters: a pure function of (dataset, policy, requirements).

:func:`ipsecbench.recommend.recommendation.recommend` is the entry; ``docs/recommendation.md`` states the rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ipsecbench.recommend.recommendation import recommend

__all__ = ["recommend"]


def __getattr__(name: str) -> Any:
    """The entry, once somebody asks for it: a command that only reads a policy does not load the whole recommender."""
    if name != "recommend":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from ipsecbench.recommend.recommendation import recommend

    return recommend
