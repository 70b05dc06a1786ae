"""Giving up root once what needs it is done."""

from __future__ import annotations

import ctypes
import errno
import os
import pwd
import struct
from pathlib import Path

from ipsecbench.errors import UsageError

_PR_SET_KEEPCAPS = 8
_CAPABILITY_VERSION_3 = 0x20080522
_CAP_NET_ADMIN = 12


def drop_privileges(user: str, *, keep_network: bool = False) -> None:
    """Become another user for good, when this process is root; nothing where it is not.

    In a user namespace without any other user there is nobody to become: root there has no rights outside of it.

    Args:
        user: name of the user; ``root`` keeps the rights.
        keep_network: keep the one right to change the network's settings (CAP_NET_ADMIN).

    Raises:
        UsageError: there is no such user, or the system refuses.
    """
    if os.geteuid() != 0 or user == "root":
        return
    try:
        account = pwd.getpwnam(user)
    except KeyError as error:
        raise UsageError(f"there is no user {user!r}; name another one with --user") from error
    if _is_alone():
        return
    library = ctypes.CDLL(None, use_errno=True)
    try:
        os.setgroups([])
        if keep_network:
            library.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
        os.setresgid(account.pw_gid, account.pw_gid, account.pw_gid)
        os.setresuid(account.pw_uid, account.pw_uid, account.pw_uid)
    except OSError as error:
        raise UsageError(f"cannot become {user!r}: {error.strerror}") from error
    if keep_network:
        _keep_only(library, _CAP_NET_ADMIN)


def _is_alone() -> bool:
    """Whether this is a user namespace in which root is the only user."""
    try:
        rows = [line.split() for line in Path("/proc/self/uid_map").read_text().splitlines()]
        return sum(int(row[2]) for row in rows) == 1
    except (OSError, IndexError, ValueError):
        return False


def _keep_only(library: ctypes.CDLL, capability: int) -> None:
    """Of all capabilities keep one, capset(2)."""
    header = struct.pack("Ii", _CAPABILITY_VERSION_3, 0)
    bit = 1 << capability
    if library.capset(header, struct.pack("6I", bit, bit, 0, 0, 0, 0)) != 0:
        reason = os.strerror(ctypes.get_errno() or errno.EPERM)
        raise UsageError(f"cannot keep the right to change the network: {reason}")
