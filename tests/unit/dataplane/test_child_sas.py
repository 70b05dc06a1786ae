"""Each rule of putting Child SAs to use, event by event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ipsecbench.dataplane.child_sas import ChildSaInstaller
from ipsecbench.dataplane.child_traffic import ChildTraffic, TrafficConfiguration
from ipsecbench.dataplane.interface import PlaneEvent, PlaneEventKind
from ipsecbench.errors import DataPlaneError, UsageError
from ipsecbench.esp.configuration import Direction, DontFragment, Layering, UdpEncapsulation
from ipsecbench.esp.mode import Mode
from ipsecbench.esp.traffic_selector import parse_traffic_selector
from ipsecbench.ike.association import Association
from ipsecbench.ike.events import (
    ChildSaDeleted,
    ChildSaEstablished,
    ChildSaInfo,
    ChildSaPrepared,
    ChildSaRekeyed,
    ChildSaWithdrawn,
    IkeSaDeleted,
    IkeSaEstablished,
    IkeSaInfo,
    IkeSaRekeyed,
    NegotiatedEsp,
    NegotiatedIke,
    PathChanged,
    SaKeys,
)
from ipsecbench.ike.identification import Identity
from ipsecbench.ike.lifetime import Expiry
from ipsecbench.ike.path import Address, Path
from ipsecbench.secret import Secret
from tests.unit.dataplane.recording import RecordingPlane, RecordingRoutes

PATH = Path(Address("192.0.2.1", 4500), Address("192.0.2.2", 4500))
NOBODY = Identity(0, b"")


def ike_sa(number: int = 1, connection: str = "c") -> IkeSaInfo:
    negotiated = NegotiatedIke("aes128", "sha256", "prfsha256", "x25519")
    return IkeSaInfo(number, 2, connection, True, bytes(8), bytes(8), PATH, NOBODY, NOBODY, negotiated, False, False)


def child(number: int, **changes: Any) -> ChildSaInfo:
    """A Child SA whose SPIs are 0x1000 and 0x2000 more than its number."""
    info = ChildSaInfo(
        ike_unique_id=1,
        name="net",
        version=2,
        is_initiator=True,
        inbound_spi=(0x1000 + number).to_bytes(4),
        outbound_spi=(0x2000 + number).to_bytes(4),
        mode=Mode.TUNNEL,
        local_ts=(parse_traffic_selector("10.1.0.0/16"),),
        remote_ts=(parse_traffic_selector("10.2.0.0/16"),),
        negotiated=NegotiatedEsp("aes128", "sha256", esn=True),
        inbound=SaKeys(Secret(bytes([number] * 16)), Secret(bytes(32))),
        outbound=SaKeys(Secret(bytes([number + 100] * 16)), Secret(bytes(32))),
        udp_encapsulation=False,
        path=PATH,
        expiry=Expiry(None, None),
    )
    return replace(info, **changes)


def deleted(info: ChildSaInfo) -> ChildSaDeleted:
    return ChildSaDeleted(info.ike_unique_id, info.name, info.inbound_spi, info.outbound_spi, "")


class Recorder:
    """The endpoint: what is asked of it."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.gone = False

    def report_traffic(self, inbound_spi: bytes, octets: int, packets: int, now: float) -> None:
        self.asked.append(("traffic", inbound_spi.hex(), octets, packets))

    def report_path(self, inbound_spi: bytes, remote: Address, now: float) -> None:
        self.asked.append(("path", inbound_spi.hex(), remote))

    def order(self, unique_id: int, action: Callable[[Association], None]) -> None:
        if self.gone:
            raise UsageError("there is no such IKE SA")
        action(_Association(unique_id, self.asked))  # type: ignore[arg-type]


