"""The two libraries are independent of each other, and give the same octets for random keys and messages."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipsecbench.algorithms.authentication import SIGNATURES
from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.integrity import INTEGRITY
from ipsecbench.algorithms.prf import PRF
from ipsecbench.errors import RejectedError
from ipsecbench.providers.catalogue import Catalogue, operations
from ipsecbench.providers.interface import Provider
from ipsecbench.providers.kinds import KINDS, Kind, encryption_key_bytes
from ipsecbench.providers.known_answers import signing_key

QUICK = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

_BOTH = {row.algorithm for row in operations("cryptography") if row.operations} & {
    row.algorithm for row in operations("pycryptodome") if row.operations
}


def _shared(*kinds: Kind) -> list[str]:
    return sorted(name for name in _BOTH if KINDS[name] in kinds)


@pytest.fixture(scope="module")
def pair(catalogue: Catalogue) -> tuple[Provider, Provider]:
    """Both libraries."""
    return catalogue.provider("cryptography"), catalogue.provider("pycryptodome")


def _nonce_bytes(name: str) -> int:
    row = ENCRYPTION[name]
    return row.salt_bytes + row.iv_bytes


@pytest.mark.parametrize("name", _shared(Kind.AEAD))
@QUICK
@given(data=st.data())
def test_aeads(pair: tuple[Provider, Provider], name: str, data: st.DataObject) -> None:
    key = data.draw(st.binary(min_size=(size := encryption_key_bytes(ENCRYPTION[name])), max_size=size))
    nonce = data.draw(st.binary(min_size=_nonce_bytes(name), max_size=_nonce_bytes(name)))
    message, aad = data.draw(st.binary(max_size=200)), data.draw(st.binary(max_size=40))
    one, other = (provider.aead(name, key) for provider in pair)
    sealed = one.seal(nonce, message, aad)
    assert other.seal(nonce, message, aad) == sealed
    assert len(sealed) == len(message) + one.icv_bytes == len(message) + ENCRYPTION[name].icv_bytes
    assert one.open(nonce, sealed, aad) == other.open(nonce, sealed, aad) == message
    position = data.draw(st.integers(0, len(sealed) - 1))
    forged = sealed[:position] + bytes([sealed[position] ^ 0x10]) + sealed[position + 1 :]
    for aead in (one, other):
        with pytest.raises(RejectedError):
            aead.open(nonce, forged, aad)
        with pytest.raises(RejectedError):
            aead.open(nonce, sealed[: one.icv_bytes - 1], aad)


def _three_different_keys(name: str, key: bytes) -> bool:
    odd = bytes(octet & 0xFE for octet in key)
    return name != "3des" or len({odd[:8], odd[8:16], odd[16:]}) == 3


@pytest.mark.parametrize("name", _shared(Kind.CIPHER))
@QUICK
@given(data=st.data())
def test_ciphers(pair: tuple[Provider, Provider], name: str, data: st.DataObject) -> None:
    size = encryption_key_bytes(ENCRYPTION[name])
    key = data.draw(st.binary(min_size=size, max_size=size).filter(lambda key: _three_different_keys(name, key)))
    one, other = (provider.cipher(name, key) for provider in pair)
    assert (one.block_bytes, one.iv_bytes) == (other.block_bytes, other.iv_bytes)
    blocks = data.draw(st.integers(0, 12))
    message = data.draw(st.binary(min_size=(length := blocks * one.block_bytes), max_size=length))
    iv = data.draw(st.binary(min_size=one.iv_bytes, max_size=one.iv_bytes))
    if name.endswith("ctr"):
        iv = iv[:12] + (1).to_bytes(4)
    encrypted = one.encrypt(iv, message)
    assert other.encrypt(iv, message) == encrypted
    assert one.decrypt(iv, encrypted) == other.decrypt(iv, encrypted) == message


@pytest.mark.parametrize("name", _shared(Kind.MAC))
@QUICK
@given(data=st.data())
def test_macs(pair: tuple[Provider, Provider], name: str, data: st.DataObject) -> None:
    size = INTEGRITY[name].key_bytes
    key = data.draw(st.binary(min_size=size, max_size=size))
    message = data.draw(st.binary(max_size=300))
    one, other = (provider.mac(name, key) for provider in pair)
    full = one.authenticate(message)
    assert other.authenticate(message) == full
    assert len(full) == INTEGRITY[name].output_bytes
    icv = full[: INTEGRITY[name].icv_bytes]
    for mac in (one, other):
        mac.verify(message, icv)
        for forged in (full[: mac.icv_bytes - 1], bytes(len(icv)), b"", icv + b"\0"):
            with pytest.raises(RejectedError):
                mac.verify(message, forged)


@pytest.mark.parametrize("name", _shared(Kind.NONCE_MAC))
@QUICK
@given(data=st.data())
def test_gmac(pair: tuple[Provider, Provider], name: str, data: st.DataObject) -> None:
    size = encryption_key_bytes(ENCRYPTION[name])
    key, nonce = data.draw(st.binary(min_size=size, max_size=size)), data.draw(st.binary(min_size=12, max_size=12))
    message = data.draw(st.binary(max_size=300))
    one, other = (provider.nonce_mac(name, key) for provider in pair)
    icv = one.authenticate(nonce, message)
    assert other.authenticate(nonce, message) == icv
    for mac in (one, other):
        mac.verify(nonce, message, icv)
        with pytest.raises(RejectedError):
            mac.verify(nonce, message + b"x", icv)


@pytest.mark.parametrize("name", _shared(Kind.PRF))
@QUICK
@given(key=st.binary(max_size=150), seed=st.binary(max_size=150), length=st.integers(1, 300))
def test_prfs(pair: tuple[Provider, Provider], name: str, key: bytes, seed: bytes, length: int) -> None:
    one, other = (provider.prf(name, key) for provider in pair)
    assert one.compute(seed) == other.compute(seed)
    assert len(one.compute(seed)) == one.output_bytes == PRF[name].output_bytes
    expanded = one.expand(seed, length)
    assert expanded == other.expand(seed, length)
    # RFC 7296 section 2.13: T1 = prf(K, S | 0x01), T2 = prf(K, T1 | S | 0x02).
    first = one.compute(seed + b"\x01")
    second = one.compute(first + seed + b"\x02")
    assert (first + second)[:length] == expanded[: 2 * one.output_bytes]


@pytest.mark.parametrize("name", _shared(Kind.KEY_EXCHANGE))
def test_key_exchange(pair: tuple[Provider, Provider], name: str) -> None:
    one, other = (provider.key_exchange(name) for provider in pair)
    for initiator, responder in ((one, other), (other, one)):
        ours, theirs = initiator.generate(), responder.generate()
        assert ours.agree(theirs.public) == theirs.agree(ours.public)


@pytest.mark.parametrize("name", _shared(Kind.KEY_ENCAPSULATION))
def test_key_encapsulation(pair: tuple[Provider, Provider], name: str) -> None:
    one, other = (provider.key_encapsulation(name) for provider in pair)
    for initiator, responder in ((one, other), (other, one)):
        own = initiator.generate()
        ciphertext, secret = responder.encapsulate(own.public)
        assert own.decapsulate(ciphertext) == secret
    seed = bytes(range(64))
    forged = bytes(len(ciphertext))
    assert one.load(seed).public == other.load(seed).public
    # Implicit rejection gives the same wrong secret on both sides (FIPS 203 algorithm 18).
    assert one.load(seed).decapsulate(forged) == other.load(seed).decapsulate(forged)


@pytest.mark.parametrize("name", SIGNATURES)
def test_signatures(pair: tuple[Provider, Provider], name: str) -> None:
    for signing, verifying in (pair, pair[::-1]):
        signer = signing.signer(name, signing_key(name))
        verifier = verifying.verifier(name, signer.public)
        signature = signer.sign(b"AUTH payload")
        verifier.verify(b"AUTH payload", signature)
        with pytest.raises(RejectedError):
            verifier.verify(b"another payload", signature)


def test_most_algorithms_are_in_both() -> None:
    alone = set(KINDS) - _BOTH
    expected = {name for name in KINDS if name.startswith(("camellia", "twofish", "serpent")) or name.endswith("bp")}
    # Older versions have no ML-KEM, and PyCryptodome before 3.23 no X25519.
    assert alone <= {*expected, "mlkem512", "mlkem768", "mlkem1024", "x25519", "x448"}
