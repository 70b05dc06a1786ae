"""Keys of SAs in the formats that Wireshark reads. Only ever written on request: whoever has the lines has the traffic.

Wireshark's tables ``ikev2_decryption_table``, ``ikev1_decryption_table`` and ``esp_sa`` are files of these names in its
configuration folder, one record a line. It refuses a whole table with one name in it that it does not know, so an SA
with an algorithm of that kind becomes a comment line. The names are those of Wireshark 4.0.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.ike.events import (
    ChildSaEstablished,
    ChildSaInfo,
    ChildSaRekeyed,
    Event,
    IkeSaInfo,
    IkeSaKeysDerived,
    SaKeys,
)

IKEV2_TABLE = "ikev2_decryption_table"
"""File of IKE SAs."""
IKEV1_TABLE = "ikev1_decryption_table"
"""File of ISAKMP SAs."""
ESP_TABLE = "esp_sa"
"""File of ESP SAs."""
TABLES = (IKEV2_TABLE, IKEV1_TABLE, ESP_TABLE)
"""All files."""

_UNCHECKED = "ANY 96-bits of Authentication [No Checking]"
_IKE_INTEGRITY: Mapping[str, str] = MappingProxyType(
    {
        "md5": "HMAC_MD5_96 [RFC2403]",
        "sha1": "HMAC_SHA1_96 [RFC2404]",
        "sha256": "HMAC_SHA2_256_128 [RFC4868]",
        "sha384": "HMAC_SHA2_384_192 [RFC4868]",
        "sha512": "HMAC_SHA2_512_256 [RFC4868]",
        "aesxcbc": _UNCHECKED,
        "aescmac": _UNCHECKED,
    }
)
_ESP_INTEGRITY: Mapping[str, str] = MappingProxyType(
    {
        "md5": "HMAC-MD5-96 [RFC2403]",
        "sha1": "HMAC-SHA-1-96 [RFC2404]",
        "sha256": "HMAC-SHA-256-128 [RFC4868]",
        "sha384": "HMAC-SHA-384-192 [RFC4868]",
        "sha512": "HMAC-SHA-512-256 [RFC4868]",
        "aesxcbc": "ANY 96 bit authentication [no checking]",
        "aescmac": "ANY 96 bit authentication [no checking]",
    }
)
_ESP_CIPHERS: Mapping[str, str] = MappingProxyType(
    {
        "null": "NULL",
        "des": "DES-CBC [RFC2405]",
        "3des": "TripleDES-CBC [RFC2451]",
        "cast128": "CAST5-CBC [RFC2144]",
        "blowfish128": "BLOWFISH-CBC [RFC2451]",
        **{f"aes{bits}": "AES-CBC [RFC3602]" for bits in (128, 192, 256)},
        **{f"aes{bits}ctr": "AES-CTR [RFC3686]" for bits in (128, 192, 256)},
        **{f"twofish{bits}": "TWOFISH-CBC" for bits in (128, 192, 256)},
        **{
            f"aes{bits}gcm{octets}": f"AES-GCM with {octets} octet ICV [RFC4106]"
            for bits in (128, 192, 256)
            for octets in (8, 12, 16)
        },
    }
)


def _ike_cipher(name: str) -> str | None:
    row = ENCRYPTION[name]
    if name == "3des":
        return "3DES [RFC2451]"
    if not name.startswith("aes"):
        return None
    if row.mode == "cbc":
        return f"AES-CBC-{row.key_bits} [RFC3602]"
    if row.mode == "ctr":
        return f"AES-CTR-{row.key_bits} [RFC5930]"
    if row.mode in ("gcm", "ccm"):
        return f"AES-{row.mode.upper()}-{row.key_bits} with {row.icv_bytes} octet ICV [RFC5282]"
    return None


@dataclass(frozen=True, slots=True)
class KeyLogLine:
    """One line for one table."""

    table: str
    """Name of the table, which is its file's."""
    text: str
    """The line, without its end. It holds keys."""

    def __repr__(self) -> str:
        return f"KeyLogLine({self.table})"


def key_log_lines(event: Event) -> Iterator[KeyLogLine]:
    """The lines that an event gives: for the keys of an IKE SA, or for both directions of a Child SA."""
    if isinstance(event, IkeSaKeysDerived):
        yield _ikev1_line(event.sa) if event.sa.version == 1 else _ikev2_line(event.sa)
    elif isinstance(event, ChildSaEstablished | ChildSaRekeyed):
        yield _esp_line(event.sa, inbound=True)
        yield _esp_line(event.sa, inbound=False)


def _ikev1_line(sa: IkeSaInfo) -> KeyLogLine:
    return KeyLogLine(IKEV1_TABLE, f"{sa.spi_i.hex()},{sa.keys['encryption_key'].reveal().hex()}")


def _ikev2_line(sa: IkeSaInfo) -> KeyLogLine:
    cipher = _ike_cipher(sa.negotiated.encryption)
    if cipher is None:
        return KeyLogLine(IKEV2_TABLE, f"# {sa.spi_i.hex()} {sa.negotiated.encryption}: not known to Wireshark")
    keys = {name: secret.reveal().hex() for name, secret in sa.keys.items()}
    integrity = sa.negotiated.integrity
    name = "NONE [RFC4306]" if integrity is None else _IKE_INTEGRITY[integrity]
    mac_keys = ("", "") if integrity is None or name == _UNCHECKED else (keys["sk_ai"], keys["sk_ar"])
    fields = (
        sa.spi_i.hex(),
        sa.spi_r.hex(),
        keys["sk_ei"],
        keys["sk_er"],
        f'"{cipher}"',
        mac_keys[0],
        mac_keys[1],
        f'"{name}"',
    )
    return KeyLogLine(IKEV2_TABLE, ",".join(fields))


def _esp_line(sa: ChildSaInfo, *, inbound: bool) -> KeyLogLine:
    spi, keys = (sa.inbound_spi, sa.inbound) if inbound else (sa.outbound_spi, sa.outbound)
    cipher = _ESP_CIPHERS.get(sa.negotiated.encryption)
    if cipher is None:
        return KeyLogLine(ESP_TABLE, f"# {spi.hex()} {sa.negotiated.encryption}: not known to Wireshark")
    source, destination = sa.path.local.host, sa.path.remote.host
    if inbound:
        source, destination = destination, source
    fields = (
        f"IPv{ipaddress.ip_address(source).version}",
        source,
        destination,
        f"0x{spi.hex()}",
        cipher,
        _hex_key(keys.encryption.reveal()),
        *_esp_integrity(sa, keys),
    )
    return KeyLogLine(ESP_TABLE, ",".join(f'"{field}"' for field in fields))


def _esp_integrity(sa: ChildSaInfo, keys: SaKeys) -> tuple[str, str]:
    if sa.negotiated.integrity is None or keys.integrity is None:
        return "NULL", ""
    return _ESP_INTEGRITY[sa.negotiated.integrity], _hex_key(keys.integrity.reveal())


def _hex_key(octets: bytes) -> str:
    return f"0x{octets.hex()}" if octets else ""
