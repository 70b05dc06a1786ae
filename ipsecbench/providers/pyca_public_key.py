"""Key exchange and signatures of the library ``cryptography``. Imported by :mod:`ipsecbench.providers.pyca` only.

MODP keys go in and out as DER, because that is the library's documented way to give a private exponent of a chosen
length; its own generator takes 225 bits for a 2048-bit group and the whole length for groups 1 and 2.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa, x448, x25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)

from ipsecbench.algorithms.authentication import AUTHENTICATION
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.errors import ProviderError, RejectedError, UnsupportedError
from ipsecbench.providers.der import modp_private_key, modp_public_key
from ipsecbench.providers.modp_groups import check_exponent_bits, fresh_exponent, modp_group

_CURVES: dict[str, type[ec.EllipticCurve]] = {
    "ecp192": ec.SECP192R1,
    "ecp224": ec.SECP224R1,
    "ecp256": ec.SECP256R1,
    "ecp384": ec.SECP384R1,
    "ecp521": ec.SECP521R1,
    "ecp256bp": ec.BrainpoolP256R1,
    "ecp384bp": ec.BrainpoolP384R1,
    "ecp512bp": ec.BrainpoolP512R1,
}
_HASHES: dict[str, Callable[[], hashes.HashAlgorithm]] = {
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}


class PycaKeyPair:
    """A private key, its public value, and how a peer's octets become a key of the library."""

    __slots__ = ("_exchange", "_import_peer", "algorithm", "public")

    def __init__(
        self, algorithm: str, public: bytes, exchange: Callable[[Any], bytes], import_peer: Callable[[bytes], Any]
    ) -> None:
        self.algorithm = algorithm
        self.public = public
        self._exchange = exchange
        self._import_peer = import_peer

    def __repr__(self) -> str:
        return f"PycaKeyPair({self.algorithm!r})"

    def agree(self, peer_public: bytes) -> bytes:
        """See :meth:`ipsecbench.providers.interface.KeyPair.agree`."""
        try:
            return self._exchange(self._import_peer(peer_public))
        except ValueError as error:
            raise RejectedError(f"{self.algorithm}: the peer's public value is refused: {error}") from error


