"""Two hosts with IKE and ESP between them, ours or strongSwan at either end, and what is asked of both alike."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from typing import Any, Protocol

from ipsecbench.ike.endpoint import Endpoint
from ipsecbench.ike.events import IkeSaDeleted
from ipsecbench.lab.namespaces import Host, Hosts
from ipsecbench.lab.own_peer import OwnPeer
from ipsecbench.lab.strongswan import PeerIkeSa, StrongSwan
from tests.dataplane.ends import PSK, Case, end

OURS, STRONGSWAN = "ours", "strongSwan"
_NAME, _CHILD = "c", "net"


class ProtectedEnd(Protocol):
    """One end."""

    host: Host

    def initiate(self) -> None:
        """Set up the IKE SA and the Child SA."""

    def wait_for_child(self) -> None:
        """Return when a Child SA is there."""

    def rekey_child(self) -> None:
        """Rekey the Child SA; returns when the new one is in use."""

    def rekey_ike(self) -> None:
        """Rekey the IKE SA (IKEv1: set up another); returns when the new one is there."""

    def terminate(self) -> None:
        """Delete the IKE SAs and Child SAs; returns when they are gone here."""

    def vanish(self) -> None:
        """End at once, without a word to the peer."""


class OwnEnd:
    """Our endpoint with the agent's data plane."""

    def __init__(self, peer: OwnPeer) -> None:
        self.peer = peer
        self.host = peer.host

    def initiate(self) -> None:
        """See :class:`ProtectedEnd`."""
        self.peer.initiate()

    def wait_for_child(self) -> None:
        """See :class:`ProtectedEnd`."""
        self.peer.wait_for_child()

    def rekey_child(self) -> None:
        """See :class:`ProtectedEnd`."""
        self.peer.rekey_child()

    def rekey_ike(self) -> None:
        """See :class:`ProtectedEnd`."""
        self.peer.rekey_ike()

    def terminate(self) -> None:
        """See :class:`ProtectedEnd`."""
        driver = self.peer.driver
        since = len(driver.events)
        driver.call(_delete_all)
        driver.wait_for(IkeSaDeleted, timeout=5.0, since=since)

    def vanish(self) -> None:
        """See :class:`ProtectedEnd`."""
        self.peer.kill()


class StrongSwanEnd:
    """strongSwan with kernel-libipsec."""

    def __init__(self, hosts: Hosts, daemon: StrongSwan, case: Case, first: bool) -> None:
        here, there = (hosts.local, hosts.peer) if first else (hosts.peer, hosts.local)
        own, other = ("alpha", "beta") if first else ("beta", "alpha")
        self.daemon = daemon
        self.host = here
        daemon.load_shared_key(PSK)
        daemon.load(
            _NAME,
            {
                "version": case.version,
                "local_addrs": [here.ipv4],
                "remote_addrs": [there.outside],
                "proposals": [case.ike],
                "local": {"auth": "psk", "id": own},
                "remote": {"auth": "psk", "id": other},
                "children": {
                    _CHILD: {
                        "local_ts": [f"{here.inner_ipv4[:5]}0.0/16"],
                        "remote_ts": [f"{there.inner_ipv4[:5]}0.0/16"],
                        "esp_proposals": [case.esp],
                    }
                },
            },
        )

    def initiate(self) -> None:
        """See :class:`ProtectedEnd`."""
        self.daemon.initiate(_NAME, _CHILD)

    def wait_for_child(self) -> None:
        """See :class:`ProtectedEnd`."""
        self.daemon.wait_for(lambda sas: bool(_children(sas)))

    def rekey_child(self) -> None:
        """See :class:`ProtectedEnd`."""
        before = _children(self.daemon.ike_sas())
        self.daemon.rekey_child(_CHILD)
        self.daemon.wait_for(lambda sas: bool(_children(sas) - before))

    def rekey_ike(self) -> None:
        """See :class:`ProtectedEnd`."""
        before = _established(self.daemon.ike_sas())
        self.daemon.rekey_ike(_NAME)
        self.daemon.wait_for(lambda sas: bool(_established(sas) - before))

    def terminate(self) -> None:
        """See :class:`ProtectedEnd`."""
        self.daemon.terminate_ike(_NAME)

    def vanish(self) -> None:
        """See :class:`ProtectedEnd`."""
        os.kill(self.daemon.process_id, signal.SIGKILL)


def _delete_all(endpoint: Endpoint, now: float) -> None:
    for association in endpoint.associations():
        endpoint.order(association.unique_id, lambda sa: sa.delete(now))


def _children(sas: list[PeerIkeSa]) -> set[str]:
    return {child.spi_in for sa in sas for child in sa.children if child.state == "INSTALLED"}


def _established(sas: list[PeerIkeSa]) -> set[str]:
    return {sa.spi_i for sa in sas if sa.state == "ESTABLISHED"}


@contextlib.contextmanager
def protected_end(hosts: Hosts, kind: str, case: Case, first: bool, **settings: Any) -> Iterator[ProtectedEnd]:
    """One end of either kind, ready; ``settings`` are those of :class:`OwnPeer`."""
    if kind == OURS:
        with end(hosts, case, "agent", first, **settings) as peer:
            yield OwnEnd(peer)
    else:
        with StrongSwan(hosts.local if first else hosts.peer) as daemon:
            yield StrongSwanEnd(hosts, daemon, case, first)


@contextlib.contextmanager
def protected_pair(
    hosts: Hosts, initiator: str, responder: str, case: Case
) -> Iterator[tuple[ProtectedEnd, ProtectedEnd]]:
    """Both ends, with an IKE SA and a Child SA that the first host has set up."""
    with (
        protected_end(hosts, initiator, case, True) as first,
        protected_end(hosts, responder, case, False) as second,
    ):
        first.initiate()
        first.wait_for_child()
        second.wait_for_child()
        yield first, second
