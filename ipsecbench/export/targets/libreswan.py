"""libreswan, ``ipsec.conf`` and ``ipsec.secrets``, read by ``ipsec addconn`` and ``pluto``.

Names, units and what there is are those of its manual page ``ipsec.conf(5)`` and of its ``ipsec algparse``. Its IKE has
one hash for integrity and PRF, by design; ``ikev2=`` of version 4 became ``keyexchange=`` in version 5.
"""

from __future__ import annotations

from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.algorithms.proposals import PRF_OF_INTEGRITY
from ipsecbench.export.connection import PSK_PLACEHOLDER, Connection, End, EspAlgorithms, IkeAlgorithms
from ipsecbench.export.shared_margin import shared_margin
from ipsecbench.export.target import Comment, File, Proof, Target
from ipsecbench.export.tunnel_devices import segment_size_notes, tunnel_device_notes

_BITS = (128, 192, 256)
_ENCRYPTION = {
    **{f"aes{bits}": f"aes{bits}" for bits in _BITS},
    **{f"aes{bits}gcm16": f"aes_gcm{bits}" for bits in _BITS},
    **{f"aes{bits}ccm16": f"aes_ccm{bits}" for bits in _BITS},
    **{f"aes{bits}ctr": f"aes_ctr{bits}" for bits in _BITS},
    **{f"aes{bits}gmac": f"null_auth_aes_gmac{bits}" for bits in _BITS},
    **{f"camellia{bits}": f"camellia{bits}" for bits in _BITS},
    "chacha20poly1305": "chacha20_poly1305",
    "3des": "3des",
    "null": "null",
}
_ESP_ONLY = ("ccm", "gmac", "null")
_INTEGRITY = {
    "md5": "md5",
    "sha1": "sha1",
    "sha256": "sha2_256",
    "sha384": "sha2_384",
    "sha512": "sha2_512",
    "aesxcbc": "aes_xcbc",
    "aescmac": "aes_cmac",
}
_PRF = {f"prf{name}": word for name, word in _INTEGRITY.items() if name != "aescmac"}
_GROUPS = (5, 14, 15, 16, 17, 18, 19, 20, 21, 31)
_AUTHENTICATION = {
    "psk": "secret",
    "rsa-2048": "rsa-sha2",
    "rsa-3072": "rsa-sha2",
    "rsa-4096": "rsa-sha2",
    "ecdsa-256": "ecdsa",
    "ecdsa-384": "ecdsa",
    "ecdsa-521": "ecdsa",
}
_ML_KEM = "mlkem768"
_LONGEST_SECONDS = 86400


def refuse(connection: Connection, version: str) -> tuple[str, ...]:
    """What libreswan does not have."""
    lines: list[str] = []
    for ike in connection.ike_proposals:
        lines += _ike_refusals(ike, connection.ike_version)
    for esp in connection.esp_proposals:
        if esp.encryption not in _ENCRYPTION:
            lines.append(f"libreswan has no ESP encryption {esp.encryption}")
        if esp.integrity is not None and esp.integrity not in _INTEGRITY:
            lines.append(f"libreswan has no ESP integrity {esp.integrity}")
    lines += _key_exchange_refusals(connection, version)
    pfs = {esp.key_exchange is None for esp in connection.esp_proposals}
    if len(pfs) > 1:
        lines.append("libreswan has perfect forward secrecy for all proposals of a connection or for none")
    if connection.authentication not in _AUTHENTICATION:
        lines.append(f"libreswan has no authentication with {connection.authentication}")
    elif connection.ike_version == 1 and not connection.uses_psk:
        lines.append("libreswan has only RSA with SHA-1 as signatures of IKEv1: use IKEv2 or a pre-shared key")
    lives = shared_margin(connection)
    if max(lives.ike_seconds, lives.child_seconds) > _LONGEST_SECONDS:
        lines.append(f"libreswan has no lives above {_LONGEST_SECONDS} s")
    return tuple(dict.fromkeys(lines))