class _Association:
    def __init__(self, unique_id: int, asked: list[tuple[Any, ...]]) -> None:
        self._unique_id = unique_id
        self._asked = asked

    def rekey_child_sa(self, inbound_spi: bytes, now: float) -> None:
        self._asked.append(("rekey", self._unique_id, inbound_spi.hex()))

    def delete_child_sa(self, inbound_spi: bytes, now: float) -> None:
        self._asked.append(("delete", self._unique_id, inbound_spi.hex()))


class Scene:
    """An installer over a plane that records."""

    def __init__(self, traffic: ChildTraffic | None = None) -> None:
        self.plane = RecordingPlane()
        self.routes = RecordingRoutes()
        self.orders = Recorder()
        self.log: list[str] = []
        children = {} if traffic is None else {("c", "net"): traffic}
        self.installer = ChildSaInstaller(self.plane, TrafficConfiguration(children), self.routes)
        self.installer.log = lambda cause, text: self.log.append(text)
        self.now = 100.0
        self.see(IkeSaEstablished(ike_sa()))

    def see(self, *events: Any) -> list[str]:
        """Events; what the plane was told because of them."""
        before = len(self.plane.calls)
        for event in events:
            self.installer.handle(event, self.now)
        return self.plane.calls[before:]

    def wait(self, seconds: float) -> list[str]:
        """Time passes, with polls when they are due; what the plane was told."""
        before = len(self.plane.calls)
        end = self.now + seconds
        while self.installer.next_timeout() <= end:
            self.now = max(self.now, self.installer.next_timeout())
            self.installer.poll(self.orders, self.now)
        self.now = end
        return self.plane.calls[before:]

    @property
    def sealing(self) -> int:
        """The SPI that outbound packets get."""
        sealed = self.plane.seal()
        assert sealed is not None
        return sealed.spi

    def opens(self, number: int) -> bool:
        return 0x1000 + number in self.plane.spis(Direction.INBOUND)


@pytest.fixture
def scene() -> Scene:
    return Scene()


# ── one Child SA ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("initiator", [True, False])
def test_the_first_child_sa_is_used_at_once_and_gone_without_a_trace(
    scene: Scene, version: int, initiator: bool
) -> None:
    info = child(1, version=version, is_initiator=initiator)
    # Policies after the SAs that they need, so that no packet meets one without the other.
    assert scene.see(ChildSaEstablished(info)) == ["+in 1001", "+out 2001", "+policy in 1", "+policy out 1"]
    assert scene.routes.wanted == {"10.2.0.0/16": 1}
    assert scene.see(deleted(info)) == ["-policy in 1", "-policy out 1", "-out 2001", "-in 1001"]
    assert +scene.routes.wanted == {}
    assert not scene.plane.sas
    assert scene.wait(20.0) == []


def test_a_plane_is_told_what_was_negotiated_and_configured() -> None:
    traffic = ChildTraffic(replay_window_packets=1024, dont_fragment=DontFragment.SET, copy_dscp=False, tfc_bytes=1000)
    scene = Scene(traffic)
    info = child(1, udp_encapsulation=True, path=Path(Address("192.0.2.1", 4500), Address("192.0.2.9", 20000)))
    scene.see(ChildSaEstablished(info))
    inbound = scene.plane.sas[Direction.INBOUND, 0x1001]
    outbound = scene.plane.sas[Direction.OUTBOUND, 0x2001]
    assert (inbound.encryption_key, outbound.encryption_key) == (info.inbound.encryption, info.outbound.encryption)
    assert (inbound.integrity_key, outbound.integrity_key) == (info.inbound.integrity, info.outbound.integrity)
    assert inbound.suite.name == outbound.suite.name == "aes128-sha256"
    assert inbound.esn
    assert outbound.esn
    assert (inbound.source, inbound.destination) == ("192.0.2.9", "192.0.2.1")
    assert (outbound.source, outbound.destination) == ("192.0.2.1", "192.0.2.9")
    assert inbound.encapsulation == UdpEncapsulation(20000, 4500)
    assert outbound.encapsulation == UdpEncapsulation(4500, 20000)
    assert inbound.replay_window_packets == 1024
    assert (outbound.dont_fragment, outbound.copy_dscp, outbound.tfc_bytes) == (DontFragment.SET, False, 1000)
    (pair,) = inbound.selectors
    assert (str(pair.source), str(pair.destination)) == ("10.2.0.0/16", "10.1.0.0/16")
    inward, outward = scene.plane.policies
    assert [str(each.source) for each in (*inward.selectors, *outward.selectors)] == ["10.2.0.0/16", "10.1.0.0/16"]


