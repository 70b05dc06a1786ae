"""OpenWrt, ``/etc/config/ipsec`` (UCI): what the package strongswan-swanctl turns into swanctl.conf at start.

Options are those that its init script reads (openwrt/packages, ``net/strongswan/files/swanctl.init``): releases name
the ends ``gateway`` and ``local_ip`` and have a section for each mode; snapshots since August 2026 have
``remote_addrs``, ``local_addrs`` and one kind of ``child``. A hash beside a combined-mode transform stops the service.
"""

from __future__ import annotations

from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.integrity import INTEGRITY
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.algorithms.prf import PRF
from ipsecbench.export.connection import PSK_PLACEHOLDER, Connection
from ipsecbench.export.documented import GRAMMAR_PROOF, documented_files, replay_window
from ipsecbench.export.target import Comment, File, Proof, Target
from ipsecbench.export.tunnel_devices import segment_size_commands
from ipsecbench.export.vocabulary import ECDSA, RSA, Vocabulary

_SNAPSHOT = "snapshot"
_GROUPS = {name: name for name, method in KEY_EXCHANGE.items() if not method.kem}
_NUMBERED = {name: name for name, row in ENCRYPTION.items() if row.ikev2_id is not None}
_LARGEST_WINDOW = 4096
"""Packets, in the kernel (``XFRMA_REPLAY_ESN_MAX``)."""
_WORDS = Vocabulary(
    product="OpenWrt",
    ike_encryption=_NUMBERED,
    ike_integrity={name: name for name in INTEGRITY},
    prf={name: name for name in PRF},
    ike_groups=_GROUPS,
    esp_encryption=_NUMBERED,
    esp_integrity={name: name for name in INTEGRITY},
    pfs_groups=_GROUPS,
    authentication={"psk": "psk"} | dict.fromkeys((*RSA, *ECDSA, "ed25519", "ed448"), "pubkey"),
    modes=("tunnel", "transport"),
)


def refuse(connection: Connection, version: str) -> tuple[str, ...]:
    """What the init script has no option for."""
    lines = list(_WORDS.refusals(connection))
    if connection.nat_traversal and version != _SNAPSHOT:
        lines.append(f"OpenWrt {version} has no option that forces ESP into UDP; it happens where a NAT is found")
    return tuple(lines)


def render(connection: Connection, version: str) -> tuple[File, ...]:
    """``/etc/config/ipsec``."""
    sections = [_proposal("ike", connection), _proposal("esp", connection), _child(connection, version)]
    body = "\n".join([*sections, _remote(connection, version)])
    notes = [
        "Place: /etc/config/ipsec (mode 0600), then: service swanctl restart. Package: strongswan-swanctl.",
        *(
            [f"Certificates: /etc/swanctl/x509, private, x509ca ({connection.authentication})."]
            if not connection.uses_psk
            else []
        ),
        *_window(connection)[1],
        f"Inner MTU {connection.inner_mtu_bytes}. The MSS of forwarded connections, in /etc/rc.local:",
    ]
    return documented_files(
        TARGET,
        connection,
        version,
        f"{connection.name}-ipsec.uci",
        body,
        notes=notes,
        commands=segment_size_commands(connection),
    )


def verify(connection: Connection) -> str:
    """Shows encryption, integrity, PRF, groups and lives of the SAs that are up."""
    return f"swanctl --list-sas --ike {_section(connection)}"


def _window(connection: Connection) -> tuple[int, tuple[str, ...]]:
    wanted = connection.replay_window_packets
    return replay_window("OpenWrt", wanted, (min(wanted, _LARGEST_WINDOW),))


def _section(connection: Connection) -> str:
    """UCI takes letters, digits and underscores for the name of a section."""
    return connection.name.replace("-", "_")


def _lines(head: str, options: list[tuple[str, str, str | None]]) -> str:
    rows = [f"\t{kind} {name} '{value}'\n" for kind, name, value in options if value is not None]
    return f"config {head}\n" + "".join(rows)


