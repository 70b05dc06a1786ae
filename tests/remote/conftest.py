"""Boxes with a real ssh server, and the program that measures them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ipsecbench.dataset.model import Dataset
from ipsecbench.dataset.store import read_dataset
from tests.remote.box import Box, sshd

SHORT = ("--only", "aes128gcm16", "--sizes", "64,576", "--providers", "libcrypto", "--cores", "1", "--no-report")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs the rights to make namespaces, and a server of ssh."""
    missing = None
    if os.geteuid() != 0:
        missing = "needs root for namespaces of its own"
    elif sshd() is None or shutil.which("ssh") is None:
        missing = "needs OpenSSH (tests/install-system-packages.sh)"
    for item in items:
        if Path(__file__).parent not in item.path.parents or "box" not in getattr(item, "fixturenames", ()):
            continue
        item.add_marker(pytest.mark.root)
        item.add_marker(pytest.mark.agent)
        if missing is not None and not os.environ.get("CI"):
            item.add_marker(pytest.mark.skip(reason=missing))


@dataclass
class Outcome:
    """What a run of the program gave."""

    code: int
    out: str
    err: str
    folder: Path

    @property
    def boxes(self) -> list[dict[str, Any]]:
        """The lines of ``--json``."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def dataset(self) -> Dataset:
        """The only dataset that was written."""
        (path,) = self.folder.glob("*.ipsecbench.json")
        return read_dataset(path)


class Program:
    """``ipsecbench remote`` as a user runs it, within reach of a box."""

    def __init__(self, folder: Path, temporary: Path) -> None:
        self.folder = folder
        self.temporary = temporary
        """Its temporary files; the name is short enough for sockets."""
        folder.mkdir()

    def start(
        self, box: Box, *arguments: str, hosts: tuple[str, ...] = ("root@127.0.0.1",), **more: Mapping[str, str]
    ) -> subprocess.Popen[str]:
        """Start it and go on."""
        command = box.reach(sys.executable, "-m", "ipsecbench", "remote", *hosts, *box.options, *arguments)
        root = Path(__file__).resolve().parents[2]
        environment = {**os.environ, "PYTHONPATH": str(root), "TMPDIR": str(self.temporary), **more.get("env", {})}
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(self, process: subprocess.Popen[str]) -> Outcome:
        """Wait for its end; it must leave nothing on this machine either."""
        try:
            out, err = process.communicate(timeout=240)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
        assert "Traceback" not in err, err
        assert list(self.temporary.iterdir()) == []
        return Outcome(process.returncode, out, err, self.folder)

    def __call__(self, box: Box, *arguments: str, **more: Any) -> Outcome:
        """Run it to its end."""
        return self.finish(self.start(box, *arguments, **more))


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    """The program, in an empty folder."""
    with tempfile.TemporaryDirectory(prefix="ib", dir="/tmp") as temporary:
        yield Program(tmp_path / "here", Path(temporary))


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Callable[..., Box]]:
    """Start a box; it is gone afterwards."""
    with ExitStack() as stack:

        def start(**settings: Any) -> Box:
            return stack.enter_context(Box(tmp_path / "box", **settings))

        yield start
