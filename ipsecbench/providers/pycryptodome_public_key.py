"""Key exchange and signatures of the library PyCryptodome. Imported by :mod:`ipsecbench.providers.pycryptodome` only.

The library has no Diffie-Hellman over MODP groups; its modular exponentiation (``Crypto.Math.Numbers.Integer``, in C)
serves instead, with the checks of RFC 6989 done here. So a MODP figure is that of its arithmetic.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from Crypto.Hash import SHA256, SHA384, SHA512
from Crypto.Math.Numbers import Integer
from Crypto.Protocol import DH
from Crypto.PublicKey import ECC, RSA
from Crypto.Signature import DSS, eddsa, pss

from ipsecbench.algorithms.authentication import AUTHENTICATION
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.errors import ProviderError, RejectedError, UnsupportedError
from ipsecbench.providers.modp_groups import check_exponent_bits, fresh_exponent, modp_group

_CURVES = {
    "ecp192": ("P-192", 2**192 - 2**64 - 1),
    "ecp224": ("P-224", 2**224 - 2**96 + 1),
    "ecp256": ("P-256", 2**256 - 2**224 + 2**192 + 2**96 - 1),
    "ecp384": ("P-384", 2**384 - 2**128 - 2**96 + 2**32 - 1),
    "ecp521": ("P-521", 2**521 - 1),
}
"""Name to the library's name of the curve and to its prime (RFC 5903 section 3)."""
_SEED_BYTES = 64
_HASHES: dict[str, Any] = {"sha256": SHA256, "sha384": SHA384, "sha512": SHA512}


class PycryptodomeModpKeyPair:
    """A private exponent of a MODP group and its public value."""

    __slots__ = ("_exponent", "_prime", "algorithm", "public")

    def __init__(self, algorithm: str, exponent: int) -> None:
        group = modp_group(algorithm)
        self.algorithm = algorithm
        self._exponent = Integer(exponent)
        self._prime = Integer(group.prime)
        self.public: bytes = pow(Integer(group.generator), self._exponent, self._prime).to_bytes(group.bytes)

    def __repr__(self) -> str:
        return f"PycryptodomeModpKeyPair({self.algorithm!r})"

    def agree(self, peer_public: bytes) -> bytes:
        """See :meth:`ipsecbench.providers.interface.KeyPair.agree`."""
        group = modp_group(self.algorithm)
        if len(peer_public) != group.bytes:
            raise RejectedError(f"{self.algorithm}: a public value has {group.bytes} octets, not {len(peer_public)}")
        # RFC 6989 sections 2.1 and 2.2.
        if not 1 < int.from_bytes(peer_public) < group.prime - 1:
            raise RejectedError(f"{self.algorithm}: the peer's public value is out of range")
        value = Integer.from_bytes(peer_public)
        if group.order is not None and pow(value, Integer(group.order), self._prime) != 1:
            raise RejectedError(f"{self.algorithm}: the peer's public value is not in the subgroup")
        secret: bytes = pow(value, self._exponent, self._prime).to_bytes(group.bytes)
        return secret


class PycryptodomeModp:
    """A MODP group over the library's modular exponentiation."""

    __slots__ = ("algorithm", "exponent_bits")

    def __init__(self, algorithm: str, exponent_bits: int | None) -> None:
        self.algorithm = algorithm
        self.exponent_bits = check_exponent_bits(algorithm, exponent_bits)

    def __repr__(self) -> str:
        return f"PycryptodomeModp({self.algorithm!r})"

    def generate(self) -> PycryptodomeModpKeyPair:
        """See :meth:`ipsecbench.providers.interface.KeyExchange.generate`."""
        return PycryptodomeModpKeyPair(self.algorithm, fresh_exponent(self.algorithm, self.exponent_bits))

    def load(self, private: bytes) -> PycryptodomeModpKeyPair:
        """See :meth:`ipsecbench.providers.interface.KeyExchange.load`."""
        exponent = int.from_bytes(private)
        if not 0 < exponent < modp_group(self.algorithm).prime - 1:
            raise ProviderError(f"{self.algorithm}: the private exponent is out of range")
        return PycryptodomeModpKeyPair(self.algorithm, exponent)


class PycryptodomeKeyPair:
    """A private key on a curve, its public value, and how a peer's octets become a key of the library."""

    __slots__ = ("_import_peer", "_key", "algorithm", "public")

    def __init__(self, algorithm: str, key: ECC.EccKey, public: bytes, import_peer: Callable[[bytes], Any]) -> None:
        self.algorithm = algorithm
        self.public = public
        self._key = key
        self._import_peer = import_peer

    def __repr__(self) -> str:
        return f"PycryptodomeKeyPair({self.algorithm!r})"

    def agree(self, peer_public: bytes) -> bytes:
        """See :meth:`ipsecbench.providers.interface.KeyPair.agree`."""
        try:
            return DH.key_agreement(static_priv=self._key, static_pub=self._import_peer(peer_public), kdf=bytes)
        except ValueError as error:
            raise RejectedError(f"{self.algorithm}: the peer's public value is refused: {error}") from error


