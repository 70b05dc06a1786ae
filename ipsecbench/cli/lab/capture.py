"""``ipsecbench lab capture``: what passes a host, outside and inside, with the keys that open it."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from ipsecbench.cli import options as option
from ipsecbench.cli.lab import options as lab_option

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_POLL_SECONDS = 0.02
_LONGEST_BYTES = 256 << 20
_PREFERENCES = "esp.enable_encryption_decode: TRUE\nesp.enable_authentication_check: TRUE\n"


def lab_capture(
    seconds: Annotated[float, typer.Option("--seconds", min=0.1, max=3600.0, help="How long; Ctrl-C ends it.")] = 10.0,
    side: Annotated[str, typer.Option("--side", metavar="A|B", help="In which host.")] = "A",
    keys: Annotated[
        bool, typer.Option("--keys", help="Write the keys beside it, for Wireshark to decrypt (mode 0600).")
    ] = False,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="Where to.")] = Path("lab.pcapng"),
    force: option.Force = False,
    name: lab_option.Name = "lab",
    quiet: option.Quiet = False,
) -> None:
    """Capture both the interface to the other host and the device that the SA's traffic goes through."""
    from ipsecbench.errors import UsageError
    from ipsecbench.lab.standing import Standing

    standing = Standing(name)
    inside = standing.note().inside
    status = standing.ask("status")
    if side not in status["hosts"]:
        raise UsageError(f"there is no host {side!r}: it is one of {', '.join(status['hosts'])}")
    folder = output.with_name(f"{output.name}.keys")
    tables = _Tables(folder, force) if keys else None
    with os.fdopen(_open(output, force), "wb") as file:
        if not quiet:
            typer.echo(f"Capturing at {side} for {seconds:g} s; Ctrl-C ends it.", err=True)
        counts = _capture_inside(inside, status["hosts"][side], status["devices"][side], seconds, file)
    if tables is not None:
        tables.write(standing.ask("keys")["keys"])
    if not quiet:
        shown = ", ".join(f"{count} packets of {interface}" for interface, count in counts.items())
        typer.echo(f"Saved {output}: {shown}", err=True)
        if tables is not None:
            typer.echo(f"Keys in {folder}; to look at it:  XDG_CONFIG_HOME={folder} wireshark {output}", err=True)


class _Tables:
    """Wireshark's tables, in a folder that serves as XDG_CONFIG_HOME."""

    def __init__(self, folder: Path, force: bool) -> None:
        from ipsecbench.ike.key_log import TABLES

        self._descriptors = {}
        try:
            (folder / "wireshark").mkdir(mode=0o700, parents=True, exist_ok=force)
            folder.chmod(0o700)
        except OSError as error:
            _refuse(folder, error)
        for name in (*TABLES, "preferences"):
            self._descriptors[name] = _open(folder / "wireshark" / name, force)

    def write(self, tables: Mapping[str, Sequence[str]]) -> None:
        """Write and close them."""
        for name, descriptor in self._descriptors.items():
            with os.fdopen(descriptor, "w") as file:
                file.write(_PREFERENCES if name == "preferences" else "".join(f"{line}\n" for line in tables[name]))


def _open(path: Path, force: bool) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | (os.O_TRUNC if force else os.O_EXCL)
    try:
        return os.open(path, flags, 0o600)
    except OSError as error:
        _refuse(path, error)
    raise AssertionError("not reached")


def _refuse(path: Path, error: OSError) -> None:
    from ipsecbench.errors import UsageError

    if isinstance(error, FileExistsError):
        raise UsageError(f"{path} exists; choose another --output, or replace it with --force") from error
    raise UsageError(f"{path}: {error.strerror}") from error


def _capture_inside(inside: int, host: str, device: str, seconds: float, file: BinaryIO) -> dict[str, int]:
    """Capture in a child, which enters the laboratory; this process stays outside, where the laboratory is noted."""
    from ipsecbench.errors import IpsecbenchError, LaboratoryError

    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        try:
            answer: dict[str, Any] = {"counts": _capture(inside, host, device, seconds, file)}
        except (IpsecbenchError, OSError) as error:
            answer = {"error": str(error)}
        os.write(writer, json.dumps(answer).encode())
        os._exit(0)
    os.close(writer)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the capture, not the writing of it
    try:
        with os.fdopen(reader) as answers:
            said = json.loads(answers.read() or '{"error": "the capture was killed"}')
        os.waitpid(child, 0)
    finally:
        signal.signal(signal.SIGINT, before)
    if "error" in said:
        raise LaboratoryError(said["error"])
    return dict(said["counts"])


def _capture(inside: int, host: str, device: str, seconds: float, file: BinaryIO) -> dict[str, int]:
    from contextlib import ExitStack, suppress

    from ipsecbench.lab.capture import Capture, pcapng
    from ipsecbench.lab.enclosure import join
    from ipsecbench.lab.namespaces import Host

    join(inside)
    interfaces = ["eth0", *([device] if device else [])]
    with ExitStack() as stack:
        captures = {name: stack.enter_context(Capture(Host(host, "", "", "", ""), name)) for name in interfaces}
        deadline = time.monotonic() + seconds
        with suppress(KeyboardInterrupt):
            while time.monotonic() < deadline and sum(each.held_bytes for each in captures.values()) < _LONGEST_BYTES:
                time.sleep(_POLL_SECONDS)
                for each in captures.values():
                    each.drain()
        packets = {name: capture.timed_packets() for name, capture in captures.items()}
    file.write(pcapng(packets))
    file.flush()
    return {name: len(rows) for name, rows in packets.items()}
