"""Keying material of IKEv2: of the IKE SA, of its Child SAs, and with more than one key exchange.

RFC 7296 sections 2.13, 2.14, 2.17 and 2.18, RFC 8784 (post-quantum pre-shared keys), RFC 9370 (additional key
exchanges). Nonces are the values alone; shared secrets are as long as the method says, leading zeros kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ipsecbench.ike.events import SaKeys
from ipsecbench.ike.v2.proposals import EspSuite, IkeSuite
from ipsecbench.providers.interface import Prf, Provider
from ipsecbench.secret import Secret

FIXED_KEY_PRFS = frozenset({"prfaesxcbc", "prfaescmac"})
"""PRFs for which SKEYSEED takes only the first 64 bits of each nonce as its key (RFC 7296 section 2.14)."""
FIXED_KEY_NONCE_BYTES = 8
"""These 64 bits."""


@dataclass(frozen=True, slots=True)
class IkeKeys:
    """The seven secrets of an IKE SA (RFC 7296 section 2.14)."""

    sk_d: Secret
    """Derives new keys."""
    sk_ai: Secret
    """Integrity of messages from the initiator; empty beside a combined mode."""
    sk_ar: Secret
    """Integrity of messages from the responder."""
    sk_ei: Secret
    """Encryption of messages from the initiator, salt included."""
    sk_er: Secret
    """Encryption of messages from the responder."""
    sk_pi: Secret
    """For the AUTH payload of the initiator."""
    sk_pr: Secret
    """For the AUTH payload of the responder."""

    @property
    def for_key_log(self) -> dict[str, Secret]:
        """The keys that decrypt messages, as the events carry them."""
        keys = {"sk_ei": self.sk_ei, "sk_er": self.sk_er, "sk_ai": self.sk_ai, "sk_ar": self.sk_ar}
        return {name: secret for name, secret in keys.items() if len(secret)}


@dataclass(frozen=True, slots=True)
class ChildKeys:
    """Keys of the two SAs of a Child SA, by the role in the exchange that made it, not in the IKE SA."""

    from_initiator: SaKeys
    """Of the initiator's packets."""
    from_responder: SaKeys
    """Of the responder's packets."""

    def inbound(self, is_initiator: bool) -> SaKeys:
        """Of the packets that an end receives."""
        return self.from_responder if is_initiator else self.from_initiator

    def outbound(self, is_initiator: bool) -> SaKeys:
        """Of the packets that an end sends."""
        return self.from_initiator if is_initiator else self.from_responder


