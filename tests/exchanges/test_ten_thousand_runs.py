"""Ten thousand seeded runs: whatever happens on the network, in the end both ends agree or both are clean.

A run is two endpoints that initiate, rekey, create, delete and check at random times over a network that loses,
duplicates, reorders and limits datagrams, with a NAT that forgets its mappings. Then the network is calm, each end asks
the other whether it is there, and what is left must be the same at both ends: IKE SAs, Child SAs, keys, traffic
selectors. A run that fails is told by its seed: ``python tests/exchanges/test_ten_thousand_runs.py SEED`` shows it.
"""

from __future__ import annotations

import os
import random
import sys
import traceback
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from ipsecbench.ike.configuration import Childless, ConnectionConfiguration, PostquantumPsk, Retransmission
from ipsecbench.ike.lifetime import Lifetime, Limit
from ipsecbench.secret import Secret
from tests.exchanges.network import CALM, Conditions, Nat, Network
from tests.exchanges.scenes import A, B, assert_agreement, child, connection, endpoint, mirrored

RUNS = int(os.environ.get("IPSECBENCH_RUNS", "4000"))
"""Runs of both versions together: three quarters of version 2, one of version 1. The default keeps the tests of a
working day short; continuous integration makes ten thousand."""
CHUNK = 250
NAT_OUTSIDE = "198.51.100.1"
INSIDE = "10.0.0.1"

IKE_PROPOSALS = ("aes128-sha256-x25519", "aes128gcm16-prfsha256-x25519", "aes128-sha256-x25519-ke1_mlkem512")
SHORT_OR_LONG = (20.0, 50.0, *(3600.0,) * 8)
"""Seconds after which SAs are rekeyed by themselves."""
CHILD_PROPOSALS = ("aes128-sha256", "aes128-sha256-x25519", "aes128gcm16-x25519-ke1_mlkem512")


