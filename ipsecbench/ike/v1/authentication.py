"""What proves that a message is the peer's: HASH_I and HASH_R of phase 1, HASH(1) to HASH(3) of phase 2.

RFC 2409 sections 5, 5.5 and 5.7; signatures RFC 2409 section 5.1 and RFC 4754.
"""

from __future__ import annotations

from dataclasses import dataclass
from hmac import compare_digest

from ipsecbench.errors import AuthenticationError
from ipsecbench.ike.v1.keymat import Prf
from ipsecbench.secret import Secret


@dataclass(frozen=True, slots=True)
class Phase1Transcript:
    """The parts of a phase 1 exchange that both hashes cover, as they went over the wire."""

    public_i: bytes
    """g^xi, the body of the initiator's KE payload."""
    public_r: bytes
    """g^xr."""
    cookie_i: bytes
    """CKY-I."""
    cookie_r: bytes
    """CKY-R."""
    sa_i_body: bytes
    """SAi_b: the body of the initiator's SA payload, with all that was offered."""

    def hash_i(self, prf: Prf, skeyid: Secret, id_body: bytes) -> bytes:
        """HASH_I: ``prf(SKEYID, g^xi | g^xr | CKY-I | CKY-R | SAi_b | IDii_b)``."""
        parts = (self.public_i, self.public_r, self.cookie_i, self.cookie_r, self.sa_i_body, id_body)
        return prf(skeyid.reveal(), b"".join(parts))

    def hash_r(self, prf: Prf, skeyid: Secret, id_body: bytes) -> bytes:
        """HASH_R: ``prf(SKEYID, g^xr | g^xi | CKY-R | CKY-I | SAi_b | IDir_b)``."""
        parts = (self.public_r, self.public_i, self.cookie_r, self.cookie_i, self.sa_i_body, id_body)
        return prf(skeyid.reveal(), b"".join(parts))


def message_hash(prf: Prf, skeyid_a: Secret, message_id: int, payloads: bytes) -> bytes:
    """HASH(1) of quick mode and of an informational exchange: ``prf(SKEYID_a, M-ID | rest of the message)``."""
    return prf(skeyid_a.reveal(), message_id.to_bytes(4) + payloads)


def quick_mode_hash_2(prf: Prf, skeyid_a: Secret, message_id: int, nonce_i: bytes, payloads: bytes) -> bytes:
    """HASH(2) of quick mode: ``prf(SKEYID_a, M-ID | Ni_b | rest of the message)``."""
    return prf(skeyid_a.reveal(), message_id.to_bytes(4) + nonce_i + payloads)


def quick_mode_hash_3(prf: Prf, skeyid_a: Secret, message_id: int, nonce_i: bytes, nonce_r: bytes) -> bytes:
    """HASH(3) of quick mode: ``prf(SKEYID_a, 0 | M-ID | Ni_b | Nr_b)``."""
    return prf(skeyid_a.reveal(), b"\x00" + message_id.to_bytes(4) + nonce_i + nonce_r)


def check_hash(what: str, expected: bytes, received: bytes) -> None:
    """Accept a HASH payload, in constant time.

    Raises:
        AuthenticationError: it is another.
    """
    if not compare_digest(expected, received):
        # No notification: whoever damages a message must not make its receiver say something.
        raise AuthenticationError(f"{what} does not match")
