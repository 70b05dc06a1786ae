"""The screen of `ipsecbench detect`, and its options."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from ipsecbench.cli.detect import LABEL_WIDTH, WIDTH, detect_command, screen
from ipsecbench.errors import MeasurementError
from ipsecbench.hardware import detect

DATA = Path(__file__).parents[2] / "data" / "hardware"

app = typer.Typer(pretty_exceptions_enable=False)
app.command()(detect_command)
runner = CliRunner()


def box(root: Path, name: str, crypto: str | None = None) -> Path:
    (root / "proc").mkdir(parents=True)
    (root / "proc" / "cpuinfo").write_bytes((DATA / "cpuinfo" / f"{name}.txt").read_bytes())
    if crypto is not None:
        (root / "proc" / "crypto").write_text(crypto)
    return root


@pytest.mark.parametrize("name", sorted(path.stem for path in (DATA / "cpuinfo").glob("*.txt")))
def test_every_box_fits_on_one_screen(tmp_path: Path, name: str) -> None:
    crypto = (DATA / "crypto" / "procfs-x86-aesni.txt").read_text(encoding="utf-8")
    lines = screen(detect(box(tmp_path / "box", name, crypto)))
    assert len(lines) <= 40
    assert all(len(line) <= WIDTH for line in lines)
    labels = [line[:LABEL_WIDTH].strip() for line in lines[2:] if line[:LABEL_WIDTH].strip()]
    order = ["CPU", "Instructions", "Kernel crypto", "Engines", "NIC offload", "libcrypto", "Clock", "Box", "Warnings"]
    assert labels == [label for label in order if label in labels]
    assert {"CPU", "Instructions", "Kernel crypto", "Clock", "Warnings"} <= set(labels)


def test_the_screen_of_a_board_with_two_kinds_of_core(tmp_path: Path) -> None:
    result = runner.invoke(app, ["--root", str(box(tmp_path / "box", "sbcbench-RK3588-5.10.66"))])
    assert result.exit_code == 0
    text = result.stdout
    assert "4x Cortex-A55 + 4x Cortex-A76 · Arm · aarch64" in text
    assert "AES yes · GHASH yes · SHA-1 yes · SHA-256 yes · SHA-512 no" in text
    assert "Cortex-A55: processors 0-3 · Cortex-A76: processors 4-7" in text
    assert "unknown: there is no /sys/class/net" in text
    assert "unknown: there is no /proc/crypto" in text
    assert "\033[" not in text


def test_colour_changes_nothing_but_colour(tmp_path: Path) -> None:
    hardware = detect(box(tmp_path / "box", "sbcbench-RK3588-5.10.66"))
    plain, coloured = screen(hardware), screen(hardware, has_colour=True)
    import re

    assert [re.sub(r"\033\[\d*m", "", line) for line in coloured] == plain
    assert any("\033[" in line for line in coloured)


def test_json(tmp_path: Path) -> None:
    result = runner.invoke(app, ["--json", "--root", str(box(tmp_path / "box", "archspec-linux-rhel7-zen"))])
    assert result.exit_code == 0
    data = json.loads(result.stdout)
    assert data["schema"] == "ipsecbench-hardware"
    assert data["cpu"]["vendor"] == "AMD"
    assert data["cpu"]["features"]["functions"]["sha256"] == "present"
    assert data["clocks"][0]["comparison"]["verdict"] == "not measured"


def test_an_empty_proc_is_an_error_of_ours(tmp_path: Path) -> None:
    result = runner.invoke(app, ["--root", str(tmp_path)])
    assert result.exit_code != 0
    assert isinstance(result.exception, MeasurementError)


def test_many_warnings_are_counted_rather_than_scrolled_away(tmp_path: Path) -> None:
    from dataclasses import replace

    hardware = detect(box(tmp_path / "box", "sbcbench-RK3588-5.10.66"))
    lines = screen(replace(hardware, warnings=tuple(f"warning {n} " + "word " * 30 for n in range(20))))
    assert len(lines) <= 40
    assert "more with --json" in lines[-1]


def test_the_running_kernel_is_asked_about_esp(tmp_path: Path) -> None:
    hardware = detect(box(tmp_path / "box", "sbcbench-RK3588-5.10.66"))
    assert not any(line.startswith("Data plane") for line in screen(hardware))
    reason = "this kernel has XFRM but no ESP (CONFIG_INET_ESP): use the data plane 'agent' or 'reference'"
    shown = "\n".join(screen(hardware, data_plane={"kernel_esp": False, "kernel_esp_reason": reason, "auto": "agent"}))
    assert "ESP in the kernel: no (this kernel has XFRM but no ESP (CONFIG_INET_ESP))" in shown
    assert "an endpoint with 'auto' takes 'agent'" in shown
    shown = "\n".join(screen(hardware, data_plane={"kernel_esp": True, "kernel_esp_reason": None, "auto": "kernel"}))
    assert "ESP in the kernel: yes\n" in shown


def test_json_says_which_data_plane_there_is() -> None:
    result = runner.invoke(app, ["--json"])
    assert result.exit_code == 0
    found = json.loads(result.stdout)["data_plane"]
    assert found["kernel_esp"] in (True, False, None)
    assert (found["kernel_esp_reason"] is None) == (found["kernel_esp"] is True)
    assert found["auto"] in ("agent", "kernel", "reference")