class PycryptodomeEcp:
    """An elliptic curve group modulo a prime (RFC 5903)."""

    __slots__ = ("_coordinate_bytes", "_curve", "_prime", "algorithm")

    exponent_bits = None

    def __init__(self, algorithm: str) -> None:
        if algorithm not in _CURVES:
            raise UnsupportedError(f"PyCryptodome has no Brainpool curves, so no {KEY_EXCHANGE[algorithm].iana_name}")
        self.algorithm = algorithm
        self._curve, self._prime = _CURVES[algorithm]
        self._coordinate_bytes = KEY_EXCHANGE[algorithm].initiator_bytes // 2

    def __repr__(self) -> str:
        return f"PycryptodomeEcp({self.algorithm!r})"

    def generate(self) -> PycryptodomeKeyPair:
        """See :meth:`ipsecbench.providers.interface.KeyExchange.generate`."""
        return self._pair(ECC.generate(curve=self._curve))

    def load(self, private: bytes) -> PycryptodomeKeyPair:
        """See :meth:`ipsecbench.providers.interface.KeyExchange.load`."""
        try:
            return self._pair(ECC.construct(curve=self._curve, d=int.from_bytes(private)))
        except ValueError as error:
            raise ProviderError(f"{self.algorithm}: PyCryptodome refuses the private key: {error}") from error

    def _pair(self, key: ECC.EccKey) -> PycryptodomeKeyPair:
        # The first octet says "uncompressed", which IKE leaves out (RFC 5903 section 7).
        public: bytes = key.public_key().export_key(format="SEC1")[1:]
        return PycryptodomeKeyPair(self.algorithm, key, public, self._import_peer)

    def _import_peer(self, octets: bytes) -> ECC.EccKey:
        half = self._coordinate_bytes
        if len(octets) != 2 * half:
            raise ValueError(f"{len(octets)} octets instead of {2 * half}")
        x, y = int.from_bytes(octets[:half]), int.from_bytes(octets[half:])
        # RFC 6989 section 2.3: the library would reduce such coordinates.
        if x >= self._prime or y >= self._prime:
            raise ValueError("a coordinate is out of range")
        return ECC.construct(curve=self._curve, point_x=x, point_y=y)


class PycryptodomeMontgomery:
    """X25519 or X448 (RFC 7748, RFC 8031)."""

    __slots__ = ("_import_private", "_import_public", "_private_bytes", "algorithm")

    exponent_bits = None

    def __init__(self, algorithm: str) -> None:
        self.algorithm = algorithm
        try:
            self._import_private: Callable[[bytes], ECC.EccKey] = getattr(DH, f"import_{algorithm}_private_key")
            self._import_public: Callable[[bytes], ECC.EccKey] = getattr(DH, f"import_{algorithm}_public_key")
        except AttributeError as error:
            raise UnsupportedError(f"this version of PyCryptodome has no {algorithm}") from error
        self._private_bytes = KEY_EXCHANGE[algorithm].initiator_bytes

    def __repr__(self) -> str:
        return f"PycryptodomeMontgomery({self.algorithm!r})"

    def generate(self) -> PycryptodomeKeyPair:
        """See :meth:`ipsecbench.providers.interface.KeyExchange.generate`."""
        return self.load(secrets.token_bytes(self._private_bytes))

    def load(self, private: bytes) -> PycryptodomeKeyPair:
        """See :meth:`ipsecbench.providers.interface.KeyExchange.load`."""
        try:
            key = self._import_private(private)
        except ValueError as error:
            raise ProviderError(f"{self.algorithm}: PyCryptodome refuses the private key: {error}") from error
        public: bytes = key.public_key().export_key(format="raw")
        return PycryptodomeKeyPair(self.algorithm, key, public, self._import_public)


class PycryptodomeDecapsulationKey:
    """A private key of ML-KEM."""

    __slots__ = ("_decapsulate", "algorithm", "public")

    def __init__(self, algorithm: str, key: Any) -> None:
        self.algorithm = algorithm
        self.public: bytes = key.ek
        self._decapsulate: Callable[[bytes], bytes] = key._decaps

    def __repr__(self) -> str:
        return f"PycryptodomeDecapsulationKey({self.algorithm!r})"

    def decapsulate(self, ciphertext: bytes) -> bytes:
        """See :meth:`ipsecbench.providers.interface.DecapsulationKey.decapsulate`."""
        try:
            return self._decapsulate(ciphertext)
        except ValueError as error:
            raise RejectedError(f"{self.algorithm}: the ciphertext is refused: {error}") from error


