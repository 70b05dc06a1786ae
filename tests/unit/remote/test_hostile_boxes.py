"""What a box sends is hostile data: bounded, printable, and never a path of this machine."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsecbench.agent.client import AgentProcess
from ipsecbench.agent.elf import Executable, libc_of_loader, read_executable
from ipsecbench.bench.measurement import Tier, Workload
from ipsecbench.bench.runner import AgentRunner
from ipsecbench.errors import AgentError, RemoteError, UsageError
from ipsecbench.hardware.source import Source
from ipsecbench.remote.agent import _cleaned
from ipsecbench.remote.answer import split_parts
from ipsecbench.remote.connection import Connection, check_host
from ipsecbench.remote.files import lay_out
from ipsecbench.remote.survey import read_survey

MARK = "0123456789abcdef01234567"


@pytest.mark.parametrize(
    "host",
    ["-oProxyCommand=sh", "--", "", "a b", "a\nb", "$(id)", "`id`", "a;b", "a|b", "'a'", "root@\x1b[0m", "x" * 300],
)
def test_what_is_no_destination_is_refused(host: str) -> None:
    with pytest.raises(UsageError, match="not a destination"):
        check_host(host)


@pytest.mark.parametrize(
    "host", ["router", "root@192.0.2.1", "admin@[2001:db8::1]", "ssh://root@router:2222", "a_b-c.d"]
)
def test_destinations(host: str) -> None:
    assert check_host(host) == host


def test_only_who_knows_the_word_can_begin_a_part() -> None:
    output = (
        f"Welcome!\r\nfile /proc/cpuinfo\n\n{MARK} file /proc/cpuinfo\nmodel name : x\nend\n\nfile /etc/shadow\n"
        f"\n{MARK} line /proc/\x1b[2J\nhidden\n\n{MARK} end\n"
    )
    assert split_parts(output.encode(), MARK) == [
        ("file /proc/cpuinfo", b"model name : x\nend\n\nfile /etc/shadow\n"),
        ("end", b""),
    ]


@given(st.binary(max_size=400))
def test_any_output_can_be_split_and_any_survey_read(data: bytes) -> None:
    split_parts(data, MARK)
    keys = ("system", "hostname", "boot", "load", "processors", "shell", "loaders", "mounts", "home", "free /tmp")
    box = read_survey(dict.fromkeys(keys, data))
    for text in (box.system, box.machine, box.host_name or "", box.boot or "", *box.loaders):
        assert text.isprintable()
        assert len(text) <= 256


@given(st.binary(max_size=300))
def test_any_beginning_of_a_program_can_be_read(data: bytes) -> None:
    for start in (b"", b"\x7fELF\x01\x01", b"\x7fELF\x02\x02"):
        found = read_executable(start + data)
        assert found is None or found.interpreter is None or found.interpreter.isprintable()


def test_files_of_a_box_stay_below_their_root(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (outside / "shadow").write_text("secret")
    lay_out(
        [
            ("file /proc/cpuinfo", b"processor : 0\n"),
            ("file /proc/../../outside/a", b"x"),
            ("file ../outside/b", b"x"),
            ("file /home/user/.ssh/authorized_keys", b"x"),
            ("file /etc/cron.d/../../../outside/c", b"x"),
            ("file //etc/d", b"x"),
            ("file /etc/\x00", b"x"),
            ("file /sys/" + "a/" * 40 + "b", b"x"),
            ("file /sys/" + "a" * 300, b"x"),
            # A link out of the root, and files that would go through it.
            ("link /sys/class/net/eth0", os.fsencode(outside)),
            ("file /sys/class/net/eth0/type", b"1\n"),
            ("link /proc/crypto", os.fsencode(outside / "shadow")),
            ("link /etc/os-release", b"../../outside/shadow"),
            ("link /proc/version", b"\x1b[2J"),
            ("device /dev/sda", b"x"),
            # Twice the same, and a folder where a file is.
            ("file /proc/cpuinfo", b"other\n"),
            ("folder /proc/cpuinfo", b""),
            ("file /proc/cpuinfo/below", b"x"),
        ],
        root,
    )
    assert sorted(path.name for path in outside.iterdir()) == ["shadow"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["outside", "root"]
    source = Source(root)
    assert source.read_text("proc/cpuinfo") == "processor : 0\n"
    assert source.read_text("sys/class/net/eth0/type") == "1\n"
    # Its links are there, and lead nowhere out of the root.
    assert source.read_text("proc/crypto") is None
    assert source.read_text("etc/os-release") is None
    files = [path for path in root.rglob("*") if path.is_file() and not path.is_symlink()]
    assert files
    assert all(path.stat().st_mode & 0o077 == 0 for path in files)


def test_an_answer_is_made_printable_and_kept_small() -> None:
    cleaned, _ = _cleaned({"a\n": ["\x1b[2Jx", 1, None, True, 1.5, {"b": "c" * 9000}]}, 100, 0)
    assert cleaned == {"a": ["\ufffd[2Jx", 1, None, True, 1.5, {"b": "c" * 4096}]}
    nested: Any = []
    for _ in range(50):
        nested = [nested]
    for bad in (nested, [0] * 101, {"x": float("nan")}, [float("inf")]):
        with pytest.raises(AgentError):
            _cleaned(bad, 100, 0)


class _Answering:
    """An agent that gives one answer to everything."""

    pid = None

    def __init__(self, answer: dict[str, Any]) -> None:
        self.answer = answer

    def request(self, command: str, timeout: float = 0, **fields: Any) -> dict[str, Any]:
        return self.answer


GOOD = {"iterations": 10, "wall_ns": 100, "cpu_ns": 100, "cycles": 7, "involuntary_switches": 0}


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"workers": []},
        {"workers": "abc"},
        {"workers": [GOOD | {"wall_ns": 0}]},
        {"workers": [GOOD | {"wall_ns": -1}]},
        {"workers": [GOOD | {"iterations": "10"}]},
        {"workers": [GOOD | {"iterations": 10**400}]},
        {"workers": [GOOD | {"iterations": 0}]},
        {"workers": [GOOD | {"cpu_ns": True}]},
        {"workers": [GOOD | {"cycles": 1.5}]},
        {"workers": [GOOD], "detail": [1]},
    ],
)
def test_a_sample_that_is_none_is_refused(answer: dict[str, Any]) -> None:
    with pytest.raises(AgentError, match="sample is not what the protocol says"):
        AgentRunner(_Answering(answer), [0]).sample(Workload(Tier.PRIMITIVE, "libcrypto", "encrypt", "aes128", 64), 10)


@pytest.mark.parametrize("name", ["../../x", "AES", "a b", "\x1b[0m", 3, None, "x" * 100])
def test_an_offer_that_is_none_is_refused(name: object) -> None:
    row = {"provider": "libcrypto", "tier": "primitive", "algorithm": name, "operations": ["encrypt"], "reason": None}
    with pytest.raises(AgentError, match="list is not what the protocol says"):
        AgentRunner(_Answering({"rows": [row]}), [0]).offers()


def test_an_answer_nested_too_deeply_is_no_answer(tmp_path: Path) -> None:
    script = tmp_path / "agent"
    script.write_text("#!/bin/sh\nread line\nhead -c 200000 /dev/zero | tr '\\0' '['\necho\nread line\n")
    script.chmod(0o755)
    with AgentProcess([str(script)]) as agent, pytest.raises(AgentError, match="not JSON"):
        agent.request("info")


def _fake_ssh(folder: Path, body: str) -> Path:
    path = folder / "ssh"
    path.write_text(f'#!/bin/sh\ncase "$*" in *"-O exit"*) exit 0 ;; esac\n{body}\n')
    path.chmod(0o755)
    return path


def test_a_box_that_says_too_much_or_never_ends_is_given_up(tmp_path: Path) -> None:
    endless = str(_fake_ssh(tmp_path, "exec cat /dev/zero"))
    with Connection("box", [endless]) as connection, pytest.raises(RemoteError, match="more than 65536 octets"):
        connection.run("x")
    silent = str(_fake_ssh(tmp_path, "exec sleep 60"))
    with Connection("box", [silent]) as connection, pytest.raises(RemoteError, match="did not end in time"):
        connection.run("x", timeout=0.2)


def test_what_ssh_says_is_said_printable(tmp_path: Path) -> None:
    ssh = str(_fake_ssh(tmp_path, "printf 'first\\nHost \\033[31mgone\\n' >&2; exit 255"))
    with Connection("box", [ssh], patience_seconds=0) as connection, pytest.raises(RemoteError) as raised:
        connection.open()
    assert str(raised.value) == "box: cannot connect: Host \ufffd[31mgone"


def _program(bits: int, little: bool, machine: int, interpreter: bytes, flags: int = 0) -> bytes:
    """The beginning of a program, laid out by hand from the ELF specification."""
    order = "<" if little else ">"
    head = b"\x7fELF" + bytes([1 if bits == 32 else 2, 1 if little else 2, 1]) + bytes(9)
    if bits == 32:
        head += struct.pack(f"{order}HHIIIIIHHHHHH", 2, machine, 1, 0, 52, 0, flags, 52, 32, 2, 0, 0, 0)
        rows = struct.pack(f"{order}IIIIIIII", 6, 52, 0, 0, 64, 64, 4, 4)
        rows += struct.pack(f"{order}IIIIIIII", 3, 116, 0, 0, len(interpreter), len(interpreter), 4, 1)
    else:
        head += struct.pack(f"{order}HHIQQQIHHHHHH", 2, machine, 1, 0, 64, 0, flags, 64, 56, 2, 0, 0, 0)
        rows = struct.pack(f"{order}IIQQQQQQ", 6, 4, 64, 0, 0, 112, 112, 8)
        rows += struct.pack(f"{order}IIQQQQQQ", 3, 4, 176, 0, 0, len(interpreter), len(interpreter), 1)
    return head + rows + interpreter


@pytest.mark.parametrize(
    ("program", "machine", "libc"),
    [
        (_program(32, False, 8, b"/lib/ld-musl-mips-sf.so.1\0"), "mips", "musl"),
        (_program(32, True, 8, b"/lib/ld-musl-mipsel-sf.so.1\0"), "mipsel", "musl"),
        (_program(32, True, 8, b"/lib/ld-uClibc.so.0\0"), "mipsel", "uclibc"),
        (_program(64, True, 183, b"/lib/ld-linux-aarch64.so.1\0"), "aarch64", "glibc"),
        (_program(64, True, 243, b"/lib/ld-linux-riscv64-lp64d.so.1\0"), "riscv64", "glibc"),
        (_program(64, False, 22, b"/lib/ld64.so.1\0"), "s390x", "glibc"),
    ],
)
def test_a_programs_header_says_for_which_box_it_is(program: bytes, machine: str, libc: str) -> None:
    found = read_executable(program)
    assert found is not None
    assert (found.machine, found.libc) == (machine, libc)


def test_hard_float_of_arm() -> None:
    interpreter = b"/lib/ld-linux-armhf.so.3\0"
    hard = read_executable(_program(32, True, 40, interpreter, 0x5000400))
    assert hard == Executable("arm", 32, False, 0x5000400, "hard", "/lib/ld-linux-armhf.so.3")
    soft = read_executable(_program(32, True, 40, b"/lib/ld-linux.so.3\0", 0x5000200))
    assert soft is not None
    assert soft.float_abi == "soft"
    # Programs whose loader's name was moved to their end, as patchelf does.
    moved = read_executable(_program(32, True, 40, interpreter)[: -len(interpreter)])
    assert moved is not None
    assert (moved.machine, moved.interpreter) == ("arm", "")
    assert libc_of_loader("/lib/libc.so.6") is None
