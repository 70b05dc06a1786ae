"""Capture what passes a host's interface, and let tshark decrypt it with a key log.

Wireshark reads keys from three tables in its configuration folder: ``ikev1_decryption_table``,
``ikev2_decryption_table`` and ``esp_sa``. The folder made here is private and lives for one call.
"""

from __future__ import annotations

import os
import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from ipsecbench.errors import LaboratoryError
from ipsecbench.lab.namespaces import Host, private_folder

TABLES = ("ikev1_decryption_table", "ikev2_decryption_table", "esp_sa")

_ETH_P_ALL = 3
_LINKTYPE_RAW = 101
_RECEIVE_BUFFER_BYTES = 32 << 20
_LONGEST_PACKET = 65535
_SO_TIMESTAMP = 29  # Linux; the socket module has no names for these
_SO_RCVBUFFORCE = 33
_TSHARK_TIMEOUT_SECONDS = 60.0


class Capture:
    """Every IP packet that enters or leaves an interface of a host, from ``with`` until it is read.

    The kernel queues the packets, so that nothing has to run meanwhile; meant for exchanges, not for a load test.
    """

    def __init__(self, host: Host, interface: str = "eth0") -> None:
        self._host = host
        self._interface = interface
        self._socket: socket.socket | None = None
        self._packets: list[tuple[float, bytes]] = []
        self.held_bytes = 0
        """Octets of the packets that have been taken from the kernel so far."""

    def __enter__(self) -> Self:
        def open_socket() -> socket.socket:
            # SOCK_DGRAM: without the Ethernet header.
            # Without a protocol until it is bound: otherwise it would take from every interface at first.
            opened = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC, 0)
            try:
                opened.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _RECEIVE_BUFFER_BYTES)
            except PermissionError:  # root of a user namespace has what everybody has
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
            opened.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMP, 1)
            opened.bind((self._interface, _ETH_P_ALL))
            opened.setblocking(False)
            return opened

        self._socket = self._host.call(open_socket)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.drain()
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def packets(self) -> list[bytes]:
        """The IP packets so far, oldest first."""
        self.drain()
        return [packet for _seconds, packet in self._packets]

    def timed_packets(self) -> list[tuple[float, bytes]]:
        """The same, each with its time in seconds since 1970."""
        self.drain()
        return list(self._packets)

    def write(self, path: Path) -> None:
        """Write the packets so far as a pcap file."""
        self.drain()
        parts = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, _LONGEST_PACKET, _LINKTYPE_RAW)]
        for seconds, packet in self._packets:
            microseconds = round((seconds % 1) * 1_000_000)
            parts += [struct.pack("<IIII", int(seconds), microseconds % 1_000_000, len(packet), len(packet)), packet]
        path.write_bytes(b"".join(parts))

    def drain(self) -> None:
        """Take from the kernel what it holds, so that its buffer does not overflow in a long capture."""
        while self._socket is not None:
            try:
                packet, ancillary, _flags, address = self._socket.recvmsg(_LONGEST_PACKET, 64)
            except BlockingIOError:
                return
            if packet and packet[0] >> 4 in {4, 6} and address[1] in {0x0800, 0x86DD}:
                stamps = [struct.unpack("ll", data) for _level, name, data in ancillary if name == _SO_TIMESTAMP]
                seconds = stamps[0][0] + stamps[0][1] / 1_000_000 if stamps else time.time()
                self._packets.append((seconds, packet))
                self.held_bytes += len(packet)


def pcapng(interfaces: Mapping[str, Sequence[tuple[float, bytes]]]) -> bytes:
    """IP packets of several interfaces as a pcapng file (draft-ietf-opsawg-pcapng), each with its time in seconds."""
    blocks = [_block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))]
    for name in interfaces:
        octets = name.encode()
        option = struct.pack("<HH", 2, len(octets)) + octets + bytes(-len(octets) % 4) + bytes(4)
        blocks.append(_block(1, struct.pack("<HHI", _LINKTYPE_RAW, 0, _LONGEST_PACKET) + option))
    rows = [
        (seconds, number, packet) for number, packets in enumerate(interfaces.values()) for seconds, packet in packets
    ]
    for seconds, number, packet in sorted(rows):
        high, low = divmod(round(seconds * 1_000_000), 1 << 32)
        head = struct.pack("<IIIII", number, high, low, len(packet), len(packet))
        blocks.append(_block(6, head + packet + bytes(-len(packet) % 4)))
    return b"".join(blocks)


def _block(kind: int, body: bytes) -> bytes:
    length = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + length + body + length


def missing_prerequisite() -> str | None:
    """Why nothing can be decrypted here, or None where it can."""
    return None if shutil.which("tshark") else "no program 'tshark': install the package 'tshark'"


def dissect(
    path: Path, fields: Sequence[str], tables: Mapping[str, str], display_filter: str = ""
) -> list[dict[str, str]]:
    """Let tshark decrypt a capture.

    Args:
        path: the pcap file.
        fields: names of Wireshark's fields, as in ``isakmp.exchangetype``.
        tables: table (of :data:`TABLES`) → its lines.
        display_filter: which packets; empty for all.

    Returns:
        One dictionary per packet; several values of a field are joined by ``,``; empty where there is none.

    Raises:
        LaboratoryError: there is no tshark, or it refuses the file or a line of a table.
    """
    if reason := missing_prerequisite():
        raise LaboratoryError(reason)
    folder = private_folder()
    try:
        profile = folder / "wireshark"
        profile.mkdir()
        for table in TABLES:
            if table in tables:
                (profile / table).touch(mode=0o600)
                (profile / table).write_text(tables[table])
        command = ["tshark", "-n", "-r", str(path), "-T", "fields", "-E", "separator=/t", "-E", "occurrence=a"]
        for switch in ("enable_encryption_decode", "enable_authentication_check"):
            command += ["-o", f"esp.{switch}:TRUE"]
        command += [part for field in fields for part in ("-e", field)]
        command += ["-Y", display_filter] if display_filter else []
        result = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TSHARK_TIMEOUT_SECONDS,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "XDG_CONFIG_HOME": str(folder), "HOME": str(folder), "LC_ALL": "C.UTF-8"},
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise LaboratoryError(f"tshark took longer than {_TSHARK_TIMEOUT_SECONDS:.0f} s") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    complaints = [line for line in result.stderr.splitlines() if line and "could be dangerous" not in line]
    if result.returncode or complaints:
        raise LaboratoryError(f"tshark: {'; '.join(complaints) or f'exit status {result.returncode}'}")
    return [dict(zip(fields, line.split("\t"), strict=False)) for line in result.stdout.splitlines()]
