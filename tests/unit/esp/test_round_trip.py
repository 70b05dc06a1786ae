"""What goes in at one end comes out at the other, in every suite, mode and IP version; lengths are as computed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.esp.configuration import Layering, UdpEncapsulation
from ipsecbench.esp.mode import Mode
from ipsecbench.esp.overhead import Encapsulation, inner_mtu_bytes, wire_bytes
from ipsecbench.wire.ip import parse_ip
from tests.unit.esp.esp_pair import ENDS, PORTS, Pair, available_suites, layerings, sa_of
from tests.unit.esp.inner_packets import udp_packet

pytestmark = pytest.mark.slow


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
    st.sampled_from(layerings()),
    st.sampled_from([4, 6]),
    st.sampled_from([4, 6]),
    st.booleans(),
    st.integers(48, 9000),
)
@settings(deadline=None)
def test_lengths_are_those_of_overhead(
    name: str, way: tuple[Mode, Layering], outer: int, inner: int, encapsulated: bool, size: int
) -> None:
    mode, layering = way
    ports = PORTS if encapsulated else None
    sa = sa_of(name, version=outer, mode=mode, layering=layering, encapsulation=ports, path_mtu_bytes=20000)
    packet = inner_of(mode, layering, inner, outer, size)
    (octets,) = Pair(sa).on_the_wire(packet)
    expected = wire_bytes(esp_suites()[name], size, Encapsulation(mode.value, f"ipv{outer}", encapsulated, layering))
    assert len(octets) == expected
    # The packet says of itself that it is as long.
    assert parse_ip(octets).total_bytes == expected


@given(
    st.sampled_from(available_suites()),
    st.sampled_from(layerings()),
    st.sampled_from([4, 6]),
    st.booleans(),
    st.integers(1280, 9000),
)
@settings(deadline=None)
def test_the_largest_packet_that_fits_is_one_packet_and_the_next_is_none(
    name: str, way: tuple[Mode, Layering], outer: int, encapsulated: bool, mtu: int
) -> None:
    mode, layering = way
    ports = PORTS if encapsulated else None
    pair = Pair(sa_of(name, version=outer, mode=mode, layering=layering, encapsulation=ports, path_mtu_bytes=mtu))
    outside = Encapsulation(mode.value, f"ipv{outer}", encapsulated, layering)
    longest = inner_mtu_bytes(esp_suites()[name], mtu, outside)
    (octets,) = pair.on_the_wire(inner_of(mode, layering, outer, outer, longest))
    assert len(octets) <= mtu
    # An IPv4 packet that may be cut goes out in two; an IPv6 packet of more than every link takes goes back.
    inner = 6 if outer == 6 and longest >= 1280 else 4
    if mode is Mode.TRANSPORT and layering is Layering.NONE:
        inner = outer
    output = pair.first.protect(inner_of(mode, layering, inner, outer, longest + 1), 2.0)
    pieces = [piece for one in output.outside for piece in one.packets()]
    assert not pieces or all(len(piece) <= mtu for piece in pieces)
    assert len(pieces) != 1
