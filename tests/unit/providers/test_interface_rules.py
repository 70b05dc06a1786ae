"""What holds for every object of every library: no secret is shown, and wrong use gives one of the project's errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.integrity import INTEGRITY
from ipsecbench.errors import ProviderError, RejectedError, UnsupportedError, UsageError
from ipsecbench.providers.constructions import NullCipher
from ipsecbench.providers.interface import Provider
from ipsecbench.providers.kinds import KINDS, Kind, encryption_key_bytes
from ipsecbench.providers.known_answers import signing_key
from ipsecbench.providers.modp_groups import check_exponent_bits, fresh_exponent, modp_group

Offered = Callable[[Callable[[], Any]], Any]

SECRET = bytes(range(0x80, 0xA0))


def _keyed_objects(provider: Provider) -> list[Any]:
    found: list[Any] = [provider]
    for name, kind in KINDS.items():
        try:
            if kind in (Kind.AEAD, Kind.CIPHER, Kind.NONCE_MAC):
                factory = {Kind.AEAD: provider.aead, Kind.CIPHER: provider.cipher}.get(kind, provider.nonce_mac)
                found.append(factory(name, SECRET[: encryption_key_bytes(ENCRYPTION[name])]))
            elif kind is Kind.MAC:
                found.append(provider.mac(name, SECRET.ljust(64, b"\x80")[: INTEGRITY[name].key_bytes]))
            elif kind is Kind.PRF:
                found.append(provider.prf(name, SECRET))
            elif kind is Kind.KEY_EXCHANGE:
                method = provider.key_exchange(name)
                found += [
                    method,
                    method.load(SECRET[:20].ljust(56 if name == "x448" else 32 if name == "x25519" else 20)),
                ]
            elif kind is Kind.KEY_ENCAPSULATION:
                mechanism = provider.key_encapsulation(name)
                found += [mechanism, mechanism.load(SECRET * 2)]
            else:
                signer = provider.signer(name, signing_key(name))
                found += [signer, provider.verifier(name, signer.public)]
        except UnsupportedError:
            continue
    return found


def test_no_secret_is_in_a_repr(provider: Provider) -> None:
    objects = _keyed_objects(provider)
    assert len(objects) > 80
    for each in objects:
        shown = f"{each!r} {each}"
        assert len(shown) < 120
        for form in (SECRET[:4].hex(), repr(SECRET[:4])[2:-1], str(int.from_bytes(SECRET[:4]))):
            assert form not in shown
        assert not hasattr(each, "__dict__") or each is provider


@pytest.mark.parametrize("length", [0, 15, 17, 33])
def test_keys_of_a_wrong_length_are_refused(provider: Provider, length: int) -> None:
    for factory, name in (
        (provider.aead, "aes128gcm16"),
        (provider.cipher, "aes128"),
        (provider.nonce_mac, "aes128gmac"),
    ):
        with pytest.raises(ProviderError, match=f"{name} takes a key of 16 octets without salt, not {length}"):
            factory(name, bytes(length))
    for name in ("aesxcbc", "aescmac"):
        with pytest.raises(ProviderError, match=f"{name} takes a key of 16 octets, not {length}"):
            provider.mac(name, bytes(length))


def test_algorithms_of_another_kind_are_refused(provider: Provider) -> None:
    calls: list[Callable[[], object]] = [
        lambda: provider.aead("aes128", bytes(16)),
        lambda: provider.cipher("aes128gcm16", bytes(16)),
        lambda: provider.mac("aes128gmac", bytes(16)),
        lambda: provider.nonce_mac("sha256", bytes(32)),
        lambda: provider.prf("sha256", bytes(32)),
        lambda: provider.key_exchange("mlkem768"),
        lambda: provider.key_encapsulation("x25519"),
        lambda: provider.signer("psk", b""),
        lambda: provider.verifier("sha256", b""),
        lambda: provider.aead("rc4", b""),
    ]
    for call in calls:
        with pytest.raises(UsageError):
            call()


def test_lengths_of_messages_and_ivs_are_checked(provider: Provider) -> None:
    cbc = provider.cipher("aes128", SECRET[:16])
    for call in (cbc.encrypt, cbc.decrypt):
        with pytest.raises(ProviderError):
            call(bytes(16), bytes(17))
        with pytest.raises(ProviderError):
            call(bytes(15), bytes(16))
        assert call(bytes(16), b"") == b""
    with pytest.raises(ProviderError):
        provider.cipher("aes128ctr", SECRET[:16]).encrypt(bytes(12), b"x")
    with pytest.raises(ProviderError, match="null takes no IV"):
        provider.cipher("null", b"").encrypt(b"x", b"")
    for name in ("aes128gcm16", "aes128gcm8", "aes128ccm16", "chacha20poly1305"):
        aead = provider.aead(name, SECRET[: encryption_key_bytes(ENCRYPTION[name])])
        with pytest.raises(ProviderError):
            aead.seal(b"", b"message", b"")
        with pytest.raises(ProviderError):
            aead.open(b"", bytes(64), b"")
        with pytest.raises(RejectedError):
            aead.open(bytes(12), b"short", b"")
    with pytest.raises(ProviderError):
        provider.nonce_mac("aes128gmac", SECRET[:16]).authenticate(b"", b"")


def test_null_copies() -> None:
    cipher = NullCipher()
    message = bytes(range(200))
    assert cipher.encrypt(b"", message) == message
    assert cipher.encrypt(b"", message) is not message
    assert cipher.decrypt(b"", cipher.encrypt(b"", message)) == message


def test_prf_plus_has_an_end(provider: Provider) -> None:
    prf = provider.prf("prfmd5", b"key")
    assert len(prf.expand(b"seed", 255 * 16)) == 255 * 16
    for length in (0, -1, 255 * 16 + 1):
        with pytest.raises(ProviderError, match="RFC 7296"):
            prf.expand(b"seed", length)


@pytest.mark.parametrize("name", ["modp1536", "modp2048s256"])
def test_bad_modp_values_are_refused(provider: Provider, name: str) -> None:
    group = modp_group(name)
    pair = provider.key_exchange(name).generate()
    bad = [0, 1, group.prime - 1, group.prime, group.prime + 1]
    if group.order is not None:
        # RFC 6989 section 2.2: a value outside the subgroup.
        bad.append(next(y for y in range(2, 99) if pow(y, group.order, group.prime) != 1))
    for value in bad:
        with pytest.raises(RejectedError):
            pair.agree(value.to_bytes(group.bytes))
    for octets in (b"", pair.public[1:], b"\0" + pair.public):
        with pytest.raises(RejectedError):
            pair.agree(octets)


def test_exponents_have_the_length_that_was_asked_for(provider: Provider) -> None:
    assert provider.key_exchange("modp2048").exponent_bits == 384
    assert provider.key_exchange("modp2048", 1000).exponent_bits == 1000
    assert provider.key_exchange("ecp256").exponent_bits is None
    assert {fresh_exponent("modp2048", 384).bit_length() for _ in range(20)} == {384}
    order = modp_group("modp2048s224").order
    assert order is not None
    assert all(0 < fresh_exponent("modp2048s224", 224) < order for _ in range(50))
    for name, bits in (("modp2048", 1), ("modp2048", 2048), ("modp1024s160", 161)):
        with pytest.raises(UsageError, match="a private exponent has 2 to"):
            check_exponent_bits(name, bits)


@pytest.mark.parametrize("name", ["ecp256", "x25519", "x448", "ecp521"])
def test_bad_points_are_refused(provider: Provider, offered: Offered, name: str) -> None:
    method = offered(lambda: provider.key_exchange(name))
    pair = method.generate()
    for octets in (b"", bytes(len(pair.public)), pair.public[:-1], pair.public + b"\0"):
        with pytest.raises(RejectedError):
            pair.agree(octets)
    with pytest.raises(ProviderError):
        method.load(b"")


def test_keys_of_another_kind_are_refused(provider: Provider) -> None:
    for factory in (provider.signer, provider.verifier):
        for octets in (b"", b"nonsense", signing_key("ed25519")[:-1]):
            with pytest.raises(ProviderError):
                factory("rsa-2048", octets)
    with pytest.raises(ProviderError, match="rsa-3072: the key is of another kind or size"):
        provider.signer("rsa-3072", signing_key("rsa-2048"))
    with pytest.raises(ProviderError, match="ecdsa-256: the key is of another kind or size"):
        provider.signer("ecdsa-256", signing_key("ecdsa-384"))
    with pytest.raises(ProviderError, match="ed448: the key is of another kind or size"):
        provider.verifier("ed448", provider.signer("ed25519", signing_key("ed25519")).public)


def test_ml_kem_values_of_a_wrong_length_are_refused(provider: Provider, offered: Offered) -> None:
    mechanism = offered(lambda: provider.key_encapsulation("mlkem768"))
    own = mechanism.generate()
    for ciphertext in (b"", bytes(1087), bytes(1089)):
        with pytest.raises(RejectedError):
            own.decapsulate(ciphertext)
    for public in (b"", own.public[:-1], b"\xff" * 1184):
        with pytest.raises(RejectedError):
            mechanism.encapsulate(public)
    with pytest.raises(ProviderError):
        mechanism.load(bytes(63))
