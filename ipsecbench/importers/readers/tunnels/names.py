"""What a published table calls the protection of a tunnel, in our words: an ESP suite, and what else is said of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

UNSTATED = "unstated"
"""Algorithm of an IPsec tunnel whose source does not say which ciphers it has."""
_ICV_BYTES = {"8": 8, "12": 12, "16": 16, "64": 8, "96": 12, "128": 16}
_CARRIERS = ("openvpn", "wireguard", "ipsec")
_BITS = re.compile(r"(?<!\d)(128|192|256)(?!\d)")
_GCM_ICV = re.compile(r"(?:128|192|256)[-_]?[cg]cm[-_]?(8|12|16|64|96|128)(?!\d)")
_INTEGRITY = (
    ("sha256", re.compile(r"sha-?2?[-_]?256")),
    ("sha384", re.compile(r"sha-?2?[-_]?384")),
    ("sha512", re.compile(r"sha-?2?[-_]?512")),
    ("sha1", re.compile(r"sha-?1(?!\d)|hmac-sha(?![\d-])|\bsha(?![\d-])")),
    ("md5", re.compile(r"md5")),
    ("aesxcbc", re.compile(r"xcbc")),
    ("aescmac", re.compile(r"cmac")),
)
_TAIL = re.compile(r"\(([^()]{1,80})\)|,\s*([^,()]{1,80})")
_BUILD = re.compile(r"^([\w-]{1,30})\.(?=[a-z])", re.I)


@dataclass(frozen=True, slots=True)
class Protection:
    """How a tunnel is protected."""

    algorithm: str
    """Name of an ESP suite where it is one; with the tool before it where it is no IPsec, such as ``openvpn-null``."""
    variants: tuple[str, ...] = ()
    """What else the table says, such as ``software`` or ``single tunnel``."""


def protection(text: str) -> Protection:
    """What a table's words mean; words that name no cipher are ``unstated``."""
    words = " ".join(text.split())[:200]
    lower = words.lower()
    carrier = next((name for name in _CARRIERS if re.search(rf"\b{name}\b", lower)), "ipsec")
    rest = re.sub(rf"^{carrier}\s+", "", words, flags=re.I) if lower.startswith(f"{carrier} ") else words
    variants = [(match[1] or match[2]).strip() for match in _TAIL.finditer(rest)]
    rest = _TAIL.sub("", rest).strip()
    build = _BUILD.match(rest)
    if build is not None:
        variants.insert(0, build[1])
        rest = rest[build.end() :]
    name = rest.lower()
    if name.startswith("null-"):
        variants.append(name.removeprefix("null-"))
        name = "null"
    suite = _suite(name)
    if suite is None:
        return Protection(carrier if carrier != "ipsec" else UNSTATED, tuple(variants))
    return Protection(suite if carrier == "ipsec" else f"{carrier}-{suite}", tuple(variants))


def _suite(name: str) -> str | None:
    encryption = _encryption(name)
    if encryption is None:
        return None
    if "gcm" in encryption or "ccm" in encryption or encryption == "chacha20poly1305":
        return encryption
    # What is left once the cipher's own size is gone: the 256 of "aes256 sha1" is no hash.
    without = re.sub(r"(?:aes|camellia|des|bf|blowfish)[-_ ]?(?:cbc)?[-_ ]?\d*", " ", name)
    integrity = next((token for token, pattern in _INTEGRITY if pattern.search(without)), None)
    return encryption if integrity is None else f"{encryption}-{integrity}"


def _encryption(name: str) -> str | None:
    bits = _BITS.search(name.replace("sha2_256", "").replace("sha2-256", "").replace("sha256", ""))
    size = bits[1] if bits is not None else None
    for mode in ("gcm", "ccm"):
        if mode in name:
            icv = _GCM_ICV.search(name)
            return f"aes{size or '128'}{mode}{_ICV_BYTES[icv[1]] if icv is not None else 16}"
    if "chacha" in name:
        return "chacha20poly1305"
    if "aes" in name or "rijndael" in name:
        suffix = "ctr" if "ctr" in name else ""
        return f"aes{size or '128'}{suffix}"
    if re.search(r"3des|des3|des-ede3|tripledes", name):
        return "3des"
    for token, pattern in (("blowfish", r"\bbf\b|blowfish"), ("camellia", "camellia")):
        if re.search(pattern, name):
            return f"{token}{size or '128'}"
    if re.search(r"\bdes\b", name):
        return "des"
    return "null" if re.search(r"\bnull\b", name) else None
