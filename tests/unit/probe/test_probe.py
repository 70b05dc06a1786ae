"""The probe script runs in every POSIX shell, says what the box is, and what it prints is read figure by figure."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ipsecbench.cli.app import app
from ipsecbench.dataset.codec import from_document, to_document
from ipsecbench.dataset.model import Dataset
from ipsecbench.errors import DatasetError
from ipsecbench.hardware import detect
from ipsecbench.importers.formats import guessed_format, import_text
from ipsecbench.importers.text import text_of
from ipsecbench.probe import script

SHELLS = {
    name: command
    for name, command in {
        "busybox": ["busybox", "ash"],
        "dash": ["dash"],
        "bash": ["bash", "--posix"],
        "mksh": ["mksh"],
        "yash": ["yash"],
    }.items()
    if shutil.which(command[0])
}
TOOLS = ("sed", "tr", "dd", "cat", "sleep", "date", "uname", "grep", "printf", "timeout", "ip", "lscpu", "zcat", "gzip")

STUB = r"""#!/bin/sh
case "$*" in
"version -a") printf 'OpenSSL %s  30 Jan 2024\nCPUINFO: OPENSSL_ia32cap=0x7ffef3ffffebffff:0x27ab\n' "${STUB:-3.0.13}"
    printf '=end\r=complete 0\n=run openssl speed -mr -elapsed -evp aes-128-gcm\n'
    printf '|+F:1:AES-128-GCM:9\n\000=file /proc/cpuinfo\n' ;;
version) echo "OpenSSL ${STUB:-3.0.13}" ;;
"speed -help") [ "${STUB:-3.0.13}" = 1.0.2u ] || printf ' -seconds +int\n -bytes +int\n -hmac val\n' ;;
*ffdh*|*chacha*) echo "speed: Unknown algorithm" >&2; exit 1 ;;
*-bytes*) size=${*#*-bytes }; size=${size%% *}; name=${*##* }
    printf '+DT:%s:1:%s\n+R:%s:%s:1.000000\n+H:%s\n+F:22:%s:%s.00\n' $name $size 1000 $name $size $name ${size}000 ;;
*rsa2048*) printf '+F2:2:2048:4107.000000:61526.000000\n' ;;
*ecdsap256*) printf '+F4:3:256:18577.000000:6001.000000\n' ;;
*ecdh*) printf '+F5:3:256:7239.000000:0.000138\n' ;;
*-evp*) printf '+H:16:64:256:1024:8192\n+F:22:%s:16000.00:64000.00:256000.00:1024000.00:8192000.00\n' "${*##* }" ;;
esac
"""


def run(shell: str, folder: Path, **environment: str) -> str:
    """What the script prints in an empty folder that it must leave empty."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    done = subprocess.run(
        [*SHELLS[shell], "-s"],
        input=script().encode(),
        cwd=home,
        env={"PATH": os.environ["PATH"], "TMPDIR": str(home), **environment},
        capture_output=True,
        timeout=120,
        check=True,
    )
    assert done.stderr == b"", done.stderr
    assert not list(home.iterdir())
    return done.stdout.decode()


def tools(folder: Path, *names: str) -> str:
    """A PATH with these tools only."""
    place = folder / "tools"
    place.mkdir()
    for name in names:
        if found := shutil.which(name):
            (place / name).symlink_to(found)
    return str(place)


def read(text: str) -> Dataset:
    (dataset,) = import_text(text_of(text.encode(), "box.probe"))
    assert from_document(to_document(dataset)) == dataset
    return dataset


def codes(dataset: Dataset) -> set[str]:
    return {verdict.code for verdict in dataset.verdicts}


@pytest.fixture
def stub(tmp_path: Path) -> str:
    path = tmp_path / "stub-openssl"
    path.write_text(STUB)
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_says_the_same_of_the_box_as_detect(shell: str, tmp_path: Path) -> None:
    text = run(shell, tmp_path, PROBE_SECONDS="0")
    assert re.search(r"^=complete \d+\n\Z", text, re.M)
    dataset = read(text)
    told, seen = dataset.environment["hardware"], detect().to_dict()
    for key in ("cpu", "kernel_crypto", "engines"):
        assert told[key] == seen[key], key
    for key, value in seen["platform"].items():
        if key != "virtualisation":
            assert told["platform"][key] == value, key
    assert [one["name"] for one in told["nics"]] == [one["name"] for one in seen["nics"]]
    assert told["condition"]["memory_total_bytes"] == seen["condition"]["memory_total_bytes"]
    assert {one["version"] for one in seen["libcryptos"]} >= {one["version"] for one in told["libcryptos"]} != set()
    assert not dataset.measurements
    assert not codes(dataset) & {"cut-short", "text-damaged"}
    assert dataset.created.startswith("20")


