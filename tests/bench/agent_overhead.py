"""What the agent itself costs: its figures against a bare C loop and against ``openssl speed``, same libcrypto.

Prints, and exits with 0 whatever it finds: a benchmark, not a test. Needs a C compiler, libcrypto's headers and the
agent (``make -C agent``).

    python tests/bench/agent_overhead.py [--rounds 60] [--turns 5]
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
AGENT = ROOT / "agent" / "build" / "ipsecbench-agent"
SAMPLE_NS = 4_000_000
SIZES_BYTES = (64, 576, 1400)
PRIMITIVES = {
    "aes128gcm16": "encrypt",
    "aes128": "encrypt",
    "sha1": "authenticate",
    "chacha20poly1305": "encrypt",
}
PACKET_SUITES = ("aes128gcm16", "aes128-sha1", "chacha20poly1305")


class Agent:
    """The agent, running: one order, one answer."""

    def __init__(self) -> None:
        self._process = subprocess.Popen([AGENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, **order: Any) -> dict[str, Any]:
        """Send an order and return its answer; an error ends the benchmark."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"id": 1, **order}) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        if answer["type"] == "error":
            raise SystemExit(f"the agent refused {order}: {answer['message']}")
        return answer

    def speed_ns(self, tier: str, algorithm: str, operation: str, size_bytes: int, iterations: int) -> float:
        """Nanoseconds per operation in one sample."""
        order = {"tier": tier, "algorithm": algorithm, "operation": operation, "size_bytes": size_bytes}
        answer = self.ask(command="speed", provider="libcrypto", iterations=iterations, warmup=50, **order)
        wall_ns: int = answer["workers"][0]["wall_ns"]
        return wall_ns / iterations

    def close(self) -> None:
        """End its input and wait for it."""
        self._process.communicate()


