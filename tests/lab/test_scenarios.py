"""Every scenario holds what it claims; and a claim that does not hold is found out."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ipsecbench.agent.find import agent_path
from ipsecbench.cli.lab.screens import render_outcome
from ipsecbench.dataplane.interface import PlaneKind
from ipsecbench.errors import AgentError
from ipsecbench.lab import enclosure, expected, strongswan
from ipsecbench.lab.scenarios.catalogue import SCENARIOS
from ipsecbench.lab.scenarios.model import Outcome, Overhead, Run, Scenario, run
from tests.lab import rootless
from tests.lab.conftest import require

pytestmark = [pytest.mark.root, pytest.mark.agent]

SINGLE = [name for name, scenario in SCENARIOS.items() if scenario.steps]
QUICK: dict[str, Any] = {"seconds": 0.2, "own_stream": True}


def needs(name: str) -> None:
    require(enclosure.missing_prerequisite())
    try:
        agent_path()
    except AgentError as error:
        require(str(error))
    if "strongswan" in name:
        require(strongswan.missing_prerequisite())


def assert_held(outcome: Outcome) -> None:
    assert not [check for check in outcome.checks if not check.held]
    assert outcome.passed
    assert len(outcome.checks) >= 9, "a scenario that claims little shows little"
    for row in outcome.overheads:
        assert row.wire_bytes == row.computed_bytes > row.inner_bytes


@pytest.mark.parametrize("name", SINGLE)
def test_a_scenario_holds_with_the_fast_data_plane(root: None, name: str) -> None:
    needs(name)
    outcome = run(SCENARIOS[name], **QUICK)
    assert_held(outcome)
    if not SCENARIOS[name].arrangement.strongswan:
        assert outcome.negotiated["dataplane"] == "agent and agent"


@pytest.mark.parametrize("name", ["tunnel", "gre-udp", "path-mtu", "telnet", "policies"])
def test_a_scenario_holds_with_the_readable_data_plane(root: None, name: str) -> None:
    needs(name)
    outcome = run(changed(name, dataplane=PlaneKind.REFERENCE), **QUICK)
    assert_held(outcome)
    assert outcome.negotiated["dataplane"] == "reference and reference"


@pytest.mark.parametrize("suite", ["aes128-sha256", "chacha20poly1305", "aes256-sha512", "null-sha256", "3des-sha1"])
def test_packets_of_other_suites_are_as_long_as_computed(root: None, suite: str) -> None:
    needs("tunnel")
    outcome = run(changed("tunnel-udp", *SCENARIOS["tunnel"].steps[:4], esp=suite), **QUICK)
    assert_held(outcome)
    assert outcome.negotiated["esp"] == suite


def scenario_command(*arguments: str, code: int = 0, prefix: Sequence[str] = ()) -> Any:
    """What ``lab scenario --json`` says."""
    done = subprocess.run(
        [*(prefix or [sys.executable, "-m", "ipsecbench"]), "lab", "scenario", "--json", *arguments],
        capture_output=True, text=True, timeout=120, cwd="/", check=False, stdin=subprocess.DEVNULL,
        env=None if prefix else {**os.environ, "PYTHONPATH": str(rootless.ROOT)},
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return json.loads(done.stdout) if done.stdout else done.stderr


def test_scenarios_hold_without_root() -> None:
    names = ["tunnel-udp", "telnet", "policies", "bad-network", "strongswan-answers-ikev2"]
    for name in names:
        needs(name)
    require(rootless.missing_prerequisite())
    outcomes = scenario_command(*names, "--seconds", "0.2", "--own-stream", prefix=rootless.command())
    assert [outcome["name"] for outcome in outcomes] == names
    assert all(outcome["passed"] for outcome in outcomes), outcomes


def test_modes_are_set_side_by_side() -> None:
    # RFC 4303, GCM with 16 octets of ICV: 8 + 8 + 16 and the padding to 4, and the headers of each mode.
    modes = {"tunnel": 56, "transport": 36, "gre": 60, "ipip": 56}
    parts = SCENARIOS["modes"].parts
    assert set(parts) == {name + suffix for name in modes for suffix in ("", "-udp")}
    for name in parts:
        udp = 8 if name.endswith("-udp") else 0
        assert expected.wire_bytes(SCENARIOS[name].arrangement, 64) - 64 == modes[name.removesuffix("-udp")] + udp
    outcomes = [
        Outcome(name, "", negotiated={"mode": "m", "udp": "u"}, overheads=[Overhead(64, 120, 120)]) for name in parts
    ]
    shown = render_outcome(Outcome("modes", "side by side", parts=outcomes)).splitlines()
    assert [line.split()[0] for line in shown[2:]] == list(parts)
    assert all("+56" in line for line in shown[2:])


# ── a claim that does not hold ───────────────────────────────────────────────────────────────────────────────────────


def claims(outcome: Outcome) -> dict[str, bool]:
    return {check.claim: check.held for check in outcome.checks}


def changed(name: str, *steps: Any, **arrangement: Any) -> Scenario:
    scenario = SCENARIOS[name]
    return replace(scenario, steps=steps or scenario.steps, arrangement=replace(scenario.arrangement, **arrangement))


def test_packets_in_clear_are_found_out(root: None) -> None:
    needs("tunnel")

    def lead_past_the_sa(state: Run) -> None:
        host = state.laboratory.host("A")
        for number, side in ((1, "B"), (2, "A")):
            peer = state.laboratory.host(side)
            route = ["route", "add", f"10.{3 - number}.0.0/16", "via", f"192.0.2.{3 - number}"]
            state.laboratory.host("A" if side == "B" else "B").run("ip", *route)
            peer.run("nft", "flush ruleset")
        host.run("ip", "rule", "add", "pref", "100", "lookup", "main")
        state.laboratory.host("B").run("ip", "rule", "add", "pref", "100", "lookup", "main")

    negotiate, reach = SCENARIOS["bad-network"].steps
    outcome = run(changed("tunnel", negotiate, lead_past_the_sa, reach))
    assert claims(outcome)["the other host answers through the SA"]
    assert not claims(outcome)["nothing passes in clear"]
    assert not outcome.passed


def test_another_length_than_computed_is_found_out(root: None, monkeypatch: pytest.MonkeyPatch) -> None:
    needs("tunnel")
    genuine = expected.wire_bytes
    monkeypatch.setattr(expected, "wire_bytes", lambda arrangement, inner: genuine(arrangement, inner) + (inner > 500))
    negotiate, _reach, _count, weigh, *_rest = SCENARIOS["tunnel"].steps
    outcome = run(changed("tunnel", negotiate, weigh))
    assert not claims(outcome)["packets are as long as computed"]


def test_a_telnet_daemon_that_anybody_can_reach_is_found_out(root: None) -> None:
    needs("telnet")

    def open_the_door(state: Run) -> None:
        state.laboratory.host("B").run("nft", "flush ruleset")

    negotiate, through, in_clear = SCENARIOS["telnet"].steps
    outcome = run(changed("telnet", negotiate, through, open_the_door, in_clear))
    assert claims(outcome)["a telnet session goes through the SA"]
    assert not claims(outcome)["and gets no answer"]


def test_ends_that_cannot_agree_are_one_clear_claim(root: None) -> None:
    needs("tunnel")
    scenario = SCENARIOS["tunnel"]

    def forget_the_child(state: Run) -> None:
        state.laboratory.b.stop()

    outcome = run(replace(scenario, steps=(forget_the_child, scenario.steps[0])), seconds=0.2)
    assert not outcome.passed


# ── the command ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_a_user_can_get_wrong() -> None:
    assert "no scenario 'tunel'" in scenario_command("tunel", code=2)
    assert "name a scenario" in scenario_command(code=2)
    assert "rot13" in scenario_command("tunnel", "--esp", "rot13", code=2)
    assert "one of reference, agent, kernel" in scenario_command("tunnel", "--dataplane", "vpp", code=2)


def test_the_list_has_every_one() -> None:
    rows = scenario_command("--list")
    assert [row["name"] for row in rows] == list(SCENARIOS)
    assert all(row["title"] for row in rows)


def test_without_iperf3_our_own_stream_runs(tmp_path: Path) -> None:
    needs("tunnel")
    if os.geteuid() != 0:
        require("not root")
    # A folder of programs without iperf3, and nothing else of the system's.
    for folder in ("/usr/sbin", "/usr/bin", "/sbin", "/bin"):
        for program in Path(folder).iterdir():
            link = tmp_path / program.name
            if program.name != "iperf3" and not link.exists():
                link.symlink_to(program)
    assert shutil.which("iperf3", path=str(tmp_path)) is None
    code = (
        "import sys; from ipsecbench.lab import enclosure; enclosure._FOLDERS = ();"
        "from ipsecbench.cli import main;"
        "sys.argv = 'ipsecbench lab scenario tunnel --json --seconds 0.2'.split(); main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, cwd=rootless.ROOT,
        env={**os.environ, "PATH": str(tmp_path)}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[0]["tcp_program"] == "own"
