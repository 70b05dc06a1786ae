"""Policies in this machine's kernel, which may have XFRM without ESP: `ip xfrm policy` says what is there."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator

import pytest

from ipsecbench.algorithms.suites import parse_esp_suite
from ipsecbench.dataplane.kernel import KernelPlane
from ipsecbench.dataplane.kernel_esp import kernel_esp_available
from ipsecbench.dataplane.kernel_policies import KernelPolicies
from ipsecbench.dataplane.kernel_sockets import KernelSockets
from ipsecbench.dataplane.kernel_statistics import DropCounters, parse_xfrm_stat
from ipsecbench.dataplane.xfrm_socket import EventSocket, NetlinkSocket
from ipsecbench.errors import DataPlaneError
from ipsecbench.esp.configuration import Action, Direction, PolicyConfiguration, SaConfiguration, SelectorPair
from ipsecbench.esp.mode import Mode
from ipsecbench.esp.traffic_selector import parse_traffic_selector
from ipsecbench.lab import namespaces
from ipsecbench.lab.namespaces import Host
from ipsecbench.secret import Secret

pytestmark = pytest.mark.root
PAIR = SelectorPair(parse_traffic_selector("10.1.0.0/16"), parse_traffic_selector("10.2.0.0/16"))
BACK = SelectorPair(PAIR.destination, PAIR.source)


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    if reason := namespaces.missing_prerequisite():
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with namespaces.two_hosts() as hosts:
        try:
            hosts.local.call(NetlinkSocket).close()
        except DataPlaneError as error:
            pytest.skip(str(error))
        yield hosts.local


@pytest.fixture
def policies(host: Host) -> Iterator[KernelPolicies]:
    netlink = host.call(NetlinkSocket)
    made = KernelPolicies(netlink)
    yield made
    made.close()
    netlink.close()
    assert shown(host) == []


def shown(host: Host) -> list[str]:
    """The policies of the namespace, one text each, without those of sockets."""
    text = host.run("ip", "xfrm", "policy").stdout
    # Where the kernel knows types of policies it says so.
    entries = [
        " ".join(entry.replace("ptype main", "").split()) for entry in re.split(r"\n(?=src )", text) if entry.strip()
    ]
    return sorted(entry for entry in entries if "socket" not in entry)


def sa(direction: Direction, source: str, destination: str, mode: Mode = Mode.TUNNEL) -> SaConfiguration:
    return SaConfiguration(
        direction, 0x100, 1, parse_esp_suite("aes128gcm16"), Secret(bytes(20)), None, mode, source, destination
    )


def policy(action: Action, direction: Direction = Direction.OUTBOUND, priority: int = 1000) -> PolicyConfiguration:
    return PolicyConfiguration(direction, (PAIR if direction is Direction.OUTBOUND else BACK,), action, 1, priority)


def test_templates_follow_the_sas(host: Host, policies: KernelPolicies) -> None:
    policies.add(policy(Action.PROTECT))
    (before,) = shown(host)
    assert "src 0.0.0.0 dst 0.0.0.0 proto esp reqid 1 mode transport" in before
    policies.sa_added(sa(Direction.OUTBOUND, "192.0.2.1", "192.0.2.2"))
    assert shown(host) == [
        "src 10.1.0.0/16 dst 10.2.0.0/16 dir out priority 1000 tmpl src 192.0.2.1 dst 192.0.2.2 "
        "proto esp reqid 1 mode tunnel"
    ]
    policies.sa_added(sa(Direction.OUTBOUND, "192.0.2.1", "192.0.2.9"))
    assert "tmpl src 192.0.2.1 dst 192.0.2.9 " in shown(host)[0]
    policies.sa_added(sa(Direction.INBOUND, "192.0.2.2", "192.0.2.1"))
    assert len(shown(host)) == 1


def test_inbound_policies_are_asked_about_forwarded_packets_too(host: Host, policies: KernelPolicies) -> None:
    policies.sa_added(sa(Direction.INBOUND, "192.0.2.2", "192.0.2.1", Mode.TRANSPORT))
    policies.add(policy(Action.PROTECT, Direction.INBOUND))
    template = "tmpl src 192.0.2.2 dst 192.0.2.1 proto esp reqid 1 mode transport"
    assert shown(host) == [
        f"src 10.2.0.0/16 dst 10.1.0.0/16 dir fwd priority 1000 {template}",
        f"src 10.2.0.0/16 dst 10.1.0.0/16 dir in priority 1000 {template}",
    ]


def test_of_policies_for_the_same_packets_the_lowest_number_counts(host: Host, policies: KernelPolicies) -> None:
    policies.sa_added(sa(Direction.OUTBOUND, "192.0.2.1", "192.0.2.2"))
    protect, bypass, discard = policy(Action.PROTECT), policy(Action.BYPASS, priority=10), policy(Action.DISCARD)
    for one in (protect, bypass, discard):
        policies.add(one)
    base = "src 10.1.0.0/16 dst 10.2.0.0/16 dir out"
    assert shown(host) == [f"{base} priority 10"]
    policies.remove(bypass)
    assert shown(host) == [f"{base} priority 1000 tmpl src 192.0.2.1 dst 192.0.2.2 proto esp reqid 1 mode tunnel"]
    policies.remove(protect)
    assert shown(host) == [f"{base} action block priority 1000"]
    policies.remove(discard)
    policies.remove(discard)
    assert shown(host) == []


def test_a_policy_that_is_there_is_refused_whoever_added_it(host: Host, policies: KernelPolicies) -> None:
    policies.add(policy(Action.BYPASS))
    with pytest.raises(DataPlaneError, match="there already"):
        policies.add(policy(Action.BYPASS))
    policies.remove(policy(Action.BYPASS))
    theirs = ["ip", "xfrm", "policy", "add", "dir", "fwd", "src", "10.2.0.0/16", "dst", "10.1.0.0/16"]
    assert host.run(*theirs).returncode == 0
    before = shown(host)
    with pytest.raises(DataPlaneError, match="another program's"):
        policies.add(policy(Action.DISCARD, Direction.INBOUND))
    assert shown(host) == before
    assert host.run("ip", "xfrm", "policy", "flush").returncode == 0


def test_ranges_become_prefixes(host: Host, policies: KernelPolicies) -> None:
    pair = SelectorPair(parse_traffic_selector("10.1.0.1-10.1.0.2"), parse_traffic_selector("10.2.0.0/16[tcp/80-81]"))
    policies.add(PolicyConfiguration(Direction.OUTBOUND, (pair,), Action.BYPASS))
    # It does not show the masks of ports: 80 and 81 are one policy with a mask of 0xfffe.
    assert shown(host) == [
        f"src 10.1.0.{last}/32 dst 10.2.0.0/16 proto tcp dport 80 dir out priority 1000" for last in (1, 2)
    ]


def test_sockets_of_ike_pass_policies_until_the_end(host: Host, policies: KernelPolicies) -> None:
    """What a DISCARD policy keeps in must leave through the socket of IKE, and only through it."""
    everything = SelectorPair(parse_traffic_selector("0.0.0.0/0"), parse_traffic_selector("0.0.0.0/0"))
    ike, other = host.udp_socket(4500), host.udp_socket(4501)
    with ike, other:
        policies.add(PolicyConfiguration(Direction.OUTBOUND, (everything,), Action.DISCARD))
        prepared = KernelSockets([ike], [])
        assert ike.sendto(b"IKE", ("192.0.2.2", 500)) == 3
        with pytest.raises(PermissionError):
            other.sendto(b"any", ("192.0.2.2", 500))
        prepared.close()
        with pytest.raises(PermissionError):
            ike.sendto(b"IKE", ("192.0.2.2", 500))


def test_encapsulation_is_taken_back(host: Host) -> None:
    sock = host.udp_socket(4500)
    with sock:
        prepared = KernelSockets([sock], [sock])
        assert sock.getsockopt(socket.IPPROTO_UDP, 100) == 2
        prepared.close()
        assert sock.getsockopt(socket.IPPROTO_UDP, 100) == 0
        prepared.close()
    closed = host.udp_socket(4500)
    closed.close()
    with pytest.raises(DataPlaneError, match="does not take IKE's socket"):
        KernelSockets([closed], [])


def test_drops_are_those_of_the_namespace(host: Host, policies: KernelPolicies) -> None:
    counters = host.call(DropCounters)
    everything = SelectorPair(parse_traffic_selector("0.0.0.0/0"), parse_traffic_selector("0.0.0.0/0"))
    policies.add(PolicyConfiguration(Direction.OUTBOUND, (everything,), Action.DISCARD))
    with host.udp_socket(4501) as sock:
        for _ in range(3):
            with pytest.raises(PermissionError):
                sock.sendto(b"any", ("192.0.2.2", 500))
    assert counters.since_opened() == {"XfrmOutPolBlock": 3}
    counters.close()
    counters.close()


def test_lines_that_are_no_counter_are_passed_over() -> None:
    assert parse_xfrm_stat("XfrmInError \t 3\n\nnonsense\nXfrmOutError x\nXfrmInNoStates 4\n") == {
        "XfrmInError": 3,
        "XfrmInNoStates": 4,
    }


def test_a_kernel_without_esp_says_so(host: Host) -> None:
    found = host.call(kernel_esp_available)
    if found.available:
        plane = host.call(KernelPlane)
        assert plane.take_events() == []
        plane.close()
        plane.close()
        return
    assert "no ESP" in found.reason
    with pytest.raises(DataPlaneError, match="no data plane 'kernel': this kernel has XFRM but no ESP"):
        host.call(KernelPlane)
    assert host.run("ip", "xfrm", "state").stdout == ""


def test_events_can_be_waited_for(host: Host) -> None:
    events = host.call(EventSocket)
    assert events.take() == ([], False)
    assert events.fileno() >= 0
    events.close()
