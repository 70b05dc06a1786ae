"""Our own endpoint: the TOML file of ``ipsecbench endpoint --config`` and ``ipsecbench lab up`` (docs/ike.md)."""

from __future__ import annotations

from ipsecbench import __version__
from ipsecbench.algorithms.authentication import AUTHENTICATION
from ipsecbench.export.connection import PSK_PLACEHOLDER, Connection, End, EspAlgorithms, IkeAlgorithms, Life
from ipsecbench.export.target import Comment, File, Proof, Target

_LARGEST_WINDOW_PACKETS = 65536


def refuse(connection: Connection, version: str) -> tuple[str, ...]:
    """What the endpoint does not have."""
    lines: list[str] = []
    if connection.ike_version == 2:
        ciphers: list[IkeAlgorithms | EspAlgorithms] = [*connection.ike_proposals, *connection.esp_proposals]
        lines += [
            f"IKEv2 has no number for {each.encryption}, and the endpoint uses no private ones there"
            for each in ciphers
            if each.transform.ikev2_id is None
        ]
    if connection.replay_window_packets > _LARGEST_WINDOW_PACKETS:
        lines.append(f"the endpoint has no anti-replay window above {_LARGEST_WINDOW_PACKETS} packets")
    return tuple(dict.fromkeys(lines))


def render(connection: Connection, version: str) -> tuple[File, ...]:
    """``NAME.toml``."""
    notes = TARGET.comment.lines(
        f"Run: ipsecbench endpoint --config {connection.name}.toml. TCP MSS {connection.mss_ipv4_bytes} (IPv6 "
        f"{connection.mss_ipv6_bytes}) follows from the device's MTU.",
        *_certificate_lines(connection),
    )
    tables = "\n".join(
        (_endpoint(connection), _connection(connection), *_authentication(connection), _child(connection))
    )
    text = f"{TARGET.header(connection, version)}#\n{notes}\n{tables}"
    return (File(f"{connection.name}.toml", text, 0o600),)


def verify(connection: Connection) -> str:
    """Prints the SAs as they come up, with their parameters."""
    return f"ipsecbench endpoint --config {connection.name}.toml --json"


def _certificate_lines(connection: Connection) -> tuple[str, ...]:
    if connection.uses_psk:
        return ()
    return (
        f"Certificates ({connection.authentication}, subjectAltName {connection.local.identity}) stand beside the "
        "file: local.pem, its key local.key (mode 0600), and ca.pem of the authority.",
    )


def _table(name: str, **values: object) -> str:
    return f"[{name}]\n" + "".join(f"{key} = {_value(value)}\n" for key, value in values.items() if value is not None)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_value, value))}]"
    # Names, addresses and proposals have no characters that TOML treats specially: the connection has checked that.
    return str(value) if isinstance(value, int) else f'"{value}"'


def _endpoint(connection: Connection) -> str:
    return _table(
        "endpoint",
        dataplane="auto",
        mtu=connection.inner_mtu_bytes if connection.esp_mode == "tunnel" else None,
        path_mtu=connection.link_mtu_bytes,
    )


def _connection(connection: Connection) -> str:
    life = connection.ike_life
    return _table(
        f"connections.{connection.name}",
        version=connection.ike_version,
        aggressive=True if connection.aggressive else None,
        local_addrs=[connection.local.address],
        remote_addrs=[connection.peer.address],
        proposals=[ike.proposal for ike in connection.ike_proposals],
        psk=PSK_PLACEHOLDER if connection.uses_psk else None,
        rekey_time=life.soft_seconds,
        over_time=life.hard_seconds - life.soft_seconds,
        rand_time=life.rand_seconds,
        encap=True if connection.nat_traversal else None,
        dpd_delay="30s",
    )


def _authentication(connection: Connection) -> tuple[str, str]:
    name = f"connections.{connection.name}"
    if connection.uses_psk:
        return (
            _table(f"{name}.local", auth="psk", id=connection.local.identity),
            _table(f"{name}.remote", auth="psk", id=connection.peer.identity),
        )
    local = _table(
        f"{name}.local",
        auth="pubkey",
        id=connection.local.identity,
        certs="local.pem",
        key="local.key",
        signature_schemes=_schemes(connection),
    )
    return local, _table(f"{name}.remote", auth="pubkey", id=connection.peer.identity, cacerts="ca.pem")


def _schemes(connection: Connection) -> list[str] | None:
    if connection.ike_version == 1:
        return None
    row = AUTHENTICATION[connection.authentication]
    kind = row.name.partition("-")[0]
    return [{"rsa": f"rsa-pss-{row.hash_name}", "ecdsa": f"ecdsa-{row.hash_name}"}.get(kind, row.name)]


def _child(connection: Connection) -> str:
    return _table(
        f"connections.{connection.name}.children.{connection.name}",
        mode=connection.esp_mode,
        local_ts=_selectors(connection, connection.local),
        remote_ts=_selectors(connection, connection.peer),
        esp_proposals=[esp.proposal for esp in connection.esp_proposals],
        **_child_life(connection.child_life),
        replay_window=connection.replay_window_packets,
        layering=connection.mode if connection.tunnel_protocol is not None else None,
        layered_local_ts=connection.local.networks if connection.tunnel_protocol is not None else None,
        layered_remote_ts=connection.peer.networks if connection.tunnel_protocol is not None else None,
        start_action="none" if connection.at_peer else "start",
    )


def _selectors(connection: Connection, end: End) -> list[str]:
    if connection.mode == "tunnel":
        return list(end.networks)
    host = f"{end.address}/{32 if end.ip_version == 4 else 128}"
    return [host if connection.tunnel_protocol is None else f"{host}[{connection.tunnel_protocol}]"]


def _child_life(life: Life) -> dict[str, int]:
    found: dict[str, int] = {}
    for unit, soft, hard, rand in (
        ("time", life.soft_seconds, life.hard_seconds, life.rand_seconds),
        ("bytes", life.soft_bytes, life.hard_bytes, life.rand_bytes),
        ("packets", life.soft_packets, life.hard_packets, life.rand_packets),
    ):
        if soft is not None and hard is not None:
            found |= {f"rekey_{unit}": soft, f"life_{unit}": hard}
            if rand:
                found[f"rand_{unit}"] = rand
    return found


TARGET = Target(
    name="endpoint",
    title="ipsecbench endpoint",
    versions=(__version__,),
    proof=Proof.NEGOTIATED,
    proof_text="read by the endpoint at both ends; the SAs that come up between them have exactly these parameters",
    comment=Comment("# "),
    refuse=refuse,
    render=render,
    verify=verify,
)
