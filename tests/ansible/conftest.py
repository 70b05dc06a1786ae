"""A fleet of boxes with real ssh servers in one network, and real Ansible beside them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.remote.box import PORT, Box, sshd
from tests.remote.conftest import SHORT

ROOT = Path(__file__).resolve().parents[2]
ANSIBLE = ROOT / "ansible"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs the rights to make namespaces, and a server of ssh."""
    missing = None
    if os.geteuid() != 0:
        missing = "needs root for namespaces of its own"
    elif sshd() is None or shutil.which("ssh") is None:
        missing = "needs OpenSSH (tests/install-system-packages.sh)"
    for item in items:
        if Path(__file__).parent not in item.path.parents or "fleet" not in getattr(item, "fixturenames", ()):
            continue
        item.add_marker(pytest.mark.root)
        item.add_marker(pytest.mark.agent)
        item.add_marker(pytest.mark.slow)
        if missing is not None and not os.environ.get("CI"):
            item.add_marker(pytest.mark.skip(reason=missing))


@dataclass
class Outcome:
    """What a run of the playbook gave."""

    code: int
    out: str
    err: str
    library: Path

    def recap(self, host: str) -> dict[str, int]:
        """What the recap counts for a host."""
        line = next(line for line in self.out.split("PLAY RECAP")[1].splitlines() if line.split(" ")[0] == host)
        return {key: int(value) for key, value in (pair.split("=") for pair in line.split(":")[1].split())}

    def files(self) -> list[str]:
        """What is in the library."""
        return sorted(path.name for path in self.library.iterdir()) if self.library.exists() else []

    def notes(self) -> list[dict[str, Any]]:
        """The failure notes."""
        return [json.loads(path.read_text()) for path in sorted(self.library.glob("*.failure.json"))]


class Fleet:
    """Boxes that share a network, and the playbook run within their reach."""

    def __init__(self, folder: Path, temporary: Path, stack: ExitStack) -> None:
        self.folder = folder
        self.temporary = temporary
        """Everything that is written here goes there; the name is short enough for sockets."""
        self.library = folder / "library"
        self.boxes: dict[str, Box] = {}
        self.hosts: dict[str, dict[str, Any]] = {}
        self._stack = stack

    def box(self, name: str, *arguments: str, before: str = "", **variables: Any) -> Box:
        """Start one more box; the first one's network is everybody's."""
        first = next(iter(self.boxes.values()), None)
        made = Box(self.folder / name, port=PORT + len(self.boxes), beside=first, before=before)
        box = self.boxes[name] = self._stack.enter_context(made)
        known = f"-F none -o UserKnownHostsFile={box.folder}/known_hosts -o GlobalKnownHostsFile=none"
        self.hosts[name] = {
            "ansible_host": "127.0.0.1",
            "ansible_port": box.port,
            "ansible_user": "root",
            "ansible_ssh_private_key_file": str(box.folder / "key"),
            "ansible_ssh_common_args": f"{known} -o IdentitiesOnly=yes -o IdentityAgent=none",
            # The boxes are this machine, which is busy with tests and may have been started just now.
            "ipsecbench_max_load": 999,
            "ipsecbench_min_uptime": 0,
            "ipsecbench_arguments": [*SHORT, "--budget", "1.5", "--precision", "0.05", *arguments],
            **variables,
        }
        return box

    def start(self, *words: str, **variables: Any) -> subprocess.Popen[str]:
        """Start the playbook and go on."""
        inventory = self.folder / "inventory.json"
        inventory.write_text(json.dumps({"all": {"hosts": self.hosts}}))
        settings = {
            "ipsecbench_command": [sys.executable, "-m", "ipsecbench"],
            "ipsecbench_library": str(self.library),
            "ipsecbench_patience": 1,
            **variables,
        }
        playbook = ("playbook", "-i", str(inventory), "-e", json.dumps(settings), str(ANSIBLE / "measure.yml"), *words)
        kept = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
        first = next(iter(self.boxes.values()))
        process = subprocess.Popen(
            first.reach(sys.executable, "-m", "ansible", *playbook),
            cwd=self.folder,
            env={
                **kept,
                "PYTHONPATH": str(ROOT),
                "HOME": str(self.temporary / "home"),
                "TMPDIR": str(self.temporary / "t"),
                "ANSIBLE_HOME": str(self.temporary / "a"),
                "ANSIBLE_LOCAL_TEMP": str(self.temporary / "a/t"),
                "ANSIBLE_SSH_ARGS": "-o ControlMaster=no",
                "ANSIBLE_NOCOLOR": "1",
                "LC_ALL": "C.UTF-8",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._stack.callback(_end, process)
        return process

    def finish(self, process: subprocess.Popen[str]) -> Outcome:
        """Wait for its end; nothing may be left on the boxes, nor in this machine's temporary folder."""
        try:
            out, err = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
        assert "Traceback" not in out + err, out + err
        assert list((self.temporary / "t").iterdir()) == []
        for box in self.boxes.values():
            if box.process is not None and box.process.poll() is None:
                assert box.files() == []
                assert not box.processes("/ipsecbench.")
        return Outcome(process.returncode, out, err, self.library)

    def __call__(self, *words: str, **variables: Any) -> Outcome:
        """Run the playbook to its end."""
        return self.finish(self.start(*words, **variables))


def _end(process: subprocess.Popen[str]) -> None:
    """End a playbook that a failed test has left, and what it started."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    """A fleet without boxes yet; they are gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="ib", dir="/tmp") as temporary, ExitStack() as stack:
        for name in ("home", "t", "a"):
            (Path(temporary) / name).mkdir()
        yield Fleet(tmp_path, Path(temporary), stack)
