"""Real Ansible measures several boxes behind real ssh servers: one that fails stops nobody, and nothing is left."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ipsecbench.agent.find import agent_path
from ipsecbench.dataset.store import read_dataset
from tests.ansible.conftest import ANSIBLE, ROOT, Fleet
from tests.remote.box import Box

BUSY = "echo '3.50 3.00 2.00 4/100 999' >/run/box/load && mount --bind /run/box/load /proc/loadavg"


def wait_for(condition: Callable[[], object], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 40
    while not condition():
        assert time.monotonic() < deadline
        assert process.poll() is None, "\n".join(process.communicate())
        time.sleep(0.02)


def agent_works(box: Box) -> bool:
    """Whether the agent there has measured for a while."""
    for process in box.processes("./agent"):
        words = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        if int(words[11]) > 10:  # utime, in hundredths of a second
            return True
    return False


def collected(library: Path, into: Path) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "ipsecbench", "collect", str(library), "--into", str(into), "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, json.loads(done.stdout)


def test_one_box_that_fails_half_way_stops_no_other(fleet: Fleet, tmp_path: Path) -> None:
    # Nothing of the box's own is needed, whatever the inventory says of Python and root there.
    fleet.box("gate", ansible_become=True, ansible_python_interpreter="/nowhere")
    victim = fleet.box("branch-1", "--budget", "30")
    # For a loader that is nowhere: the agent is copied, does not start, and the shell probe is used.
    foreign = tmp_path / "agent"
    foreign.write_bytes(agent_path().read_bytes().replace(b"/ld-linux", b"/ld-xxxxx"))
    fleet.box("branch-2", "--agent", str(foreign), "--budget", "1")
    process = fleet.start()
    wait_for(lambda: agent_works(victim), process)
    time.sleep(0.5)
    victim.vanish()
    done = fleet.finish(process)
    assert done.code == 2, done.out
    assert {host: done.recap(host)["failed"] for host in fleet.hosts} == {"gate": 0, "branch-1": 1, "branch-2": 0}
    assert done.recap("branch-1")["rescued"] == 1
    names = [name.split("-2026-")[0] for name in done.files()]
    assert len(names) == 4, done.files()
    (note,) = done.notes()
    assert (note["host"], note["outcome"], note["stage"]) == ("branch-1", "failed", "measure")
    assert "the connection was lost and did not come back within 1 s" in note["reason"]
    assert "the connection was lost and did not come back" in done.out.split("PLAY RECAP")[0].split("Tell what")[-1]

    code, said = collected(fleet.library, tmp_path / "all")
    assert code == 1
    hosts = {host["host"]: host for host in said["hosts"]}
    assert {name: host["status"] for name, host in hosts.items()} == {
        "gate": "ok",
        "branch-1": "failed",
        "branch-2": "ok",
    }
    assert said["added"] == 3
    assert hosts["gate"]["datasets"][0]["rows"] > 3
    assert not hosts["branch-1"]["datasets"][0]["is_whole"]
    (probed,) = hosts["branch-2"]["datasets"]
    assert probed["rows"] > 0
    dataset = read_dataset(Path(probed["path"]))
    assert dataset.source is not None
    assert dataset.source.format == "probe"
    assert dataset.label == "branch-2"

    # The next day only the one that failed is left to do.
    again = fleet("--limit", "gate,branch-2")
    assert again.code == 0, again.out
    assert again.files() == done.files()
    assert again.out.count("so that nothing is done") == 2


def test_check_mode_says_what_would_be_done_and_does_nothing(fleet: Fleet) -> None:
    fleet.box("gate")
    done = fleet("--check")
    assert done.code == 0, done.out
    assert "would copy" in done.out
    assert "to a private folder in /tmp" in done.out
    assert done.recap("gate")["changed"] == 1
    assert not fleet.library.exists()


def test_busy_boxes_and_strangers_are_left_alone(fleet: Fleet) -> None:
    fleet.box("busy", before=BUSY)
    fleet.box("stranger", ansible_ssh_private_key_file=str(fleet.folder / "busy/host_key"))
    fleet.box("young", ipsecbench_when_refused="skip", ipsecbench_min_uptime=10**10)
    fleet.box("closed", ipsecbench_when_refused="skip", ipsecbench_window=_elsewhen())
    fleet.hosts["busy"]["ipsecbench_max_load"] = 2
    done = fleet(ipsecbench_serial=4)
    assert done.code == 2, done.out
    assert {host: done.recap(host)["failed"] for host in fleet.hosts} == {
        "busy": 1,
        "stranger": 1,
        "young": 0,
        "closed": 0,
    }
    notes = {note["host"]: note for note in done.notes()}
    assert {host: (note["outcome"], note["stage"]) for host, note in notes.items()} == {
        "busy": ("failed", "load"),
        "stranger": ("failed", "reach"),
        "young": ("skipped", "uptime"),
        "closed": ("skipped", "window"),
    }
    assert notes["busy"]["reason"] == ("its load average is 3.50, and ipsecbench_max_load is 2: nothing was done there")
    assert "Permission denied" in notes["stranger"]["reason"]
    assert "outside of ipsecbench_window" in notes["closed"]["reason"]
    assert len(done.files()) == 4


def _elsewhen() -> str:
    """A window of an hour that is half a day away."""
    hour = (time.localtime().tm_hour + 12) % 24
    return f"{hour:02}:00-{(hour + 1) % 24:02}:00"


def test_arguments_of_ssh_and_passwords_are_in_no_log(fleet: Fleet) -> None:
    fleet.box("gate", "--no-such-option", ansible_ssh_extra_args="-o SetEnv=SECRET=verysecret")
    done = fleet("-vvv", "--tags", "measure", ansible_ssh_pass="anothersecret")
    assert done.code == 2, done.out
    measured = done.out.split("TASK [ipsecbench : Measure it over ssh")[1]
    assert "verysecret" not in measured + done.err
    assert "anothersecret" not in done.out + done.err
    (note,) = done.notes()
    assert "No such option: --no-such-option" in note["reason"]
    assert "a key is needed here" in note["reason"]


def test_the_playbook_and_its_example_are_well_formed(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "ansible", "playbook", "--syntax-check"),
            *("-i", str(ANSIBLE / "inventory.example.yml"), str(ANSIBLE / "measure.yml")),
        ],
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "ANSIBLE_HOME": str(tmp_path), "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
