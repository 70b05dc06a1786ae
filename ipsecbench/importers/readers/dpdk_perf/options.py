"""What a run of dpdk-test-crypto-perf was asked to do: from the options that it prints, or from its command line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ipsecbench.importers import names

_OPTION = re.compile(r"^#\s*([a-z][a-z /]{2,40}?):\s*(\S.*?)\s*$")
_ARGUMENT = re.compile(r"--([a-z-]{3,24})[ =]+([^\s-][^\s]{0,80})")
_CREATED = re.compile(r"\bCreating cryptodev (crypto_[a-z0-9_]+?)\d*\s*$")
_FROM_ARGUMENT = {
    "devtype": "cryptodev type",
    "optype": "crypto operation",
    "ptest": "cperf test",
    "aead-algo": "aead algorithm",
    "aead-op": "aead operation",
    "aead-key-sz": "aead key size",
    "aead-aad-sz": "aead aad size",
    "cipher-algo": "cipher algorithm",
    "cipher-op": "cipher operation",
    "cipher-key-sz": "cipher key size",
    "auth-algo": "auth algorithm",
    "auth-op": "auth operation",
    "digest-sz": "digest size",
}
_SIZE = re.compile(r"^\d{1,4}$")
ENGINES = ("qat", "dpaa", "caam", "ccp", "cn9k", "cn10k", "cn20k", "cnxk", "octeon", "nitrox", "mlx5", "mvsam", "bcmfs")
"""Parts of the names of drivers whose work an engine beside the processor does."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is measured."""

    driver: str
    """Name of the driver without ``crypto_``; ``unstated``."""
    operation: str
    """``encrypt``, ``decrypt``, ``authenticate`` or another of the tool's words."""
    algorithm: str | None
    """None where the text does not say."""
    facts: Mapping[str, str]
    """Options by their names."""

    @property
    def is_engine(self) -> bool:
        """Whether something beside the processor did the work."""
        return any(part in self.driver for part in ENGINES)


def options_in(line: str) -> dict[str, str]:
    """Options that a line tells; none in most lines."""
    if "crypto-perf" in line or "crypto_perf" in line:
        return {_FROM_ARGUMENT[name]: value for name, value in _ARGUMENT.findall(line) if name in _FROM_ARGUMENT}
    told = _OPTION.match(line)
    if told is not None:
        return {told[1].replace("aead digest size", "digest size").replace("auth digest size", "digest size"): told[2]}
    created = _CREATED.search(line)
    return {} if created is None else {"created": created[1]}


def asked_for(options: Mapping[str, str]) -> Asked:
    """What the options mean together."""
    driver = options.get("cryptodev type", options.get("created", "unstated")).removeprefix("crypto_")
    kind = options.get("crypto operation", "")
    operation, algorithm = _meaning(kind, options)
    return Asked(names.normal_name(driver).replace("-", "_"), operation, algorithm, dict(options))


def _meaning(kind: str, options: Mapping[str, str]) -> tuple[str, str | None]:
    cipher, mac = _cipher(options), _mac(options)
    direction = options.get("cipher operation", "encrypt")
    if kind == "aead" or (not kind and "aead algorithm" in options):
        return options.get("aead operation", "encrypt"), _aead(options)
    if kind == "cipher-only":
        return direction, cipher
    if kind == "auth-only":
        return "authenticate", mac
    if kind in ("cipher-then-auth", "auth-then-cipher", ""):
        both = None if cipher is None or mac is None else f"{cipher}-{mac}"
        is_esp = (kind == "auth-then-cipher") == (direction == "decrypt")
        return direction, both if both is None or is_esp else f"{both}-{kind}"
    return names.normal_name(kind) or "unstated", _aead(options) or cipher or mac


def _bits(options: Mapping[str, str], name: str) -> int | None:
    text = options.get(f"{name} key size", "")
    return int(text) * 8 if _SIZE.match(text) else None


def _aead(options: Mapping[str, str]) -> str | None:
    name, bits = options.get("aead algorithm"), _bits(options, "aead")
    if name is None:
        return None
    mode = name.removeprefix("aes-")
    if mode in ("gcm", "ccm") and bits:
        tag = options.get("digest size", "16")
        return f"aes{bits}{mode}{tag if tag in ('8', '12', '16') else '16'}"
    return names.primitive(name).algorithm


def _cipher(options: Mapping[str, str]) -> str | None:
    name, bits = options.get("cipher algorithm"), _bits(options, "cipher")
    if name is None:
        return None
    family, _, mode = name.partition("-")
    found = names.primitive(name if family not in ("aes", "camellia") or not bits else f"{family}-{bits}-{mode}")
    return found.algorithm


def _mac(options: Mapping[str, str]) -> str | None:
    name = options.get("auth algorithm")
    if name is None:
        return None
    plain = name.removesuffix("-hmac")
    return names.primitive(f"hmac({plain})").algorithm if plain != name else names.primitive(name).algorithm
