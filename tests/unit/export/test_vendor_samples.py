"""Whole files, reviewed by hand against the documentation: one combined mode, one CBC set, one IKEv1 set each.

After a change that is meant: ``GOLDEN=write pytest tests/unit/export/test_vendor_samples.py``, and read the difference.
"""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from ipsecbench.export.target import find_target
from tests.unit.export.vendor_matrix import AEAD, CBC, LEGACY, MIXED, VENDORS

GOLDEN = Path(__file__).parent / "golden"
SAMPLES = {"aead": AEAD, "aead-esp": MIXED, "cbc": CBC, "legacy": LEGACY}
"""Combined modes in both phases, or in ESP alone where the product has none in phase 1."""


def _samples() -> list[tuple[str, str]]:
    found = []
    for name in VENDORS:
        target = find_target(name)
        for kind, connection in SAMPLES.items():
            if kind == "aead-esp" and (name, "aead") in found:
                continue
            for method in ("psk", "rsa-2048"):
                sample = replace(connection, authentication=method)
                if not target.refusals(sample, target.versions[0], accept_legacy=True):
                    found.append((name, kind))
                    break
    return found


@pytest.mark.parametrize(("name", "kind"), _samples())
def test_a_reviewed_sample_is_written_as_it_was(name: str, kind: str) -> None:
    target = find_target(name)
    version = target.versions[0]
    connection = SAMPLES[kind]
    if target.refusals(connection, version, accept_legacy=True):
        connection = replace(connection, authentication="rsa-2048")
    files = target.files(connection, version, accept_legacy=True)
    text = "".join(f"==> {file.name} ({file.mode:o})\n{file.text}\n" for file in files)
    path = GOLDEN / f"{name}-{kind}.txt"
    if os.environ.get("GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert text == path.read_text()


def test_every_vendor_has_a_sample_of_each_kind_that_it_can_express() -> None:
    kinds = {name: {kind.split("-")[0] for found, kind in _samples() if found == name} for name in VENDORS}
    whole = {"aead", "cbc", "legacy"}
    without = {"ios-ikev1": {"aead", "cbc"}, "ios-xe": {"legacy"}, "windows-rras": {"legacy"}}
    without["windows-vpn-client"] = {"legacy"}
    assert kinds == {name: whole - without.get(name, set()) for name in VENDORS}
    assert {path.stem for path in GOLDEN.glob("*.txt")} == {f"{name}-{kind}" for name, kind in _samples()}
