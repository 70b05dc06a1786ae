"""Datasets on disk: read whole, written whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from ipsecbench.dataset.codec import from_document, to_document
from ipsecbench.dataset.model import Dataset
from ipsecbench.dataset.packed import is_packed, unpacked
from ipsecbench.dataset.strict_json import parse_json
from ipsecbench.errors import DatasetError

SUFFIX = ".ipsecbench.json"
"""How the name of a dataset ends."""
PACKED_SUFFIX = f"{SUFFIX}.gz"
"""How the name of one ends that gzip packed; every command reads these too."""
LARGEST_FILE_BYTES = 64 * 2**20
"""No dataset is larger, unpacked; one of five minutes has 1.5 MB."""
_UMASK = threading.Lock()
"""The mask of a process can only be read by setting it, which two threads must not do at once."""


def read_dataset(path: Path) -> Dataset:
    """Read a dataset, also one that gzip packed.

    Its digest is that of the unpacked octets, so that a packed copy is the same dataset.

    Raises:
        DatasetError: the file cannot be read, is damaged, of a newer schema, or not a dataset; one line that names the
            file, and the field where there is one.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE_BYTES + 1)
    except OSError as error:
        raise DatasetError(f"{path}: {error.strerror}") from error
    if is_packed(content) and len(content) <= LARGEST_FILE_BYTES:
        try:
            content = unpacked(content, LARGEST_FILE_BYTES)
        except DatasetError as error:
            raise DatasetError(f"{path}: {error}") from error
    if len(content) > LARGEST_FILE_BYTES:
        raise DatasetError(f"{path}: larger than {LARGEST_FILE_BYTES // 2**20} MiB, which no dataset is")
    try:
        return dataset_of(content)
    except DatasetError as error:
        raise DatasetError(f"{path}: {error}") from error


def dataset_of(content: bytes) -> Dataset:
    """The dataset of the octets of a file, unpacked.

    Raises:
        DatasetError: damaged, of a newer schema, or not a dataset.
    """
    try:
        document = parse_json(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"not JSON, or cut short: {error}") from error
    return from_document(document, hashlib.sha256(content).hexdigest())


def write_dataset(path: Path, dataset: Dataset) -> str:
    """Write a dataset, whole or not at all.

    Returns:
        The SHA-256 of the file, in hexadecimal.

    Raises:
        DatasetError: the file could not be written; what was there before is still there.
    """
    content = encoded(dataset)
    write_atomically(path, content)
    return hashlib.sha256(content).hexdigest()


def encoded(dataset: Dataset) -> bytes:
    """The octets of a dataset's file."""
    return json.dumps(to_document(dataset), separators=(",", ":"), allow_nan=False).encode() + b"\n"


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that at every moment either the old or the whole new content is there.

    Temporary file beside it, fsync, rename, fsync of the directory.

    Raises:
        DatasetError: the file could not be written; what was there before is still there.
    """
    try:
        _place(path, content, os.replace)
    except OSError as error:
        raise DatasetError(f"cannot write {path}: {error.strerror}") from error


def write_new(path: Path, content: bytes) -> bool:
    """Write a file that is not there yet, whole or not at all; never replaces one, not even one of another process.

    Returns:
        Whether it was written; False where there is something of that name.

    Raises:
        DatasetError: the file could not be written.
    """
    try:
        _place(path, content, _move_to_new)
    except FileExistsError:
        return False
    except OSError as error:
        raise DatasetError(f"cannot write {path}: {error.strerror}") from error
    return True


def _move_to_new(temporary: str, path: Path) -> None:
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without a second name for a file: the name is taken first, by an empty file
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        os.replace(temporary, path)
    else:
        os.unlink(temporary)


def _place(path: Path, content: bytes, move: Callable[[str, Path], None]) -> None:
    directory = path.parent
    temporary = None
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name[:100]}.", dir=directory)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with _UMASK:
            mask = os.umask(0)
            os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)
        move(temporary, path)
        temporary = None
        with contextlib.suppress(OSError):  # some file systems cannot sync a directory
            handle = os.open(directory, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)


def check_writable(path: Path) -> None:
    """Find out before a long run whether its file can be written.

    Raises:
        DatasetError: the directory is missing or cannot be written, or the path is a directory.
    """
    if path.is_dir():
        raise DatasetError(f"cannot write {path}: it is a directory")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise DatasetError(f"cannot write into {path.parent}: {error.strerror}") from error


def unused_path(directory: Path, stem: str) -> Path:
    """A path for a new dataset that no file has yet: ``stem.ipsecbench.json``, then ``stem-2…``."""
    path = directory / f"{stem}{SUFFIX}"
    number = 2
    while path.exists():
        path = directory / f"{stem}-{number}{SUFFIX}"
        number += 1
    return path