class BareLoop:
    """The bare loop, running."""

    def __init__(self, binary: Path) -> None:
        self._process = subprocess.Popen([binary], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def speed_ns(self, algorithm: str, size_bytes: int, iterations: int) -> float:
        """Nanoseconds per record in one sample."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{algorithm} {size_bytes} {iterations}\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline()) / iterations

    def close(self) -> None:
        """End its input and wait for it."""
        self._process.communicate()


@contextmanager
def bare_loop() -> Iterator[BareLoop]:
    """Compile and start the bare loop."""
    with tempfile.TemporaryDirectory() as directory:
        binary = Path(directory) / "bare_loop"
        source = Path(__file__).with_name("bare_loop.c")
        subprocess.run(["cc", "-O2", source, "-lcrypto", "-o", binary], check=True)
        loop = BareLoop(binary)
        try:
            yield loop
        finally:
            loop.close()


def library_bytes(tier: str, algorithm: str, size_bytes: int) -> int:
    """What libcrypto is given to encrypt: for CBC whole blocks, in the packet loop with padding and trailer."""
    unit = 16 if algorithm in ("aes128", "aes128-sha1") else 4 if tier == "packet-loop" else 1
    trailer_bytes = 2 if tier == "packet-loop" else 0
    return -(-(size_bytes + trailer_bytes) // unit) * unit


def compare(agent: Agent, bare: BareLoop, rounds: int, tier: str, algorithm: str, size_bytes: int) -> str:
    """Interleave samples of both and describe the ratio."""
    operation = "outbound" if tier == "packet-loop" else PRIMITIVES[algorithm]
    bare_bytes = library_bytes(tier, algorithm, size_bytes)
    if tier == "primitive":
        size_bytes = bare_bytes
    iterations = max(1, int(SAMPLE_NS / bare.speed_ns(algorithm, bare_bytes, 2000)))
    pairs = []
    for number in range(rounds):
        if number % 2:
            there = bare.speed_ns(algorithm, bare_bytes, iterations)
            here = agent.speed_ns(tier, algorithm, operation, size_bytes, iterations)
        else:
            here = agent.speed_ns(tier, algorithm, operation, size_bytes, iterations)
            there = bare.speed_ns(algorithm, bare_bytes, iterations)
        pairs.append((here, there))
    here = statistics.median(pair[0] for pair in pairs)
    there = statistics.median(pair[1] for pair in pairs)
    ratios = sorted(pair[0] / pair[1] for pair in pairs)
    low, high = ratios[len(ratios) // 4], ratios[3 * len(ratios) // 4]
    return (
        f"{tier:12} {algorithm:17} {size_bytes:5} {here:9.1f} {there:9.1f} {here / there:8.3f}"
        f"   {low:.3f} to {high:.3f}"
    )


# Both measure the same thing for HMAC and CMAC: one keyed context, restarted for every buffer. They do not for
# encryption: for CBC and CTR openssl speed sets no IV between buffers (a few per cent at 1024 octets, below one at
# 16384), for GCM with -aead it sets the key again for every record, and for ChaCha20-Poly1305 it neither sets a
# nonce nor asks for the ICV (3.0.22). Those are printed too, and marked.
OPENSSL_SPEED: dict[str, tuple[list[str], str]] = {
    "sha1": (["-hmac", "sha1"], ""),
    "sha256": (["-hmac", "sha256"], ""),
    "sha512": (["-hmac", "sha512"], ""),
    "aescmac": (["-cmac", "aes-128-cbc"], ""),
    "aes128": (["-evp", "aes-128-cbc"], "openssl sets no IV"),
    "aes128ctr": (["-evp", "aes-128-ctr"], "openssl sets no IV"),
    "aes128gcm16": (["-evp", "aes-128-gcm", "-aead"], "openssl sets the key each time"),
    "chacha20poly1305": (["-evp", "chacha20-poly1305", "-aead"], "openssl sets no nonce, makes no ICV"),
}


def openssl_speed_ns(arguments: list[str], size_bytes: int, seconds: int) -> float | None:
    """Nanoseconds per buffer as ``openssl speed -mr`` reports them; None when it cannot."""
    command = [
        "openssl",
        "speed",
        "-mr",
        "-elapsed",
        "-seconds",
        str(seconds),
        "-bytes",
        str(size_bytes),
        *arguments,
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    rates = re.findall(r"^\+F:\d+:[^:]+:([0-9.]+)", result.stdout, re.MULTILINE)
    if result.returncode != 0 or not rates or float(rates[-1]) == 0:
        return None
    return size_bytes / float(rates[-1]) * 1e9


def compare_with_openssl_speed(agent: Agent, size_bytes: int, turns: int) -> None:
    """Print the agent's figures beside those of ``openssl speed``: medians of interleaved samples of a second."""
    print(f"\n{'algorithm':17} {'size':>5} {'agent ns':>9} {'openssl':>9}    ratio")
    for algorithm, (arguments, difference) in OPENSSL_SPEED.items():
        operation = "authenticate" if difference == "" else "encrypt"
        mine, theirs = [], []
        for _ in range(turns):
            reported = openssl_speed_ns(arguments, size_bytes, 1)
            if reported is None:
                break
            theirs.append(reported)
            mine.append(agent.speed_ns("primitive", algorithm, operation, size_bytes, int(1e9 / reported)))
        if not theirs:
            print(f"{algorithm:17} {size_bytes:5}  openssl speed {' '.join(arguments)} does not work here")
            continue
        here, there = statistics.median(mine), statistics.median(theirs)
        print(
            f"{algorithm:17} {size_bytes:5} {here:9.1f} {there:9.1f} {here / there:8.3f}   {difference}",
            flush=True,
        )


def main() -> None:
    """Run all comparisons."""
    parser = argparse.ArgumentParser(description="Measure what the agent itself costs.")
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--turns", type=int, default=5, help="with openssl speed; 0 leaves it out")
    arguments = parser.parse_args()
    agent = Agent()
    library = next(row for row in agent.ask(command="info")["libraries"] if row["provider"] == "libcrypto")
    print(f"{library['version']} ({library['path']})")
    print(f"{'tier':12} {'algorithm':17} {'size':>5} {'agent ns':>9} {'bare ns':>9}    ratio   middle half of ratios")
    with bare_loop() as bare:
        for algorithm in PRIMITIVES:
            for size_bytes in SIZES_BYTES:
                print(compare(agent, bare, arguments.rounds, "primitive", algorithm, size_bytes), flush=True)
        for suite in PACKET_SUITES:
            for size_bytes in SIZES_BYTES:
                print(compare(agent, bare, arguments.rounds, "packet-loop", suite, size_bytes), flush=True)
    for size_bytes in (1024, 16384) if arguments.turns else ():
        compare_with_openssl_speed(agent, size_bytes, arguments.turns)
    agent.close()


if __name__ == "__main__":
    main()
