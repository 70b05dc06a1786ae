"""Both libraries give what the RFCs, NIST and the designers of the ciphers published."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ipsecbench.providers.interface import Provider
from ipsecbench.providers.modp_groups import modp_group

Vectors = Callable[[str], Any]
Offered = Callable[[Callable[[], Any]], Any]
h = bytes.fromhex


def _check_mac(
    provider: Provider, name: str, key: bytes, message: bytes, full: bytes, icv: bytes | None = None
) -> None:
    mac = provider.mac(name, key)
    assert mac.authenticate(message) == full
    assert provider.prf(f"prf{name}", key).compute(message) == full
    if icv is not None:
        assert len(icv) == mac.icv_bytes
        mac.verify(message, icv)


def test_rfc2202(provider: Provider, vectors: Vectors) -> None:
    for v in vectors("rfc/rfc2202_hmac_md5_sha1.json")["vectors"]:
        name = v["alg"].removeprefix("hmac-")
        icv = h(v["digest_96"]) if "digest_96" in v else None
        _check_mac(provider, name, h(v["key"]), h(v["data"]), h(v["digest"]), icv)


def test_rfc4231(provider: Provider, vectors: Vectors) -> None:
    for v in vectors("rfc/rfc4231_hmac_sha2.json")["vectors"]:
        for bits in (256, 384, 512):
            full = h(v[f"HMAC-SHA-{bits}"])
            mac = provider.mac(f"sha{bits}", h(v["Key"]))
            # Case 5 is printed truncated to 128 bits.
            assert mac.authenticate(h(v["Data"]))[: len(full)] == full


def test_rfc4868(provider: Provider, vectors: Vectors) -> None:
    truncated = {256: "HMAC-SHA-256-128", 384: "HMAC-SHA-384-192", 512: "HMAC-SHA-512-256"}
    for v in vectors("rfc/rfc4868_hmac_sha2_prf_auth.json")["vectors"]:
        key = h(v.get("Key_corrected", v["Key"]))
        for bits, name in truncated.items():
            if f"PRF-HMAC-SHA-{bits}" in v:
                full = h(v[f"PRF-HMAC-SHA-{bits}"])
                icv = h(v[name]) if name in v else None
                _check_mac(provider, f"sha{bits}", key, h(v["Data"]), full, icv)


def test_rfc3566(provider: Provider, vectors: Vectors) -> None:
    for v in vectors("rfc/rfc3566_aes_xcbc_mac96.json")["vectors"]:
        _check_mac(provider, "aesxcbc", h(v["key"]), h(v["msg"]), h(v["mac"]), h(v["mac96"]))


def test_rfc4493_and_4494(provider: Provider, vectors: Vectors) -> None:
    for v in vectors("rfc/rfc4493_4494_aes_cmac.json")["vectors"]:
        _check_mac(provider, "aescmac", h(v["key"]), h(v["msg"]), h(v["mac"]), h(v["mac96_rfc4494"]))


@pytest.mark.parametrize(
    ("path", "name"),
    [("rfc/rfc4434_aes_xcbc_prf128.json", "prfaesxcbc"), ("rfc/rfc4615_aes_cmac_prf128.json", "prfaescmac")],
)
def test_prfs_over_aes_take_keys_of_any_length(provider: Provider, vectors: Vectors, path: str, name: str) -> None:
    rows = vectors(path)["vectors"]
    assert {len(v["key"]) // 2 for v in rows} == {10, 16, 18}
    for v in rows:
        assert provider.prf(name, h(v["key"])).compute(h(v["msg"])) == h(v["prf"])


def test_prf_plus_against_nist(provider: Provider, vectors: Vectors) -> None:
    seen = set()
    for v in vectors("nist/cavs_ikev2.subset.json"):
        name = "prf" + v["group"]["hash"].replace("-", "").lower()
        if name not in ("prfsha1", "prfsha256", "prfsha384", "prfsha512"):
            continue
        seen.add(name)
        nonces, wanted = h(v["Ni"]) + h(v["Nr"]), h(v["DKM"])
        skeyseed = provider.prf(name, nonces).compute(h(v["g^ir"]))
        assert skeyseed == h(v["SKEYSEED"])
        keymat = provider.prf(name, skeyseed).expand(nonces + h(v["SPIi"]) + h(v["SPIr"]), len(wanted))
        assert keymat == wanted
    assert len(seen) == 4


def test_rfc3686(provider: Provider, vectors: Vectors) -> None:
    for v in vectors("rfc/rfc3686_aes_ctr.json")["vectors"]:
        cipher = provider.cipher(f"aes{len(v['key']) * 4}ctr", h(v["key"]))
        counter_block = h(v["nonce"]) + h(v["iv"]) + (1).to_bytes(4)
        assert cipher.encrypt(counter_block, h(v["plaintext"])) == h(v["ciphertext"])
        assert cipher.decrypt(counter_block, h(v["ciphertext"])) == h(v["plaintext"])


def test_rfc3602(provider: Provider, vectors: Vectors) -> None:
    for v in vectors("rfc/rfc3602_aes_cbc_esp.json")["vectors"]:
        cipher = provider.cipher("aes128", h(v["key"]))
        assert cipher.encrypt(h(v["iv"]), h(v["plaintext"])) == h(v["ciphertext"])


@pytest.mark.parametrize("path", ["nist/cavs_cbc_mmt.json", "other/cbc.json"])
def test_cbc_of_every_cipher(provider: Provider, vectors: Vectors, path: str) -> None:
    tried = 0
    for v in vectors(path)["vectors"]:
        if provider.name == "pycryptodome" and v["algorithm"].startswith("camellia"):
            continue
        cipher = provider.cipher(v["algorithm"], h(v["key"]))
        assert cipher.encrypt(h(v["iv"]), h(v["input"])) == h(v["output"])
        assert cipher.decrypt(h(v["iv"]), h(v["output"])) == h(v["input"])
        tried += 1
    assert tried >= 20


def test_mcgrew_esp_gcm(provider: Provider, vectors: Vectors) -> None:
    for v in vectors("rfc/mcgrew_gcm_test_01_esp.json")["vectors"]:
        sealed = h(v["ciphertext"]) + h(v["icv"])
        aead = provider.aead(f"aes{len(v['key']) * 4}gcm16", h(v["key"]))
        nonce = h(v["salt"]) + h(v["iv"])
        assert aead.seal(nonce, h(v["plaintext"]), h(v["aad"])) == sealed
        assert aead.open(nonce, sealed, h(v["aad"])) == h(v["plaintext"])


def test_rfc7634_esp(provider: Provider, vectors: Vectors) -> None:
    v = vectors("rfc/rfc7634_chacha20poly1305_esp_ike.json")["esp"]
    aead = provider.aead("chacha20poly1305", h(v["keymat"])[:32])
    assert aead.seal(h(v["nonce"]), h(v["plaintext"]), h(v["aad"])) == h(v["ciphertext"]) + h(v["tag"])


def test_modp_primes_are_those_of_the_rfcs(vectors: Vectors) -> None:
    for v in vectors("rfc/modp_primes.json")["groups"].values():
        assert modp_group(f"modp{v['bits']}").prime == int(v["p"], 16)


_RFC5114 = {22: "modp1024s160", 23: "modp2048s224", 24: "modp2048s256"}


def test_rfc5114_modp(provider: Provider, vectors: Vectors) -> None:
    for v in vectors("rfc/rfc5114_modp_subgroup.json")["vectors"]:
        if "group" not in v:
            continue
        method = provider.key_exchange(_RFC5114[v["group"]])
        one, other = method.load(h(v["xA"])), method.load(h(v["xB"]))
        assert (one.public, other.public) == (h(v["yA"]), h(v["yB"]))
        assert one.agree(other.public) == other.agree(one.public) == h(v["Z"])


_ECP = {19: "ecp256", 20: "ecp384", 21: "ecp521", 25: "ecp192", 26: "ecp224"}


def test_rfc5114_ecp(provider: Provider, vectors: Vectors) -> None:
    for v in vectors("rfc/rfc5114_modp_subgroup.json")["vectors"]:
        if "ike_group" not in v:
            continue
        method = provider.key_exchange(_ECP[v["ike_group"]])
        one, other = method.load(h(v["dA"])), method.load(h(v["dB"]))
        assert one.public == h(v["x_qA"]) + h(v["y_qA"])
        assert one.agree(other.public) == other.agree(one.public) == h(v["x_Z"])


def test_rfc5903(provider: Provider, vectors: Vectors) -> None:
    for v in vectors("rfc/rfc5903_ecp.json")["vectors"]:
        method = provider.key_exchange(_ECP[v["group"]])
        initiator, responder = method.load(h(v["i"])), method.load(h(v["r"]))
        # The payload is 4 octets of header, the group and 2 reserved octets, and the value.
        assert h(v["KEi"])[8:] == initiator.public
        assert h(v["KEr"])[8:] == responder.public
        assert initiator.agree(responder.public) == responder.agree(initiator.public) == h(v["girx"])


@pytest.mark.parametrize("group", [27, 28, 29, 30])
def test_rfc6932(provider: Provider, vectors: Vectors, offered: Offered, group: int) -> None:
    name = {27: "ecp224bp", 28: "ecp256bp", 29: "ecp384bp", 30: "ecp512bp"}[group]
    method = offered(lambda: provider.key_exchange(name))
    (v,) = (v for v in vectors("rfc/rfc6932_brainpool_ecdh.json")["vectors"] if v["ike_group"] == group)
    one, other = method.load(h(v["dA"])), method.load(h(v["dB"]))
    assert one.public == h(v["x_qA"]) + h(v["y_qA"])
    assert one.agree(other.public) == other.agree(one.public) == h(v["x_Z"])


@pytest.mark.parametrize("name", ["x25519", "x448"])
def test_rfc7748(provider: Provider, vectors: Vectors, offered: Offered, name: str) -> None:
    method = offered(lambda: provider.key_exchange(name))
    document = vectors("rfc/rfc7748_x25519_x448.json")
    for v in document["function"]:
        if v["fn"].lower() == name:
            assert method.load(h(v["scalar"])).agree(h(v["u"])) == h(v["out"])
    for v in document["dh"]:
        if v["fn"].lower() != name:
            continue
        alice, bob = method.load(h(v["alice_priv"])), method.load(h(v["bob_priv"]))
        assert (alice.public, bob.public) == (h(v["alice_pub"]), h(v["bob_pub"]))
        assert alice.agree(bob.public) == bob.agree(alice.public) == h(v["shared"])


def test_signatures_of_rfc6979_and_rfc8032(provider: Provider, vectors: Vectors) -> None:
    for v in vectors("other/signatures.json")["vectors"]:
        provider.verifier(v["algorithm"], h(v["public"])).verify(h(v["input"]), h(v["signature"]))
        signer = provider.signer(v["algorithm"], h(v["private"]))
        assert signer.public == h(v["public"])
        if v["algorithm"].startswith("ed"):
            assert signer.sign(h(v["input"])) == h(v["signature"])
