"""Inner packets against scapy, and mixes against the packet loop's proportions."""

from __future__ import annotations

from collections import Counter

import pytest

from ipsecbench.bench.measurement import MIXES
from ipsecbench.errors import UsageError
from ipsecbench.lab.trials.inner_packets import mix_cycle, udp_packet
from ipsecbench.lab.trials.plan import Size
from ipsecbench.lab.trials.proof_trial import CYCLE_PACKETS, OWN_MIX, packets


@pytest.mark.parametrize("size", [28, 29, 64, 128, 576, 1400, 1518, 9000])
def test_packets_are_what_scapy_makes(size: int) -> None:
    inet = pytest.importorskip("scapy.layers.inet")
    payload = bytes(index & 0xFF for index in range(size - 28))
    expected = (
        inet.IP(src="10.1.3.1", dst="10.2.3.1", id=0, flags="DF", ttl=64) / inet.UDP(sport=50000, dport=9) / payload
    )
    assert udp_packet("10.1.3.1", "10.2.3.1", size) == bytes(expected)


def test_sizes_that_cannot_be_are_refused() -> None:
    for size in (27, 65536):
        with pytest.raises(UsageError, match=str(size)):
            udp_packet("10.1.0.1", "10.2.0.1", size)


@pytest.mark.parametrize("mix", list(MIXES))
def test_a_cycle_has_the_shares_of_its_mix_and_spreads_them(mix: str) -> None:
    cycle = mix_cycle(mix)
    assert Counter(cycle) == dict(MIXES[mix])
    # In any stretch each size is within one of its share.
    for size, count in MIXES[mix]:
        seen = 0
        for number, item in enumerate(cycle, start=1):
            seen += item == size
            assert abs(seen - number * count / len(cycle)) <= 1


def test_a_distribution_of_ones_own_is_as_near_as_its_cycle_allows() -> None:
    size, cycle = packets(((64, 0.6), (576, 0.3999), (1400, 0.0001)))
    assert size == Size(mix=OWN_MIX)
    assert len(cycle) == CYCLE_PACKETS
    # 307.2, 204.75 and 0.05 of 512.
    assert Counter(cycle) == {64: 307, 576: 205}
    assert packets(((1400, 1.0),)) == (Size(1400), (1400,))


@pytest.mark.parametrize("size", [20, 9000])
def test_what_the_laboratory_cannot_send_is_refused(size: int) -> None:
    with pytest.raises(UsageError, match=f"not of {size}"):
        packets(((64, 0.5), (size, 0.5)))
