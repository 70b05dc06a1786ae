"""tshark decrypts exchanges of two of our own endpoints with the key log that one of them writes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ipsecbench.algorithms.proposals import parse_esp, parse_ike
from ipsecbench.esp.traffic_selector import parse_traffic_selector
from ipsecbench.ike.association import Association
from ipsecbench.ike.configuration import (
    AuthMethod,
    ChildConfiguration,
    ConnectionConfiguration,
    EndpointConfiguration,
    LocalAuthentication,
    RemoteAuthentication,
)
from ipsecbench.ike.events import ChildSaEstablished, ChildSaRekeyed, IkeSaDeleted, IkeSaRekeyed
from ipsecbench.ike.identification import address_identity
from ipsecbench.lab.capture import Capture, dissect
from ipsecbench.lab.driver import Driver
from ipsecbench.lab.key_log_files import KeyLogFiles
from ipsecbench.lab.namespaces import Host, Hosts
from ipsecbench.secret import Secret

pytestmark = [pytest.mark.root]

FIELDS = ("isakmp.exchangetype", "isakmp.typepayload", "isakmp.notify.msgtype", "isakmp.id.data.fqdn")
DELETE_V1, DELETE_V2 = "12", "42"
SELECTORS_V2 = {"44", "45"}


def configuration(here: Host, there: Host, version: int, ike: str, esp: str) -> EndpointConfiguration:
    child = ChildConfiguration(
        "net",
        (parse_esp(esp),),
        (parse_traffic_selector(here.inner_ipv4),),
        (parse_traffic_selector(there.inner_ipv4),),
    )
    connection = ConnectionConfiguration(
        name="c",
        version=version,
        proposals=(parse_ike(ike),),
        local=LocalAuthentication(AuthMethod.PSK, address_identity(here.ipv4)),
        remote=RemoteAuthentication(AuthMethod.PSK, address_identity(there.ipv4)),
        children=(child,),
        local_addresses=(here.ipv4,),
        remote_addresses=(there.ipv4,),
        psk=Secret(b"k2;2.6TbYl+{/qa"),
    )
    return EndpointConfiguration((connection,), own_addresses=(here.ipv4,))


@contextmanager
def endpoint(here: Host, there: Host, suite: tuple[int, str, str], keys: KeyLogFiles | None) -> Iterator[Driver]:
    sockets = [here.udp_socket(port, here.ipv4) for port in (500, 4500)]
    driver = Driver(configuration(here, there, *suite), sockets, key_log=keys)
    driver.start()
    try:
        yield driver
    finally:
        driver.stop()


@pytest.mark.usefixtures("tshark")
@pytest.mark.parametrize(
    "suite",
    [
        (2, "aes128-sha256-x25519", "aes128gcm16"),
        (2, "aes256gcm16-prfsha384-ecp384", "aes256-sha384-ecp384"),
        (2, "aes256ctr-aesxcbc-modp2048", "aes256ctr-aesxcbc"),
        (2, "aes128ccm12-prfsha512-x448", "null-sha512"),
        (2, "3des-md5-modp1024", "3des-md5"),
        (1, "aes256-sha1-modp1024", "aes128-md5"),
        (1, "3des-md5-modp1024", "3des-sha1-modp1024"),
    ],
    ids=lambda suite: f"ikev{suite[0]}-{suite[1]}",
)
def test_every_message_can_be_read(suite: tuple[int, str, str], hosts: Hosts, tmp_path: Path) -> None:
    version = suite[0]
    keys = KeyLogFiles(tmp_path / "keys")
    path = tmp_path / "exchange.pcap"
    with Capture(hosts.peer) as capture:
        with (
            endpoint(hosts.local, hosts.peer, suite, keys) as initiator,
            endpoint(hosts.peer, hosts.local, suite, None) as responder,
        ):
            number = initiator.call(lambda ike, now: ike.initiate("c", now))
            child = initiator.wait_for(ChildSaEstablished, timeout=10).sa
            responder.wait_for(ChildSaEstablished, timeout=10)

            def rekey_child(sa: Association, now: float) -> None:
                sa.rekey_child_sa(child.inbound_spi, now)

            initiator.call(lambda ike, now: ike.order(number, lambda sa: rekey_child(sa, now)))
            initiator.wait_for(ChildSaRekeyed, timeout=10)
            if version == 2:
                initiator.call(lambda ike, now: ike.order(number, lambda sa: sa.rekey(now)))
                number = initiator.wait_for(IkeSaRekeyed, timeout=10).sa.unique_id
            initiator.call(lambda ike, now: ike.order(number, lambda sa: sa.delete(now)))
            responder.wait_for(IkeSaDeleted, lambda event: True, timeout=10)
        capture.write(path)
    keys.close()
    tables = {file.name: file.read_text() for file in (tmp_path / "keys").iterdir()}
    assert len([line for line in tables["esp_sa"].splitlines() if not line.startswith("#")]) == 4
    assert len(tables[f"ikev{version}_decryption_table"].splitlines()) == (2 if version == 2 else 1)
    packets = [packet for packet in dissect(path, FIELDS, tables) if packet["isakmp.exchangetype"]]
    sealed = [packet for packet in packets if packet["isakmp.exchangetype"] not in ("34", "2")]
    assert len(sealed) >= 6
    payloads = [set(packet["isakmp.typepayload"].split(",")) for packet in sealed]
    if version == 2:
        # Every protected message shows what is inside of its Encrypted payload; an empty response shows nothing.
        assert sum(1 for inside in payloads if inside == {"46"}) <= 4
        assert sum(inside >= SELECTORS_V2 for inside in payloads) >= 4
        assert sum(DELETE_V2 in inside for inside in payloads) >= 2
    else:
        quick = [
            inside for packet, inside in zip(sealed, payloads, strict=True) if packet["isakmp.exchangetype"] == "32"
        ]
        # HASH in all, SA and nonce in the first two of each quick mode.
        assert len(quick) == 6
        assert all("8" in inside for inside in quick)
        assert sum({"1", "10", "5"} <= inside for inside in quick) == 4
        assert any(DELETE_V1 in inside for inside in payloads)
