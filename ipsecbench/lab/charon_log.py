"""The secrets in the log of strongSwan's daemon, written there at level 4 of ``ike`` and ``chd``.

They are what lets a capture of two strongSwan daemons be decrypted, and our own keys be compared with the peer's.
"""

from __future__ import annotations

import re

_TITLE = re.compile(r"\d+\[\w+\] (.*) => (\d+) bytes @ ")
_DUMP = re.compile(r"\d+\[\w+\] +\d+: ((?:[0-9A-F]{2} ){1,16})")


def logged_secrets(log: str) -> list[tuple[str, bytes]]:
    """Every octet string in a log with the title that the daemon gives it, in order.

    Titles of IKEv2 are ``Sk_ei secret`` and its kin and ``encryption initiator key``; of IKEv1 ``SKEYID_d`` and its
    kin and ``encryption key Ka``.
    """
    found: list[tuple[str, bytes]] = []
    expected = 0
    for line in log.splitlines():
        if title := _TITLE.match(line):
            expected = int(title[2])
            found.append((title[1], b""))
        elif (dump := _DUMP.match(line)) and found:
            name, octets = found[-1]
            found[-1] = (name, (octets + bytes.fromhex(dump[1]))[:expected])
    return found
