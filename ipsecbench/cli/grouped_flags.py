"""Flags that several commands share, given to each of them in the place of one parameter."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any


def with_flags(
    command: Callable[..., None],
    kind: type,
    flags: Sequence[inspect.Parameter],
    made: Callable[[dict[str, Any]], object],
) -> Callable[..., None]:
    """A command with flags instead of one parameter.

    Args:
        command: it has one parameter whose annotation is ``kind``.
        kind: what the command wants to be given.
        flags: what the command line has instead, in the order of ``--help``.
        made: what the command is given, from the flags by their names.
    """
    own = inspect.signature(command, eval_str=True).parameters
    (place,) = (name for name, parameter in own.items() if parameter.annotation is kind)
    parameters: list[inspect.Parameter] = []
    for name, parameter in own.items():
        added = flags if name == place else [parameter]
        parameters += [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in added]

    @functools.wraps(command)
    def called(**given: Any) -> None:
        values = {flag.name: given.pop(flag.name) for flag in flags}
        command(**given, **{place: made(values)})

    # typer reads both: the signature for names and defaults, the annotations for types.
    called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    called.__annotations__ = {one.name: one.annotation for one in parameters}
    return called
