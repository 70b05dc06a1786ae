"""VICI, the control protocol of strongSwan's daemon: requests and the events that they stream.

A message is a tree of sections, lists and values. Here it is a ``dict`` whose values are ``str``, ``bytes``, lists of
those, or further ``dict``; what comes back is decoded the same way, with every value as ``str``.

The protocol is described in strongSwan's README of its vici plugin. Each call is bounded by the timeout of the
connection.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from ipsecbench.errors import LaboratoryError

Value: TypeAlias = "str | bytes | int | bool"
Section: TypeAlias = Mapping[str, Any]
"""Names to :data:`Value`, to a sequence of them, or to a further section."""

_LONGEST_MESSAGE = 512 * 1024

_SECTION_START, _SECTION_END, _KEY_VALUE, _LIST_START, _LIST_ITEM, _LIST_END = 1, 2, 3, 4, 5, 6
_REQUEST, _RESPONSE, _UNKNOWN_COMMAND = 0, 1, 2
_REGISTER, _UNREGISTER, _CONFIRMED, _UNKNOWN_EVENT, _EVENT = 3, 4, 5, 6, 7


class Vici:
    """A connection to one daemon."""

    def __init__(self, path: Path, timeout_seconds: float = 10.0) -> None:
        """Connect.

        Raises:
            OSError: nobody listens (the daemon is not ready yet).
        """
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        self._timeout_seconds = timeout_seconds
        self.broken = False
        """Whether an answer did not come: the connection cannot be used any more."""
        self._socket.settimeout(timeout_seconds)
        try:
            self._socket.connect(str(path))
        except OSError:
            self._socket.close()
            raise

    def close(self) -> None:
        """End the connection."""
        self._socket.close()

    def request(self, command: str, message: Section | None = None) -> dict[str, Any]:
        """One command and its answer.

        Raises:
            LaboratoryError: the daemon refused; the message is its own.
        """
        self._send(_REQUEST, command, message)
        return self._answer(command)

    def stream(
        self, command: str, event: str, message: Section | None = None, *, timeout_seconds: float = 0.0
    ) -> list[dict[str, Any]]:
        """One command and the events that it streams until its answer comes.

        Args:
            command: the command.
            event: name of the events.
            message: of the command.
            timeout_seconds: how much longer than others the command may take.

        Raises:
            LaboratoryError: the daemon refused; the message is its own.
        """
        self._send(_REGISTER, event)
        if self._receive()[0] != _CONFIRMED:
            raise LaboratoryError(f"strongSwan knows no event '{event}'")
        self._send(_REQUEST, command, message)
        self._socket.settimeout(self._timeout_seconds + timeout_seconds)
        events = []
        kind, body = self._receive()
        while kind == _EVENT:
            events.append(decode(body[1 + body[0] :]))
            kind, body = self._receive()
        self._socket.settimeout(self._timeout_seconds)
        self._send(_UNREGISTER, event)
        while (confirmation := self._receive()[0]) == _EVENT:
            pass
        if confirmation != _CONFIRMED:
            raise LaboratoryError(f"strongSwan did not end the events '{event}'")
        _check(command, kind, body)
        return events

    def _answer(self, command: str) -> dict[str, Any]:
        kind, body = self._receive()
        return _check(command, kind, body)

    def _send(self, kind: int, name: str, message: Section | None = None) -> None:
        packet = struct.pack("!BB", kind, len(name)) + name.encode() + encode(message or {})
        try:
            self._socket.sendall(struct.pack("!I", len(packet)) + packet)
        except OSError as error:
            self.broken = True
            raise LaboratoryError(f"strongSwan took no command '{name}': {error}") from error

    def _receive(self) -> tuple[int, bytes]:
        (length,) = struct.unpack("!I", self._exactly(4))
        if not 1 <= length <= _LONGEST_MESSAGE:
            raise LaboratoryError(f"strongSwan announced a message of {length} bytes")
        packet = self._exactly(length)
        return packet[0], packet[1:]

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            try:
                more = self._socket.recv(count - len(data))
            except OSError as error:
                self.broken = True
                raise LaboratoryError(f"strongSwan did not answer: {error}") from error
            if not more:
                self.broken = True
                raise LaboratoryError("strongSwan ended the connection")
            data += more
        return data


def _check(command: str, kind: int, body: bytes) -> dict[str, Any]:
    if kind == _UNKNOWN_COMMAND:
        raise LaboratoryError(f"strongSwan knows no command '{command}'")
    if kind != _RESPONSE:
        raise LaboratoryError(f"strongSwan answered '{command}' with a packet of type {kind}")
    answer = decode(body)
    if answer.get("success", "yes") != "yes":
        raise LaboratoryError(f"strongSwan refused '{command}': {answer.get('errmsg', 'no reason given')}")
    return answer


def encode(message: Section) -> bytes:
    """A message as octets."""
    parts: list[bytes] = []
    for name, value in message.items():
        key = struct.pack("!B", len(name.encode())) + name.encode()
        if isinstance(value, Mapping):
            parts += [bytes([_SECTION_START]), key, encode(value), bytes([_SECTION_END])]
        elif isinstance(value, list | tuple):
            items = [struct.pack("!BH", _LIST_ITEM, len(octets)) + octets for octets in map(_octets, value)]
            parts += [bytes([_LIST_START]), key, *items, bytes([_LIST_END])]
        else:
            octets = _octets(value)
            parts += [bytes([_KEY_VALUE]), key, struct.pack("!H", len(octets)), octets]
    return b"".join(parts)


def _octets(value: Value) -> bytes:
    if isinstance(value, bool):
        return b"yes" if value else b"no"
    return value if isinstance(value, bytes) else str(value).encode()


def decode(data: bytes) -> dict[str, Any]:
    """Octets as a message.

    Raises:
        LaboratoryError: they are none.
    """
    try:
        message, end = _decode_section(data, 0)
    except (IndexError, struct.error) as error:
        raise LaboratoryError("strongSwan sent a message that is cut short") from error
    if end != len(data):
        raise LaboratoryError("strongSwan sent a message with too many section ends")
    return message


def _decode_section(data: bytes, position: int) -> tuple[dict[str, Any], int]:
    section: dict[str, Any] = {}
    while position < len(data) and data[position] != _SECTION_END:
        kind = data[position]
        name_end = position + 2 + data[position + 1]
        name = data[position + 2 : name_end].decode(errors="replace")
        if kind == _SECTION_START:
            section[name], position = _decode_section(data, name_end)
            position += 1
        elif kind == _KEY_VALUE:
            section[name], position = _decode_value(data, name_end)
        elif kind == _LIST_START:
            items: list[str] = []
            position = name_end
            while data[position] == _LIST_ITEM:
                item, position = _decode_value(data, position + 1)
                items.append(item)
            section[name] = items
            position += 1
        else:
            raise LaboratoryError(f"strongSwan sent an element of type {kind}")
    return section, position


def _decode_value(data: bytes, position: int) -> tuple[str, int]:
    (length,) = struct.unpack_from("!H", data, position)
    return data[position + 2 : position + 2 + length].decode(errors="replace"), position + 2 + length
