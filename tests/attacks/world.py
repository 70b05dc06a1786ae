"""Two endpoints in virtual time, for tests in which what travels between them is not what was sent.

Nothing that an endpoint raises is caught here: whatever comes out of one fails the test.
"""

from __future__ import annotations

import functools
import itertools
import random
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

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
from ipsecbench.ike.endpoint import Endpoint
from ipsecbench.ike.environment import Environment
from ipsecbench.ike.events import Event
from ipsecbench.ike.identification import Identity, IdType
from ipsecbench.ike.path import Address, Datagram, Path
from ipsecbench.lab.certificates import Credential, authority
from ipsecbench.providers.certificates import PycaPublicKeyInfrastructure
from ipsecbench.providers.selection import ProviderSelection
from ipsecbench.secret import Secret

INITIATOR, RESPONDER = Address("192.0.2.1", 500), Address("192.0.2.2", 500)
TO_RESPONDER, TO_INITIATOR = Path(RESPONDER, INITIATOR), Path(INITIATOR, RESPONDER)
"""Paths as the receiver of a datagram sees them."""


@functools.cache
def cryptography() -> ProviderSelection:
    """Admits algorithms once."""
    return ProviderSelection()


@functools.cache
def credential(name: str) -> Credential:
    """A certificate for an end, made once."""
    return authority("ecdsa-256").issue(f"{name}.example.net", common_name=name)


def identity(name: str) -> Identity:
    """The domain name of an end."""
    return Identity(IdType.ID_FQDN, f"{name}.example.net".encode())


def _authentication(method: str, own: str, peer: str) -> tuple[LocalAuthentication, RemoteAuthentication]:
    if method == "psk":
        return (
            LocalAuthentication(AuthMethod.PSK, identity(own)),
            RemoteAuthentication(AuthMethod.PSK, identity(peer)),
        )
    infrastructure = PycaPublicKeyInfrastructure()
    mine = credential(own)
    chain = tuple(infrastructure.load_certificate(der) for der in (mine.certificate, *mine.intermediates))
    key = infrastructure.load_private_key(mine.private_key)
    return (
        LocalAuthentication(AuthMethod.PUBKEY, identity(own), chain, key),
        RemoteAuthentication(
            AuthMethod.PUBKEY, identity(peer), authorities=(infrastructure.load_certificate(mine.root),)
        ),
    )


def connection(
    version: int,
    own: str,
    peer: str,
    *,
    method: str = "psk",
    ike: str = "aes128-sha256-x25519",
    esp: str = "aes128-sha256",
    **changes: Any,
) -> ConnectionConfiguration:
    """The connection of one end; the two ends' fit each other.

    Args:
        version: 1 or 2.
        own: name of this end, ``initiator`` or ``responder``.
        peer: name of the other.
        method: ``psk`` or ``pubkey``.
        ike: proposal for the IKE SA.
        esp: proposal for the Child SA.
        changes: other fields of the connection.
    """
    subnets = ("10.1.0.0/16", "10.2.0.0/16") if own == "initiator" else ("10.2.0.0/16", "10.1.0.0/16")
    local, remote = _authentication(method, own, peer)
    if version == 1 and ike.endswith("x25519"):
        ike = ike.replace("x25519", "ecp256")
    fields: dict[str, Any] = {
        "name": own,
        "version": version,
        "proposals": (parse_ike(ike),),
        "local": local,
        "remote": remote,
        "children": (
            ChildConfiguration(
                "net",
                (parse_esp(esp),),
                (parse_traffic_selector(subnets[0]),),
                (parse_traffic_selector(subnets[1]),),
            ),
        ),
        "psk": Secret(b"a pre-shared key") if method == "psk" else None,
    }
    return ConnectionConfiguration(**fields | changes)


@dataclass
class End:
    """One endpoint and what came out of it."""

    endpoint: Endpoint
    events: list[Event] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    sent: deque[Datagram] = field(default_factory=deque)
    """Datagrams that were not taken from here yet."""

    def collect(self) -> None:
        """Take what the endpoint has for the driver."""
        self.sent.extend(self.endpoint.datagrams_to_send())
        self.events.extend(iter(self.endpoint.next_event, None))

    def of(self, *kinds: type[Any]) -> list[Any]:
        """Events of some kinds."""
        return [event for event in self.events if isinstance(event, kinds)]

    @property
    def sa(self) -> Association:
        """The one IKE SA."""
        (found,) = self.endpoint.associations()
        return found

    @property
    def count(self) -> int:
        """IKE SAs that the endpoint has."""
        return len(self.endpoint.associations())


def make_end(configuration: EndpointConfiguration, seed: int) -> End:
    """An endpoint with seeded randomness."""
    source = random.Random(seed)
    environment = Environment(cryptography(), PycaPublicKeyInfrastructure(), source.randbytes, time.time)
    lines: list[str] = []
    endpoint = Endpoint(configuration, environment, lambda cause, text: lines.append(f"{cause}: {text}"))
    return End(endpoint, lines=lines)


Way = Callable[[bytes, bool], Iterable[bytes]]
"""What becomes of a datagram, and of one from the responder: nothing, itself, others."""


