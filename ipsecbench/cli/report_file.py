"""Where pages are written: over older pages, and over nothing else."""

from __future__ import annotations

from pathlib import Path

_OWN_MARK = b'name="generator" content="ipsecbench'
_MARK_WITHIN_BYTES = 4096


def refuse_other_files(path: Path, force: bool | None, option: str = "--output") -> None:
    """Keep a slip of the hand, such as the dataset as the output, from destroying a file.

    Args:
        path: where a page is to be written.
        force: whether anything may be replaced; None where the command has no such option.
        option: the option that named the file.

    Raises:
        DatasetError: there is a file that is no page of ours, and ``--force`` was not given.
    """
    from ipsecbench.errors import DatasetError

    if force or not path.is_file():
        return
    try:
        with path.open("rb") as file:
            start = file.read(_MARK_WITHIN_BYTES)
    except OSError as error:
        raise DatasetError(f"cannot write {path}: {error.strerror}") from error
    if _OWN_MARK not in start:
        remedy = "" if force is None else ", or replace it with --force"
        raise DatasetError(f"{path} exists and is no report; choose another {option}{remedy}")
