"""The recommend command: its screen, its JSON and its exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ipsecbench.bench.measurement import Status
from ipsecbench.cli.answer_screen import render_recommendation
from ipsecbench.cli.app import app
from ipsecbench.cli.recommend import goal_met
from ipsecbench.dataset.model import Dataset, RunWarning
from ipsecbench.dataset.store import write_dataset
from ipsecbench.errors import IpsecbenchError
from ipsecbench.recommend import recommend
from ipsecbench.recommend.policies.policy import load_policy
from ipsecbench.recommend.requirements.records import Requirements, parse_rate

MakeDataset = Callable[..., Dataset]


@pytest.fixture
def stored(make_dataset: MakeDataset, tmp_path: Path) -> Path:
    path = tmp_path / "box.ipsecbench.json"
    write_dataset(path, make_dataset(label="edge"))
    return path


def run(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["recommend", *map(str, arguments)])
    if isinstance(result.exception, IpsecbenchError):
        return result.exception.exit_code, str(result.exception)
    return result.exit_code, result.output


CASES: list[dict[str, Any]] = [
    {},
    {"box": "mips-no-aes"},
    {"half_width": 0.07, "mixes": (), "ended": "interrupted", "settings": {"mask": ["aes"]}},
    {"python_only": True},
    {"stack": {"ikev2:aes256gcm16-prfsha384-x25519-ke1_mlkem1024:ecdsa-521": 12345.0}},
    {"failed": ["aes128gcm16"], "label": "a very long label " * 12},
    {"warnings": tuple(RunWarning(f"w{n}", "something is wrong with this run " * 9) for n in range(20))},
]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("policy", ["modern", "legacy-interop"])
@pytest.mark.parametrize("goal", [None, "20M", "900G"])
def test_the_screen_fits_and_says_the_answer_first(
    make_dataset: MakeDataset, case: dict[str, Any], policy: str, goal: str | None
) -> None:
    wanted = None if goal is None else parse_rate(goal)
    requirements = Requirements(goal_mbit_per_second=wanted, nat_traversal=True)
    found = recommend(make_dataset(**case), load_policy(policy), requirements)
    lines = render_recommendation(found).splitlines()
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 100
    assert found.phase1.proposal in lines[2]
    assert found.phase2.proposal in lines[3]
    text = "\n".join(lines)
    assert f"inner MTU {found.phase2.inner_mtu_bytes}" in text
    assert found.evidence.tier in text
    assert "[90%]" in text
    assert f"data plane: {found.phase2.candidate.headline.fixed.plane}" in " ".join(text.split())


def test_a_failed_check_is_on_the_screen(make_dataset: MakeDataset) -> None:
    found = recommend(make_dataset(failed=["aes128gcm16"]), load_policy("modern"))
    assert "aes128gcm16: FAILED ITS CHECK" in render_recommendation(found)


def test_the_command_prints_what_the_function_says(stored: Path, make_dataset: MakeDataset) -> None:
    code, output = run(stored)
    assert code == 0
    assert "USE      phase 1  IKEv2  aes128gcm16-prfsha256-ecp256  auth ecdsa-256" in output
    code, output = run(stored, "--json")
    assert code == 0
    expected = recommend(make_dataset(label="edge"), load_policy("modern")).to_dict()
    found = json.loads(output)
    assert found["dataset_sha256"] is not None
    assert {**{key: found[key] for key in expected}, "dataset_sha256": None} == {**expected, "dataset_sha256": None}


def test_options_reach_the_requirements(stored: Path) -> None:
    code, output = run(
        stored, "--policy", "legacy-interop", "--goal", "500M", "--min-bits", "192", "--profile", "1000",
        "--mtu", "1492", "--nat-t", "--outer", "ipv6", "--auth", "ed448", "--tunnels", "3", "--json",
    )  # fmt: skip
    assert code == 0
    found = json.loads(output)
    assert found["policy"] == "legacy-interop"
    assert found["requirements"] == {
        "goal_mbit_per_second": 500.0,
        "traffic": {"size_bytes": 1000, "mix": None, "distribution": None, "name": None},
        "min_strength_bits": 192,
        "link_mtu_bytes": 1492,
        "nat_traversal": True,
        "outer": "ipv6",
        "authentication": "ed448",
        "tunnels": 3,
        "peer": None,
        "sas_per_tunnel": 1,
        "cores": None,
        "outbound_share": None,
        "mode": "tunnel",
        "inner": "ipv4",
        "ike_version": None,
        "objective": "balanced",
        "round_trip_ms": 20.0,
        "reordering_ms": 0.0,
        "certificate_chain": 1,
    }


def test_a_goal_that_is_not_sure_to_be_met_exits_with_3_and_still_answers(stored: Path) -> None:
    code, output = run(stored, "--goal", "900G")
    assert code == 3
    assert "does not meet the goal" in output
    assert "USE      phase 1" in output


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["--policy", "moderm"], 2, "moderm"),
        (["--goal", "fast"], 2, "goal"),
        (["--profile", "0"], 2, "profile"),
        (["--mtu", "0"], 2, "MTU"),
        (["--min-bits", "0"], 2, "strength"),
        (["--goal", "0"], 2, "goal"),
        (["--auth", "xauth"], 2, "authentication"),
        (["--auth", "rsa-2048"], 3, "below 128 bits"),
    ],
)
def test_bad_input_is_one_line_with_its_exit_code(stored: Path, arguments: list[str], code: int, word: str) -> None:
    found, message = run(stored, *arguments)
    assert found == code
    assert word in message
    assert "\n" not in message.strip()


def test_a_missing_dataset_is_an_error(tmp_path: Path) -> None:
    code, message = run(tmp_path / "none.json")
    assert code == 1
    assert "none.json" in message


def test_without_a_goal_every_recommendation_counts_as_met(make_dataset: MakeDataset) -> None:
    assert goal_met(recommend(make_dataset(), load_policy("modern")))
    assert make_dataset(failed=["aes128gcm16"]).measurements[-1].status is Status.FAILED
