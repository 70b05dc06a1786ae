"""Which rows are meant: ``[SCOPE.]ALGORITHM[@SIZE][/OPERATION]``, such as ``esp.aes*@imix/outbound``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase

from ipsecbench.bench.measurement import Workload
from ipsecbench.comparison.scopes import KEY_SETUP, Scope, scope_of, size_of
from ipsecbench.errors import UsageError

GRAMMAR = "[SCOPE.]ALGORITHM[@SIZE][/OPERATION]"
"""How a selector is written."""
ANY_MIX = "imix"
"""A size that stands for every mix of sizes."""
_FORM = re.compile(
    r"(?:(?P<scope>[a-z]+)\.(?=.))?(?P<algorithm>[^@/\s]+)(?:@(?P<size>[^@/\s]+))?(?:/(?P<operation>[^@/\s]+))?"
)
_SCOPES = tuple(scope.value for scope in Scope if scope is not Scope.OTHER)


@dataclass(frozen=True, slots=True)
class Selector:
    """What rows must be like; patterns as shells have them, None where everything is meant."""

    text: str
    """As it was written."""
    scope: Scope | None
    """Kind of rows."""
    algorithm: str
    """Pattern of the algorithm, the suite or the set."""
    size: str | None
    """Pattern of the size in octets or of the mix, or :data:`ANY_MIX`."""
    operation: str | None
    """Pattern of the operation; without one everything but ``key-setup`` is meant where rows are packets."""

    def matches(self, work: Workload) -> bool:
        """Whether a row is meant."""
        if not fnmatchcase(work.algorithm, self.algorithm):
            return False
        scope = scope_of(work)
        if self.scope is not None and scope is not self.scope:
            return False
        if self.operation is None:
            if self.scope is Scope.ESP and work.operation == KEY_SETUP:
                return False
        elif not fnmatchcase(work.operation, self.operation):
            return False
        return self.size is None or is_of_size(work, self.size)


def is_of_size(work: Workload, wanted: str) -> bool:
    """Whether a row has a size: a number of octets, a mix, ``imix`` for any mix, or a pattern of these."""
    if wanted == ANY_MIX:
        return work.mix is not None
    size = size_of(work)
    return size is not None and fnmatchcase(size, wanted)


def parse_selector(text: str, option: str) -> Selector:
    """A selector as it is written on the command line.

    Args:
        text: the selector.
        option: the option that it was given to, for what is said of a mistake.

    Raises:
        UsageError: it is none, or has a scope that does not exist.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise UsageError(f"{option} {text!r}: not {GRAMMAR}, such as 'esp.aes128gcm16@imix'")
    scope = found["scope"]
    if scope is not None and scope not in _SCOPES:
        raise UsageError(f"{option} {text!r}: there is no scope {scope!r}; there are {', '.join(_SCOPES)}")
    return Selector(
        text, None if scope is None else Scope(scope), found["algorithm"], found["size"], found["operation"]
    )
