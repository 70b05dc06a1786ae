"""How fast a core can be at most with the instructions that there are: a figure above that is not what it seems to be.

The bounds are generous: each takes the fastest processor that is known for its step, and a clock of 6.5 GHz unless the
clock is known. A figure above one was divided by too little time (an engine's), is the sum of more cores than the text
says, or was copied wrongly.

AES, one block after another: 16 / (2·rounds) octets per cycle
    CBC encryption and CMAC need each block's result for the next. A round takes 2 cycles at best: AESE with AESMC
    fused on Arm Cortex-A76 and later (Arm's optimisation guides); AESENC takes 3 on Intel since Ice Lake, 4 on AMD Zen
    (uops.info).
AES, blocks side by side: 128 / rounds
    CBC decryption, CTR, GCM and all others: two VAESENC of 512 bits in a cycle (AMD Zen 5, uops.info) are eight
    rounds of a block.
AES without instructions, one block after another: 3 / rounds
    16 table look-ups for each round, three loads in a cycle.
AES without instructions, blocks side by side: 1
    Bitsliced code takes 6.9 cycles for an octet with registers of 128 bits (Käsper and Schwabe, CHES 2009);
    registers four times as wide make that 1.7.
SHA-1: 1.6
    20 groups of four rounds for 64 octets, each waits 4 cycles for the one before (sha1rnds4, SHA1C); half of that
    taken.
SHA-256: 2
    16 groups of four rounds for 64 octets, 4 cycles (SHA256H); half of that taken.
"""

from __future__ import annotations

import re

FASTEST_CLOCK_HZ = 6.5e9
"""No processor that is sold runs faster."""
_SLACK = 1.05
_AES = re.compile(r"^(?:id-)?aes-?(128|192|256)(.*)$")
_ROUNDS = {"128": 10, "192": 12, "256": 14}
_PER_CYCLE = {"sha1": 1.6, "sha256": 2.0}


def most_bytes_per_second(
    operation: str, algorithm: str, cores: int, has_aes: bool | None, clock_hz: float | None
) -> float | None:
    """The bound of an algorithm on so many cores; None where there is none.

    Args:
        operation: ``encrypt``, ``decrypt``, ``digest`` or ``authenticate``.
        algorithm: token.
        cores: cores that worked at once.
        has_aes: whether the processor has AES instructions; None where that is unknown, and then it is taken to have
        them. clock_hz: the fastest clock of the box; None where unknown.
    """
    per_cycle = _bytes_per_cycle(operation, algorithm, has_aes is not False)
    if per_cycle is None:
        return None
    clock = FASTEST_CLOCK_HZ if clock_hz is None else clock_hz * _SLACK
    return per_cycle * clock * cores


def _bytes_per_cycle(operation: str, algorithm: str, has_aes: bool) -> float | None:
    if algorithm in _PER_CYCLE and operation in ("digest", "authenticate"):
        return _PER_CYCLE[algorithm]
    if algorithm == "aescmac":
        return 0.8 if has_aes else 0.3
    match = _AES.match(algorithm)
    if match is None or operation not in ("encrypt", "decrypt"):
        return None
    rounds = _ROUNDS[match[1]]
    is_chained = operation == "encrypt" and (match[2] == "" or "cbc" in match[2] or "ige" in match[2])
    if not has_aes:
        return 3 / rounds if is_chained else 1.0
    return 16 / (2 * rounds) if is_chained else 128 / rounds
