"""Namespaces of one's own: root inside without being root, nothing left behind whichever process is killed."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ipsecbench.lab import enclosure
from tests.lab import rootless
from tests.lab.conftest import require

ENTER = """
import os, subprocess, sys, time
from pathlib import Path
from ipsecbench.lab import enclosure
enclosure.enter(inside=lambda number: print("inside", number, flush=True), ended=lambda: print("ended", flush=True))
from ipsecbench.lab.namespaces import two_hosts
with two_hosts() as hosts:
    answers = subprocess.run(hosts.local.command("ping", "-c", "1", hosts.peer.ipv4), capture_output=True).returncode
    sleeper = hosts.local.start("sleep", "1000")
    print("worker", os.getpid(), os.geteuid(), answers, sorted(os.listdir("/run/netns")), flush=True)
    if sys.argv[1] == "wait":
        time.sleep(60)
sys.exit(7)
"""


def prefix(user: str) -> list[str]:
    return [*rootless.user_prefix(), rootless.python()] if user == "nobody" else [sys.executable]


@pytest.fixture(params=["root", "nobody"])
def user(request: pytest.FixtureRequest) -> str:
    """Both ways to have it."""
    name = str(request.param)
    if name == "root" and os.geteuid() != 0:
        require("not root")
    if name == "nobody":
        require(rootless.missing_prerequisite())
    require(enclosure.missing_prerequisite())
    return name


@contextmanager
def entered(user: str) -> Iterator[tuple[subprocess.Popen[str], int, int]]:
    """The waiting process, the first process inside, and the worker, by their numbers outside."""
    with subprocess.Popen(
        [*prefix(user), "-c", ENTER, "wait"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd="/",
        env={**os.environ, "PYTHONPATH": str(rootless.ROOT)},
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            inside = process.stdout.readline().split()
            assert inside[:1] == ["inside"], inside
            assert process.stdout.readline().startswith("worker 2 0 0 "), "PID 2, user 0, and ping went through"
            first = int(inside[1])
            yield process, first, children(first)[0]
        finally:
            if process.poll() is None:
                process.kill()


def children(process: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def descendants(process: int) -> list[int]:
    found = children(process)
    return found + [each for child in found for each in descendants(child)]


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.mark.root
def test_root_inside_and_the_exit_code_comes_out(user: str) -> None:
    done = subprocess.run(
        [*prefix(user), "-c", ENTER, "go"], capture_output=True, text=True, timeout=30, cwd="/",
        env={**os.environ, "PYTHONPATH": str(rootless.ROOT)}, check=False,
    )  # fmt: skip
    assert done.returncode == 7, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["inside", "worker", "ended"]
    assert lines[1].startswith("worker 2 0 0 ['ipsb-2-"), lines
    assert lines[1].count("ipsb-") == 2, "of other laboratories nothing is seen"


@pytest.mark.root
@pytest.mark.parametrize("victim", ["waiting", "first", "worker"])
def test_kill_9_of_any_process_leaves_nothing(user: str, victim: str) -> None:
    before = set(os.listdir("/run/netns")) if Path("/run/netns").is_dir() else set()
    with entered(user) as (process, first, worker):
        family = [process.pid, *descendants(process.pid)]
        assert first in family
        assert worker in family
        assert len(family) >= 4, "the sleeping process is one of them"
        os.kill({"waiting": process.pid, "first": first, "worker": worker}[victim], signal.SIGKILL)
        process.wait(timeout=10)
        deadline = time.monotonic() + 10
        while any(map(alive, family)) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not [each for each in family if alive(each)]
        assert process.returncode == (-9 if victim == "waiting" else 137)
    after = set(os.listdir("/run/netns")) if Path("/run/netns").is_dir() else set()
    assert not [name for name in after - before if name.startswith("ipsb-2-")]


@pytest.mark.root
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_the_waiting_process_reaches_the_worker(user: str, number: signal.Signals) -> None:
    with entered(user) as (process, _first, _worker):
        process.send_signal(number)
        process.wait(timeout=10)
        assert process.returncode == 128 + number


@pytest.mark.parametrize(
    ("settings", "number", "said"),
    [
        ({"kernel/unprivileged_userns_clone": "0"}, errno.EPERM, "sysctl -w kernel.unprivileged_userns_clone=1"),
        ({"user/max_user_namespaces": "0"}, errno.ENOSPC, "sysctl -w user.max_user_namespaces="),
        (
            {"kernel/apparmor_restrict_unprivileged_userns": "1", "kernel/unprivileged_userns_clone": "1"},
            errno.EACCES,
            "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
        ),
        ({}, errno.EINVAL, "CONFIG_USER_NS"),
        ({}, errno.ENOSPC, "too many namespaces"),
        ({}, errno.EPERM, "--privileged"),
    ],
)
def test_why_the_kernel_refuses(settings: dict[str, str], number: int, said: str, tmp_path: Path) -> None:
    for name, value in settings.items():
        path = tmp_path / "proc/sys" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{value}\n")
    assert said in enclosure.refusal(number, tmp_path)


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin")
    assert "no program 'ip'" in str(enclosure.missing_prerequisite(tmp_path))
    for name in ("ip", "nft", "setpriv", "nsenter", "sysctl"):
        path = tmp_path / "usr/bin" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert "no /dev/net/tun: 'modprobe tun'" in str(enclosure.missing_prerequisite(tmp_path))
    (tmp_path / "dev/net").mkdir(parents=True)
    (tmp_path / "dev/net/tun").touch()
    assert enclosure.missing_prerequisite(tmp_path) is None


WITHOUT_USER_NAMESPACES = """
# A user namespace with every user in it and in which no further ones are allowed, as a machine that allows none.
import ctypes, os, sys
from pathlib import Path
ready, mapped = os.pipe(), os.pipe()
child = os.fork()
if child:
    os.read(ready[0], 1)
    for name in ("uid_map", "gid_map"):
        Path(f"/proc/{child}/{name}").write_text("0 0 65536")
    os.write(mapped[1], b"x")
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
assert ctypes.CDLL(None).unshare(0x10000000) == 0
os.write(ready[1], b"x")
os.read(mapped[0], 1)
Path("/proc/sys/user/max_user_namespaces").write_text("0")
os.execvp(sys.argv[1], sys.argv[1:])
"""


@pytest.mark.root
def test_a_limit_of_namespaces_is_one_clear_line() -> None:
    if os.geteuid() != 0:
        require("not root")
    require(rootless.missing_prerequisite())
    done = rootless.run("lab", "up", before=[sys.executable, "-c", WITHOUT_USER_NAMESPACES])
    assert done.returncode == 1, done.stdout
    (line,) = done.stderr.splitlines()
    assert line.startswith("ipsecbench: no laboratory: this user may not make namespaces: ")
    assert "sysctl -w user.max_user_namespaces=" in line
