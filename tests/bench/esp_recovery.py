"""Time until packets flow: after an order to set up, and after a peer was restarted; ours and strongSwan; needs root.

A prober sends a datagram every millisecond through the tunnel, whether there is one or not, and notes which is the
first to arrive. After the restart, which the other end is told nothing of, the restarted end sets up the SAs itself
(with INITIAL_CONTACT). Pairs of ends take turns in a random order. Our ends and the prober share one Python process
here, which tests/bench/ike_setup.py does not: its times for IKE alone are shorter. Starting one of ours means a data
plane: a TUN device, an agent, and a process that keeps the routes.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from ipsecbench.lab import namespaces, strongswan
from ipsecbench.lab.namespaces import Hosts, two_hosts
from tests.bench.figures import go_before_others, heading, middle
from tests.dataplane.ends import Case
from tests.proofs.protected_pair import OURS, STRONGSWAN, ProtectedEnd, protected_end

PORT = 5997
CASE = Case(esp="aes128gcm16", encap=True)
_LONGEST_SECONDS = 20.0


class Prober:
    """A datagram every millisecond from the first host to the second, from ``with`` to the end of its block."""

    def __init__(self, hosts: Hosts) -> None:
        self._sender = hosts.local.udp_socket(0, hosts.local.inner_ipv4)
        self._sink = hosts.peer.udp_socket(PORT, hosts.peer.inner_ipv4)
        self._sink.settimeout(_LONGEST_SECONDS)
        self._destination = (hosts.peer.inner_ipv4, PORT)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._send)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        self._sender.close()
        self._sink.close()

    def _send(self) -> None:
        while not self._ended.wait(0.001):
            # A host that cannot reach the other just now says so.
            with contextlib.suppress(OSError):
                self._sender.sendto(struct.pack("!d", time.monotonic()), self._destination)

    def first_after(self, moment: float) -> float:
        """When the first datagram arrived that was sent after a moment.

        Raises:
            TimeoutError: none did.
        """
        while True:
            (sent,) = struct.unpack("!d", self._sink.recv(64))
            if sent > moment:
                return time.monotonic()


@dataclass
class Row:
    """A pair of kinds of ends, and what was measured in milliseconds."""

    initiator: str
    responder: str
    version: int
    up: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    started: list[float] = field(default_factory=list)
    recovered: list[float] = field(default_factory=list)
    recovered_without_start: list[float] = field(default_factory=list)

    @property
    def title(self) -> str:
        """For the table."""
        return f"{self.initiator} → {self.responder}, IKEv{self.version}"

    def take(self) -> None:
        """One set-up, one restart."""
        case = CASE.changed(version=self.version)
        with two_hosts() as hosts, protected_end(hosts, self.initiator, case, True) as first:
            with protected_end(hosts, self.responder, case, False), Prober(hosts) as prober:
                ordered = time.monotonic()
                answer = threading.Thread(target=self._initiate, args=(first, ordered))
                answer.start()
                self.first.append((prober.first_after(ordered) - ordered) * 1e3)
                answer.join()
            # The block above ends the second host's end politely: set up again, and let it vanish without a word.
            with self._vanishing(hosts, case) as second:
                first.initiate()
                second.wait_for_child()
            with Prober(hosts) as prober:
                begun = time.monotonic()
                with protected_end(hosts, self.responder, case, False) as second:
                    runs = time.monotonic()
                    second.initiate()
                    arrived = prober.first_after(runs)
                    self.started.append((runs - begun) * 1e3)
                    self.recovered.append((arrived - begun) * 1e3)
                    self.recovered_without_start.append((arrived - runs) * 1e3)

    def _initiate(self, end: ProtectedEnd, ordered: float) -> None:
        end.initiate()
        self.up.append((time.monotonic() - ordered) * 1e3)

    @contextlib.contextmanager
    def _vanishing(self, hosts: Hosts, case: Case) -> Iterator[ProtectedEnd]:
        with protected_end(hosts, self.responder, case, False) as second:
            yield second
            second.vanish()


def measure(rows: Sequence[Row], rounds: int, shuffle: random.Random) -> None:
    """All pairs, in turn."""
    for _ in range(rounds):
        for row in shuffle.sample(rows, len(rows)):
            row.take()


def main() -> None:
    """Measure and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    reason = namespaces.missing_prerequisite() or strongswan.missing_prerequisite()
    if reason:
        print(f"esp_recovery: skipped: {reason}")
        return
    go_before_others()
    rows = [
        Row(*kinds, version)
        for kinds in ((OURS, OURS), (STRONGSWAN, STRONGSWAN), (OURS, STRONGSWAN), (STRONGSWAN, OURS))
        for version in (2, 1)
    ]
    print(heading())
    print(f"\nMilliseconds, {arguments.rounds} rounds: median (middle half)\n")
    measure(rows, arguments.rounds, random.Random(arguments.seed))
    columns: list[tuple[str, Callable[[Row], list[float]]]] = [
        ("order to answer", lambda row: row.up),
        ("order to first packet", lambda row: row.first),
        ("restarted end runs after", lambda row: row.started),
        ("restart to first packet", lambda row: row.recovered),
        ("of which without starting the program", lambda row: row.recovered_without_start),
    ]
    print(f"| initiator → responder, which is restarted | {' | '.join(title for title, _ in columns)} |")
    print("|---|" + "---|" * len(columns))
    for row in rows:
        print(f"| {row.title} | {' | '.join(middle(values(row), 1) for _, values in columns)} |")


if __name__ == "__main__":
    main()
