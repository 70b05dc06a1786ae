"""What a cryptographic provider offers to the IKE and ESP stacks and to the measurements.

Algorithms have strongSwan's proposal tokens, the same as in :mod:`ipsecbench.algorithms`. Everything that holds a key
is built with it, keeps no other state that a caller could see, and shows no secret in its ``repr``. An object is for
one thread at a time: adapters keep library contexts that are set up once per key. Comparisons of tags and signatures
take the same time wherever the first difference is.

Errors: :class:`RejectedError` when the input is forged or malformed; ``ProviderError`` when the caller or the library
failed; ``UnsupportedError`` when the library has no such algorithm.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypedDict


class LibraryInfo(TypedDict):
    """A library as it was found, in the shape of a ``libraries`` row of the agent's ``info`` answer."""

    provider: str
    """Name of the provider."""
    status: str
    """``loaded``, ``missing`` or ``unusable``."""
    path: str | None
    """File that was loaded."""
    version: str | None
    """Version of the library, with that of the libcrypto that it bundles."""
    modules: list[str]
    """Loadable parts in use; empty where the library has none."""
    cpu_settings: str | None
    """Setting that hides processor features from the library; None where none is set."""
    note: str | None
    """Why the status is not ``loaded``, or an oddity worth knowing."""


class Aead(Protocol):
    """Authenticated encryption with associated data under one key (RFC 5116)."""

    @property
    def icv_bytes(self) -> int:
        """Octets of ICV after the ciphertext."""

    def seal(self, nonce: bytes, plaintext: bytes, associated_data: bytes) -> bytes:
        """The ciphertext followed by the ICV.

        Args:
            nonce: the whole nonce, salt included; never used twice with one key.
            plaintext: octets to encrypt and to authenticate.
            associated_data: octets to authenticate only.

        Raises:
            ProviderError: the nonce has the wrong length, or the library failed.
        """

    def open(self, nonce: bytes, sealed: bytes, associated_data: bytes) -> bytes:
        """The plaintext of what :meth:`seal` gave.

        Raises:
            RejectedError: the ICV does not match.
            ProviderError: the nonce has the wrong length, or the library failed.
        """


class Cipher(Protocol):
    """Encryption without integrity under one key: CBC without padding, CTR, or NULL."""

    @property
    def block_bytes(self) -> int:
        """What the input must be a multiple of; 1 for CTR and NULL."""

    @property
    def iv_bytes(self) -> int:
        """Octets of ``iv``: the block in CBC, the whole initial counter block in CTR, 0 for NULL."""

    def encrypt(self, iv: bytes, plaintext: bytes) -> bytes:
        """The ciphertext, as long as the plaintext.

        Raises:
            ProviderError: a length is wrong, or the library failed.
        """

    def decrypt(self, iv: bytes, ciphertext: bytes) -> bytes:
        """The plaintext. What was not authenticated first must not be decrypted.

        Raises:
            ProviderError: a length is wrong, or the library failed.
        """


class Mac(Protocol):
    """A message authentication code under one key."""

    @property
    def icv_bytes(self) -> int:
        """Octets of the ICV that IKE and ESP carry; the MAC itself may be longer."""

    def authenticate(self, message: bytes) -> bytes:
        """The MAC, not truncated.

        Raises:
            ProviderError: the library failed.
        """

    def verify(self, message: bytes, icv: bytes) -> None:
        """Accept a truncated MAC of exactly :attr:`icv_bytes` octets.

        Raises:
            RejectedError: the ICV has another length or does not match.
            ProviderError: the library failed.
        """


class NonceMac(Protocol):
    """A message authentication code that takes a nonce: AES-GMAC (RFC 4543)."""

    @property
    def icv_bytes(self) -> int:
        """Octets of the ICV."""

    def authenticate(self, nonce: bytes, message: bytes) -> bytes:
        """The MAC.

        Raises:
            ProviderError: the nonce has the wrong length, or the library failed.
        """

    def verify(self, nonce: bytes, message: bytes, icv: bytes) -> None:
        """Accept a MAC of exactly :attr:`icv_bytes` octets.

        Raises:
            RejectedError: the ICV has another length or does not match.
            ProviderError: the library failed.
        """


class Prf(Protocol):
    """A pseudo-random function of IKE under one key."""

    @property
    def output_bytes(self) -> int:
        """Octets of output."""

    def compute(self, seed: bytes) -> bytes:
        """``prf(K, S)``.

        Raises:
            ProviderError: the library failed.
        """

    def expand(self, seed: bytes, length_bytes: int) -> bytes:
        """The first octets of ``prf+(K, S)`` (RFC 7296 section 2.13).

        Raises:
            ProviderError: more than 255 outputs are asked for, which is undefined, or the library failed.
        """


