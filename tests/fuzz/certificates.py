"""Certificates and configurations to begin from."""

from __future__ import annotations

import base64
import functools
from collections.abc import Iterator

from ipsecbench.providers.certificates import PycaPublicKeyInfrastructure
from ipsecbench.providers.der import element, elements
from ipsecbench.providers.interface import Certificate
from ipsecbench.providers.known_answers import signing_key
from tests.unit.providers.public_key_infrastructure import FAST_KEYS, NOW_SECONDS, Template, key
from tests.unit.providers.public_key_infrastructure import authority as make_authority

__all__ = ["NOW_SECONDS", "authority", "encoded", "endpoint_files", "issued", "leaf", "private_keys", "to_be_signed"]

_SEQUENCE = 0x30


@functools.cache
def authority() -> Certificate:
    """The one trusted authority."""
    return PycaPublicKeyInfrastructure().load_certificate(make_authority("root", FAST_KEYS[0]))


@functools.cache
def leaf() -> Certificate:
    """A certificate that the authority issued."""
    template = Template("leaf", FAST_KEYS[1], issuer="root", signer=FAST_KEYS[0])
    return PycaPublicKeyInfrastructure().load_certificate(template.der())


def to_be_signed(der: bytes) -> bytes:
    """What the signature under a certificate covers."""
    return elements(element(der, _SEQUENCE).content)[0].der


@functools.cache
def _certificates() -> tuple[bytes, ...]:
    rows = [leaf().der, authority().der]
    rows += [
        Template("leaf", key(kind), issuer="root", signer=FAST_KEYS[0]).der()
        for kind in ("rsa-2048", "ecdsa-384", "ed25519")
    ]
    return tuple(rows)


@functools.cache
def issued() -> frozenset[bytes]:
    """What the authority has signed, itself included. Other octets around it make no other certificate."""
    return frozenset(to_be_signed(der) for der in _certificates())


def encoded() -> Iterator[bytes]:
    """Certificates of all kinds of keys, in DER and PEM."""
    yield from _certificates()
    yield b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(leaf().der) + b"-----END CERTIFICATE-----\n"


def private_keys() -> Iterator[bytes]:
    """Published keys."""
    for kind in ("rsa-2048", "ecdsa-256", "ed25519"):
        yield signing_key(kind)


def endpoint_files() -> Iterator[bytes]:
    """A configuration with much in it."""
    yield b"""\
[endpoint]
port = 1500
[connections.site]
version = 2
local_addrs = ["192.0.2.1"]
remote_addrs = ["192.0.2.2", "2001:db8::2"]
proposals = ["aes256-sha1-modp1024", "aes128gcm16-prfsha256-x25519-ke1_mlkem768"]
psk = "0x0102"
rekey_time = "4h"
unique = "keep"
[connections.site.local]
auth = "psk"
id = "alpha"
[connections.site.remote]
auth = "psk"
id = "C=CH, CN=beta"
[connections.site.children.net]
local_ts = ["10.1.0.0/16"]
remote_ts = ["10.2.0.0/16[tcp/23]"]
esp_proposals = ["aes128-md5"]
life_bytes = 1100000
start_action = "start"
"""
    yield b"[connections.a]\nlocal_addrs = ['192.0.2.1']\nproposals = ['aes128-sha256-x25519']\npsk = 'x'\n"