def test_neither_names_nor_addresses_nor_serial_numbers_are_read(tmp_path: Path) -> None:
    text = run("dash", tmp_path, PROBE_SECONDS="0")
    secrets = {socket.gethostname(), *(path.read_text().strip() for path in Path("/sys/class/net").glob("*/address"))}
    for secret in secrets - {"", "localhost", "00:00:00:00:00:00"}:
        # A name such as "vm" is a word of its own only where it is a name.
        assert not re.search(rf"(?<![\w-]){re.escape(secret)}(?![\w-])", text), secret
    assert not re.search(r"^\|serial", text, re.I | re.M)


def test_line_ends_of_a_serial_console_change_nothing(tmp_path: Path) -> None:
    text = run("dash", tmp_path, PROBE_SECONDS="0")
    one, other = read(text), read(text.replace("\n", "\r\n"))
    assert (one.environment, codes(one)) == (other.environment, codes(other))


@pytest.mark.parametrize("shell", SHELLS)
def test_figures_are_those_that_openssl_printed(shell: str, tmp_path: Path, stub: str) -> None:
    text = run(shell, tmp_path, PROBE_SECONDS="40", PROBE_OPENSSL=stub, PROBE_FORCE="1")
    dataset = read(text)
    check_figures(text, dataset)
    names = {(row.workload.operation, row.workload.algorithm, row.workload.size_bytes) for row in dataset.measurements}
    assert {("encrypt", "aes128gcm16", 1408), ("encrypt", "aes256", 64), ("decrypt", "aes128gcm16", 1408)} <= names
    assert {("sign", "rsa-2048", None), ("verify", "ecdsa-256", None), ("agree", "ecp256", None)} <= names
    failed = dataset.environment["probe"]["failed"]
    assert any("chacha20" in one["command"] and "Unknown algorithm" in one["reason"] for one in failed)
    (library,) = dataset.environment["libraries"]
    assert library["version"] == "OpenSSL 3.0.13 30 Jan 2024"
    # The stub prints lines like ours, in a new line, behind a carriage return and behind an octet 0: none is believed.
    assert dataset.environment["hardware"]["cpu"]["architecture"] is not None
    assert not codes(dataset) & {"cut-short", "text-damaged"}
    assert 9.0 not in {one.value for row in dataset.measurements for one in row.published}


def check_figures(text: str, dataset: Dataset) -> None:
    """Each rate that stands in the text is a figure with its line, and no other is there."""
    lines = text.split("\n")
    printed = sorted(
        (number, float(value))
        for number, line in enumerate(lines, 1)
        if (match := re.match(r"\|\+F:\d+:[^:]+:([\d.:]+)$", line)) and match[1] != "9"
        for value in match[1].split(":")
    )
    found = sorted(
        (one.line or 0, one.value)
        for row in dataset.measurements
        for one in row.published
        if row.workload.operation in ("encrypt", "decrypt", "authenticate", "digest")
    )
    assert found == printed
    assert printed


def test_before_1_1_1_whole_runs_are_made_as_far_as_time_allows(tmp_path: Path, stub: str) -> None:
    text = run("dash", tmp_path, PROBE_SECONDS="60", PROBE_OPENSSL=stub, PROBE_FORCE="1", STUB="1.0.2u")
    assert "-seconds" not in text
    dataset = read(text)
    check_figures(text, dataset)
    assert {row.workload.size_bytes for row in dataset.rows(algorithm="aes128")} == {16, 64, 256, 1024, 8192}


@pytest.mark.slow
@pytest.mark.parametrize("shell", [name for name in ("busybox", "dash", "bash") if name in SHELLS])
def test_the_real_openssl(shell: str, tmp_path: Path) -> None:
    text = run(shell, tmp_path, PROBE_SECONDS="3", PROBE_FORCE="1")
    dataset = read(text)
    check_figures(text, dataset)
    assert dataset.get(next(iter(dataset.measurements)).workload) is not None
    assert 2 <= len(dataset.measurements) <= 4


def test_without_openssl_and_almost_everything_else_there_is_a_description(tmp_path: Path) -> None:
    text = run("dash", tmp_path, PROBE_PATH=tools(tmp_path, "printf", "sleep"), PROBE_SECONDS="5")
    dataset = read(text)
    assert dataset.environment["probe"]["skipped"] == ["no openssl program"]
    assert dataset.environment["hardware"]["cpu"]["features"] == detect().to_dict()["cpu"]["features"]
    assert not dataset.measurements
    assert "cut-short" not in codes(dataset)


