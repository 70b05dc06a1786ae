"""What figures of ``speed`` are worth: docs/import.md has the reasons and the sources."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ipsecbench.bench.published import Unit
from ipsecbench.importers import names
from ipsecbench.importers.names import Primitive
from ipsecbench.importers.readers.openssl_speed.bounds import most_bytes_per_second
from ipsecbench.importers.readers.openssl_speed.public_key import KeyFigure
from ipsecbench.importers.readers.openssl_speed.runs import Figure, Run

ENGINES = ("cryptodev", "devcrypto", "afalg", "eip93", "qce", "qat", "padlock", "safexcel", "caam", "pkcs11")
"""Engines that hand work to a device or to the kernel."""
_KERNEL_ENGINES = frozenset(ENGINES) - {"padlock"}
_SHORTEST_BY_SECONDS = 0.03
"""The loop is stopped by an alarm after its time has elapsed: what is this much shorter was processor time."""
_BUSY_SHARE = 0.9
"""A share of processor time below this, by the shell's ``time``, is not all of it."""
_IDLE_SHARE = 0.15
"""Below this the processor hardly worked: something else did, or the box was very busy."""
_IA32_AES = 57
_ARM_AES = 2
_CAPABILITIES = re.compile(r"OPENSSL_(ia32cap|armcap)=(~?)(0x[0-9a-fA-F]{1,16}|\d{1,5})")
_FIRST_WITH_AES_NI = (1, 0, 1)

MESSAGES = {
    "version-unknown": "some figures mean other things by version",
    "divisor-unknown": "nothing says whether -elapsed was given",
    "cpu-time": "without -elapsed the kernel's time is left out, and what else ran on the box",
    "gcm-stream": "speed only calls EVP_EncryptUpdate in this version, so that short packets look too cheap",
    "gcm-per-record": "so is each packet of ESP",
    "key-per-record": "since 3.0.16 and 3.4.1 (openssl#25823, #27513); short packets look too dear",
    "gcm-unknown": "a record since 3.0.16 and 3.4.1, but the version is not stated",
    "instructions-unknown": "AES called below EVP (no -evp) does without them; the text does not tell the processor",
    "size-not-whole-blocks": "what becomes of the rest differs by version (openssl#31825); ESP pads to whole blocks",
    "calls-fail": "a cipher with its MAC in one pass at a size that is no multiple of the block, or errors in the text",
    "above-instruction-set": "more octets per cycle than so many cores can do",
    "tag-not-checked": "-decrypt of an AEAD that is given no right tag (openssl#20158)",
    "multi-summed": "made here of what each process of -multi printed",
    "inconsistent": "table and counts, time and rate, or total and processes do not agree",
    "sizes-assumed": "no line names the sizes of the columns",
    "few-digits": "whole microseconds of -mr",
    "cut-short": "the last row has fewer values than there are sizes",
    "offload-engine": "the command or the text names it",
}
"""What is said of each code behind its title in VERDICT_KINDS."""


@dataclass(frozen=True, slots=True)
class Box:
    """What the text tells of the processor, as far as verdicts need it."""

    has_aes: bool | None = None
    """Whether it has AES instructions."""
    clock_hz: float | None = None
    """Its fastest clock."""
    uses_aes_below_evp: bool = False
    """Whether AES functions below EVP use the instructions too, as on s390x."""


def workload_parts(run: Run, figure: Figure) -> tuple[str, Primitive]:
    """The operation of a figure, and its primitive."""
    known = names.primitive(figure.name)
    is_decrypt = run.command is not None and run.command.is_decrypt and known.operation == "encrypt"
    return ("decrypt" if is_decrypt else known.operation), known


def run_verdicts(run: Run) -> Iterator[str]:
    """Codes that hold for every figure of a run."""
    if run.version is None:
        yield "version-unknown"
    yield from divisor_verdicts(run)


def divisor_verdicts(run: Run) -> Iterator[str]:
    """What the figures were divided by."""
    is_engine = run.engine in _KERNEL_ENGINES
    share = processor_share(run)
    if run.is_elapsed is True:
        if is_engine:
            yield "offload-engine"
        return
    if is_engine or (share is not None and share < _IDLE_SHARE):
        yield "engine-cpu-time"
    elif run.is_elapsed is False or _is_shorter(run) or (share is not None and share < _BUSY_SHARE):
        yield "cpu-time"
    else:
        yield "divisor-unknown"


def _is_shorter(run: Run) -> bool:
    return any(one.seconds <= one.nominal - _SHORTEST_BY_SECONDS for one in run.all_counts if one.nominal)


def divisor_message(run: Run) -> str:
    """What ``engine-cpu-time`` was concluded from."""
    share = processor_share(run)
    seen = "" if share is None else f"; by the text the processor worked {share:.0%} of the time"
    what = f"the engine {run.engine}" if run.engine in _KERNEL_ENGINES else "an engine, or a box that was very busy"
    return f"divided by processor time while {what} took the elapsed time: the figures are far too high{seen}"


def processor_share(run: Run) -> float | None:
    """Processor time that was measured over the time that loops were to run; None where the text tells neither."""
    shares = [one.seconds / one.nominal for one in run.all_counts if one.nominal]
    if shares:
        return min(shares)
    if run.times.get("real", 0) > 0 and "user" in run.times:
        return min(1.0, run.times["user"] / run.times["real"])
    return None


