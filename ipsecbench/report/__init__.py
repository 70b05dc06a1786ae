"""The HTML pages: each one self-contained file, the same for the same inputs.

``box`` is the page of one dataset, ``comparison`` the page of several, ``proof_page`` that of a proof. ``answer`` has
the recommendation's own tables and sections, also as text; ``drawing`` draws; ``frame`` is what every page has in
common, ``embedded`` the data within it; ``tables``, ``references`` and ``formats`` are what all of them are made of.
"""
