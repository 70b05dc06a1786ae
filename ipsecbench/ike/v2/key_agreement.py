"""One key exchange between two ends: Diffie-Hellman or a key encapsulation, behind one surface.

RFC 7296 section 2.12, RFC 6989 (checks of public values, which the providers make), and for ML-KEM
draft-ietf-ipsecme-ikev2-mlkem: the initiator sends an encapsulation key, the responder a ciphertext. A fresh key is
made for every exchange; none is used twice.
"""

from __future__ import annotations

from ipsecbench.algorithms.key_exchange import KeyExchangeMethod
from ipsecbench.errors import MalformedError, RejectedError
from ipsecbench.ike.v2.identifiers import NotifyType
from ipsecbench.ike.v2.payloads import KeyExchange
from ipsecbench.providers.interface import DecapsulationKey, KeyPair, Provider
from ipsecbench.secret import Secret


def _check_length(method: KeyExchangeMethod, data: bytes, wanted: int) -> None:
    """The length is fixed for each method: what is of another never reaches a library."""
    if len(data) != wanted:
        raise MalformedError(
            f"key exchange data of {len(data)} octets for {method.name}, which has {wanted}", NotifyType.INVALID_SYNTAX
        )


def _refused(method: KeyExchangeMethod, error: RejectedError) -> MalformedError:
    return MalformedError(f"key exchange data for {method.name} is not valid: {error}", NotifyType.INVALID_SYNTAX)


class KeyAgreement:
    """The initiator's half of one key exchange.

    Args:
        cryptography: where the method comes from.
        method: the method.
    """

    __slots__ = ("_key", "method", "payload")

    def __init__(self, cryptography: Provider, method: KeyExchangeMethod) -> None:
        self.method = method
        self._key: KeyPair | DecapsulationKey
        if method.kem:
            self._key = cryptography.key_encapsulation(method.name).generate()
        else:
            self._key = cryptography.key_exchange(method.name).generate()
        self.payload = KeyExchange(method.ikev2_id, self._key.public)
        """What is sent."""

    def complete(self, answer: KeyExchange) -> Secret:
        """The shared secret.

        Raises:
            MalformedError: the answer is of another method, of the wrong length, or not a valid public value.
        """
        method = self.method
        if answer.method != method.ikev2_id:
            raise MalformedError(f"key exchange data of method {answer.method}, not of {method.name}")
        _check_length(method, answer.data, method.responder_bytes)
        try:
            if method.kem:
                return Secret(self._key.decapsulate(answer.data))  # type: ignore[union-attr]
            return Secret(self._key.agree(answer.data))  # type: ignore[union-attr]
        except RejectedError as error:
            raise _refused(method, error) from error


def respond_key_exchange(
    cryptography: Provider, method: KeyExchangeMethod, offer: KeyExchange
) -> tuple[KeyExchange, Secret]:
    """The responder's half of one key exchange: what is answered, and the shared secret.

    Raises:
        MalformedError: the offer is of the wrong length, or not a valid public value.
    """
    _check_length(method, offer.data, method.initiator_bytes)
    try:
        if method.kem:
            ciphertext, secret = cryptography.key_encapsulation(method.name).encapsulate(offer.data)
            return KeyExchange(method.ikev2_id, ciphertext), Secret(secret)
        pair = cryptography.key_exchange(method.name).generate()
        return KeyExchange(method.ikev2_id, pair.public), Secret(pair.agree(offer.data))
    except RejectedError as error:
        raise _refused(method, error) from error
