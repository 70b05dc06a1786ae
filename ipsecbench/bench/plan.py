"""Which workloads a run measures: what was asked for, out of what the box offers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from types import MappingProxyType

from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.bench.handshake import QUICK_SETS, STACK_PROVIDER
from ipsecbench.bench.measurement import CSIT_IMIX, SIMPLE_IMIX, Tier, Workload
from ipsecbench.bench.runner import Offer
from ipsecbench.errors import UsageError

SMALLEST_SIZE_BYTES = 1
LARGEST_SIZE_BYTES = 65535

PYTHON_PROVIDERS = ("cryptography", "pycryptodome")
AGENT_PROVIDERS = ("libcrypto", "libgcrypt", "libipsec-mb")
KERNEL_PROVIDERS = ("kernel", "kernel-batched")
"""The kernel's ciphers as programs reach them (AF_ALG), measured by the agent where they are asked for by name: what a
program pays there is no prediction for the kernel's own ESP, and userspace ESP does not use them."""
DEFAULT_PROVIDERS = (*AGENT_PROVIDERS, *PYTHON_PROVIDERS, STACK_PROVIDER)
PROVIDERS = (*DEFAULT_PROVIDERS, *KERNEL_PROVIDERS)

DECISION_SUITES = (
    "aes128gcm16", "aes256gcm16", "chacha20poly1305", "aes128ccm16", "aes256ccm16",
    "aes128-sha256", "aes256-sha256", "aes256-sha384", "aes256-sha512", "aes128-sha1", "aes256-sha1",
    "aes128ctr-sha256", "aes256ctr-sha256", "aes128-aesxcbc",
    "3des-sha1", "aes128-md5", "null-sha256", "aes128gmac",
)  # fmt: skip
"""Suites that a decision is made between, those that the articles of old name, and the floor without encryption."""

COMMON_SUITES = (
    *DECISION_SUITES,
    "aes192gcm16", "aes128gcm12", "aes256gcm12", "aes128gcm8", "aes256gcm8", "aes128ccm8", "aes256ccm8", "aes256gmac",
    "aes192-sha256", "aes128-sha384", "aes128-sha512", "aes128-aescmac", "aes256-aesxcbc", "aes128ctr-sha1",
    "camellia128-sha256", "camellia256-sha256", "3des-md5", "3des-sha256", "des-md5",
    "blowfish128-sha1", "blowfish256-sha1", "cast128-sha1", "twofish128-sha1", "twofish256-sha256", "serpent256-sha256",
    "null-sha1", "null-md5",
)  # fmt: skip
"""What a default run measures; ``--only '*'`` measures every legal suite."""

_QUICK_SIZES = (64, 576, 1400)
_DEFAULT_SIZES = (64, 128, 256, 576, 1024, 1400, 9000)
_PRIMITIVE_SIZES = (64, 1408, 8192)
_COMPARED_SIZES = (1408,)
_PYTHON_SIZES = (64, 1408)
_KERNEL_SIZES = (64, 256, 576, 1408, 8192)
_PRF_SIZES: Mapping[str, int] = MappingProxyType({"prf": 64, "prf-plus": 256})
_SIZED_OPERATIONS = ("encrypt", "decrypt", "authenticate", "verify", "prf", "prf-plus", "outbound", "inbound")
_QUICK_HANDSHAKES = frozenset(row.name for row in QUICK_SETS)
_MULTI_CORE_SUITES = ("aes128gcm16", "aes256gcm16", "chacha20poly1305", "aes256-sha256")


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for on the command line."""

    quick: bool = False
    """The short plan."""
    only: tuple[str, ...] = ()
    """Names or patterns of algorithms and suites; empty: the plan's own choice."""
    sizes_bytes: tuple[int, ...] = ()
    """Octets per operation; empty: the plan's own choice."""
    providers: tuple[str, ...] = DEFAULT_PROVIDERS
    """Libraries to measure."""
    cores: int = 1
    """Most processors to load at once; 1 measures a single core only."""