@pytest.mark.slow
def test_without_timeout_what_hangs_is_ended_all_the_same(tmp_path: Path, stub: str) -> None:
    names = [name for name in TOOLS if name != "timeout"]
    place = tools(tmp_path, *names)
    (Path(place) / "lscpu").unlink()
    (Path(place) / "lscpu").write_text("#!/bin/sh\nexec sleep 60\n")
    (Path(place) / "lscpu").chmod(0o755)
    dataset = read(run("dash", tmp_path, PROBE_PATH=place, PROBE_SECONDS="0", PROBE_OPENSSL=stub))
    assert "cut-short" not in codes(dataset)


def test_a_busy_box_is_left_alone(tmp_path: Path, stub: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # The load of this machine is what it is: the script is given a copy of itself that reads another.
    (tmp_path / "loadavg").write_text("999.00 1.00 1.00 1/1 1\n")
    text = script().replace("/proc/loadavg", str(tmp_path / "loadavg"))
    monkeypatch.setitem(globals(), "script", lambda: text)
    dataset = read(run("dash", tmp_path, PROBE_OPENSSL=stub, PROBE_SECONDS="5"))
    (reason,) = dataset.environment["probe"]["skipped"]
    assert "busy" in reason
    assert not dataset.measurements


def test_a_text_that_is_cut_anywhere_says_so_and_keeps_what_is_whole(tmp_path: Path, stub: str) -> None:
    text = run("dash", tmp_path, PROBE_SECONDS="20", PROBE_OPENSSL=stub, PROBE_FORCE="1")
    whole = read(text)
    before = -1
    for tenth in range(1, 10):
        dataset = read(text[: len(text) * tenth // 10])
        assert "cut-short" in codes(dataset)
        assert dataset.environment["hardware"]["cpu"]["vendor"] in (
            None,
            whole.environment["hardware"]["cpu"]["vendor"],
        )
        figures = {(row.workload, row.published) for row in dataset.measurements}
        assert {work for work, _ in figures} <= {row.workload for row in whole.measurements}
        assert len(figures) >= before
        before = len(figures)
    assert before > 0
    headless = read(text[text.index("=file") :])
    assert "cut-short" in codes(headless)
    assert len(headless.measurements) == len(whole.measurements)


def test_lines_that_were_changed_on_the_way_are_noticed(tmp_path: Path) -> None:
    text = run("dash", tmp_path, PROBE_SECONDS="0")
    assert "text-damaged" in codes(read(text.replace("\n|flags", "\nflags", 1)))
    shell = f"root@box:~# sh probe.sh\n{text}root@box:~# "
    assert not codes(read(shell)) & {"text-damaged", "cut-short"}
    assert guessed_format(text_of(shell.encode())).name == "probe"


ROUTER = """\
=ipsecbench-probe 1
=date 1970-01-01T00:03:12
=run uname -srm
|Linux 5.15.134 mips
|
|(exit 0)
=end
=value /tmp/sysinfo/model
|MikroTik RouterBOARD 760iGS
=file /etc/openwrt_release
|DISTRIB_ID='OpenWrt'
|DISTRIB_DESCRIPTION='OpenWrt 23.05.0 r23497'
|
=end
=file /proc/cpuinfo
|system type             : MediaTek MT7621 ver:1 eco:3
|machine                 : MikroTik RouterBOARD 760iGS
|processor               : 0
|cpu model               : MIPS 1004Kc V2.15
|package                 : 0
|core                    : 0
|
=end
=names /proc/device-tree/compatible
|mikrotik,routerboard-760igs
|mediatek,mt7621-soc
|
|
=end
=value /sys/class/net/eth0/type
|1
=file /sys/class/net/eth0/device/uevent
|DRIVER=mtk_soc_eth
|
=end
=run ethtool -k eth0
|Features for eth0:
|esp-hw-offload: off [fixed]
|tx-esp-segmentation: on
|
|(exit 0)
=end
=run swanctl --version
|strongSwan swanctl 5.9.11
|
|(exit 0)
=end
=xfrm
=config
|CONFIG_INET_ESP=m
=end
=library /usr/lib/libcrypto.so.3
|OpenSSL 3.0.11 19 Sep 2023
=end
=skipped no openssl program
=complete 4
"""


def test_a_router() -> None:
    dataset = read(ROUTER)
    hardware: dict[str, Any] = dataset.environment["hardware"]
    assert dataset.label == "MikroTik RouterBOARD 760iGS"
    assert hardware["cpu"]["architecture"] == "mips"
    assert hardware["platform"]["operating_system"] == "OpenWrt 23.05.0 r23497"
    assert hardware["platform"]["machine"] == "mips"
    assert hardware["platform"]["compatibles"] == ["mikrotik,routerboard-760igs", "mediatek,mt7621-soc"]
    (nic,) = hardware["nics"]
    assert (nic["driver"], nic["is_virtual"]) == ("mtk_soc_eth", False)
    assert nic["esp_features"] == {
        "esp-hw-offload": "absent",
        "esp-tx-csum-hw-offload": "absent",
        "tx-esp-segmentation": "on",
    }
    assert [one["name"] for one in hardware["engines"]] == ["EIP93"] or "EIP93" in str(hardware["engines"])
    assert hardware["libcryptos"][0]["version"] == "OpenSSL 3.0.11 19 Sep 2023"
    facts = dataset.environment["probe"]
    assert facts["software"] == {"swanctl": "strongSwan swanctl 5.9.11"}
    assert (facts["kernel_has_xfrm"], facts["kernel_config"], facts["seconds"]) == (True, {"CONFIG_INET_ESP": "m"}, 4)
    assert dataset.measured_on is None  # a router without a clock of its own


FREEBSD = """\
=ipsecbench-probe 1
=run uname -srm
|FreeBSD 13.1-RELEASE-p2 amd64
|
|(exit 0)
=end
=run sysctl hw.model hw.machine hw.machine_arch hw.ncpu hw.physmem
|hw.model: Intel(R) Atom(TM) CPU  C2758  @ 2.40GHz
|hw.machine: amd64
|hw.machine_arch: amd64
|hw.ncpu: 8
|hw.physmem: 8549601280
|
|(exit 0)
=end
=file /var/run/dmesg.boot
|CPU: Intel(R) Atom(TM) CPU  C2758  @ 2.40GHz (2400.06-MHz K8-class CPU)
|  Origin="GenuineIntel"  Id=0x406d8  Family=0x6  Model=0x4d  Stepping=8
|  Features=0xbfebfbff<FPU,VME,DE,SSE,SSE2>
|  Features2=0x43d8e3bf<SSE3,PCLMULQDQ,SSSE3,CX16,SSE4.1,AESNI,RDRAND>
|
=end
=complete 3
"""


def test_a_bsd() -> None:
    dataset = read(FREEBSD)
    hardware = dataset.environment["hardware"]
    assert hardware["cpu"]["model"] == "Intel(R) Atom(TM) CPU C2758 @ 2.40GHz"
    assert (hardware["cpu"]["vendor"], hardware["cpu"]["processors"]) == ("Intel", 8)
    functions = hardware["cpu"]["features"]["functions"]
    assert (functions["aes"], functions["carryless-multiply"], functions["sha256"]) == ("present", "present", "absent")
    assert hardware["platform"]["operating_system"] == "FreeBSD 13.1-RELEASE-p2"
    assert hardware["condition"]["memory_total_bytes"] == 8549601280


def test_what_is_not_of_the_script_is_refused() -> None:
    with pytest.raises(DatasetError, match="nothing in it"):
        import_text(text_of(b"hello\n"), "probe")
    with pytest.raises(DatasetError, match="version '2'"):
        import_text(text_of(b"=ipsecbench-probe 2\n=file /x\n|y\n=end\n"))
    with pytest.raises(DatasetError, match="before it says anything"):
        import_text(text_of(b"=ipsecbench-probe 1\n=file /proc"))


def test_the_command_prints_the_script(tmp_path: Path) -> None:
    assert CliRunner().invoke(app, ["probe-script"]).stdout == script()
    place = tmp_path / "probe.sh"
    assert CliRunner().invoke(app, ["probe-script", "-o", str(place)]).exit_code == 0
    assert place.read_text() == script()
    assert isinstance(CliRunner().invoke(app, ["probe-script", "-o", str(place)]).exception, DatasetError)


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
def test_shellcheck_finds_nothing(tmp_path: Path) -> None:
    place = tmp_path / "probe.sh"
    place.write_text(script())
    done = subprocess.run(["shellcheck", "-s", "sh", str(place)], capture_output=True, text=True, check=False)
    assert done.stdout == ""


@pytest.mark.parametrize("value", ["x", "", "-1", "99999"])
def test_nonsense_for_the_time_is_refused(value: str) -> None:
    done = subprocess.run(
        ["sh", "-s", "--", "-s", value], input=script(), capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "seconds" in done.stderr
