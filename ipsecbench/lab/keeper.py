"""The process that a standing laboratory lives in: it makes it, says that it stands, and takes orders until its end."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ipsecbench.errors import IpsecbenchError, LaboratoryError
from ipsecbench.ike.key_log import TABLES
from ipsecbench.lab import enclosure
from ipsecbench.lab.arrangement import Arrangement
from ipsecbench.lab.endpoint_file import EndpointFile
from ipsecbench.lab.laboratory import Laboratory
from ipsecbench.lab.standing import Standing

_LONGEST_ORDER = 65536
_ORDER_SECONDS = 5.0


def start(
    standing: Standing,
    arrangement: Arrangement,
    files: tuple[EndpointFile, EndpointFile] | None,
    on_wait: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Make a laboratory that stands after this process has ended.

    To be called while the process has one thread.

    Args:
        standing: its name and folder.
        arrangement: what it is to be.
        files: configurations of A and B, or None for those of the arrangement.
        on_wait: called before the wait begins.

    Returns:
        What it said when it stood: hosts and the status of each end.

    Raises:
        LaboratoryError: the name is taken, or it could not be made, with its own words.
    """
    lock = standing.claim()
    reader, writer = os.pipe()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    process = os.fork()
    if not process:
        os.close(reader)
        _become_keeper(standing, arrangement, files, writer)
    os.close(writer)
    os.close(lock)
    on_wait()
    try:
        with os.fdopen(reader) as answers:
            line = answers.readline()
    except BaseException:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        standing.remove()
        raise
    answer = dict(json.loads(line)) if line else {"error": f"it ended at once: {_last_line(standing.log_path)}"}
    if "error" in answer:
        os.waitpid(process, 0)
        standing.remove()
        error = LaboratoryError(str(answer["error"]))
        error.exit_code = int(answer.get("code", error.exit_code))
        raise error
    return answer


def _become_keeper(
    standing: Standing, arrangement: Arrangement, files: tuple[EndpointFile, EndpointFile] | None, writer: int
) -> None:
    """In the child: leave the terminal, enter namespaces, and run the laboratory. Does not return."""
    code = 1
    try:
        os.setsid()
        _redirect(standing.log_path)
        # Its folder is in the temporary folder of outside, which is the same inside under the same name.
        enclosure.enter(inside=standing.write_note, ended=standing.remove)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        signal.signal(signal.SIGHUP, signal.default_int_handler)
        _run(standing, arrangement, files, writer)
        code = 0
    except KeyboardInterrupt:
        code = 0
    except IpsecbenchError as error:
        _say(writer, {"error": str(error), "code": error.exit_code})
        code = error.exit_code
    except BaseException as error:
        _say(writer, {"error": f"{type(error).__name__}: {error}"})
        raise
    finally:
        with contextlib.suppress(OSError):
            sys.stderr.flush()
        os._exit(code)


def _run(
    standing: Standing, arrangement: Arrangement, files: tuple[EndpointFile, EndpointFile] | None, writer: int
) -> None:
    keys = enclosure.PRIVATE_TEMPORARY / "keys"
    with Laboratory(arrangement, key_log=keys, files=files) as laboratory, _listen(standing) as control:
        laboratory.establish()
        keeper = _Keeper(laboratory, keys)
        _say(writer, keeper.status())
        os.close(writer)
        keeper.serve(control)


class _Keeper:
    """Answers orders, one at a time: whoever plays in the laboratory is one person."""

    def __init__(self, laboratory: Laboratory, keys: Path) -> None:
        self._laboratory = laboratory
        self._keys = keys
        self._since = time.time()
        self._done = False

    def serve(self, control: socket.socket) -> None:
        """Until ``down`` is ordered."""
        while not self._done:
            connection, _address = control.accept()
            with connection, contextlib.suppress(OSError):
                connection.settimeout(_ORDER_SECONDS)
                connection.sendall(json.dumps(self._answer(connection)).encode() + b"\n")

    def _answer(self, connection: socket.socket) -> dict[str, Any]:
        data = b""
        try:
            while not data.endswith(b"\n") and len(data) < _LONGEST_ORDER:
                more = connection.recv(4096)
                if not more:
                    break
                data += more
            order = json.loads(data)
            return self._carry_out(str(order["order"]))
        except (ValueError, KeyError, TypeError):
            return {"error": "that is no order"}
        except IpsecbenchError as error:
            return {"error": str(error)}

    def _carry_out(self, order: str) -> dict[str, Any]:
        match order:
            case "status":
                return self.status()
            case "keys":
                return {"keys": self._key_lines()}
            case "log":
                return {side: end.log for side, end in self._laboratory.ends.items()}
            case "down":
                self._done = True
                return {"down": True}
            case _:
                raise LaboratoryError(f"the laboratory knows no order {order!r}")

    def status(self) -> dict[str, Any]:
        """Hosts and ends."""
        laboratory = self._laboratory
        hosts = {side: laboratory.host(side).name for side in laboratory.ends}
        return {
            "hosts": hosts,
            "devices": {side: end.device for side, end in laboratory.ends.items()},
            "since": self._since,
            "ends": {side: status.to_dict() for side, status in laboratory.status().items()},
        }

    def _key_lines(self) -> dict[str, list[str]]:
        """Wireshark's tables; both ends have the same keys, so that each line is given once."""
        found: dict[str, dict[str, None]] = {table: {} for table in TABLES}
        for table in TABLES:
            for path in sorted(self._keys.glob(f"*/{table}")):
                found[table].update(dict.fromkeys(path.read_text().splitlines()))
        return {table: list(lines) for table, lines in found.items()}


def _listen(standing: Standing) -> socket.socket:
    control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        control.bind(str(standing.control_path))
        control.listen(8)
    except OSError as error:
        control.close()
        raise LaboratoryError(f"{standing.control_path}: {error.strerror}") from error
    return control


def _redirect(log: Path) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(nothing, 0)
    os.dup2(written, 1)
    os.dup2(written, 2)
    os.close(nothing)
    os.close(written)


def _say(writer: int, answer: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):
        os.write(writer, json.dumps(answer).encode() + b"\n")


def _last_line(path: Path) -> str:
    with contextlib.suppress(OSError):
        lines = path.read_text(errors="replace").splitlines()
        return lines[-1] if lines else "nothing was logged"
    return "nothing was logged"
