"""Two hosts whose endpoints negotiate one given parameter set, and what each of them then says that it holds."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ipsecbench.errors import MeasurementError
from ipsecbench.esp.configuration import Layering
from ipsecbench.ike.configuration import ChildConfiguration, EndpointConfiguration
from ipsecbench.ike.endpoint import Endpoint
from ipsecbench.ike.events import ChildSaInfo
from ipsecbench.ike.lifetime import Lifetime
from ipsecbench.lab.endpoint_file import EndpointFile
from ipsecbench.lab.ends import wait_until
from ipsecbench.lab.namespaces import Host
from ipsecbench.lab.own_peer import PATIENCE_SECONDS, OwnPeer
from ipsecbench.lab.trials.burst import Flow
from ipsecbench.lab.trials.own_bed import OwnBed

_LOOK_AGAIN_SECONDS = 0.002


@dataclass(frozen=True, slots=True)
class HeldSet:
    """What one end holds of an IKE SA and its Child SA. Nothing of it is what the end was asked to do, where the end
    can say what became of it."""

    end: str
    """``local`` or ``peer``."""
    ike_version: int
    """Of the IKE SA."""
    ike_proposal: str
    """The IKE SA's transforms, spelled as a proposal."""
    authentication: str
    """``psk`` or ``pubkey``: how the other end had to prove itself, and did."""
    remote_identity: str
    """Who the other end has proven to be."""
    encryption: str
    """The Child SA's encryption transform."""
    integrity: str | None
    """Its integrity transform."""
    esn: bool
    """Whether it has extended sequence numbers."""
    key_exchanges: tuple[str, ...]
    """Key exchanges of its own: perfect forward secrecy."""
    mode: str
    """``tunnel`` or ``transport``."""
    layering: str
    """What the data plane puts over transport mode: ``none``, ``gre`` or ``ipip``."""
    udp_encapsulation: bool
    """Whether ESP is in UDP."""
    replay_window_packets: int
    """Of the data plane."""
    ike_life: Lifetime
    """Of the IKE SA, as the endpoint has it."""
    child_seconds_left: float | None
    """Until the Child SA is deleted; None without a limit."""
    child_seconds_between: float | None
    """From its rekeying to that."""
    child_hard_bytes: float | None
    """Octets after which it is deleted."""
    child_hard_packets: float | None
    """Packets after which it is deleted."""


