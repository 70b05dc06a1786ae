"""What a flood costs: bounded time and memory for each packet, whatever it is, and legitimate traffic goes on."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from ipsecbench.esp.configuration import Direction
from ipsecbench.esp.outer_packet import OuterPacket
from ipsecbench.wire.ip import IpHeader
from tests.fuzz import esp as targets
from tests.fuzz.budget import LIMIT_BYTES, peak_bytes, within_budget
from tests.unit.esp.esp_pair import Pair, sa_of
from tests.unit.esp.inner_packets import ipv4, ipv6, udp_packet

LARGEST = 65_535
PACKET = udp_packet(4, 100)

# What takes longest: the largest packets, as many headers, options and fragments as there can be.
WORST: tuple[tuple[Callable[[bytes], None], bytes], ...] = (
    (targets.ip, ipv4("10.1.0.1", "10.2.0.2", bytes(65_400), options=bytes.fromhex("01" * 40))),
    (targets.ip, ipv6("fd01::1", "fd02::2", b"\x3c\0" + bytes(6), 60)[:-8] + (b"\x3c\0" + bytes(6)) * 8000),
    (targets.ip, ipv6("fd01::1", "fd02::2", b"\x11\xff" + bytes(65_000), 60)),
    (targets.outer, ipv4("10.1.0.1", "10.2.0.2", bytes(65_000), 50)),
    (targets.gre, b"\x80\0\x08\0" + bytes(65_500)),
    (targets.icmp, ipv4("10.1.0.1", "10.2.0.2", b"\x03\x04" + bytes(65_500), 1)),
    (targets.icmp, ipv6("fd01::1", "fd02::2", b"\x02\0" + bytes(65_500), 58)),
    (targets.trailer, bytes(range(256)) * 255),
    (targets.from_outside, ipv4("10.1.0.1", "10.2.0.2", b"\0\0\x10\x01" + bytes(65_000), 50)),
    (targets.from_inside, ipv4("10.1.0.1", "10.2.0.2", bytes(65_500), 17)),
    (targets.authentic, b"\x04" + ipv4("10.1.0.1", "10.2.0.2", bytes(65_400), 17)),
)


@pytest.mark.parametrize(("run", "data"), WORST, ids=[f"{run.__name__}-{at}" for at, (run, _) in enumerate(WORST)])
def test_the_worst_packets_are_bounded_in_time_and_memory(run: Callable[[bytes], None], data: bytes) -> None:
    run(data)
    within_budget(run, data, 0.25)  # six ends at once
    assert peak_bytes(run, data) < LIMIT_BYTES


def test_a_flood_of_replays_and_forgeries_lets_good_packets_pass() -> None:
    pair, source = Pair(sa_of()), random.Random("flood")
    old = [pair.sealed(PACKET)[0] for _ in range(100)]
    for outer in old:
        assert pair.second.receive(outer, 1.0).inside == [PACKET]
    good = forged = replayed = 0
    for number in range(20_000):
        outer = source.choice(old)
        if number % 2:
            # Forged numbers far ahead must not move the window, or good packets would be left of it.
            header = outer.content[:4] + source.randbytes(4)
            pair.second.receive(replace(outer, content=header + outer.content[8:]), 1.0)
            forged += 1
        else:
            pair.second.receive(outer, 1.0)
            replayed += 1
        if number % 100 == 0:
            good += len(pair.second.receive(pair.sealed(PACKET)[0], 1.0).inside)
    statistics = pair.second.sa_statistics(Direction.INBOUND, pair.sa.spi, 1.0)
    assert good == 200
    assert statistics.packets == 300
    assert statistics.forged + statistics.replayed == forged + replayed
    assert sum(pair.second.dropped.values()) == forged + replayed
    assert pair.second.take_events() == []


def test_packets_for_unknown_spis_leave_nothing_behind() -> None:
    pair, source = Pair(sa_of()), random.Random("spis")
    header = IpHeader(bytes(4), bytes(4), 50)

    def flood(_: bytes) -> None:
        for _count in range(2000):
            pair.second.receive(OuterPacket(header, source.randbytes(60)), 1.0)

    assert peak_bytes(flood, b"") < 1 << 20
    assert pair.second.dropped == {"XfrmInNoStates": 2000}
