"""From measurements to parameters: a pure function of (dataset, policy, requirements).

:func:`ipsecbench.recommend.recommendation.recommend` is the entry; ``docs/recommendation.md`` states the rules.
"""