def test_without_udp_there_are_no_ports(scene: Scene) -> None:
    scene.see(ChildSaEstablished(child(1)))
    assert all(sa.encapsulation is None for sa in scene.plane.sas.values())


def test_two_children_have_policies_of_their_own(scene: Scene) -> None:
    other = child(2, name="other", remote_ts=(parse_traffic_selector("10.3.0.0/16"),))
    scene.see(ChildSaEstablished(child(1)), ChildSaEstablished(other))
    assert {policy.reqid for policy in scene.plane.policies} == {1, 2}
    assert scene.see(deleted(child(1))) == ["-policy in 1", "-policy out 1", "-out 2001", "-in 1001"]


def test_layering_carries_other_traffic_than_ike_has_negotiated() -> None:
    inner = (parse_traffic_selector("10.1.0.0/16"),), (parse_traffic_selector("10.2.0.0/16"),)
    scene = Scene(ChildTraffic(Layering.GRE, *inner))
    outer = [(parse_traffic_selector(f"192.0.2.{end}/32[gre]"),) for end in (1, 2)]
    scene.see(ChildSaEstablished(child(1, mode=Mode.TRANSPORT, local_ts=outer[0], remote_ts=outer[1])))
    assert {sa.layering for sa in scene.plane.sas.values()} == {Layering.GRE}
    assert {str(pair.source) for policy in scene.plane.policies for pair in policy.selectors} == {
        "10.1.0.0/16",
        "10.2.0.0/16",
    }
    assert scene.routes.wanted == {"10.2.0.0/16": 1}


def test_layering_without_transport_mode_is_refused_and_the_child_sa_deleted() -> None:
    scene = Scene(ChildTraffic(Layering.IPIP, (), (parse_traffic_selector("10.2.0.0/16"),)))
    scene.see(ChildSaEstablished(child(1)))
    assert not scene.plane.sas
    scene.wait(1.0)
    assert scene.orders.asked == [("delete", 1, "00001001")]
    assert "ipip needs transport mode" in scene.log[0]


def test_selectors_of_two_versions_are_paired_with_their_own(scene: Scene) -> None:
    local = tuple(map(parse_traffic_selector, ("10.1.0.0/16", "2001:db8:1::/48")))
    remote = tuple(map(parse_traffic_selector, ("10.2.0.0/16", "2001:db8:2::/48")))
    scene.see(ChildSaEstablished(child(1, local_ts=local, remote_ts=remote)))
    assert [len(policy.selectors) for policy in scene.plane.policies] == [2, 2]


# ── replacement ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("version", "initiator"), [(2, True), (1, False)])
def test_who_knows_that_the_peer_has_it_uses_a_new_child_sa_at_once(
    scene: Scene, version: int, initiator: bool
) -> None:
    old, new = child(1, version=version), child(2, version=version, is_initiator=initiator)
    scene.see(ChildSaEstablished(old))
    assert scene.see(ChildSaRekeyed(old.inbound_spi, new)) == ["+in 1002", "+out 2002"]
    assert scene.sealing == 0x2002
    # What the peer has sent with the old one comes for a while, also after its end.
    assert scene.see(deleted(old)) == ["-out 2001"]
    assert scene.wait(4.9) == []
    assert scene.opens(1)
    assert scene.wait(0.2) == ["-in 1001"]
    assert scene.see(deleted(new)) == ["-policy in 1", "-policy out 1", "-out 2002", "-in 1002"]


