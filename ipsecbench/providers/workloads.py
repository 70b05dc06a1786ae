"""Loops over one operation of a Python library, for the engine to time.

:func:`prepare` does everything that is not the operation: it admits the algorithm by its known answers, makes keys and
messages, and seals what will be opened. The function that it returns performs n operations and nothing else, and does
no timing. Each operation goes through the same object that the IKE and ESP stacks are given.

Messages rotate, each operation that needs a nonce or IV has a fresh one, and everything is checked: a tag, signature
or shared secret that is wrong raises, and what has no tag is compared once per call of the loop. Lengths that IPsec
fixes are the same as in the agent: 8 octets of associated data, 512 signed octets, a seed of 80 octets for prf+. As
there, ``prf`` and ``prf-plus`` set their key in every operation, and ``agree`` decodes and checks the peer's value.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from types import MappingProxyType

from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.integrity import INTEGRITY
from ipsecbench.algorithms.prf import PRF
from ipsecbench.errors import ProviderError, UsageError
from ipsecbench.providers.catalogue import Operation, default_catalogue, operations
from ipsecbench.providers.interface import KeyPair, Provider
from ipsecbench.providers.kinds import KINDS, OPERATIONS, Kind, encryption_key_bytes
from ipsecbench.providers.known_answers import signing_key

__all__ = ["Loop", "Operation", "operations", "prepare"]

Loop = Callable[[int], None]
"""Performs so many operations and raises when one fails."""

SIZE_MAXIMUM_BYTES = 65_535
"""Largest message that can be measured, the same as in the agent."""

_ROTATION = 8
_ROTATION_MASK = _ROTATION - 1
_AAD = bytes.fromhex("0000000100000001")
"""SPI and sequence number, as in ESP without ESN (RFC 4106 section 5)."""
_SIGNED_BYTES = 512
_PRF_PLUS_SEED_BYTES = 80
_IV_BATCH = 256


def prepare(provider: str, operation: str, algorithm: str, size_bytes: int | None) -> Loop:
    """Make ready to measure one operation.

    Args:
        provider: ``cryptography`` or ``pycryptodome``.
        operation: name of docs/agent-protocol.md, such as ``encrypt``.
        algorithm: proposal token.
        size_bytes: octets of plaintext, message or seed, or of output for ``prf-plus``; None for key exchange and
            signatures.

    Returns:
        What performs n operations in a loop. It may be called again, by one thread at a time.

    Raises:
        UsageError: there is no such provider, algorithm or operation, or the size makes no sense for it.
        UnsupportedError: the library has no such algorithm.
        CorrectnessError: a known answer is wrong.
        ProviderError: the library failed.
    """
    admitted = default_catalogue().admit(provider, algorithm)
    kind = KINDS[algorithm]
    if operation not in OPERATIONS[kind]:
        raise UsageError(f"{algorithm} has no operation {operation!r}; choose from {', '.join(OPERATIONS[kind])}")
    build = _BUILDERS[kind]
    if kind in _SIZED:
        return build(admitted, operation, algorithm, _checked_size(operation, algorithm, size_bytes))
    if size_bytes is not None:
        raise UsageError(f"{algorithm}: {operation} has no size, but {size_bytes} octets were asked for")
    return build(admitted, operation, algorithm, 0)


def _checked_size(operation: str, algorithm: str, size_bytes: int | None) -> int:
    if size_bytes is None or not 1 <= size_bytes <= SIZE_MAXIMUM_BYTES:
        raise UsageError(f"{algorithm}: {operation} takes 1 to {SIZE_MAXIMUM_BYTES} octets, not {size_bytes}")
    row = ENCRYPTION.get(algorithm)
    if row is not None and row.mode == "cbc" and size_bytes % row.block_bytes:
        raise UsageError(f"{algorithm}: without padding it takes a multiple of {row.block_bytes} octets")
    if operation == "prf-plus" and size_bytes > 255 * PRF[algorithm].output_bytes:
        raise UsageError(f"{algorithm}: prf+ gives at most {255 * PRF[algorithm].output_bytes} octets")
    return size_bytes


def _messages(size_bytes: int) -> tuple[bytes, ...]:
    return tuple(secrets.token_bytes(size_bytes) for _ in range(_ROTATION))


def _compare(what: str, got: bytes, wanted: bytes) -> None:
    if got != wanted:
        raise ProviderError(f"{what} gave a wrong result in the loop: no sample counts")


def _aead(provider: Provider, operation: str, algorithm: str, size_bytes: int) -> Loop:
    row = ENCRYPTION[algorithm]
    aead = provider.aead(algorithm, secrets.token_bytes(encryption_key_bytes(row)))
    salt = secrets.token_bytes(row.salt_bytes)
    messages = _messages(size_bytes)
    # The counter goes on from call to call: a nonce is never used twice (RFC 4106 section 3.1).
    used = 0

    def encrypt(count: int) -> None:
        nonlocal used
        seal = aead.seal
        start = used
        used += count
        for number in range(start, start + count):
            seal(b"%b%b" % (salt, number.to_bytes(8)), messages[number & _ROTATION_MASK], _AAD)

    if operation == "encrypt":
        return encrypt
    nonces = tuple(salt + number.to_bytes(8) for number in range(_ROTATION))
    sealed = tuple(aead.seal(nonce, message, _AAD) for nonce, message in zip(nonces, messages, strict=True))

    def decrypt(count: int) -> None:
        unseal = aead.open
        for number in range(count):
            turn = number & _ROTATION_MASK
            unseal(nonces[turn], sealed[turn], _AAD)

    return decrypt


def _cipher(provider: Provider, operation: str, algorithm: str, size_bytes: int) -> Loop:
    row = ENCRYPTION[algorithm]
    cipher = provider.cipher(algorithm, secrets.token_bytes(encryption_key_bytes(row)))
    messages = _messages(size_bytes)
    iv_bytes = cipher.iv_bytes
    if operation == "decrypt":
        ivs = tuple(secrets.token_bytes(iv_bytes) for _ in range(_ROTATION))
        encrypted = tuple(cipher.encrypt(iv, message) for iv, message in zip(ivs, messages, strict=True))

        def decrypt(count: int) -> None:
            plaintext, turn = messages[0], 0
            perform = cipher.decrypt
            for number in range(count):
                turn = number & _ROTATION_MASK
                plaintext = perform(ivs[turn], encrypted[turn])
            _compare(f"{provider.name}: {algorithm}: decryption", plaintext, messages[turn])

        return decrypt
    if row.mode != "cbc":
        return _counter_encryption(provider, algorithm, messages)

    def encrypt(count: int) -> None:
        perform = cipher.encrypt
        iv, ciphertext, turn = b"", b"", 0
        done = 0
        while done < count:
            # Unpredictable IVs (RFC 3602 section 3), drawn for many messages at once: a call costs more than an IV.
            batch = min(_IV_BATCH, count - done)
            random = secrets.token_bytes(batch * iv_bytes)
            for number in range(batch):
                iv = random[number * iv_bytes : (number + 1) * iv_bytes]
                turn = number & _ROTATION_MASK
                ciphertext = perform(iv, messages[turn])
            done += batch
        if count:
            _compare(f"{provider.name}: {algorithm}: encryption", cipher.decrypt(iv, ciphertext), messages[turn])

    return encrypt


def _counter_encryption(provider: Provider, algorithm: str, messages: tuple[bytes, ...]) -> Loop:
    """Encryption in counter mode, whose IVs count, and NULL, which has none."""
    row = ENCRYPTION[algorithm]
    cipher = provider.cipher(algorithm, secrets.token_bytes(encryption_key_bytes(row)))
    salt = secrets.token_bytes(row.salt_bytes)
    # Nonce, IV, and a block counter that starts at 1 (RFC 3686 section 4).
    first_counter = (1).to_bytes(4)
    with_iv = row.mode == "ctr"
    used = 0

    def encrypt(count: int) -> None:
        nonlocal used
        perform = cipher.encrypt
        start = used
        used += count
        iv, ciphertext, number = b"", messages[0], 0
        for number in range(start, start + count):
            if with_iv:
                iv = b"%b%b%b" % (salt, number.to_bytes(8), first_counter)
            ciphertext = perform(iv, messages[number & _ROTATION_MASK])
        if count:
            plaintext = cipher.decrypt(iv, ciphertext)
            _compare(f"{provider.name}: {algorithm}: encryption", plaintext, messages[number & _ROTATION_MASK])

    return encrypt


def _mac(provider: Provider, operation: str, algorithm: str, size_bytes: int) -> Loop:
    mac = provider.mac(algorithm, secrets.token_bytes(INTEGRITY[algorithm].key_bytes))
    messages = _messages(size_bytes)
    icvs = tuple(mac.authenticate(message)[: mac.icv_bytes] for message in messages)

    def authenticate(count: int) -> None:
        perform = mac.authenticate
        tag, turn = icvs[0], 0
        for number in range(count):
            turn = number & _ROTATION_MASK
            tag = perform(messages[turn])
        _compare(f"{provider.name}: {algorithm}", tag[: mac.icv_bytes], icvs[turn])

    def verify(count: int) -> None:
        perform = mac.verify
        for number in range(count):
            turn = number & _ROTATION_MASK
            perform(messages[turn], icvs[turn])

    return authenticate if operation == "authenticate" else verify


def _nonce_mac(provider: Provider, operation: str, algorithm: str, size_bytes: int) -> Loop:
    row = ENCRYPTION[algorithm]
    mac = provider.nonce_mac(algorithm, secrets.token_bytes(encryption_key_bytes(row)))
    salt = secrets.token_bytes(row.salt_bytes)
    messages = _messages(size_bytes)
    used = 0

    def authenticate(count: int) -> None:
        nonlocal used
        perform = mac.authenticate
        start = used
        used += count
        for number in range(start, start + count):
            perform(b"%b%b" % (salt, number.to_bytes(8)), messages[number & _ROTATION_MASK])

    if operation == "authenticate":
        return authenticate
    nonces = tuple(salt + number.to_bytes(8) for number in range(_ROTATION))
    icvs = tuple(mac.authenticate(nonce, message) for nonce, message in zip(nonces, messages, strict=True))

    def verify(count: int) -> None:
        perform = mac.verify
        for number in range(count):
            turn = number & _ROTATION_MASK
            perform(nonces[turn], messages[turn], icvs[turn])

    return verify


def _prf(provider: Provider, operation: str, algorithm: str, size_bytes: int) -> Loop:
    keys = _messages(PRF[algorithm].output_bytes)
    make = provider.prf

    def prf(count: int) -> None:
        for number in range(count):
            turn = number & _ROTATION_MASK
            make(algorithm, keys[turn]).compute(seeds[turn])

    def prf_plus(count: int) -> None:
        for number in range(count):
            turn = number & _ROTATION_MASK
            make(algorithm, keys[turn]).expand(seeds[turn], size_bytes)

    plus = operation == "prf-plus"
    seeds = _messages(_PRF_PLUS_SEED_BYTES if plus else size_bytes)
    return prf_plus if plus else prf


def _key_exchange(provider: Provider, operation: str, algorithm: str, _size_bytes: int) -> Loop:
    method = provider.key_exchange(algorithm)

    def generate(count: int) -> None:
        perform = method.generate
        for _ in range(count):
            perform()

    if operation == "generate":
        return generate
    own = method.generate()
    peers: tuple[KeyPair, ...] = tuple(method.generate() for _ in range(_ROTATION))
    publics = tuple(peer.public for peer in peers)
    wanted = tuple(peer.agree(own.public) for peer in peers)

    def agree(count: int) -> None:
        perform = own.agree
        for number in range(count):
            turn = number & _ROTATION_MASK
            if perform(publics[turn]) != wanted[turn]:
                _compare(f"{provider.name}: {algorithm}: key agreement", b"", wanted[turn])

    return agree


def _key_encapsulation(provider: Provider, operation: str, algorithm: str, _size_bytes: int) -> Loop:
    mechanism = provider.key_encapsulation(algorithm)
    own = mechanism.generate()
    publics = tuple(mechanism.generate().public for _ in range(_ROTATION))
    pairs = tuple(mechanism.encapsulate(own.public) for _ in range(_ROTATION))

    def generate(count: int) -> None:
        perform = mechanism.generate
        for _ in range(count):
            perform()

    def encapsulate(count: int) -> None:
        perform = mechanism.encapsulate
        for number in range(count):
            perform(publics[number & _ROTATION_MASK])

    def decapsulate(count: int) -> None:
        perform = own.decapsulate
        for number in range(count):
            ciphertext, secret = pairs[number & _ROTATION_MASK]
            if perform(ciphertext) != secret:
                _compare(f"{provider.name}: {algorithm}: decapsulation", b"", secret)

    return {"generate": generate, "encapsulate": encapsulate, "decapsulate": decapsulate}[operation]


def _signature(provider: Provider, operation: str, algorithm: str, _size_bytes: int) -> Loop:
    signer = provider.signer(algorithm, signing_key(algorithm))
    verifier = provider.verifier(algorithm, signer.public)
    messages = _messages(_SIGNED_BYTES)

    def sign(count: int) -> None:
        perform = signer.sign
        signature, turn = b"", 0
        for number in range(count):
            turn = number & _ROTATION_MASK
            signature = perform(messages[turn])
        if count:
            verifier.verify(messages[turn], signature)

    if operation == "sign":
        return sign
    signatures = tuple(signer.sign(message) for message in messages)

    def verify(count: int) -> None:
        perform = verifier.verify
        for number in range(count):
            turn = number & _ROTATION_MASK
            perform(messages[turn], signatures[turn])

    return verify


_BUILDERS: Mapping[Kind, Callable[[Provider, str, str, int], Loop]] = MappingProxyType(
    {
        Kind.AEAD: _aead,
        Kind.CIPHER: _cipher,
        Kind.MAC: _mac,
        Kind.NONCE_MAC: _nonce_mac,
        Kind.PRF: _prf,
        Kind.KEY_EXCHANGE: _key_exchange,
        Kind.KEY_ENCAPSULATION: _key_encapsulation,
        Kind.SIGNATURE: _signature,
    }
)
_SIZED = frozenset({Kind.AEAD, Kind.CIPHER, Kind.MAC, Kind.NONCE_MAC, Kind.PRF})
