"""Private and public keys of the library ``cryptography`` that sign and verify with the signature schemes of IKE."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hmac import compare_digest
from types import MappingProxyType
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
    load_pem_private_key,
)

from ipsecbench.algorithms.signatures import SIGNATURE_SCHEMES, SignatureScheme
from ipsecbench.errors import ProviderError, RejectedError, UnsupportedError

_HASHES: Mapping[str, Callable[[], hashes.HashAlgorithm]] = MappingProxyType(
    {"sha1": hashes.SHA1, "sha256": hashes.SHA256, "sha384": hashes.SHA384, "sha512": hashes.SHA512}
)
_CURVE_BITS = {"secp256r1": 256, "secp384r1": 384, "secp521r1": 521}

SMALLEST_RSA_BITS = 2048
"""RFC 8247 section 4.1: RSA keys below 2048 bits MUST NOT be used."""
LARGEST_RSA_BITS = 8192
"""What a peer's key may cost: verification grows with the square of the modulus."""
_LARGEST_RSA_EXPONENT = (1 << 33) - 1


def _key_type(key: Any) -> tuple[str, int]:
    """Type and bits of a public key that may be used.

    Raises:
        RejectedError: it may not.
    """
    if isinstance(key, rsa.RSAPublicKey):
        _check_rsa(key)
        return "rsa", key.key_size
    if isinstance(key, ec.EllipticCurvePublicKey):
        bits = _CURVE_BITS.get(key.curve.name)
        if bits is None:
            raise RejectedError(f"keys on the curve {key.curve.name} are not used; use P-256, P-384 or P-521")
        return f"ecdsa-{bits}", bits
    if isinstance(key, ed25519.Ed25519PublicKey):
        return "ed25519", 256
    if isinstance(key, ed448.Ed448PublicKey):
        return "ed448", 456
    raise RejectedError(f"keys of the kind {type(key).__name__} are not used; use RSA, ECDSA, Ed25519 or Ed448")


def _check_rsa(key: rsa.RSAPublicKey) -> None:
    if not SMALLEST_RSA_BITS <= key.key_size <= LARGEST_RSA_BITS:
        raise RejectedError(
            f"RSA keys have {SMALLEST_RSA_BITS} to {LARGEST_RSA_BITS} bits here (RFC 8247 section 4.1), "
            f"not {key.key_size}"
        )
    numbers = key.public_numbers()
    if numbers.n % 2 == 0:
        raise RejectedError("the modulus of the RSA key is even")
    if not 3 <= numbers.e <= _LARGEST_RSA_EXPONENT or numbers.e % 2 == 0:
        raise RejectedError("the public exponent of the RSA key is even, 1 or beyond 33 bits")


def _parameters(scheme: SignatureScheme) -> tuple[object, ...]:
    """What ``sign`` and ``verify`` of the library take after the message."""
    if scheme.padding == "none":
        return ()
    digest = _HASHES[scheme.hash_name or ""]()
    if scheme.padding in ("der", "concatenated"):
        return (ec.ECDSA(digest),)
    if scheme.padding == "pss":
        return (padding.PSS(padding.MGF1(digest), salt_length=digest.digest_size), digest)
    return (padding.PKCS1v15(), digest)


_PARAMETERS = {
    row.name: _parameters(row)
    for row in SIGNATURE_SCHEMES.values()
    if row.hash_name is not None or row.padding == "none"
}
_DIGESTS = {digest().digest_size: digest for digest in (hashes.MD5, *_HASHES.values())}


def _ecdsa_parameters(scheme: SignatureScheme, message: bytes) -> tuple[object, ...]:
    """What ECDSA takes after the message, which may be the output of the PRF of IKEv1 (RFC 2409 section 5.1)."""
    if scheme.name in _PARAMETERS:
        return _PARAMETERS[scheme.name]
    digest = _DIGESTS.get(len(message))
    if digest is None:
        raise ValueError(f"{len(message)} octets are no output of a hash")
    return (ec.ECDSA(utils.Prehashed(digest())),)


def _fitting_scheme(scheme_name: str, key_type: str) -> SignatureScheme | None:
    scheme = SIGNATURE_SCHEMES.get(scheme_name)
    return scheme if scheme is not None and scheme.fits(key_type) else None


def _split(scheme: SignatureScheme, signature: bytes) -> bytes:
    """r and s of fixed length (RFC 4754 section 7) as an Ecdsa-Sig-Value."""
    half = (int(scheme.key_type.rpartition("-")[2]) + 7) // 8
    if len(signature) != 2 * half:
        raise RejectedError(f"{scheme.name}: a signature has {2 * half} octets, not {len(signature)}")
    return utils.encode_dss_signature(int.from_bytes(signature[:half]), int.from_bytes(signature[half:]))


