"""Giving up root once what needs it is done."""

from __future__ import annotations

import os
import pwd

from ipsecbench.errors import UsageError


def drop_privileges(user: str) -> None:
    """Become another user for good, when this process is root; nothing where it is not.

    Args:
        user: name of the user; ``root`` keeps the rights.

    Raises:
        UsageError: there is no such user, or the system refuses.
    """
    if os.geteuid() != 0 or user == "root":
        return
    try:
        account = pwd.getpwnam(user)
        os.setgroups([])
        os.setresgid(account.pw_gid, account.pw_gid, account.pw_gid)
        os.setresuid(account.pw_uid, account.pw_uid, account.pw_uid)
    except KeyError as error:
        raise UsageError(f"there is no user {user!r}; name another one with --user") from error
    except OSError as error:
        raise UsageError(f"cannot become {user!r}: {error.strerror}") from error