@pytest.mark.parametrize(("version", "initiator"), [(2, False), (1, True)])
def test_who_does_not_know_uses_the_old_child_sa_until_it_is_deleted(
    scene: Scene, version: int, initiator: bool
) -> None:
    old, new = child(1, version=version), child(2, version=version, is_initiator=initiator)
    scene.see(ChildSaEstablished(old))
    assert scene.see(ChildSaRekeyed(old.inbound_spi, new)) == ["+in 1002"]
    assert scene.sealing == 0x2001
    # The new one is there before the old one goes.
    assert scene.see(deleted(old)) == ["+out 2002", "-out 2001"]
    assert scene.sealing == 0x2002
    assert scene.wait(6.0) == ["-in 1001"]


@pytest.mark.parametrize(("version", "initiator"), [(2, False), (1, True)])
def test_a_packet_of_the_peer_shows_that_it_has_the_new_child_sa(scene: Scene, version: int, initiator: bool) -> None:
    old, new = child(1, version=version), child(2, version=version, is_initiator=initiator)
    scene.see(ChildSaEstablished(old), ChildSaRekeyed(old.inbound_spi, new))
    assert scene.wait(2.5) == []
    scene.plane.carried[Direction.INBOUND, 0x1002] += 1
    assert scene.wait(1.0) == ["+out 2002"]
    assert scene.see(deleted(old)) == ["-out 2001"]


def test_a_new_child_sa_is_used_in_the_end_though_the_peer_neither_sends_nor_deletes(scene: Scene) -> None:
    scene.see(ChildSaEstablished(child(1)), ChildSaRekeyed(child(1).inbound_spi, child(2, is_initiator=False)))
    assert scene.wait(9.5) == []
    assert scene.wait(1.0) == ["+out 2002"]
    assert scene.sealing == 0x2002


def test_an_old_child_sa_that_carries_nothing_any_more_is_not_waited_for(scene: Scene) -> None:
    scene.see(ChildSaEstablished(child(1)), ChildSaRekeyed(child(1).inbound_spi, child(2, is_initiator=False)))
    scene.plane.events.append(PlaneEvent(PlaneEventKind.HARD_LIMIT, Direction.OUTBOUND, 0x2001))
    scene.wait(1.0)
    assert scene.sealing == 0x2002


def test_a_prepared_child_sa_opens_only_until_it_is_confirmed(scene: Scene) -> None:
    """The responder of an IKEv1 quick mode: packets may overtake the last message."""
    old, new = child(1, version=1), child(2, version=1, is_initiator=False)
    scene.see(ChildSaEstablished(old))
    assert scene.see(ChildSaPrepared(new)) == ["+in 1002"]
    assert scene.opens(2)
    assert scene.sealing == 0x2001
    assert scene.see(ChildSaRekeyed(old.inbound_spi, new)) == ["+out 2002"]
    assert scene.sealing == 0x2002
    assert scene.see(deleted(old)) == ["-out 2001"]
    scene.wait(6.0)
    assert scene.see(deleted(new)) == ["-policy in 1", "-policy out 1", "-out 2002", "-in 1002"]


def test_a_prepared_child_sa_that_is_the_first(scene: Scene) -> None:
    info = child(1, version=1, is_initiator=False)
    assert scene.see(ChildSaPrepared(info)) == ["+in 1001", "+policy in 1"]
    assert scene.see(ChildSaEstablished(info)) == ["+out 2001", "+policy out 1"]


@pytest.mark.parametrize("first", [True, False])
def test_a_prepared_child_sa_that_is_withdrawn_leaves_nothing(scene: Scene, first: bool) -> None:
    if not first:
        scene.see(ChildSaEstablished(child(1)))
    before = dict(scene.plane.sas)
    info = child(2, version=1, is_initiator=False)
    scene.see(ChildSaPrepared(info), ChildSaWithdrawn(1, info.name, info.inbound_spi))
    scene.wait(6.0)
    assert scene.plane.sas == before
    assert len(scene.plane.policies) == (0 if first else 2)
    assert not scene.orders.asked


