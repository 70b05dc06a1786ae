"""What both of strongSwan's configuration files have in common: what it cannot do, signatures, MTU and MSS."""

from __future__ import annotations

from ipsecbench.algorithms.authentication import AUTHENTICATION
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.export.connection import Connection
from ipsecbench.export.target import Comment, File
from ipsecbench.export.tunnel_devices import segment_size_notes

_COMMENT = Comment("# ")


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


def certificate_lines(
    connection: Connection, folder: str, places: tuple[str, str, str] = ("x509", "private", "x509ca")
) -> tuple[str, ...]:
    """Where certificates go; nothing where both ends have a pre-shared key.

    Args:
        connection: whose certificates.
        folder: of the configuration.
        places: its folders for certificates, keys and authorities.
    """
    if connection.uses_psk:
        return ()
    certificates, keys, authorities = places
    return (
        f"Certificates ({connection.authentication}, subjectAltName {connection.local.identity}): this end's in "
        f"{folder}/{certificates}/local.pem, its key in {folder}/{keys}/local.pem (mode 0600), the authority's in "
        f"{folder}/{authorities}/ca.pem.",
    )


def selector(connection: Connection) -> str:
    """What follows the address of a traffic selector in transport mode: the tunnel protocol, or nothing."""
    return "" if connection.tunnel_protocol is None else f"[{connection.tunnel_protocol}]"


def route_settings_file(connection: Connection, header: str) -> File:
    """MTU and MSS of the routes that the daemon installs (strongswan.conf, ``kernel-netlink.mtu`` and ``.mss``)."""
    mss = connection.mss_ipv4_bytes if ":" not in connection.peer.networks[0] else connection.mss_ipv6_bytes
    text = f"{header}#\n" + _COMMENT.lines(
        f"Place: /etc/strongswan.d/{connection.name}.conf. MTU and MSS of the routes that the daemon installs, "
        "those of its other connections too, for what this host sends itself, "
        f"at link MTU {connection.link_mtu_bytes}.",
    )
    text += segment_size_notes(connection, _COMMENT)
    if connection.mode == "tunnel":
        settings = {"mtu": connection.inner_mtu_bytes, "mss": mss}
        lines = "".join(f"      {name} = {value}\n" for name, value in settings.items())
        text += f"\ncharon {{\n  plugins {{\n    kernel-netlink {{\n{lines}    }}\n  }}\n}}\n"
    return File(f"strongswan.d/{connection.name}.conf", text)