def _proposal(which: str, connection: Connection) -> str:
    algorithms = connection.ike if which == "ike" else connection.esp
    return _lines(
        f"crypto_proposal '{_section(connection)}_{which}'",
        [
            ("option", "encryption_algorithm", algorithms.encryption),
            ("option", "hash_algorithm", algorithms.integrity),
            ("option", "prf_algorithm", _prf(connection) if which == "ike" else None),
            ("option", "dh_group", algorithms.key_exchange),
        ],
    )


def _prf(connection: Connection) -> str | None:
    """IKEv1's PRF is that of its hash: strongSwan takes none in its proposals."""
    return connection.ike.prf if connection.ike_version == 2 else None


def _child(connection: Connection, version: str) -> str:
    life = connection.child_life
    tunnel = connection.mode == "tunnel"
    kind = "child" if version == _SNAPSHOT else connection.esp_mode
    return _lines(
        f"{kind} '{_section(connection)}_child'",
        [
            ("option", "mode", connection.esp_mode if version == _SNAPSHOT else None),
            *(("list", "local_subnet", network) for network in connection.local.networks if tunnel),
            *(("list", "remote_subnet", network) for network in connection.peer.networks if tunnel),
            ("list", "crypto_proposal", f"{_section(connection)}_esp"),
            ("option", "rekeytime", f"{life.soft_seconds}s"),
            ("option", "lifetime", f"{life.hard_seconds}s"),
            ("option", "rekeybytes", None if life.soft_bytes is None else str(life.soft_bytes)),
            ("option", "lifebytes", None if life.hard_bytes is None else str(life.hard_bytes)),
            ("option", "rekeypackets", None if life.soft_packets is None else str(life.soft_packets)),
            ("option", "lifepackets", None if life.hard_packets is None else str(life.hard_packets)),
            ("option", "replay_window", str(_window(connection)[0])),
            ("option", "startaction", "trap"),
            ("option", "dpdaction", "trap"),
        ],
    )


def _remote(connection: Connection, version: str) -> str:
    life, snapshot = connection.ike_life, version == _SNAPSHOT
    ends: list[tuple[str, str, str | None]] = (
        [("list", "remote_addrs", connection.peer.address), ("list", "local_addrs", connection.local.address)]
        if snapshot
        else [("option", "gateway", connection.peer.address), ("option", "local_ip", connection.local.address)]
    )
    return _lines(
        f"remote '{_section(connection)}'",
        [
            ("option", "enabled", "1"),
            *ends,
            ("option", "local_identifier", connection.local.identity),
            ("option", "remote_identifier", connection.peer.identity),
            ("option", "authentication_method", _WORDS.authentication[connection.authentication]),
            ("option", "pre_shared_key", PSK_PLACEHOLDER if connection.uses_psk else None),
            ("option", "local_cert", None if connection.uses_psk else "local.pem"),
            ("option", "ca_cert", None if connection.uses_psk else "ca.pem"),
            ("option", "keyexchange", f"ikev{connection.ike_version}"),
            ("option", "mobike", "0"),
            ("option", "encap", "1" if snapshot and connection.nat_traversal else None),
            ("option", "rekeytime", f"{life.soft_seconds}s"),
            ("option", "overtime", f"{life.hard_seconds - life.soft_seconds}s"),
            ("list", "crypto_proposal", f"{_section(connection)}_ike"),
            ("list", "child" if snapshot else connection.esp_mode, f"{_section(connection)}_child"),
        ],
    )


TARGET = Target(
    name="openwrt",
    title="OpenWrt UCI",
    versions=("24.10", "23.05", _SNAPSHOT),
    proof=Proof.GRAMMAR,
    proof_text=GRAMMAR_PROOF,
    comment=Comment("# "),
    refuse=refuse,
    render=render,
    verify=verify,
)