class KeyPair(Protocol):
    """A private key of one key exchange, with its public value."""

    @property
    def public(self) -> bytes:
        """Key Exchange Data as IKE carries it (RFC 7296 section 3.4; RFC 5903: x and y; RFC 8031)."""

    def agree(self, peer_public: bytes) -> bytes:
        """The shared secret as IKE uses it: leading zeros kept, for ECP groups the x coordinate.

        Raises:
            RejectedError: the peer's value fails the checks of RFC 6989 or RFC 7748.
            ProviderError: the library failed.
        """


class KeyExchange(Protocol):
    """One Diffie-Hellman method."""

    @property
    def exponent_bits(self) -> int | None:
        """Length of the private exponents that :meth:`generate` makes in MODP groups; None for the others."""

    def generate(self) -> KeyPair:
        """A fresh key pair.

        Raises:
            ProviderError: the library failed.
        """

    def load(self, private: bytes) -> KeyPair:
        """The key pair of a private key: a big-endian number, or the octets of RFC 7748 for X25519 and X448.

        Raises:
            ProviderError: the octets are no private key of the method.
        """


class DecapsulationKey(Protocol):
    """The private key of a key encapsulation, with its public key."""

    @property
    def public(self) -> bytes:
        """The encapsulation key (FIPS 203)."""

    def decapsulate(self, ciphertext: bytes) -> bytes:
        """The shared secret; for a forged ciphertext of the right length another secret (FIPS 203: implicit rejection).

        Raises:
            RejectedError: the ciphertext has the wrong length.
            ProviderError: the library failed.
        """


class KeyEncapsulation(Protocol):
    """One key encapsulation mechanism."""

    def generate(self) -> DecapsulationKey:
        """A fresh decapsulation key.

        Raises:
            ProviderError: the library failed.
        """

    def load(self, private: bytes) -> DecapsulationKey:
        """The decapsulation key of a 64-octet seed or, where the library takes it, of the expanded key.

        Raises:
            ProviderError: the octets are no private key, or the library does not take this form.
        """

    def encapsulate(self, public: bytes) -> tuple[bytes, bytes]:
        """A fresh ciphertext and its shared secret, in this order.

        Raises:
            RejectedError: the octets are no encapsulation key.
            ProviderError: the library failed.
        """


class Signer(Protocol):
    """A private key that signs."""

    @property
    def public(self) -> bytes:
        """The public key as SubjectPublicKeyInfo in DER (RFC 5280)."""

    def sign(self, message: bytes) -> bytes:
        """The signature as IKE carries it (RFC 7427, RFC 8420).

        RSA is RSASSA-PSS with the same hash in MGF1 and a salt as long as the hash (RFC 8247 section 3.2); ECDSA is an
        Ecdsa-Sig-Value in DER; EdDSA is that of RFC 8032 without a context.

        Raises:
            ProviderError: the library failed.
        """


class Verifier(Protocol):
    """A public key that verifies."""

    def verify(self, message: bytes, signature: bytes) -> None:
        """Accept a signature.

        Raises:
            RejectedError: the signature is not valid.
            ProviderError: the library failed.
        """


class PublicKey(Protocol):
    """A public key of a certificate or of a peer, that verifies with any signature scheme that fits it."""

    @property
    def key_type(self) -> str:
        """``rsa``, ``ecdsa-256``, ``ecdsa-384``, ``ecdsa-521``, ``ed25519`` or ``ed448``."""

    @property
    def key_bits(self) -> int:
        """Length of the modulus or of the order of the curve."""

    @property
    def spki(self) -> bytes:
        """SubjectPublicKeyInfo in DER (RFC 5280 section 4.1)."""

    def verify(self, scheme_name: str, message: bytes, signature: bytes) -> None:
        """Accept a signature.

        Args:
            scheme_name: a name of :data:`ipsecbench.algorithms.signatures.SIGNATURE_SCHEMES`.
            message: the octets that were signed.
            signature: as IKE carries it.

        Raises:
            RejectedError: the signature is not valid, or the key is not of the scheme.
        """


class PrivateKey(Protocol):
    """A private key that signs with any signature scheme that fits it."""

    @property
    def key_type(self) -> str:
        """See :attr:`PublicKey.key_type`."""

    @property
    def key_bits(self) -> int:
        """See :attr:`PublicKey.key_bits`."""

    @property
    def public(self) -> bytes:
        """Its SubjectPublicKeyInfo in DER."""

    def sign(self, scheme_name: str, message: bytes) -> bytes:
        """The signature as IKE carries it.

        Args:
            scheme_name: a name of :data:`ipsecbench.algorithms.signatures.SIGNATURE_SCHEMES`.
            message: the octets to sign.

        Raises:
            ProviderError: the key is not of the scheme, or the library failed.
        """


