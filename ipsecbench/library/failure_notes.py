"""Notes that a fleet's run leaves of boxes that gave no dataset: one JSON file for each, see docs/fleet.md."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ipsecbench.dataset.strict_json import parse_json
from ipsecbench.errors import DatasetError

SUFFIX = ".failure.json"
"""How the name of a note ends."""
FORMAT = "ipsecbench failure"
"""Value of the field ``format`` of every note."""
VERSION = 1
OUTCOMES = ("failed", "skipped")
LARGEST_BYTES = 65536
_LONGEST_TEXT = 2000


@dataclass(frozen=True, slots=True)
class FailureNote:
    """Why a box was not measured."""

    host: str
    """The box, as the fleet calls it."""
    when: datetime
    """When that was found."""
    outcome: str
    """``failed``, or ``skipped`` where it was left alone on purpose, such as a busy one."""
    stage: str
    """What was being done: ``window``, ``reach``, ``load``, ``uptime`` or ``measure``."""
    reason: str
    """Why, in one line."""


def read_note(content: bytes) -> FailureNote:
    """The note that a file holds.

    Raises:
        DatasetError: it is none, or damaged.
    """
    if len(content) > LARGEST_BYTES:
        raise DatasetError(f"larger than {LARGEST_BYTES // 1024} KiB, which no failure note is")
    try:
        document = parse_json(content.decode("utf-8"), is_unique=True)
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"a failure note that is not JSON, or cut short: {str(error)[:200]}") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise DatasetError(f"no failure note: its format is not {FORMAT!r}")
    if document.get("version") != VERSION:
        raise DatasetError(f"a failure note of another version than {VERSION}: update ipsecbench")
    outcome = _text(document, "outcome")
    if outcome not in OUTCOMES:
        raise DatasetError("a failure note whose outcome is neither failed nor skipped")
    return FailureNote(
        _text(document, "host"), _time(document), outcome, _text(document, "stage"), _text(document, "reason")
    )


def _text(document: dict[str, Any], key: str) -> str:
    value = document.get(key)
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST_TEXT:
        raise DatasetError(f"a failure note whose field {key!r} is no text of at most {_LONGEST_TEXT} characters")
    return value


def _time(document: dict[str, Any]) -> datetime:
    when = moment(_text(document, "when"))
    if when is None:
        raise DatasetError("a failure note whose field 'when' is no time, such as 2026-11-27T21:55:00Z")
    return when


def moment(text: str) -> datetime | None:
    """A time of ISO 8601, in UTC where it does not say; None where it is none."""
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
