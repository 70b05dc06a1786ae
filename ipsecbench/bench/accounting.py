"""Cryptography that keeps account of its time: what an IKE endpoint is given to learn where a set-up's time goes.

Everything here does what the object behind it does, and adds the time that it took to a ledger. That makes a set-up
about a twentieth longer, most of which falls on the caller's side and so counts as protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter_ns
from typing import ParamSpec, TypeVar

from ipsecbench.bench.handshake import Part
from ipsecbench.providers.interface import (
    Aead,
    Certificate,
    Cipher,
    DecapsulationKey,
    KeyEncapsulation,
    KeyExchange,
    KeyPair,
    Mac,
    NonceMac,
    Prf,
    PrivateKey,
    PublicKey,
    PublicKeyInfrastructure,
    Signer,
    Verifier,
)
from ipsecbench.providers.selection import ProviderSelection

P = ParamSpec("P")
R = TypeVar("R")


class Ledger:
    """Nanoseconds by part, for one end, and what it decrypted."""

    __slots__ = ("opened", "spent_ns")

    def __init__(self) -> None:
        self.spent_ns: dict[Part, int] = dict.fromkeys(Part, 0)
        self.opened: list[bytes] = []
        """Plaintexts of received messages in their order, with padding."""

    def clear(self) -> None:
        """Begin anew."""
        self.opened.clear()
        for part in self.spent_ns:
            self.spent_ns[part] = 0

    def timed(self, part: Part, function: Callable[P, R]) -> Callable[P, R]:
        """A function that does the same and books its time, also when it raises."""
        spent_ns = self.spent_ns

        def perform(*args: P.args, **kwargs: P.kwargs) -> R:
            start = perf_counter_ns()
            try:
                return function(*args, **kwargs)
            finally:
                spent_ns[part] += perf_counter_ns() - start

        return perform


class _Booked:
    """What is made and used most often is written out call by call: half as dear as :meth:`Ledger.timed`."""

    __slots__ = ("_opened", "_spent_ns")

    def __init__(self, ledger: Ledger) -> None:
        self._spent_ns = ledger.spent_ns
        self._opened = ledger.opened


class _AccountedAead(_Booked):
    __slots__ = ("_inner", "icv_bytes")

    def __init__(self, inner: Aead, ledger: Ledger) -> None:
        super().__init__(ledger)
        self._inner = inner
        self.icv_bytes = inner.icv_bytes

    def seal(self, nonce: bytes, plaintext: bytes, associated_data: bytes) -> bytes:
        start = perf_counter_ns()
        try:
            return self._inner.seal(nonce, plaintext, associated_data)
        finally:
            self._spent_ns[Part.PROTECTION] += perf_counter_ns() - start

    def open(self, nonce: bytes, sealed: bytes, associated_data: bytes) -> bytes:
        start = perf_counter_ns()
        try:
            plaintext = self._inner.open(nonce, sealed, associated_data)
        finally:
            self._spent_ns[Part.PROTECTION] += perf_counter_ns() - start
        self._opened.append(plaintext)
        return plaintext


class _AccountedCipher(_Booked):
    __slots__ = ("_inner", "block_bytes", "iv_bytes")

    def __init__(self, inner: Cipher, ledger: Ledger) -> None:
        super().__init__(ledger)
        self._inner = inner
        self.block_bytes, self.iv_bytes = inner.block_bytes, inner.iv_bytes

    def encrypt(self, iv: bytes, plaintext: bytes) -> bytes:
        start = perf_counter_ns()
        try:
            return self._inner.encrypt(iv, plaintext)
        finally:
            self._spent_ns[Part.PROTECTION] += perf_counter_ns() - start

    def decrypt(self, iv: bytes, ciphertext: bytes) -> bytes:
        start = perf_counter_ns()
        try:
            plaintext = self._inner.decrypt(iv, ciphertext)
        finally:
            self._spent_ns[Part.PROTECTION] += perf_counter_ns() - start
        self._opened.append(plaintext)
        return plaintext


class _AccountedMac(_Booked):
    __slots__ = ("_inner", "icv_bytes")

    def __init__(self, inner: Mac, ledger: Ledger) -> None:
        super().__init__(ledger)
        self._inner = inner
        self.icv_bytes = inner.icv_bytes

    def authenticate(self, message: bytes) -> bytes:
        start = perf_counter_ns()
        try:
            return self._inner.authenticate(message)
        finally:
            self._spent_ns[Part.PROTECTION] += perf_counter_ns() - start

    def verify(self, message: bytes, icv: bytes) -> None:
        start = perf_counter_ns()
        try:
            self._inner.verify(message, icv)
        finally:
            self._spent_ns[Part.PROTECTION] += perf_counter_ns() - start


class _AccountedNonceMac:
    __slots__ = ("authenticate", "icv_bytes", "verify")

    def __init__(self, inner: NonceMac, ledger: Ledger) -> None:
        self.icv_bytes = inner.icv_bytes
        self.authenticate = ledger.timed(Part.PROTECTION, inner.authenticate)
        self.verify = ledger.timed(Part.PROTECTION, inner.verify)


class _AccountedPrf(_Booked):
    __slots__ = ("_inner", "output_bytes")

    def __init__(self, inner: Prf, ledger: Ledger) -> None:
        super().__init__(ledger)
        self._inner = inner
        self.output_bytes = inner.output_bytes

    def compute(self, seed: bytes) -> bytes:
        start = perf_counter_ns()
        try:
            return self._inner.compute(seed)
        finally:
            self._spent_ns[Part.PRF] += perf_counter_ns() - start

    def expand(self, seed: bytes, length_bytes: int) -> bytes:
        start = perf_counter_ns()
        try:
            return self._inner.expand(seed, length_bytes)
        finally:
            self._spent_ns[Part.PRF] += perf_counter_ns() - start


class _AccountedKeyPair:
    __slots__ = ("_public", "agree")

    def __init__(self, inner: KeyPair, ledger: Ledger) -> None:
        self._public = ledger.timed(Part.KEY_EXCHANGE, lambda: inner.public)
        self.agree = ledger.timed(Part.KEY_EXCHANGE, inner.agree)

    @property
    def public(self) -> bytes:
        return self._public()


class _AccountedKeyExchange:
    __slots__ = ("_generate", "_ledger", "_load", "exponent_bits")

    def __init__(self, inner: KeyExchange, ledger: Ledger) -> None:
        self._ledger = ledger
        self.exponent_bits = inner.exponent_bits
        self._generate = ledger.timed(Part.KEY_EXCHANGE, inner.generate)
        self._load = ledger.timed(Part.KEY_EXCHANGE, inner.load)

    def generate(self) -> KeyPair:
        return _AccountedKeyPair(self._generate(), self._ledger)

    def load(self, private: bytes) -> KeyPair:
        return _AccountedKeyPair(self._load(private), self._ledger)


class _AccountedDecapsulationKey:
    __slots__ = ("_public", "decapsulate")

    def __init__(self, inner: DecapsulationKey, ledger: Ledger) -> None:
        self._public = ledger.timed(Part.KEY_EXCHANGE, lambda: inner.public)
        self.decapsulate = ledger.timed(Part.KEY_EXCHANGE, inner.decapsulate)

    @property
    def public(self) -> bytes:
        return self._public()


class _AccountedKeyEncapsulation:
    __slots__ = ("_generate", "_ledger", "_load", "encapsulate")

    def __init__(self, inner: KeyEncapsulation, ledger: Ledger) -> None:
        self._ledger = ledger
        self._generate = ledger.timed(Part.KEY_EXCHANGE, inner.generate)
        self._load = ledger.timed(Part.KEY_EXCHANGE, inner.load)
        self.encapsulate = ledger.timed(Part.KEY_EXCHANGE, inner.encapsulate)

    def generate(self) -> DecapsulationKey:
        return _AccountedDecapsulationKey(self._generate(), self._ledger)

    def load(self, private: bytes) -> DecapsulationKey:
        return _AccountedDecapsulationKey(self._load(private), self._ledger)


class _AccountedSigner:
    __slots__ = ("public", "sign")

    def __init__(self, inner: Signer, ledger: Ledger) -> None:
        self.public = inner.public
        self.sign = ledger.timed(Part.AUTHENTICATION, inner.sign)


class _AccountedVerifier:
    __slots__ = ("verify",)

    def __init__(self, inner: Verifier, ledger: Ledger) -> None:
        self.verify = ledger.timed(Part.AUTHENTICATION, inner.verify)


class AccountedSelection(ProviderSelection):
    """A selection of libraries whose work is booked in a ledger; building a keyed object counts as using it."""

    __slots__ = ("_ledger",)

    def __init__(self, ledger: Ledger) -> None:
        super().__init__()
        self._ledger = ledger

    def _made(self, part: Part, make: Callable[[str, bytes], R], algorithm: str, key: bytes) -> R:
        start = perf_counter_ns()
        try:
            return make(algorithm, key)
        finally:
            self._ledger.spent_ns[part] += perf_counter_ns() - start

    def aead(self, algorithm: str, key: bytes) -> Aead:
        return _AccountedAead(self._made(Part.PROTECTION, super().aead, algorithm, key), self._ledger)

    def cipher(self, algorithm: str, key: bytes) -> Cipher:
        return _AccountedCipher(self._made(Part.PROTECTION, super().cipher, algorithm, key), self._ledger)

    def mac(self, algorithm: str, key: bytes) -> Mac:
        return _AccountedMac(self._made(Part.PROTECTION, super().mac, algorithm, key), self._ledger)

    def nonce_mac(self, algorithm: str, key: bytes) -> NonceMac:
        return _AccountedNonceMac(self._made(Part.PROTECTION, super().nonce_mac, algorithm, key), self._ledger)

    def prf(self, algorithm: str, key: bytes) -> Prf:
        return _AccountedPrf(self._made(Part.PRF, super().prf, algorithm, key), self._ledger)

    def key_exchange(self, algorithm: str, exponent_bits: int | None = None) -> KeyExchange:
        made = self._ledger.timed(Part.KEY_EXCHANGE, super().key_exchange)(algorithm, exponent_bits)
        return _AccountedKeyExchange(made, self._ledger)

    def key_encapsulation(self, algorithm: str) -> KeyEncapsulation:
        made = self._ledger.timed(Part.KEY_EXCHANGE, super().key_encapsulation)(algorithm)
        return _AccountedKeyEncapsulation(made, self._ledger)

    def signer(self, algorithm: str, private_key: bytes) -> Signer:
        return _AccountedSigner(self._made(Part.AUTHENTICATION, super().signer, algorithm, private_key), self._ledger)

    def verifier(self, algorithm: str, public_key: bytes) -> Verifier:
        made = self._made(Part.AUTHENTICATION, super().verifier, algorithm, public_key)
        return _AccountedVerifier(made, self._ledger)


class _AccountedPublicKey:
    __slots__ = ("key_bits", "key_type", "spki", "verify")

    def __init__(self, inner: PublicKey, ledger: Ledger) -> None:
        self.key_type, self.key_bits, self.spki = inner.key_type, inner.key_bits, inner.spki
        self.verify = ledger.timed(Part.AUTHENTICATION, inner.verify)


class _AccountedPrivateKey:
    __slots__ = ("key_bits", "key_type", "public", "sign")

    def __init__(self, inner: PrivateKey, ledger: Ledger) -> None:
        self.key_type, self.key_bits, self.public = inner.key_type, inner.key_bits, inner.public
        self.sign = ledger.timed(Part.AUTHENTICATION, inner.sign)


class _AccountedCertificate:
    __slots__ = ("der", "inner", "issuer", "matches", "public_key", "serial", "sha1_key_identifier", "subject")

    def __init__(self, inner: Certificate, ledger: Ledger) -> None:
        self.inner = inner
        self.der, self.subject, self.issuer, self.serial = inner.der, inner.subject, inner.issuer, inner.serial
        self.public_key: PublicKey = _AccountedPublicKey(inner.public_key, ledger)
        self.sha1_key_identifier = inner.sha1_key_identifier
        self.matches = ledger.timed(Part.AUTHENTICATION, inner.matches)


class AccountedInfrastructure:
    """Certificates and private keys whose work is booked in a ledger.

    Args:
        inner: what does the work.
        ledger: where its time is booked.
    """

    __slots__ = ("_inner", "_ledger", "distinguished_name", "distinguished_name_text", "names_equal")

    def __init__(self, inner: PublicKeyInfrastructure, ledger: Ledger) -> None:
        self._inner = inner
        self._ledger = ledger
        self.distinguished_name = inner.distinguished_name
        self.distinguished_name_text = inner.distinguished_name_text
        self.names_equal = ledger.timed(Part.AUTHENTICATION, inner.names_equal)

    def load_certificate(self, der: bytes) -> Certificate:
        """See :class:`ipsecbench.providers.interface.PublicKeyInfrastructure`."""
        loaded = self._ledger.timed(Part.AUTHENTICATION, self._inner.load_certificate)(der)
        return _AccountedCertificate(loaded, self._ledger)

    def load_certificates(self, encoded: bytes) -> tuple[Certificate, ...]:
        """See :class:`ipsecbench.providers.interface.PublicKeyInfrastructure`."""
        loaded = self._ledger.timed(Part.AUTHENTICATION, self._inner.load_certificates)(encoded)
        return tuple(_AccountedCertificate(each, self._ledger) for each in loaded)

    def load_private_key(self, encoded: bytes) -> PrivateKey:
        """See :class:`ipsecbench.providers.interface.PublicKeyInfrastructure`."""
        loaded = self._ledger.timed(Part.AUTHENTICATION, self._inner.load_private_key)(encoded)
        return _AccountedPrivateKey(loaded, self._ledger)

    def verify_chain(
        self,
        leaf: Certificate,
        intermediates: Sequence[Certificate],
        anchors: Sequence[Certificate],
        unix_time: float,
    ) -> None:
        """See :class:`ipsecbench.providers.interface.PublicKeyInfrastructure`."""
        verify = self._ledger.timed(Part.AUTHENTICATION, self._inner.verify_chain)
        verify(_inner(leaf), [_inner(each) for each in intermediates], [_inner(each) for each in anchors], unix_time)


def _inner(certificate: Certificate) -> Certificate:
    """The library's own object, which it would otherwise have to read anew."""
    return certificate.inner if isinstance(certificate, _AccountedCertificate) else certificate
