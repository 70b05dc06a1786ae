"""The interoperability matrix, as data: what is tried with strongSwan in which version and role.

Everything that both ends have is tried at least once in each version and role where it exists. What strongSwan cannot
do with its userspace ESP is tried with the kernel's; what it cannot do at all is listed with the reason.
"""

from __future__ import annotations

from tests.interop.matrix_algorithms import article, authentication, version1_algorithms, version2_algorithms
from tests.interop.matrix_exchanges import kernel, life, negotiation, paths, refusals

PARTS = (
    *(article, version2_algorithms, version1_algorithms, authentication, life),
    *(negotiation, kernel, paths, refusals),
)
MATRIX = tuple(scenario for part in PARTS for scenario in part())
"""Every row, in the order of the table."""
