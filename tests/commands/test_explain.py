"""``ipsecbench explain``: screens, JSON, exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
"""The fixture of conftest.py."""

EXAMPLE = str(Path(__file__).resolve().parents[2] / "datasets" / "example.ipsecbench.json")


def test_a_name_with_and_without_a_dataset(ipsecbench: Run) -> None:
    alone = ipsecbench("explain", "group2")
    assert alone.code == 0
    assert alone.out.startswith("modp1024: 1024-bit MODP, group 2")
    with_box = ipsecbench("explain", "group2", EXAMPLE)
    assert with_box.code == 0
    assert "On this box: example" in with_box.out
    assert with_box.out == ipsecbench("explain", "group2", EXAMPLE).out


def test_json_of_a_name_and_of_claims(ipsecbench: Run) -> None:
    said = json.loads(ipsecbench("explain", "sha1", EXAMPLE, "--json").out)
    assert said["name"] == "sha1"
    assert len({one["policy"] for one in said["standings"]}) == 9
    assert said["costs"][0]["unit"] == "Mbit/s"
    claims = json.loads(ipsecbench("explain", "--claims", EXAMPLE, "--json").out)
    assert claims["box"].startswith("example")
    verdicts = {claim["name"]: claim["verdict"] for claim in claims["claims"]}
    # Whatever is measured again: 3DES is many times slower than AES on a processor with AES instructions, and P-521
    # has faster code than P-384 in that libcrypto.
    assert verdicts["3des-beats-aes"] == "does not hold"
    assert verdicts["group-2-is-fine"] == "does not hold"
    one = json.loads(ipsecbench("explain", "disable PFS for speed", EXAMPLE, "--json").out)
    assert one["name"] == "disable-pfs"


def test_claims_without_a_dataset(ipsecbench: Run) -> None:
    done = ipsecbench("explain", "--claims")
    assert done.code == 0
    assert "CANNOT BE TOLD FROM THIS DATASET" in done.out
    assert ipsecbench("explain", "--list").code == 0


@pytest.mark.parametrize("arguments", [("aes256", "no.json"), ("--claims", "no.json"), ("group 2 is fine", "no.json")])
def test_a_dataset_that_is_not_there_is_an_error_as_everywhere(ipsecbench: Run, arguments: tuple[str, ...]) -> None:
    assert "no.json" in ipsecbench("explain", *arguments).one_line_error(1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("blowfsh",), "blowfish"),
        (("",), "give a name"),
        ((), "give a name"),
        ((EXAMPLE,), "--claims"),
        (("aes256", EXAMPLE, "--claims"), "--claims takes a dataset"),
        (("a" * 5000,), "200 characters"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(ipsecbench: Run, arguments: tuple[str, ...], words: str) -> None:
    done = ipsecbench("explain", *arguments)
    assert done.code == 2
    assert words in done.err
    assert len(done.err.strip().splitlines()) == 1
