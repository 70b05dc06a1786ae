"""A relay in userspace between two interfaces: it delays, reorders, doubles and loses frames, each way by itself.

Runs as a process of its own in a namespace between two hosts, for kernels without netem::

    python -m ipsecbench.lab.relay --delay-ms 5 --reorder-percent 1

The frames travel with their virtio_net_hdr, so that large segments and unfinished checksums, which the kernel leaves
to the network card that it believes to be there, arrive as they left. It says ``ready`` when it relays, and holds at
most :data:`LONGEST_QUEUE` frames; what comes on top is lost, as in any router.
"""

from __future__ import annotations

import argparse
import contextlib
import heapq
import random
import selectors
import socket
import sys
import time
from dataclasses import dataclass

from ipsecbench.lab.impairment import Impairment

LONGEST_QUEUE = 20_000
"""Frames that are on their way at once, both ways together."""
_ETH_P_ALL = 3
_SOL_PACKET = 263
_PACKET_VNET_HDR = 15
_PACKET_IGNORE_OUTGOING = 23
_BUFFER_BYTES = 4 << 20
_LONGEST_FRAME = 65536 + 64
_BURST = 64


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one frame."""

    copies: int
    """0: it is lost."""
    delay_seconds: float
    """How long it takes."""


def decide(impairment: Impairment, chance: random.Random) -> Fate:
    """Draw the fate of a frame."""
    if chance.random() * 100 < impairment.loss_percent:
        return Fate(0, 0.0)
    copies = 2 if chance.random() * 100 < impairment.duplicate_percent else 1
    overtakes = chance.random() * 100 < impairment.reorder_percent
    return Fate(copies, 0.0 if overtakes else impairment.delay_ms / 1000)


class Relay:
    """Frames between two interfaces of the namespace that it is made in."""

    def __init__(self, left: str, right: str, impairment: Impairment, seed: int) -> None:
        """
        Raises:
            OSError: an interface is not there, or the right to open it is missing.
        """
        self._impairment = impairment
        self._chance = random.Random(seed)  # noqa: S311  no secret
        self._queue: list[tuple[float, int, socket.socket, bytes]] = []
        self._number = 0
        ends = [_open(name) for name in (left, right)]
        self._other = {ends[0]: ends[1], ends[1]: ends[0]}
        self._selector = selectors.DefaultSelector()
        for end in ends:
            self._selector.register(end, selectors.EVENT_READ)

    def run(self) -> None:
        """Relay for ever."""
        while True:
            wait = max(0.0, self._queue[0][0] - time.monotonic()) if self._queue else None
            for key, _events in self._selector.select(wait):
                self._receive(key.fileobj)  # type: ignore[arg-type]
            self._send_due()

    def _receive(self, end: socket.socket) -> None:
        for _ in range(_BURST):
            try:
                frame = end.recv(_LONGEST_FRAME)
            except BlockingIOError:
                return
            fate = decide(self._impairment, self._chance)
            for _copy in range(fate.copies):
                if len(self._queue) < LONGEST_QUEUE:
                    self._number += 1
                    due = time.monotonic() + fate.delay_seconds
                    heapq.heappush(self._queue, (due, self._number, self._other[end], frame))

    def _send_due(self) -> None:
        now = time.monotonic()
        while self._queue and self._queue[0][0] <= now:
            _due, _number, end, frame = heapq.heappop(self._queue)
            with contextlib.suppress(OSError):  # a full queue of the device, or a link that is down: the frame is lost
                end.send(frame)


def _open(interface: str) -> socket.socket:
    opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
    opened.setsockopt(_SOL_PACKET, _PACKET_VNET_HDR, 1)
    opened.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)
    opened.bind((interface, _ETH_P_ALL))
    opened.setblocking(False)
    return opened


def arguments(impairment: Impairment, seed: int = 0) -> list[str]:
    """The command line of a relay."""
    words = [sys.executable, "-m", "ipsecbench.lab.relay", "--seed", str(seed)]
    for name in _SHARES:
        words += [f"--{name.replace('_', '-')}", str(getattr(impairment, name))]
    return words


_SHARES = ("loss_percent", "delay_ms", "reorder_percent", "duplicate_percent")


def main() -> None:
    """Run one until it is killed."""
    parser = argparse.ArgumentParser(prog="relay")
    parser.add_argument("--left", default="left")
    parser.add_argument("--right", default="right")
    parser.add_argument("--seed", type=int, default=0)
    for name in _SHARES:
        parser.add_argument(f"--{name.replace('_', '-')}", type=float, default=0.0)
    words = parser.parse_args()
    impairment = Impairment(**{name: getattr(words, name) for name in _SHARES})
    relay = Relay(words.left, words.right, impairment, words.seed)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    with contextlib.suppress(KeyboardInterrupt):
        relay.run()


if __name__ == "__main__":
    main()
