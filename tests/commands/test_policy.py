"""``ipsecbench policy``: its screens, its JSON, its exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
"""The fixture of conftest.py."""

ARTICLE = "aes256-sha1-modp1024/aes128-md5"
GOOD = "aes128gcm16-prfsha256-x25519/aes128gcm16-x25519-esn"
CONFIGURATION = """\
connections {
  home {
    version = 2
    proposals = aes256gcm16-prfsha384-ecp384
    local { auth = ecdsa-384
    }
    remote { auth = ecdsa-384
    }
    children { net { esp_proposals = aes256gcm16-ecp384-esn
    } }
  }
}
"""


def test_list_and_show(ipsecbench: Run) -> None:
    listed = ipsecbench("policy", "list")
    assert listed.code == 0
    names = [line.split()[0] for line in listed.out.splitlines()]
    assert names[0] == "modern"
    assert {"nist", "cnsa1", "cnsa2", "bsi", "anssi", "post-quantum", "legacy-interop", "article"} <= set(names)
    assert [each["name"] for each in json.loads(ipsecbench("policy", "list", "--json").out)] == names
    shown = ipsecbench("policy", "show", "nist")
    assert shown.code == 0
    assert shown.out.startswith("nist ")
    data = json.loads(ipsecbench("policy", "show", "nist", "--json").out)
    assert {line["name"] for line in data["lines"]["key-exchange"]} >= {"modp2048", "ecp256", "ecp384"}
    assert all(line["reason"] and line["sources"] for lines in data["lines"].values() for line in lines)


def test_what_fails_exits_with_3_and_says_why_and_what_to_change(ipsecbench: Run) -> None:
    outcome = ipsecbench("policy", "check", ARTICLE)
    assert outcome.code == 3
    for said in ("[fail] key exchange: modp1024 (80 bits; SHOULD NOT)", "[logjam, rfc8247]", "ESP suite: aes128-md5",
                 "[warn] PRF: prfsha1", "no perfect forward secrecy", "VERDICT  FAIL", f"PASSES   {GOOD}",
                 "rfc8221: RFC 8221 ESP/AH algorithm requirements"):  # fmt: skip
        assert said in outcome.out, said
    assert max(len(line) for line in outcome.out.splitlines()) <= 100


def test_what_passes_exits_with_0_and_warnings_fail_only_if_strict(ipsecbench: Run) -> None:
    assert ipsecbench("policy", "check", GOOD, "--strict").code == 0
    assert ipsecbench("policy", "check", "aes128-sha256-x25519/aes128-sha256-x25519").code == 0
    assert ipsecbench("policy", "check", "aes128-sha256-x25519/aes128-sha256-x25519", "--strict").code == 3


def test_files_and_standard_input(ipsecbench: Run, tmp_path: Path) -> None:
    path = tmp_path / "swanctl.conf"
    path.write_text(CONFIGURATION)
    outcome = ipsecbench("policy", "check", "swanctl.conf", "--policy", "cnsa1")
    assert (outcome.code, "strongSwan's swanctl.conf · policy cnsa1" in outcome.out) == (0, True), outcome.out
    piped = ipsecbench("policy", "check", "-", prefix=("sh", "-c", f'cat {path} | exec "$0" "$@"'))
    assert (piped.code, piped.out.startswith("standard input: strongSwan's swanctl.conf")) == (0, True)
    path.write_text(CONFIGURATION.replace("ecp384-esn", "ecp384-esn, aes512-sha1"))
    said = ipsecbench("policy", "check", "swanctl.conf").one_line_error(2)
    assert said.startswith("ipsecbench: swanctl.conf: line 9: esp_proposals: proposal 'aes512-sha1': 'aes512'")


def test_json_has_the_documented_fields(ipsecbench: Run) -> None:
    outcome = ipsecbench("policy", "check", ARTICLE, "--json")
    assert outcome.code == 3
    data = json.loads(outcome.out)
    assert set(data) == {"input", "policy", "format", "grade", "connections", "notes", "passes"}
    assert (data["grade"], data["format"], data["input"]) == ("fail", "proposals", ARTICLE)
    (connection,) = data["connections"]
    assert connection["strength_bits"] == 80
    assert connection["changes"]
    failed = {finding["subject"] for finding in connection["findings"] if finding["grade"] == "fail"}
    assert failed == {"modp1024", "aes128-md5"}
    assert all(finding["reasons"] for finding in connection["findings"])
    documented = (Path(__file__).parents[2] / "docs" / "policy-check.md").read_text(encoding="utf-8")
    for name in {*data, *connection, *connection["findings"][0]}:
        assert f"`{name}`" in documented, name


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("check", "nonsense"), "no transform known here"),
        (("check", "no/such/file.conf"), "is no file, and as a proposal it cannot be read"),
        (("check", "."), "it cannot be read"),
        (("check", GOOD, "--policy", "strictest"), "policy 'strictest' is not known"),
        (("check", GOOD, "--format", "cisco"), "--format: 'cisco'"),
        (("show", "strictest"), "policy 'strictest' is not known"),
    ],
)
def test_bad_input_is_one_line(ipsecbench: Run, arguments: tuple[str, ...], said: str) -> None:
    assert said in ipsecbench("policy", *arguments).one_line_error(2)


def test_a_reader_that_stops_early_is_no_error(ipsecbench: Run) -> None:
    done = ipsecbench("policy", "show", "modern", prefix=("sh", "-c", '"$0" "$@" | head -1'))
    assert done.code == 0
    assert "Traceback" not in done.err


def test_a_check_does_not_wait_for_numpy() -> None:
    """It is run for every commit of a configuration."""
    code = "import sys; sys.argv=['x','policy','check','" + GOOD + "']\n" \
        "from ipsecbench.cli.app import app\n" \
        "try:\n    app()\nexcept SystemExit:\n    pass\n" \
        "assert not {'numpy', 'pandas'} & set(sys.modules)"  # fmt: skip
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, env={**os.environ})