class Certificate(Protocol):
    """An X.509 certificate that could be read; nothing is said about trust in it."""

    @property
    def der(self) -> bytes:
        """The certificate as it came."""

    @property
    def subject(self) -> bytes:
        """The subject's Name in DER."""

    @property
    def issuer(self) -> bytes:
        """The issuer's Name in DER."""

    @property
    def serial(self) -> int:
        """Serial number, unique under one issuer."""

    @property
    def public_key(self) -> PublicKey:
        """The subject's key."""

    @property
    def sha1_key_identifier(self) -> bytes:
        """SHA-1 of the SubjectPublicKeyInfo, by which an IKEv2 CERTREQ names an authority (RFC 7296 section 3.7)."""

    def matches(self, id_type: int, id_data: bytes) -> bool:
        """Whether the certificate is one of an IKE identity (RFC 4945 section 3.1); never raises.

        Args:
            id_type: number of the ID payload: ID_DER_ASN1_DN is the subject; ID_IPV4_ADDR, ID_IPV6_ADDR, ID_FQDN and
                ID_RFC822_ADDR are in subjectAltName; any other matches nothing.
            id_data: Identification Data.
        """


class PublicKeyInfrastructure(Protocol):
    """Certificates (RFC 5280 as IKE uses it, RFC 4945), private keys and distinguished names.

    Nothing is ever fetched: no CRL, no OCSP, no certificate by its URL.
    """

    def load_certificate(self, der: bytes) -> Certificate:
        """Read a certificate.

        Raises:
            RejectedError: the octets are no certificate, or its key cannot be used here.
        """

    def load_certificates(self, encoded: bytes) -> tuple[Certificate, ...]:
        """Read a file of certificates: one in DER, or one or more in PEM with anything between them.

        Raises:
            RejectedError: there is none, or one that cannot be read or used.
        """

    def load_private_key(self, encoded: bytes) -> PrivateKey:
        """Read a private key, not encrypted, from DER or PEM (PKCS #8, or the older form of its kind).

        Raises:
            RejectedError: the octets are no private key, or not one that can be used here.
        """

    def verify_chain(
        self,
        leaf: Certificate,
        intermediates: Sequence[Certificate],
        anchors: Sequence[Certificate],
        unix_time: float,
    ) -> None:
        """Accept a certificate of a peer that chains to a trust anchor.

        Args:
            leaf: the certificate whose key signed.
            intermediates: what the peer sent beside it, in any order, and what is known here.
            anchors: certificates that are trusted; the leaf itself may be one.
            unix_time: now.

        Raises:
            RejectedError: there is no such chain; one line with the reason of the chain that came furthest.
        """

    def distinguished_name(self, text: str) -> bytes:
        """The Name in DER of a text such as ``C=CH, O=Lab, CN=moon``, in this order.

        Raises:
            UsageError: the text is no distinguished name; the message says which part is wrong.
        """

    def distinguished_name_text(self, name: bytes) -> str:
        """A Name in DER for people, printable whatever the octets are; never raises."""

    def names_equal(self, left: bytes, right: bytes) -> bool:
        """Whether two Names in DER are the same name (RFC 5280 section 7.1): kinds of strings, case and runs of spaces
        do not count. Octets that are no Name equal themselves only; never raises."""


class Provider(Protocol):
    """One cryptographic library.

    Every factory raises ``UnsupportedError`` when the library has no such algorithm, with the reason in one line, and
    ``ProviderError`` when a key cannot be used.
    """

    @property
    def name(self) -> str:
        """Name of the provider, as in a dataset."""

    def library_info(self) -> LibraryInfo:
        """What was loaded."""

    def aead(self, algorithm: str, key: bytes) -> Aead:
        """GCM, CCM or ChaCha20-Poly1305; ``key`` is without the salt."""

    def cipher(self, algorithm: str, key: bytes) -> Cipher:
        """CBC, CTR or NULL; ``key`` is without the salt."""

    def mac(self, algorithm: str, key: bytes) -> Mac:
        """HMAC, AES-XCBC or AES-CMAC."""

    def nonce_mac(self, algorithm: str, key: bytes) -> NonceMac:
        """AES-GMAC; ``key`` is without the salt."""

    def prf(self, algorithm: str, key: bytes) -> Prf:
        """A PRF of IKE; ``key`` may have any length."""

    def key_exchange(self, algorithm: str, exponent_bits: int | None = None) -> KeyExchange:
        """A Diffie-Hellman method; ``exponent_bits`` replaces the usual length of a MODP group's exponent."""

    def key_encapsulation(self, algorithm: str) -> KeyEncapsulation:
        """ML-KEM."""

    def signer(self, algorithm: str, private_key: bytes) -> Signer:
        """A signature algorithm with a PrivateKeyInfo in DER (PKCS #8, RFC 5208), not encrypted."""

    def verifier(self, algorithm: str, public_key: bytes) -> Verifier:
        """A signature algorithm with a SubjectPublicKeyInfo in DER."""
