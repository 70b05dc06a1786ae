"""What both of strongSwan's configuration files have in common: what it cannot do, and how a peer must sign."""

from __future__ import annotations

from ipsecbench.algorithms.authentication import AUTHENTICATION
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.export.connection import Connection


def strongswan_refusals(connection: Connection, version: str) -> tuple[str, ...]:
    """What strongSwan at a version does not have, one line each."""
    lines: list[str] = []
    if version == "5.9":
        kems = [name for name in connection.key_exchange_methods if KEY_EXCHANGE[name].kem]
        lines += [f"strongSwan 5.9 has no {name}: it came with 6.0" for name in kems]
        if connection.has_additional_key_exchanges:
            lines.append("strongSwan 5.9 has no additional key exchanges (RFC 9370): they came with 6.0")
    return tuple(lines)


def signature_constraint(connection: Connection) -> str:
    """strongSwan's word for how an end signs, of itself and as it is expected of the peer: key type and hash.

    ``ike:`` makes it a constraint on IKE's signatures alone: how the authority signs certificates is its own affair.
    The hash of EdDSA is ``identity`` (RFC 8420); IKEv1 fixes the hash by its own means.
    """
    row = AUTHENTICATION[connection.authentication]
    kind = row.name.partition("-")[0]
    if connection.ike_version == 1:
        return "pubkey"
    return f"ike:{kind}-{row.hash_name or 'identity'}"


def certificate_lines(connection: Connection, folder: str) -> tuple[str, ...]:
    """Where certificates go; nothing where both ends have a pre-shared key."""
    if connection.uses_psk:
        return ()
    return (
        f"Certificates ({connection.authentication}, subjectAltName {connection.local.identity}): this end's in "
        f"{folder}/x509/local.pem, its key in {folder}/private/local.pem (mode 0600), the authority's in "
        f"{folder}/x509ca/ca.pem.",
    )
