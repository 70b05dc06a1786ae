"""A telnet daemon for the article's example: it greets, says who came from where, and echoes lines (RFC 854).

It negotiates nothing: every option that a client asks for is refused, as RFC 854 allows. Runs in a host as a process::

    python -m ipsecbench.lab.telnet ADDRESS
"""

from __future__ import annotations

import argparse
import contextlib
import socket
import sys
import threading
from enum import Enum, auto

PORT = 23
GREETING = b"ipsecbench telnet: what you read came through ESP\r\nlogin: "
_IAC, _DONT, _DO, _WONT, _WILL, _SB, _SE = 255, 254, 253, 252, 251, 250, 240
_LONGEST_LINE = 512
_SESSIONS = 8
_SESSION_SECONDS = 300.0


class _State(Enum):
    """Where in the stream of octets a session is."""

    TEXT = auto()
    COMMAND = auto()
    """After IAC."""
    OPTION = auto()
    """After IAC and DO, DONT, WILL or WONT."""
    SUBNEGOTIATION = auto()
    """Within one that nobody asked for."""
    SUBNEGOTIATION_COMMAND = auto()
    """After IAC within one."""


class Session:
    """What a client sends becomes lines and answers to its options; without I/O."""

    def __init__(self) -> None:
        self._line = bytearray()
        self._state = _State.TEXT
        self._verb = 0

    def receive(self, data: bytes) -> bytes:
        """Take octets, and give those to send back: refusals of options, and each line once it is complete."""
        return b"".join(map(self._take, data))

    def _take(self, octet: int) -> bytes:
        match self._state:
            case _State.TEXT:
                return self._text(octet)
            case _State.COMMAND:
                return self._command(octet)
            case _State.OPTION:
                self._state = _State.TEXT
                refusal = {_DO: _WONT, _WILL: _DONT}.get(self._verb)
                return bytes([_IAC, refusal, octet]) if refusal else b""
            case _State.SUBNEGOTIATION:
                if octet == _IAC:
                    self._state = _State.SUBNEGOTIATION_COMMAND
            case _State.SUBNEGOTIATION_COMMAND:
                self._state = _State.TEXT if octet == _SE else _State.SUBNEGOTIATION
        return b""

    def _text(self, octet: int) -> bytes:
        if octet == _IAC:
            self._state = _State.COMMAND
        elif octet == ord("\n"):
            line, self._line = bytes(self._line), bytearray()
            return b"you said: " + line + b"\r\n"
        elif octet not in b"\r\0" and len(self._line) < _LONGEST_LINE:
            self._line.append(octet)
        return b""

    def _command(self, octet: int) -> bytes:
        self._verb = octet
        if octet in (_DO, _DONT, _WILL, _WONT):
            self._state = _State.OPTION
        elif octet == _SB:
            self._state = _State.SUBNEGOTIATION
        else:  # a command without an option, or the octet 255 itself, which no line of text has
            self._state = _State.TEXT
        return b""


def serve(address: str, port: int) -> None:
    """Listen for ever."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    places = threading.BoundedSemaphore(_SESSIONS)
    with socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(_SESSIONS)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            connection, client = listener.accept()
            if places.acquire(blocking=False):
                threading.Thread(target=_attend, args=(connection, client[0], places), daemon=True).start()
            else:
                connection.close()


def _attend(connection: socket.socket, client: str, places: threading.BoundedSemaphore) -> None:
    session = Session()
    with connection, contextlib.suppress(OSError):
        connection.settimeout(_SESSION_SECONDS)
        connection.sendall(f"you come from {client}\r\n".encode() + GREETING)
        while data := connection.recv(4096):
            connection.sendall(session.receive(data))
    places.release()


def main() -> None:
    """Run one until it is killed."""
    parser = argparse.ArgumentParser(prog="telnet")
    parser.add_argument("address")
    parser.add_argument("--port", type=int, default=PORT)
    words = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        serve(words.address, words.port)


if __name__ == "__main__":
    main()
