"""Files of a box that are in memory: what somebody sent as text, read as if it were below a root."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ipsecbench.hardware.source import MAX_DIRECTORY_ENTRIES, Source


class MemorySource(Source):
    """Files and links by their path below the root, such as ``proc/cpuinfo``; there is no file system behind it.

    Args:
        files: content of each file.
        links: name that the target of each link ends with, such as that of a driver.
        name: what stands for the root.
    """

    def __init__(self, files: Mapping[str, bytes], links: Mapping[str, str] | None = None, name: str = "text") -> None:
        super().__init__(Path("/"))
        self._name = name
        self._files = dict(files)
        self._links = dict(links or {})
        self._names: dict[str, set[str]] = {}
        for path in (*self._files, *self._links):
            while path:
                path, _, last = path.rpartition("/")
                self._names.setdefault(path, set()).add(last)

    @property
    def is_live(self) -> bool:
        """Never: these are the files of another box."""
        return False

    @property
    def root(self) -> str:
        """What stands for the root."""
        return self._name

    def read_bytes(self, path: str, limit_bytes: int = 4 * 1024 * 1024) -> bytes | None:
        """At most ``limit_bytes + 1`` octets of a file."""
        content = self._files.get(path)
        return None if content is None else content[: limit_bytes + 1]

    def names(self, directory: str) -> tuple[str, ...]:
        """The sorted names in a directory."""
        found = sorted(name for name in self._names.get(directory, ()) if name.isprintable())
        return tuple(found[:MAX_DIRECTORY_ENTRIES])

    def exists(self, path: str) -> bool:
        """Whether there is such a file, link or directory."""
        return path in self._files or path in self._links or path in self._names

    def link_name(self, path: str) -> str | None:
        """The last name in the target of a link."""
        return self._links.get(path)

    def real_path(self, path: str) -> str | None:
        """The path itself: links lead nowhere."""
        return path

    def locate(self, path: str) -> str | None:
        """Nowhere on this machine."""
        return None
