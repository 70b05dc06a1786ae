"""CERTREQ: which authorities an end trusts (RFC 7296 section 3.7)."""

from __future__ import annotations

from collections.abc import Sequence

from ipsecbench.ike.configuration import AuthMethod, ConnectionConfiguration
from ipsecbench.ike.v2.identifiers import CertificateEncoding
from ipsecbench.ike.v2.message import Message
from ipsecbench.ike.v2.payloads import CertificateRequest, Payload
from ipsecbench.ike.v2.setup import Setup


def certificate_requests(connections: Sequence[ConnectionConfiguration]) -> list[Payload]:
    """CERTREQ with every authority that a peer may have its certificate from (RFC 7296 section 3.7)."""
    wanted = [connection.remote for connection in connections if connection.remote.method is AuthMethod.PUBKEY]
    if not wanted:
        return []
    keys = dict.fromkeys(ca.sha1_key_identifier for remote in wanted for ca in remote.authorities)
    return [CertificateRequest(CertificateEncoding.X509_CERTIFICATE_SIGNATURE, b"".join(keys))]


def read_certificate_requests(setup: Setup, message: Message) -> None:
    """Whether the peer asks for a certificate."""
    for payload in message.all(CertificateRequest):
        if payload.encoding == CertificateEncoding.X509_CERTIFICATE_SIGNATURE:
            setup.certificate_wanted = True