def parse_sizes(text: str) -> tuple[int, ...]:
    """The sizes in a comma-separated list, in octets, ascending.

    Raises:
        UsageError: one is not a whole number from 1 to 65535.
    """
    sizes = set()
    for item in text.split(","):
        word = item.strip()
        if not (word.isascii() and word.isdigit() and len(word) <= 9):
            raise UsageError(f"--sizes: {word!r} is not a whole number of octets, such as 64,576,1400")
        size = int(word)
        if not SMALLEST_SIZE_BYTES <= size <= LARGEST_SIZE_BYTES:
            raise UsageError(f"--sizes: {size} is outside {SMALLEST_SIZE_BYTES} to {LARGEST_SIZE_BYTES} octets")
        sizes.add(size)
    return tuple(sorted(sizes))


def parse_providers(text: str) -> tuple[str, ...]:
    """The providers in a comma-separated list.

    Raises:
        UsageError: one is unknown.
    """
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in names:
        if name not in PROVIDERS:
            raise UsageError(f"--providers: {name!r} is unknown; choose from {', '.join(PROVIDERS)}")
    if not names:
        raise UsageError(f"--providers: none given; choose from {', '.join(PROVIDERS)}")
    return names


def _matches(algorithm: str, patterns: Sequence[str]) -> bool:
    parts = (algorithm, *algorithm.split("-")) if algorithm in esp_suites() else (algorithm,)
    return any(fnmatchcase(part, pattern) for part in parts for pattern in patterns)


def build_plan(offers: Iterable[Offer], request: Request) -> tuple[Workload, ...]:
    """The workloads of a run.

    Raises:
        UsageError: a name in ``only`` matches nothing that any provider knows, or nothing that was asked for can be
            measured here (the message says why).
    """
    rows = [offer for offer in offers if offer.provider in request.providers]
    _check_names(rows, request)
    plan = [workload for offer in rows if _wanted(offer, request) for workload in _expand(offer, request)]
    plan += _multi_core(rows, request)
    if not plan:
        reasons = sorted({offer.reason for offer in rows if _wanted(offer, request) and offer.reason})
        why = f": {reasons[0]}" if reasons else ""
        raise UsageError(f"nothing of what was asked for can be measured here{why}")
    return tuple(sorted(dict.fromkeys(plan), key=_importance))


def _importance(workload: Workload) -> int:
    """Lower is earlier: what a recommendation needs comes first, should the run end early."""
    if is_decisive(workload):
        return 0 if workload.tier is Tier.PACKET_LOOP else 1
    if workload.tier is Tier.HANDSHAKE:
        # No choice rests on whole set-ups, but the answer shows them, and all of them together take little time.
        return 2
    if workload.provider == "libcrypto":
        return 3 if workload.tier is Tier.PACKET_LOOP else 4
    return 5 if workload.provider in (*AGENT_PROVIDERS, *KERNEL_PROVIDERS) else 6


def is_decisive(workload: Workload) -> bool:
    """Whether a recommendation rests on the figure: packet loops of the suites to decide between, and handshakes."""
    if workload.provider != "libcrypto" or workload.cores != 1:
        return False
    if workload.tier is Tier.PACKET_LOOP:
        return workload.algorithm in DECISION_SUITES and workload.operation != "key-setup"
    return workload.size_bytes is None or workload.operation in _PRF_SIZES


def _check_names(rows: Sequence[Offer], request: Request) -> None:
    for pattern in request.only:
        found = [offer for offer in rows if _matches(offer.algorithm, (pattern,))]
        if not found:
            raise UsageError(f"--only: {pattern!r} matches no algorithm known here; see 'ipsecbench bench --list'")
        if not any(offer.operations for offer in found):
            raise UsageError(f"--only: {pattern!r} cannot be measured here: {found[0].reason or 'no reason is known'}")


def _wanted(offer: Offer, request: Request) -> bool:
    if request.only:
        return _matches(offer.algorithm, request.only)
    if offer.tier is Tier.HANDSHAKE:
        return not request.quick or offer.algorithm in _QUICK_HANDSHAKES
    if offer.tier is Tier.PACKET_LOOP:
        # Another library's packet loop is a comparison: the suites that decide suffice, and what only it has.
        other = offer.provider != "libcrypto" and not offer.algorithm.startswith(("twofish", "serpent"))
        chosen = DECISION_SUITES if request.quick or other else COMMON_SUITES
        return offer.algorithm in chosen and not (other and offer.provider == "libgcrypt")
    if offer.provider == "libipsec-mb":
        return False
    if request.quick and offer.algorithm in ENCRYPTION:
        return offer.algorithm in {suite.split("-")[0] for suite in DECISION_SUITES}
    return True


