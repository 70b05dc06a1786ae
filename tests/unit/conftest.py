"""Fixtures that several packages' tests share: synthetic datasets of boxes with known costs."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.integrity import INTEGRITY
from ipsecbench.bench.measurement import (
    SIMPLE_IMIX,
    Estimate,
    Fit,
    Measurement,
    Sample,
    Status,
    Tier,
    Workload,
    mix_mean_bytes,
)
from ipsecbench.dataset.model import Dataset, RunWarning

SIZES_BYTES = (64, 576, 1400)


@dataclass(frozen=True)
class Box:
    """A made-up box: packet costs obey t = a + b·n. The figures are plausible, not measured."""

    model: str
    machine: str
    features: tuple[str, ...]
    packet_loop: Mapping[str, tuple[float, float]]
    """Suite: (ns per packet, ns per octet), outbound; inbound is 4% dearer."""
    multi_buffer: Mapping[str, tuple[float, float]]
    encrypt: Mapping[str, tuple[float, float]]
    authenticate: Mapping[str, tuple[float, float]]
    key_exchange_us: Mapping[str, tuple[float, float]]
    """Method: (generate, agree)."""
    signature_us: Mapping[str, tuple[float, float]]
    """Method: (sign, verify)."""
    prf_ns: Mapping[str, float]
    unsupported: Mapping[str, str]


_X86_AES = Box(
    model="Synthetic x86-64 with AES instructions at 3.0 GHz",
    machine="x86_64",
    features=("aes", "pclmulqdq", "avx2"),
    packet_loop={
        "aes128gcm16": (230, 0.22),
        "aes192gcm16": (235, 0.245),
        "aes256gcm16": (240, 0.27),
        "aes128gcm8": (230, 0.22),
        "aes128ccm16": (420, 1.05),
        "aes256ccm16": (440, 1.40),
        "chacha20poly1305": (390, 0.62),
        "aes128-sha1": (980, 1.85),
        "aes128-sha256": (1150, 2.95),
        "aes256-sha256": (1160, 3.15),
        "aes256-sha1": (990, 2.05),
        "aes256-sha512": (1450, 2.25),
        "aes128-md5": (900, 2.20),
        "3des-sha1": (1500, 32.0),
        "3des-sha256": (1650, 33.0),
        "des-md5": (1200, 13.0),
        "blowfish128-sha1": (1300, 9.0),
        "null-sha256": (900, 2.35),
        "aes128gmac": (220, 0.10),
    },
    multi_buffer={"aes128gcm16": (95, 0.17), "aes256gcm16": (100, 0.21)},
    encrypt={
        "aes128gcm16": (150, 0.21),
        "aes256gcm16": (155, 0.26),
        "chacha20poly1305": (210, 0.60),
        "aes128": (90, 0.55),
        "aes256": (95, 0.75),
        "3des": (160, 30.5),
    },
    authenticate={"sha1": (350, 1.3), "sha256": (480, 2.4), "sha512": (560, 1.5), "md5": (280, 1.65)},
    key_exchange_us={
        "x25519": (28, 36),
        "x448": (110, 130),
        "ecp256": (16, 41),
        "ecp384": (390, 410),
        "ecp521": (150, 170),
        "modp1024": (80, 78),
        "modp2048": (300, 305),
        "modp3072": (760, 770),
        "modp4096": (1500, 1510),
        "ecp256bp": (180, 190),
    },
    signature_us={
        "rsa-2048": (620, 18),
        "rsa-3072": (1900, 38),
        "rsa-4096": (4300, 66),
        "ecdsa-256": (22, 58),
        "ecdsa-384": (430, 360),
        "ecdsa-521": (170, 260),
        "ed25519": (33, 95),
        "ed448": (140, 170),
    },
    prf_ns={"prfsha1": 700, "prfsha256": 950, "prfsha384": 1200, "prfsha512": 1210, "prfmd5": 600},
    unsupported={"camellia128-sha256": "libcrypto 3.0.19 has no 'CAMELLIA-128-CBC'"},
)


def _scaled(
    costs: Mapping[str, tuple[float, float]], factors: Mapping[str, float], default: float
) -> dict[str, tuple[float, float]]:
    return {
        name: (fixed * default, slope * factors.get(name.partition("-")[0], factors.get(name, default)))
        for name, (fixed, slope) in costs.items()
    }


_NO_AES_FACTORS = {
    "aes128gcm16": 125.0,
    "aes192gcm16": 130.0,
    "aes256gcm16": 135.0,
    "aes128gcm8": 125.0,
    "aes128ccm16": 45.0,
    "aes256ccm16": 45.0,
    "chacha20poly1305": 16.0,
    "aes128": 17.0,
    "aes256": 21.0,
    "3des": 6.5,
}

_ARM_NO_AES = replace(
    _X86_AES,
    model="Synthetic Cortex-A53 without AES instructions at 1.4 GHz",
    machine="aarch64",
    features=("neon",),
    packet_loop=_scaled(_X86_AES.packet_loop, _NO_AES_FACTORS, 6.5),
    multi_buffer={},
    encrypt=_scaled(_X86_AES.encrypt, _NO_AES_FACTORS, 6.5),
    authenticate=_scaled(_X86_AES.authenticate, {}, 6.5),
    key_exchange_us={name: (a * 8, b * 8) for name, (a, b) in _X86_AES.key_exchange_us.items()},
    signature_us={name: (a * 8, b * 8) for name, (a, b) in _X86_AES.signature_us.items()},
    prf_ns={name: cost * 7 for name, cost in _X86_AES.prf_ns.items()},
)

_MIPS_NO_AES = replace(
    _ARM_NO_AES,
    model="Synthetic MIPS 1004Kc at 880 MHz",
    machine="mips",
    features=(),
    packet_loop={name: (a * 3, b * 3.2) for name, (a, b) in _ARM_NO_AES.packet_loop.items()},
    encrypt={name: (a * 3, b * 3.2) for name, (a, b) in _ARM_NO_AES.encrypt.items()},
    authenticate={name: (a * 3, b * 3.2) for name, (a, b) in _ARM_NO_AES.authenticate.items()},
    key_exchange_us={name: (a * 5, b * 5) for name, (a, b) in _ARM_NO_AES.key_exchange_us.items()},
    signature_us={name: (a * 5, b * 5) for name, (a, b) in _ARM_NO_AES.signature_us.items()},
)

BOXES: Mapping[str, Box] = {"x86-aes": _X86_AES, "arm-no-aes": _ARM_NO_AES, "mips-no-aes": _MIPS_NO_AES}


def _estimate(median: float, half_width: float) -> Estimate:
    return Estimate(median, median * (1 - half_width), median * (1 + half_width))


class _Builder:
    """Collects rows and fits of one synthetic dataset."""

    def __init__(self, half_width: float, scale: float, unstable: frozenset[str], seed: int) -> None:
        self.rows: list[Measurement] = []
        self.fits: list[Fit] = []
        self._half_width = half_width
        self._scale = scale
        self._unstable = unstable
        self._random = random.Random(seed)

    def row(self, workload: Workload, nanoseconds: float) -> None:
        nanoseconds *= self._scale
        unstable = workload.algorithm in self._unstable
        half_width = 0.08 if unstable else self._half_width
        iterations = max(1, int(2e7 / nanoseconds))
        # The middle sample is the nominal one, so that the median follows from the samples.
        below, above = sorted(self._random.uniform(0, half_width) for _ in range(2))
        factors = [1 - above, 1 - below, 1.0, 1 + below, 1 + above]
        self._random.shuffle(factors)
        samples = tuple(
            Sample(number, iterations, wall := round(iterations * nanoseconds * factor), max(1, wall - 1000), wall * 3)
            for number, factor in enumerate(factors)
        )
        self.rows.append(
            Measurement(
                workload,
                Status.UNSTABLE if unstable else Status.OK,
                samples,
                _estimate(nanoseconds, half_width),
                nanoseconds * 3,
                "the interval is ±8%, wider than the ±1% asked for" if unstable else None,
            )
        )

    def line(
        self,
        tier: Tier,
        provider: str,
        operation: str,
        algorithm: str,
        cost: tuple[float, float],
        sizes: Iterable[int],
        mixes: Iterable[str] = (),
    ) -> None:
        fixed, slope = cost
        sizes = tuple(sizes)
        for size in sizes:
            self.row(Workload(tier, provider, operation, algorithm, size), fixed + slope * size)
        for mix in mixes:
            self.row(Workload(tier, provider, operation, algorithm, mix=mix), fixed + slope * mix_mean_bytes(mix))
        if len(sizes) >= 3:
            self.fits.append(
                Fit(
                    tier,
                    provider,
                    operation,
                    algorithm,
                    _estimate(fixed * self._scale, self._half_width),
                    _estimate(slope * self._scale, self._half_width),
                    sizes,
                    0.02,
                )
            )


def _packet_loops(
    builder: _Builder, box: Box, without: frozenset[str], sizes: tuple[int, ...], mixes: tuple[str, ...]
) -> None:
    for provider, costs in (("libcrypto", box.packet_loop), ("libipsec-mb", box.multi_buffer)):
        for suite, (fixed, slope) in costs.items():
            if suite in without:
                continue
            for operation, factor in (("outbound", 1.0), ("inbound", 1.04)):
                cost = (fixed * factor, slope * factor)
                builder.line(Tier.PACKET_LOOP, provider, operation, suite, cost, sizes, mixes)
            builder.row(Workload(Tier.PACKET_LOOP, provider, "key-setup", suite), fixed * 4)


def _laboratory(
    builder: _Builder,
    box: Box,
    without: frozenset[str],
    sizes: tuple[int, ...],
    mixes: tuple[str, ...],
    fixed: Mapping[str, float],
) -> None:
    """Rows of the agent's data plane: the packet loop, and for any packet 400 ns and a fifth of one for each octet."""
    for suite, (ns, slope) in box.packet_loop.items():
        if suite not in without:
            for operation, factor in (("outbound", 1.0), ("inbound", 1.04)):
                cost = (ns * factor + 400 + fixed.get(suite, 0.0), slope * factor + 0.2)
                builder.line(Tier.TUN_LAB, "agent", operation, suite, cost, sizes, mixes)


