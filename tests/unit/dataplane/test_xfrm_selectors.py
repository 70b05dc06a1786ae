"""Selectors: the kernel's select the same packets as ours."""

from __future__ import annotations

import random

import pytest

from ipsecbench.dataplane.xfrm_messages import KernelSelector
from ipsecbench.dataplane.xfrm_selectors import covering_selector, kernel_selectors, sole_selector
from ipsecbench.errors import DataPlaneError
from ipsecbench.esp.configuration import SelectorPair
from ipsecbench.esp.traffic_selector import TrafficSelector, parse_traffic_selector


def pair(source: str, destination: str) -> SelectorPair:
    return SelectorPair(parse_traffic_selector(source), parse_traffic_selector(destination))


def selects(selector: KernelSelector, source: int, destination: int, ports: tuple[int, int]) -> bool:
    """What Linux does (net/xfrm/xfrm_policy.c, __xfrm4_selector_match)."""
    width = 32 if selector.version == 4 else 128
    return (
        (source ^ selector.source) >> (width - selector.source_prefix_bits) == 0
        and (destination ^ selector.destination) >> (width - selector.destination_prefix_bits) == 0
        and (ports[0] ^ selector.source_port) & selector.source_port_mask == 0
        and (ports[1] ^ selector.destination_port) & selector.destination_port_mask == 0
    )


def test_random_ranges_select_the_same_packets() -> None:
    choice = random.Random(4301)
    for _ in range(300):
        addresses = [sorted(choice.randrange(1 << 4) for _ in range(2)) for _ in range(2)]
        ports = [sorted(choice.choice([choice.randrange(40), 65535 - choice.randrange(3)]) for _ in range(2))]
        ports.append([0, 65535])
        source, destination = (
            TrafficSelector(4, 0x0A000000 + low, 0x0A000000 + high, 6, *port)
            for (low, high), port in zip(addresses, ports, strict=True)
        )
        found = kernel_selectors(SelectorPair(source, destination))
        for _ in range(100):
            inside = [0x0A000000 + choice.randrange(1 << 4) for _ in range(2)]
            port = choice.choice([choice.randrange(45), 65535 - choice.randrange(5)]), choice.randrange(65536)
            expected = (
                source.start <= inside[0] <= source.end
                and destination.start <= inside[1] <= destination.end
                and source.start_port <= port[0] <= source.end_port
            )
            matches = [one for one in found if selects(one, inside[0], inside[1], port)]
            assert len(matches) == expected, (source, destination, inside, port)


def test_subnets_are_one_selector_each() -> None:
    assert kernel_selectors(pair("10.1.0.0/16", "10.2.0.0/16")) == (KernelSelector(4, 0x0A010000, 16, 0x0A020000, 16),)
    found = kernel_selectors(pair("2001:db8:1::/48", "::/0[udp/53]"))
    assert found == (KernelSelector(6, 0x20010DB8000100000000000000000000, 48, 0, 0, 17, 0, 0, 53, 0xFFFF),)


def test_icmp_has_type_and_code_in_ports_of_their_own() -> None:
    echo = TrafficSelector(4, 0, 0xFFFFFFFF, 1, 0x0800, 0x0800)
    every_code = TrafficSelector(4, 0, 0xFFFFFFFF, 1, 0x0300, 0x03FF)
    anything = TrafficSelector(4, 0, 0xFFFFFFFF, 1)
    (found,) = kernel_selectors(SelectorPair(echo, echo))
    assert (found.source_port, found.source_port_mask) == (8, 0xFFFF)
    assert (found.destination_port, found.destination_port_mask) == (0, 0xFFFF)
    (found,) = kernel_selectors(SelectorPair(anything, every_code))
    assert (found.source_port, found.source_port_mask, found.destination_port_mask) == (3, 0xFFFF, 0)
    with pytest.raises(DataPlaneError, match="one ICMP type"):
        kernel_selectors(SelectorPair(TrafficSelector(4, 0, 0, 1, 0x0300, 0x0500), anything))


@pytest.mark.parametrize(
    ("source", "destination", "words"),
    [
        ("10.0.0.0/8", "2001:db8::/32", "IPv4 and the other IPv6"),
        ("10.0.0.0/8[tcp]", "10.0.0.0/8[udp]", "protocols differ"),
        ("10.0.0.0/8[/80]", "10.0.0.0/8", "need TCP"),
        ("10.0.0.1-10.255.255.254", "10.0.0.1-10.255.255.254", "choose ranges that are subnets"),
    ],
)
def test_what_cannot_be_said_is_refused(source: str, destination: str, words: str) -> None:
    with pytest.raises(DataPlaneError, match=words):
        kernel_selectors(pair(source, destination))


def test_opaque_ports_are_refused() -> None:
    opaque = TrafficSelector(4, 0, 0xFFFFFFFF, 6, 65535, 0)
    with pytest.raises(DataPlaneError, match="OPAQUE"):
        kernel_selectors(SelectorPair(opaque, opaque))


def test_one_selector_for_an_sa() -> None:
    one, other = pair("192.0.2.1/32[tcp/23]", "192.0.2.2/32[tcp]"), pair("192.0.2.1/32[tcp/80]", "192.0.2.3/32[tcp]")
    assert sole_selector((one,)) == kernel_selectors(one)[0]
    assert sole_selector((one, other)) is None
    assert sole_selector(()) is None
    assert sole_selector((pair("10.0.0.1-10.0.0.6", "10.0.0.0/8"),)) is None
    assert covering_selector((one,)) == kernel_selectors(one)[0]
    assert covering_selector((one, other)) == KernelSelector(4, 0xC0000201, 32, 0xC0000202, 31, 6)
    assert covering_selector((one, pair("192.0.2.1/32[udp]", "192.0.2.2/32"))) == KernelSelector(
        4, 0xC0000201, 32, 0xC0000202, 32, 0
    )
    assert covering_selector((one, pair("::/0", "::/0"))) is None
    assert covering_selector(()) is None
