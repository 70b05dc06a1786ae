"""What a peer or a careless caller may send in place of a key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.agent

Reader = Callable[[str], Any]

SUBGROUPS = {"modp1024s160": "22", "modp2048s224": "23", "modp2048s256": "24"}


@pytest.mark.parametrize(("group", "number"), [("modp768", "1"), ("modp2048", "14"), ("modp4096", "16")])
def test_modp_values_outside_the_range_are_rejected(agent: Any, rfc: Reader, group: str, number: str) -> None:
    p = int(rfc("modp_primes.json")["groups"][number]["p"], 16)
    size = p.bit_length() // 8
    for value in (0, 1, p - 1, p, p + 1, 2 ** (8 * size) - 1):
        code = agent.error("agree", group, private="11" * 32, peer_public=value.to_bytes(size, "big"))
        assert code == "rejected", value
    assert len(agent.compute("agree", group, private="11" * 32, peer_public=(4).to_bytes(size, "big"))) == size


@pytest.mark.parametrize("group", SUBGROUPS)
def test_values_of_small_order_are_rejected(agent: Any, rfc: Reader, group: str) -> None:
    domain = rfc("rfc5114_modp_subgroup.json")["domain"][SUBGROUPS[group]]
    p, q = int(domain["p"], 16), int(domain["q"], 16)
    size = p.bit_length() // 8
    cofactor = (p - 1) // q
    order = next(small for small in range(2, 1000) if cofactor % small == 0)
    values = {pow(base, (p - 1) // order, p) for base in range(2, 12)} | {p - 4}
    assert len(values) > 1
    for value in sorted(values)[:5]:
        assert agent.error("agree", group, private="05" * 20, peer_public=value.to_bytes(size, "big")) == "rejected"


@pytest.mark.parametrize(
    ("group", "size"), [("modp1024", 128), ("ecp256", 64), ("ecp521", 132), ("x25519", 32), ("x448", 56)]
)
def test_values_of_another_length_are_rejected(agent: Any, group: str, size: int) -> None:
    private = "07" * (56 if group == "x448" else 32)
    for length in (0, 1, size - 1, size + 1, 2 * size, 5000):
        assert agent.error("agree", group, private=private, peer_public=bytes(length)) == "rejected", length


def test_points_off_the_curve_are_rejected(agent: Any, rfc: Reader) -> None:
    v = rfc("rfc5903_ecp.json")["vectors"][0]
    good = bytes.fromhex(v["grx"] + v["gry"])
    p = 2**256 - 2**224 + 2**192 + 2**96 - 1
    x, y = good[:32], int.from_bytes(good[32:], "big")
    bad = [bytes(64), x + bytes(32), bytes(32) + good[32:], good[:-1] + bytes([good[-1] ^ 1]), b"\xff" * 64]
    bad.append(x + (p - y + 1).to_bytes(32, "big"))
    for value in bad:
        assert agent.error("agree", "ecp256", private=v["i"], peer_public=value) == "rejected"
    mirrored = agent.compute("agree", "ecp256", private=v["i"], peer_public=x + (p - y).to_bytes(32, "big"))
    assert mirrored.hex() == v["girx"]  # the other point with this x has the same x after multiplication


def test_a_point_of_another_curve_is_rejected(agent: Any, rfc: Reader) -> None:
    brainpool = next(v for v in rfc("rfc6932_brainpool_ecdh.json")["vectors"] if v["ike_group"] == 28)
    public = brainpool["x_qB"] + brainpool["y_qB"]
    assert agent.error("agree", "ecp256", private=brainpool["dA"], peer_public=public) == "rejected"


@pytest.mark.parametrize("group", ["modp2048", "ecp256", "x25519"])
def test_private_keys_out_of_range_are_refused(agent: Any, group: str) -> None:
    size = {"modp2048": 256, "ecp256": 64, "x25519": 32}[group]
    bad = ["", "00" * 2000] if group != "x25519" else ["", "07" * 31, "07" * 33]
    bad += ["00", "ff" * 300] if group != "x25519" else []
    for private in bad:
        code = agent.error("agree", group, private=private, peer_public=bytes(size - 1) + b"\x04")
        assert code in {"usage", "rejected"}, private[:8]
        assert code == "usage"


def test_missing_and_senseless_fields_are_named(agent: Any) -> None:
    assert agent.error("agree", "ecp256", private="01") == "usage"
    assert agent.error("agree", "ecp256", peer_public="00" * 64) == "usage"
    assert agent.error("agree", "no-such-group", private="01", peer_public="00") in {"usage", "unsupported"}
    answer = agent.speed("agree", "x25519", exponent_bits=256)
    assert answer["code"] == "usage"
    assert "exponent_bits" in answer["message"]
    answer = agent.speed("agree", "x25519", size_bytes=64)
    assert answer["code"] == "usage"
    assert "size_bytes" in answer["message"]
    for bits in (1, 63, 2048, 16384):
        assert agent.speed("generate", "modp2048", exponent_bits=bits)["code"] == "usage"


def test_an_operation_of_another_algorithm_is_refused(agent: Any) -> None:
    for operation in ("encrypt", "sign", "encapsulate"):
        assert agent.speed(operation, "ecp256")["code"] in {"usage", "unsupported"}
    assert agent.speed("agree", "rsa-2048")["code"] in {"usage", "unsupported"}
