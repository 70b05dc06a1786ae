"""What a user should know before measuring on a box, or trusting its figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ipsecbench.hardware.clock import CoreClock
from ipsecbench.hardware.condition import Condition
from ipsecbench.hardware.cpu import Cpu
from ipsecbench.hardware.crypto_drivers import DriverKind, classify_driver
from ipsecbench.hardware.features import FUNCTIONS, Presence
from ipsecbench.hardware.kernel_crypto import EspDriver, KernelCrypto
from ipsecbench.hardware.libcrypto import Libcrypto

HOT_CELSIUS = 85.0
"""Most processors begin to throttle between 85 and 105 degrees."""

STEAL_FRACTION = 0.01
"""A hypervisor that takes more than 1 % of the time moves results by more than their usual interval."""

_MODULES = {
    ("x86", "aes"): "aesni_intel", ("x86", "sha1"): "sha1_ssse3", ("x86", "sha256"): "sha256_ssse3",
    ("aarch64", "aes"): "aes_ce_blk", ("aarch64", "sha1"): "sha1_ce", ("aarch64", "sha256"): "sha2_ce",
    ("aarch64", "sha512"): "sha512_ce", ("arm", "aes"): "aes_arm_ce", ("power", "aes"): "vmx_crypto",
    ("s390x", "aes"): "aes_s390",
}  # fmt: skip
"""Kernel modules with drivers for the instructions, by architecture and function."""
_CPU_KINDS = (DriverKind.SIMD, DriverKind.LIBRARY)


def find_warnings(
    cpu: Cpu,
    crypto: KernelCrypto | None,
    libcryptos: Sequence[Libcrypto] | None,
    clocks: Sequence[CoreClock],
    condition: Condition,
) -> tuple[str, ...]:
    """Every warning, the weightiest first; each is one line with what to do."""
    return (
        *_kernel_warnings(cpu, crypto),
        *_clock_warnings(clocks, condition),
        *_condition_warnings(cpu, condition),
        *_library_warnings(libcryptos),
        *_cpu_warnings(cpu),
    )


def _kernel_warnings(cpu: Cpu, crypto: KernelCrypto | None) -> Iterator[str]:
    if crypto is None:
        return
    has_aes = cpu.features.functions["aes"] is Presence.PRESENT
    outranking = [row for row in crypto.esp if _engine_outranks(row, has_aes)]
    if outranking:
        engines = " and ".join(dict.fromkeys(row.what or row.drivers[0] for row in outranking))
        yield (
            f"the engine {engines} outranks CPU instructions for {_listed(outranking)}: measure both, small packets "
            "are often slower on an engine"
        )
    for function, word in (("aes", "aes"), ("sha1", "sha1"), ("sha256", "sha256"), ("sha512", "sha512")):
        rows = [row for row in crypto.esp if _has_generic_part(row, word)]
        if rows and cpu.features.functions[function] is Presence.PRESENT:
            module = _MODULES.get((cpu.architecture or "", function))
            yield (
                f"the CPU has {FUNCTIONS[function]} instructions, but generic kernel code serves {_listed(rows)}: "
                f"for kernel IPsec load {module or 'the module of this CPU'}"
            )
    rejected = [row for row in crypto.esp if row.rejected]
    if rejected:
        drivers = dict.fromkeys(driver for row in rejected for driver in row.rejected)
        are = "kernel driver is" if len(drivers) == 1 else "kernel drivers are"
        yield (
            f"{len(drivers)} {are} not used, because the self-test has not passed: see the kernel log for "
            f"{next(iter(drivers))}"
        )


def _engine_outranks(row: EspDriver, has_aes: bool) -> bool:
    if row.kind is not DriverKind.ENGINE:
        return False
    beaten = any(classify_driver(driver)[0] in _CPU_KINDS for driver in row.outranked)
    return beaten or (has_aes and "aes" in row.kernel_name)


def _has_generic_part(row: EspDriver, word: str) -> bool:
    slow = (DriverKind.GENERIC, DriverKind.ASSEMBLER)
    return any(word in driver and classify_driver(driver)[0] in slow for driver in row.drivers)


def _listed(rows: Sequence[EspDriver]) -> str:
    names = [row.algorithm for row in rows]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _clock_warnings(clocks: Sequence[CoreClock], condition: Condition) -> Iterator[str]:
    for clock in clocks:
        if clock.comparison.agrees is False:
            name = f"{clock.core_type}: " if len(clocks) > 1 and clock.core_type else ""
            yield f"{name}the measured clock is {clock.comparison.verdict}"
    if condition.has_varying_clock:
        yield (
            f"governor {', '.join(condition.governors)}: the clock may change during a measurement; "
            "set 'performance' to measure"
        )


def _condition_warnings(cpu: Cpu, condition: Condition) -> Iterator[str]:
    hottest = max(condition.temperatures, key=lambda one: one.celsius, default=None)
    if hottest is not None and hottest.celsius >= HOT_CELSIUS:
        yield f"{hottest.sensor} is at {hottest.celsius:.0f} degrees: the CPU may throttle; let it cool first"
    if condition.throttle_events:
        yield f"the CPU has throttled {condition.throttle_events} times since boot: look at its cooling"
    steal = condition.steal_since_boot
    if steal is not None and steal > STEAL_FRACTION:
        yield f"the hypervisor took {steal:.1%} of the time since boot: figures will spread"
    if any("discharging" in source for source in condition.power_sources):
        yield "the box runs on its battery, which may cap the clock: connect it to the mains"
    load, processors = condition.load_average, cpu.processors
    if load is not None and processors is not None and load[0] > processors / 2:
        yield f"load average {load[0]:.1f} on {processors} processors: other work disturbs the measurement"


def _library_warnings(libcryptos: Sequence[Libcrypto] | None) -> Iterator[str]:
    if libcryptos is None:
        return
    if not libcryptos:
        yield "no libcrypto was found in the usual directories: install the box's OpenSSL library"
    elif all(library.lacks_legacy for library in libcryptos):
        yield "libcrypto has no legacy provider: DES, Blowfish and CAST cannot be measured"


def _cpu_warnings(cpu: Cpu) -> Iterator[str]:
    disabled = cpu.features.named(Presence.DISABLED)
    if disabled:
        yield f"the CPU has {', '.join(disabled)}, but firmware or licence keeps it off"
    yield from cpu.notes
