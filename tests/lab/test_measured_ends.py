"""The ends that tests/bench measures: orders are carried out when they say so, at ours and at strongSwan alike."""

from __future__ import annotations

import itertools

import pytest

from ipsecbench.errors import LaboratoryError
from ipsecbench.lab.namespaces import Hosts
from tests.bench.ike_ends import Connection, ends, processor_seconds

X25519 = Connection("one", "aes128-sha256-x25519")
KINDS = ("ours", "strongSwan", "strongSwan without routes")
SECOND = Connection("two", "aes128-sha256-x25519", tcp_port=1000)


@pytest.mark.root
@pytest.mark.parametrize("version", [1, 2])
def test_our_ends_set_up_and_tear_down_as_often_as_wanted(hosts: Hosts, version: int) -> None:
    connection = Connection("one", "aes128-sha256-ecp256", version)
    with ends(hosts, "ours", "ours", [connection]) as made:
        before = [processor_seconds(end.process_id) for end in made]
        session = made[0].session()
        for _ in range(3):
            session.initiate("one")
            session.terminate("one")
        with pytest.raises(LaboratoryError, match="no connection 'nobody'"):
            session.initiate("nobody")
        session.close()
        assert all(processor_seconds(end.process_id) > spent for end, spent in zip(made, before, strict=True))


@pytest.mark.root
@pytest.mark.interop
@pytest.mark.parametrize(("initiator", "responder"), tuple(itertools.product(KINDS, repeat=2)))
def test_any_two_ends_set_up_several_at_once(
    hosts: Hosts, strongswan_peer: None, initiator: str, responder: str
) -> None:
    with ends(hosts, initiator, responder, [X25519, SECOND]) as made:
        sessions = [made[0].session() for _ in range(2)]
        for session, connection in zip(sessions, (X25519, SECOND), strict=True):
            session.initiate(connection.name)
        for session, connection in zip(sessions, (X25519, SECOND), strict=True):
            session.terminate(connection.name)
            session.initiate(connection.name)
            session.terminate(connection.name)
            session.close()