def _key_exchange_refusals(connection: Connection, version: str) -> list[str]:
    first = [name for ike in connection.ike_proposals for name in (ike.key_exchange,)]
    first += [esp.key_exchange for esp in connection.esp_proposals if esp.key_exchange is not None]
    lines = [f"libreswan has no group {name}" for name in first if KEY_EXCHANGE[name].ikev2_id not in _GROUPS]
    if not connection.has_additional_key_exchanges:
        return lines
    if version in ("4", "5"):
        return [*lines, f"libreswan {version} has no additional key exchanges (RFC 9370): they came with 5.4"]
    others = [name for name in connection.key_exchange_methods if name not in first]
    have = (*(name for name in KEY_EXCHANGE if KEY_EXCHANGE[name].ikev2_id in _GROUPS), _ML_KEM)
    return lines + [f"libreswan {version} has no additional key exchange {name}" for name in others if name not in have]


def _ike_refusals(ike: IkeAlgorithms, ike_version: int) -> list[str]:
    lines = []
    if ike.encryption not in _ENCRYPTION or any(part in ike.encryption for part in _ESP_ONLY):
        lines.append(f"libreswan has no IKE encryption {ike.encryption}")
    if ike.prf not in _PRF or (ike.prf == "prfaesxcbc" and ike_version == 1):
        lines.append(f"libreswan has no {ike.prf} in IKEv{ike_version}")
    elif ike.integrity is not None and PRF_OF_INTEGRITY.get(ike.integrity) != ike.prf:
        lines.append(f"libreswan's IKE has one hash for integrity and PRF: {ike.integrity} and {ike.prf} are two")
    return lines


def render(connection: Connection, version: str) -> tuple[File, ...]:
    """``ipsec.d/NAME.conf`` and ``ipsec.d/NAME.secrets``, both of which libreswan's own files include."""
    header = TARGET.header(connection, version)
    notes = TARGET.comment.lines(
        f"Place: /etc/ipsec.d/{connection.name}.conf and .secrets (mode 0600), "
        f"then: ipsec auto --add {connection.name}",
        *_certificate_lines(connection),
    )
    notes += tunnel_device_notes(connection, TARGET.comment) + segment_size_notes(connection, TARGET.comment)
    files = [File(f"ipsec.d/{connection.name}.conf", f"{header}#\n{notes}\n{_text(connection, version)}")]
    if connection.uses_psk:
        note = TARGET.comment.lines(
            "The same secret at both ends, random, at least 256 bits: head -c 32 /dev/urandom | base64"
        )
        line = f'{_identity(connection.local)} {_identity(connection.peer)} : PSK "{PSK_PLACEHOLDER}"\n'
        files.append(File(f"ipsec.d/{connection.name}.secrets", f"{header}\n{note}{line}", 0o600))
    return tuple(files)


def verify(connection: Connection) -> str:
    """Shows algorithms and lives of the SAs that are up, and what each proposal was read as."""
    return f"ipsec status | grep {connection.name}; ip xfrm state"


def _certificate_lines(connection: Connection) -> tuple[str, ...]:
    if connection.uses_psk:
        return ()
    return (
        f"Certificates ({connection.authentication}, subjectAltName {connection.local.identity}) are in the NSS "
        "database, this end's with the nickname 'local': ipsec import local.p12",
    )


def _identity(end: End) -> str:
    """An identity; libreswan looks a domain name up unless an @ stands before it."""
    return f"@{end.identity}" if end.identity_kind == "domain" else end.identity


