"""The flags that several commands take: one list, one object, and a file that they win over."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from ipsecbench.cli.requirement_options import FLAGS, Wanted, wanted_of, with_requirements
from ipsecbench.errors import IpsecbenchError
from ipsecbench.recommend.peers.presets import load_peer
from ipsecbench.recommend.requirements.records import Objective, Requirements
from ipsecbench.recommend.requirements.requirement_file import KEYS, PEER, PEER_DATASET, POLICY, PROFILE
from ipsecbench.recommend.requirements.traffic import Traffic

app = typer.Typer()


@app.command()
@with_requirements
def command(
    dataset: Annotated[str, typer.Argument()],
    wanted: Wanted,
    cores: Annotated[str, typer.Option("--cores")] = "all",
) -> None:
    """Say what arrives."""
    typer.echo(json.dumps([dataset, cores, wanted.policy, repr(wanted.requirements)]))


def run(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, [*map(str, arguments)])
    if isinstance(result.exception, IpsecbenchError):
        return result.exception.exit_code, str(result.exception)
    return result.exit_code, result.output


def arrived(*arguments: str | Path) -> list[str]:
    code, output = run("box", *arguments)
    assert code == 0, output
    found: list[str] = json.loads(output)
    return found


def test_without_flags_everything_is_the_default() -> None:
    assert arrived() == ["box", "all", "modern", repr(Requirements())]


def test_every_flag_reaches_its_field() -> None:
    found = arrived(
        "--policy", "mine", "--goal", "1.5G", "--min-bits", "192", "--profile", "64:7,570:4", "--direction", "70:30",
        "--tunnels", "40", "--sas-per-tunnel", "2", "--use-cores", "3", "--cores", "1", "--mode", "gre",
        "--outer", "ipv6", "--inner", "ipv6", "--mtu", "1492", "--nat-t", "--ike-version", "1", "--auth", "psk",
        "--objective", "latency", "--certificates", "3", "--rtt", "80.5", "--reordering", "5",
        "--peer", "aes256-sha256-modp2048/",
    )  # fmt: skip
    expected = Requirements(
        goal_mbit_per_second=1500.0, traffic=Traffic(distribution=((64, 7.0), (570, 4.0))), min_strength_bits=192,
        link_mtu_bytes=1492, nat_traversal=True, outer="ipv6", authentication="psk", tunnels=40, sas_per_tunnel=2,
        cores=3, outbound_share=0.7, mode="gre", inner="ipv6", ike_version=1, objective=Objective.LATENCY,
        certificate_chain=3, round_trip_ms=80.5, reordering_ms=5.0, peer=load_peer("aes256-sha256-modp2048/"),
    )  # fmt: skip
    assert found == ["box", "1", "mine", repr(expected)]


def test_a_key_of_the_file_is_a_flag_and_the_reverse() -> None:
    assert {*KEYS, POLICY, PROFILE, PEER, PEER_DATASET} == set(FLAGS) - {"requirements"}


def test_every_requirement_can_be_stated() -> None:
    assert {key.field for key in KEYS.values()} | {"traffic", "peer"} == {field.name for field in fields(Requirements)}


def test_a_flag_wins_over_the_file(tmp_path: Path) -> None:
    path = tmp_path / "need.toml"
    path.write_text('policy = "nist"\ngoal = "2G"\nnat-t = true\ndirection = "70:30"\n', encoding="utf-8")
    wanted = Requirements(goal_mbit_per_second=2000.0, nat_traversal=True, outbound_share=0.7)
    assert arrived("--requirements", path)[2:] == ["nist", repr(wanted)]
    flags = ("--goal", "1G", "--no-nat-t", "--direction", "each", "--policy", "x")
    assert arrived("--requirements", path, *flags)[2:] == [
        "x", repr(Requirements(goal_mbit_per_second=1000.0)),
    ]  # fmt: skip


def test_the_other_ends_dataset_is_found_beside_the_file(tmp_path: Path) -> None:
    path = tmp_path / "need.toml"
    path.write_text('peer-dataset = "there.json"\n', encoding="utf-8")
    assert wanted_of({"requirements": path}).peer_dataset == tmp_path / "there.json"
    other = Path("elsewhere.json")
    assert wanted_of({"requirements": path, "peer-dataset": other}).peer_dataset == other
    with pytest.raises(IpsecbenchError, match=r"there\.json"):
        wanted_of({"requirements": path}).prepared()
    with pytest.raises(IpsecbenchError, match="moderm"):
        wanted_of({"policy": "moderm"}).prepared()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--direction", "70"], ("direction", "70:30")),
        (["--direction", "0:0"], ("direction",)),
        (["--direction", "nan:1"], ("direction",)),
        (["--objective", "speed"], ("objective", "balanced")),
        (["--mode", "bridge"], ("mode", "tunnel")),
        (["--profile", "64:x"], ("profile", "64:7")),
        (["--profile", "64:0"], ("profile", "positive")),
        (["--profile", "9:1"], ("profile", "20")),
        (["--use-cores", "0"], ("cores",)),
        (["--ike-version", "3"], ("IKE version",)),
        (["--requirements", "/nowhere/need.toml"], ("/nowhere/need.toml", "No such file")),
    ],
)
def test_nonsense_is_one_line(arguments: list[str], words: tuple[str, ...]) -> None:
    code, message = run("box", *arguments)
    assert code == 2
    assert "\n" not in message.strip()
    for word in words:
        assert word in message


def test_the_help_shows_the_flags_where_the_parameter_stood() -> None:
    code, output = run("--help")
    assert code == 0
    assert output.index("--requirements") < output.index("--objective") < output.index("--cores")


def test_what_is_wanted_can_be_had_without_a_command() -> None:
    assert wanted_of({}) == Wanted("modern", Requirements())
    assert wanted_of({"mtu": 1400}).requirements.link_mtu_bytes == 1400
