"""Which agent a box is given, and where it would be put."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from ipsecbench.agent.elf import read_executable
from ipsecbench.agent.find import agent_path
from ipsecbench.cli.remote.box import box_name, usable_places
from ipsecbench.errors import UsageError
from ipsecbench.remote.agents import choose_agent
from ipsecbench.remote.survey import Survey, read_survey
from tests.unit.remote.test_hostile_boxes import _program

MIPS = _program(32, False, 8, b"/lib/ld-musl-mips-sf.so.1\0")


@pytest.fixture
def openwrt() -> Survey:
    """A router, as its shell answers."""
    return read_survey(
        {
            "system": b"Linux 5.15.167 mips\n",
            "hostname": b"OpenWrt\n",
            "boot": b"0d0a7a39-9c9b-4d1b-93cd-2f6a2d4e1c11\n",
            "load": b"0.08 0.03 0.01 1/53 2204\n",
            "processors": b"0\n",
            "shell": MIPS,
            "loaders": b"/lib/ld-musl-mips-sf.so.1\n",
            "mounts": b"/dev/root / squashfs ro 0 0\ntmpfs /tmp tmpfs rw,nosuid,nodev,noatime 0 0\n"
            b"tmpfs /dev tmpfs rw,nosuid,noexec,size=512k 0 0\n",
            "home": b"/root\n",
            "free /root": b"Filesystem 1024-blocks Used Available Capacity Mounted on\noverlay 8000 7000 1000 88% /\n",
            "free /dev/shm": b"Filesystem 1024-blocks Used Available Capacity Mounted on\ntmpfs 512 0 512 0% /dev\n",
            "free /tmp": b"Filesystem 1024-blocks Used Available Capacity Mounted on\ntmpfs 61020 148 60872 0% /tmp\n",
            "free /tmp/../etc; id": b"x",
        }
    )


def cross(folder: Path, *names: str) -> None:
    """Agents for other machines, as far as they are chosen by name."""
    entries = []
    for name in names:
        (folder / name).mkdir(parents=True)
        (folder / name / "ipsecbench-agent").write_bytes(MIPS)
        machine, libc = name.split("-")
        entries.append(
            {
                "machine": machine, "libc": libc, "bytes": len(MIPS), "sha256": "0" * 64, "interpreter": "/lib/ld",
                "needed": [], "glibc_at_least": None,
            }
        )  # fmt: skip
    folder.mkdir(exist_ok=True)
    (folder / "manifest.json").write_text(json.dumps({"format": 1, "agents": entries}))


def test_a_router_is_described(openwrt: Survey) -> None:
    assert (openwrt.machine, openwrt.libc, openwrt.load, openwrt.processors) == ("mips", "musl", 0.08, 1)
    assert [(one.path, one.free_kib, one.is_noexec) for one in openwrt.candidates] == [
        ("/tmp", 60872, False),
        ("/dev/shm", 512, True),
        ("/root", 1000, False),
    ]
    assert usable_places(openwrt) == ("/tmp", "/root", "/dev/shm")


def test_the_agent_that_was_built_for_it(openwrt: Survey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IPSECBENCH_AGENTS", str(tmp_path / "cross"))
    cross(tmp_path / "cross", "mips-musl", "mipsel-musl", "mips-glibc")
    chosen = choose_agent(openwrt, None)
    assert chosen == tmp_path / "cross/mips-musl/ipsecbench-agent"
    little = replace(openwrt, machine="mipsel", shell_program=None)
    assert choose_agent(little, None) == tmp_path / "cross/mipsel-musl/ipsecbench-agent"
    # A shell without a loader, such as a static busybox: the loaders that are there say it.
    assert choose_agent(replace(openwrt, libc=None, shell_program=None), None) == chosen
    assert choose_agent(replace(openwrt, libc="uclibc", loaders=()), None) is None
    assert choose_agent(replace(openwrt, machine="ppc"), None) is None


@pytest.mark.agent
def test_its_own_agent_for_a_box_like_this_machine(
    openwrt: Survey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IPSECBENCH_AGENTS", str(tmp_path / "cross"))
    cross(tmp_path / "cross")
    own = read_executable(agent_path().read_bytes()[:4096])
    assert own is not None
    assert own.machine is not None
    same = replace(openwrt, machine=own.machine, shell_program=own, libc=own.libc)
    assert choose_agent(same, None) == agent_path()
    # The same processor with another C library, and no loader for ours.
    assert (
        choose_agent(replace(same, shell_program=replace(own, interpreter="/lib/ld-musl-x.so.1"), loaders=()), None)
        is None
    )


def test_a_named_agent_must_be_for_the_box(openwrt: Survey, tmp_path: Path) -> None:
    good = tmp_path / "good"
    good.write_bytes(MIPS)
    assert choose_agent(openwrt, good) == good
    other, none = tmp_path / "other", tmp_path / "none"
    other.write_bytes(_program(64, True, 183, b"/lib/ld-linux-aarch64.so.1\0"))
    none.write_text("#!/bin/sh\n")
    for path, why in ((other, "is for aarch64"), (none, "no executable"), (tmp_path / "missing", "No such file")):
        with pytest.raises(UsageError, match=why):
            choose_agent(openwrt, path)


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("root@192.0.2.1", "192.0.2.1"),
        ("router", "router"),
        ("ssh://root@router:2222", "router"),
        ("ssh://[2001:db8::1]:22", "2001:db8::1"),
        ("root@2001:db8::1", "2001:db8::1"),
    ],
)
def test_a_boxs_name_in_files(host: str, name: str) -> None:
    assert box_name(host) == name
