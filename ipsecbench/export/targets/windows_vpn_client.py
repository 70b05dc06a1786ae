"""Windows' VPN client with IKEv2: a profile and its parameters (Set-VpnConnectionIPsecConfiguration).

The client proves itself with its machine certificate: IKEv2 has no pre-shared key in a profile. It asks for an address
and for every destination; routes say what goes through the tunnel. It has no settings for lives: those of the gateway
hold for both, because in IKEv2 each end rekeys by its own.
"""

from __future__ import annotations

from ipsecbench.export import windows
from ipsecbench.export.connection import Connection
from ipsecbench.export.documented import GRAMMAR_PROOF, documented_files, fixed_replay_window
from ipsecbench.export.target import Comment, File, Proof, Target
from ipsecbench.export.vocabulary import ECDSA, RSA, Vocabulary

_PRODUCT = "Windows VPN client"
_COMBINED = {"aes128gcm16": "GCMAES128", "aes256gcm16": "GCMAES256"}
_PRF = {f"prf{name}": word for name, word in windows.VPN_INTEGRITY.items()}
_WORDS = Vocabulary(
    product=_PRODUCT,
    ike_versions=(2,),
    ike_encryption=windows.VPN_ENCRYPTION | _COMBINED,
    ike_integrity=windows.VPN_INTEGRITY,
    prf=_PRF,
    ike_groups=windows.VPN_GROUPS,
    esp_encryption=windows.VPN_ESP_ENCRYPTION,
    esp_integrity=windows.VPN_ESP_INTEGRITY,
    pfs_groups=windows.VPN_PFS_GROUPS,
    authentication=dict.fromkeys((*RSA, *ECDSA), "MachineCertificate"),
)


def refuse(connection: Connection, version: str) -> tuple[str, ...]:
    """What the profile has no value for."""
    lines, ike = list(_WORDS.refusals(connection)), connection.ike
    if ike.integrity is not None and ike.prf != f"prf{ike.integrity}":
        lines.append(f"{_PRODUCT} takes the PRF from the integrity algorithm {ike.integrity}: {ike.prf} cannot be set")
    return (*lines, *windows.mtu_refusals(_PRODUCT, connection))


def render(connection: Connection, version: str) -> tuple[File, ...]:
    """The script."""
    name = windows.quoted(connection.name)
    routes = [
        f"Add-VpnConnectionRoute -ConnectionName {name} -DestinationPrefix {windows.quoted(network)}"
        for network in connection.peer.networks
    ]
    lines = [
        *windows.splatted("connection", _profile(connection)),
        "Add-VpnConnection @connection",
        *windows.splatted("policy", _policy(connection)),
        "Set-VpnConnectionIPsecConfiguration @policy",
        *routes,
        f"rasdial {name}",
        f"Set-NetIPInterface -InterfaceAlias {name} -NlMtuBytes {connection.inner_mtu_bytes}",
    ]
    life = connection.child_life
    notes = [
        "The client asks the gateway for an address and every destination (0.0.0.0/0, ::/0): the gateway narrows it.",
        f"The machine's certificate: {connection.authentication}, in the store of the computer.",
        f"There is no setting for lives: the gateway has to rekey, the Child SA after {life.soft_seconds} s"
        + ("" if life.soft_bytes is None else f" or {life.soft_bytes} octets")
        + ("" if life.soft_packets is None else f" or {life.soft_packets} packets")
        + f", the IKE SA after {connection.ike_life.soft_seconds} s.",
        f"The MTU gives the TCP MSS ({connection.mss_ipv4_bytes} for IPv4); it is set when the interface is up.",
        fixed_replay_window(_PRODUCT, connection.replay_window_packets),
    ]
    body = windows.script(lines)
    return documented_files(TARGET, connection, version, f"{connection.name}-client.ps1", body, notes=notes)


def verify(connection: Connection) -> str:
    """Shows the profile's policy, and algorithms, groups and lives of the SAs that are up."""
    name = windows.quoted(connection.name)
    return (
        f"(Get-VpnConnection -Name {name}).IPSecCustomPolicy; Get-NetIPsecMainModeSA | fl *; "
        "Get-NetIPsecQuickModeSA | fl *"
    )


def _profile(connection: Connection) -> dict[str, str]:
    return {
        "Name": windows.quoted(connection.name),
        "ServerAddress": windows.quoted(connection.peer.address),
        "TunnelType": "'Ikev2'",
        "AuthenticationMethod": windows.quoted(_WORDS.authentication[connection.authentication]),
        "SplitTunneling": "$true",
    }


def _policy(connection: Connection) -> dict[str, str]:
    ike, esp = connection.ike, connection.esp
    cipher = windows.VPN_ESP_ENCRYPTION[esp.encryption]
    integrity = cipher if esp.integrity is None else windows.VPN_ESP_INTEGRITY[esp.integrity]
    pfs = "None" if esp.key_exchange is None else windows.VPN_PFS_GROUPS[esp.key_exchange]
    # Beside a combined mode the integrity method names the PRF alone.
    check = _PRF[ike.prf] if ike.integrity is None else windows.VPN_INTEGRITY[ike.integrity]
    return {
        "ConnectionName": windows.quoted(connection.name),
        "EncryptionMethod": windows.quoted(_WORDS.ike_encryption[ike.encryption]),
        "IntegrityCheckMethod": windows.quoted(check),
        "DHGroup": windows.quoted(windows.VPN_GROUPS[ike.key_exchange]),
        "CipherTransformConstants": windows.quoted(cipher),
        "AuthenticationTransformConstants": windows.quoted(integrity),
        "PfsGroup": windows.quoted(pfs),
        "Force": "$true",
    }


TARGET = Target(
    name="windows-vpn-client",
    title="Windows VPN client (PowerShell)",
    versions=windows.VERSIONS,
    proof=Proof.GRAMMAR,
    proof_text=GRAMMAR_PROOF,
    comment=Comment("# "),
    refuse=refuse,
    render=render,
    verify=verify,
)
