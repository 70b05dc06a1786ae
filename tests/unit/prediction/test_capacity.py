"""What a box carries, against the costs that the synthetic boxes were made from and against sums done by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.bench.measurement import Estimate, Measurement, Status, Tier, Workload
from ipsecbench.dataset.model import Dataset
from ipsecbench.recommend.prediction.capacity import CAPACITY_SIZES, Capacity, capacity
from ipsecbench.recommend.prediction.core_scaling import ScalingBasis
from ipsecbench.recommend.prediction.cost_model import CostModel
from ipsecbench.recommend.prediction.packet_lengths import line_share, packet_lengths
from ipsecbench.recommend.requirements.records import Requirements
from ipsecbench.recommend.requirements.traffic import Traffic

MakeDataset = Callable[..., Dataset]
GCM = esp_suites()["aes128gcm16"]
FOUR_CORES = {"hardware": {"cpu": {"cores": 4, "model": "Synthetic at 3.0 GHz", "machine": "x86_64"}}}


def of(dataset: Dataset, wanted: Requirements) -> Capacity:
    found = capacity(CostModel(dataset), "aes128gcm16", wanted)
    assert found is not None
    return found


def nanoseconds(size: float, direction: str = "outbound") -> float:
    """Packet loop and plane of the synthetic box with a laboratory."""
    return (230 + 0.22 * size) * (1.0 if direction == "outbound" else 1.04) + 400 + 0.2 * size


def on_several_cores(dataset: Dataset, rates: dict[int, float]) -> Dataset:
    alone = dataset.get(Workload(Tier.PACKET_LOOP, "libcrypto", "outbound", "aes128gcm16", 1400))
    assert alone is not None
    assert alone.ns_per_operation is not None
    time = alone.ns_per_operation.median
    rows = tuple(
        Measurement(
            replace(alone.workload, cores=cores),
            Status.OK,
            ns_per_operation=Estimate(time / rate, time / rate * 0.99, time / rate * 1.01),
        )
        for cores, rate in rates.items()
    )
    return replace(dataset, measurements=(*dataset.measurements, *rows))


def test_every_size_has_its_rate_and_its_share_of_the_line(make_dataset: MakeDataset) -> None:
    found = of(make_dataset(lab={}), Requirements(traffic=Traffic(size_bytes=1400)))
    sizes = {row.traffic.size_bytes: row for row in found.traffics if row.traffic.size_bytes is not None}
    assert tuple(sizes) == CAPACITY_SIZES
    for size in (64, 1400):
        packets = 1e9 / nanoseconds(size, "inbound")
        assert sizes[size].packets_per_second.median == pytest.approx(packets, rel=0.02)
        assert sizes[size].mbit_per_second.median == pytest.approx(packets * size * 8e-6, rel=0.02)
    # F3 of the standards' table: 64 octets become 120, 1400 become 1456; on Ethernet 38 more.
    assert sizes[64].line.outer_bytes == 120
    assert sizes[64].line.lost_share == pytest.approx(1 - 64 / 120)
    assert sizes[1400].line.ethernet_lost_share == pytest.approx(1 - 1400 / 1494)
    # 1500 octets do not fit into 1446: 20 + 1424 and 20 + 56 octets, 1500 and 132 octets outside.
    assert sizes[1500].line.esp_packets == 2
    assert sizes[1500].line.outer_bytes == 1500 + 132
    assert {row.traffic.mix for row in found.traffics if row.traffic.mix} == {"imix-simple", "imix-csit"}


def test_intervals_hold_what_the_box_was_made_of(make_dataset: MakeDataset) -> None:
    found = of(make_dataset(lab={}, half_width=0.05), Requirements())
    for row in found.traffics:
        truth = row.traffic.mean_bytes * 8e3 / nanoseconds(row.traffic.mean_bytes, "inbound")
        assert row.mbit_per_second.lower < truth < row.mbit_per_second.upper, str(row.traffic)


def test_a_users_own_mix_is_the_mean_of_its_packets(make_dataset: MakeDataset) -> None:
    mine = Traffic(distribution=((64, 3.0), (1400, 1.0)), name="mine")
    found = of(make_dataset(lab={}, mixes=()), Requirements(traffic=mine))
    time = 0.75 * nanoseconds(64, "inbound") + 0.25 * nanoseconds(1400, "inbound")
    assert found.wanted.packets_per_second.median == pytest.approx(1e9 / time, rel=0.02)
    assert found.wanted.mbit_per_second.median == pytest.approx(mine.mean_bytes * 8e3 / time, rel=0.02)
    assert found.wanted.line.outer_bytes == pytest.approx(0.75 * 120 + 0.25 * 1456)


def test_one_sa_is_one_core_and_cores_that_were_not_measured_are_assumed(make_dataset: MakeDataset) -> None:
    dataset = on_several_cores(make_dataset(lab={}, environment=FOUR_CORES), {2: 1.9})
    one = of(dataset, Requirements())
    assert (one.scaling.cores, one.scaling.basis) == (1, ScalingBasis.ONE)
    assert one.tunnels_mbit_per_second.median == one.wanted.mbit_per_second.median
    assert any("One SA is one core" in note.text for note in one.notes)
    # All four cores of the box: two were measured, each of the others adds 0.5 to 1.
    assert one.all_cores is not None
    assert (one.all_cores.cores, one.all_cores.basis) == (4, ScalingBasis.ASSUMED)
    assert one.all_cores.factor.median == pytest.approx(1.9 + 2 * 0.8)
    assert one.all_cores.factor.lower == pytest.approx(1.9 + 2 * 0.5, rel=0.03)
    assert any("assumed" in note.text for note in one.notes)
    # Two SAs use two cores; four use two as well, as long as nobody says that more may be used.
    for tunnels in (2, 4):
        some = of(dataset, Requirements(tunnels=tunnels))
        assert (some.scaling.cores, some.scaling.basis) == (2, ScalingBasis.MEASURED)
    three = of(dataset, Requirements(tunnels=2, sas_per_tunnel=2, cores=3))
    assert (three.scaling.cores, three.scaling.basis) == (3, ScalingBasis.ASSUMED)
    assert three.tunnels_mbit_per_second.median == pytest.approx(three.wanted.mbit_per_second.median * 2.7, rel=0.01)
    # More SAs than cores share them; fewer leave cores idle.
    assert of(dataset, Requirements(tunnels=1, cores=3)).scaling.cores == 1
    other = capacity(CostModel(dataset), "chacha20poly1305", Requirements(tunnels=2))
    assert other is not None
    assert other.scaling.basis is ScalingBasis.OTHER_SUITE


def test_the_direction_mix_weighs_both_directions(make_dataset: MakeDataset) -> None:
    dataset, traffic = make_dataset(lab={}), Traffic(size_bytes=1400)
    out, back = nanoseconds(1400), nanoseconds(1400, "inbound")
    for share, time in ((1.0, out), (0.0, back), (0.7, 0.7 * out + 0.3 * back)):
        found = of(dataset, Requirements(traffic=traffic, outbound_share=share))
        assert found.wanted.mbit_per_second.median == pytest.approx(1400 * 8e3 / time, rel=0.02)


def test_the_goal_takes_its_share_of_the_processor(make_dataset: MakeDataset) -> None:
    dataset, traffic = make_dataset(lab={}, environment=FOUR_CORES), Traffic(size_bytes=1400)
    out, back = nanoseconds(1400), nanoseconds(1400, "inbound")
    packets = 1000e6 / (1400 * 8)
    # A gigabit in each direction.
    each = of(dataset, Requirements(traffic=traffic, goal_mbit_per_second=1000)).load
    assert each is not None
    assert each.busy_cores.median == pytest.approx(packets * (out + back) / 1e9, rel=0.02)
    assert each.of_cores == 4
    assert each.cpu_share.median == pytest.approx(each.busy_cores.median / 4)
    # A gigabit in sum, on two cores at most.
    both = of(dataset, Requirements(traffic=traffic, goal_mbit_per_second=1000, outbound_share=0.5, cores=2)).load
    assert both is not None
    assert both.busy_cores.median == pytest.approx(packets * (out + back) / 2 / 1e9, rel=0.02)
    assert both.of_cores == 2
    # The headroom is that of what the SAs carry: 1400 octets in 1300 ns and more against 1 Gbit/s.
    assert each.headroom_percent.median == pytest.approx((1400 * 8 / back - 1) * 100, rel=0.05)
    assert each.headroom_percent.lower < each.headroom_percent.median < each.headroom_percent.upper
    assert of(dataset, Requirements()).load is None


def test_lengths_of_every_way_to_travel() -> None:
    rows = {(row.mode, row.outer, row.nat_traversal): row for row in packet_lengths(GCM, Requirements(mode="gre"))}
    assert len(rows) == 16
    # F1 of the standards' table.
    assert [rows["tunnel", *way].inner_mtu_bytes for way in WAYS] == [1446, 1438, 1426, 1418]
    assert [rows["transport", *way].inner_mtu_bytes for way in WAYS[:2]] == [1466, 1458]
    assert (rows["tunnel", "ipv4", False].mss_ipv4_bytes, rows["tunnel", "ipv4", False].mss_ipv6_bytes) == (1406, 1386)
    overhead = rows["tunnel", "ipv4", False].least_overhead_bytes, rows["tunnel", "ipv4", False].most_overhead_bytes
    assert overhead == (54, 57)
    # GRE takes four octets more than IP in IP, which takes what tunnel mode does.
    for way in WAYS:
        assert rows["ipip", *way] == replace(rows["tunnel", *way], mode="ipip")
        assert rows["gre", *way].inner_mtu_bytes == rows["tunnel", *way].inner_mtu_bytes - 4
    assert rows["transport", "ipv4", False].mss_ipv6_bytes is None
    assert [key for key, row in rows.items() if row.wanted] == [("gre", "ipv4", False)]


WAYS = (("ipv4", False), ("ipv4", True), ("ipv6", False), ("ipv6", True))


def test_the_line_of_a_mix_is_the_mean_of_its_packets() -> None:
    found = line_share(GCM, Traffic(mix="imix-simple"), Requirements())
    # 7 of 64 octets, 4 of 570 and 1 of 1518, which is cut in 1444 and 94.
    outer = (7 * 120 + 4 * 624 + 1500 + 148) / 12
    assert found.outer_bytes == pytest.approx(outer)
    assert found.esp_packets == pytest.approx(13 / 12)
    inner = (7 * 64 + 4 * 570 + 1518) / 12
    assert found.lost_share == pytest.approx(1 - inner / outer)
    assert found.overhead_bytes == pytest.approx(outer - inner)


def test_a_load_is_of_the_cores_that_may_be_used(make_dataset: MakeDataset) -> None:
    dataset = make_dataset(lab={}, environment=FOUR_CORES)
    carried = of(dataset, Requirements()).wanted.mbit_per_second.median
    # One core for a goal in each direction that either alone would just meet: both keep about two cores busy.
    one = of(dataset, Requirements(cores=1, goal_mbit_per_second=carried))
    assert one.load is not None
    assert one.load.of_cores == 1
    assert one.load.cpu_share.median == pytest.approx(2, rel=0.05)
    (warning,) = one.warnings
    assert "2.0 cores busy, and there is 1" in warning.text
    assert of(dataset, Requirements(cores=1, goal_mbit_per_second=carried, outbound_share=0.5)).warnings == ()
    assert of(dataset, Requirements(cores=2, goal_mbit_per_second=carried / 2)).warnings == ()
    # More cores than the box has are counted, in the load as in the verdict, and that is said.
    many = of(dataset, Requirements(cores=8, tunnels=8, goal_mbit_per_second=carried))
    assert many.load is not None
    assert many.load.of_cores == many.scaling.cores == 8
    assert [warning.text for warning in many.warnings] == ["8 cores are counted with, and the box has 4."]


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (Requirements(), ()),
        (Requirements(mode="transport"), ()),
        (Requirements(mode="transport", outer="ipv6"), ("only IPv6 is ",)),
        (Requirements(mode="transport", outer="ipv6", inner="ipv6"), ()),
        # 1280 - 40 (IPv6) - 8 (UDP) - 8 (ESP) - 8 (IV) - 16 (ICV) = 1200, whole words; - 2 (trailer) - 4 (GRE).
        (
            Requirements(mode="gre", outer="ipv6", inner="ipv6", nat_traversal=True, link_mtu_bytes=1280),
            ("An inner MTU of 1194 octets is less than the 1280 that IPv6 needs",),
        ),
        (Requirements(mode="gre", outer="ipv6", nat_traversal=True, link_mtu_bytes=1280), ()),
    ],
)
def test_what_the_link_or_the_mode_cannot_carry_is_warned_of(
    make_dataset: MakeDataset, wanted: Requirements, said: tuple[str, ...]
) -> None:
    warnings = of(make_dataset(), wanted).warnings
    assert len(warnings) == len(said)
    assert all(words in warning.text for words, warning in zip(said, warnings, strict=True))
