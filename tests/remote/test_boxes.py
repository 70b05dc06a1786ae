"""Boxes behind real ssh servers: measured to the end, whatever they and the way to them are like."""

from __future__ import annotations

import os
import pty
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ipsecbench.agent.find import agent_path
from ipsecbench.hardware import detect
from tests.remote.box import PORT, Box, dropbear, make_key
from tests.remote.conftest import SHORT, Program

Start = Callable[..., Box]

BUSYBOX = """
mkdir /run/box/bin && busybox --install -s /run/box/bin
"""


def wait_for(condition: Callable[[], object], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def agent_works(box: Box) -> bool:
    """Whether the agent there has measured for a while."""
    for process in box.processes("./agent"):
        words = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        if int(words[11]) > 10:  # utime, in hundredths of a second
            return True
    return False


def clean(box: Box) -> bool:
    return not box.files() and not box.processes("/ipsecbench.")


def test_a_box_is_measured_and_nothing_is_left_there(box: Start, program: Program) -> None:
    here = box()
    done = program(here, *SHORT, "--budget", "2", "--json")
    assert done.code == 0, done.err
    (said,) = done.boxes
    dataset = done.dataset
    assert said["status"] == "measured"
    assert said["rows"] == len(dataset.measurements) > 3
    assert all(row.usable for row in dataset.measurements)
    # The box is this machine, seen through ssh: what it is has to come out the same.
    itself = detect().to_dict()
    hardware = dataset.environment["hardware"]
    for key in ("cpu", "kernel_crypto", "engines"):
        assert hardware[key] == itself[key], key
    assert hardware["root"] == "/"
    assert {one["path"]: one["version"] for one in hardware["libcryptos"]} == {
        one["path"]: one["version"] for one in itself["libcryptos"]
    }
    assert hardware["platform"] == itself["platform"]
    assert hardware["condition"]["memory_total_bytes"] == itself["condition"]["memory_total_bytes"]
    assert dataset.environment["clock"]["before"]
    assert dataset.environment["steal"] is not None
    assert clean(here)


@pytest.mark.slow
def test_what_a_lost_connection_interrupts_is_measured_again(box: Start, program: Program) -> None:
    here = box()
    process = program.start(here, *SHORT, "--budget", "4", "--precision", "0.05")
    for _ in range(2):
        wait_for(lambda: agent_works(here))
        assert here.drop_connections()
        wait_for(lambda: not here.processes("./agent"))
    done = program.finish(process)
    assert done.code == 0, done.err
    dataset = done.dataset
    assert all(row.usable for row in dataset.measurements)
    (doubt,) = [one for one in dataset.warnings if one.code == "reconnected"]
    assert "lost 2 times" in doubt.message
    assert clean(here)


@pytest.mark.slow
def test_a_box_that_was_started_anew_gets_its_agent_again(box: Start, program: Program) -> None:
    here = box()
    process = program.start(here, *SHORT, "--budget", "3", "--precision", "0.05")
    wait_for(lambda: agent_works(here))
    # As after a reboot: the folder and everything that ran are gone.
    (name,) = here.files()
    for watcher in here.processes("/watch"):
        os.kill(watcher, signal.SIGKILL)
    subprocess.run(here.inside("rm", "-rf", f"/tmp/{name}"), check=True)
    here.drop_connections()
    wait_for(lambda: here.files() not in ([], [name]))
    done = program.finish(process)
    assert done.code == 0, done.err
    assert all(row.usable for row in done.dataset.measurements)
    assert clean(here)


def test_of_a_box_that_vanishes_the_figures_are_kept(box: Start, program: Program) -> None:
    here = box()
    process = program.start(here, *SHORT, "--budget", "30", "--precision", "0.05", "--patience", "1")
    wait_for(lambda: agent_works(here))
    time.sleep(0.5)
    # Its network is the program's too here, and stays.
    here.vanish()
    done = program.finish(process)
    assert done.code == 1
    lines = [line for line in done.err.splitlines() if line.startswith("ipsecbench: ")]
    assert len(lines) == 1, done.err
    assert "127.0.0.1: the connection was lost and did not come back within 1 s" in lines[0]
    dataset = done.dataset
    usable = sum(row.usable for row in dataset.measurements)
    assert usable
    assert f"{usable} of {len(dataset.measurements)} rows, is in 127.0.0.1.ipsecbench.json" in lines[0]
    assert dataset.ended == "interrupted"


def test_ctrl_c_keeps_the_figures_and_cleans_the_box(box: Start, program: Program) -> None:
    here = box()
    process = program.start(here, *SHORT, "--budget", "30", "--precision", "0.05")
    wait_for(lambda: agent_works(here))
    process.send_signal(signal.SIGINT)
    done = program.finish(process)
    assert done.dataset.ended == "interrupted"
    assert clean(here)


@pytest.mark.slow
def test_a_box_that_nobody_speaks_to_any_more_cleans_itself(box: Start, program: Program) -> None:
    # The watcher's quarters of a minute pass in 50 ms.
    nap = "printf '#!/bin/sh\\nexec /bin/sleep 0.05\\n' >/run/box/bin/sleep"
    fast = f"mkdir /run/box/bin; {nap}; chmod 755 /run/box/bin/sleep"
    here = box(before=fast, path="/run/box/bin:/usr/bin:/bin")
    process = program.start(here, *SHORT, "--budget", "60", "--precision", "0.05")
    wait_for(lambda: agent_works(here))
    assert here.files()
    process.kill()
    process.communicate()
    wait_for(lambda: clean(here))


def test_what_a_login_shell_says_is_not_taken_for_an_answer(box: Start, program: Program) -> None:
    noise = 'printf \'Welcome!\\n{"id": 1, "type": "info"}\\ncpu of the day\\n\''
    here = box(login_shell="/bin/bash", before=f"printf '%s' {shlex.quote(noise)} >/run/box/home/.bashrc")
    done = program(here, *SHORT, "--budget", "1")
    assert done.code == 0, done.err
    assert all(row.usable for row in done.dataset.measurements)
    assert done.dataset.environment["steal"] is not None
    assert clean(here)
    ssh = ("ssh", "-F", "none", "-p", str(PORT), "-i", str(here.folder / "key"), "-o", "BatchMode=yes")
    known = ("-o", f"UserKnownHostsFile={here.folder}/known_hosts", "root@127.0.0.1", "true")
    assert b"Welcome!" in subprocess.run(here.reach(*ssh, *known), capture_output=True, check=True).stdout


@pytest.mark.slow
def test_busybox_is_all_that_is_needed(box: Start, program: Program) -> None:
    here = box(before=BUSYBOX, path="/run/box/bin", login_shell="/run/box/bin/ash")
    done = program(here, *SHORT, "--budget", "1")
    assert done.code == 0, done.err
    assert done.dataset.environment["hardware"]["cpu"] == detect().to_dict()["cpu"]
    assert clean(here)


@pytest.mark.slow
@pytest.mark.skipif(dropbear() is None, reason="needs dropbear (tests/install-system-packages.sh)")
def test_dropbear_is_enough(box: Start, program: Program) -> None:
    here = box(server="dropbear")
    process = program.start(here, *SHORT, "--budget", "2", "--precision", "0.05")
    wait_for(lambda: agent_works(here))
    assert here.drop_connections()
    done = program.finish(process)
    assert done.code == 0, done.err
    assert all(row.usable for row in done.dataset.measurements)
    assert clean(here)


@pytest.mark.slow
def test_where_nothing_may_be_run_another_folder_is_found(box: Start, program: Program) -> None:
    here = box(mount_options="size=8m,noexec", before="mount -o remount,exec /dev/shm")
    process = program.start(here, *SHORT, "--budget", "1.5", "--precision", "0.05")
    wait_for(lambda: agent_works(here))
    (agent,) = here.processes("./agent")
    assert os.readlink(f"/proc/{agent}/cwd").startswith("/dev/shm/ipsecbench.")
    assert program.finish(process).code == 0
    assert clean(here)


@pytest.mark.slow
def test_a_full_disk_is_passed_over(box: Start, program: Program) -> None:
    fill = "dd if=/dev/zero of=/tmp/full bs=1k count=9999 2>/dev/null || :"
    here = box(mount_options="size=4m", before=fill)
    process = program.start(here, *SHORT, "--budget", "1.5", "--precision", "0.05")
    wait_for(lambda: agent_works(here))
    (agent,) = here.processes("./agent")
    assert os.readlink(f"/proc/{agent}/cwd").startswith("/var/tmp/ipsecbench.")
    assert program.finish(process).code == 0
    assert here.files() == ["full"]


def test_another_host_key_is_refused(box: Start, program: Program, tmp_path: Path) -> None:
    here = box()
    make_key(tmp_path / "other")
    here.know_host((tmp_path / "other.pub").read_text())
    done = program(here, *SHORT)
    assert done.code == 1
    assert "the host key is not the one that is known" in done.err
    assert len(done.err.splitlines()) == 1
    assert here.files() == []


def test_on_a_terminal_ssh_may_ask(box: Start, program: Program) -> None:
    here = box()
    (here.folder / "known_hosts").write_text("")
    arguments = [word for word in here.options if word != "--batch"]
    ask = ("--ssh-option", "StrictHostKeyChecking=ask", "--dry-run")
    command = here.reach(sys.executable, "-m", "ipsecbench", "remote", "root@127.0.0.1", *arguments, *ask)
    child, terminal = pty.fork()
    if child == 0:
        os.environ["TMPDIR"] = str(program.temporary)
        os.environ["PYTHONPATH"] = str(Path(__file__).resolve().parents[2])
        os.execvp(command[0], command)  # noqa: S606 - no shell is wanted
    said = b""
    while True:
        try:
            said += os.read(terminal, 4096)
        except OSError:  # nobody has the other end any more
            break
        if b"(yes/no" in said and b"answered" not in said:
            os.write(terminal, b"yes\n")
            said += b"answered"
    _, status = os.waitpid(child, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 0, said
    assert b"to a private folder in /tmp" in said
    assert here.folder.joinpath("known_hosts").read_text()


def test_one_box_that_fails_does_not_stop_the_others(box: Start, program: Program) -> None:
    here = box()
    hosts = ("stranger@127.0.0.1", "root@127.0.0.1")
    done = program(here, *SHORT, "--budget", "1", "--json", "--into", "boxes", hosts=hosts)
    assert done.code == 1
    assert [(one["host"], one["status"], one["exit_code"]) for one in done.boxes] == [
        ("stranger@127.0.0.1", "failed", 1),
        ("root@127.0.0.1", "measured", 0),
    ]
    assert "Permission denied" in done.boxes[0]["message"]
    assert [path.name for path in (done.folder / "boxes").iterdir()] == ["127.0.0.1.ipsecbench.json"]


def test_a_busy_box_is_left_alone_and_a_dry_run_leaves_no_trace(box: Start, program: Program) -> None:
    busy = "echo '3.50 3.00 2.00 4/100 999' >/run/box/load && mount --bind /run/box/load /proc/loadavg"
    here = box(before=busy)
    done = program(here, *SHORT, "--max-load", "2")
    assert done.code == 1
    assert "its load average is 3.50, and --max-load is 2: nothing was done there" in done.err
    done = program(here, *SHORT, "--max-load", "4", "--dry-run")
    assert done.code == 0
    assert "load 3.50" in done.out
    assert "to a private folder in /tmp" in done.out
    assert here.files() == []
    assert list(done.folder.iterdir()) == []


def test_masks_reach_the_agent_there(box: Start, program: Program) -> None:
    done = program(box(), *SHORT, "--budget", "1", "--mask", "aes")
    assert done.code == 0, done.err
    assert done.dataset.settings["mask"] == ["aes"]
    rows = [one for one in done.dataset.environment["libraries"] if one["provider"] == "libcrypto"]
    assert "OPENSSL_ia32cap=~" in rows[0]["cpu_settings"] or "env:" in rows[0]["cpu_settings"]


def test_the_test_leaves_no_server(box: Start) -> None:
    here = box()
    process = here.process
    assert process is not None
    inner = here.init
    here.vanish()
    assert process.poll() is not None
    wait_for(lambda: not Path(f"/proc/{inner}").exists())
    listening = subprocess.run(["ss", "-ltn"], capture_output=True, text=True, check=True).stdout
    assert f"127.0.0.1:{PORT}" not in listening


@pytest.mark.slow
def test_a_box_that_no_agent_runs_on_gets_the_shell_probe(box: Start, program: Program, tmp_path: Path) -> None:
    here = box()
    # For a loader that is nowhere: the agent is found, copied, and does not start.
    foreign = tmp_path / "agent"
    foreign.write_bytes(agent_path().read_bytes().replace(b"/ld-linux", b"/ld-xxxxx"))
    arguments = ("--no-report", "--budget", "2", "--max-load", "999", "--json", "--agent", str(foreign))
    done = program(here, *arguments)
    assert done.code == 0, done.err
    assert "the agent cannot be run there (the agent does not start: " in done.err
    assert "its loader is not there: it is for another C library); the shell probe is used instead" in done.err
    assert done.boxes[0]["status"] == "probed"
    dataset = done.dataset
    assert dataset.source is not None
    assert dataset.source.format == "probe"
    assert done.boxes[0]["rows"] == sum(row.usable for row in dataset.measurements) > 0
    assert {row.workload.provider for row in dataset.measurements} == {"openssl-speed"}
    assert dataset.environment["hardware"]["cpu"]["model"] == detect().cpu.model
    assert clean(here)


def test_the_probe_alone_leaves_nothing_either(box: Start, program: Program) -> None:
    here = box(mount_options="size=1m,noexec")
    done = program(here, "--no-report", "--budget", "1", "--max-load", "999", "--probe", "--label", "Gate")
    assert done.code == 0, done.err
    assert (done.folder / "Gate.ipsecbench.json").exists()
    assert done.dataset.label == "Gate"
    assert here.files() == []