def figure_verdicts(run: Run, figure: Figure, box: Box, cores: int) -> Iterator[str]:
    """Codes of one figure of a cipher, hash or MAC, beyond those of its run."""
    operation, known = workload_parts(run, figure)
    if known.is_aead:
        yield from _record_verdicts(run, known, figure)
        if operation == "decrypt" and not _checks_tag(run, known):
            yield "tag-not-checked"
    yield from _instruction_verdicts(run, figure, known, box)
    if figure.size % known.block_bytes:
        yield "calls-fail" if "hmac" in known.algorithm else "size-not-whole-blocks"
    elif run.has_failed_calls:
        yield "calls-fail"
    bound = most_bytes_per_second(operation, known.algorithm, cores, box.has_aes, box.clock_hz)
    if bound is not None and bytes_per_second(figure) > bound:
        yield "above-instruction-set"
    if figure.is_total_of:
        yield "multi-summed"
    if (figure.line, figure.size) in run.contradicted:
        yield "inconsistent"
    if figure.is_cut:
        yield "cut-short"
    if run.sizes_assumed:
        yield "sizes-assumed"


def key_verdicts(run: Run, key: KeyFigure) -> Iterator[str]:
    """Codes of one figure of a signature, key agreement or encapsulation, beyond those of its run."""
    if not key.is_consistent or (key.line, 0) in run.contradicted:
        yield "inconsistent"
    if key.is_coarse:
        yield "few-digits"
    if key.is_total_of:
        yield "multi-summed"


def bytes_per_second(figure: Figure) -> float:
    """Octets a second of a figure."""
    if figure.unit is Unit.OPERATIONS:
        return figure.value * figure.size
    return figure.value * (1000.0 if figure.unit is Unit.KILOBYTES else 1.0)


def _record_verdicts(run: Run, known: Primitive, figure: Figure) -> Iterator[str]:
    """Whether each call of an AEAD is a whole record."""
    version, is_chacha = run.version, known.algorithm == "chacha20poly1305"
    is_aead_loop = run.command is not None and run.command.is_aead
    if version is None:
        yield "gcm-stream" if is_chacha and run.command is not None and not is_aead_loop else "gcm-unknown"
    elif version.is_libressl:
        # LibreSSL's own loops, "aes-128 gcm" and "chacha20 poly1305", seal; those of -evp do not.
        yield "gcm-per-record" if " " in figure.name.strip() else "gcm-stream"
    elif version.has_record_loop and not is_chacha:
        yield "gcm-per-record"
        yield "key-per-record"
    elif not version.has_record_loop and (is_aead_loop or "ccm" in known.algorithm):
        # CCM has no streams: its loop was always one of messages, with one IV for all of them.
        yield "gcm-per-record"
    else:
        yield "gcm-stream"


def _checks_tag(run: Run, known: Primitive) -> bool:
    return run.version is not None and run.version.has_record_loop and known.algorithm != "chacha20poly1305"


def is_low_level(name: str, known: Primitive) -> bool:
    """Whether a row is of AES functions below EVP: these print ``aes-128 cbc``, and EVP prints ``aes-128-cbc``."""
    return (
        " " in name.strip() and not known.is_aead and known.operation == "encrypt" and known.algorithm.startswith("aes")
    )


def _instruction_verdicts(run: Run, figure: Figure, known: Primitive, box: Box) -> Iterator[str]:
    """Whether a processor's AES instructions were left unused."""
    if not known.algorithm.startswith("aes") or known.operation not in ("encrypt", "authenticate"):
        return
    masked = has_aes_masked(run.cpu_settings) or _is_set_without_aes(run)
    too_old = run.version is not None and not run.version.is_libressl and run.version.numbers < _FIRST_WITH_AES_NI
    if masked:
        yield "instructions-ignored"
    elif (is_low_level(figure.name, known) or too_old) and not box.uses_aes_below_evp:
        if box.has_aes is None:
            yield "instructions-unknown"
        elif box.has_aes:
            yield "instructions-ignored"


def instructions_message(run: Run) -> str:
    """Why AES instructions were not used."""
    if has_aes_masked(run.cpu_settings) or _is_set_without_aes(run):
        return f"{run.cpu_settings} hides the processor's AES instructions from the library"
    return "AES called below EVP (no -evp): OpenSSL 1.1.1 and older do not use the processor's AES instructions there"


def has_aes_masked(settings: str | None) -> bool:
    """Whether ``OPENSSL_ia32cap=~…`` or ``OPENSSL_armcap=…`` was set so that AES instructions are hidden."""
    if settings is None:
        return False
    environment = settings.partition("env:")
    own = settings if not settings.startswith("OPENSSL_") or "~" in settings else environment[2]
    match = re.search(r"(?:ia32cap=|^)~(0x[0-9a-fA-F]{1,16})", own.strip()) or re.search(r"~(0x[0-9a-fA-F]{1,16})", own)
    if match is not None:
        return bool(int(match[1], 16) >> _IA32_AES & 1)
    return False


def _is_set_without_aes(run: Run) -> bool:
    """Whether the command line set capabilities that have no AES, such as ``OPENSSL_armcap=0``."""
    return run.command is not None and aes_by_settings(run.command.environment) is False


def aes_by_settings(settings: str | None) -> bool | None:
    """Whether the library found AES instructions, by what ``speed`` prints behind ``CPUINFO:`` since OpenSSL 3.0."""
    match = None if settings is None else _CAPABILITIES.search(settings)
    if match is None or match[2] or has_aes_masked(settings):
        return None
    value = int(match[3], 0) if match[3].startswith("0x") else int(match[3])
    return bool(value >> (_IA32_AES if match[1] == "ia32cap" else _ARM_AES) & 1)
