"""The parts of a script's answer: each begins after a word that only we and the script know.

Before the first part there may be whatever login shells say. What a part holds cannot be taken for another part unless
the shell itself lies, and then nothing that it says can be believed anyway.
"""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Mapping
from functools import cache
from importlib import resources

from ipsecbench.errors import RemoteError
from ipsecbench.remote.connection import Connection

END = "end"
_MOST_PARTS = 20_000


@cache
def script_text(name: str) -> str:
    """One of the scripts that come with the program."""
    return (resources.files("ipsecbench.remote") / "scripts" / f"{name}.sh").read_text(encoding="utf-8")


def ask(
    connection: Connection,
    name: str,
    *arguments: str,
    variables: Mapping[str, str] | None = None,
    limit_bytes: int = 1 << 20,
    timeout: float = 60.0,
    again: bool = True,
) -> list[tuple[str, bytes]]:
    """Run a script on the box.

    Args:
        connection: the way to it.
        name: of :func:`script_text`.
        arguments: of the script, after the word.
        variables: of the script's shell.
        limit_bytes: most octets that are read.
        timeout: seconds to wait.
        again: reconnect and run it again when the connection was lost.

    Returns:
        The parts: their titles and what they hold.

    Raises:
        RemoteError: it did not end well, or cannot be reached.
    """
    mark = secrets.token_hex(12)
    settings = "".join(f"{key}={shlex.quote(value)}\n" for key, value in (variables or {}).items())
    # One compound command is read whole before any of it runs, so that nothing in it can read the rest as its input.
    text = f"{{\n{settings}{script_text(name)}\n}} </dev/null 2>/dev/null\n"
    words = " ".join(shlex.quote(argument) for argument in (mark, *arguments))
    run = connection.run if again else connection.run_once
    # The script is the shell's input, so that any login shell can start it.
    reply = run(f"exec sh -s -- {words}", text.encode(), limit_bytes=limit_bytes, timeout=timeout)
    parts = split_parts(reply.output, mark)
    if not parts or parts[-1][0] != END:
        said = f": {reply.said}" if reply.said else ""
        raise RemoteError(f"{connection.host}: its shell did not run a script to the end (status {reply.status}){said}")
    return parts[:-1]


def split_parts(output: bytes, mark: str) -> list[tuple[str, bytes]]:
    """The parts of an output; titles are printable ASCII, and what is none is left out."""
    found = []
    for piece in output.split(f"\n{mark} ".encode())[1 : _MOST_PARTS + 1]:
        title, _, body = piece.partition(b"\n")
        text = title.decode("ascii", "replace")
        if text.isprintable() and "\ufffd" not in text:
            found.append((text, body))
    return found
