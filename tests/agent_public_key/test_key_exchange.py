"""Key exchange against published values, Wycheproof, Python's integers and pyca/cryptography."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, x448, x25519

pytestmark = pytest.mark.agent

MODP = {"modp768": "1", "modp1024": "2", "modp1536": "5", "modp2048": "14", "modp3072": "15", "modp4096": "16"}
LARGE_MODP = {"modp6144": "17", "modp8192": "18"}
SUBGROUPS = {"modp1024s160": "22", "modp2048s224": "23", "modp2048s256": "24"}
CURVES: dict[str, ec.EllipticCurve] = {
    "ecp192": ec.SECP192R1(),
    "ecp224": ec.SECP224R1(),
    "ecp256": ec.SECP256R1(),
    "ecp384": ec.SECP384R1(),
    "ecp521": ec.SECP521R1(),
    "ecp256bp": ec.BrainpoolP256R1(),
    "ecp384bp": ec.BrainpoolP384R1(),
    "ecp512bp": ec.BrainpoolP512R1(),
}
ECP_NUMBERS = {19: "ecp256", 20: "ecp384", 21: "ecp521", 25: "ecp192", 26: "ecp224"}
BRAINPOOL_NUMBERS = {27: "ecp224bp", 28: "ecp256bp", 29: "ecp384bp", 30: "ecp512bp"}

Reader = Callable[[str], Any]


def check_pair(agent: Any, group: str, one: str, other: str, public: tuple[str, str], secret: str) -> None:
    """Both sides' public values and both ways to the secret."""
    for private, own, peer in ((one, public[0], public[1]), (other, public[1], public[0])):
        assert agent.compute("generate", group, private=private).hex() == own
        assert agent.compute("agree", group, private=private, peer_public=peer).hex() == secret


def test_ecp_groups_give_the_values_of_rfc_5903(agent: Any, rfc: Reader) -> None:
    for v in rfc("rfc5903_ecp.json")["vectors"]:
        public = v["gix"] + v["giy"], v["grx"] + v["gry"]
        check_pair(agent, ECP_NUMBERS[v["group"]], v["i"], v["r"], public, v["girx"])


def test_subgroup_and_ecp_groups_give_the_values_of_rfc_5114(agent: Any, rfc: Reader) -> None:
    numbers = {int(number): name for name, number in SUBGROUPS.items()}
    checked = set()
    for v in rfc("rfc5114_modp_subgroup.json")["vectors"]:
        if "yA" in v:
            name = numbers[v["group"]]
            width = 256 if name == "modp1024s160" else 512
            one, other, secret = (v[field].rjust(width, "0") for field in ("yA", "yB", "Z"))
            check_pair(agent, name, v["xA"], v["xB"], (one, other), secret)
        else:
            name = ECP_NUMBERS[v["ike_group"]]
            check_pair(agent, name, v["dA"], v["dB"], (v["x_qA"] + v["y_qA"], v["x_qB"] + v["y_qB"]), v["x_Z"])
        checked.add(name)
    assert checked == {*SUBGROUPS, *ECP_NUMBERS.values()}


def test_brainpool_groups_give_the_values_of_rfc_6932(agent: Any, rfc: Reader) -> None:
    for v in rfc("rfc6932_brainpool_ecdh.json")["vectors"]:
        name = BRAINPOOL_NUMBERS[v["ike_group"]]
        check_pair(agent, name, v["dA"], v["dB"], (v["x_qA"] + v["y_qA"], v["x_qB"] + v["y_qB"]), v["x_Z"])


def test_curve25519_and_curve448_give_the_values_of_rfc_7748_and_rfc_8031(agent: Any, rfc: Reader) -> None:
    values = rfc("rfc7748_x25519_x448.json")
    for v in values["function"]:
        result = agent.compute("agree", v["fn"].lower(), private=v["scalar"], peer_public=v["u"])
        assert result.hex() == v["out"]
    for v in values["dh"]:
        public = v["alice_pub"], v["bob_pub"]
        check_pair(agent, v["fn"].lower(), v["alice_priv"], v["bob_priv"], public, v["shared"])
    for v in rfc("rfc8031_curve25519.json")["vectors"]:
        check_pair(agent, "x25519", v["d_i_raw"], v["d_r_raw"], (v["pub_i"], v["pub_r"]), v["shared"])


