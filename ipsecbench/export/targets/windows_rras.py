"""Windows Server, Routing and Remote Access: a site-to-site interface with IKEv2 (Add-VpnS2SInterface -CustomPolicy).

EncryptionMethod has no combined mode there (it has in a client's profile, target ``windows-vpn-client``). The reference
gives no ranges for the lives; the smallest ones here are those of Azure's policies, which are the same stack.
"""

from __future__ import annotations

import ipaddress

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
from ipsecbench.export.vocabulary import ECDSA, RSA, Vocabulary

_PRODUCT = "Windows RRAS"
_SECONDS = Setting(300, 172_799)
_IKE_LIFE = LifeSettings(_PRODUCT, "IKE SA", _SECONDS)
_CHILD_LIFE = LifeSettings(_PRODUCT, "Child SA", _SECONDS, Setting(1024, 2_147_483_647, KILOBYTE))
_WORDS = Vocabulary(
    product=_PRODUCT,
    ike_versions=(2,),
    ike_encryption=windows.VPN_ENCRYPTION,
    ike_integrity=windows.VPN_INTEGRITY,
    ike_groups=windows.VPN_GROUPS,
    esp_encryption=windows.VPN_ESP_ENCRYPTION,
    esp_integrity=windows.VPN_ESP_INTEGRITY,
    pfs_groups=windows.VPN_PFS_GROUPS,
    authentication={"psk": "PSKOnly"} | dict.fromkeys((*RSA, *ECDSA), "MachineCertificates"),
)


def refuse(connection: Connection, version: str) -> tuple[str, ...]:
    """What the cmdlet has no value for."""
    lines = list(_WORDS.refusals(connection))
    if connection.uses_psk and {connection.local.identity_kind, connection.peer.identity_kind} != {"address"}:
        lines.append("Windows RRAS has addresses as identities only, with a pre-shared key")
    lines += windows.mtu_refusals(_PRODUCT, connection)
    return (*lines, *life_refusals(*_lives(connection)))


def render(connection: Connection, version: str) -> tuple[File, ...]:
    """The script."""
    lines = [
        *_selectors("localSelectors", connection.local.networks),
        *_selectors("remoteSelectors", connection.peer.networks),
        *windows.splatted("interface", _parameters(connection)),
        "Add-VpnS2SInterface @interface",
        f"Set-NetIPInterface -InterfaceAlias {windows.quoted(connection.name)} "
        f"-NlMtuBytes {connection.inner_mtu_bytes}",
    ]
    notes = [
        "Run as an administrator on a server with the role Remote Access (VpnS2S installed).",
        f"The MTU gives the TCP MSS ({connection.mss_ipv4_bytes} for IPv4); there is no setting of its own.",
        fixed_replay_window(_PRODUCT, connection.replay_window_packets),
        *([] if connection.uses_psk else [f"The machine's certificate: {connection.authentication}."]),
        *life_notes(*_lives(connection)),
    ]
    body = windows.script(lines)
    return documented_files(TARGET, connection, version, f"{connection.name}-rras.ps1", body, notes=notes)


def verify(connection: Connection) -> str:
    """Shows the interface's policy, and algorithms, groups and lives of the SAs that are up."""
    name = windows.quoted(connection.name)
    return f"Get-VpnS2SInterface -Name {name} | fl *; Get-NetIPsecMainModeSA | fl *; Get-NetIPsecQuickModeSA | fl *"


def _lives(connection: Connection) -> tuple[FittedLife, FittedLife]:
    return fit_life(connection.ike_life, _IKE_LIFE), fit_life(connection.child_life, _CHILD_LIFE)


def _selectors(variable: str, networks: tuple[str, ...]) -> list[str]:
    lines = [f"${variable} = @("]
    for network in map(ipaddress.ip_network, networks):
        lines.append(
            f"    (New-VpnTrafficSelector -IPAddressRange {network[0]}, {network[-1]} -Type IPv{network.version})"
        )
    return [*lines, ")"]


def _parameters(connection: Connection) -> dict[str, str]:
    ike, esp, peer = connection.ike, connection.esp, connection.peer
    ike_life, child_life = _lives(connection)
    cipher = windows.VPN_ESP_ENCRYPTION[esp.encryption]
    integrity = cipher if esp.integrity is None else windows.VPN_ESP_INTEGRITY[esp.integrity]
    subnets = {
        f"IPv{version}Subnet": windows.array(tuple(f"{network}:100" for network in networks))
        for version, networks in (
            (4, tuple(network for network in peer.networks if ":" not in network)),
            (6, tuple(network for network in peer.networks if ":" in network)),
        )
        if networks
    }
    octets = {} if child_life.octets is None else {"SADataSizeForRenegotiationKilobytes": str(child_life.octets)}
    pfs = "None" if esp.key_exchange is None else windows.VPN_PFS_GROUPS[esp.key_exchange]
    return {
        "Name": windows.quoted(connection.name),
        "Protocol": "'IKEv2'",
        "Destination": windows.quoted(peer.address),
        "SourceIpAddress": windows.quoted(connection.local.address),
        "AuthenticationMethod": windows.quoted(_WORDS.authentication[connection.authentication]),
        **({"SharedSecret": windows.quoted(PSK_PLACEHOLDER)} if connection.uses_psk else {}),
        "CustomPolicy": "$true",
        "EncryptionMethod": windows.quoted(windows.VPN_ENCRYPTION[ike.encryption]),
        "IntegrityCheckMethod": windows.quoted(windows.VPN_INTEGRITY[ike.integrity or ""]),
        "DHGroup": windows.quoted(windows.VPN_GROUPS[ike.key_exchange]),
        "CipherTransformConstants": windows.quoted(cipher),
        "AuthenticationTransformConstants": windows.quoted(integrity),
        "PfsGroup": windows.quoted(pfs),
        "MMSALifeTimeSeconds": str(ike_life.seconds),
        "SALifeTimeSeconds": str(child_life.seconds),
        **octets,
        **subnets,
        "LocalVpnTrafficSelector": "$localSelectors",
        "RemoteVpnTrafficSelector": "$remoteSelectors",
        "Persistent": "$true",
    }


TARGET = Target(
    name="windows-rras",
    title="Windows Server RRAS (PowerShell)",
    versions=windows.VERSIONS,
    proof=Proof.GRAMMAR,
    proof_text=GRAMMAR_PROOF,
    comment=Comment("# "),
    refuse=refuse,
    render=render,
    verify=verify,
)
