"""Reading TOML tables so that every mistake is one line with file and line, and no unknown key goes unnoticed."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from ipsecbench.errors import ConfigurationError, IpsecbenchError, UsageError
from ipsecbench.toml.positions import TomlPositions

T = TypeVar("T")
D = TypeVar("D")

LARGEST_FILE = 1 << 20
"""Octets; no file that is read here has a use for more."""
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|d|)\Z")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


class TomlSource:
    """One file: its place in error messages.

    Args:
        path: the file.
        text: what is in it.
    """

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self._positions = TomlPositions(text)

    def fail(self, where: Sequence[str], message: str) -> NoReturn:
        """Refuse a key or a table.

        Raises:
            ConfigurationError: always; with file and line.
        """
        raise ConfigurationError(f"{self.path}:{self._positions.line(where)}: {message}")


def read_toml(path: Path) -> Table:
    """The topmost table of a file.

    Raises:
        ConfigurationError: the file cannot be read, or is no TOML.
    """
    return parse_toml(read_toml_text(path), path)


def read_toml_text(path: Path) -> str:
    """The text of a file that should be TOML: no more of it is read than such a file has.

    Raises:
        ConfigurationError: the file cannot be read, is larger, or is no text.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_FILE + 1)
        text = raw.decode("utf-8")
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: it is not UTF-8 text") from error
    if len(raw) > LARGEST_FILE:
        raise ConfigurationError(f"{path}: it is larger than {LARGEST_FILE} octets")
    return text


def parse_toml(text: str, path: Path) -> Table:
    """The topmost table of a text.

    Args:
        text: the text.
        path: where it comes from, for messages.

    Raises:
        ConfigurationError: it is no TOML.
    """
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        match = re.search(r"line (\d+)", str(error))
        message = str(error).splitlines()[0]
        raise ConfigurationError(f"{path}:{match[1] if match else 1}: {message}") from error
    return Table(TomlSource(path, text), (), document)


class Table:
    """One table of a file. Every key has to be asked for; what was not is unknown to :meth:`finish`.

    Args:
        source: the file.
        path: names of the table.
        values: what is in it.
    """

    def __init__(self, source: TomlSource, path: tuple[str, ...], values: Mapping[str, Any]) -> None:
        self.source = source
        self.path = path
        self._values = dict(values)
        self._asked: list[str] = []

    def fail(self, key: str | None, message: str) -> NoReturn:
        """Refuse a key, or the whole table.

        Raises:
            ConfigurationError: always.
        """
        where = self.path if key is None else (*self.path, key)
        self.source.fail(where, message)

    def has(self, key: str) -> bool:
        """Whether a key is set."""
        return key in self._values

    def get(self, key: str, convert: Callable[[Any], T], default: D) -> T | D:
        """A value, converted; the default where it is not set."""
        self._asked.append(key)
        if key not in self._values:
            return default
        try:
            return convert(self._values[key])
        except ConfigurationError:
            raise
        except IpsecbenchError as error:
            self.fail(key, str(error))

    def require(self, key: str, convert: Callable[[Any], T]) -> T:
        """A value that must be there."""
        if key not in self._values:
            self.fail(None, f"'{key}' is missing")
        value: T = self.get(key, convert, None)  # type: ignore[assignment]
        return value

    def table(self, key: str) -> Table:
        """A table below; empty where it is not there."""
        self._asked.append(key)
        values = self._values.get(key, {})
        if not isinstance(values, dict):
            self.fail(key, f"'{key}' must be a table")
        return Table(self.source, (*self.path, key), values)

    def tables(self, key: str) -> list[tuple[str, Table]]:
        """Tables below by name."""
        holder = self.table(key)
        found = []
        for name, values in holder._values.items():
            if not isinstance(values, dict):
                holder.fail(name, f"'{name}' must be a table")
            found.append((name, Table(self.source, (*holder.path, name), values)))
        return found

    def list_of_tables(self, key: str) -> list[Table]:
        """Tables of an array, written ``[[key]]``; none where it is not there."""
        self._asked.append(key)
        values = self._values.get(key, [])
        if not isinstance(values, list) or not all(isinstance(each, dict) for each in values):
            self.fail(key, f"'{key}' must be an array of tables, written [[{key}]]")
        return [Table(self.source, (*self.path, key), each) for each in values]

    def finish(self) -> None:
        """Nothing may be left that was not asked for."""
        for key in self._values:
            if key not in self._asked:
                known = ", ".join(sorted(self._asked))
                nearest = get_close_matches(key.lower(), self._asked, n=1)
                hint = f"did you mean '{nearest[0]}'? " if nearest else ""
                self.fail(key, f"unknown key '{key}' ({hint}known here: {known})")


def text(value: Any) -> str:
    """A text."""
    if not isinstance(value, str):
        raise UsageError(f"{value!r} must be a text in quotes")
    return value


def texts(value: Any) -> tuple[str, ...]:
    """A list of texts; a single text counts as one."""
    return tuple(text(each) for each in (value if isinstance(value, list) else [value]))


def flag(value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise UsageError(f"{value!r} must be true or false")
    return value


def count(low: int, high: int) -> Callable[[Any], int]:
    """A converter to a whole number within bounds."""

    def convert(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise UsageError(f"{value!r} must be a whole number from {low} to {high}")
        return value

    return convert


def duration(value: Any) -> float:
    """Seconds, from a number or a text such as ``90s``, ``15m``, ``4h``, ``1d``."""
    match = _DURATION.match(str(value)) if isinstance(value, str | int | float) else None
    if match is None or isinstance(value, bool):
        raise UsageError(f'{value!r} must be a time such as 3600, "90s", "4h"')
    return float(match[1]) * _SECONDS[match[2]]


def one_of(kind: Callable[[str], T], names: Sequence[str]) -> Callable[[Any], T]:
    """A converter to one of a few words."""

    def convert(value: Any) -> T:
        if value not in names:
            raise UsageError(f"{value!r} must be one of {', '.join(names)}")
        return kind(value)

    return convert