def test_a_prepared_child_sa_does_not_take_over_when_the_old_one_goes(scene: Scene) -> None:
    scene.see(ChildSaEstablished(child(1)), ChildSaPrepared(child(2, version=1, is_initiator=False)))
    assert "+out 2002" not in scene.see(deleted(child(1)))


def test_a_successor_of_a_successor_waits_too(scene: Scene) -> None:
    responder = {"is_initiator": False}
    scene.see(ChildSaEstablished(child(1)), ChildSaRekeyed(child(1).inbound_spi, child(2, **responder)))
    assert scene.see(ChildSaRekeyed(child(2).inbound_spi, child(3, **responder))) == ["+in 1003"]
    assert scene.see(deleted(child(1))) == ["+out 2002", "-out 2001"]
    assert scene.see(deleted(child(2))) == ["+out 2003", "-out 2002"]
    assert scene.wait(30.0) == ["-in 1001", "-in 1002"]


def test_rekeying_of_the_ike_sa_touches_nothing_and_its_children_are_found_under_the_new_one(scene: Scene) -> None:
    info = child(1)
    scene.see(ChildSaEstablished(info))
    assert scene.see(IkeSaRekeyed(1, ike_sa(2)), IkeSaDeleted(1, "c", "replaced")) == []
    moved = PathChanged(2, Path(PATH.local, Address("198.51.100.7", 1)))
    assert scene.see(moved) == [
        "move in 1001 198.51.100.7 192.0.2.1",
        "move out 2001 192.0.2.1 198.51.100.7",
    ]
    # And a successor made under the new IKE SA is of the same family.
    new = child(2, ike_unique_id=2)
    assert scene.see(ChildSaRekeyed(info.inbound_spi, new)) == ["+in 1002", "+out 2002"]


def test_other_selectors_after_rekeying_have_a_policy_of_their_own_when_it_is_used(scene: Scene) -> None:
    old = child(1)
    new = child(2, is_initiator=False, remote_ts=(parse_traffic_selector("10.2.0.0/17"),))
    scene.see(ChildSaEstablished(old))
    assert scene.see(ChildSaRekeyed(old.inbound_spi, new)) == ["+in 1002", "+policy in 2"]
    assert scene.see(deleted(old)) == [
        "+out 2002",
        "+policy out 2",
        "-policy in 1",
        "-policy out 1",
        "-out 2001",
    ]


# ── collisions: both ends replace the same Child SA at once ──────────────────────────────────────────────────────────


def test_the_one_made_here_in_vain_gives_way_to_the_peers(scene: Scene) -> None:
    old, peers, own = child(1), child(2, is_initiator=False), child(3)
    scene.see(ChildSaEstablished(old))
    assert scene.see(ChildSaRekeyed(old.inbound_spi, peers)) == ["+in 1002"]
    assert scene.see(ChildSaRekeyed(old.inbound_spi, own)) == ["+in 1003", "+out 2003"]
    # This end deletes its own; the old one carries on, which the peer deletes in its turn.
    assert scene.see(deleted(own)) == ["-out 2003"]
    assert scene.sealing == 0x2001
    assert scene.see(deleted(old)) == ["+out 2002", "-out 2001"]
    assert scene.wait(6.0) == ["-in 1003", "-in 1001"]
    assert scene.sealing == 0x2002


def test_the_peers_is_used_when_the_old_one_has_gone_before_the_one_made_in_vain(scene: Scene) -> None:
    old, peers, own = child(1), child(2, is_initiator=False), child(3)
    scene.see(ChildSaEstablished(old), ChildSaRekeyed(old.inbound_spi, peers), ChildSaRekeyed(old.inbound_spi, own))
    assert scene.see(deleted(old)) == ["-out 2001"]
    assert scene.sealing == 0x2003
    assert scene.see(deleted(own)) == ["+out 2002", "-out 2003"]
    assert scene.sealing == 0x2002