@pytest.mark.parametrize("group", [*MODP, *LARGE_MODP])
def test_safe_primes_agree_with_python_integers(agent: Any, rfc: Reader, group: str) -> None:
    p = int(rfc("modp_primes.json")["groups"][(MODP | LARGE_MODP)[group]]["p"], 16)
    size = p.bit_length() // 8
    source = random.Random(group)
    for _ in range(1 if group in LARGE_MODP else 3):
        private = source.getrandbits(256) | 1
        peer = pow(source.randrange(2, p - 1), 2, p)  # a square: 3.0 wants the value in the subgroup
        octets = private.to_bytes(32, "big")
        assert agent.compute("generate", group, private=octets) == pow(2, private, p).to_bytes(size, "big")
        secret = agent.compute("agree", group, private=octets, peer_public=peer.to_bytes(size, "big"))
        assert secret == pow(peer, private, p).to_bytes(size, "big")


@pytest.mark.parametrize("group", ["modp768", "modp2048", "modp1024s160", "modp2048s256"])
def test_leading_zeros_of_a_secret_are_kept(agent: Any, rfc: Reader, group: str) -> None:
    if group in SUBGROUPS:
        domain = rfc("rfc5114_modp_subgroup.json")["domain"][SUBGROUPS[group]]
        p, g = int(domain["p"], 16), int(domain["g"], 16)
    else:
        p, g = int(rfc("modp_primes.json")["groups"][MODP[group]]["p"], 16), 4
    size = p.bit_length() // 8
    peer = pow(g, 12345, p)
    private = next(x for x in range(2, 10000) if pow(peer, x, p) >> (8 * size - 8) == 0)
    secret = agent.compute("agree", group, private=private.to_bytes(2, "big"), peer_public=peer.to_bytes(size, "big"))
    assert secret[0] == 0
    assert secret == pow(peer, private, p).to_bytes(size, "big")


@pytest.mark.parametrize("group", CURVES)
def test_curves_agree_with_pyca(agent: Any, unless_offered: Callable[[str], None], group: str) -> None:
    unless_offered(group)
    curve = CURVES[group]
    size = (curve.key_size + 7) // 8
    try:
        keys = [ec.generate_private_key(curve) for _ in range(4)]
    except Exception as error:  # the wheel's OpenSSL may lack a curve that the box's has
        pytest.skip(f"cryptography has no {curve.name}: {error}")
    for own, peer in zip(keys[::2], keys[1::2], strict=True):
        private = own.private_numbers().private_value.to_bytes(size, "big")
        numbers = peer.public_key().public_numbers()
        public = numbers.x.to_bytes(size, "big") + numbers.y.to_bytes(size, "big")
        secret = agent.compute("agree", group, private=private, peer_public=public)
        assert secret == own.exchange(ec.ECDH(), peer.public_key())


def test_montgomery_curves_agree_with_pyca(agent: Any) -> None:
    for _ in range(5):
        own, peer = x25519.X25519PrivateKey.generate(), x25519.X25519PrivateKey.generate()
        public = peer.public_key().public_bytes_raw()
        secret = agent.compute("agree", "x25519", private=own.private_bytes_raw(), peer_public=public)
        assert secret == own.exchange(peer.public_key())
        own4, peer4 = x448.X448PrivateKey.generate(), x448.X448PrivateKey.generate()
        public = peer4.public_key().public_bytes_raw()
        secret = agent.compute("agree", "x448", private=own4.private_bytes_raw(), peer_public=public)
        assert secret == own4.exchange(peer4.public_key())


@pytest.mark.parametrize("group", ["ecp224", "ecp256", "ecp384", "ecp521", "ecp256bp", "ecp384bp", "ecp512bp"])
def test_wycheproof_ecdh(agent: Any, wycheproof: Reader, unless_offered: Callable[[str], None], group: str) -> None:
    unless_offered(group)
    valid = 0
    for number, private, public, shared, result in wycheproof("ecdh.json")[group]:
        fields = {"private": private, "peer_public": public}
        if result == "invalid":
            assert agent.error("agree", group, **fields) == "rejected", number
        else:
            assert agent.compute("agree", group, **fields).hex() == shared, number
            valid += 1
    assert valid > 100


@pytest.mark.parametrize("group", ["x25519", "x448"])
def test_wycheproof_xdh(agent: Any, wycheproof: Reader, group: str) -> None:
    zeros = 0
    for number, private, public, shared, result, is_zero in wycheproof("xdh.json")[group]:
        fields = {"private": private, "peer_public": public}
        if is_zero or result == "invalid":
            assert agent.error("agree", group, **fields) == "rejected", number
            zeros += is_zero
        else:
            assert agent.compute("agree", group, **fields).hex() == shared, number
    assert zeros > 3
