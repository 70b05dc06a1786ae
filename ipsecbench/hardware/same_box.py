"""Whether two descriptions of boxes have the same processor."""

from __future__ import annotations

from typing import Any


def other_processor(there: Any, here: Any) -> tuple[str, str] | None:
    """The processors of two boxes where they are not the same; None where they are.

    Args:
        there: ``environment.hardware`` of a dataset.
        here: the same of this box.
    """
    one, other = _processor(there), _processor(here)
    return None if one == other else (str(one[0]), str(other[0]))


def _processor(hardware: Any) -> tuple[Any, Any]:
    cpu = hardware.get("cpu", {}) if isinstance(hardware, dict) else {}
    return cpu.get("model"), cpu.get("architecture")