def straight(data: bytes, from_responder: bool) -> Iterable[bytes]:
    """Everything arrives."""
    return (data,)


class World:
    """An initiator and a responder.

    Args:
        version: 1 or 2.
        seed: of all randomness but that of key exchanges.
        limits: fields of both endpoints' configurations.
        options: see :func:`connection`.
    """

    def __init__(
        self, version: int = 2, seed: int = 1, *, limits: dict[str, Any] | None = None, **options: Any
    ) -> None:
        more = limits or {}
        first = connection(version, "initiator", "responder", remote_addresses=(RESPONDER.host,), **options)
        second = connection(version, "responder", "initiator", **options)
        one = EndpointConfiguration((replace(first, local_addresses=(INITIATOR.host,)),), **more)
        other = EndpointConfiguration((second,), **more)
        self.initiator = make_end(one, seed)
        self.responder = make_end(other, seed + 1_000_003)
        self.version = version
        self.options = options
        self.now = 1000.0
        self.way: Way = straight
        self.active: End | None = None
        """The end whose endpoint is at work."""
        self.passed: list[tuple[bytes, bool]] = []
        """What arrived, and whether the responder had sent it."""

    @property
    def ends(self) -> tuple[End, End]:
        """Both."""
        return self.initiator, self.responder

    def _at(self, end: End, action: Callable[[Endpoint], Any]) -> None:
        self.active = end
        try:
            action(end.endpoint)
        finally:
            self.active = None
        end.collect()

    def initiate(self, children: list[str] | None = None) -> None:
        """Begin."""
        self._at(self.initiator, lambda endpoint: endpoint.initiate("initiator", self.now, children))

    def order(self, end: End, action: Callable[[Association], Any]) -> None:
        """Have the one IKE SA of an end do something."""
        number = end.sa.unique_id
        self._at(end, lambda endpoint: endpoint.order(number, action))

    def feed(self, end: End, data: bytes, path: Path | None = None) -> list[bytes]:
        """Let an endpoint have a datagram; what it sends is returned, and stays in its ``sent``."""
        before = len(end.sent)
        where = path or (TO_RESPONDER if end is self.responder else TO_INITIATOR)
        self._at(end, lambda endpoint: endpoint.receive_datagram(data, where, self.now))
        return [datagram.data for datagram in itertools.islice(end.sent, before, None)]

    def step(self) -> bool:
        """Let the oldest datagram of each end arrive; whether there was one."""
        moved = False
        for sender, receiver in ((self.initiator, self.responder), (self.responder, self.initiator)):
            if not sender.sent:
                continue
            moved = True
            datagram = sender.sent.popleft()
            back = Path(datagram.path.remote, datagram.path.local)
            for data in self.way(datagram.data, sender is self.responder):
                self.passed.append((data, sender is self.responder))
                self.feed(receiver, data, back)
        return moved

    def run(self, steps: int = 400) -> World:
        """Let datagrams travel until there are none."""
        for _ in range(steps):
            if not self.step():
                return self
        raise AssertionError("the datagrams do not come to an end")

    def sleep(self, seconds: float, most: int = 4000) -> World:
        """Let time pass, and every timeout be handled when it comes."""
        end = self.now + seconds
        standing = 0
        for _ in range(most):
            times = [each.endpoint.next_timeout() for each in self.ends]
            when = min((each for each in times if each is not None), default=None)
            if when is None or when > end:
                self.now = end
                return self
            # A time that has come and comes again at once keeps a processor busy for nothing.
            standing = standing + 1 if when <= self.now else 0
            assert standing < 20, [each.lines[-3:] for each in self.ends]
            self.now = max(self.now, when)
            for each in self.ends:
                self._at(each, lambda endpoint: endpoint.handle_timeout(self.now))
            self.run()
        raise AssertionError("timeouts do not come to an end")

    def establish(self) -> World:
        """Set everything up."""
        self.initiate()
        self.run()
        assert len(self.responder.endpoint.child_sas) == len(self.initiator.endpoint.child_sas) == 1, (
            self.initiator.lines,
            self.responder.lines,
            self.initiator.events,
        )
        return self

    def healthy(self) -> None:
        """Both ends have the same SAs, and can still speak with each other."""
        for end in self.ends:
            assert end.count == 1, end.lines
            assert end.sa.info is not None
        spis = [(child.inbound_spi, child.outbound_spi) for child in self.initiator.endpoint.child_sas]
        assert sorted(spis) == sorted(
            (child.outbound_spi, child.inbound_spi) for child in self.responder.endpoint.child_sas
        )
        before = len(self.passed)
        self.order(self.initiator, lambda sa: sa.check_liveness(self.now))
        self.run()
        assert len(self.passed) >= before + 2, (self.initiator.lines, self.responder.lines)

    def clean(self, seconds: float = 400.0) -> None:
        """Time passes and nothing is left of what was half-open."""
        self.sleep(seconds)
        for end in self.ends:
            for sa in end.endpoint.associations():
                assert not sa.half_open, (sa, end.lines)


def messages(version: int, **options: Any) -> Iterator[tuple[bytes, bool]]:
    """The datagrams of an honest setup, each with whether the responder sent it."""
    yield from World(version, **options).establish().passed
