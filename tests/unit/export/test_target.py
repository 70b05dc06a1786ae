"""What every target has in common: it is found by name, says where its text comes from, and refuses line by line."""

import sys

import pytest

from ipsecbench.errors import RefusedError, UsageError
from ipsecbench.export.connection import EspAlgorithms, Provenance
from ipsecbench.export.target import Comment, all_targets, find_target, target_names
from tests.unit.export.connections import a_connection


def test_every_target_is_named_like_its_module_and_described() -> None:
    names = target_names()
    assert "swanctl" in names
    for name, target in zip(names, all_targets(), strict=True):
        assert target.name == name
        assert target.title
        assert target.versions
        assert target.proof_text


def test_one_target_is_found_without_the_others_being_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [name for name in sys.modules if name.startswith("ipsecbench.export.targets.")]:
        monkeypatch.delitem(sys.modules, module)
    assert find_target("swanctl").name == "swanctl"
    assert {name for name in sys.modules if name.startswith("ipsecbench.export.targets.")} == {
        "ipsecbench.export.targets.swanctl"
    }


def test_an_unknown_target_or_version_is_named_with_what_there_is() -> None:
    with pytest.raises(UsageError, match=r"no target 'openvpn'; there are .*swanctl"):
        find_target("openvpn")
    with pytest.raises(UsageError, match=r"no version '3'; there are 6\.0, 5\.9"):
        find_target("swanctl").version("3")


def test_a_longer_version_number_belongs_to_the_one_that_is_written_for() -> None:
    target = find_target("swanctl")
    assert target.version(None) == "6.0"
    assert target.version("5.9") == "5.9"
    assert target.version("5.9.14") == "5.9"


def test_a_refusal_has_every_reason() -> None:
    connection = a_connection(esp=EspAlgorithms("aes256", None, "ecp256"))
    with pytest.raises(RefusedError) as caught:
        find_target("swanctl").files(connection, "6.0")
    assert len(caught.value.reasons) == 2
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("box", ["a\nconnections {", "a\u2028b", "a\x85b", "caf\u00e9", "a --> b", "a */ b"])
def test_a_label_of_a_dataset_cannot_leave_its_comment(box: str) -> None:
    comment = Comment("<!-- ", " -->").lines(box)
    assert len(comment.splitlines()) == 1
    assert comment.isascii()
    assert comment.count("-->") == 1
    assert "*/" not in comment


@pytest.mark.parametrize("name", target_names())
def test_every_file_names_tool_policy_dataset_and_date(name: str) -> None:
    target = find_target(name)
    connection = a_connection(provenance=Provenance("9.8.7", "nist 1", "box", "cd" * 32, "2026-01-02T03:04:05+00:00"))
    for version in target.versions:
        if target.refusals(connection, version):
            continue
        for file in target.files(connection, version):
            joined = " ".join(file.text.split())
            for word in ("9.8.7", "nist 1", "cd" * 32, "2026-01-02T03:04:05+00:00"):
                assert word in joined, (file.name, word)
