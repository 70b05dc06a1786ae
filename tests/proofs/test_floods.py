"""While somebody floods a host with ESP packets that he recorded, forged or made up, its traffic goes on."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from ipsecbench.esp.configuration import Direction
from ipsecbench.lab.namespaces import Hosts
from tests.bench.iperf_flows import FlowReceiver, run_tcp
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


@pytest.mark.parametrize("kind", FLOODS)
def test_traffic_goes_on_during_a_flood(hosts: Hosts, iperf3: None, kind: str) -> None:
    make, names = FLOODS[kind]
    with agent_ends(hosts) as ends, FlowReceiver(hosts.peer, hosts.peer.inner_ipv4) as receiver:
        local, peer = ends
        add_sa_pair(local, peer, "aes128gcm16")
        packets = [make(packet) for packet in recorded(hosts, receiver)]
        before = counted(peer)
        ended = threading.Event()
        with Injector(hosts.local) as attacker:
            thread = threading.Thread(target=flood, args=(attacker, packets, ended))
            thread.start()
            try:
                flow = run_tcp(hosts.local, hosts.local.inner_ipv4, receiver, 3)
            finally:
                ended.set()
                thread.join()
        dropped = {name: count - before.get(name, 0) for name, count in counted(peer).items()}
        assert set(dropped) - {name for name, count in dropped.items() if not count} <= names
        assert sum(dropped.values()) > 20_000
        assert flow.bits_per_second > 1e6
        check_sas(local, peer)
        # Afterwards all is as before.
        assert run_tcp(hosts.local, hosts.local.inner_ipv4, receiver, 1).bits_per_second > 50e6


def flood(attacker: Injector, packets: list[Datagram], ended: threading.Event) -> None:
    """Fast, but so that the flow has a part of two busy processors; tests/bench/esp_floods does it at full speed."""
    attacker.flood(packets, 10**9, until=ended, packets_per_second=25_000)


def counted(end: PlaneEnd) -> dict[str, int]:
    """What a data plane has dropped so far."""
    return {name: count for name, count in end.plane.statistics().dropped.items() if count}


def check_sas(local: PlaneEnd, peer: PlaneEnd) -> None:
    """Both SAs live, and nothing was accepted that the other end had not sent."""
    for to_peer, (sender, receiver) in ((True, (local, peer)), (False, (peer, local))):
        spi = spi_of(0, to_peer=to_peer)
        sent = sender.plane.sa_statistics(Direction.OUTBOUND, spi)
        accepted = receiver.plane.sa_statistics(Direction.INBOUND, spi)
        assert 0 < accepted.packets <= sent.packets
        assert accepted.bytes <= sent.bytes
