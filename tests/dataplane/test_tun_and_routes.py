"""TUN devices, the routes into them and the sockets beside IKE, in namespaces of their own."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ipsecbench.dataplane.esp_sockets import mark, open_raw_esp, open_shared_udp
from ipsecbench.dataplane.routes import Routes
from ipsecbench.dataplane.tun import close_all, open_tun
from ipsecbench.errors import DataPlaneError
from ipsecbench.esp.traffic_selector import parse_traffic_selector
from ipsecbench.lab.driver import open_socket
from ipsecbench.lab.namespaces import Host, Hosts

pytestmark = pytest.mark.root
ROOT = Path(__file__).resolve().parents[2]


def selectors(*texts: str) -> tuple:  # type: ignore[type-arg]
    return tuple(parse_traffic_selector(each) for each in texts)


@contextmanager
def tun(host: Host, **options: object) -> Iterator[list[int]]:
    descriptors = host.call(lambda: open_tun(**options))  # type: ignore[arg-type]
    try:
        yield descriptors
    finally:
        close_all(descriptors)


def arrived(descriptor: int, seconds: float = 2.0) -> bytes:
    """The next packet from a TUN device without header; b"" where none comes."""
    readable, _, _ = select.select([descriptor], [], [], seconds)
    return os.read(descriptor, 65536) if readable else b""


def route_of(host: Host, *words: str) -> dict[str, str]:
    found = host.run("ip", "-j", "route", "get", *words)
    rows = json.loads(found.stdout or "[{}]")
    return dict(rows[0])


def rules(host: Host) -> str:
    return host.run("ip", "rule").stdout + host.run("ip", "-6", "rule").stdout


# ── the device ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_device_is_up_with_its_mtu_and_gone_with_its_descriptors(hosts: Hosts) -> None:
    with tun(hosts.local, name="ipsec7", queues=2, mtu_bytes=1333) as descriptors:
        assert len(descriptors) == 2
        (link,) = json.loads(hosts.local.run("ip", "-j", "link", "show", "ipsec7").stdout)
        assert link["mtu"] == 1333
        assert "UP" in link["flags"]
        assert not any(os.get_inheritable(descriptor) for descriptor in descriptors)
        # No link-local address, so no router solicitations that would count as dropped packets.
        assert json.loads(hosts.local.run("ip", "-j", "-6", "addr", "show", "ipsec7").stdout or "[]") in ([], [{}])
    assert hosts.local.run("ip", "link", "show", "ipsec7").returncode != 0


def test_large_packets_come_whole_with_the_header_that_says_how_to_cut_them(hosts: Hosts) -> None:
    with tun(hosts.local, mtu_bytes=1400) as (descriptor,):
        hosts.local.run("ip", "route", "add", "10.2.0.0/16", "dev", "ipsec0")

        def send() -> None:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                # UDP_SEGMENT: the kernel may leave the cutting to the device (Linux 6.2 and later).
                sender.setsockopt(socket.IPPROTO_UDP, 103, 1000)
                sender.sendto(bytes(5000), ("10.2.0.1", 9))

        hosts.local.call(send)
        packet = arrived(descriptor)
        gso_type, header_bytes, gso_bytes = struct.unpack_from("xBHH", packet)
        if len(packet) > 1500:
            assert (gso_type, header_bytes, gso_bytes) == (5, 28, 1000)
            assert len(packet) == 10 + 28 + 5000
        else:
            assert gso_type == 0


def test_every_mistake_with_a_device_is_one_clear_line(hosts: Hosts, monkeypatch: pytest.MonkeyPatch) -> None:
    with tun(hosts.local), pytest.raises(DataPlaneError, match=r"there is a device of that name already"):
        hosts.local.call(lambda: open_tun("ipsec0"))
    with pytest.raises(DataPlaneError, match=r"cannot make the TUN device eth0: "):
        hosts.local.call(lambda: open_tun("eth0"))
    for name in ("", "with blank", "much-too-long-a-name", "a/b"):
        with pytest.raises(DataPlaneError, match="cannot be the name of a device"):
            open_tun(name)
    for mtu in (67, 65536):
        with pytest.raises(DataPlaneError, match=r"an MTU of \d+ is not possible"):
            open_tun(mtu_bytes=mtu)
    with pytest.raises(DataPlaneError, match="1 to 64 queues, not 65"):
        open_tun(queues=65)
    monkeypatch.setattr("ipsecbench.dataplane.tun.DEVICE", Path("/dev/net/no-tun"))
    with pytest.raises(DataPlaneError, match="cannot open /dev/net/no-tun: it is not there; load the module"):
        open_tun()


def test_without_rights_the_line_says_which_are_missing(root: None) -> None:
    code = (
        "from ipsecbench.dataplane.tun import open_tun\nfrom ipsecbench.errors import DataPlaneError\n"
        "try: open_tun('ipsec9')\nexcept DataPlaneError as error: print(error)\n"
    )
    done = subprocess.run(
        ["setpriv", "--reuid", "65534", "--clear-groups", "--bounding-set", "-all", sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=30,
        check=False,
    )
    assert "it needs root or CAP_NET_ADMIN" in done.stdout, done.stderr


# ── routes ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def routed(hosts: Hosts) -> Iterator[tuple[Host, Routes]]:
    host = hosts.local
    with tun(host):
        routes = host.call(lambda: Routes("ipsec0"))
        try:
            yield host, routes
        finally:
            routes.close()


def test_traffic_for_the_peers_network_goes_into_the_device_with_an_own_address(routed: tuple[Host, Routes]) -> None:
    host, routes = routed
    routes.protect(selectors("10.1.0.0/16"), selectors("10.2.0.0/16"))
    routes.protect(selectors("2001:db8:1::/48"), selectors("2001:db8:2::/48"))
    assert (route_of(host, "10.2.3.4")["dev"], route_of(host, "10.2.3.4")["prefsrc"]) == ("ipsec0", "10.1.0.1")
    assert route_of(host, "2001:db8:2::7")["dev"] == "ipsec0"
    assert route_of(host, "2001:db8:2::7")["prefsrc"] == "2001:db8:1::1"
    assert route_of(host, "192.0.2.2")["dev"] == "eth0"
    # A second one that needs the same route keeps it.
    routes.protect(selectors("10.1.0.1/32"), selectors("10.2.0.0/16"))
    routes.unprotect(selectors("10.1.0.0/16"), selectors("10.2.0.0/16"))
    assert route_of(host, "10.2.3.4")["dev"] == "ipsec0"
    routes.unprotect(selectors("10.1.0.1/32"), selectors("10.2.0.0/16"))
    assert route_of(host, "10.2.3.4").get("dev") != "ipsec0"


def test_what_this_host_sends_for_the_sas_does_not_loop(routed: tuple[Host, Routes]) -> None:
    host, routes = routed
    routes.protect(selectors("192.0.2.1/32"), selectors("192.0.2.2/32"))
    assert route_of(host, "192.0.2.2")["dev"] == "ipsec0"
    assert route_of(host, "192.0.2.2", "mark", "0x45535000")["dev"] == "eth0"
    routes.protect(selectors("0.0.0.0/0"), selectors("0.0.0.0/0"))
    assert route_of(host, "198.51.100.1")["dev"] == "ipsec0"
    assert route_of(host, "192.0.2.2", "mark", "0x45535000")["dev"] == "eth0"
    routes.bypass(selectors("0.0.0.0/0"), selectors("192.0.2.128/25"))
    assert route_of(host, "192.0.2.200")["dev"] == "eth0"


def test_selectors_with_ports_lead_only_those_packets_into_the_device(routed: tuple[Host, Routes]) -> None:
    host, routes = routed
    routes.protect(selectors("192.0.2.1/32[tcp]"), selectors("192.0.2.2/32[tcp/23]"))
    assert route_of(host, "192.0.2.2", "ipproto", "tcp", "dport", "23")["dev"] == "ipsec0"
    assert route_of(host, "192.0.2.2", "ipproto", "tcp", "dport", "22")["dev"] == "eth0"
    assert route_of(host, "192.0.2.2", "ipproto", "udp", "dport", "23")["dev"] == "eth0"


def test_rules_go_when_they_are_closed_and_when_the_endpoint_is_killed(hosts: Hosts) -> None:
    host = hosts.local
    before = rules(host)
    with tun(host):
        routes = host.call(lambda: Routes("ipsec0"))
        routes.protect(selectors("10.1.0.1/32[udp/5]"), selectors("10.2.0.1/32[udp/5]"))
        assert rules(host) != before
        routes.close()
        routes.close()
        assert rules(host) == before
    code = (
        "import time\nfrom ipsecbench.dataplane.tun import open_tun\nfrom ipsecbench.dataplane.routes import Routes\n"
        "held = open_tun(), Routes('ipsec0')\nprint(held[1].process_id, flush=True)\ntime.sleep(60)\n"
    )
    process = subprocess.Popen(
        host.command(sys.executable, "-c", code), stdout=subprocess.PIPE, text=True, cwd=ROOT, start_new_session=True
    )
    assert process.stdout is not None
    keeper = int(process.stdout.readline())
    assert rules(host) != before
    process.send_signal(signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + 5
    while Path(f"/proc/{keeper}").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.stdout.close()
    assert rules(host) == before
    assert host.run("ip", "link", "show", "ipsec0").returncode != 0


def test_a_refused_route_is_one_line(routed: tuple[Host, Routes]) -> None:
    _host, routes = routed
    routes.add_address("10.9.0.1/16")
    with pytest.raises(DataPlaneError, match=r"'ip addr add .* failed"):
        routes.add_address("10.9.0.1/16")
    routes.close()
    with pytest.raises(DataPlaneError, match="removed already"):
        routes.add_address("10.9.9.9/32")


# ── sockets ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_ike_and_esp_share_a_port_without_handing_on(hosts: Hosts) -> None:
    def opened() -> tuple[socket.socket, list[socket.socket]]:
        ike = open_socket(hosts.peer.ipv4, 4500, shared=True)
        mark(ike)
        return ike, open_shared_udp(ike, 2)

    ike, esp = hosts.peer.call(opened)
    sender = hosts.local.udp_socket(4500)
    try:
        for data, receiver in (
            (b"\0\0\0\0an IKE message", ike),
            (b"\xff", ike),
            (b"", ike),
            (b"\0\0", ike),
            ((0x1000).to_bytes(4) + b"even", esp[0]),
            ((0xFFFFFFFF).to_bytes(4) + b"odd", esp[1]),
            ((0x1001).to_bytes(4), esp[1]),
        ):
            sender.sendto(data, (hosts.peer.ipv4, 4500))
            readable, _, _ = select.select([ike, *esp], [], [], 2.0)
            assert readable == [receiver], data
            assert receiver.recv(100) == data
    finally:
        for sock in (ike, *esp, sender):
            sock.close()


@pytest.mark.parametrize("version", [4, 6])
def test_each_raw_socket_gets_its_share_of_the_spis(hosts: Hosts, version: int) -> None:
    here, there = (hosts.local.ipv4, hosts.peer.ipv4) if version == 4 else (hosts.local.ipv6, hosts.peer.ipv6)
    receivers = hosts.peer.call(lambda: open_raw_esp(there, 2))
    (sender,) = hosts.local.call(lambda: open_raw_esp(here, 1))
    try:
        for spi in (0x1000, 0x1001, 0xFFFFFFFE):
            data = spi.to_bytes(4) + bytes(20)
            sender.sendto(data, (there, 0))
            readable, _, _ = select.select(receivers, [], [], 2.0)
            assert readable == [receivers[spi % 2]]
            assert receivers[spi % 2].recv(100).endswith(data)
    finally:
        for sock in (*receivers, sender):
            sock.close()
