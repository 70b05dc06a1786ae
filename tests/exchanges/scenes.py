"""Two endpoints that know each other, and whether they agree: what the tests of exchanges share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from typing import Any

from ipsecbench.algorithms.proposals import parse_esp, parse_ike
from ipsecbench.esp.traffic_selector import parse_traffic_selector
from ipsecbench.ike.configuration import (
    AuthMethod,
    ChildConfiguration,
    ConnectionConfiguration,
    EndpointConfiguration,
    LocalAuthentication,
    RemoteAuthentication,
    Retransmission,
)
from ipsecbench.ike.events import ChildSaInfo, IkeSaInfo
from ipsecbench.ike.identification import Identity, IdType
from ipsecbench.secret import Secret
from tests.exchanges.network import CALM, Conditions, Nat, Network, Node

A, B = "192.0.2.1", "192.0.2.2"
A_NET, B_NET = "10.1.0.0/16", "10.2.0.0/16"
PSK = Secret(b"k2;2.6TbYl+{/qa")


_ike, _esp, _selector = lru_cache(parse_ike), lru_cache(parse_esp), lru_cache(parse_traffic_selector)


def name(text: str) -> Identity:
    """A domain name as an identity."""
    return Identity(IdType.ID_FQDN, text.encode())


def child(
    local: str = A_NET,
    remote: str = B_NET,
    proposals: str | Iterable[str] = "aes128-sha256",
    child_name: str = "net",
    **settings: Any,
) -> ChildConfiguration:
    """A Child SA; traffic selectors and proposals as swanctl writes them."""
    texts = [proposals] if isinstance(proposals, str) else proposals
    return ChildConfiguration(
        child_name,
        tuple(map(_esp, texts)),
        tuple(_selector(text) for text in local.split(",") if text),
        tuple(_selector(text) for text in remote.split(",") if text),
        **settings,
    )


def mirrored(configuration: ChildConfiguration) -> ChildConfiguration:
    """The same Child SA at the other end."""
    return replace(configuration, local_ts=configuration.remote_ts, remote_ts=configuration.local_ts)


def connection(
    here: str = A,
    there: str = B,
    *children: ChildConfiguration,
    proposals: str | Iterable[str] = "aes128-sha256-x25519",
    version: int = 2,
    **settings: Any,
) -> ConnectionConfiguration:
    """A connection with a pre-shared key, unless ``settings`` say otherwise."""
    texts = [proposals] if isinstance(proposals, str) else proposals
    values: dict[str, Any] = {
        "local": LocalAuthentication(AuthMethod.PSK, name("a") if here == A else name("b")),
        "remote": RemoteAuthentication(AuthMethod.PSK, name("b") if here == A else name("a")),
        "psk": PSK,
        "local_addresses": (here,),
        "remote_addresses": (there,),
        "retransmission": Retransmission(first_seconds=1.0, base=1.5, tries=8),
    }
    values.update(settings)
    return ConnectionConfiguration("c", version, tuple(map(_ike, texts)), children=children, **values)


def endpoint(host: str, *connections: ConnectionConfiguration, **settings: Any) -> EndpointConfiguration:
    """An endpoint with one address."""
    return EndpointConfiguration(connections, own_addresses=(host,), **settings)


def pair(
    a: ConnectionConfiguration | None = None,
    b: ConnectionConfiguration | None = None,
    *,
    seed: int = 0,
    conditions: Conditions = CALM,
    nats: Iterable[Nat] = (),
    a_settings: dict[str, Any] | None = None,
    b_settings: dict[str, Any] | None = None,
) -> tuple[Network, Node, Node]:
    """Two endpoints: by default with one Child SA between their networks."""
    network = Network(seed, conditions, nats)
    first = connection(A, B, child()) if a is None else a
    second = connection(B, A, mirrored(child())) if b is None else b
    node_a = network.add("A", endpoint(first.local_addresses[0], first, **(a_settings or {})))
    node_b = network.add("B", endpoint(second.local_addresses[0], second, **(b_settings or {})))
    return network, node_a, node_b


def both(**settings: Any) -> tuple[ConnectionConfiguration, ConnectionConfiguration]:
    """The usual connections of both ends with something changed in both; ``children`` are those of A."""
    children = settings.pop("children", (child(),))
    return connection(A, B, *children, **settings), connection(B, A, *map(mirrored, children), **settings)


def established(*arguments: Any, **settings: Any) -> tuple[Network, Node, Node]:
    """A pair with an IKE SA that A has initiated."""
    network, a, b = pair(*arguments, **settings)
    a.initiate()
    network.deliver_all()
    assert_agreement(a, b)
    assert a.sas, (a.log, b.log)
    return network, a, b


def assert_agreement(a: Node, b: Node) -> None:
    """Both ends have the same IKE SAs and the same Child SAs, with mirrored keys and traffic selectors."""
    theirs = {_key(sa.info): sa for sa in b.sas}
    ours = {_key(sa.info): sa for sa in a.sas}
    assert ours.keys() == theirs.keys()
    for key, sa in ours.items():
        other = theirs[key]
        assert sa.is_initiator is not other.is_initiator
        assert sa.info is not None
        assert other.info is not None
        assert sa.info.keys == other.info.keys
        assert sa.info.negotiated == other.info.negotiated
        mine = {info.inbound_spi: info for info in sa.child_sas}
        peers = {info.outbound_spi: info for info in other.child_sas}
        assert mine.keys() == peers.keys()
        for spi, info in mine.items():
            assert_mirrored(info, peers[spi])


def _key(info: IkeSaInfo | None) -> tuple[bytes, bytes]:
    assert info is not None
    return info.spi_i, info.spi_r


def assert_mirrored(mine: ChildSaInfo, peers: ChildSaInfo) -> None:
    """Two ends of one Child SA."""
    assert (mine.inbound_spi, mine.outbound_spi) == (peers.outbound_spi, peers.inbound_spi)
    assert mine.inbound == peers.outbound
    assert mine.outbound == peers.inbound
    assert mine.inbound != mine.outbound
    assert (mine.mode, mine.negotiated) == (peers.mode, peers.negotiated)
    assert mine.is_initiator is not peers.is_initiator
    assert mine.udp_encapsulation == peers.udp_encapsulation
