"""``ipsecbench endpoint`` with a data plane, as a person runs it: docs/examples between two hosts, signals, mishaps."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ipsecbench.lab.namespaces import Host, Hosts
from tests.dataplane.ends import ping, transfer

pytestmark = pytest.mark.root
ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "docs" / "examples"


class Endpoint:
    """The command in a host."""

    def __init__(self, host: Host, config: Path, *options: str) -> None:
        self._host = host
        self.process = subprocess.Popen(
            host.command(sys.executable, "-m", "ipsecbench", "endpoint", "--config", str(config), *options),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        self.lines: list[str] = []

    def welcome(self) -> str:
        assert self.process.stderr is not None
        return self.process.stderr.readline()

    def until(self, word: str, seconds: float = 20.0) -> str:
        """Read lines until one has a word."""
        deadline = time.monotonic() + seconds
        assert self.process.stdout is not None
        while time.monotonic() < deadline:
            line = self.process.stdout.readline()
            if not line:
                break
            self.lines.append(line)
            if word in line:
                return line
        raise AssertionError(f"no {word!r} in {self.lines}, {self.process.poll()}")

    def end(self, number: int = signal.SIGINT, seconds: float = 20.0) -> tuple[int, str, str]:
        """End it with a signal: exit code, and what it said since."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        output, errors = self.process.communicate(timeout=seconds)
        return self.process.returncode, output, errors


@contextmanager
def endpoint(host: Host, config: Path, *options: str) -> Iterator[Endpoint]:
    running = Endpoint(host, config, *options)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
            running.process.communicate(timeout=10)


def changed(tmp_path: Path, name: str, *changes: tuple[str, str]) -> Path:
    """An example with something changed."""
    text = (EXAMPLES / name).read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / name
    path.write_text(text)
    return path


def leftovers(host: Host) -> dict[str, Any]:
    """What an endpoint could leave behind in a host."""
    links = {row["ifname"] for row in json.loads(host.run("ip", "-j", "link").stdout)}
    rules = host.run("ip", "rule").stdout + host.run("ip", "-6", "rule").stdout
    return {"links": links, "rules": rules, "processes": processes_of(host)}


def processes_of(host: Host) -> set[str]:
    done = subprocess.run(["ip", "netns", "pids", host.name], capture_output=True, text=True, timeout=20, check=True)
    # This process is there for a moment when a thread of it opens a socket.
    return set(done.stdout.split()) - {str(os.getpid())}


def settled(host: Host, before: dict[str, Any], seconds: float = 5.0) -> dict[str, Any]:
    """What is left once everything that ends by itself has had the time to."""
    deadline = time.monotonic() + seconds
    while (found := leftovers(host)) != before and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


@pytest.mark.parametrize("name", ["tunnel", "article", "gre"])
def test_an_example_carries_traffic(hosts: Hosts, name: str) -> None:
    before = leftovers(hosts.local), leftovers(hosts.peer)
    with (
        endpoint(hosts.peer, EXAMPLES / f"{name}-beta.toml", "--json") as beta,
        endpoint(hosts.local, EXAMPLES / f"{name}-alpha.toml") as alpha,
    ):
        assert "; data plane agent on ipsec0; Ctrl-C ends." in beta.welcome()
        alpha.welcome()
        alpha.until("Child SA")
        beta.until("ChildSaEstablished")
        assert ping(hosts.local, "10.1.0.1", "10.2.0.1") == 0
        assert transfer(hosts.local, hosts.peer, "10.2.0.1", 300_000) == 300_000
        # The whole of it runs without root: the agent too.
        assert {_user_of(process) for process in _ours(hosts.local)} == {"nobody"}
        beta.process.send_signal(signal.SIGUSR1)
        figures = json.loads(beta.until('"Statistics"'))
        assert figures["data_plane"] == "agent"
        assert figures["inbound_bytes"] > 300_000
        (child,) = figures["child_sas"]
        assert child["inbound_packets"] == figures["inbound_packets"]
        if name == "gre":
            # A policy of its own drops what is for this network, before GRE is asked.
            assert ping(hosts.local, "10.1.0.1", "10.2.66.1", count=1) == 1
        code, output, errors = alpha.end()
        assert code == 0, errors
        last = output.splitlines()[-1]
        assert last.startswith("Data plane agent: ")
        assert ("XfrmOutPolBlock 1" in last) == (name == "gre")
        code, output, errors = beta.end()
        assert code == 0, errors
        assert json.loads(output.splitlines()[-1])["event"] == "Statistics"
    assert (settled(hosts.local, before[0]), settled(hosts.peer, before[1])) == before


