"""The libcrypto files of a box, and their provider modules.

What is installed, not what is used: the agent reports the library that it loaded. The version is the text that every
OpenSSL, LibreSSL, BoringSSL and AWS-LC build carries in the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ipsecbench.hardware.source import Source

LIBRARY_DIRECTORIES: Final = (
    "lib",
    "lib64",
    "usr/lib",
    "usr/lib64",
    "usr/local/lib",
    "usr/local/lib64",
    "usr/local/ssl/lib",
    "opt/openssl/lib",
)
MAX_LIBRARY_BYTES = 32 * 1024 * 1024
"""Longest library that is searched for its version; a libcrypto has 2 to 7 MB."""

_FILE = re.compile(r"libcrypto\.so(\.[0-9A-Za-z.]+)?")
_MULTIARCH = re.compile(r"[a-z0-9_]+-linux-[a-z0-9_]+")
_VERSIONS: Final = (
    re.compile(rb"OpenSSL \d+\.\d+\.\d+[a-z]{0,2}(?:-[\w.+]+)?(?: {1,2}\d{1,2} [A-Z][a-z]{2} \d{4})?"),
    re.compile(rb"LibreSSL \d+\.\d+\.\d+"),
    re.compile(rb"AWS-LC (?:FIPS )?\d+\.\d+\.\d+"),
    re.compile(rb"BoringSSL"),
)


@dataclass(frozen=True, slots=True)
class Libcrypto:
    """One libcrypto file."""

    path: str
    """Below the root, with a leading slash; links are followed."""
    soname: str
    """The name under which programs load it, such as `libcrypto.so.3`."""
    version: str | None
    """Such as `OpenSSL 3.0.19 27 Jan 2026`; `None` when the file does not carry one."""
    modules: tuple[str, ...] | None
    """Provider modules beside it (`legacy`, `fips`); `None` where the version has no providers or is unknown."""

    @property
    def lacks_legacy(self) -> bool:
        """OpenSSL 3 or later without its legacy provider: no DES, Blowfish, CAST5 or MD4."""
        return self.modules is not None and "legacy" not in self.modules


def find_libcryptos(source: Source) -> tuple[Libcrypto, ...] | None:
    """Every libcrypto in the usual directories, each file once; `None` when none of the directories is there."""
    if not any(source.exists(directory) for directory in LIBRARY_DIRECTORIES):
        return None
    found: dict[str, Libcrypto] = {}
    for directory in _directories(source):
        for name in source.names(directory):
            if not _FILE.fullmatch(name) or not source.exists(f"{directory}/{name}"):
                continue
            real = source.real_path(f"{directory}/{name}") or f"{directory}/{name}"
            known = found.get(real)
            if known is None:
                version = _version(source, real)
                found[real] = Libcrypto(f"/{real}", name, version, _modules(source, directory, version))
            elif known.soname == "libcrypto.so":  # the name for compilers; the other is the one that is loaded
                found[real] = Libcrypto(known.path, name, known.version, known.modules)
    return tuple(found.values())


def _directories(source: Source) -> Iterator[str]:
    seen = set()
    for directory in LIBRARY_DIRECTORIES:
        inner = [name for name in source.names(directory) if _MULTIARCH.fullmatch(name)]
        for path in (directory, *(f"{directory}/{name}" for name in inner)):
            real = source.real_path(path)
            if real not in seen:
                seen.add(real)
                yield path


def _version(source: Source, path: str) -> str | None:
    data = source.read_bytes(path, MAX_LIBRARY_BYTES)
    if data is None:
        return None
    for word, pattern in zip((b"OpenSSL ", b"LibreSSL ", b"AWS-LC ", b"BoringSSL"), _VERSIONS, strict=True):
        position = data.find(word)
        while position >= 0:
            match = pattern.match(data, position)
            if match is not None:
                return match.group().decode("ascii")
            position = data.find(word, position + 1)
    return None


def _modules(source: Source, directory: str, version: str | None) -> tuple[str, ...] | None:
    match = re.match(r"OpenSSL (\d+)\.", version or "")
    if match is None or int(match.group(1)) < 3:
        return None
    names = source.names(f"{directory}/ossl-modules")
    return tuple(name.removesuffix(".so") for name in names if name.endswith(".so"))
