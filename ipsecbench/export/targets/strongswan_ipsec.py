"""strongSwan, ``ipsec.conf`` and ``ipsec.secrets``: the older files, read by its starter and sent over stroke.

Names and units are those of strongSwan's manual page ``ipsec.conf(5)``; ``testing/tests/ikev2-stroke/net2net-psk`` of
its sources has the same shape. The ``!`` behind a proposal keeps strongSwan from appending its defaults.
"""

from __future__ import annotations

from ipsecbench.export.connection import PSK_PLACEHOLDER, Connection, End, Life
from ipsecbench.export.shared_margin import shared_margin
from ipsecbench.export.strongswan import (
    certificate_lines,
    route_settings_file,
    selector,
    signature_constraint,
    strongswan_refusals,
)
from ipsecbench.export.target import Comment, File, Proof, Target
from ipsecbench.export.tunnel_devices import tunnel_device_notes

_KEY_WORDS = {"rsa": "RSA", "ecdsa": "ECDSA", "ed25519": "PKCS8", "ed448": "PKCS8"}


def refuse(connection: Connection, version: str) -> tuple[str, ...]:
    """What strongSwan at this version does not have; these files say all that a connection has."""
    return strongswan_refusals(connection, version)


def render(connection: Connection, version: str) -> tuple[File, ...]:
    """``ipsec.conf``, ``ipsec.secrets`` and, for MTU and MSS, ``strongswan.d/NAME.conf``."""
    header = TARGET.header(connection, version)
    notes = TARGET.comment.lines(
        "Place: /etc/ipsec.conf and /etc/ipsec.secrets (mode 0600), then: ipsec reload; ipsec rereadsecrets",
        *certificate_lines(connection, "/etc/ipsec.d", ("certs", "private", "cacerts")),
    ) + tunnel_device_notes(connection, TARGET.comment)
    return (
        File("ipsec.conf", f"{header}#\n{notes}\n{_connection(connection)}"),
        File("ipsec.secrets", f"{header}\n{_secrets(connection)}", 0o600),
        route_settings_file(connection, header),
    )


def verify(connection: Connection) -> str:
    """Shows encryption, integrity, PRF, groups and lives of the SAs that are up."""
    return f"ipsec statusall {connection.name}"


def _connection(connection: Connection) -> str:
    lives = shared_margin(connection)
    settings = {
        "keyexchange": f"ikev{connection.ike_version}",
        **({"aggressive": "yes"} if connection.aggressive else {}),
        "type": connection.esp_mode,
        **_end("left", connection.local, connection),
        **_end("right", connection.peer, connection),
        "ike": ",".join(ike.proposal for ike in connection.ike_proposals) + "!",
        "esp": ",".join(esp.proposal for esp in connection.esp_proposals) + "!",
        "ikelifetime": f"{lives.ike_seconds}s",
        "lifetime": f"{lives.child_seconds}s",
        "margintime": f"{lives.margin_seconds}s",
        "rekeyfuzz": f"{lives.fuzz_percent}%",
        **_counted_life(connection.child_life),
        # Rekeying instead of starting anew; IKEv1 cannot.
        **({"reauth": "no"} if connection.ike_version == 2 else {}),
        "replay_window": str(connection.replay_window_packets),
        "mobike": "no",
        **({"forceencaps": "yes"} if connection.nat_traversal else {}),
        "dpddelay": "30s",
        "dpdaction": "hold",
        "keyingtries": "%forever",
        "auto": "route",
    }
    return f"conn {connection.name}\n" + "".join(f"\t{name}={value}\n" for name, value in settings.items())


def _end(side: str, end: End, connection: Connection) -> dict[str, str]:
    found = {side: end.address, f"{side}id": end.identity}
    if connection.mode == "tunnel":
        found[f"{side}subnet"] = ",".join(end.networks)
    elif selector(connection):
        found[f"{side}subnet"] = f"%dynamic{selector(connection)}"
    found[f"{side}auth"] = "psk" if connection.uses_psk else signature_constraint(connection)
    if not connection.uses_psk and side == "left":
        found["leftcert"] = "local.pem"
        found["leftsendcert"] = "always"
    return found


def _counted_life(life: Life) -> dict[str, str]:
    found: dict[str, str] = {}
    if life.hard_bytes is not None and life.soft_bytes is not None:
        found |= {"lifebytes": str(life.hard_bytes), "marginbytes": str(life.hard_bytes - life.soft_bytes)}
    if life.hard_packets is not None and life.soft_packets is not None:
        found |= {"lifepackets": str(life.hard_packets), "marginpackets": str(life.hard_packets - life.soft_packets)}
    return found


def _secrets(connection: Connection) -> str:
    if not connection.uses_psk:
        word = _KEY_WORDS[connection.authentication.partition("-")[0]]
        return f": {word} local.pem\n"
    note = TARGET.comment.lines(
        "The same secret at both ends, random, at least 256 bits: head -c 32 /dev/urandom | base64"
    )
    return f'{note}{connection.local.identity} {connection.peer.identity} : PSK "{PSK_PLACEHOLDER}"\n'


TARGET = Target(
    name="strongswan-ipsec",
    title="strongSwan ipsec.conf",
    versions=("5.9", "6.0"),
    proof=Proof.NEGOTIATED,
    proof_text=(
        "version 5.9: read by strongSwan's starter at one end, swanctl.conf at the other; the SAs have exactly these "
        "algorithms and lives, also after a forced rekey; version 6.0 was not at hand"
    ),
    comment=Comment("# "),
    refuse=refuse,
    render=render,
    verify=verify,
)
