"""The AUTH payload: what is signed, by which method, and what of a peer is accepted.

RFC 7296 section 2.15 (pre-shared key, RSA), RFC 4754 (ECDSA), RFC 7427 (Digital Signature), RFC 8420 (EdDSA), RFC 9242
(what IKE_INTERMEDIATE adds). Whether a public key belongs to the identity that a peer names is not judged here.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Set
from hmac import compare_digest

from ipsecbench.algorithms.signatures import (
    IKEV2_DIGITAL_SIGNATURE,
    IKEV2_HASH_IDS,
    IKEV2_METHOD_SCHEMES,
    SIGNATURE_SCHEMES,
    SignatureScheme,
    scheme_of_identifier,
    schemes_for_key,
)
from ipsecbench.errors import AuthenticationError, MalformedError, RejectedError
from ipsecbench.ike.v2.identifiers import AuthMethod, NotifyType
from ipsecbench.ike.v2.message import Message
from ipsecbench.ike.v2.payloads import Authentication, Notify
from ipsecbench.providers.interface import Prf, PrivateKey, Provider, PublicKey
from ipsecbench.secret import Secret

KEY_PAD = b"Key Pad for IKEv2"
"""What a pre-shared key is padded with (RFC 7296 section 2.15)."""

_SHA1 = IKEV2_HASH_IDS["sha1"]
_MESSAGE_ID = struct.Struct(">I")


class IntermediateAuthentication:
    """What the messages of IKE_INTERMEDIATE add to the signed octets (RFC 9242 section 3.3.2)."""

    __slots__ = ("_initiator", "_responder")

    def __init__(self) -> None:
        self._initiator = b""
        self._responder = b""

    def add_request(self, sk_pi: Prf, message: Message) -> None:
        """Take a protected request in, under the SK_pi from before the exchange."""
        self._initiator = sk_pi.compute(self._initiator + message.intermediate_octets)

    def add_response(self, sk_pr: Prf, message: Message) -> None:
        """Take a protected response in, under the SK_pr from before the exchange."""
        self._responder = sk_pr.compute(self._responder + message.intermediate_octets)

    def octets(self, message_id: int) -> bytes:
        """``IntAuth = IntAuth_iN | IntAuth_rN | IKE_AUTH_MID``; nothing where there was no such exchange.

        Args:
            message_id: Message ID of the first IKE_AUTH request.
        """
        if not self._initiator:
            return b""
        return self._initiator + self._responder + _MESSAGE_ID.pack(message_id)


def signed_octets(
    init_message: bytes, peer_nonce: bytes, sk_p: Prf, identification: bytes, intermediate: bytes
) -> bytes:
    """The octets that one end signs: ``RealMessage | NonceData | prf(SK_p, RestOfIDPayload) [| IntAuth]``.

    Args:
        init_message: this end's own last IKE_SA_INIT message, as sent or received, without a non-ESP marker.
        peer_nonce: the other end's nonce.
        sk_p: the IKE SA's PRF under SK_pi for the initiator's octets, SK_pr for the responder's.
        identification: body of this end's ID payload, as sent or received.
        intermediate: see :meth:`IntermediateAuthentication.octets`.
    """
    return init_message + peer_nonce + sk_p.compute(identification) + intermediate


def psk_data(cryptography: Provider, prf_name: str, psk: Secret, octets: bytes) -> bytes:
    """``AUTH = prf( prf(Shared Secret, "Key Pad for IKEv2"), <SignedOctets>)``."""
    padded = cryptography.prf(prf_name, psk.reveal()).compute(KEY_PAD)
    return cryptography.prf(prf_name, padded).compute(octets)


def psk_payload(cryptography: Provider, prf_name: str, psk: Secret, octets: bytes) -> Authentication:
    """The AUTH payload of an end that has a pre-shared key.

    Args:
        cryptography: provider.
        prf_name: PRF of the IKE SA.
        psk: the pre-shared key.
        octets: signed octets of this end.
    """
    return Authentication(AuthMethod.SHARED_KEY_MESSAGE_INTEGRITY_CODE, psk_data(cryptography, prf_name, psk, octets))


def verify_psk(
    cryptography: Provider, prf_name: str, psk: Secret, octets: bytes, authentication: Authentication
) -> None:
    """Accept the AUTH payload of a peer that must have a pre-shared key.

    Args:
        cryptography: provider.
        prf_name: PRF of the IKE SA.
        psk: the pre-shared key.
        octets: signed octets of the peer.
        authentication: the payload.

    Raises:
        AuthenticationError: it is of another method, or of another key (AUTHENTICATION_FAILED).
    """
    if authentication.method != AuthMethod.SHARED_KEY_MESSAGE_INTEGRITY_CODE:
        raise _refused(f"authentication method {authentication.method}, a pre-shared key is wanted")
    if not compare_digest(authentication.data, psk_data(cryptography, prf_name, psk, octets)):
        raise _refused("the pre-shared keys differ, or the messages were changed on the way")


def accepted_hashes(allow_sha1: bool) -> Notify:
    """SIGNATURE_HASH_ALGORITHMS: the hashes that signatures of a peer may have (RFC 7427 section 4)."""
    numbers = (number for number in IKEV2_HASH_IDS.values() if allow_sha1 or number != _SHA1)
    return Notify(NotifyType.SIGNATURE_HASH_ALGORITHMS, b"".join(number.to_bytes(2) for number in numbers))


def hashes_of(notify: Notify) -> frozenset[int]:
    """The numbers in a peer's SIGNATURE_HASH_ALGORITHMS.

    Raises:
        MalformedError: the data are no row of 2-octet numbers.
    """
    if len(notify.data) % 2:
        raise MalformedError(f"SIGNATURE_HASH_ALGORITHMS of {len(notify.data)} octets", NotifyType.INVALID_SYNTAX)
    return frozenset(number for (number,) in struct.iter_unpack(">H", notify.data))


def choose_scheme(
    key_type: str, peer_hashes: Set[int] | None, allowed: Iterable[str] = ()
) -> tuple[int, SignatureScheme]:
    """The method and the scheme to sign with (RFC 7427 section 4).

    Args:
        key_type: of the private key.
        peer_hashes: what the peer announced; None where it did not, and takes the older methods only.
        allowed: names of schemes by preference; empty for all that fit.

    Returns:
        The Auth Method and the scheme.

    Raises:
        AuthenticationError: the peer takes no signature that this key may make.
    """
    names = tuple(allowed)
    schemes = [SIGNATURE_SCHEMES[name] for name in names] if names else list(schemes_for_key(key_type))
    for scheme in schemes:
        named = scheme.algorithm_identifier and scheme.fits(key_type)
        if peer_hashes is not None and named and scheme.ikev2_hash_id in peer_hashes:
            return IKEV2_DIGITAL_SIGNATURE, scheme
    for method, name in IKEV2_METHOD_SCHEMES.items():
        scheme = SIGNATURE_SCHEMES[name]
        # RSA Digital Signature is over SHA-1: only for a peer that knows nothing better, or where it is configured.
        wanted = name in names if names else peer_hashes is None or scheme.hash_name != "sha1"
        if wanted and scheme.fits(key_type):
            return method, scheme
    raise _refused(f"the peer takes no signature that this {key_type} key may make")


def sign(
    private_key: PrivateKey, octets: bytes, peer_hashes: Set[int] | None, allowed: Iterable[str] = ()
) -> Authentication:
    """The AUTH payload of an end that has a private key.

    Args:
        private_key: its key.
        octets: signed octets of this end.
        peer_hashes: see :func:`choose_scheme`.
        allowed: see :func:`choose_scheme`.

    Raises:
        AuthenticationError: the peer takes no signature that this key may make.
    """
    method, scheme = choose_scheme(private_key.key_type, peer_hashes, allowed)
    signature = private_key.sign(scheme.name, octets)
    if method == IKEV2_DIGITAL_SIGNATURE:
        # RFC 7427 section 3: the length of the AlgorithmIdentifier, itself, and the signature.
        identifier = scheme.algorithm_identifier
        signature = bytes((len(identifier),)) + identifier + signature
    return Authentication(method, signature)


def verify_signature(
    public_key: PublicKey, octets: bytes, authentication: Authentication, *, allow_sha1: bool = False
) -> SignatureScheme:
    """Accept the AUTH payload of a peer that must have signed.

    Args:
        public_key: the key of the peer's certificate, trusted already or to be.
        octets: signed octets of the peer.
        authentication: the payload.
        allow_sha1: whether signatures over SHA-1 are accepted.

    Returns:
        The scheme that the peer used.

    Raises:
        AuthenticationError: it is of a method that is not accepted, or the signature is not valid
            (AUTHENTICATION_FAILED).
    """
    scheme, signature = _scheme_of(authentication)
    if scheme.hash_name == "sha1" and not allow_sha1:
        raise _refused(f"a signature over SHA-1 ({scheme.name}) is not accepted")
    if not scheme.fits(public_key.key_type):
        raise _refused(f"a signature by {scheme.name} with a key of type {public_key.key_type}")
    try:
        public_key.verify(scheme.name, octets, signature)
    except RejectedError as error:
        raise _refused(f"the signature by {scheme.name} is not valid: {error}") from error
    return scheme


def _scheme_of(authentication: Authentication) -> tuple[SignatureScheme, bytes]:
    method, data = authentication.method, authentication.data
    if method in IKEV2_METHOD_SCHEMES:
        return SIGNATURE_SCHEMES[IKEV2_METHOD_SCHEMES[method]], data
    if method != IKEV2_DIGITAL_SIGNATURE:
        raise _refused(f"authentication method {method}, a digital signature is wanted")
    end = 1 + data[0] if data else 1
    identifier = data[1:end]
    if len(identifier) + 1 != end:
        raise _refused("the AlgorithmIdentifier is longer than the AUTH payload")
    scheme = scheme_of_identifier(identifier)
    if scheme is None:
        raise _refused(f"AlgorithmIdentifier {identifier.hex()} is no signature scheme known here")
    return scheme, data[end:]


def _refused(reason: str) -> AuthenticationError:
    return AuthenticationError(reason, NotifyType.AUTHENTICATION_FAILED)
