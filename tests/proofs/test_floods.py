"""While somebody floods a host with ESP packets that he recorded, forged or made up, its traffic goes on."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from ipsecbench.esp.configuration import Direction
from ipsecbench.lab.namespaces import Hosts
from tests.bench.iperf_flows import FlowReceiver, TcpFlow, run_tcp
from tests.bench.manual_sas import PlaneEnd, add_sa_pair, spi_of
from tests.bench.plane_ends import agent_ends
from tests.proofs.attacker import Datagram, Injector, Recorder

pytestmark = [pytest.mark.root, pytest.mark.agent]


def as_recorded(packet: Datagram) -> Datagram:
    """Nothing is changed: a replay."""
    return packet


def forged(packet: Datagram) -> Datagram:
    """A sequence number that is far ahead, and an ICV that nobody without the key can make."""
    return replace(packet, esp=packet.esp[:4] + b"\x7f" + packet.esp[5:-8] + secrets.token_bytes(8))


def of_nobody(packet: Datagram) -> Datagram:
    """An SPI that is not in use."""
    return replace(packet, esp=b"\xee" + packet.esp[1:])


def cut(packet: Datagram) -> Datagram:
    """A number that is far ahead, and hardly anything behind it."""
    return replace(packet, esp=packet.esp[:4] + b"\x7f" + packet.esp[5 : 9 + secrets.randbelow(30)])


FLOODS: dict[str, tuple[Callable[[Datagram], Datagram], set[str]]] = {
    "replayed": (as_recorded, {"XfrmInStateSeqError"}),
    "forged": (forged, {"XfrmInStateProtoError"}),
    "unknown": (of_nobody, {"XfrmInNoStates"}),
    "malformed": (cut, {"XfrmInStateProtoError", "XfrmInHdrError"}),
}


def recorded(hosts: Hosts, receiver: FlowReceiver) -> list[Datagram]:
    """Some thousand packets of a flow between the hosts."""
    with Recorder(hosts.local) as recorder:
        run_tcp(hosts.local, hosts.local.inner_ipv4, receiver, 1)
        return recorder.datagrams()[-4000:]


def test_traffic_goes_on_during_floods(hosts: Hosts, iperf3: None) -> None:
    with agent_ends(hosts) as ends, FlowReceiver(hosts.peer, hosts.peer.inner_ipv4) as receiver:
        local, peer = ends
        add_sa_pair(local, peer, "aes128gcm16")
        packets = recorded(hosts, receiver)
        for make, names in FLOODS.values():
            before = settled(peer)
            flow = flow_during(hosts, receiver, [make(packet) for packet in packets])
            dropped = {name: count - before.get(name, 0) for name, count in settled(peer).items()}
            assert {name for name, count in dropped.items() if count} <= names
            assert sum(dropped.values()) > 5_000
            assert flow.bits_per_second > 1e6
            check_sas(local, peer)
        # Afterwards all is as before.
        assert run_tcp(hosts.local, hosts.local.inner_ipv4, receiver, 1).bits_per_second > 50e6


def flow_during(hosts: Hosts, receiver: FlowReceiver, packets: list[Datagram]) -> TcpFlow:
    """A TCP flow while somebody sends packets, fast, but so that two busy processors have time for the flow too.

    tests/bench/esp_floods does it at full speed.
    """
    ended = threading.Event()
    with Injector(hosts.local) as attacker:
        thread = threading.Thread(target=lambda: attacker.flood(packets, 10**9, until=ended, packets_per_second=25_000))
        thread.start()
        try:
            return run_tcp(hosts.local, hosts.local.inner_ipv4, receiver, 1)
        finally:
            ended.set()
            thread.join()


def counted(end: PlaneEnd) -> dict[str, int]:
    """What a data plane has dropped so far."""
    return {name: count for name, count in end.plane.statistics().dropped.items() if count}


def settled(end: PlaneEnd) -> dict[str, int]:
    """The same once what is still under way has arrived: nothing more is counted for a while."""
    deadline = time.monotonic() + 5
    now = counted(end)
    while time.monotonic() < deadline:
        time.sleep(0.2)
        before, now = now, counted(end)
        if now == before:
            break
    return now


def check_sas(local: PlaneEnd, peer: PlaneEnd) -> None:
    """Both SAs live, and nothing was accepted that the other end had not sent."""
    for to_peer, (sender, receiver) in ((True, (local, peer)), (False, (peer, local))):
        spi = spi_of(0, to_peer=to_peer)
        sent = sender.plane.sa_statistics(Direction.OUTBOUND, spi)
        accepted = receiver.plane.sa_statistics(Direction.INBOUND, spi)
        assert 0 < accepted.packets <= sent.packets
        assert accepted.bytes <= sent.bytes
