"""``ipsecbench lab`` as a user runs it: with root and without, taken down politely and by force."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ipsecbench.lab import capture, enclosure, strongswan
from tests.lab import rootless
from tests.lab.conftest import require

pytestmark = pytest.mark.root

Lab = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(params=["root", "nobody"])
def lab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Runs ``ipsecbench lab`` as one user or the other, with a folder for its notes of its own."""
    name = str(request.param)
    if name == "root" and os.geteuid() != 0:
        require("not root")
    if name == "nobody":
        require(rootless.missing_prerequisite())
    require(enclosure.missing_prerequisite())
    # Everybody may look into /tmp, and nobody else than its user into what he makes there.
    notes = Path("/tmp") / f"ipsecbench-tests-{os.getpid()}-{name}"
    notes.mkdir(mode=0o777)
    notes.chmod(0o777)
    program = [sys.executable, "-m", "ipsecbench"] if name == "root" else rootless.command()
    environment = {**os.environ, "PYTHONPATH": str(rootless.ROOT)} if name == "root" else {}

    def run(*arguments: str, code: int = 0, timeout: float = 90.0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            ["env", f"TMPDIR={notes}", *program, "lab", *arguments],
            capture_output=True, text=True, timeout=timeout, cwd="/", check=False, stdin=subprocess.DEVNULL,
            env=environment or None,
        )  # fmt: skip
        assert done.returncode == code, (arguments, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr
        return done

    try:
        yield run
    finally:
        run("down", "--all")
        left = [path for path in notes.rglob("*") if path.name != f"ipsecbench-{_user_id(name)}"]
        left = [path for path in left if "captures" not in path.parts]
        subprocess.run(["rm", "-rf", str(notes)], check=True)
        assert not left


def _user_id(name: str) -> int:
    return 65534 if name == "nobody" and os.geteuid() == 0 else os.geteuid()


def note(lab: Lab) -> dict[str, int]:
    """Processes of the laboratory that stands."""
    (path,) = notes_folder().glob("ipsecbench-*/lab/note.json")
    return dict(json.loads(path.read_text()))


def notes_folder() -> Path:
    """Where the laboratory of this test is noted."""
    (path,) = Path("/tmp").glob(f"ipsecbench-tests-{os.getpid()}-*")
    return path


def descendants(process: int) -> list[int]:
    children = [
        int(word)
        for task in Path(f"/proc/{process}/task").iterdir()
        for word in (task / "children").read_text().split()
    ]
    return children + [each for child in children for each in descendants(child)]


def gone(process: int) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] in "ZX":
                return True
        except OSError:
            return True
        time.sleep(0.02)
    return False


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("ipsecbench: ")]
    return line


def test_up_exec_status_down(lab: Lab) -> None:
    up = json.loads(lab("up", "--json").stdout)
    first, second = up["ends"]["A"], up["ends"]["B"]
    assert first["ike_sas"][0]["role"] == "initiator"
    assert first["ike_sas"][0]["proposal"] == "aes128gcm16-prfsha256-x25519"
    (mine,), (other,) = first["ike_sas"][0]["children"], second["ike_sas"][0]["children"]
    assert mine["proposal"].startswith("aes128gcm16")
    assert mine["proposal"].endswith("esn")
    assert (mine["inbound_spi"], mine["outbound_spi"]) == (other["outbound_spi"], other["inbound_spi"])
    assert lab("exec", "A", "--", "id", "-u").stdout.strip() == "0"
    assert first["dataplane"] == second["dataplane"] == "agent"
    assert " 0% packet loss" in lab("exec", "A", "--", "ping", "-c", "3", "-i", "0.1", "10.2.0.1").stdout
    lab("exec", "B", "--", "sh", "-c", "exit 7", code=7)
    screen = lab("status", "--seconds", "0.1").stdout
    assert f"SPI in {mine['inbound_spi']}, out {mine['outbound_spi']}" in screen
    assert "Mbit/s in" in screen
    status = json.loads(lab("status", "--json").stdout)
    assert status["rates_mbit"].keys() == {"A", "B"}
    for end in status["ends"].values():
        (child,) = end["ike_sas"][0]["children"]
        assert (child["packets_in"], child["packets_out"], child["bytes_in"]) == (3, 3, 3 * 84)
    processes = note(lab)
    lab("down")
    assert gone(processes["keeper"])
    assert gone(processes["inside"])
    assert "there is no laboratory 'lab'" in one_line(lab("status", code=1))


