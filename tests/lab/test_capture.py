"""tshark decrypts whole exchanges of two strongSwan daemons with keys from their logs.

This fixes the format of the key log, line for line, before our own endpoint writes it.
"""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path

import pytest

from ipsecbench.errors import LaboratoryError
from ipsecbench.lab.capture import Capture, dissect, pcapng
from ipsecbench.lab.charon_log import logged_secrets
from ipsecbench.lab.namespaces import Host, Hosts
from ipsecbench.lab.strongswan import PeerIkeSa, StrongSwan

pytestmark = [pytest.mark.root, pytest.mark.interop]

FIELDS = ("isakmp.exchangetype", "isakmp.typepayload", "esp.icv_good", "esp.protocol", "udp.payload")

PAYLOAD = b"what nobody may read on the way"


def connection(here: Host, there: Host, version: int, ike: str, esp: str) -> dict[str, object]:
    child = {"local_ts": [f"{here.inner_ipv4}/32"], "remote_ts": [f"{there.inner_ipv4}/32"], "esp_proposals": [esp]}
    return {
        "version": version,
        "local_addrs": [here.ipv4],
        "remote_addrs": [there.ipv4],
        "proposals": [ike],
        "local": {"auth": "psk", "id": here.name},
        "remote": {"auth": "psk", "id": there.name},
        "children": {"net": child},
        "mobike": False,
    }


def exchange(hosts: Hosts, version: int, ike: str, esp: str, path: Path) -> tuple[PeerIkeSa, dict[str, bytes]]:
    """Up, one datagram through the tunnel, down; the capture goes to ``path``."""
    levels, patient = {"ike": 4, "chd": 4}, {"retransmit_timeout": 20}  # nothing comes twice on a busy machine
    local, peer = StrongSwan(hosts.local, options=patient, log_levels=levels), StrongSwan(hosts.peer, options=patient)
    with local, peer:
        local.load("c", connection(hosts.local, hosts.peer, version, ike, esp))
        peer.load("c", connection(hosts.peer, hosts.local, version, ike, esp))
        for daemon in (local, peer):
            daemon.load_shared_key("a secret of the two")
        with Capture(hosts.peer) as capture:
            local.initiate("c", "net")
            (sa,) = local.ike_sas()
            there = hosts.peer.inner_ipv4
            # In IKEv1 the responder has its SAs only when the third message of quick mode has come.
            peer.wait_for(lambda sas: any(child.state == "INSTALLED" for sa in sas for child in sa.children))
            sender = hosts.local.udp_socket(7000, hosts.local.inner_ipv4)
            with sender, hosts.peer.udp_socket(7000, there) as receiver:
                receiver.settimeout(3)
                sender.sendto(PAYLOAD, (there, 7000))
                assert receiver.recv(100) == PAYLOAD
            local.terminate_ike("c")
            peer.wait_for(lambda sas: not sas)
        capture.write(path)
        return sa, dict(logged_secrets(local.log))


def esp_line(hosts: Hosts, sa: PeerIkeSa, key: bytes, encryption: str, authentication: str, integrity_key: str) -> str:
    spi = sa.children[0].spi_out
    return (
        f'"IPv4","{hosts.local.ipv4}","{hosts.peer.ipv4}","0x{spi}",'
        f'"{encryption}","0x{key.hex()}","{authentication}","{integrity_key}"\n'
    )


@pytest.mark.usefixtures("strongswan_peer", "tshark")
def test_ikev2_and_esp(hosts: Hosts, tmp_path: Path) -> None:
    path = tmp_path / "a.pcap"
    sa, keys = exchange(hosts, 2, "aes256-sha384-x25519", "aes128gcm16", path)
    parts = (sa.spi_i, sa.spi_r, keys["Sk_ei secret"].hex(), keys["Sk_er secret"].hex(), '"AES-CBC-256 [RFC3602]"')
    integrity = (keys["Sk_ai secret"].hex(), keys["Sk_ar secret"].hex(), '"HMAC_SHA2_384_192 [RFC4868]"')
    key = keys["encryption initiator key"]
    tables = {
        "ikev2_decryption_table": ",".join((*parts, *integrity)) + "\n",
        "esp_sa": esp_line(hosts, sa, key, "AES-GCM with 16 octet ICV [RFC4106]", "NULL", ""),
    }
    packets = dissect(path, FIELDS, tables)
    exchanges = [packet for packet in packets if packet["isakmp.exchangetype"]]
    assert [packet["isakmp.exchangetype"] for packet in exchanges] == ["34", "34", "35", "35", "37", "37"]
    # IKE_AUTH of the initiator: SK, then inside IDi (35), AUTH (39), SA (33) and both TS (44, 45).
    assert {"46", "35", "39", "33", "44", "45"} <= set(exchanges[2]["isakmp.typepayload"].split(","))
    assert exchanges[4]["isakmp.typepayload"] == "46,42"
    (protected,) = [packet for packet in packets if packet["esp.icv_good"]]
    assert protected["esp.icv_good"] == "1"
    assert PAYLOAD.hex() in protected["udp.payload"].replace(":", "")
    # Without keys nothing of it can be read.
    assert PAYLOAD not in path.read_bytes()
    assert dissect(path, FIELDS, {}, "isakmp")[2]["isakmp.typepayload"] == "46"


