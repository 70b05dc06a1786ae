"""Verification of a certification path for IKE (RFC 5280 section 6, with the profile of RFC 4945 section 5).

Done: validity, signatures without MD5 and SHA-1, basicConstraints with its path length, keyUsage, extendedKeyUsage,
unknown critical extensions. A path with name constraints is refused, whether they are critical or not: to ignore them
would let an authority sign for more than it may. Not done: revocation (no CRL, no OCSP), policies. No address in a
certificate is ever fetched.

The search is bounded in length and in signatures that it verifies, because all but the anchors come from the peer.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from ipsecbench.errors import RejectedError
from ipsecbench.providers.distinguished_name import is_empty, name_text
from ipsecbench.providers.pyca_certificates import PycaCertificate

LONGEST_PATH = 8
"""Most certificates of a path, the leaf and the anchor included."""
MOST_SIGNATURES = 16
"""Most signatures that are verified for one leaf."""
_MOST_INTERMEDIATES = 32

_BASIC_CONSTRAINTS, _KEY_USAGE, _EXTENDED_KEY_USAGE = "2.5.29.19", "2.5.29.15", "2.5.29.37"
_SUBJECT_ALT_NAME, _NAME_CONSTRAINTS, _CERTIFICATE_POLICIES = "2.5.29.17", "2.5.29.30", "2.5.29.32"
_UNDERSTOOD = frozenset(
    # Any policy is acceptable here, so that a list of policies never changes the answer (RFC 5280 section 6.1.1).
    (_BASIC_CONSTRAINTS, _KEY_USAGE, _EXTENDED_KEY_USAGE, _SUBJECT_ALT_NAME, _NAME_CONSTRAINTS, _CERTIFICATE_POLICIES)
)
_PURPOSES = frozenset(
    (
        "2.5.29.37.0",  # anyExtendedKeyUsage
        "1.3.6.1.5.5.7.3.1",  # id-kp-serverAuth
        "1.3.6.1.5.5.7.3.2",  # id-kp-clientAuth
        "1.3.6.1.5.5.7.3.17",  # id-kp-ipsecIKE (RFC 4945 section 5.1.3.12)
    )
)


def verify_path(
    leaf: PycaCertificate,
    intermediates: Sequence[PycaCertificate],
    anchors: Sequence[PycaCertificate],
    unix_time: float,
) -> None:
    """See :meth:`ipsecbench.providers.interface.PublicKeyInfrastructure.verify_chain`."""
    now = datetime.fromtimestamp(unix_time, UTC)
    _check_each(leaf, now)
    _check_leaf(leaf)
    if any(leaf.der == anchor.der for anchor in anchors):
        return
    _Search(intermediates[:_MOST_INTERMEDIATES], anchors, now).climb([leaf])


def _shown(certificate: PycaCertificate) -> str:
    return f"certificate {name_text(certificate.subject)!r}"


def _check_each(certificate: PycaCertificate, now: datetime) -> None:
    if now < certificate.not_before:
        raise RejectedError(f"{_shown(certificate)} is not valid before {certificate.not_before:%Y-%m-%d %H:%M:%S} UTC")
    if now > certificate.not_after:
        raise RejectedError(f"{_shown(certificate)} expired on {certificate.not_after:%Y-%m-%d %H:%M:%S} UTC")
    unknown = certificate.critical_extensions - _UNDERSTOOD
    if unknown:
        raise RejectedError(f"{_shown(certificate)} has a critical extension not understood here: {min(unknown)}")
    if certificate.name_constraints:
        raise RejectedError(f"{_shown(certificate)} has name constraints, which are not evaluated here")
    purposes = certificate.extended_key_usage
    if purposes is not None and not purposes & _PURPOSES:
        raise RejectedError(f"{_shown(certificate)} is not for IKE (extendedKeyUsage)")


def _check_leaf(leaf: PycaCertificate) -> None:
    usage = leaf.key_usage
    if usage is not None and not usage & {"digital_signature", "content_commitment"}:
        raise RejectedError(f"{_shown(leaf)} is not for signatures (keyUsage)")


def _check_issuer(issuer: PycaCertificate, below: Sequence[PycaCertificate]) -> None:
    """Whether a certificate may sign others.

    Args:
        issuer: the certificate.
        below: the path from the leaf up to what it signed.
    """
    if not issuer.authority:
        raise RejectedError(f"{_shown(issuer)} is not that of an authority (basicConstraints)")
    if issuer.key_usage is not None and "key_cert_sign" not in issuer.key_usage:
        raise RejectedError(f"{_shown(issuer)} is not for signing certificates (keyUsage)")
    # RFC 5280 section 4.2.1.9: the leaf and self-issued certificates do not count.
    between = sum(each.subject != each.issuer for each in below[1:])
    if issuer.path_length is not None and between > issuer.path_length:
        raise RejectedError(f"{_shown(issuer)} allows {issuer.path_length} authorities below it, not {between}")


class _Search:
    """Climbs from the leaf to an anchor, depth first."""

    def __init__(
        self, intermediates: Sequence[PycaCertificate], anchors: Sequence[PycaCertificate], now: datetime
    ) -> None:
        self._anchors = anchors
        self._intermediates = intermediates
        self._now = now
        self._signatures = 0

    def climb(self, path: list[PycaCertificate]) -> None:
        """Accept a path that continues a piece of one.

        Raises:
            RejectedError: none does; the reason is that of the piece that came furthest.
        """
        top = path[-1]
        used = {each.der for each in path}
        if is_empty(top.issuer):
            raise RejectedError(f"{_shown(top)} names no issuer")
        reason: RejectedError | None = None
        for anchored, candidates in ((True, self._anchors), (False, self._intermediates)):
            for issuer in candidates:
                if issuer.subject != top.issuer or issuer.der in used:
                    continue
                used.add(issuer.der)
                try:
                    self._step(path, issuer)
                    if not anchored:
                        self.climb([*path, issuer])
                except RejectedError as error:
                    reason = error
                else:
                    return
        raise reason or RejectedError(
            f"{_shown(top)}: there is no certificate of its issuer {name_text(top.issuer)!r} that is trusted"
        )

    def _step(self, path: list[PycaCertificate], issuer: PycaCertificate) -> None:
        if len(path) >= LONGEST_PATH:
            raise RejectedError(f"the path from {_shown(path[0])} has more than {LONGEST_PATH} certificates")
        _check_each(issuer, self._now)
        _check_issuer(issuer, path)
        # Signatures last: they are what costs.
        if self._signatures >= MOST_SIGNATURES:
            raise RejectedError(f"the path from {_shown(path[0])} takes more than {MOST_SIGNATURES} signatures to find")
        self._signatures += 1
        try:
            path[-1].verify_issued_by(issuer)
        except RejectedError as error:
            raise RejectedError(
                f"{_shown(path[-1])} is not signed by {name_text(issuer.subject)!r}: {error}"
            ) from error
