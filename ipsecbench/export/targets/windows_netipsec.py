"""Windows' connection security rules (New-NetIPsecRule and the sets that it names): IKEv1, and IKEv2 with certificates.

The reference says of main mode that it has no combined mode, of IKEv2 that it has no pre-shared key here, and gives
minutes and kilobytes with their ranges. ``ESPHash None`` beside a cipher, as one of its examples has it, is never
written: beside AES-GCM the hash is GMAC with the same key length.
"""

from __future__ import annotations

from ipsecbench.export import windows
from ipsecbench.export.connection import PSK_PLACEHOLDER, Connection
from ipsecbench.export.documented import (
    GRAMMAR_PROOF,
    documented_files,
    fixed_replay_window,
    life_notes,
    life_refusals,
)
from ipsecbench.export.life_settings import KILOBYTE, FittedLife, LifeSettings, Setting, fit_life
from ipsecbench.export.target import Comment, File, Proof, Target
from ipsecbench.export.vocabulary import RSA, Vocabulary, group_words

_PRODUCT = "Windows NetIPsec"
_IKE_LIFE = LifeSettings(_PRODUCT, "IKE SA", Setting(1, 2879, 60))
_CHILD_LIFE = LifeSettings(_PRODUCT, "Child SA", Setting(5, 2879, 60), Setting(20480, 2_147_483_647, KILOBYTE))
_CBC = {"des": "DES", "3des": "DES3", "aes128": "AES128", "aes192": "AES192", "aes256": "AES256"}
_COMBINED = {f"aes{bits}gcm16": f"AESGCM{bits}" for bits in (128, 192, 256)}
_GROUPS = group_words("DH{}", ("modp768", "modp1024", "modp2048", "ecp256", "ecp384", "modp2048s256"))
_SIGNATURES = dict.fromkeys(RSA, "RSA") | {"ecdsa-256": "ECDSA256", "ecdsa-384": "ECDSA384"}
_WORDS = Vocabulary(
    product=_PRODUCT,
    modes=("tunnel", "transport"),
    ike_encryption=_CBC,
    ike_integrity={"md5": "MD5", "sha1": "SHA1", "sha256": "SHA256", "sha384": "SHA384"},
    ike_groups=_GROUPS,
    esp_encryption=_CBC | _COMBINED,
    esp_integrity={"md5": "MD5", "sha1": "SHA1", "sha256": "SHA256"},
    pfs_groups=_GROUPS,
    authentication={"psk": "psk"} | _SIGNATURES,
)


def refuse(connection: Connection, version: str) -> tuple[str, ...]:
    """What the cmdlets have no value for."""
    lines = list(_WORDS.refusals(connection))
    if connection.ike_version == 2 and connection.uses_psk:
        lines.append("Windows NetIPsec has no pre-shared key with IKEv2: use certificates, or target windows-rras")
    if connection.ike_version == 1 and connection.authentication.startswith("ecdsa"):
        lines.append("Windows NetIPsec is written with RSA certificates only in IKEv1")
    if connection.uses_psk and {connection.local.identity_kind, connection.peer.identity_kind} != {"address"}:
        lines.append("Windows NetIPsec has addresses as identities only, with a pre-shared key")
    return (*lines, *life_refusals(*_lives(connection)))


def render(connection: Connection, version: str) -> tuple[File, ...]:
    """The script."""
    lines = [
        *_main_mode(connection),
        *_quick_mode(connection),
        *_authentication(connection),
        *windows.splatted("mainModeRule", _main_mode_rule(connection)),
        "New-NetIPsecMainModeRule @mainModeRule",
        *windows.splatted("rule", _rule(connection)),
        "New-NetIPsecRule @rule",
    ]
    notes = [
        "Run as an administrator. On a gateway, forwarding has to be on for both interfaces.",
        f"Inner MTU {connection.inner_mtu_bytes}; Windows finds it by path MTU discovery; a rule has no setting.",
        fixed_replay_window(_PRODUCT, connection.replay_window_packets),
        *life_notes(*_lives(connection)),
    ]
    body = windows.script(lines)
    return documented_files(TARGET, connection, version, f"{connection.name}-netipsec.ps1", body, notes=notes)


def verify(connection: Connection) -> str:
    """Shows algorithms, groups and lives of the SAs that are up."""
    return "Get-NetIPsecMainModeSA | fl *; Get-NetIPsecQuickModeSA | fl *"


