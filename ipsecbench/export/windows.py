"""Words of Windows' PowerShell cmdlets, and how a script for them is written.

Source: Microsoft's reference of Windows Server 2025 (MicrosoftDocs/windows-powershell-docs). Its own examples of
Set-VpnConnectionIPsecConfiguration protect AES-CBC with ``AuthenticationTransformConstants None``, which is encryption
without integrity, and name a combined mode in one of its two places only; here both places always have a value.
"""

from __future__ import annotations

from collections.abc import Mapping

from ipsecbench.export.connection import Connection

SMALLEST_MTU = 576
"""Octets: the smallest MTU that Windows takes for an interface with IPv4 (from memory, unverified)."""

VPN_ENCRYPTION = {"des": "DES", "3des": "DES3", "aes128": "AES128", "aes192": "AES192", "aes256": "AES256"}
"""EncryptionMethod, without its combined modes."""
VPN_INTEGRITY = {"md5": "MD5", "sha1": "SHA1", "sha256": "SHA256", "sha384": "SHA384"}
"""IntegrityCheckMethod."""
VPN_GROUPS = {
    **{"modp768": "Group1", "modp1024": "Group2", "modp2048": "Group14", "modp2048s256": "Group24"},
    **{"ecp256": "ECP256", "ecp384": "ECP384"},
}
"""DHGroup."""
VPN_PFS_GROUPS = {
    **{"modp768": "PFS1", "modp1024": "PFS2", "modp2048": "PFS2048", "modp2048s256": "PFS24"},
    **{"ecp256": "ECP256", "ecp384": "ECP384"},
}
"""PfsGroup."""
VPN_ESP_COMBINED = {f"aes{bits}gcm16": f"GCMAES{bits}" for bits in (128, 192, 256)}
"""CipherTransformConstants and AuthenticationTransformConstants of a combined mode: the same in both places."""
VPN_ESP_ENCRYPTION = VPN_ENCRYPTION | VPN_ESP_COMBINED
"""CipherTransformConstants."""
VPN_ESP_INTEGRITY = {"md5": "MD596", "sha1": "SHA196", "sha256": "SHA256128"}
"""AuthenticationTransformConstants."""
VERSIONS = ("2025", "2022")
"""Of Windows Server; Windows 11 and 10 have the same cmdlets."""


def quoted(value: str) -> str:
    """A string that PowerShell takes as it is."""
    escaped = value.replace("'", "''")
    return f"'{escaped}'"


def array(values: tuple[str, ...]) -> str:
    """An array of strings."""
    return f"@({', '.join(quoted(value) for value in values)})"


def splatted(variable: str, parameters: Mapping[str, str]) -> list[str]:
    """Lines that put a cmdlet's parameters into a variable, one each; values are PowerShell's expressions."""
    width = max(map(len, parameters))
    return [f"${variable} = @{{", *(f"    {name:<{width}} = {value}" for name, value in parameters.items()), "}"]


def script(lines: list[str]) -> str:
    """Lines as a script that stops at the first error."""
    return "".join(f"{line}\n" for line in ["$ErrorActionPreference = 'Stop'", *lines])


def mtu_refusals(product: str, connection: Connection) -> list[str]:
    """An interface's MTU has a smallest value."""
    if connection.inner_mtu_bytes >= SMALLEST_MTU:
        return []
    return [
        f"{product} sets no MTU of an interface below {SMALLEST_MTU} octets; {connection.inner_mtu_bytes} are needed"
    ]
