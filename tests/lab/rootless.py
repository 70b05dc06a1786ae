"""Runs a program as the user ``nobody``, who has no rights but user namespaces."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOBODY = "nobody"
_SYSTEM_PYTHON = Path("/usr/bin/python3")


def user_prefix() -> list[str]:
    """What makes a command run as nobody with a Python that nobody can read; empty where this user is not root."""
    if os.geteuid() != 0:
        return ["env"]
    account = pwd.getpwnam(NOBODY)
    paths = os.pathsep.join((str(ROOT), sysconfig.get_path("purelib")))
    return [
        *("setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"),
        *("env", f"PYTHONPATH={paths}", "PYTHONDONTWRITEBYTECODE=1", "HOME=/nonexistent", "PATH=/usr/bin:/bin"),
    ]


def python() -> str:
    """A Python that nobody can run, of this version."""
    return sys.executable if os.geteuid() != 0 else str(_SYSTEM_PYTHON)


def missing_prerequisite() -> str | None:
    """Why nobody can run nothing here, or None."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    script = f"import sys, typer, ipsecbench; sys.exit('%d.%d' % sys.version_info[:2] != '{version}')"
    done = subprocess.run(
        [*user_prefix(), python(), "-c", script], capture_output=True, text=True, timeout=30, cwd="/", check=False
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        return f"the user {NOBODY} has no Python {version} that finds this package: {last}"
    return None


def command(*arguments: str) -> list[str]:
    """The command line of ``ipsecbench`` as nobody."""
    return [*user_prefix(), python(), "-m", "ipsecbench", *arguments]


def run(*arguments: str, timeout: float = 60.0, before: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    """Run ``ipsecbench`` as nobody."""
    return subprocess.run(
        [*before, *command(*arguments)],
        capture_output=True,
        text=True,
        timeout=timeout,
        cwd="/",
        check=False,
        stdin=subprocess.DEVNULL,
    )