def _join(scheme: SignatureScheme, signature: bytes) -> bytes:
    half = (int(scheme.key_type.rpartition("-")[2]) + 7) // 8
    r, s = utils.decode_dss_signature(signature)
    return r.to_bytes(half) + s.to_bytes(half)


class PycaPublicKey:
    """See :class:`ipsecbench.providers.interface.PublicKey`.

    Args:
        spki: SubjectPublicKeyInfo in DER.

    Raises:
        RejectedError: the octets are no key that may be used.
    """

    __slots__ = ("_key", "key_bits", "key_type", "spki")

    def __init__(self, spki: bytes) -> None:
        try:
            self._key: Any = load_der_public_key(spki)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise RejectedError(f"the public key cannot be read: {error}") from error
        self.key_type, self.key_bits = _key_type(self._key)
        self.spki = spki

    def __repr__(self) -> str:
        return f"PycaPublicKey({self.key_type!r})"

    def verify(self, scheme_name: str, message: bytes, signature: bytes) -> None:
        """See :meth:`ipsecbench.providers.interface.PublicKey.verify`."""
        scheme = _fitting_scheme(scheme_name, self.key_type)
        if scheme is None:
            raise RejectedError(f"a key of type {self.key_type} makes no signatures of the scheme {scheme_name!r}")
        try:
            if scheme.padding == "pkcs1-raw":
                # What stands after the padding must be the message, all of it and nothing else.
                signed = self._key.recover_data_from_signature(signature, padding.PKCS1v15(), None)
                if not compare_digest(signed, message):
                    raise RejectedError(f"{scheme_name}: the signature is not valid")
                return
            if scheme.padding == "concatenated":
                parameters = _ecdsa_parameters(scheme, message)
                self._key.verify(_split(scheme, signature), message, *parameters)
                return
            self._key.verify(signature, message, *_PARAMETERS[scheme_name])
        except InvalidSignature as error:
            raise RejectedError(f"{scheme_name}: the signature is not valid") from error
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise RejectedError(f"{scheme_name}: the signature cannot be verified: {error}") from error


class PycaPrivateKey:
    """See :class:`ipsecbench.providers.interface.PrivateKey`.

    Args:
        encoded: PKCS #8, PKCS #1 or SEC 1 in DER or PEM, not encrypted.

    Raises:
        RejectedError: the octets are no key that may be used.
    """

    __slots__ = ("_key", "key_bits", "key_type", "public")

    def __init__(self, encoded: bytes) -> None:
        pem = b"-----BEGIN" in encoded
        try:
            self._key: Any = load_pem_private_key(encoded, None) if pem else load_der_private_key(encoded, None)
        except TypeError as error:
            raise RejectedError("the private key is encrypted; decrypt it first") from error
        except (ValueError, UnsupportedAlgorithm) as error:
            raise RejectedError(f"the private key cannot be read: {str(error).splitlines()[0]}") from error
        try:
            public = self._key.public_key()
        except (ValueError, AttributeError, UnsupportedAlgorithm) as error:
            raise RejectedError("the private key cannot be used") from error
        self.key_type, self.key_bits = _key_type(public)
        self.public: bytes = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def __repr__(self) -> str:
        return f"PycaPrivateKey({self.key_type!r})"

    def sign(self, scheme_name: str, message: bytes) -> bytes:
        """See :meth:`ipsecbench.providers.interface.PrivateKey.sign`."""
        scheme = _fitting_scheme(scheme_name, self.key_type)
        if scheme is None:
            raise ProviderError(f"a key of type {self.key_type} makes no signatures of the scheme {scheme_name!r}")
        try:
            signature: bytes = self._key.sign(message, *_signing_parameters(scheme, message))
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise ProviderError(f"{scheme_name}: cryptography refuses to sign: {error}") from error
        return _join(scheme, signature) if scheme.padding == "concatenated" else signature


def _signing_parameters(scheme: SignatureScheme, message: bytes) -> tuple[object, ...]:
    if scheme.padding == "pkcs1-raw":
        return _raw_parameters()
    return _ecdsa_parameters(scheme, message) if scheme.padding == "concatenated" else _PARAMETERS[scheme.name]


def _raw_parameters() -> tuple[object, ...]:
    """PKCS #1 v1.5 over the message itself (RFC 2409 section 5.1)."""
    no_digest_info = getattr(utils, "NoDigestInfo", None)
    if no_digest_info is None:
        raise UnsupportedError("cryptography signs without a DigestInfo from version 47 on: upgrade it")
    return (padding.PKCS1v15(), no_digest_info())
