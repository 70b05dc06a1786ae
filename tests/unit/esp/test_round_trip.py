"""What goes in at one end comes out at the other, in every suite, mode and IP version; lengths are as computed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.esp.configuration import Layering, UdpEncapsulation
from ipsecbench.esp.mode import Mode
from ipsecbench.esp.overhead import Encapsulation, wire_bytes
from ipsecbench.wire.ip import parse_ip
from tests.unit.esp.esp_pair import ENDS, PORTS, Pair, available_suites, layerings, sa_of
from tests.unit.esp.inner_packets import udp_packet


def inner_of(mode: Mode, layering: Layering, inner: int, outer: int, size: int) -> bytes:
    """A packet that the mode carries: in plain transport mode between the two ends themselves."""
    if mode is Mode.TRANSPORT and layering is Layering.NONE:
        return udp_packet(outer, size, ENDS[outer])
    return udp_packet(inner, size)


@pytest.mark.parametrize("esn", [False, True], ids=["", "esn"])
@pytest.mark.parametrize("encapsulation", [None, PORTS], ids=["", "udp"])
@pytest.mark.parametrize("name", available_suites())
def test_every_suite_mode_and_version(name: str, encapsulation: UdpEncapsulation | None, esn: bool) -> None:
    for mode, layering in layerings():
        for outer in (4, 6):
            for inner in (4, 6):
                sa = sa_of(name, version=outer, mode=mode, layering=layering, encapsulation=encapsulation, esn=esn)
                pair = Pair(sa)
                for size in (60, 61, 100, 1280):
                    packet = inner_of(mode, layering, inner, outer, size)
                    assert pair.carried(packet) == [packet], (mode, layering, outer, inner, size)
                assert not pair.second.dropped
                assert not pair.first.dropped


@given(
    st.sampled_from(available_suites()),
    st.sampled_from(list(Mode)),
    st.sampled_from([4, 6]),
    st.sampled_from([4, 6]),
    st.booleans(),
    st.integers(48, 9000),
)
@settings(deadline=None)
def test_lengths_are_those_of_overhead(
    name: str, mode: Mode, outer: int, inner: int, encapsulated: bool, size: int
) -> None:
    sa = sa_of(name, version=outer, mode=mode, encapsulation=PORTS if encapsulated else None, path_mtu_bytes=20000)
    packet = inner_of(mode, Layering.NONE, inner, outer, size)
    (octets,) = Pair(sa).on_the_wire(packet)
    expected = wire_bytes(esp_suites()[name], size, Encapsulation(mode.value, f"ipv{outer}", encapsulated))
    assert len(octets) == expected
    # The packet says of itself that it is as long.
    assert parse_ip(octets).total_bytes == expected