def _expand(offer: Offer, request: Request) -> Iterable[Workload]:
    for operation in offer.operations:
        base = Workload(offer.tier, offer.provider, operation, offer.algorithm)
        if not _is_sized(offer, operation):
            yield base
            continue
        for size in _sizes(offer, operation, request):
            yield Workload(offer.tier, offer.provider, operation, offer.algorithm, size)
        if offer.tier is Tier.PACKET_LOOP and not request.sizes_bytes:
            for mix in (SIMPLE_IMIX, CSIT_IMIX) if _in_full(offer, request) else (SIMPLE_IMIX,):
                yield Workload(offer.tier, offer.provider, operation, offer.algorithm, mix=mix)


def _in_full(offer: Offer, request: Request) -> bool:
    """Whether a packet loop is measured at all sizes: where a decision rests on it, or the user named it."""
    if request.quick:
        return False
    return bool(request.only) or (offer.provider == "libcrypto" and offer.algorithm in DECISION_SUITES)


def _is_sized(offer: Offer, operation: str) -> bool:
    signature = offer.tier is Tier.PRIMITIVE and offer.algorithm.startswith(("rsa", "ecdsa", "ed"))
    return operation in _SIZED_OPERATIONS and not signature


def _sizes(offer: Offer, operation: str, request: Request) -> Sequence[int]:
    sizes: Sequence[int]
    if operation in _PRF_SIZES:
        sizes = (_PRF_SIZES[operation],)
    elif request.sizes_bytes:
        sizes = request.sizes_bytes
    elif offer.tier is Tier.PACKET_LOOP:
        sizes = _DEFAULT_SIZES if _in_full(offer, request) else _QUICK_SIZES
    elif offer.provider in PYTHON_PROVIDERS:
        # Where they are all that is measured, two sizes are needed to predict any other.
        alone = set(request.providers) <= set(PYTHON_PROVIDERS)
        sizes = _PYTHON_SIZES if alone or request.only else _COMPARED_SIZES
    else:
        # The kernel's have a cost for each request that only several sizes show.
        if offer.provider in KERNEL_PROVIDERS and not request.quick:
            return _whole_blocks(offer, _KERNEL_SIZES)
        # A second library's primitives are a comparison, which one size makes.
        one = request.quick or offer.provider != "libcrypto"
        sizes = _COMPARED_SIZES if one else _PRIMITIVE_SIZES
    return _whole_blocks(offer, sizes)


def _whole_blocks(offer: Offer, sizes: Sequence[int]) -> Sequence[int]:
    encryption = ENCRYPTION.get(offer.algorithm)
    if offer.tier is Tier.PRIMITIVE and encryption is not None and encryption.mode == "cbc":
        # A block mode without a packet around it takes whole blocks: the next multiple stands for the size.
        block = encryption.block_bytes
        sizes = tuple(dict.fromkeys(-(-size // block) * block for size in sizes))
    return [size for size in sizes if size <= LARGEST_SIZE_BYTES]


def _multi_core(rows: Sequence[Offer], request: Request) -> list[Workload]:
    counts = []
    count = 2
    while count < request.cores:
        counts.append(count)
        count *= 2
    if request.cores > 1:
        counts.append(request.cores)
    plan = []
    for offer in rows:
        if offer.tier is not Tier.PACKET_LOOP or offer.provider != "libcrypto" or "outbound" not in offer.operations:
            continue
        if _matches(offer.algorithm, request.only) if request.only else offer.algorithm in _MULTI_CORE_SUITES:
            for cores in counts:
                plan.append(
                    Workload(offer.tier, offer.provider, "outbound", offer.algorithm, mix=SIMPLE_IMIX, cores=cores)
                )
    return plan