def _lives(connection: Connection) -> tuple[FittedLife, FittedLife]:
    return fit_life(connection.ike_life, _IKE_LIFE), fit_life(connection.child_life, _CHILD_LIFE)


def _main_mode(connection: Connection) -> list[str]:
    ike, name = connection.ike, windows.quoted(connection.name)
    return [
        f"$mainModeProposal = New-NetIPsecMainModeCryptoProposal -Encryption {_CBC[ike.encryption]} "
        f"-Hash {_WORDS.ike_integrity[ike.integrity or '']} -KeyExchange {_GROUPS[ike.key_exchange]}",
        f"$mainModeSet = New-NetIPsecMainModeCryptoSet -DisplayName {name} -Proposal $mainModeProposal "
        f"-MaxMinutes {_lives(connection)[0].seconds} -MaxSessions 0",
    ]


def _quick_mode(connection: Connection) -> list[str]:
    esp, life, name = connection.esp, _lives(connection)[1], windows.quoted(connection.name)
    encryption = _WORDS.esp_encryption[esp.encryption]
    integrity = encryption.replace("GCM", "GMAC") if esp.integrity is None else _WORDS.esp_integrity[esp.integrity]
    kilobytes = "" if life.octets is None else f" -MaxKiloBytes {life.octets}"
    pfs = "None" if esp.key_exchange is None else _GROUPS[esp.key_exchange]
    return [
        f"$quickModeProposal = New-NetIPsecQuickModeCryptoProposal -Encapsulation ESP -Encryption {encryption} "
        f"-ESPHash {integrity} -MaxMinutes {life.seconds}{kilobytes}",
        f"$quickModeSet = New-NetIPsecQuickModeCryptoSet -DisplayName {name} -Proposal $quickModeProposal "
        f"-PerfectForwardSecrecyGroup {pfs}",
    ]


def _authentication(connection: Connection) -> list[str]:
    if connection.uses_psk:
        method = f"-PreSharedKey {windows.quoted(PSK_PLACEHOLDER)}"
    else:
        signing = _SIGNATURES[connection.authentication]
        method = f"-Cert -Authority 'CN=REPLACE-WITH-THE-AUTHORITY' -AuthorityType Root -Signing {signing}"
    return [
        f"$authenticationProposal = New-NetIPsecAuthProposal -Machine {method}",
        f"$authenticationSet = New-NetIPsecPhase1AuthSet -DisplayName {windows.quoted(connection.name)} "
        "-Proposal $authenticationProposal",
    ]


def _main_mode_rule(connection: Connection) -> dict[str, str]:
    return {
        "DisplayName": windows.quoted(connection.name),
        "LocalAddress": windows.quoted(connection.local.address),
        "RemoteAddress": windows.quoted(connection.peer.address),
        "MainModeCryptoSet": "$mainModeSet.Name",
        "Phase1AuthSet": "$authenticationSet.Name",
    }


def _rule(connection: Connection) -> dict[str, str]:
    tunnel = {
        "Mode": "'Tunnel'",
        "LocalTunnelEndpoint": windows.quoted(connection.local.address),
        "RemoteTunnelEndpoint": windows.quoted(connection.peer.address),
        "LocalAddress": windows.array(connection.local.networks),
        "RemoteAddress": windows.array(connection.peer.networks),
    }
    transport = {
        "Mode": "'Transport'",
        "LocalAddress": windows.quoted(connection.local.address),
        "RemoteAddress": windows.quoted(connection.peer.address),
    }
    return {
        "DisplayName": windows.quoted(connection.name),
        **(tunnel if connection.mode == "tunnel" else transport),
        "InboundSecurity": "'Require'",
        "OutboundSecurity": "'Require'",
        "KeyModule": f"'IKEv{connection.ike_version}'",
        "QuickModeCryptoSet": "$quickModeSet.Name",
        "Phase1AuthSet": "$authenticationSet.Name",
    }


TARGET = Target(
    name="windows-netipsec",
    title="Windows IPsec rules (PowerShell)",
    versions=windows.VERSIONS,
    proof=Proof.GRAMMAR,
    proof_text=GRAMMAR_PROOF,
    comment=Comment("# "),
    refuse=refuse,
    render=render,
    verify=verify,
)
