"""A recommendation held against this very box: its sets negotiated and loaded in the laboratory (docs/prove.md).

:mod:`~ipsecbench.proof.run` runs them, :mod:`~ipsecbench.proof.judgement` is the pure part: what is compared with what,
and what comes of it.
"""
