"""``ipsecbench lab`` as a user runs it: with root and without, taken down politely and by force."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ipsecbench.dataplane.kernel_esp import kernel_esp_available
from ipsecbench.lab import capture, enclosure
from tests.lab import rootless
from tests.lab.conftest import require

pytestmark = pytest.mark.root

Lab = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module", params=["root", "nobody"])
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
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
    environment = {**os.environ, "PYTHONPATH": str(rootless.ROOT)} if name == "root" else None

    def run(*arguments: str, code: int = 0, timeout: float = 90.0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            ["env", f"TMPDIR={notes}", *program, "lab", *arguments],
            capture_output=True, text=True, timeout=timeout, cwd="/", check=False, stdin=subprocess.DEVNULL,
            env=environment,
        )  # fmt: skip
        assert done.returncode == code, (arguments, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr
        return done

    try:
        yield run
    finally:
        run("down", "--all")
        left = [path for path in notes.rglob("*") if path.name != f"ipsecbench-{_user_id(name)}"]
        left = [path for path in left if "captures" not in str(path)]
        subprocess.run(["rm", "-rf", str(notes)], check=True)
        assert not left


@pytest.fixture(autouse=True)
def _no_laboratory_of_a_failed_test(lab: Lab) -> None:
    """Each test begins without one, so that one that fails takes no others with it."""
    lab("down", "--all")


def _user_id(name: str) -> int:
    return 65534 if name == "nobody" and os.geteuid() == 0 else os.geteuid()


def note() -> dict[str, int]:
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


def test_an_afternoon_in_the_laboratory(lab: Lab) -> None:
    """One laboratory for all of it: each command takes a second, and much of that is its start."""
    # With ESN tshark would decrypt, but have no ICV to compare with.
    up = json.loads(lab("up", "--json", "--esp", "aes128gcm16").stdout)
    first, second = up["ends"]["A"], up["ends"]["B"]
    assert first["ike_sas"][0]["role"] == "initiator"
    assert first["ike_sas"][0]["proposal"] == "aes128gcm16-prfsha256-x25519"
    (mine,), (other,) = first["ike_sas"][0]["children"], second["ike_sas"][0]["children"]
    assert mine["proposal"] == "aes128gcm16"
    assert (mine["inbound_spi"], mine["outbound_spi"]) == (other["outbound_spi"], other["inbound_spi"])
    assert first["dataplane"] == second["dataplane"] == "agent"

    assert lab("exec", "A", "--", "id", "-u").stdout.strip() == "0"
    assert " 0% packet loss" in lab("exec", "A", "--", "ping", "-c", "3", "-i", "0.1", "10.2.0.1").stdout
    lab("exec", "B", "--", "sh", "-c", "exit 7", code=7)
    assert "no-such-program" in lab("exec", "A", "--", "no-such-program", code=127).stderr
    assert "no host 'C'" in one_line(lab("exec", "C", "--", "true", code=2))

    status = json.loads(lab("status", "--json", "--seconds", "0.1").stdout)
    assert status["rates_mbit"].keys() == {"A", "B"}
    for end in status["ends"].values():
        (child,) = end["ike_sas"][0]["children"]
        assert (child["packets_in"], child["packets_out"], child["bytes_in"]) == (3, 3, 3 * 84)
    screen = lab("status", "--seconds", "0.1").stdout
    assert f"SPI in {mine['inbound_spi']}, out {mine['outbound_spi']}" in screen
    assert "Mbit/s in" in screen

    assert "there is a laboratory 'lab' already" in one_line(lab("up", code=1))
    lab("up", "--name", "second", "--article")
    assert "there is lab, second" in one_line(lab("status", "--name", "third", code=1))
    capture_and_decrypt(lab)

    processes = note()
    lab("down")
    assert gone(processes["keeper"])
    assert gone(processes["inside"])
    assert "there is no laboratory 'lab'" in one_line(lab("status", code=1))
    lab("down", "--name", "second")
    assert "there is no laboratory" in one_line(lab("down", code=1))


def capture_and_decrypt(lab: Lab) -> None:
    """Both interfaces of A in one file, and tshark reads it with the keys beside it."""
    require(capture.missing_prerequisite())
    # A folder that this user may write to, in one that everybody may pass.
    folder = notes_folder() / "captures"
    lab("exec", "A", "--", "mkdir", str(folder))
    path = folder / "lab.pcapng"
    lab("exec", "A", "--", "sh", "-c", "ping -i 0.05 -c 200 10.2.0.1 >/dev/null 2>&1 &")
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


def test_a_shell_has_the_terminal_to_itself(lab: Lab) -> None:
    lab("up", "--dataplane", "reference", "-q")
    inside = lab("exec", "A", "--", "sh", "-c", 'echo "$TMPDIR"').stdout
    assert inside.strip() == str(enclosure.PRIVATE_TEMPORARY)
    script = lab_command("exec", "A")
    child, terminal = pty.fork()
    if not child:
        os.chdir("/")
        os.execvpe(script[0], script, {**os.environ, "PYTHONPATH": str(rootless.ROOT), "SHELL": "/bin/sh"})  # noqa: S606
    try:
        assert "[A] # " in until(terminal, "[A] # ")
        os.write(terminal, b"sleep 100\n")
        time.sleep(1)
        os.write(terminal, b"\x03")
        until(terminal, "[A] # ")
        os.write(terminal, b"echo it was $?\n")
        assert "it was 130" in until(terminal, "it was 130")
        os.write(terminal, b"exit 3\n")
        deadline = time.monotonic() + 20
        while (ended := os.waitpid(child, os.WNOHANG)) == (0, 0) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert os.waitstatus_to_exitcode(ended[1]) == 3
        assert ended[0] == child
    finally:
        os.close(terminal)
    lab("down")


def lab_command(*arguments: str) -> list[str]:
    """The command line of ``lab`` for the laboratory of this test, as the user that it belongs to."""
    nobody = notes_folder().name.endswith("nobody")
    program = rootless.command() if nobody else [sys.executable, "-m", "ipsecbench"]
    return ["env", f"TMPDIR={notes_folder()}", *program, "lab", *arguments]


def until(terminal: int, wanted: str) -> str:
    """What a terminal shows until it shows something."""
    shown, deadline = "", time.monotonic() + 20
    while wanted not in shown and time.monotonic() < deadline:
        if select.select([terminal], [], [], 0.2)[0]:
            shown += os.read(terminal, 4096).decode(errors="replace")
    assert wanted in shown, shown
    return shown


@pytest.mark.parametrize("victim", ["keeper", "inside"])
def test_a_killed_laboratory_is_no_hindrance(lab: Lab, victim: str) -> None:
    lab("up")
    if victim == "keeper":
        a_killed_agent_is_said(lab)
    processes = note()
    os.kill(processes[victim], signal.SIGKILL)
    assert gone(processes["keeper"])
    assert gone(processes["inside"])
    assert "there is no laboratory" in one_line(lab("status", code=1))


def a_killed_agent_is_said(lab: Lab) -> None:
    inside = note()["inside"]
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


def test_what_a_user_can_get_wrong(lab: Lab) -> None:
    assert "two endpoint files" in one_line(lab("up", "/no/such/file", code=2))
    assert "No such file" in one_line(lab("up", "/no/such/file", "/no/such/other", code=2))
    assert "no name" in one_line(lab("up", "--name", "../etc", code=2))
    if os.geteuid() == 0:
        line = one_line(lab("up", "--dataplane", "kernel", code=1)) if not kernel_esp_available().available else ""
        assert not line or "no data plane 'kernel'" in line


def test_two_files_instead_of_parameters(lab: Lab) -> None:
    files = []
    for name, here, there in (("a", 1, 2), ("b", 2, 1)):
        path = notes_folder() / f"captures-{name}.toml"
        text = FILE.format(here=here, there=there, action="start" if name == "a" else "none")
        path.write_text(text)
        path.chmod(0o644)
        files.append(str(path))
    up = json.loads(lab("up", *files, "--json").stdout)
    assert up["ends"]["A"]["dataplane"] == "reference"
    assert up["ends"]["B"]["ike_sas"][0]["children"][0]["name"] == "mine"
    assert " 0% packet loss" in lab("exec", "A", "--", "ping", "-c", "1", "10.2.0.1").stdout
    lab("down")
    Path(files[0]).write_text(Path(files[0]).read_text().replace("psk", "pks"))
    line = one_line(lab("up", *files, code=2))
    assert f"{files[0]}:" in line
    assert "pks" in line
    for each in files:
        Path(each).unlink()


FILE = """\
[endpoint]
dataplane = "reference"
[connections.theirs]
local_addrs = ["192.0.2.{here}"]
remote_addrs = ["192.0.2.{there}"]
proposals = ["aes128-sha256-x25519"]
psk = "secret"
[connections.theirs.local]
auth = "psk"
id = "{here}.example.net"
[connections.theirs.remote]
auth = "psk"
id = "{there}.example.net"
[connections.theirs.children.mine]
local_ts = ["10.{here}.0.0/16"]
remote_ts = ["10.{there}.0.0/16"]
esp_proposals = ["aes128-sha256"]
start_action = "{action}"
"""