def _ours(host: Host) -> list[str]:
    """The endpoint and its agent; the process that keeps the routes needs its rights."""
    return [
        process
        for process in processes_of(host)
        if b"route_keeper" not in Path(f"/proc/{process}/cmdline").read_bytes()
    ]


def _user_of(process: str) -> str:
    import pwd

    return pwd.getpwuid(os.stat(f"/proc/{process}").st_uid).pw_name


@pytest.mark.parametrize(
    ("plane", "victim"),
    [
        ("agent", "endpoint"),
        ("agent", "agent"),
        ("agent", "routes"),
        ("reference", "endpoint"),
        ("reference", "routes"),
    ],
)
def test_a_kill_leaves_nothing_and_gives_one_line(hosts: Hosts, tmp_path: Path, plane: str, victim: str) -> None:
    before = leftovers(hosts.local)
    config = changed(tmp_path, "tunnel-alpha.toml", ('"auto"', f'"{plane}"'), ('start_action = "start"', ""))
    with endpoint(hosts.local, config) as alpha:
        assert "Listening" in alpha.welcome()
        if victim == "endpoint":
            alpha.end(signal.SIGKILL)
        else:
            word = b"route_keeper" if victim == "routes" else b"ipsecbench-agent"
            (process,) = (
                each
                for each in processes_of(hosts.local)
                if word in Path(f"/proc/{each}/cmdline").read_bytes().replace(b"\0", b" ")
            )
            os.kill(int(process), signal.SIGKILL)
            if victim == "agent":
                _, errors = alpha.process.communicate(timeout=15)
                assert alpha.process.returncode == 1
                said = [line for line in errors.splitlines() if line.startswith("ipsecbench: ")]
                assert len(said) == 1, errors
                assert "data plane" in said[0]
                assert "Traceback" not in errors
            else:
                # Routes stay as they are; there is nobody to take the rules away, which lead nowhere afterwards.
                assert alpha.end()[0] == 0
    found = settled(hosts.local, before)
    if victim == "routes":
        found["rules"] = before["rules"]
    assert found == before


def test_bad_input_is_one_line(hosts: Hosts, tmp_path: Path) -> None:
    for changes, words in (
        ((("mtu = 1400", "mtu = 10"),), "from 68 to 65535"),
        ((('tun = "ipsec0"', 'tun = "eth0"'), ('"auto"', '"agent"')), "cannot make the TUN device eth0"),
        ((('"auto"', '"kernel"'),), "no data plane 'kernel'"),
    ):
        config = changed(tmp_path, "tunnel-alpha.toml", *changes)
        with endpoint(hosts.local, config) as alpha:
            _, errors = alpha.process.communicate(timeout=20)
        assert alpha.process.returncode in (1, 2)
        assert errors.count("\n") == 1, errors
        assert errors.startswith("ipsecbench: ")
        assert words in errors
    before = leftovers(hosts.local)
    with endpoint(hosts.local, EXAMPLES / "tunnel-alpha.toml") as first:
        first.welcome()
        second = changed(tmp_path, "tunnel-alpha.toml", ("[endpoint]", "[endpoint]\nport = 1500\nnatt_port = 1501"))
        with endpoint(hosts.local, second) as other:
            _, errors = other.process.communicate(timeout=20)
        assert "there is a device of that name already" in errors
        assert other.process.returncode == 1
        first.end()
    assert settled(hosts.local, before) == before


def test_without_rights_it_says_what_is_missing(root: None, tmp_path: Path) -> None:
    config = changed(
        tmp_path,
        "tunnel-alpha.toml",
        ("192.0.2.1", "127.0.0.1"),
        ("[endpoint]", "[endpoint]\nport = 0\nnatt_port = 15001"),
    )
    done = subprocess.run(
        [
            # Root without any capability.
            *("setpriv", "--bounding-set", "-all", "--inh-caps", "-all"),
            *(sys.executable, "-m", "ipsecbench", "endpoint", "--config", str(config)),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert done.stderr.startswith("ipsecbench: cannot "), done.stderr
    assert "CAP_NET_ADMIN" in done.stderr
