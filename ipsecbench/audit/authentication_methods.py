"""How the programs spell what one side proves its identity with."""

from __future__ import annotations

import re

from ipsecbench.audit.configuration import Authentication
from ipsecbench.audit.text import printable

_SIGNATURES = {
    "rsa": "rsa",
    "ecdsa": "ecdsa",
    "ed25519": "eddsa",
    "ed448": "eddsa",
    "eddsa": "eddsa",
    "pubkey": "pubkey",
}
_HASHES = ("md5", "sha1", "sha256", "sha384", "sha512", "identity")
_WHOLE = {"psk": "psk", "secret": "psk", "null": "null", "never": "null", "dss": "dss", "any": "other"}


def strongswan_method(text: str, side: str, line: int | None) -> Authentication:
    """What an ``auth`` value of strongSwan means, such as ``psk`` or ``ike:rsa-3072-sha256``."""
    text = printable(text.strip())
    word = text.lower()
    if word in _WHOLE:
        return Authentication(_WHOLE[word], text, side, line=line)
    for prefix in ("eap", "xauth"):
        if word.startswith(prefix):
            return Authentication(prefix, text, side, line=line)
    constraints = word.removeprefix("ike:").split("-")
    kind = _SIGNATURES.get(constraints[0].partition("/")[0], "other")
    sizes = [int(part) for part in constraints[1:] if re.fullmatch(r"\d{3,5}", part)]
    hashes = tuple(part for part in constraints[1:] if part in _HASHES)
    if len({part.partition("/")[0] for part in constraints} & set(_SIGNATURES)) > 1:
        return Authentication("pubkey", text, side, hashes=hashes, line=line)
    return Authentication(kind, text, side, sizes[0] if sizes else None, hashes, line)