def _load_modp(load: Callable[[], Any]) -> Any:
    """Load a MODP key without the warning that the library means to drop them.

    From version 50 on it warns at every key. The user of this program can do nothing about that, and nothing here
    works worse for it; a version without MODP gives ``UnsupportedAlgorithm``, which is reported.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Diffie-Hellman over finite fields", UserWarning)
        return load()


class PycaModp:
    """A MODP group."""

    __slots__ = ("_group", "algorithm", "exponent_bits")

    def __init__(self, algorithm: str, exponent_bits: int | None) -> None:
        self.algorithm = algorithm
        self._group = modp_group(algorithm)
        self.exponent_bits = check_exponent_bits(algorithm, exponent_bits)
        try:
            self.load(bytes([2]))
        except UnsupportedAlgorithm as error:
            raise UnsupportedError(f"the libcrypto in cryptography cannot do {algorithm}: {error}") from error

    def __repr__(self) -> str:
        return f"PycaModp({self.algorithm!r})"

    def generate(self) -> PycaKeyPair:
        """See :meth:`ipsecbench.providers.interface.KeyExchange.generate`."""
        return self._pair(fresh_exponent(self.algorithm, self.exponent_bits))

    def load(self, private: bytes) -> PycaKeyPair:
        """See :meth:`ipsecbench.providers.interface.KeyExchange.load`."""
        return self._pair(int.from_bytes(private))

    def _pair(self, exponent: int) -> PycaKeyPair:
        group = self._group
        try:
            key: Any = _load_modp(lambda: load_der_private_key(modp_private_key(group, exponent), None))
        except ValueError as error:
            raise ProviderError(f"{self.algorithm}: cryptography refuses the private exponent: {error}") from error
        public = key.public_key().public_numbers().y.to_bytes(group.bytes)

        def import_peer(octets: bytes) -> Any:
            if len(octets) != group.bytes:
                raise ValueError(f"{len(octets)} octets instead of {group.bytes}")
            return _load_modp(lambda: load_der_public_key(modp_public_key(group, int.from_bytes(octets))))

        return PycaKeyPair(self.algorithm, public, key.exchange, import_peer)


class PycaEcp:
    """An elliptic curve group modulo a prime (RFC 5903, RFC 6954)."""

    __slots__ = ("_coordinate_bytes", "_curve", "algorithm")

    exponent_bits = None

    def __init__(self, algorithm: str) -> None:
        if algorithm not in _CURVES:
            raise UnsupportedError(f"cryptography has no curve {KEY_EXCHANGE[algorithm].iana_name}")
        self.algorithm = algorithm
        self._curve = _CURVES[algorithm]()
        self._coordinate_bytes = KEY_EXCHANGE[algorithm].initiator_bytes // 2
        try:
            ec.derive_private_key(1, self._curve)
        except UnsupportedAlgorithm as error:
            raise UnsupportedError(f"the libcrypto in cryptography cannot do {algorithm}: {error}") from error

    def __repr__(self) -> str:
        return f"PycaEcp({self.algorithm!r})"

    def generate(self) -> PycaKeyPair:
        """See :meth:`ipsecbench.providers.interface.KeyExchange.generate`."""
        return self._pair(ec.generate_private_key(self._curve))

    def load(self, private: bytes) -> PycaKeyPair:
        """See :meth:`ipsecbench.providers.interface.KeyExchange.load`."""
        try:
            return self._pair(ec.derive_private_key(int.from_bytes(private), self._curve))
        except ValueError as error:
            raise ProviderError(f"{self.algorithm}: cryptography refuses the private key: {error}") from error

    def _pair(self, key: ec.EllipticCurvePrivateKey) -> PycaKeyPair:
        def exchange(peer: ec.EllipticCurvePublicKey) -> bytes:
            return key.exchange(ec.ECDH(), peer)

        # The first octet says "uncompressed", which IKE leaves out (RFC 5903 section 7).
        public = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[1:]
        return PycaKeyPair(self.algorithm, public, exchange, self._import_peer)

    def _import_peer(self, octets: bytes) -> ec.EllipticCurvePublicKey:
        if len(octets) != 2 * self._coordinate_bytes:
            raise ValueError(f"{len(octets)} octets instead of {2 * self._coordinate_bytes}")
        return ec.EllipticCurvePublicKey.from_encoded_point(self._curve, b"\x04" + octets)


class PycaMontgomery:
    """X25519 or X448 (RFC 7748, RFC 8031)."""

    __slots__ = ("_private", "_public", "algorithm")

    exponent_bits = None

    def __init__(self, algorithm: str) -> None:
        self.algorithm = algorithm
        self._private: Any = x25519.X25519PrivateKey if algorithm == "x25519" else x448.X448PrivateKey
        self._public: Any = x25519.X25519PublicKey if algorithm == "x25519" else x448.X448PublicKey
        try:
            self._private.generate()
        except UnsupportedAlgorithm as error:
            raise UnsupportedError(f"the libcrypto in cryptography cannot do {algorithm}: {error}") from error

    def __repr__(self) -> str:
        return f"PycaMontgomery({self.algorithm!r})"

    def generate(self) -> PycaKeyPair:
        """See :meth:`ipsecbench.providers.interface.KeyExchange.generate`."""
        return self._pair(self._private.generate())

    def load(self, private: bytes) -> PycaKeyPair:
        """See :meth:`ipsecbench.providers.interface.KeyExchange.load`."""
        try:
            return self._pair(self._private.from_private_bytes(private))
        except ValueError as error:
            raise ProviderError(f"{self.algorithm}: cryptography refuses the private key: {error}") from error

    def _pair(self, key: Any) -> PycaKeyPair:
        public = key.public_key().public_bytes_raw()
        return PycaKeyPair(self.algorithm, public, key.exchange, self._public.from_public_bytes)


class PycaDecapsulationKey:
    """A private key of ML-KEM."""

    __slots__ = ("_key", "algorithm", "public")

    def __init__(self, algorithm: str, key: Any) -> None:
        self.algorithm = algorithm
        self.public: bytes = key.public_key().public_bytes_raw()
        self._key = key

    def __repr__(self) -> str:
        return f"PycaDecapsulationKey({self.algorithm!r})"

    def decapsulate(self, ciphertext: bytes) -> bytes:
        """See :meth:`ipsecbench.providers.interface.DecapsulationKey.decapsulate`."""
        try:
            secret: bytes = self._key.decapsulate(ciphertext)
        except ValueError as error:
            raise RejectedError(f"{self.algorithm}: the ciphertext is refused: {error}") from error
        return secret


class PycaMlKem:
    """ML-KEM (FIPS 203), from version 47 of the library on; private keys are seeds only."""

    __slots__ = ("_private", "_public", "algorithm")

    def __init__(self, algorithm: str) -> None:
        try:
            from cryptography.hazmat.primitives.asymmetric import mlkem
        except ImportError as error:
            raise UnsupportedError("cryptography has ML-KEM from version 47 on: upgrade it") from error
        self.algorithm = algorithm
        prefix = f"MLKEM{algorithm.removeprefix('mlkem')}"
        self._private: Any = getattr(mlkem, f"{prefix}PrivateKey", None)
        self._public: Any = getattr(mlkem, f"{prefix}PublicKey", None)
        if self._private is None:
            raise UnsupportedError(f"cryptography has no {KEY_EXCHANGE[algorithm].iana_name}")
        try:
            self._private.generate()
        except UnsupportedAlgorithm as error:
            raise UnsupportedError(f"the libcrypto in cryptography cannot do {algorithm}: {error}") from error

    def __repr__(self) -> str:
        return f"PycaMlKem({self.algorithm!r})"

    def generate(self) -> PycaDecapsulationKey:
        """See :meth:`ipsecbench.providers.interface.KeyEncapsulation.generate`."""
        return PycaDecapsulationKey(self.algorithm, self._private.generate())

    def load(self, private: bytes) -> PycaDecapsulationKey:
        """See :meth:`ipsecbench.providers.interface.KeyEncapsulation.load`."""
        try:
            return PycaDecapsulationKey(self.algorithm, self._private.from_seed_bytes(private))
        except ValueError as error:
            raise ProviderError(
                f"{self.algorithm}: cryptography takes the 64-octet seed of a private key only: {error}"
            ) from error

    def encapsulate(self, public: bytes) -> tuple[bytes, bytes]:
        """See :meth:`ipsecbench.providers.interface.KeyEncapsulation.encapsulate`."""
        try:
            secret, ciphertext = self._public.from_public_bytes(public).encapsulate()
        except ValueError as error:
            raise RejectedError(f"{self.algorithm}: the encapsulation key is refused: {error}") from error
        return ciphertext, secret


_KEY_TYPES: dict[str, tuple[type, type]] = {
    "rsa": (rsa.RSAPrivateKey, rsa.RSAPublicKey),
    "ecdsa": (ec.EllipticCurvePrivateKey, ec.EllipticCurvePublicKey),
    "ed25519": (ed25519.Ed25519PrivateKey, ed25519.Ed25519PublicKey),
    "ed448": (ed448.Ed448PrivateKey, ed448.Ed448PublicKey),
}


def _parameters(algorithm: str) -> tuple[object, ...]:
    """What ``sign`` and ``verify`` of a key take after the message."""
    name = AUTHENTICATION[algorithm].hash_name
    if name is None:
        return ()
    digest = _HASHES[name]()
    if algorithm.startswith("ecdsa"):
        return (ec.ECDSA(digest),)
    return (padding.PSS(padding.MGF1(digest), salt_length=digest.digest_size), digest)


def _checked(algorithm: str, key: Any, private: bool) -> Any:
    kind, _, bits = algorithm.partition("-")
    fits = isinstance(key, _KEY_TYPES[kind][0 if private else 1])
    if not fits or (bits and key.key_size != int(bits)):
        raise ProviderError(f"{algorithm}: the key is of another kind or size")
    return key


class PycaSigner:
    """A private key that signs."""

    __slots__ = ("_parameters", "_sign", "algorithm", "public")

    def __init__(self, algorithm: str, private_key: bytes) -> None:
        self.algorithm = algorithm
        try:
            key = _checked(algorithm, load_der_private_key(private_key, None), True)
        except UnsupportedAlgorithm as error:
            raise UnsupportedError(f"the libcrypto in cryptography cannot do {algorithm}: {error}") from error
        except (TypeError, ValueError) as error:
            raise ProviderError(f"{algorithm}: cryptography cannot read the private key: {error}") from error
        self.public: bytes = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self._sign: Callable[..., bytes] = key.sign
        self._parameters = _parameters(algorithm)

    def __repr__(self) -> str:
        return f"PycaSigner({self.algorithm!r})"

    def sign(self, message: bytes) -> bytes:
        """See :meth:`ipsecbench.providers.interface.Signer.sign`."""
        try:
            return self._sign(message, *self._parameters)
        except ValueError as error:
            raise ProviderError(f"{self.algorithm}: cryptography refuses to sign: {error}") from error


class PycaVerifier:
    """A public key that verifies."""

    __slots__ = ("_parameters", "_verify", "algorithm")

    def __init__(self, algorithm: str, public_key: bytes) -> None:
        self.algorithm = algorithm
        try:
            key = _checked(algorithm, load_der_public_key(public_key), False)
        except UnsupportedAlgorithm as error:
            raise UnsupportedError(f"the libcrypto in cryptography cannot do {algorithm}: {error}") from error
        except (TypeError, ValueError) as error:
            raise ProviderError(f"{algorithm}: cryptography cannot read the public key: {error}") from error
        self._verify: Callable[..., None] = key.verify
        self._parameters = _parameters(algorithm)

    def __repr__(self) -> str:
        return f"PycaVerifier({self.algorithm!r})"

    def verify(self, message: bytes, signature: bytes) -> None:
        """See :meth:`ipsecbench.providers.interface.Verifier.verify`."""
        try:
            self._verify(signature, message, *self._parameters)
        except InvalidSignature as error:
            raise RejectedError(f"{self.algorithm}: the signature is not valid") from error
        except ValueError as error:
            raise ProviderError(f"{self.algorithm}: cryptography refuses to verify: {error}") from error
