"""Two ISAKMP endpoints in virtual time: a host double for each, and the datagrams between them in the test's hands."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from ipsecbench.algorithms.proposals import parse_esp, parse_ike
from ipsecbench.esp.traffic_selector import parse_traffic_selector
from ipsecbench.ike.association import Association
from ipsecbench.ike.configuration import (
    AuthMethod,
    ChildConfiguration,
    ConnectionConfiguration,
    EndpointConfiguration,
    LocalAuthentication,
    RemoteAuthentication,
)
from ipsecbench.ike.environment import Environment
from ipsecbench.ike.events import ChildSaEstablished, ChildSaInfo, Event, IkeSaEstablished
from ipsecbench.ike.header import ZERO_SPI, parse_header
from ipsecbench.ike.identification import Identity, IdType
from ipsecbench.ike.path import Address, Datagram, Path
from ipsecbench.ike.v1.isakmp_sa import IsakmpSa, respond
from ipsecbench.providers.certificates import PycaPublicKeyInfrastructure
from ipsecbench.providers.selection import ProviderSelection
from ipsecbench.secret import Secret

ALICE = Identity(IdType.ID_RFC822_ADDR, b"alice@example.org")
BOB = Identity(IdType.ID_FQDN, b"bob.example.org")
PSK = "k2;2.6TbYl+{/qa"
UNIX_TIME = 1_800_000_000.0


@cache
def cryptography() -> ProviderSelection:
    """The process's, because admitting algorithms takes time."""
    return ProviderSelection()


def connection(name: str, local: Identity, remote: Identity | None, hosts: tuple[str, str]) -> ConnectionConfiguration:
    """A connection by pre-shared key between two addresses, with one child."""
    subnets = ("10.1.0.0/16", "10.2.0.0/16") if local == ALICE else ("10.2.0.0/16", "10.1.0.0/16")
    child = ChildConfiguration(
        name="net",
        proposals=(parse_esp("aes128-sha256"),),
        local_ts=(parse_traffic_selector(subnets[0]),),
        remote_ts=(parse_traffic_selector(subnets[1]),),
    )
    return ConnectionConfiguration(
        name=name,
        version=1,
        proposals=(parse_ike("aes128-sha256-ecp256"),),
        local=LocalAuthentication(AuthMethod.PSK, local),
        remote=RemoteAuthentication(AuthMethod.PSK, remote),
        children=(child,),
        local_addresses=(hosts[0],),
        remote_addresses=(hosts[1],),
        psk=Secret(PSK.encode()),
    )