def test_what_a_user_can_get_wrong(lab: Lab) -> None:
    lab("up")
    assert "there is a laboratory 'lab' already" in one_line(lab("up", code=1))
    assert "no host 'C'" in one_line(lab("exec", "C", "--", "true", code=2))
    assert "no-such-program" in lab("exec", "A", "--", "no-such-program", code=127).stderr
    lab("up", "--name", "second", "--article")
    assert "there is lab, second" in one_line(lab("status", "--name", "third", code=1))
    for arguments, said in (
        (("--esp", "rot13"), "rot13"),
        (("--proposals", "aes128-rot13"), "rot13"),
        (("--mode", "beet"), "tunnel, transport"),
        (("--ip", "5"), "4 or 6"),
        (("--mtu", "100"), "from 576"),
        (("--ip", "6", "--mtu", "1000"), "from 1280"),
        (("--loss", "101"), "share from 0 to 100"),
        (("--reorder", "1"), "--delay"),
        (("--layering", "gre", "--mode", "tunnel"), "transport"),
        (("--mode", "transport", "--ip", "4:6"), "ipip"),
        (("--nat", "--ip", "6"), "IPv4"),
        (("--peer", "racoon"), "strongswan"),
        (("--peer", "strongswan", "--mode", "transport"), "tunnel mode only"),
        (("--dataplane", "vpp"), "agent"),
        (("--name", "../etc"), "no name"),
        (("/no/such/file",), "two endpoint files"),
        (("/no/such/file", "/no/such/other"), "No such file"),
    ):
        assert said in one_line(lab("up", *arguments, code=2)), arguments
    lab("down", "--all")
    assert "there is no laboratory" in one_line(lab("down", code=1))


@pytest.mark.parametrize("victim", ["keeper", "inside"])
def test_a_killed_laboratory_is_no_hindrance(lab: Lab, victim: str) -> None:
    lab("up")
    processes = note(lab)
    os.kill(processes[victim], signal.SIGKILL)
    assert gone(processes["keeper"])
    assert gone(processes["inside"])
    assert "there is no laboratory" in one_line(lab("status", code=1))
    lab("up")
    lab("down")


def test_a_capture_can_be_decrypted(lab: Lab) -> None:
    require(capture.missing_prerequisite())
    lab("up", "--esp", "aes128gcm16")  # with ESN tshark decrypts, but has no ICV to compare with
    # A folder that this user may write to, in one that everybody may pass.
    folder = notes_folder() / "captures"
    lab("exec", "A", "--", "mkdir", str(folder))
    path = folder / "lab.pcapng"
    lab("exec", "A", "--", "sh", "-c", "ping -i 0.05 -c 100 10.2.0.1 >/dev/null 2>&1 &")
    said = lab("capture", "--seconds", "1", "--keys", "-o", str(path)).stderr
    assert "packets of eth0" in said
    assert "packets of ipsec0" in said
    keys = path.with_name("lab.pcapng.keys")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(keys.stat().st_mode) == 0o700
    tables = {table: (keys / "wireshark" / table).read_text() for table in capture.TABLES}
    assert len(tables["esp_sa"].splitlines()) == 2
    rows = capture.dissect(path, ("frame.interface_name", "esp.icv_good", "icmp.type"), tables)
    sealed = [row for row in rows if row["frame.interface_name"] == "eth0" and row["esp.icv_good"]]
    assert len(sealed) > 10
    assert {row["esp.icv_good"] for row in sealed} == {"1"}
    assert {row["icmp.type"] for row in sealed} == {"8", "0"}
    assert "exists" in one_line(lab("capture", "--seconds", "1", "-o", str(path), code=2))
    assert "no host 'C'" in one_line(lab("capture", "--side", "C", code=2))


def test_a_killed_agent_is_said(lab: Lab) -> None:
    lab("up")
    inside = note(lab)["inside"]
    agents = [each for each in descendants(inside) if Path(f"/proc/{each}/comm").read_text() == "ipsecbench-agen\n"]
    assert len(agents) == 2
    os.kill(agents[0], signal.SIGKILL)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        ends = json.loads(lab("status", "--json", "--seconds", "0").stdout)["ends"]
        if not all(end["running"] for end in ends.values()):
            break
    ended = [end for end in ends.values() if not end["running"]]
    assert len(ended) == 1
    assert "signal 9" in ended[0]["failure"]
    assert "it has ended: " in lab("status", "--seconds", "0").stdout
    lab("down")
    assert gone(inside)


def test_a_peer_that_cannot_agree_is_one_clear_line(lab: Lab) -> None:
    require(strongswan.missing_prerequisite())
    # strongSwan has no such number, and says so itself.
    line = one_line(lab("up", "--peer", "strongswan", "--esp", "aes128gcm16-esn", code=2))
    assert "no extended sequence numbers" in line


@pytest.mark.interop
@pytest.mark.parametrize("version", ["1", "2"])
def test_strongswan_on_both_sides_carries_traffic(lab: Lab, version: str) -> None:
    require(strongswan.missing_prerequisite())
    up = json.loads(lab("up", "--peer", "AB:strongswan", "--version", version, "--json").stdout)
    assert [sa["version"] for sa in up["ends"]["A"]["ike_sas"]] == [int(version)]
    assert " 0% packet loss" in lab("exec", "A", "--", "ping", "-c", "2", "-i", "0.2", "10.2.0.1").stdout
    status = json.loads(lab("status", "--seconds", "0", "--json").stdout)
    for end in status["ends"].values():
        (child,) = end["ike_sas"][0]["children"]
        assert (child["packets_in"], child["packets_out"]) == (2, 2)
