"""From measurements to parameters: a pure function of (dataset, policy, requirements).

:func:`ipsecbench.recommend.recommendation.recommend` is the entry; ``docs/recommendation.md`` states the rules.
"""

from ipsecbench.recommend.recommendation import recommend

__all__ = ["recommend"]
