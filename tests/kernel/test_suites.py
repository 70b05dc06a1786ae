"""Every suite: what the kernel seals our own ESP opens, and the other way; IPv4 and IPv6, ESN, UDP, both modes."""

from __future__ import annotations

import itertools

import pytest

from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.suites import EspSuite, esp_suites
from ipsecbench.dataplane.kernel import KernelPlane
from ipsecbench.esp.configuration import Direction
from ipsecbench.esp.mode import Mode
from ipsecbench.lab.namespaces import Hosts
from tests.interop.esp_packets import udp_payload
from tests.kernel.ends import (
    ENCAPSULATED,
    NETS,
    PORT,
    UserspaceEnd,
    cryptography,
    exchange,
    kernel_plane,
    other_end,
    policies_between,
    sa_between,
)

pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.kernel_esp]
BOTH_HAVE = [
    suite
    for suite in esp_suites().values()
    if cryptography().supports(suite.encryption.name)
    and (suite.integrity is None or cryptography().supports(suite.integrity.name))
]


def carry(
    hosts: Hosts, plane: KernelPlane, ours: UserspaceEnd, suite: EspSuite, payload: bytes, **changes: object
) -> None:
    """One datagram each way with a pair of SAs of its own, and what both ends say of it."""
    version = 6 if changes.pop("version", 4) == 6 else 4
    here = hosts.local.ipv4 if version == 4 else hosts.local.ipv6
    there = hosts.peer.ipv4 if version == 4 else hosts.peer.ipv6
    out, back = sa_between(here, there, suite, **changes), sa_between(there, here, suite, **changes)
    transport = out.mode is Mode.TRANSPORT
    inside = (here, there) if transport else (hosts.local.inner_ipv4, hosts.peer.inner_ipv4)
    plane.add_sa(out)
    plane.add_sa(other_end(back))
    ours.add(other_end(out), back)
    with hosts.local.udp_socket(PORT, inside[0]) as traffic:
        seen, received = exchange(ours, traffic, inside, payload)
    next_header = seen.inner[9] if transport and version == 4 else 4
    assert received == payload, (suite.name, changes)
    assert seen.inner.endswith(payload) if transport else udp_payload(seen.inner, next_header) == payload
    carried = len(payload) + 8 + (0 if transport else 20)
    for sa in (out, other_end(back)):
        statistics = plane.sa_statistics(sa.direction, sa.spi)
        assert (statistics.packets, statistics.bytes) == (1, carried), (suite.name, changes)
        assert (statistics.replayed, statistics.forged) == (0, 0)
        plane.remove_sa(sa.direction, sa.spi)
    ours.processing.remove_sa(Direction.INBOUND, out.spi)
    ours.processing.remove_sa(Direction.OUTBOUND, back.spi)


@pytest.mark.parametrize("encryption", ENCRYPTION)
def test_the_kernel_and_our_esp_understand_each_other(hosts: Hosts, encryption: str) -> None:
    suites = [suite for suite in BOTH_HAVE if suite.encryption.name == encryption]
    if not suites:
        pytest.skip(f"no library here has {encryption}")
    lengths = itertools.cycle((0, 1, 77, 1200))
    with kernel_plane(hosts.local) as plane, UserspaceEnd(hosts.peer) as ours:
        for policy in policies_between(*NETS[4]):
            plane.add_policy(policy)
        ours.add_policies(policies_between(*reversed(NETS[4])))
        for suite in suites:
            carry(hosts, plane, ours, suite, bytes(next(lengths)))


@pytest.mark.parametrize("esn", [False, True], ids=["32 bits", "ESN"])
@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("encapsulated", [False, True], ids=["protocol 50", "in UDP"])
def test_modes_and_encapsulations(hosts: Hosts, esn: bool, mode: Mode, version: int, encapsulated: bool) -> None:
    if version == 6 and (encapsulated or mode is Mode.TRANSPORT):
        pytest.skip("the userspace end of this test does these over IPv4 only")
    transport = mode is Mode.TRANSPORT
    nets = ("192.0.2.1/32", "192.0.2.2/32") if transport else NETS[4]
    ike = hosts.local.udp_socket(4500)
    with ike, kernel_plane(hosts.local, ike) as plane, UserspaceEnd(hosts.peer) as ours:
        for policy in policies_between(*nets):
            plane.add_policy(policy)
        ours.add_policies(policies_between(*reversed(nets)))
        for name in ("aes128gcm16", "aes128-sha256", "chacha20poly1305", "null-sha1"):
            suite = esp_suites()[name]
            encapsulation = ENCAPSULATED if encapsulated else None
            fields = {"mode": mode, "esn": esn, "encapsulation": encapsulation, "version": version}
            carry(hosts, plane, ours, suite, b"telnet" * 20, **fields)


def test_what_only_the_kernel_has_is_carried_between_kernels(hosts: Hosts) -> None:
    rest = [suite for suite in esp_suites().values() if suite not in BOTH_HAVE]
    with kernel_plane(hosts.local) as here, kernel_plane(hosts.peer) as there:
        for plane, nets in ((here, NETS[4]), (there, NETS[4][::-1])):
            for policy in policies_between(*nets):
                plane.add_policy(policy)
        source, destination = hosts.local.inner_ipv4, hosts.peer.inner_ipv4
        with hosts.local.udp_socket(PORT, source) as sender, hosts.peer.udp_socket(PORT, destination) as receiver:
            receiver.settimeout(20)
            for suite in rest:
                sa = sa_between(hosts.local.ipv4, hosts.peer.ipv4, suite)
                there.add_sa(other_end(sa))
                here.add_sa(sa)
                sender.sendto(suite.name.encode(), (destination, PORT))
                assert receiver.recv(100) == suite.name.encode()
                there.remove_sa(Direction.INBOUND, sa.spi)
                here.remove_sa(Direction.OUTBOUND, sa.spi)