def test_the_one_made_here_stays_when_the_peer_deletes_its_own(scene: Scene) -> None:
    old, peers, own = child(1), child(2, is_initiator=False), child(3)
    scene.see(ChildSaEstablished(old), ChildSaRekeyed(old.inbound_spi, own), ChildSaRekeyed(old.inbound_spi, peers))
    assert scene.sealing == 0x2003
    scene.see(deleted(peers))
    assert scene.sealing == 0x2003
    scene.see(deleted(old))
    assert scene.sealing == 0x2003
    assert scene.wait(10.0) == ["-in 1002", "-in 1001"]


# ── paths ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_path_moves_both_sas_with_their_ports(scene: Scene) -> None:
    scene.see(ChildSaEstablished(child(1, udp_encapsulation=True)))
    scene.see(PathChanged(1, Path(PATH.local, Address("198.51.100.7", 30000))))
    assert scene.plane.sas[Direction.OUTBOUND, 0x2001].encapsulation == UdpEncapsulation(4500, 30000)
    assert scene.plane.sas[Direction.INBOUND, 0x1001].encapsulation == UdpEncapsulation(30000, 4500)
    # A successor begins where the peer is now.
    assert scene.see(PathChanged(9, PATH)) == []


@pytest.mark.parametrize("encapsulated", [True, False])
def test_an_authentic_packet_from_elsewhere_is_told_to_ike(scene: Scene, encapsulated: bool) -> None:
    scene.see(ChildSaEstablished(child(1, udp_encapsulation=encapsulated)))
    event = PlaneEvent(PlaneEventKind.PATH_CHANGED, Direction.INBOUND, 0x1001, "198.51.100.7", 30000)
    unknown = replace(event, spi=0x1999)
    scene.plane.events += [event, unknown]
    scene.wait(1.0)
    expected = [("path", "00001001", Address("198.51.100.7", 30000))] if encapsulated else []
    assert scene.orders.asked == expected


# ── lives ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_limits_go_to_the_plane(scene: Scene) -> None:
    expiry = Expiry(150.0, 160.0, 900.4, 1000.0, 9.5, 10.0)
    scene.see(ChildSaEstablished(child(1, expiry=expiry)))
    for sa in scene.plane.sas.values():
        limits = sa.limits
        assert (limits.soft_bytes, limits.hard_bytes, limits.soft_packets, limits.hard_packets) == (901, 1000, 10, 10)
        # 160 s less the 100 s that it is by now; the soft limit in time is IKE's business.
        assert (limits.soft_seconds, limits.hard_seconds) == (0.0, 60.0)


def test_sequence_numbers_of_32_bits_end_some_time(scene: Scene) -> None:
    scene.see(ChildSaEstablished(child(1, negotiated=NegotiatedEsp("aes128", "sha256", esn=False))))
    limits = scene.plane.sas[Direction.OUTBOUND, 0x2001].limits
    assert 2**31 < limits.soft_packets < 2**32
    assert limits.hard_packets == 0


def test_traffic_of_children_with_limits_is_reported(scene: Scene) -> None:
    limited, free = child(1, expiry=Expiry(None, None, hard_bytes=1e9)), child(2, name="free")
    scene.see(ChildSaEstablished(limited), ChildSaEstablished(free))
    scene.plane.carried[Direction.INBOUND, 0x1001] = 3
    scene.plane.carried[Direction.OUTBOUND, 0x2001] = 5
    scene.wait(2.5)
    assert scene.orders.asked == [("traffic", "00001001", 5000, 5)] * 3


