"""Measurements of others, read from what their tools print: each figure with its line.

``text`` is what was given, bounded and hostile; ``formats`` knows which readers there are (``readers``), each of which
fills a ``sheet``; ``names`` and ``figures`` are what they share; ``batch`` reads many files. Sans-IO but for
:func:`ipsecbench.importers.text.read_text`.
"""
