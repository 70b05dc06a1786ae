"""Versions of OpenSSL and LibreSSL, and what ``speed`` did in each of them.

Read in ``apps/speed.c`` of 1.1.1w, 3.0.17, 3.5.7, 3.6.3 and 4.0.2, and as far as output goes of 0.9.7j, 1.1.0f and
LibreSSL 2.1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ipsecbench.importers.sheet import printable

_VERSION = re.compile(
    r"^(?:version:\s*(?=\d)|(OpenSSL|LibreSSL)\s+(?:\(version\s+)?)(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?([a-z]{0,2}(?![a-z]))(.*)$"
)
_RECORD_SINCE: Mapping[tuple[int, int], int] = MappingProxyType(
    {(3, 0): 16, (3, 1): 8, (3, 2): 4, (3, 3): 3, (3, 4): 1}
)
"""First patch release of each branch with the loops of openssl#25823: backports #25887 (3.3), #25896 (3.2), #25907
(3.1, 3.0), all merged in November 2024 and released on 11 February 2025."""
FIVE_SIZES = (16, 64, 256, 1024, 8192)
SIX_SIZES = (*FIVE_SIZES, 16384)


@dataclass(frozen=True, slots=True)
class Version:
    """A library's version as it was printed, and its parts."""

    text: str
    """As printed, with the library's name."""
    library: str
    """``OpenSSL`` or ``LibreSSL``."""
    numbers: tuple[int, int, int]
    """Without the letter of a patch release."""

    @property
    def is_libressl(self) -> bool:
        """Whether it is LibreSSL, whose numbers say nothing of OpenSSL's."""
        return self.library == "LibreSSL"

    @property
    def has_record_loop(self) -> bool:
        """Whether ``speed -evp`` of GCM, CCM and OCB makes a whole record of each call, key and IV set anew:
        openssl#25823, see #27513."""
        branch, patch = self.numbers[:2], self.numbers[2]
        if self.is_libressl:
            return False
        return branch >= (3, 5) or (branch in _RECORD_SINCE and patch >= _RECORD_SINCE[branch])

    @property
    def has_seconds_in_mr(self) -> bool:
        """Whether ``-mr`` prints seconds for each signature instead of signatures in a second: until OpenSSL 1.1.0,
        and LibreSSL."""
        return self.is_libressl or self.numbers < (1, 1, 1)

    @property
    def is_numbered_anew(self) -> bool:
        """Whether ``+F7`` is FFDH, ``+F8`` encapsulation and ``+F9`` signatures: since OpenSSL 4.0, which has no
        lines of their own for EdDSA."""
        return not self.is_libressl and self.numbers[0] >= 4

    @property
    def sizes(self) -> tuple[int, ...]:
        """The sizes that are measured if none are asked for: 16 KiB came with OpenSSL 1.1.0."""
        return FIVE_SIZES if self.is_libressl or self.numbers < (1, 1, 0) else SIX_SIZES


def version_of(line: str) -> Version | None:
    """The version that a line prints, as ``openssl version``, ``speed`` or sbc-bench do; None for any other line."""
    match = _VERSION.match(line.strip())
    if match is None:
        return None
    library = match[1] or "OpenSSL"
    numbers = (int(match[2]), int(match[3]), int(match[4] or 0))
    if max(numbers) > 999:
        return None
    plain = line.strip()
    text = plain if match[1] else f"{library} {plain.split(':', 1)[1].strip()}"
    return Version(printable(text.replace("(version ", "")), library, numbers)
