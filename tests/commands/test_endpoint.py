"""``ipsecbench endpoint`` on loopback: two of them set up what docs/examples say, and every mistake is one line."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "docs" / "examples"


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "ipsecbench", "endpoint", *arguments]


def run(*arguments: str, timeout: float = 30.0) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        stdin=subprocess.DEVNULL,
    )


@contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """An endpoint that listens; it is ended by its process ID in any case."""
    process = subprocess.Popen(
        command(*arguments),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    try:
        assert process.stderr is not None
        said = process.stderr.readline()
        assert said.startswith("Listening on "), said + process.stderr.read()
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=10)


@pytest.mark.parametrize(
    ("name", "version", "suite", "child"),
    [
        ("article", 1, "aes256-sha1-modp1024", "aes128-md5"),
        ("modern", 2, "aes128gcm16-prfsha256-x25519", "aes128gcm16-esn"),
    ],
)
def test_two_endpoints_set_up_an_example_and_part_politely(
    name: str, version: int, suite: str, child: str, tmp_path: Path
) -> None:
    keys = tmp_path / "keys"
    with running("--config", f"{EXAMPLES}/{name}-peer.toml", "--json") as peer:
        first = run("--config", f"{EXAMPLES}/{name}.toml", "--once", "--json", "--keylog", str(keys), "--user", "root")
        assert first.returncode == 0, first.stderr
        peer.send_signal(signal.SIGINT)
        output, errors = peer.communicate(timeout=15)
        assert peer.returncode == 0, errors
    ours = [json.loads(line) for line in first.stdout.splitlines()]
    theirs = [json.loads(line) for line in output.splitlines()]
    for events, role in ((ours, "initiator"), (theirs, "responder")):
        named = {event["event"]: event for event in events}
        assert named["IkeSaEstablished"]["role"] == role
        assert named["IkeSaEstablished"]["version"] == version
        assert named["IkeSaEstablished"]["proposal"] == suite
        assert named["ChildSaEstablished"]["proposal"].startswith(child)
        assert events[-1]["event"] == "IkeSaDeleted"
    mine, other = (
        next(event for event in events if event["event"] == "ChildSaEstablished") for events in (ours, theirs)
    )
    assert (mine["inbound_spi"], mine["outbound_spi"]) == (other["outbound_spi"], other["inbound_spi"])
    assert (
        (mine["local_ts"], mine["remote_ts"])
        == (other["remote_ts"], other["local_ts"])
        == (
            ["10.1.0.0/16"],
            ["10.2.0.0/16"],
        )
    )
    assert "k2;2.6" not in first.stdout + first.stderr + output + errors
    table = keys / f"ikev{version}_decryption_table"
    assert table.read_text().startswith(named["IkeSaEstablished"]["spi_i"])
    assert stat.S_IMODE(table.stat().st_mode) == 0o600
    assert len((keys / "esp_sa").read_text().splitlines()) == 2


def test_once_fails_when_nobody_answers(tmp_path: Path) -> None:
    config = tmp_path / "endpoint.toml"
    text = (EXAMPLES / "modern.toml").read_text()
    config.write_text(text.replace("dpd_delay", "retransmit_timeout = 0.1\nretransmit_tries = 2\ndpd_delay"))
    done = run("--config", str(config), "--once")
    assert done.returncode == 1, done.stderr
    assert "failed: modern: " in done.stdout


def test_ctrl_c_without_any_sa_ends_at_once() -> None:
    with running("--config", f"{EXAMPLES}/modern-peer.toml") as process:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=5)
        assert process.returncode == 0


def test_hostile_datagrams_are_counted_and_logged_once_a_second() -> None:
    with (
        running("--config", f"{EXAMPLES}/modern-peer.toml") as process,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        for number in range(500):
            sender.sendto(os.urandom(number % 64), ("127.0.0.2", 5500))
            sender.sendto(b"\0\0\0\0" + os.urandom(40), ("127.0.0.2", 5501))
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=10)
        assert process.returncode == 0
    assert output == ""
    lines = errors.splitlines()
    assert any(line.startswith("malformed-header: from 127.0.0.1:") for line in lines)
    assert len(lines) < 20
    assert "Traceback" not in errors


def test_strangers_with_a_wrong_secret_get_a_line_a_second(tmp_path: Path) -> None:
    config = tmp_path / "stranger.toml"
    text = (EXAMPLES / "modern.toml").read_text().replace("replace this by", "this is no")
    children = "\n".join(
        text[text.index("[connections.modern]") :]
        .replace("connections.modern", f"connections.s{number}")
        .replace("10.1.", f"10.{number + 3}.")
        for number in range(12)
    )
    config.write_text(text[: text.index("[connections.modern]")] + children)
    with running("--config", f"{EXAMPLES}/modern-peer.toml", "--json") as process:
        done = run("--config", str(config), "--once", "--json")
        assert done.returncode == 1
        assert done.stdout.count('"IkeSaFailed"') == 12
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=10)
        assert process.returncode == 0, errors
    failures = [line for line in output.splitlines() if "IkeSaFailed" in line]
    assert 1 <= len(failures) <= 6
    assert "IkeSaEstablished" not in output


def test_a_port_in_use_is_one_line() -> None:
    with running("--config", f"{EXAMPLES}/modern-peer.toml"):
        done = run("--config", f"{EXAMPLES}/modern-peer.toml")
    assert done.returncode == 2
    assert done.stderr == (
        "ipsecbench: cannot use UDP 127.0.0.2:5500: it is in use; stop the other IKE daemon or choose another port\n"
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("dpd_delay", "dpd_dealy", ":15: unknown key 'dpd_dealy'"),
        ("aes128gcm16-prfsha256-x25519", "aes128gcm16-x25519", ":13: proposal 'aes128gcm16-x25519': it names no PRF"),
        ('auth = "psk"', 'auth = "pubkey"\ncerts = "none.pem"', ":19: "),
    ],
)
def test_a_mistake_in_the_file_is_one_line(old: str, new: str, said: str, tmp_path: Path) -> None:
    config = tmp_path / "endpoint.toml"
    config.write_text((EXAMPLES / "modern.toml").read_text().replace(old, new, 1))
    done = run("--config", str(config))
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"ipsecbench: {config}{said}"), done.stderr
    assert done.stderr.count("\n") == 1


def test_once_without_anything_to_start_is_refused() -> None:
    done = run("--config", f"{EXAMPLES}/modern-peer.toml", "--once")
    assert done.returncode == 2
    assert "--once has nothing to do" in done.stderr


def test_a_user_that_does_not_exist_is_refused() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root gives up rights")
    done = run("--config", f"{EXAMPLES}/modern-peer.toml", "--user", "nobody-of-this-name")
    assert done.returncode == 2
    assert "there is no user 'nobody-of-this-name'" in done.stderr


def test_root_becomes_nobody() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root gives up rights")
    with running("--config", f"{EXAMPLES}/modern-peer.toml") as process:
        status = Path(f"/proc/{process.pid}/status").read_text()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=5)
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert set(fields["Uid"].split()) == {"65534"}
    assert fields["Groups"].strip() in ("", "65534")
    assert int(fields["CapEff"], 16) == 0
