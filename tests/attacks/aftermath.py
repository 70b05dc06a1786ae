"""What has to hold after an attack, whatever it was."""

from __future__ import annotations

from typing import Any

from tests.attacks.world import End, World

LATER_SECONDS = 200.0
"""After this long nothing half-open is left: longer than any retransmission goes on."""


def books(end: End) -> dict[str, object]:
    """What an endpoint still has in its books for IKE SAs and Child SAs that it has no more."""
    endpoint: Any = end.endpoint
    children = {child.inbound_spi for child in endpoint.child_sas}
    alive = {sa.unique_id for sa in endpoint.associations()}
    found: dict[str, object] = {
        "reserved SPIs": endpoint._reserved_child_spis - children,
        "owners": endpoint._child_owners.keys() - children,
        "SPIs": {spi for spi, number in endpoint._by_spi.items() if number not in alive},
        "times": set(endpoint._scheduled) - alive,
        "half-open": endpoint._admission.half_open,
        "first messages": set(endpoint._admission._key_of) - alive,
    }
    return {name: value for name, value in found.items() if value}


def still_serves(world: World) -> None:
    """Some time later nothing half-open is left and an honest initiator is served; in the end the books are empty."""
    world.sleep(LATER_SECONDS)
    for end in world.ends:
        for sa in end.endpoint.associations():
            assert not sa.half_open, f"something half-open is left: {end.lines[-3:]}"
        tell_tales = [line for line in end.lines if not line.isprintable() or len(line) > 2000]
        assert not tell_tales, f"lines of the log that a terminal must not be shown: {tell_tales!r}"
    fresh = World(world.version, seed=99, **world.options)
    fresh.responder, fresh.now = world.responder, world.now
    fresh.responder.sent.clear()
    before = len(fresh.responder.events)
    fresh.initiate()
    fresh.run()
    assert len(fresh.initiator.endpoint.child_sas) == 1, f"an honest peer is not served: {world.responder.lines[-5:]}"
    assert len(fresh.responder.events) > before
    for one in (world, fresh):
        for end in one.ends:
            end.endpoint.shut_down(one.now)
            end.collect()
        one.run()
        one.sleep(LATER_SECONDS)
        for end in one.ends:
            assert end.count == 0, f"an IKE SA does not end: {end.lines[-3:]}"
            assert not books(end), f"an endpoint has not forgotten everything: {books(end)}"
