"""Exported configuration on a kernel with ESP: the script for ip xfrm, and swanctl.conf with strongSwan over XFRM."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.export.connection import Connection, EspAlgorithms
from ipsecbench.export.target import find_target
from ipsecbench.lab.namespaces import Host, Hosts
from ipsecbench.lab.probes import ping
from ipsecbench.lab.strongswan import PLUGINS, StrongSwan
from tests.export_proofs.between_hosts import assert_child_sa, assert_ike_sa, connection_between, rekey
from tests.export_proofs.swanctl_end import load_swanctl
from tests.kernel.ends import PATIENCE_SECONDS

pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.kernel_esp]

SUITES = ("chacha20poly1305", "null-sha256")
"""Of each form one, beside those that packets go through; tests/kernel/test_suites.py has every name."""
LINES = ("xfrm-keys.sh", "local.sh", "peer.sh")


@pytest.fixture(autouse=True)
def clean(hosts: Hosts) -> Iterator[None]:
    yield
    for host in (hosts.local, hosts.peer):
        for what in ("state", "policy"):
            host.run("ip", "xfrm", what, "flush")


def run_script(connection: Connection, hosts: Hosts, folder: Path) -> None:
    """Do as the exported script's comment says."""
    (file,) = find_target("ip-xfrm").files(connection, "6", accept_legacy=True)
    script = folder / file.name
    script.write_text(file.text)
    made = hosts.local.run("sh", "-c", f"cd {folder} && sh {file.name}")
    assert made.returncode == 0, made.stderr
    keys = {word for name in LINES[1:] for word in re.findall(r"0x[0-9a-f]{32,}", (folder / name).read_text())}
    assert not any(key in file.text for key in keys)
    # It overwrites no keys.
    assert hosts.local.run("sh", "-c", f"cd {folder} && sh {file.name}").returncode != 0
    for host, name in ((hosts.local, "local.sh"), (hosts.peer, "peer.sh")):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
        done = host.run("sh", str(folder / name))
        assert done.returncode == 0, done.stderr
        assert not (folder / name).exists()


def assert_states(host: Host, connection: Connection) -> None:
    """Both SAs have the connection's transforms, limits and window."""
    suite = connection.esp.suite
    assert suite is not None
    said = host.run("ip", "-s", "xfrm", "state").stdout
    states = [f"src{part}" for part in re.split(r"(?m)^src", said) if part]
    assert len(states) == 2
    life = connection.child_life
    for state in states:
        words = " ".join(state.split())
        assert f"mode {connection.esp_mode}" in words
        assert f"({suite.icv_bytes * 8})" in words or f" {suite.icv_bytes * 8} " in words, words
        key_bits = 8 * suite.encryption.keymat_bytes
        assert key_bits == 0 or f"({key_bits} bits)" in words, words
        assert (re.search(r"flag [^(]*\besn\b", words) is not None) is connection.esp.esn, words
        assert f"expire add: soft (INF)(sec), hard {life.hard_seconds}(sec)" in words or (
            f"soft 0(sec), hard {life.hard_seconds}(sec)" in words
        ), words
        assert f"hard {life.hard_bytes}(bytes)" in words, words
        assert f"hard {life.hard_packets}(packets)" in words, words
        assert f"replay_window {connection.replay_window_packets}" in words or (
            f"replay-window {connection.replay_window_packets}" in words
        ), words


def with_suite(hosts: Hosts, suite: str, **changes: Any) -> Connection:
    chosen = esp_suites()[suite]
    integrity = None if chosen.integrity is None else chosen.integrity.name
    esp = EspAlgorithms(chosen.encryption.name, integrity, None, esn=changes.pop("esn", True))
    return replace(connection_between(hosts, "aes128-sha256-x25519", "aes128gcm16", **changes), esp=esp)


def test_the_kernel_has_what_the_script_says_for_every_suite(hosts: Hosts, tmp_path: Path) -> None:
    for suite in SUITES:
        folder = tmp_path / suite
        folder.mkdir()
        connection = with_suite(hosts, suite)
        (file,) = find_target("ip-xfrm").files(connection, "6")
        (folder / file.name).write_text(file.text)
        # Every process takes its time in the virtual machine.
        commands = f"cd {folder} && sh {file.name} && sh local.sh && ip xfrm policy flush"
        done = hosts.local.run("sh", "-c", commands, timeout_seconds=30 * PATIENCE_SECONDS)
        assert done.returncode == 0, done.stderr
        assert_states(hosts.local, connection)
        hosts.local.run("ip", "xfrm", "state", "flush")


@pytest.mark.parametrize(
    ("suite", "changes"),
    [
        ("aes256gcm16", {}),
        ("aes256-sha256", {"mode": "transport", "esn": False, "replay_window_packets": 32}),
    ],
)
def test_packets_go_both_ways_after_the_script(
    hosts: Hosts, suite: str, changes: dict[str, Any], tmp_path: Path
) -> None:
    connection = with_suite(hosts, suite, **changes)
    run_script(connection, hosts, tmp_path)
    for host in (hosts.local, hosts.peer):
        assert_states(host, connection)
    inner = (hosts.local.inner_ipv4, hosts.peer.inner_ipv4)
    ends = inner if connection.mode == "tunnel" else (hosts.local.ipv4, hosts.peer.ipv4)
    assert ping(hosts.local, *ends, count=2, timeout_seconds=5 * PATIENCE_SECONDS).answered == 2
    assert used(hosts.local) == used(hosts.peer) == {2}


def used(host: Host) -> set[int]:
    """Packets that the SAs have carried."""
    return {
        int(number) for number in re.findall(r"(\d+)\(packets\)\n\s+add", host.run("ip", "-s", "xfrm", "state").stdout)
    }


def test_strongswan_over_the_kernels_esp_has_these_parameters(hosts: Hosts, tmp_path: Path) -> None:
    """What its userspace ESP does not have: transport mode, extended sequence numbers, limits in packets and octets."""
    connection = connection_between(hosts, "aes256gcm16-prfsha384-ecp384", "aes256-sha256-ecp384-esn", mode="gre")
    plugins = tuple(name for name in PLUGINS if name != "kernel-libipsec")
    with (
        StrongSwan(hosts.local, plugins=plugins, patience=PATIENCE_SECONDS) as local,
        StrongSwan(hosts.peer, plugins=plugins, patience=PATIENCE_SECONDS) as peer,
    ):
        for daemon, view in ((local, connection), (peer, connection.mirrored())):
            load_swanctl(daemon, view, tmp_path / view.end_name)
        local.initiate(connection.name, connection.name)
        (sa,) = local.ike_sas()
        assert_ike_sa(sa, connection)
        assert sa.children[0].extended_sequence_numbers
        assert_child_sa(rekey(local, connection), connection, rekeyed=True)
        # What the kernel has of the limits, the window and the numbers.
        words = " ".join(hosts.local.run("ip", "-s", "xfrm", "state").stdout.split())
        life = connection.child_life
        assert f"hard {life.hard_bytes}(bytes)" in words
        assert f"hard {life.hard_packets}(packets)" in words
        assert f"replay_window {connection.replay_window_packets}" in words