def _text(connection: Connection, version: str) -> str:
    setup = "config setup\n\tikev1-policy=accept\n\n" if connection.ike_version == 1 else ""
    lives = shared_margin(connection)
    life = connection.child_life
    settings = {
        **_ike_version(connection.ike_version, version),
        **({"aggressive": "yes"} if connection.aggressive else {}),
        "type": connection.esp_mode,
        **_end("left", connection.local, connection),
        **_end("right", connection.peer, connection),
        "authby": _AUTHENTICATION[connection.authentication],
        "ike": ",".join(_ike_words(ike) for ike in connection.ike_proposals),
        "esp": ",".join(_esp_words(esp) for esp in connection.esp_proposals),
        "pfs": "no" if connection.esp.key_exchange is None else "yes",
        "esn": "yes" if connection.esp.esn else "no",
        "ikelifetime": f"{lives.ike_seconds}s",
        "salifetime" if version == "4" else "ipsec-lifetime": f"{lives.child_seconds}s",
        "rekeymargin": f"{lives.margin_seconds}s",
        "rekeyfuzz": f"{lives.fuzz_percent}%",
        **({} if life.hard_bytes is None else {"ipsec-max-bytes": str(life.hard_bytes)}),
        **({} if life.hard_packets is None else {"ipsec-max-packets": str(life.hard_packets)}),
        "replay-window": str(connection.replay_window_packets),
        "mobike": "no",
        "encapsulation": "yes" if connection.nat_traversal else "auto",
        **({"mtu": str(connection.inner_mtu_bytes)} if connection.mode == "tunnel" else {}),
        **_dead_peer_detection(connection.ike_version, version),
        **({"intermediate": "yes"} if connection.has_additional_key_exchanges else {}),
        "auto": "ondemand",
    }
    return setup + f"conn {connection.name}\n" + "".join(f"\t{name}={value}\n" for name, value in settings.items())


def _ike_version(number: int, version: str) -> dict[str, str]:
    if version == "4":
        return {"ikev2": "yes" if number == 2 else "no"}
    return {"keyexchange": f"ikev{number}"}


def _dead_peer_detection(ike_version: int, version: str) -> dict[str, str]:
    """From version 5 on IKEv2 has no time-out of its own for it, and what is done with a dead peer is settled."""
    found = {"dpddelay": "30s"}
    if version == "4" or ike_version == 1:
        found["dpdtimeout"] = "150s"
    return found | ({"dpdaction": "hold"} if version == "4" else {})


def _end(side: str, end: End, connection: Connection) -> dict[str, str]:
    found = {side: end.address, f"{side}id": _identity(end)}
    if connection.mode == "tunnel":
        key = "subnet" if len(end.networks) == 1 else "subnets"
        found[f"{side}{key}"] = end.networks[0] if len(end.networks) == 1 else f"{{{','.join(end.networks)}}}"
    elif connection.tunnel_protocol is not None:
        found[f"{side}protoport"] = f"{connection.tunnel_protocol}/0"
    if not connection.uses_psk:
        found |= {"leftcert": "local"} if side == "left" else {"rightca": "%same"}
    return found


def _ike_words(ike: IkeAlgorithms) -> str:
    text = f"{_ENCRYPTION[ike.encryption]}-{_PRF[ike.prf]}-{_group(ike.key_exchange)}"
    return text + _additional(ike.additional_key_exchanges)


def _esp_words(esp: EspAlgorithms) -> str:
    integrity = "none" if esp.integrity is None else _INTEGRITY[esp.integrity]
    group = "" if esp.key_exchange is None else f"-{_group(esp.key_exchange)}"
    return f"{_ENCRYPTION[esp.encryption]}-{integrity}{group}{_additional(esp.additional_key_exchanges)}"


def _additional(methods: tuple[str, ...]) -> str:
    """``;addke1=…``, as libreswan 5.4 has it (its ``configs/d.ipsec.conf/sect/proposals.txt``)."""
    return "".join(
        f";addke{number}={'ml_kem_768' if name == _ML_KEM else _group(name)}" for number, name in enumerate(methods, 1)
    )


def _group(name: str) -> str:
    return f"dh{KEY_EXCHANGE[name].ikev2_id}"


TARGET = Target(
    name="libreswan",
    title="libreswan ipsec.conf",
    versions=("4", "5.4", "5"),
    proof=Proof.PARSED,
    proof_text=(
        "version 4: ipsec addconn --checkconfig accepts the file, ipsec readwriteconf writes every setting back, and "
        "ipsec algparse reads every proposal as these algorithms; what differs in version 5 (keyexchange=, "
        "ipsec-lifetime=, from 5.4 on ML-KEM) is only checked against its documentation"
    ),
    comment=Comment("# "),
    refuse=refuse,
    render=render,
    verify=verify,
)
