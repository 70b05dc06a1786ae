"""The driver and a data plane: keys first, datagrams afterwards; and how the end of a data plane shows."""

from __future__ import annotations

import time
from typing import Any

import pytest

from ipsecbench.dataplane.child_sas import ChildSaInstaller
from ipsecbench.dataplane.interface import PlaneEvent, PlaneEventKind
from ipsecbench.errors import DataPlaneError, MeasurementError
from ipsecbench.esp.configuration import Direction
from ipsecbench.ike.configuration import EndpointConfiguration
from ipsecbench.ike.events import ChildSaEstablished, IkeSaDeleted, IkeSaFailed, PeerAlive
from ipsecbench.ike.path import Address, Datagram, Path
from ipsecbench.lab.driver import Driver
from tests.unit.dataplane.recording import RecordingPlane
from tests.unit.dataplane.test_child_sas import child

DATAGRAM = Datagram(Path(Address("192.0.2.1", 500), Address("192.0.2.2", 500)), b"message")


class Ordered(Driver):
    """A driver that notes what it does instead of sending."""

    def __init__(self, plane: RecordingPlane | None, **settings: Any) -> None:
        self.done: list[str] = []
        installer = None if plane is None else ChildSaInstaller(plane)
        super().__init__(EndpointConfiguration(()), [], child_sas=installer, **settings)

    def _transmit(self, datagram: Datagram) -> None:
        plane = None if self.child_sas is None else self.child_sas.plane
        calls = plane.calls if isinstance(plane, RecordingPlane) else []
        self.done.append(f"sent after {len(calls)} calls")


def test_keys_are_in_place_before_a_datagram_leaves() -> None:
    driver = Ordered(RecordingPlane())

    def step() -> None:
        # As a responder does it: the answer first, then the keys.
        driver.endpoint.send(DATAGRAM)
        driver.endpoint.emit(ChildSaEstablished(child(1)))

    driver.post(step)
    driver.post(lambda: driver.shut_down(0.0))
    driver.run()
    driver.close()
    assert driver.done == ["sent after 4 calls"]


def test_without_a_data_plane_a_datagram_leaves_at_once() -> None:
    driver = Ordered(None)
    driver.endpoint.send(DATAGRAM)
    assert driver.done == ["sent after 0 calls"]
    driver.close()


def test_what_a_data_plane_says_is_handed_on() -> None:
    plane = RecordingPlane()
    seen: list[PlaneEvent] = []
    event = PlaneEvent(PlaneEventKind.SOFT_LIMIT, Direction.OUTBOUND, 0x2001)
    plane.events.append(event)
    driver = Ordered(plane, on_plane_event=seen.append)
    driver.start()
    deadline = time.monotonic() + 5.0
    while not seen and time.monotonic() < deadline:
        time.sleep(0.01)
    driver.stop(0.0)
    assert seen == [event]


def test_the_end_of_a_data_plane_ends_the_loop_with_its_error() -> None:
    plane = RecordingPlane()
    plane.dead = True
    driver = Ordered(plane)
    with pytest.raises(DataPlaneError, match="the data plane has ended"):
        driver.run()
    driver.close()
    driver = Ordered(plane)
    driver.start()
    # Who waits for something is told at once, and not only when the time is over.
    with pytest.raises(DataPlaneError, match="the data plane has ended"):
        driver.wait_for(PeerAlive, timeout=30.0)
    driver.stop(0.0)


def test_waiting_for_one_of_several_kinds() -> None:
    driver = Ordered(None)
    driver.start()
    with pytest.raises(MeasurementError, match=r"no IkeSaFailed or IkeSaDeleted within 0\.05 s; newest: no event"):
        driver.wait_for((IkeSaFailed, IkeSaDeleted), timeout=0.05)
    driver.call(lambda endpoint, now: endpoint.emit(IkeSaDeleted(7, "c", "over")))
    assert driver.wait_for((IkeSaFailed, IkeSaDeleted), timeout=5.0) == IkeSaDeleted(7, "c", "over")
    driver.stop(0.0)
