"""The files that say what a box is, fetched in one go and laid out below a temporary root of this machine."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from ipsecbench.remote.answer import ask
from ipsecbench.remote.connection import Connection

MOST_BYTES = 16 * 2**20
_PATH = re.compile(
    r"/(?:proc|sys|etc|run|tmp|opt|lib|lib64|usr|\.dockerenv)(?:/(?!\.\.?(?:/|$))[A-Za-z0-9_.:@+,-]{1,64}){0,14}"
)
_LONGEST_TARGET = 255


def fetch_files(connection: Connection) -> list[tuple[str, bytes]]:
    """The parts of the answer: titles such as ``file /proc/cpuinfo`` and what they hold.

    Raises:
        RemoteError: the box cannot be reached, or sends more than files of the kernel can be.
    """
    return ask(connection, "files", limit_bytes=MOST_BYTES, timeout=120)


def lay_out(parts: Sequence[tuple[str, bytes]], root: Path) -> None:
    """Write what was fetched below a root.

    Names come from the box: those that are none of a kernel's or a system's are left out, nothing is written through
    a link, and links, which are made last, are read by :class:`ipsecbench.hardware.source.Source` only, which never
    follows one out of its root.

    Args:
        parts: from :func:`fetch_files`.
        root: an empty folder of ours.
    """
    links: list[tuple[Path, str]] = []
    for title, body in parts:
        kind, _, name = title.partition(" ")
        if not _PATH.fullmatch(name):
            continue
        path = root / name.lstrip("/")
        try:
            if kind == "folder":
                path.mkdir(mode=0o700, parents=True, exist_ok=True)
            elif kind in ("file", "line"):
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                with open(path, "xb", opener=_private) as file:
                    file.write(body)
            elif kind == "link":
                links.append((path, body.decode("utf-8", "replace").strip("\n")))
        except OSError:
            continue  # a folder where a file is, or the same name twice: the box contradicts itself
    for path, target in links:
        if target.isprintable() and 0 < len(target) <= _LONGEST_TARGET and not _has_link(path.parent, root):
            try:
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                os.symlink(target, path)
            except OSError:
                continue


def _has_link(folder: Path, root: Path) -> bool:
    while folder != root:
        if folder.is_symlink():
            return True
        folder = folder.parent
    return False


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)
