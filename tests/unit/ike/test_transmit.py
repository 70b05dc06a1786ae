"""A driver that sends at once: the same datagrams, each before what the endpoint does after it."""

from __future__ import annotations

from ipsecbench.bench.handshake import SETS, Role
from ipsecbench.bench.handshake_pair import HandshakePair
from ipsecbench.ike.endpoint import Endpoint
from ipsecbench.ike.events import ChildSaEstablished, IkeSaKeysDerived
from ipsecbench.ike.path import Datagram, Path


def test_a_datagram_goes_before_the_keys_that_come_after_it() -> None:
    with HandshakePair(SETS[0]) as pair:
        initiator, responder = (pair._ends[role] for role in Role)
        sent: list[Datagram] = []
        known_when_sent: list[list[str]] = []

        def transmit(datagram: Datagram) -> None:
            sent.append(datagram)
            known_when_sent.append([type(event).__name__ for event in iter(second._events)])

        first = Endpoint(initiator._configuration, initiator._environment)
        second = Endpoint(responder._configuration, responder._environment, transmit=transmit)
        first.initiate("handshake", 0.0)
        for _ in range(2):
            for datagram in first.datagrams_to_send():
                second.receive_datagram(datagram.data, Path(datagram.path.remote, datagram.path.local), 0.0)
            assert not list(second.datagrams_to_send())
            answer = sent[-1]
            first.receive_datagram(answer.data, Path(answer.path.remote, answer.path.local), 0.0)
        assert len(sent) == 2
        # The responder sends its share of the key exchange before it derives keys, and AUTH before the Child SA.
        assert known_when_sent[0] == []
        assert known_when_sent[1] == [IkeSaKeysDerived.__name__]
        for endpoint in (first, second):
            assert any(isinstance(event, ChildSaEstablished) for event in iter(endpoint.next_event, None))
