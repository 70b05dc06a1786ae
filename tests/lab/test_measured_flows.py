"""The flows that tests/bench measures: they carry what they say, and what cannot be measured is said in one line."""

from __future__ import annotations

import os

import pytest

from ipsecbench.errors import LaboratoryError
from tests.bench import iperf_flows
from tests.bench.esp_paths import TrafficPath, strongswan_path, veth_path
from tests.bench.figures import middle, ratios
from tests.bench.iperf_flows import FlowReceiver, run_tcp, run_udp
from tests.lab.conftest import require


@pytest.fixture
def iperf3(root: None) -> None:
    """An iperf3."""
    require(iperf_flows.missing_prerequisite())


def received_bytes(path: TrafficPath) -> int:
    """Octets that the second host has received from the outside so far."""
    return int(path.hosts.peer.run("cat", "/sys/class/net/eth0/statistics/rx_bytes").stdout)


@pytest.mark.root
def test_a_flow_over_veth_is_what_the_interface_counts(iperf3: None) -> None:
    with veth_path() as path, FlowReceiver(path.hosts.peer, path.destination) as receiver:
        before = received_bytes(path)
        flow = run_tcp(path.hosts.local, path.source, receiver, 1, {"this process": os.getpid()})
        counted = received_bytes(path) - before
    assert flow.bytes_received <= counted < 1.2 * flow.bytes_received
    # The rate leaves the beginning out, so that it may differ from the average, but not by much.
    assert 0.5 < flow.bits_per_second / (flow.bytes_received * 8) < 2.0
    assert {"this process", "machine", "iperf3 sender", "iperf3 receiver"} == set(flow.processor_seconds)
    assert 0 < flow.processor_seconds["iperf3 receiver"] < 1.5
    assert flow.processor_seconds["this process"] < flow.processor_seconds["machine"]


@pytest.mark.root
@pytest.mark.interop
def test_a_flow_through_kernel_libipsec_is_encrypted_by_its_daemons(iperf3: None, strongswan_peer: None) -> None:
    with strongswan_path("aes128gcm16") as path, FlowReceiver(path.hosts.peer, path.destination) as receiver:
        flow = run_tcp(path.hosts.local, path.source, receiver, 1, path.processes)
        assert flow.processor_seconds["sender's daemon"] > flow.processor_seconds["iperf3 sender"]
        assert "ipsec0" in path.hosts.local.run("ip", "route", "get", path.destination).stdout


@pytest.mark.root
def test_datagrams_that_are_lost_are_counted(iperf3: None) -> None:
    with veth_path() as path, FlowReceiver(path.hosts.peer, path.destination) as receiver:
        whole = run_udp(path.hosts.local, path.source, receiver, 1, 16e6, 1000)
        # 2000 datagrams a second of 1000 octets.
        assert 1900 <= whole.sent <= 2100
        assert whole.lost == whole.out_of_order == 0
        rule = "iptables -A INPUT -p udp --dport 5201 -m statistic --mode nth --every 10 --packet 5 -j DROP"
        if path.hosts.peer.run(*rule.split()).returncode:
            pytest.skip("no iptables that drops every tenth packet")
        lossy = run_udp(path.hosts.local, path.source, receiver, 1, 16e6, 1000)
        assert lossy.lost == pytest.approx(lossy.sent / 10, abs=2)


@pytest.mark.root
def test_a_flow_to_nobody_fails_in_one_line(iperf3: None) -> None:
    with veth_path() as path:
        receiver = FlowReceiver(path.hosts.peer, path.destination)
        with receiver:
            path.hosts.peer.run("ip", "link", "set", "eth0", "down")
            with pytest.raises(LaboratoryError, match=r"^iperf3: .*(unreachable|unable to connect|timed out)"):
                run_tcp(path.hosts.local, path.source, receiver, 1)
        with pytest.raises(LaboratoryError, match="not running"):
            _ = receiver.process_id


def test_ratios_are_those_of_the_rounds_not_of_the_medians() -> None:
    assert ratios([1.0, 4.0, 9.0], [1.0, 2.0, 3.0]) == middle([1.0, 2.0, 3.0]) == "2.00 (1.00 to 3.00)"
    assert middle([]) == ""
    assert middle([2.0], 1) == "2.0 (2.0 to 2.0)"