class Run:
    """One run.

    Args:
        seed: of everything.
    """

    def __init__(self, seed: int) -> None:
        self.chance = chance = random.Random(seed)
        self.natted = chance.random() < 0.25
        mine, peers = self._connections()
        nat = Nat(NAT_OUTSIDE, frozenset({INSIDE}))
        settings: dict[str, Any] = {"cookie_threshold": chance.choice((0, 30, 30, 30)), "keepalive_seconds": 10.0}
        self.network = Network(seed, self._conditions(), [nat] if self.natted else [])
        self.a = self.network.add("A", endpoint(mine.local_addresses[0], mine, **settings))
        self.b = self.network.add("B", endpoint(B, peers, **settings))
        self.nat = nat

    def _connections(self) -> tuple[ConnectionConfiguration, ConnectionConfiguration]:
        chance = self.chance
        lifetime = Lifetime(seconds=Limit(rekey=chance.choice(SHORT_OR_LONG), life=4000.0, rand=10.0))
        one = child(proposals=chance.choice(CHILD_PROPOSALS), lifetime=lifetime)
        two = child("10.1.0.0/24", "10.3.0.0/16", proposals=chance.choice(CHILD_PROPOSALS), child_name="two")
        children = chance.choice(((one,), (one, two)))
        settings: dict[str, Any] = {
            "proposals": chance.choice(IKE_PROPOSALS),
            "retransmission": Retransmission(first_seconds=0.5, base=1.5, tries=5),
            "dpd_seconds": chance.choice((10.0, 60.0, 90.0, 90.0)),
            "fragmentation": chance.random() < 0.7,
            "fragment_bytes": chance.choice((576, 1280)),
            "childless": chance.choice((Childless.ALLOW, Childless.ALLOW, Childless.FORCE)),
            "ppk": chance.choice((None, None, PostquantumPsk(b"ppk", Secret(bytes(32)), False))),
            "lifetime": Lifetime(seconds=Limit(rekey=chance.choice(SHORT_OR_LONG), life=4000.0, rand=10.0)),
        }
        here = INSIDE if self.natted else A
        mine = connection(A, B, *children, **settings)
        mine = replace(mine, local_addresses=(here,))
        peers = connection(B, A, *map(mirrored, children), **settings)
        return mine, replace(peers, remote_addresses=() if self.natted else (A,))

    def _conditions(self) -> Conditions:
        chance = self.chance
        return Conditions(
            latency=(0.001, chance.choice((0.001, 0.1, 1.5))),
            loss=chance.choice((0.0, 0.05, 0.2, 0.5)),
            duplication=chance.choice((0.0, 0.1, 0.5)),
            mtu=chance.choice((576, 1280, 1500, 65535)),
        )

    def act(self) -> None:
        """One end does one thing."""
        chance, network = self.chance, self.network
        node = chance.choice((self.a, self.b))
        sas = node.sas
        if not sas:
            node = self.a if self.natted else node
            if len(node.endpoint.associations()) < 3:
                node.initiate()
            return
        sa, now = chance.choice(sas), network.now
        children = sa.child_sas
        choice = chance.random()
        if children and choice < 0.35:
            spi = chance.choice(children).inbound_spi
            node.order(sa, lambda it: it.rekey_child_sa(spi, now))
        elif choice < 0.55:
            node.order(sa, lambda it: it.rekey(now))
        elif choice < 0.65:
            node.order(sa, lambda it: it.create_child_sa("net", now))
        elif children and choice < 0.75:
            spi = chance.choice(children).inbound_spi
            node.order(sa, lambda it: it.delete_child_sa(spi, now))
        elif choice < 0.82:
            node.order(sa, lambda it: it.check_liveness(now))
        elif choice < 0.88:
            node.order(sa, lambda it: it.delete(now))
        elif choice < 0.94 and self.natted:
            self.nat.rebind()
        elif choice < 0.97:
            network.conditions = self._conditions()
        elif self.a.network is network and not self.natted:
            node.initiate()

    def go(self) -> None:
        """The whole run."""
        chance, network = self.chance, self.network
        self.a.initiate()
        for _ in range(chance.randrange(2, 12)):
            network.run(chance.choice((0.0, 0.0005, 0.1, 1.0, 3.0)))
            other = chance.random() < 0.4
            self.act()
            if other:
                self.act()
        network.run(chance.choice((0.5, 5.0)))
        network.conditions = CALM
        self._calm()
        assert_agreement(self.a, self.b)
        for node in (self.a, self.b):
            assert not any(sa.half_open for sa in node.endpoint.associations())

    def _calm(self) -> None:
        network = self.network
        for node in (self.a, self.b):
            for sa in node.sas:
                node.order(sa, lambda it: it.check_liveness(network.now))
            network.run(1.0)
        network.run(110.0)
        # Lives go on: look when nothing is under way.
        for _ in range(100):
            network.run(0.25)
            if network.is_quiet:
                return
        raise AssertionError("the network is never quiet")


def failures(first: int, count: int) -> list[str]:
    """The seeds of a row of runs that fail, with what went wrong."""
    found = []
    for seed in range(first, first + count):
        try:
            Run(seed).go()
        except Exception:
            found.append(f"seed {seed}: {traceback.format_exc(limit=-2)}")
    return found


def assert_no_failures(attempt: Callable[[int, int], list[str]], runs: int) -> None:
    """Try all seeds below ``runs``, on two processors."""
    starts = range(0, runs, CHUNK)
    with ProcessPoolExecutor(max_workers=2) as pool:
        rows = pool.map(attempt, starts, [min(CHUNK, runs - start) for start in starts])
        found = [text for row in rows for text in row]
    assert not found, f"{len(found)} of {runs} runs failed:\n" + "\n".join(found[:5])


@pytest.mark.slow
def test_every_run_ends_in_agreement() -> None:
    assert_no_failures(failures, RUNS * 3 // 4)


def test_a_few_runs() -> None:
    assert failures(20_000, 25) == []


def _show(seed: int) -> None:
    run = Run(seed)
    try:
        run.go()
    except Exception:
        traceback.print_exc()
    print("\n".join(run.network.trace))
    for node in (run.a, run.b):
        print(f"== {node.name}")
        for event in node.events:
            print(f"   {event}")
        for line in node.log:
            print(f"   {line}")


if __name__ == "__main__":
    _show(int(sys.argv[1]))
