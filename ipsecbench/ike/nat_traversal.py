"""NAT traversal: which datagrams are what on the NAT-T port, and the hashes that find a NAT.

RFC 3947, RFC 3948, RFC 7296 section 2.23.
"""

from __future__ import annotations

import hashlib
import ipaddress
from enum import Enum
from functools import lru_cache

from ipsecbench.esp.udp_encapsulation import KEEPALIVE as KEEPALIVE
from ipsecbench.esp.udp_encapsulation import NON_ESP_MARKER as NON_ESP_MARKER
from ipsecbench.ike.path import Address

IKE_PORT = 500
"""UDP port of IKE."""
NAT_T_PORT = 4500
"""UDP port of IKE and ESP behind a NAT."""


class Content(Enum):
    """What a datagram on the NAT-T port is."""

    IKE = "ike"
    """An IKE message after the non-ESP marker."""
    ESP = "esp"
    """An ESP packet."""
    KEEPALIVE = "keepalive"
    """Keeps the NAT's mapping; no answer."""
    NOISE = "noise"
    """Too short for anything."""


def classify(data: bytes) -> Content:
    """What a datagram on the NAT-T port is (RFC 3948 section 2)."""
    if data == KEEPALIVE:
        return Content.KEEPALIVE
    if len(data) <= len(NON_ESP_MARKER):
        return Content.NOISE
    return Content.IKE if data.startswith(NON_ESP_MARKER) else Content.ESP


@lru_cache(maxsize=1024)
def address_octets(address: Address) -> bytes:
    """IP address and port as both versions hash them."""
    return ipaddress.ip_address(address.host).packed + address.port.to_bytes(2)


def nat_detection_hash(spi_i: bytes, spi_r: bytes, address: Address, hash_name: str = "sha1") -> bytes:
    """The data of NAT_DETECTION_*_IP (SHA-1, RFC 7296 section 2.23) or of a NAT-D payload (RFC 3947 section 3.2).

    Args:
        spi_i: initiator's SPI or cookie.
        spi_r: responder's SPI or cookie; zero in the first message.
        address: address and port as this end believes them to be.
        hash_name: the negotiated hash in IKEv1.
    """
    return hashlib.new(hash_name, spi_i + spi_r + address_octets(address), usedforsecurity=False).digest()
