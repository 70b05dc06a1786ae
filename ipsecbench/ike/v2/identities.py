"""Which identity an end has, and which one it expects of its peer (RFC 7296 section 3.5, RFC 4945 section 3.1)."""

from __future__ import annotations

from ipsecbench.ike.configuration import AuthMethod, ConnectionConfiguration
from ipsecbench.ike.identification import Identity, IdType, address_identity
from ipsecbench.ike.path import Path
from ipsecbench.providers.interface import PublicKeyInfrastructure


def local(connection: ConnectionConfiguration, path: Path) -> Identity:
    """The identity that this end sends: as configured, else its certificate's subject, else its address."""
    authentication = connection.local
    if authentication.identity is not None:
        return authentication.identity
    if authentication.method is AuthMethod.PUBKEY and authentication.certificates:
        return Identity(IdType.ID_DER_ASN1_DN, authentication.certificates[0].subject)
    return address_identity(path.local.host)


def remote(connection: ConnectionConfiguration, path: Path) -> Identity:
    """The identity that the peer is expected to have, for people to read; any other may do where none is configured."""
    return connection.remote.identity or address_identity(path.remote.host)


def same(left: Identity, right: Identity, certificates: PublicKeyInfrastructure) -> bool:
    """Whether two identities are the same; Names are compared as such, all else octet by octet."""
    if left == right:
        return True
    if left.id_type == right.id_type == IdType.ID_DER_ASN1_DN:
        return certificates.names_equal(left.data, right.data)
    return False


def fits(wanted: Identity | None, got: Identity, certificates: PublicKeyInfrastructure) -> bool:
    """Whether a peer may have an identity; without a wish any."""
    return wanted is None or same(wanted, got, certificates)
