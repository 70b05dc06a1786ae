"""What Linux needs beside IKE: the script for ip xfrm, tunnel devices, MSS; and the lives with one margin."""

from __future__ import annotations

import itertools
import re
import stat
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsecbench.export.connection import EspAlgorithms, Life
from ipsecbench.export.shared_margin import shared_margin
from ipsecbench.export.target import find_target
from ipsecbench.export.tunnel_devices import segment_size_commands, tunnel_device_commands
from tests.unit.export.connections import a_connection


def run_script(folder: Path, esp: EspAlgorithms) -> tuple[str, str]:
    """The scripts of both ends that the exported script makes; it needs no root."""
    (file,) = find_target("ip-xfrm").files(a_connection(esp=esp), "6")
    folder.mkdir()
    (folder / file.name).write_text(file.text)
    done = subprocess.run(["sh", file.name], cwd=folder, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0, done.stderr
    for name in ("local.sh", "peer.sh"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    return (folder / "local.sh").read_text(), (folder / "peer.sh").read_text()


def states(script: str) -> dict[tuple[str, str], str]:
    """Everything behind the addresses of each ``xfrm state add``, by source and destination."""
    found = re.findall(r"^xfrm state add src (\S+) dst (\S+) (.*)$", script, re.M)
    return {(source, destination): rest for source, destination, rest in found}


def test_both_ends_get_the_same_new_keys_and_each_direction_its_own(tmp_path: Path) -> None:
    esp = EspAlgorithms("aes256", "sha256", None)
    local, peer = run_script(tmp_path / "first", esp)
    assert states(local) == states(peer)
    assert len(states(local)) == 2
    keys = [re.findall(r"0x[0-9a-f]{64}", rest) for rest in states(local).values()]
    # 256 bits each for AES-256 and HMAC-SHA2-256, four of them, all different.
    assert [len(row) for row in keys] == [2, 2]
    again = [re.findall(r"0x[0-9a-f]{64}", rest) for rest in states(run_script(tmp_path / "second", esp)[0]).values()]
    every = list(itertools.chain(*keys, *again))
    assert len(set(every)) == 8


@pytest.mark.parametrize(
    ("encryption", "words"),
    [
        # Key and salt: 32 + 4 octets (RFC 4106 section 8.1), 16 + 3 (RFC 4309 section 7.1).
        ("aes256gcm16", r"aead 'rfc4106\(gcm\(aes\)\)' 0x[0-9a-f]{72} 128 "),
        ("aes128ccm16", r"aead 'rfc4309\(ccm\(aes\)\)' 0x[0-9a-f]{38} 128 "),
        ("chacha20poly1305", r"aead 'rfc7539esp\(chacha20,poly1305\)' 0x[0-9a-f]{72} 128 "),
    ],
)
def test_keys_have_the_length_that_the_transform_needs(encryption: str, words: str, tmp_path: Path) -> None:
    local, _ = run_script(tmp_path / "keys", EspAlgorithms(encryption, None, None))
    for rest in states(local).values():
        assert re.search(words, rest), rest


def test_what_needs_ike_or_a_socket_is_refused() -> None:
    target = find_target("ip-xfrm")
    assert any("4500" in line for line in target.refuse(a_connection(nat_traversal=True), "6"))
    fallback = a_connection(esp_fallbacks=(EspAlgorithms("aes128", "sha1", None),))
    assert any("no fallback" in line for line in target.refuse(fallback, "6"))
    assert any("window" in line for line in target.refuse(a_connection(replay_window_packets=8192), "6"))


@pytest.mark.parametrize(
    ("mode", "outer", "inner", "kind", "protocol"),
    [
        ("gre", "ipv4", "ipv4", "type gre", 47),
        ("gre", "ipv6", "ipv4", "type ip6gre", 47),
        ("ipip", "ipv4", "ipv4", "type ipip", 4),
        ("ipip", "ipv4", "ipv6", "type sit", 41),
        ("ipip", "ipv6", "ipv4", "type ip6tnl mode ipip6", 4),
        ("ipip", "ipv6", "ipv6", "type ip6tnl mode ip6ip6", 41),
    ],
)
def test_tunnel_devices_and_the_protocol_that_is_protected(
    mode: str, outer: str, inner: str, kind: str, protocol: int
) -> None:
    connection = a_connection(mode=mode, outer=outer, inner=inner)
    first, second, route = tunnel_device_commands(connection)
    assert f" {kind} local {connection.local.address} remote {connection.peer.address}" in first
    assert "mtu 1446 up" in second
    assert connection.peer.networks[0] in route
    assert connection.tunnel_protocol == protocol
    text = find_target("swanctl").files(connection, "5.9")[0].text
    assert f"remote_ts = dynamic[{protocol}]" in text


def test_the_mss_is_lowered_for_each_network_by_its_ip_version() -> None:
    for inner, mss in (("ipv4", 1406), ("ipv6", 1386)):
        rules = [line for line in segment_size_commands(a_connection(outer=inner, inner=inner)) if "maxseg" in line]
        assert len(rules) == 2
        assert all(line.endswith(f"maxseg size set {mss}") for line in rules)


@given(
    ike=st.tuples(st.integers(60, 90000), st.integers(0, 9000)),
    child=st.tuples(st.integers(60, 90000), st.integers(0, 9000)),
    rand=st.integers(0, 59),
)
def test_one_margin_for_two_sas_never_lengthens_a_life(ike: tuple[int, int], child: tuple[int, int], rand: int) -> None:
    connection = a_connection(
        ike_life=Life(ike[0], sum(ike), rand_seconds=rand), child_life=Life(child[0], sum(child), rand_seconds=rand)
    )
    lives = shared_margin(connection)
    for ends, life in ((lives.ike_seconds, connection.ike_life), (lives.child_seconds, connection.child_life)):
        assert ends <= life.hard_seconds
        # Rekeying begins at the latest a margin before the end.
        assert ends - lives.margin_seconds <= life.soft_seconds
    assert 0 <= lives.fuzz_percent <= 100