class _Stream:
    """Takes keys in their order out of what prf+ gave."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._position = 0

    def take(self, count: int) -> Secret:
        self._position += count
        return Secret(self._octets[self._position - count : self._position])


def first_skeyseed(
    cryptography: Provider, suite: IkeSuite, shared_secret: Secret, nonce_i: bytes, nonce_r: bytes
) -> Secret:
    """``SKEYSEED = prf(Ni | Nr, g^ir)`` (RFC 7296 section 2.14).

    Args:
        cryptography: provider.
        suite: transforms of the IKE SA.
        shared_secret: of the key exchange of IKE_SA_INIT.
        nonce_i: initiator's nonce.
        nonce_r: responder's nonce.
    """
    if suite.prf.name in FIXED_KEY_PRFS:
        nonce_i, nonce_r = nonce_i[:FIXED_KEY_NONCE_BYTES], nonce_r[:FIXED_KEY_NONCE_BYTES]
    return Secret(cryptography.prf(suite.prf.name, nonce_i + nonce_r).compute(shared_secret.reveal()))


def rekeyed_skeyseed(old_sk_d: Prf, shared_secrets: Sequence[Secret], nonce_i: bytes, nonce_r: bytes) -> Secret:
    """``SKEYSEED = prf(SK_d (old), SK(0) | Ni | Nr | SK(1) | … SK(n))`` of a rekeyed IKE SA.

    RFC 7296 section 2.18, RFC 9370 section 2.2.4. With one secret it is also SKEYSEED(n) after an additional key
    exchange of a new IKE SA (RFC 9370 section 2.2.2).

    Args:
        old_sk_d: the old IKE SA's PRF under its SK_d, since the exchange belongs to the old IKE SA.
        shared_secrets: of the key exchange of CREATE_CHILD_SA, and of the additional ones in their order.
        nonce_i: nonce of the initiator of the exchange.
        nonce_r: nonce of the responder.
    """
    return Secret(old_sk_d.compute(_seed(shared_secrets, nonce_i, nonce_r)))


def _seed(shared_secrets: Sequence[Secret], nonce_i: bytes, nonce_r: bytes) -> bytes:
    first = b"".join(secret.reveal() for secret in shared_secrets[:1])
    return first + nonce_i + nonce_r + b"".join(secret.reveal() for secret in shared_secrets[1:])


def ike_keys(
    cryptography: Provider,
    suite: IkeSuite,
    skeyseed: Secret,
    nonce_i: bytes,
    nonce_r: bytes,
    spi_i: bytes,
    spi_r: bytes,
) -> IkeKeys:
    """``{SK_d | SK_ai | SK_ar | SK_ei | SK_er | SK_pi | SK_pr} = prf+ (SKEYSEED, Ni | Nr | SPIi | SPIr)``.

    Args:
        cryptography: provider.
        suite: transforms of the new IKE SA.
        skeyseed: SKEYSEED.
        nonce_i: initiator's nonce.
        nonce_r: responder's nonce.
        spi_i: initiator's SPI of the new IKE SA.
        spi_r: responder's SPI of the new IKE SA.
    """
    prf_bytes = suite.prf.output_bytes
    integrity_bytes = 0 if suite.integrity is None else suite.integrity.key_bytes
    encryption_bytes = suite.encryption.keymat_bytes
    prf = cryptography.prf(suite.prf.name, skeyseed.reveal())
    total = 3 * prf_bytes + 2 * (integrity_bytes + encryption_bytes)
    stream = _Stream(prf.expand(nonce_i + nonce_r + spi_i + spi_r, total))
    lengths = prf_bytes, integrity_bytes, integrity_bytes, encryption_bytes, encryption_bytes, prf_bytes, prf_bytes
    return IkeKeys(*(stream.take(length) for length in lengths))


def with_ppk(cryptography: Provider, suite: IkeSuite, keys: IkeKeys, ppk: Secret) -> IkeKeys:
    """The keys of a new IKE SA with a post-quantum pre-shared key mixed in (RFC 8784 section 3).

    Never for a rekeyed IKE SA.
    """
    prf = cryptography.prf(suite.prf.name, ppk.reveal())
    names = "sk_d", "sk_pi", "sk_pr"
    secrets: list[Secret] = [getattr(keys, name) for name in names]
    mixed = (Secret(prf.expand(secret.reveal(), len(secret))) for secret in secrets)
    return replace(keys, **dict(zip(names, mixed, strict=True)))


def child_keys(
    sk_d: Prf, suite: EspSuite, nonce_i: bytes, nonce_r: bytes, shared_secrets: Sequence[Secret] = ()
) -> ChildKeys:
    """``KEYMAT = prf+(SK_d, [SK(0)] | Ni | Nr [| SK(1) | … SK(n)])`` (RFC 7296 section 2.17, RFC 9370 section 2.2.4).

    Args:
        sk_d: the IKE SA's PRF under its SK_d.
        suite: transforms of the Child SA.
        nonce_i: nonce of the initiator of the exchange; of IKE_SA_INIT for the first Child SA.
        nonce_r: nonce of the responder.
        shared_secrets: of the exchange's own key exchanges in their order; none without perfect forward secrecy.
    """
    integrity_bytes = 0 if suite.integrity is None else suite.integrity.key_bytes
    encryption_bytes = suite.encryption.keymat_bytes
    seed = _seed(shared_secrets, nonce_i, nonce_r)
    stream = _Stream(sk_d.expand(seed, 2 * (encryption_bytes + integrity_bytes)))

    def one() -> SaKeys:
        encryption = stream.take(encryption_bytes)
        return SaKeys(encryption, stream.take(integrity_bytes) if integrity_bytes else None)

    return ChildKeys(one(), one())