def _primitives(
    builder: _Builder, box: Box, without: frozenset[str], sizes: tuple[int, ...], provider: str, factor: float
) -> None:
    for name, (fixed, slope) in box.encrypt.items():
        if name not in without:
            for operation in ("encrypt", "decrypt"):
                block = ENCRYPTION[name].pad_align_bytes
                padded = tuple(-(-size // block) * block for size in sizes)
                builder.line(Tier.PRIMITIVE, provider, operation, name, (fixed * factor, slope), padded)
    for name, (fixed, slope) in box.authenticate.items():
        if name not in without and name in INTEGRITY:
            builder.line(Tier.PRIMITIVE, provider, "authenticate", name, (fixed * factor, slope), sizes)


def _handshakes(builder: _Builder, box: Box, without: frozenset[str], provider: str) -> None:
    for name, (generate, agree) in box.key_exchange_us.items():
        if name not in without:
            builder.row(Workload(Tier.PRIMITIVE, provider, "generate", name), generate * 1e3)
            builder.row(Workload(Tier.PRIMITIVE, provider, "agree", name), agree * 1e3)
    for name, (sign, verify) in box.signature_us.items():
        if name not in without:
            builder.row(Workload(Tier.PRIMITIVE, provider, "sign", name), sign * 1e3)
            builder.row(Workload(Tier.PRIMITIVE, provider, "verify", name), verify * 1e3)
    for name, cost in box.prf_ns.items():
        if name not in without:
            builder.row(Workload(Tier.PRIMITIVE, provider, "prf", name, 64), cost)
            builder.row(Workload(Tier.PRIMITIVE, provider, "prf-plus", name, 256), cost * 8)


_STACK_US: Mapping[str, tuple[float, float]] = {
    "key-exchange": (90, 95),
    "prf": (60, 61),
    "authentication": (180, 190),
    "protection": (40, 42),
    "parsing": (100, 110),
    "protocol": (500, 530),
    "io": (50, 52),
}
"""Part of a whole set-up: (initiator, responder)."""


def _stack(builder: _Builder, name: str, factor: float) -> None:
    parts = {part: cost for part, cost in _STACK_US.items() if part != "authentication" or not name.endswith(":psk")}
    parts["setup"] = (sum(cost[0] for cost in parts.values()), sum(cost[1] for cost in parts.values()))
    for part, cost in parts.items():
        for role, microseconds in zip(("initiator", "responder"), cost, strict=True):
            workload = Workload(Tier.HANDSHAKE, "ipsecbench", f"{part}-{role}", name)
            builder.row(workload, microseconds * 1e3 * factor)


@pytest.fixture
def make_dataset() -> Callable[..., Dataset]:
    """A function that builds the dataset of a synthetic box.

    Its arguments, all with defaults:
        box: ``x86-aes``, ``arm-no-aes`` or ``mips-no-aes``.
        half_width: relative half width of every interval.
        scale: factor on all times.
        sizes, mixes: of the packet loop.
        without: algorithms and suites that get no row at all.
        unsupported: algorithm to message: rows with status ``unsupported``.
        failed: suites whose rows have status ``failed`` (a wrong known answer).
        unstable: algorithms whose rows are ``unstable``.
        python_only: no agent: primitive rows of provider ``cryptography`` only.
        stack: set of the tier ``handshake`` to a factor on its times.
        lab: rows of the laboratory too; a suite to nanoseconds that its packets cost there beyond the prediction.
        settings, environment, ended, warnings, label: as in Dataset.
    """

    def make(
        box: str = "x86-aes",
        *,
        half_width: float = 0.008,
        scale: float = 1.0,
        sizes: tuple[int, ...] = SIZES_BYTES,
        mixes: tuple[str, ...] = (SIMPLE_IMIX,),
        without: Iterable[str] = (),
        unsupported: Mapping[str, str] | None = None,
        failed: Iterable[str] = (),
        unstable: Iterable[str] = (),
        python_only: bool = False,
        stack: Mapping[str, float] | None = None,
        lab: Mapping[str, float] | None = None,
        settings: Mapping[str, Any] | None = None,
        environment: Mapping[str, Any] | None = None,
        ended: str = "finished",
        warnings: tuple[RunWarning, ...] = (),
        label: str | None = None,
    ) -> Dataset:
        machine = BOXES[box]
        refused = {**machine.unsupported, **(unsupported or {})}
        failing = tuple(failed)
        missing = frozenset((*without, *refused, *failing))
        builder = _Builder(half_width, scale, frozenset(unstable), seed=1)
        if python_only:
            _primitives(builder, machine, missing, sizes, "cryptography", 7.0)
            _handshakes(builder, machine, missing, "cryptography")
        else:
            _packet_loops(builder, machine, missing, sizes, mixes)
            _primitives(builder, machine, missing, sizes, "libcrypto", 1.0)
            _handshakes(builder, machine, missing, "libcrypto")
        if lab is not None:
            _laboratory(builder, machine, missing, sizes, mixes, lab)
        for name, factor in (stack or {}).items():
            _stack(builder, name, factor)
        for names, status in (
            (refused.items(), Status.UNSUPPORTED),
            (((n, "known answer 1 is wrong") for n in failing), Status.FAILED),
        ):
            for name, message in names:
                for operation in ("outbound", "inbound"):
                    workload = Workload(Tier.PACKET_LOOP, "libcrypto", operation, name, sizes[0])
                    builder.rows.append(Measurement(workload, status, message=message))
        return Dataset(
            created="2026-11-23T10:00:00Z",
            tool_version="0.1.0",
            label=label,
            ended=ended,
            settings={
                "mode": "quick",
                "precision": 0.01,
                "budget_seconds": 42.0,
                "minimum_rounds": 5,
                "only": [],
                "sizes_bytes": [],
                "providers": ["libcrypto", "libipsec-mb"],
                "cores": 1,
                "mask": [],
                "seed": 1,
                **(settings or {}),
            },
            environment={
                "hardware": {
                    "cpu": {"model": machine.model, "machine": machine.machine, "features": list(machine.features)}
                },
                "libraries": [
                    {
                        "provider": "cryptography" if python_only else "libcrypto",
                        "status": "loaded",
                        "path": None if python_only else "/usr/lib/libcrypto.so.3",
                        "version": "OpenSSL 3.0.19 27 Jan 2026",
                    }
                ],
                "steal": {"percent": 0.0},
                **(environment or {}),
            },
            measurements=tuple(builder.rows),
            fits=tuple(builder.fits),
            warnings=warnings,
            sha256="0" * 64,
        )

    return make