@pytest.mark.usefixtures("strongswan_peer", "tshark")
def test_ikev1_and_esp(hosts: Hosts, tmp_path: Path) -> None:
    path = tmp_path / "b.pcap"
    sa, keys = exchange(hosts, 1, "aes256-sha1-modp1024", "aes128-md5", path)
    integrity_key = f"0x{keys['integrity initiator key'].hex()}"
    tables = {
        "ikev1_decryption_table": f"{sa.spi_i},{keys['encryption key Ka'].hex()}\n",
        "esp_sa": esp_line(
            hosts, sa, keys["encryption initiator key"], "AES-CBC [RFC3602]", "HMAC-MD5-96 [RFC2403]", integrity_key
        ),
    }
    packets = dissect(path, FIELDS, tables)
    exchanges = [packet for packet in packets if packet["isakmp.exchangetype"]]
    # Main mode (2) six times, quick mode (32) three times, the deletes (5).
    assert [packet["isakmp.exchangetype"] for packet in exchanges] == ["2"] * 6 + ["32"] * 3 + ["5"] * 2
    assert exchanges[4]["isakmp.typepayload"].startswith("5,8")  # ID, HASH
    assert exchanges[6]["isakmp.typepayload"].startswith("8,1,2,3,10")  # HASH, SA, proposal, transform, nonce
    assert exchanges[10]["isakmp.typepayload"] == "8,12"  # HASH, delete
    (protected,) = [packet for packet in packets if packet["esp.icv_good"]]
    assert protected["esp.icv_good"] == "1"
    assert PAYLOAD.hex() in protected["udp.payload"].replace(":", "")


@pytest.mark.usefixtures("tshark")
def test_a_line_that_wireshark_does_not_know(tmp_path: Path) -> None:
    path = tmp_path / "empty.pcap"
    path.write_bytes(bytes.fromhex("d4c3b2a1020004000000000000000000ffff000065000000"))
    assert dissect(path, FIELDS, {}) == []
    line = f'{"00" * 8},{"11" * 8},{"22" * 16},{"33" * 16},"ROT13",,,"NONE [RFC4306]"\n'
    with pytest.raises(LaboratoryError, match=r"tshark: .*ROT13"):
        dissect(path, FIELDS, {"ikev2_decryption_table": line})


def test_packets_of_both_directions(hosts: Hosts, tmp_path: Path) -> None:
    there = hosts.peer.ipv6
    with hosts.local.udp_socket(9, hosts.local.ipv6) as sender, hosts.peer.udp_socket(9, there) as receiver:
        receiver.settimeout(3)
        sender.settimeout(3)
        with Capture(hosts.local) as capture:
            sender.sendto(b"one", (there, 9))
            receiver.sendto(b"two", receiver.recvfrom(10)[1])
            assert sender.recv(10) == b"two"
            ours = [packet for packet in capture.packets() if packet[6] == 17]
    assert [packet[48:] for packet in ours] == [b"one", b"two"]


@pytest.mark.usefixtures("tshark")
def test_two_interfaces_in_one_file(tmp_path: Path) -> None:
    first, second = b"\x45" + bytes(19), b"\x60" + bytes(39)
    path = tmp_path / "two.pcapng"
    path.write_bytes(
        pcapng({"eth0": [(1000000000.25, first), (1000000002.0, first)], "ipsec0": [(1000000001.5, second)]})
    )
    rows = dissect(path, ("frame.time_epoch", "frame.interface_name", "frame.len"), {})
    assert [tuple(row.values()) for row in rows] == [
        ("1000000000.250000000", "eth0", "20"),
        ("1000000001.500000000", "ipsec0", "40"),
        ("1000000002.000000000", "eth0", "20"),
    ]


def test_other_interfaces_are_never_seen(hosts: Hosts) -> None:
    # A packet socket would take from all of them until it is bound, had it a protocol before.
    host, running = hosts.local, threading.Event()
    with host.udp_socket(9, host.inner_ipv4) as sender:
        running.set()

        def chatter() -> None:
            while running.is_set():
                with contextlib.suppress(OSError):
                    sender.sendto(b"on the loopback interface", (host.inner_ipv4, 10))

        thread = threading.Thread(target=chatter)
        thread.start()
        try:
            strays = [packet for _ in range(150) for packet in strays_of(host)]
        finally:
            running.clear()
            thread.join()
    assert not strays


def strays_of(host: Host) -> list[bytes]:
    with Capture(host) as capture:
        return [packet for packet in capture.packets() if packet[9] == 17]
