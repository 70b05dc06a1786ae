"""The article's example: telnet, which protects nothing by itself, through ESP; in clear it gets no answer."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator

from ipsecbench.dataplane.esp_sockets import OWN_MARK
from ipsecbench.errors import LaboratoryError
from ipsecbench.lab import telnet
from ipsecbench.lab.capture import Capture
from ipsecbench.lab.scenarios.model import Run
from ipsecbench.lab.wire_view import Sort, look

_SECONDS = 3.0
_CLEAR_SECONDS = 1.0
_SAID = b"show version\r\n"


@contextlib.contextmanager
def _daemon(run: Run) -> Iterator[str]:
    """The daemon at B; gives its address."""
    address = run.arrangement.outer_address(run.laboratory.host("B"))
    process = run.laboratory.host("B").start(
        sys.executable, "-m", "ipsecbench.lab.telnet", address, output=subprocess.PIPE
    )
    try:
        if process.stdout is None or process.stdout.readline() != b"ready\n":
            raise LaboratoryError("the telnet daemon did not start")
        yield address
    finally:
        process.kill()
        process.communicate()


def telnet_through_the_sa(run: Run) -> None:
    """A session from A to B: the daemon greets and answers, and on the way there is ESP only."""
    first = run.laboratory.host("A")
    with _daemon(run) as address, Capture(first) as capture:
        said = b""
        try:
            with first.call(lambda: socket.create_connection((address, telnet.PORT), _SECONDS)) as client:
                client.settimeout(_SECONDS)
                while not said.endswith(telnet.GREETING):
                    said += _received(client)
                client.sendall(_SAID)
                said += _received(client)
        except OSError as error:
            run.check("a telnet session goes through the SA", False, error)
            return
        packets = capture.packets()
    run.check("a telnet session goes through the SA", said.endswith(b"you said: show version\r\n"), _last_line(said))
    seen = look(packets)
    clear = [packet for packet in seen if packet.sort is Sort.CLEAR]
    run.check("nothing of it passes in clear", not clear, f"{sum(packet.is_esp for packet in seen)} packets of ESP")
    readable = any(word in packet for packet in packets for word in (b"login", b"version"))
    run.check("nobody on the way can read it", not readable, "'login' and 'version' are not to be found")


def telnet_in_clear(run: Run) -> None:
    """The same daemon, tried past the SA: the connection attempt leaves A in clear, and no answer comes."""
    first = run.laboratory.host("A")
    before = _refused(run)

    def attempt() -> str:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, OWN_MARK)  # goes around the data plane
            client.settimeout(_CLEAR_SECONDS)
            try:
                client.connect((address, telnet.PORT))
            except TimeoutError:
                return "no answer"
            except OSError as error:
                return f"an answer: {error.strerror}"
            return "a connection"

    with _daemon(run) as address, Capture(first) as capture:
        came = first.call(attempt)
        seen = look(capture.packets())
    here = run.arrangement.outer_address(first)
    sent = sum(packet.sort is Sort.CLEAR and packet.source == here for packet in seen)
    back = sum(packet.sort is Sort.CLEAR and packet.source != here for packet in seen)
    run.check("a connection attempt in clear leaves A", sent > 0, f"{sent} packets")
    run.check("and gets no answer", came == "no answer" and not back, f"{came}, {back} packets came back")
    counted = _refused(run) - before
    run.check("B has counted what it refused", counted >= sent > 0, f"{counted} dropped")


def _refused(run: Run) -> int:
    return run.laboratory.b.status().dropped.get("XfrmInTmplMismatch", 0)


def _received(client: socket.socket) -> bytes:
    data = client.recv(1000)
    if not data:
        raise ConnectionError("the daemon ended the session")
    return data


def _last_line(said: bytes) -> str:
    return said.decode(errors="replace").strip().splitlines()[-1] if said.strip() else "nothing"


TELNET = (telnet_through_the_sa, telnet_in_clear)
"""Both."""