@pytest.mark.parametrize(
    ("kind", "direction", "spi"),
    [
        (PlaneEventKind.SOFT_LIMIT, Direction.OUTBOUND, 0x2001),
        (PlaneEventKind.SEQUENCE_EXHAUSTED, Direction.OUTBOUND, 0x2001),
        (PlaneEventKind.SOFT_LIMIT, Direction.INBOUND, 0x1001),
    ],
)
def test_what_will_not_last_is_rekeyed(scene: Scene, kind: PlaneEventKind, direction: Direction, spi: int) -> None:
    scene.see(ChildSaEstablished(child(1)))
    scene.plane.events.append(PlaneEvent(kind, direction, spi))
    scene.wait(1.0)
    assert scene.orders.asked == [("traffic", "00001001", 0, 0), ("rekey", 1, "00001001")]


def test_a_soft_limit_of_ike_is_judged_by_ike(scene: Scene) -> None:
    # IKE knows whether the child is to be rekeyed at all; it is told, and not ordered.
    scene.see(ChildSaEstablished(child(1, expiry=Expiry(None, None, soft_packets=5, hard_packets=10))))
    scene.plane.carried[Direction.OUTBOUND, 0x2001] = 5
    scene.plane.events.append(PlaneEvent(PlaneEventKind.SOFT_LIMIT, Direction.OUTBOUND, 0x2001))
    scene.wait(0.5)
    assert set(scene.orders.asked) == {("traffic", "00001001", 5000, 5)}


def test_what_has_reached_its_hard_limit_is_deleted(scene: Scene) -> None:
    scene.see(ChildSaEstablished(child(1)))
    scene.plane.events.append(PlaneEvent(PlaneEventKind.HARD_LIMIT, Direction.INBOUND, 0x1001))
    scene.wait(1.0)
    assert scene.orders.asked == [("traffic", "00001001", 0, 0), ("delete", 1, "00001001")]


def test_an_order_for_an_ike_sa_that_is_gone_is_no_error(scene: Scene) -> None:
    scene.orders.gone = True
    scene.see(ChildSaEstablished(child(1)))
    scene.plane.events.append(PlaneEvent(PlaneEventKind.HARD_LIMIT, Direction.INBOUND, 0x1001))
    scene.wait(1.0)


# ── failures ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_child_sa_that_the_plane_refuses_is_deleted_and_leaves_nothing(scene: Scene) -> None:
    scene.plane.refuses = {"aes128-sha256"}
    scene.see(ChildSaEstablished(child(1)))
    assert not scene.plane.sas
    assert not scene.plane.policies
    scene.wait(1.0)
    assert scene.orders.asked == [("delete", 1, "00001001")]
    assert scene.log == ["Child SA net cannot be put to use: there is no aes128-sha256 here"]
    assert scene.see(deleted(child(1))) == []


def test_a_replacement_that_the_plane_refuses_leaves_the_old_child_sa_in_use(scene: Scene) -> None:
    old = child(1)
    scene.see(ChildSaEstablished(old))
    scene.plane.refuses = {"3des-sha1"}
    new = child(2, negotiated=NegotiatedEsp("3des", "sha1", esn=False))
    scene.see(ChildSaRekeyed(old.inbound_spi, new))
    assert scene.sealing == 0x2001
    assert scene.opens(1)


def test_a_plane_that_has_ended_is_noticed_and_what_ike_says_afterwards_does_no_harm(scene: Scene) -> None:
    info = child(1)
    scene.see(ChildSaEstablished(info))
    scene.plane.dead = True
    with pytest.raises(DataPlaneError, match="the data plane has ended"):
        scene.installer.poll(scene.orders, scene.now)
    scene.see(PathChanged(1, PATH), ChildSaRekeyed(info.inbound_spi, child(2)), deleted(child(2)), deleted(info))


def test_statistics_name_every_child_sa(scene: Scene) -> None:
    scene.see(ChildSaEstablished(child(1)))
    scene.plane.carried[Direction.OUTBOUND, 0x2001] = 5
    ((info, inbound, outbound),) = scene.installer.child_sas()
    assert (info.name, inbound.packets, outbound.packets) == ("net", 0, 5)