class ProofBed(OwnBed):
    """Two hosts with endpoints that have one connection with one child, as their files say.

    Only what no peer sees is the bed's own: cores, library and the MTU of the link.

    Args:
        suite: of the child.
        files: the configurations of both ends; the connection's name is that of the beds.
        core: processor that both planes are pinned to.
        encapsulated: ESP in UDP, whatever the files say; None: as they say.
        flow: where the packets come from and go to; None: within the inner networks.
        counted: whether SAs end after octets and packets as the files say; a trial may need more of them.
        library: the only one that the planes use.
    """

    def __init__(
        self,
        suite: str,
        files: tuple[EndpointFile, EndpointFile],
        *,
        core: int,
        encapsulated: bool | None = None,
        flow: Flow | None = None,
        counted: bool = True,
        library: str | None = None,
    ) -> None:
        as_written = files[0].configuration.connections[0].force_encapsulation
        super().__init__(
            (suite,),
            cores=(core, core),
            encapsulated=as_written if encapsulated is None else encapsulated,
            library=library,
            preferred=True,
        )
        self._files = files
        self._counted = counted
        if flow is not None:
            self.flows = {suite: flow}

    def _peer(self, here: Host, there: Host) -> OwnPeer:
        file = self._files[0 if here is self.hosts.local else 1]
        plane = self._plane_of(here)
        traffic = plane.traffic if file.data_plane is None else file.data_plane.traffic
        wide = replace(plane, traffic=replace(traffic, path_mtu_bytes=self._link_mtu_bytes))
        return OwnPeer(here, self._changed(file.configuration), wide)

    def _changed(self, configuration: EndpointConfiguration) -> EndpointConfiguration:
        connections = tuple(
            replace(
                each,
                force_encapsulation=self.encapsulation == "udp",
                children=each.children if self._counted else tuple(map(_uncounted, each.children)),
            )
            for each in configuration.connections
        )
        return replace(configuration, connections=connections)

    def take_down(self) -> None:
        """Delete the IKE SA with its Child SA, and wait until both ends have no Child SA any more.

        Raises:
            MeasurementError: it took too long.
        """

        def delete(endpoint: Endpoint, now: float) -> None:
            for association in endpoint.associations():
                endpoint.order(association.unique_id, lambda sa: sa.delete(now))

        self.sender.peer.driver.call(delete)
        peers = (self.sender.peer, self.receiver.peer)
        if not wait_until(lambda: not any(peer.child_sas for peer in peers), PATIENCE_SECONDS, _LOOK_AGAIN_SECONDS):
            raise MeasurementError("an IKE SA was deleted at one end only")

    def rekey(self) -> None:
        """Rekey the Child SA from the sender's end, and wait until both ends have its successor.

        Raises:
            MeasurementError: the rekeying failed, or took too long.
        """
        spi = self.sender.peer.rekey_child().outbound_spi
        there = self.receiver.peer
        if not wait_until(lambda: any(sa.inbound_spi == spi for sa in there.child_sas), PATIENCE_SECONDS):
            raise MeasurementError("the Child SA was rekeyed at one end only")

    def held(self) -> tuple[HeldSet, HeldSet]:
        """What both ends hold of the newest Child SA.

        Raises:
            MeasurementError: an end does not have it.
        """
        newest = self.sender.peer.child_sas[-1]
        return _held(self.sender.peer, "local", newest.inbound_spi), _held(
            self.receiver.peer, "peer", newest.outbound_spi
        )


def _uncounted(child: ChildConfiguration) -> ChildConfiguration:
    return replace(child, lifetime=Lifetime(child.lifetime.seconds))


def _held(peer: OwnPeer, end: str, inbound_spi: bytes) -> HeldSet:
    installer = peer.driver.child_sas

    def look(endpoint: Endpoint, now: float) -> HeldSet | None:
        for association in endpoint.associations():
            for child in association.child_sas:
                if child.inbound_spi == inbound_spi and association.info is not None and installer is not None:
                    traffic = installer.traffic_of(inbound_spi)
                    connection = endpoint.connection(association.info.connection)
                    negotiated = child.negotiated
                    first = () if negotiated.key_exchange is None else (negotiated.key_exchange,)
                    return HeldSet(
                        end=end,
                        ike_version=association.info.version,
                        ike_proposal=association.info.negotiated.text,
                        authentication=str(connection.remote.method),
                        remote_identity=str(association.info.remote_identity),
                        encryption=negotiated.encryption,
                        integrity=negotiated.integrity,
                        esn=negotiated.esn,
                        key_exchanges=(*first, *negotiated.additional_key_exchanges),
                        mode=child.mode.name.lower(),
                        layering=str(Layering.NONE if traffic is None else traffic.layering),
                        udp_encapsulation=child.udp_encapsulation,
                        replay_window_packets=0 if traffic is None else traffic.replay_window_packets,
                        ike_life=connection.lifetime,
                        child_seconds_left=_left(child, now),
                        child_seconds_between=_between(child),
                        child_hard_bytes=child.expiry.hard_bytes,
                        child_hard_packets=child.expiry.hard_packets,
                    )
        return None

    found = peer.driver.call(look)
    if found is None:
        raise MeasurementError(f"the end {end} does not hold the Child SA that the other end has")
    return found


def _left(child: ChildSaInfo, now: float) -> float | None:
    return None if child.expiry.hard_at is None else child.expiry.hard_at - now


def _between(child: ChildSaInfo) -> float | None:
    expiry = child.expiry
    return None if expiry.hard_at is None or expiry.soft_at is None else expiry.hard_at - expiry.soft_at
