"""Configuration of other products from a recommendation.

:mod:`.connection` is what is written, :mod:`.rules` what no target writes, :mod:`.target` what a target is and how it
is found; :mod:`.targets` has one module for each.
"""
