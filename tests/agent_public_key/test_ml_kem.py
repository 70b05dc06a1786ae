"""ML-KEM against Wycheproof, where libcrypto has it (OpenSSL 3.5 and later)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

pytestmark = pytest.mark.agent

SIZES = {"mlkem512": (800, 768), "mlkem768": (1184, 1088), "mlkem1024": (1568, 1568)}


@pytest.mark.parametrize("name", SIZES)
def test_wycheproof_decapsulation(
    agent: Any, wycheproof: Callable[[str], Any], unless_offered: Callable[[str], None], name: str
) -> None:
    unless_offered(name)
    for number, private, ciphertext, secret, result in wycheproof("ml_kem.json")[name]:
        if result == "valid":
            assert agent.compute("decapsulate", name, private=private, input=ciphertext).hex() == secret, number
        else:
            assert agent.error("decapsulate", name, private=private, input=ciphertext) in {"rejected", "usage"}, number


@pytest.mark.parametrize("name", SIZES)
def test_hostile_inputs(
    agent: Any, wycheproof: Callable[[str], Any], unless_offered: Callable[[str], None], name: str
) -> None:
    unless_offered(name)
    _, private, ciphertext, secret, _ = next(row for row in wycheproof("ml_kem.json")[name] if row[4] == "valid")
    for length in (0, 1, SIZES[name][1] - 1, SIZES[name][1] + 1):
        assert agent.error("decapsulate", name, private=private, input=bytes(length)) == "rejected"
    for wrong in ("", "00", private[:-2], private + "00"):
        assert agent.error("decapsulate", name, private=wrong, input=ciphertext) == "usage"
    changed = ("ff" if ciphertext[:2] != "ff" else "00") + ciphertext[2:]
    assert agent.compute("decapsulate", name, private=private, input=changed).hex() != secret
    assert agent.error("encapsulate", name, private=private) == "usage"


@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize("operation", ["generate", "encapsulate", "decapsulate"])
def test_samples(agent: Any, unless_offered: Callable[[str], None], name: str, operation: str) -> None:
    unless_offered(name)
    answer = agent.speed(operation, name)
    assert answer["type"] == "sample"
    assert answer["detail"] == {"public_bytes": SIZES[name][0], "ciphertext_bytes": SIZES[name][1]}


def test_a_library_without_it_says_since_when_it_exists(
    agent: Any, rows: Mapping[tuple[str, str, str], Mapping[str, Any]]
) -> None:
    row = rows["libcrypto", "primitive", "mlkem768"]
    if row["operations"]:
        pytest.skip("this libcrypto has ML-KEM")
    assert "3.5" in row["reason"]
    answer = agent.speed("generate", "mlkem768")
    assert answer["code"] == "unsupported"
    assert "3.5" in answer["message"]