class PycryptodomeMlKem:
    """ML-KEM (FIPS 203).

    The library offers its keys in public, but encapsulation and decapsulation only inside HPKE; the methods that HPKE
    calls are called here. A version without them counts as one without ML-KEM.
    """

    __slots__ = ("_library", "_parameter_set", "algorithm")

    def __init__(self, algorithm: str) -> None:
        try:
            from Crypto.PublicKey import MLKEM
        except ImportError as error:
            raise UnsupportedError("this version of PyCryptodome has no ML-KEM: upgrade it") from error
        if not hasattr(MLKEM.MLKEMKey, "_encaps") or not hasattr(MLKEM.MLKEMKey, "_decaps"):
            raise UnsupportedError("this version of PyCryptodome gives no way to encapsulate with ML-KEM")
        self.algorithm = algorithm
        self._library: Any = MLKEM
        self._parameter_set = MLKEM.ParamSet(f"ML-KEM-{algorithm.removeprefix('mlkem')}")

    def __repr__(self) -> str:
        return f"PycryptodomeMlKem({self.algorithm!r})"

    def generate(self) -> PycryptodomeDecapsulationKey:
        """See :meth:`ipsecbench.providers.interface.KeyEncapsulation.generate`."""
        return PycryptodomeDecapsulationKey(self.algorithm, self._library.generate(param_set=self._parameter_set))

    def load(self, private: bytes) -> PycryptodomeDecapsulationKey:
        """See :meth:`ipsecbench.providers.interface.KeyEncapsulation.load`."""
        form = "seed" if len(private) == _SEED_BYTES else "expanded_dk"
        try:
            key = self._library.construct(param_set=self._parameter_set, **{form: private})
        except ValueError as error:
            raise ProviderError(f"{self.algorithm}: PyCryptodome refuses the private key: {error}") from error
        return PycryptodomeDecapsulationKey(self.algorithm, key)

    def encapsulate(self, public: bytes) -> tuple[bytes, bytes]:
        """See :meth:`ipsecbench.providers.interface.KeyEncapsulation.encapsulate`."""
        try:
            secret, ciphertext = self._library.construct(param_set=self._parameter_set, ek=public)._encaps()
        except ValueError as error:
            raise RejectedError(f"{self.algorithm}: the encapsulation key is refused: {error}") from error
        return ciphertext, secret


def _import_key(algorithm: str, octets: bytes, private: bool) -> Any:
    """A key of the library, when it is of the right kind and size."""
    kind, _, bits = algorithm.partition("-")
    try:
        key: Any = RSA.import_key(octets) if kind == "rsa" else ECC.import_key(octets)
    except (ValueError, IndexError, TypeError) as error:
        raise ProviderError(f"{algorithm}: PyCryptodome cannot read the key: {error}") from error
    if kind == "rsa":
        fits = key.size_in_bits() == int(bits)
    else:
        fits = key.curve.lower() in (kind, f"p-{bits}", f"nist p-{bits}")
    if not fits or key.has_private() != private:
        raise ProviderError(f"{algorithm}: the key is of another kind or size")
    return key


def _scheme(algorithm: str, key: Any) -> Any:
    """The library's object that signs or verifies; one object serves any number of messages."""
    if algorithm.startswith("rsa"):
        return pss.new(key, salt_bytes=_HASHES[AUTHENTICATION[algorithm].hash_name or "sha256"].digest_size)
    if algorithm.startswith("ecdsa"):
        return DSS.new(key, "fips-186-3", encoding="der")
    return eddsa.new(key, "rfc8032")


def _hash_of(algorithm: str) -> Callable[[bytes], Any]:
    """From a message to what the library signs: a hash object, or for EdDSA the message itself."""
    name = AUTHENTICATION[algorithm].hash_name
    if name is None:
        return bytes
    digest: Callable[[bytes], Any] = _HASHES[name].new
    return digest


class PycryptodomeSigner:
    """A private key that signs."""

    __slots__ = ("_hash", "_scheme", "algorithm", "public")

    def __init__(self, algorithm: str, private_key: bytes) -> None:
        self.algorithm = algorithm
        key = _import_key(algorithm, private_key, True)
        self.public: bytes = key.public_key().export_key(format="DER")
        self._scheme = _scheme(algorithm, key)
        self._hash = _hash_of(algorithm)

    def __repr__(self) -> str:
        return f"PycryptodomeSigner({self.algorithm!r})"

    def sign(self, message: bytes) -> bytes:
        """See :meth:`ipsecbench.providers.interface.Signer.sign`."""
        try:
            signature: bytes = self._scheme.sign(self._hash(message))
        except ValueError as error:
            raise ProviderError(f"{self.algorithm}: PyCryptodome refuses to sign: {error}") from error
        return signature


class PycryptodomeVerifier:
    """A public key that verifies."""

    __slots__ = ("_hash", "_scheme", "algorithm")

    def __init__(self, algorithm: str, public_key: bytes) -> None:
        self.algorithm = algorithm
        self._scheme = _scheme(algorithm, _import_key(algorithm, public_key, False))
        self._hash = _hash_of(algorithm)

    def __repr__(self) -> str:
        return f"PycryptodomeVerifier({self.algorithm!r})"

    def verify(self, message: bytes, signature: bytes) -> None:
        """See :meth:`ipsecbench.providers.interface.Verifier.verify`."""
        try:
            self._scheme.verify(self._hash(message), signature)
        except (ValueError, TypeError) as error:
            raise RejectedError(f"{self.algorithm}: the signature is not valid") from error
