"""Certificates, private keys and distinguished names for IKE, with the library ``cryptography``."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Sequence

from ipsecbench.errors import RejectedError
from ipsecbench.providers.certificate_path import verify_path
from ipsecbench.providers.distinguished_name import encode_name, name_text, names_equal
from ipsecbench.providers.interface import Certificate
from ipsecbench.providers.pyca_certificates import PycaCertificate
from ipsecbench.providers.pyca_keys import PycaPrivateKey

_MOST_CERTIFICATES = 1000
_PEM_BLOCK = re.compile(rb"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----")


class PycaPublicKeyInfrastructure:
    """See :class:`ipsecbench.providers.interface.PublicKeyInfrastructure`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "PycaPublicKeyInfrastructure()"

    def load_certificate(self, der: bytes) -> PycaCertificate:
        """See :meth:`ipsecbench.providers.interface.PublicKeyInfrastructure.load_certificate`."""
        return PycaCertificate(der)

    def load_certificates(self, encoded: bytes) -> tuple[PycaCertificate, ...]:
        """See :meth:`ipsecbench.providers.interface.PublicKeyInfrastructure.load_certificates`."""
        if b"-----BEGIN" not in encoded:
            return (PycaCertificate(encoded),)
        blocks = _PEM_BLOCK.findall(encoded)
        if not blocks or len(blocks) > _MOST_CERTIFICATES:
            raise RejectedError(f"{len(blocks)} blocks of CERTIFICATE in PEM: there must be 1 to {_MOST_CERTIFICATES}")
        try:
            return tuple(PycaCertificate(b64decode(block)) for block in blocks)
        except Base64Error as error:
            raise RejectedError(f"a certificate in PEM cannot be read: {error}") from error

    def load_private_key(self, encoded: bytes) -> PycaPrivateKey:
        """See :meth:`ipsecbench.providers.interface.PublicKeyInfrastructure.load_private_key`."""
        return PycaPrivateKey(encoded)

    def verify_chain(
        self,
        leaf: Certificate,
        intermediates: Sequence[Certificate],
        anchors: Sequence[Certificate],
        unix_time: float,
    ) -> None:
        """See :meth:`ipsecbench.providers.interface.PublicKeyInfrastructure.verify_chain`."""
        verify_path(_own(leaf), [_own(each) for each in intermediates], [_own(each) for each in anchors], unix_time)

    def distinguished_name(self, text: str) -> bytes:
        """See :meth:`ipsecbench.providers.interface.PublicKeyInfrastructure.distinguished_name`."""
        return encode_name(text)

    def distinguished_name_text(self, name: bytes) -> str:
        """See :meth:`ipsecbench.providers.interface.PublicKeyInfrastructure.distinguished_name_text`."""
        return name_text(name)

    def names_equal(self, left: bytes, right: bytes) -> bool:
        """See :meth:`ipsecbench.providers.interface.PublicKeyInfrastructure.names_equal`."""
        return names_equal(left, right)


def _own(certificate: Certificate) -> PycaCertificate:
    return certificate if isinstance(certificate, PycaCertificate) else PycaCertificate(certificate.der)
