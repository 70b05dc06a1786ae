"""The kernel's crypto drivers, from the text of /proc/crypto: which one wins for each ESP algorithm.

The kernel takes the driver with the highest priority among those that passed their self-test (Linux
`crypto/api.c`, `__crypto_alg_lookup`). XFRM asks by the names of `net/xfrm/xfrm_algo.c`, wrapped in an IV generator
(`net/ipv4/esp4.c`). A name that is not listed is not missing: the kernel loads modules and builds templates when
somebody asks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ipsecbench.hardware.crypto_drivers import DriverKind, classify_driver
from ipsecbench.hardware.source import parse_integer, printable

MAX_DRIVERS = 8192

ESP_KERNEL_NAMES: Final[Mapping[str, str]] = {
    "aes-gcm-16": "rfc4106(gcm(aes))",
    "aes-gmac": "rfc4543(gcm(aes))",
    "aes-ccm-16": "rfc4309(ccm(aes))",
    "chacha20poly1305": "rfc7539esp(chacha20,poly1305)",
    "aes-cbc-hmac-sha256": "authenc(hmac(sha256),cbc(aes))",
    "aes-cbc-hmac-sha1": "authenc(hmac(sha1),cbc(aes))",
    "aes-cbc-hmac-sha384": "authenc(hmac(sha384),cbc(aes))",
    "aes-cbc-hmac-sha512": "authenc(hmac(sha512),cbc(aes))",
    "aes-cbc-hmac-md5": "authenc(hmac(md5),cbc(aes))",
    "aes-cbc-xcbc": "authenc(xcbc(aes),cbc(aes))",
    "aes-cbc-cmac": "authenc(cmac(aes),cbc(aes))",
    "aes-ctr-hmac-sha256": "authenc(hmac(sha256),rfc3686(ctr(aes)))",
    "3des-cbc-hmac-sha1": "authenc(hmac(sha1),cbc(des3_ede))",
    "camellia-cbc-hmac-sha256": "authenc(hmac(sha256),cbc(camellia))",
    "null-hmac-sha256": "authenc(hmac(sha256),ecb(cipher_null))",
}
"""ESP algorithms (any key length) and the name that XFRM asks the kernel for."""

_PROVING = {
    "AES-NI": ("x86",), "PCLMULQDQ": ("x86",), "VIA PadLock": ("x86",), "CPACF": ("s390x",),
    "ARMv8 cryptographic extension": ("aarch64", "arm"), "POWER vector crypto": ("power",),
    "SPARC T4 opcodes": ("sparc",), "Octeon coprocessor 2": ("mips",), "RISC-V vector crypto": ("riscv",),
}  # fmt: skip
"""Instructions whose drivers load only on a CPU that has them, and the architectures of those CPUs."""
_PROVEN_FUNCTIONS = {
    "cbc(aes)": "aes", "ctr(aes)": "aes", "ecb(aes)": "aes", "aes": "aes", "ghash": "carryless-multiply",
    "gcm(aes)": "carryless-multiply", "sha1": "sha1", "sha256": "sha256", "sha512": "sha512", "sha3-256": "sha3",
}  # fmt: skip
_BLOCK_MODES = frozenset({"cbc", "ctr", "ecb", "cbcmac", "cmac", "xcbc"})
_IV_GENERATORS = ("seqiv", "echainiv", "eseqiv")


@dataclass(frozen=True, slots=True)
class CryptoDriver:
    """One entry of /proc/crypto."""

    name: str
    """The algorithm, such as `rfc4106(gcm(aes))`; empty in an excerpt that lists only drivers."""
    driver: str
    module: str | None
    priority: int | None
    type: str | None
    selftest: str | None
    """`passed`, or `unknown` where it failed or has not run: then the kernel does not use it."""
    is_internal: bool
    is_async: bool | None
    kind: DriverKind
    what: str | None
    """Which engine or instructions, for people."""

    @property
    def is_usable(self) -> bool:
        """Whether the kernel hands it out: not internal, and its self-test passed (old kernels list none)."""
        return not self.is_internal and self.selftest in (None, "passed")


@dataclass(frozen=True, slots=True)
class EspDriver:
    """Who would serve one ESP algorithm."""

    algorithm: str
    kernel_name: str
    status: str
    """`listed`, `template` (the kernel would build it from listed parts) or `not listed` (it may load a module)."""
    drivers: tuple[str, ...]
    """The winning driver; for a template the winner of every part."""
    priority: int | None
    kind: DriverKind
    what: str | None
    outranked: tuple[str, ...]
    """Usable drivers of the same algorithm with a lower priority."""
    rejected: tuple[str, ...]
    """Drivers of a higher priority that the kernel does not use: their self-test has not passed."""


@dataclass(frozen=True, slots=True)
class KernelCrypto:
    """What /proc/crypto says."""

    drivers: tuple[CryptoDriver, ...]
    esp: tuple[EspDriver, ...]
    is_complete: bool
    """False when the text was cut."""


def parse_proc_crypto(text: str, is_truncated: bool = False) -> KernelCrypto:
    """Read the text of /proc/crypto; any text is accepted, entries without a driver are dropped."""
    drivers: list[CryptoDriver] = []
    for record in _records(text):
        if len(drivers) >= MAX_DRIVERS:
            is_truncated = True
            break
        if record.get("driver"):
            drivers.append(_driver(record))
    found = tuple(drivers)
    index = _index(found)
    return KernelCrypto(
        found,
        tuple(_esp_driver(algorithm, name, index) for algorithm, name in ESP_KERNEL_NAMES.items()),
        not is_truncated,
    )


def functions_proven_by(drivers: Sequence[CryptoDriver], architecture: str | None) -> dict[str, str]:
    """Functions that the CPU must have instructions for, because a driver that needs them is loaded.

    Args:
        drivers: the kernel's drivers.
        architecture: of the CPU; drivers of another architecture prove nothing.

    Returns:
        The name of the driver for each function, with the keys of `features.FUNCTIONS`.
    """
    proven: dict[str, str] = {}
    for driver in drivers:
        function = _PROVEN_FUNCTIONS.get(driver.name)
        if function is not None and driver.is_usable and architecture in _PROVING.get(driver.what or "", ()):
            proven.setdefault(function, driver.driver)
    return proven


def _records(text: str) -> Iterator[dict[str, str]]:
    record: dict[str, str] = {}
    for line in text.split("\n"):
        key, colon, value = line.partition(":")
        key = key.strip().lower()
        if not line.strip() or (colon and key in record):  # excerpts have lost their empty lines
            if record:
                yield record
            record = {}
        if colon and len(key) <= 32:
            record[key] = printable(value)
    if record:
        yield record


def _driver(record: Mapping[str, str]) -> CryptoDriver:
    kind, what = classify_driver(record["driver"])
    asynchronous = record.get("async")
    return CryptoDriver(
        name=record.get("name", ""),
        driver=record["driver"],
        module=record.get("module") or None,
        priority=parse_integer(record.get("priority")),
        type=record.get("type") or None,
        selftest=record.get("selftest") or None,
        is_internal=record.get("internal") == "yes",
        is_async=None if asynchronous is None else asynchronous == "yes",
        kind=kind,
        what=what,
    )


def _index(drivers: Sequence[CryptoDriver]) -> dict[str, list[CryptoDriver]]:
    """Drivers by name, best first. Single-block ciphers and modes have different names, so types need no look."""
    index: dict[str, list[CryptoDriver]] = {}
    for driver in drivers:
        name = driver.name
        for generator in _IV_GENERATORS:
            if name.startswith(generator + "(") and name.endswith(")"):
                name = name[len(generator) + 1 : -1]
        index.setdefault(name.replace(" ", ""), []).append(driver)
    for found in index.values():
        # An entry inside an IV generator repeats the plain one with the same priority: the plain one comes first.
        found.sort(key=lambda one: (-(one.priority or 0), len(one.name)))
    return index


def _esp_driver(algorithm: str, name: str, index: Mapping[str, list[CryptoDriver]]) -> EspDriver:
    candidates = index.get(name, [])
    winner = next((one for one in candidates if one.is_usable), None)
    if winner is not None:
        others = dict.fromkeys(one.driver for one in candidates if one.is_usable and one.driver not in winner.driver)
        return EspDriver(
            algorithm,
            name,
            "listed",
            (winner.driver,),
            winner.priority,
            winner.kind,
            winner.what,
            outranked=tuple(driver for driver in others if winner.driver not in driver),
            rejected=_rejected(candidates, winner),
        )
    parts = _built_from(name, index, depth=0)
    if parts is None:
        return EspDriver(
            algorithm, name, "not listed", (), None, DriverKind.UNKNOWN, None, (), _rejected(candidates, None)
        )
    kinds = {one.kind: one.what for one in parts if "null" not in one.name} or {one.kind: one.what for one in parts}
    kind = next(iter(kinds)) if len(kinds) == 1 else DriverKind.MIXED
    what = " and ".join(dict.fromkeys(filter(None, kinds.values()))) or None
    return EspDriver(
        algorithm,
        name,
        "template",
        tuple(dict.fromkeys(one.driver for one in parts)),
        None,
        kind,
        what,
        (),
        _rejected(candidates, None),
    )


def _rejected(candidates: Sequence[CryptoDriver], winner: CryptoDriver | None) -> tuple[str, ...]:
    lowest = -1 if winner is None else winner.priority or 0
    return tuple(
        dict.fromkeys(
            one.driver
            for one in candidates
            if not one.is_usable and not one.is_internal and (one.priority or 0) > lowest
        )
    )


def _built_from(name: str, index: Mapping[str, list[CryptoDriver]], depth: int) -> list[CryptoDriver] | None:
    """The drivers of the parts from which the kernel would build an algorithm; `None` when one is not listed."""
    winner = next((one for one in index.get(name, ()) if one.is_usable), None)
    if winner is not None:
        return [winner]
    found: list[CryptoDriver] = []
    parts = _parts(name)
    if not parts or depth > 6:
        return None
    for part in parts:
        inner = _built_from(part, index, depth + 1)
        if inner is None:
            return None
        found.extend(inner)
    return found


def _parts(name: str) -> list[str]:
    """What a template is built over: gcm over counter mode and GHASH, the others over what is in the brackets.

    Modes over a bare cipher are not followed: asking for them may load the module of a faster driver.
    """
    template, bracket, inner = name.partition("(")
    if not bracket or not inner.endswith(")"):
        return []
    inner = inner[:-1]
    if template in _BLOCK_MODES:
        return []
    if template == "gcm":
        return [f"ctr({inner})", "ghash"]
    if template == "ccm":
        return [f"ctr({inner})", f"cbcmac({inner})"]
    parts, level, start = [], 0, 0
    for position, character in enumerate(inner):
        level += (character == "(") - (character == ")")
        if character == "," and level == 0:
            parts.append(inner[start:position])
            start = position + 1
    return [*parts, inner[start:]]
