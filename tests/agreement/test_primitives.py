"""All providers give the same octets: those of the agent and the Python libraries, for what at least two of them have.

The inputs are random but the same in every run.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

import pytest

from ipsecbench.algorithms.authentication import SIGNATURES
from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.integrity import INTEGRITY
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.algorithms.prf import PRF
from ipsecbench.errors import CorrectnessError
from ipsecbench.providers.interface import Provider
from ipsecbench.providers.kinds import KINDS, Kind, encryption_key_bytes
from ipsecbench.providers.known_answers import signing_key

pytestmark = pytest.mark.agent

Compute = Callable[..., bytes]
Offers = Mapping[tuple[str, str], tuple[str, ...]]
Libraries = Mapping[str, tuple[Provider, ...]]

LENGTHS = (16, 64, 80, 576, 1408, 1504, 9008)
ODD_LENGTHS = (1, 15, 17, 63, 127, 1399)


def _of(kind: Kind) -> list[str]:
    return [name for name, each in KINDS.items() if each is kind]


def _at_least_two(name: str, agents: tuple[str, ...], libraries: tuple[Provider, ...]) -> None:
    if len(agents) + len(libraries) < 2:
        who = [*agents, *(library.name for library in libraries)]
        pytest.skip(f"{name}: only {who[0]} has it" if who else f"{name}: nobody here has it")


def _octets(source: random.Random, length: int) -> bytes:
    return source.randbytes(length)


def _flipped(octets: bytes, position: int) -> bytes:
    return octets[:position] + bytes([octets[position] ^ 0x40]) + octets[position + 1 :]


@pytest.mark.parametrize("name", _of(Kind.AEAD))
def test_aeads(compute: Compute, offers: Offers, libraries: Libraries, name: str) -> None:
    agents, own = offers.get(("primitive", name), ()), libraries.get(name, ())
    _at_least_two(name, agents, own)
    source, row = random.Random(name), ENCRYPTION[name]
    for length in (*LENGTHS, *ODD_LENGTHS):
        for aad_bytes in (8, 12):
            key, nonce = _octets(source, encryption_key_bytes(row)), _octets(source, row.salt_bytes + row.iv_bytes)
            message, aad = _octets(source, length), _octets(source, aad_bytes)
            sealed = {library.aead(name, key).seal(nonce, message, aad) for library in own}
            fields = {"key": key, "iv": nonce, "aad": aad}
            sealed |= {compute(agent, "encrypt", name, input=message, **fields) for agent in agents}
            assert len(sealed) == 1, (length, aad_bytes)
            (one,) = sealed
            for agent in agents:
                assert compute(agent, "decrypt", name, input=one, **fields) == message
                for position in (0, length - 1, len(one) - 1):
                    with pytest.raises(CorrectnessError):
                        compute(agent, "decrypt", name, input=_flipped(one, position), **fields)


@pytest.mark.parametrize("name", _of(Kind.CIPHER))
def test_ciphers(compute: Compute, offers: Offers, libraries: Libraries, name: str) -> None:
    agents, own = offers.get(("primitive", name), ()), libraries.get(name, ())
    _at_least_two(name, agents, own)
    source, row = random.Random(name), ENCRYPTION[name]
    lengths = LENGTHS if row.mode == "cbc" else (*LENGTHS, *ODD_LENGTHS)
    for length in lengths:
        key, message = _octets(source, encryption_key_bytes(row)), _octets(source, length)
        iv = _octets(source, {"cbc": row.block_bytes, "ctr": 12, "null": 0}[row.mode])
        if row.mode == "ctr":
            iv += (1).to_bytes(4)
        fields = {"key": key, "iv": iv}
        encrypted = {library.cipher(name, key).encrypt(iv, message) for library in own}
        encrypted |= {compute(agent, "encrypt", name, input=message, **fields) for agent in agents}
        assert len(encrypted) == 1, length
        (one,) = encrypted
        decrypted = {compute(agent, "decrypt", name, input=one, **fields) for agent in agents}
        decrypted |= {library.cipher(name, key).decrypt(iv, one) for library in own}
        assert decrypted == {message}


@pytest.mark.parametrize("name", _of(Kind.NONCE_MAC))
def test_gmac(compute: Compute, offers: Offers, libraries: Libraries, name: str) -> None:
    agents, own = offers.get(("primitive", name), ()), libraries.get(name, ())
    _at_least_two(name, agents, own)
    source, row = random.Random(name), ENCRYPTION[name]
    for length in (*LENGTHS, *ODD_LENGTHS):
        key, nonce, message = _octets(source, encryption_key_bytes(row)), _octets(source, 12), _octets(source, length)
        macs = {library.nonce_mac(name, key).authenticate(nonce, message) for library in own}
        macs |= {compute(agent, "authenticate", name, key=key, iv=nonce, input=message) for agent in agents}
        assert len(macs) == 1, length


@pytest.mark.parametrize("name", INTEGRITY)
def test_macs(compute: Compute, offers: Offers, libraries: Libraries, name: str) -> None:
    agents, own = offers.get(("primitive", name), ()), libraries.get(name, ())
    _at_least_two(name, agents, own)
    source = random.Random(name)
    for length in (*LENGTHS, *ODD_LENGTHS):
        key, message = _octets(source, INTEGRITY[name].key_bytes), _octets(source, length)
        (mac,) = {library.mac(name, key).authenticate(message) for library in own}
        for agent in agents:
            # libipsec-mb gives no more of AES-XCBC than the ICV.
            given = compute(agent, "authenticate", name, key=key, input=message)
            assert len(given) in (INTEGRITY[name].icv_bytes, INTEGRITY[name].output_bytes)
            assert mac.startswith(given), (agent, length)


@pytest.mark.parametrize("name", PRF)
def test_prfs(compute: Compute, offers: Offers, libraries: Libraries, name: str) -> None:
    agents, own = offers.get(("primitive", name), ()), libraries.get(name, ())
    _at_least_two(name, agents, own)
    source = random.Random(name)
    for key_bytes in (1, 10, 16, PRF[name].output_bytes, 65, 256):
        key, seed = _octets(source, key_bytes), _octets(source, 80)
        outputs = {library.prf(name, key).compute(seed) for library in own}
        outputs |= {compute(agent, "prf", name, key=key, input=seed) for agent in agents}
        assert len(outputs) == 1, key_bytes
        for length in (1, PRF[name].output_bytes, 200, 255 * PRF[name].output_bytes):
            expanded = {library.prf(name, key).expand(seed, length) for library in own}
            expanded |= {compute(agent, "prf-plus", name, key=key, input=seed, size_bytes=length) for agent in agents}
            assert len(expanded) == 1, (key_bytes, length)


@pytest.mark.parametrize("name", _of(Kind.KEY_EXCHANGE))
def test_key_exchange(compute: Compute, offers: Offers, libraries: Libraries, name: str) -> None:
    agents, own = offers.get(("primitive", name), ()), libraries.get(name, ())
    _at_least_two(name, agents, own)
    source, row = random.Random(name), KEY_EXCHANGE[name]
    # Shorter than every subgroup's order, so that it is a private key of every method; X25519 and X448 want all octets.
    private = _octets(source, row.initiator_bytes if name.startswith("x") else 20 if row.exponent_bits else 24)
    if row.exponent_bits == 160:
        private = private[1:]
    if not own:
        pytest.skip(f"{name}: no Python library has it, and the agent does not give public values")
    peer = own[0].key_exchange(name).generate().public
    secrets = {library.key_exchange(name).load(private).agree(peer) for library in own}
    secrets |= {compute(agent, "agree", name, private=private, peer_public=peer) for agent in agents}
    assert len(secrets) == 1
    assert len({library.key_exchange(name).load(private).public for library in own}) == 1


@pytest.mark.parametrize("name", _of(Kind.KEY_ENCAPSULATION))
def test_key_encapsulation(compute: Compute, offers: Offers, libraries: Libraries, name: str) -> None:
    agents, own = offers.get(("primitive", name), ()), libraries.get(name, ())
    _at_least_two(name, agents, own)
    if not own:
        pytest.skip(f"{name}: no Python library has it, and the agent does not give public values")
    source = random.Random(name)
    seed = _octets(source, 64)
    keys = [library.key_encapsulation(name).load(seed) for library in own]
    assert len({key.public for key in keys}) == 1
    for library in own:
        ciphertext, secret = library.key_encapsulation(name).encapsulate(keys[0].public)
        forged = _flipped(ciphertext, 100)
        assert {key.decapsulate(ciphertext) for key in keys} == {secret}
        assert len({key.decapsulate(forged) for key in keys}) == 1
        for agent in agents:
            expanded = _expanded_key(name, seed)
            assert compute(agent, "decapsulate", name, private=expanded, input=ciphertext) == secret
            assert compute(agent, "decapsulate", name, private=expanded, input=forged) == keys[0].decapsulate(forged)


def _expanded_key(name: str, seed: bytes) -> bytes:
    """The decapsulation key of FIPS 203 for a seed, which only PyCryptodome gives out."""
    from Crypto.PublicKey import MLKEM

    parameter_set = MLKEM.ParamSet(f"ML-KEM-{name.removeprefix('mlkem')}")
    return MLKEM.construct(param_set=parameter_set, seed=seed).expanded_dk


@pytest.mark.parametrize("name", SIGNATURES)
def test_signatures(compute: Compute, offers: Offers, libraries: Libraries, name: str) -> None:
    agents, own = offers.get(("primitive", name), ()), libraries.get(name, ())
    _at_least_two(name, agents, own)
    message = random.Random(name).randbytes(512)
    for library in own:
        signer = library.signer(name, signing_key(name))
        signature = signer.sign(message)
        for verifying in own:
            verifying.verifier(name, signer.public).verify(message, signature)
        for agent in agents:
            fields = {"public": signer.public, "signature": signature}
            assert compute(agent, "verify", name, input=message, **fields) == b""
            with pytest.raises(CorrectnessError):
                compute(agent, "verify", name, input=message + b"x", **fields)


def test_nothing_is_left_out(offers: Offers, libraries: Libraries) -> None:
    """What only one provider has is known, so that a lost comparison does not go unnoticed."""
    alone = {name for name in KINDS if len(offers.get(("primitive", name), ())) + len(libraries.get(name, ())) == 1}
    assert all(name.startswith(("twofish", "serpent")) or name in ("ecp224bp", "mlkem512") for name in alone), alone