class HostDouble:
    """An endpoint as its ISAKMP SAs see it: routes by cookies, collects events and datagrams."""

    def __init__(self, configuration: EndpointConfiguration, seed: int) -> None:
        self.configuration = configuration
        self.random = random.Random(seed)
        self.environment = Environment(
            cryptography(), PycaPublicKeyInfrastructure(), self.random.randbytes, lambda: UNIX_TIME
        )
        self.sent: list[Datagram] = []
        self.keepalives: list[Path] = []
        self.events: list[Event] = []
        self.logged: Counter[str] = Counter()
        self.lines: list[str] = []
        self.sas: dict[int, Association] = {}
        self.child_spis: set[bytes] = set()
        self._unique_id = 0

    def send(self, datagram: Datagram) -> None:
        self.sent.append(datagram)

    def send_keepalive(self, path: Path) -> None:
        self.keepalives.append(path)

    def emit(self, event: Event) -> None:
        self.events.append(event)

    def log(self, cause: str, text: str) -> None:
        self.logged[cause] += 1
        self.lines.append(f"{cause}: {text}")

    def next_unique_id(self) -> int:
        self._unique_id += 1
        return self._unique_id

    def allocate_ike_spi(self) -> bytes:
        return self.random.randbytes(8)

    def allocate_child_spi(self) -> bytes:
        spi = bytes([1]) + self.random.randbytes(3)
        self.child_spis.add(spi)
        return spi

    def release_child_spi(self, spi: bytes) -> None:
        self.child_spis.discard(spi)

    def candidates(self, path: Path, version: int) -> Sequence[ConnectionConfiguration]:
        return [
            each
            for each in self.configuration.connections
            if each.version == version and (not each.remote_addresses or path.remote.host in each.remote_addresses)
        ]

    def register(self, association: Association) -> None:
        self.sas[association.unique_id] = association

    def associations(self) -> Sequence[Association]:
        return tuple(self.sas.values())

    # What an endpoint does.

    def receive(self, data: bytes, path: Path, now: float) -> None:
        header = parse_header(data)
        for sa in self.sas.values():
            if sa.spi_i == header.spi_i and (header.spi_r in (sa.spi_r, ZERO_SPI) or sa.spi_r == ZERO_SPI):
                sa.receive(header, data, path, now)
                break
        else:
            if header.spi_r == ZERO_SPI:
                begun = respond(self, header, data, path, now)
                if begun is not None:
                    self.register(begun)
        self.forget()

    def forget(self) -> None:
        for unique_id in [number for number, sa in self.sas.items() if sa.finished]:
            del self.sas[unique_id]

    def initiate(self, now: float, children: Sequence[str] = ("net",)) -> IsakmpSa:
        first = self.configuration.connections[0]
        path = Path(Address(first.local_addresses[0], self.configuration.port), Address(first.remote_addresses[0], 500))
        sa = IsakmpSa.initiator(self, first, path)
        self.register(sa)
        sa.initiate(children, now)
        self.forget()
        return sa

    def handle_timeout(self, now: float) -> None:
        for sa in tuple(self.sas.values()):
            if not sa.finished and sa.next_timeout is not None and sa.next_timeout <= now:
                sa.handle_timeout(now)
        self.forget()

    def next_timeout(self) -> float | None:
        return min((each.next_timeout for each in self.sas.values() if each.next_timeout is not None), default=None)

    def of(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def children(self) -> list[ChildSaInfo]:
        return [child for sa in self.sas.values() for child in sa.child_sas]

    @property
    def connection_secret(self) -> str:
        psk = self.configuration.connections[0].psk
        return "" if psk is None else psk.reveal().decode()

    @property
    def only(self) -> IsakmpSa:
        (sa,) = self.sas.values()
        if not isinstance(sa, IsakmpSa):
            raise TypeError
        return sa


Filter = Callable[[Datagram], list[Datagram]]
"""What becomes of a datagram on its way: dropped, doubled, changed."""


def straight(datagram: Datagram) -> list[Datagram]:
    """Every datagram arrives."""
    return [datagram]


@dataclass
class Pair:
    """Two hosts; the test says when datagrams travel and time passes."""

    alice: HostDouble
    bob: HostDouble
    now: float = 1000.0
    way: Filter = straight
    passed: list[Datagram] = field(default_factory=list)
    """Every datagram that arrived."""

    def run(self, most: int = 200) -> None:
        """Datagrams travel until there are none."""
        for _ in range(most):
            moved = False
            for sender, receiver in ((self.alice, self.bob), (self.bob, self.alice)):
                while sender.sent:
                    moved = True
                    for datagram in self.way(sender.sent.pop(0)):
                        self.passed.append(datagram)
                        back = Path(datagram.path.remote, datagram.path.local)
                        receiver.receive(datagram.data, back, self.now)
            if not moved:
                return
        raise AssertionError("the datagrams do not come to an end")

    def sleep(self, seconds: float) -> None:
        """Time passes, and every timeout is handled when it comes."""
        end = self.now + seconds
        for _ in range(10_000):
            found = [each for each in (self.alice.next_timeout(), self.bob.next_timeout()) if each is not None]
            if not found or min(found) > end:
                self.now = end
                return
            self.now = max(self.now, min(found))
            self.alice.handle_timeout(self.now)
            self.bob.handle_timeout(self.now)
            self.run()
        raise AssertionError("timeouts do not come to an end")

    def establish(self) -> None:
        """Alice sets everything up."""
        self.alice.initiate(self.now)
        self.run()
        assert self.established, (self.alice.lines, self.bob.lines, self.alice.events)

    @property
    def established(self) -> bool:
        """Whether both have an ISAKMP SA and a phase 2 SA with the same keys."""
        return all(
            len(host.of(kind)) >= 1
            for host in (self.alice, self.bob)
            for kind in (IkeSaEstablished, ChildSaEstablished)
        )

    def check_keys(self) -> None:
        """Every phase 2 SA of one end is one of the other's, with the directions swapped."""
        left = {
            (child.inbound_spi, child.outbound_spi): (child.inbound, child.outbound) for child in self.alice.children
        }
        right = {
            (child.outbound_spi, child.inbound_spi): (child.outbound, child.inbound) for child in self.bob.children
        }
        assert left.keys() == right.keys()
        for spis, keys in left.items():
            for one, other in zip(keys, right[spis], strict=True):
                assert one.encryption == other.encryption
                assert one.integrity == other.integrity


Change = Callable[[ConnectionConfiguration], ConnectionConfiguration]


def make_pair(change: Change | None = None, bob_change: Change | None = None, seed: int = 1) -> Pair:
    """Two hosts with the same connection.

    Args:
        change: applied to both connections.
        bob_change: applied to the responder's only, after the other.
        seed: of all randomness but that of key exchanges.
    """
    hosts = ("192.0.2.1", "192.0.2.2")
    alice = connection("to-bob", ALICE, BOB, hosts)
    bob = connection("to-alice", BOB, ALICE, (hosts[1], hosts[0]))
    if change is not None:
        alice, bob = change(alice), change(bob)
    if bob_change is not None:
        bob = bob_change(bob)
    configuration = EndpointConfiguration(connections=(alice,))
    return Pair(
        HostDouble(configuration, seed), HostDouble(replace(configuration, connections=(bob,)), seed + 1_000_000)
    )


def with_child(child: Callable[[ChildConfiguration], ChildConfiguration]) -> Change:
    """A change to the first child."""
    return lambda each: replace(each, children=(child(each.children[0]), *each.children[1:]))
