"""Known answers that an implementation must give before it may be used or timed.

The values stand in ``known_answers.json``, each with its source; docs/providers.md says where they come from. Every
check goes through the same objects that are measured. An answer that is never wrong by itself is not enough: what must
be refused is tried too, with one bit changed.

Three things have no published value. MODP groups with a safe prime are compared with Python's own ``pow``. An RSA
signature has a random salt and is verified with the same ``pow``. ECDSA signatures and ML-KEM encapsulation are random
too: what was made must be accepted by the side that has known answers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from hashlib import sha256
from importlib.resources import files
from types import MappingProxyType

from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.errors import CorrectnessError, RejectedError
from ipsecbench.providers.interface import Provider
from ipsecbench.providers.kinds import KINDS, Kind
from ipsecbench.providers.modp_groups import modp_group


@dataclass(frozen=True, slots=True)
class KnownAnswer:
    """One set of inputs with the right outputs."""

    algorithm: str
    """Proposal token."""
    source: str
    """Where the values were published, or how they were made."""
    values: Mapping[str, bytes]
    """Octets by name; which names there are depends on the kind of the algorithm."""


@cache
def known_answers() -> Mapping[str, tuple[KnownAnswer, ...]]:
    """All known answers by algorithm."""
    document = json.loads(files("ipsecbench.providers").joinpath("known_answers.json").read_text(encoding="ascii"))
    found: dict[str, tuple[KnownAnswer, ...]] = {}
    for row in document["vectors"]:
        values = {name: bytes.fromhex(text) for name, text in row.items() if name not in ("algorithm", "source")}
        answer = KnownAnswer(row["algorithm"], row["source"], MappingProxyType(values))
        found[answer.algorithm] = (*found.get(answer.algorithm, ()), answer)
    return MappingProxyType(found)


def signing_key(algorithm: str) -> bytes:
    """A private key (PKCS #8, DER) to measure a signature algorithm with. It is published and protects nothing.

    Raises:
        KeyError: there is no such signature algorithm.
    """
    return next(answer.values["private"] for answer in known_answers()[algorithm] if "private" in answer.values)


class _Checker:
    """Compares what one provider gives for one algorithm, and names what is wrong."""

    def __init__(self, provider: Provider, algorithm: str) -> None:
        self.provider = provider
        self.algorithm = algorithm

    def same(self, what: str, got: bytes, wanted: bytes, source: str) -> None:
        if got != wanted:
            raise CorrectnessError(
                f"{self.provider.name}: {self.algorithm}: {what} is wrong ({source}): "
                f"{got[:16].hex()}… instead of {wanted[:16].hex()}…; do not use this library for it"
            )

    def refused(self, what: str, attempt: Callable[[], object]) -> None:
        try:
            attempt()
        except RejectedError:
            return
        raise CorrectnessError(
            f"{self.provider.name}: {self.algorithm}: accepts {what}; do not use this library for it"
        )

    def accepted(self, what: str, source: str, attempt: Callable[[], object]) -> None:
        try:
            attempt()
        except RejectedError as error:
            raise CorrectnessError(
                f"{self.provider.name}: {self.algorithm}: refuses {what} ({source}); do not use this library for it"
            ) from error


def _flipped(octets: bytes) -> bytes:
    """The same octets with the last bit changed."""
    return octets[:-1] + bytes([octets[-1] ^ 1])


def _check_aead(check: _Checker, answer: KnownAnswer) -> None:
    v = answer.values
    aead = check.provider.aead(check.algorithm, v["key"])
    check.same("sealing", aead.seal(v["iv"], v["input"], v["aad"]), v["output"], answer.source)
    check.accepted("a valid packet", answer.source, lambda: aead.open(v["iv"], v["output"], v["aad"]))
    check.same("opening", aead.open(v["iv"], v["output"], v["aad"]), v["input"], answer.source)
    check.refused("a changed ICV", lambda: aead.open(v["iv"], _flipped(v["output"]), v["aad"]))
    check.refused("changed associated data", lambda: aead.open(v["iv"], v["output"], v["aad"] + b"\0"))


def _check_cipher(check: _Checker, answer: KnownAnswer) -> None:
    v = answer.values
    cipher = check.provider.cipher(check.algorithm, v["key"])
    # Twice, so that nothing of one message is left in the next.
    for _ in range(2):
        check.same("encryption", cipher.encrypt(v["iv"], v["input"]), v["output"], answer.source)
        check.same("decryption", cipher.decrypt(v["iv"], v["output"]), v["input"], answer.source)


def _check_mac(check: _Checker, answer: KnownAnswer) -> None:
    v = answer.values
    mac = check.provider.mac(check.algorithm, v["key"])
    check.same("the MAC", mac.authenticate(v["input"]), v["output"], answer.source)
    icv = v["output"][: mac.icv_bytes]
    check.accepted("a valid ICV", answer.source, lambda: mac.verify(v["input"], icv))
    check.refused("a changed ICV", lambda: mac.verify(v["input"], _flipped(icv)))
    check.refused("an ICV cut short", lambda: mac.verify(v["input"], icv[:-1]))
    check.refused("a changed message", lambda: mac.verify(v["input"] + b"\0", icv))


def _check_nonce_mac(check: _Checker, answer: KnownAnswer) -> None:
    v = answer.values
    mac = check.provider.nonce_mac(check.algorithm, v["key"])
    check.same("the MAC", mac.authenticate(v["iv"], v["input"]), v["output"], answer.source)
    check.accepted("a valid ICV", answer.source, lambda: mac.verify(v["iv"], v["input"], v["output"]))
    check.refused("a changed ICV", lambda: mac.verify(v["iv"], v["input"], _flipped(v["output"])))
    check.refused("a changed nonce", lambda: mac.verify(_flipped(v["iv"]), v["input"], v["output"]))


def _check_prf(check: _Checker, answer: KnownAnswer) -> None:
    v = answer.values
    prf = check.provider.prf(check.algorithm, v["key"])
    if "prf_plus" in v:
        check.same("prf+", prf.expand(v["input"], len(v["prf_plus"])), v["prf_plus"], answer.source)
    else:
        check.same("the output", prf.compute(v["input"]), v["output"], answer.source)


def _check_key_exchange(check: _Checker, answer: KnownAnswer) -> None:
    v = answer.values
    own = check.provider.key_exchange(check.algorithm).load(v["private"])
    if "public" in v:
        check.same("the public value", own.public, v["public"], answer.source)
    check.accepted("a valid public value", answer.source, lambda: own.agree(v["peer_public"]))
    check.same("the shared secret", own.agree(v["peer_public"]), v["output"], answer.source)


def _check_fresh_keys(check: _Checker) -> None:
    """Key pairs that the provider makes agree with each other, and in MODP groups with Python's arithmetic."""
    method = check.provider.key_exchange(check.algorithm)
    one, other = method.generate(), method.generate()
    if KEY_EXCHANGE[check.algorithm].kind.startswith("ffdh"):
        group = modp_group(check.algorithm)
        exponent = int.from_bytes(sha256(check.algorithm.encode()).digest())
        if group.order is not None:
            exponent %= group.order
        fixed = method.load(exponent.to_bytes(32))
        public = pow(group.generator, exponent, group.prime).to_bytes(group.bytes)
        secret = pow(int.from_bytes(one.public), exponent, group.prime).to_bytes(group.bytes)
        check.same("the public value", fixed.public, public, "Python's pow")
        check.same("the shared secret", fixed.agree(one.public), secret, "Python's pow")
        for name, value in (("0", 0), ("1", 1), ("p - 1", group.prime - 1)):
            octets = value.to_bytes(group.bytes)
            check.refused(f"the public value {name}", partial(one.agree, octets))
    if one.public == other.public:
        raise CorrectnessError(f"{check.provider.name}: {check.algorithm}: two fresh key pairs are the same")
    check.same("the secret of fresh keys", one.agree(other.public), other.agree(one.public), "the other side")


def _check_key_encapsulation(check: _Checker, answer: KnownAnswer) -> None:
    v = answer.values
    mechanism = check.provider.key_encapsulation(check.algorithm)
    own = mechanism.load(v["private"])
    check.same("the encapsulation key", own.public, v["public"], answer.source)
    check.same("the shared secret", own.decapsulate(v["input"]), v["output"], answer.source)
    ciphertext, secret = mechanism.encapsulate(v["public"])
    check.same("an encapsulated secret", own.decapsulate(ciphertext), secret, "the side with known answers")
    check.refused("a ciphertext cut short", lambda: own.decapsulate(ciphertext[:-1]))
    check.refused("an encapsulation key cut short", lambda: mechanism.encapsulate(v["public"][:-1]))
    fresh = mechanism.generate()
    ciphertext, secret = mechanism.encapsulate(fresh.public)
    check.same("the secret of a fresh key", fresh.decapsulate(ciphertext), secret, "the side that encapsulated")


_MESSAGE = b"What is signed in a known-answer test."


def _check_signature(check: _Checker, answer: KnownAnswer) -> None:
    v = answer.values
    if "signature" in v:
        verifier = check.provider.verifier(check.algorithm, v["public"])
        check.accepted("a valid signature", answer.source, lambda: verifier.verify(v["input"], v["signature"]))
        check.refused("a signature of another message", lambda: verifier.verify(v["input"] + b"\0", v["signature"]))
        check.refused("a changed signature", lambda: verifier.verify(v["input"], _flipped(v["signature"])))
    if "private" not in v:
        return
    signer = check.provider.signer(check.algorithm, v["private"])
    if "public" in v:
        check.same("the public key", signer.public, v["public"], answer.source)
    if "signature" in v and check.algorithm.startswith("ed"):
        check.same("the signature", signer.sign(v["input"]), v["signature"], answer.source)
    signature = signer.sign(_MESSAGE)
    if check.algorithm.startswith("rsa") and not _pss_valid(signer.public, _MESSAGE, signature):
        raise CorrectnessError(
            f"{check.provider.name}: {check.algorithm}: the signature is wrong (RFC 8017 section 9.1.2, Python's pow); "
            "do not use this library for it"
        )
    own = check.provider.verifier(check.algorithm, signer.public)
    check.accepted("its own signature", answer.source, lambda: own.verify(_MESSAGE, signature))
    check.refused("its own signature, changed", lambda: own.verify(_MESSAGE, _flipped(signature)))
    check.refused("its own signature of another message", lambda: own.verify(_MESSAGE + b"\0", signature))


def _pss_valid(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether a signature is RSASSA-PSS with SHA-256 and a salt of 32 octets (RFC 8017 section 9.1.2), in plain Python.

    The modulus and the exponent, 65537 in every key used here, are the last two numbers of the public key.
    """
    length, hash_bytes = len(signature), 32
    modulus = int.from_bytes(public_key[-5 - length : -5])
    encoded = pow(int.from_bytes(signature), 65537, modulus).to_bytes(length)
    masked, digest, trailer = encoded[: -hash_bytes - 1], encoded[-hash_bytes - 1 : -1], encoded[-1:]
    blocks = range(-(-len(masked) // hash_bytes))
    mask = b"".join(sha256(digest + counter.to_bytes(4)).digest() for counter in blocks)[: len(masked)]
    # The modulus has a multiple of 8 bits, so that only the top bit is cleared.
    block = bytes([(masked[0] ^ mask[0]) & 0x7F]) + bytes(a ^ b for a, b in zip(masked[1:], mask[1:], strict=True))
    salt = block[-hash_bytes:]
    padding = b"\x01".rjust(len(block) - hash_bytes, b"\0")
    again = sha256(bytes(8) + sha256(message).digest() + salt).digest()
    return trailer == b"\xbc" and block[:-hash_bytes] == padding and again == digest


_CHECKS: Mapping[Kind, Callable[[_Checker, KnownAnswer], None]] = MappingProxyType(
    {
        Kind.AEAD: _check_aead,
        Kind.CIPHER: _check_cipher,
        Kind.MAC: _check_mac,
        Kind.NONCE_MAC: _check_nonce_mac,
        Kind.PRF: _check_prf,
        Kind.KEY_EXCHANGE: _check_key_exchange,
        Kind.KEY_ENCAPSULATION: _check_key_encapsulation,
        Kind.SIGNATURE: _check_signature,
    }
)


def check_known_answers(provider: Provider, algorithm: str) -> int:
    """Run everything that is known about an algorithm.

    Args:
        provider: the library to try.
        algorithm: proposal token.

    Returns:
        How many known answers were right; never 0.

    Raises:
        CorrectnessError: an answer is wrong, or something was accepted that must be refused.
        UnsupportedError: the library has no such algorithm.
        ProviderError: the library failed.
    """
    kind = KINDS[algorithm]
    check = _Checker(provider, algorithm)
    answers = known_answers().get(algorithm, ())
    for answer in answers:
        _CHECKS[kind](check, answer)
    if kind is Kind.KEY_EXCHANGE:
        _check_fresh_keys(check)
    elif not answers:
        raise CorrectnessError(f"{provider.name}: {algorithm}: there is no known answer to try it with")
    return len(answers) + (kind is Kind.KEY_EXCHANGE)
