"""Print what Python adds to an operation: the loop, the adapter, the library's own interface, and the cipher itself.

Three figures for each operation and size, in nanoseconds per operation (the best of 25 interleaved samples, so that
other work on the box counts little):

* ``agent``: the box's libcrypto from C, timed by the agent (tier primitive);
* ``bare``: the Python library called in a loop that does nothing else, with the nonce fixed;
* ``loop``: what the engine times, :func:`ipsecbench.providers.workloads.prepare`.

Run it on a quiet box: ``python tests/bench/provider_overhead.py``.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from ipsecbench.agent.client import AgentClient
from ipsecbench.providers.catalogue import PROVIDERS, library_info
from ipsecbench.providers.workloads import prepare

SIZES_BYTES = (64, 576, 1408)
SAMPLES = 25
SAMPLE_SECONDS = 0.01
KEY = bytes(range(32))


def _calibrated(perform: Callable[[int], object]) -> Callable[[], float]:
    """A function that takes one sample and gives nanoseconds per operation."""
    perform(3)
    count = 1
    while True:
        start = time.perf_counter_ns()
        perform(count)
        if time.perf_counter_ns() - start > SAMPLE_SECONDS * 1e9 / 2:
            break
        count *= 2

    def sample() -> float:
        start = time.perf_counter_ns()
        perform(count)
        return (time.perf_counter_ns() - start) / count

    return sample


def _agent_sample(agent: AgentClient, operation: str, algorithm: str, size: int | None) -> Callable[[], float]:
    iterations = 20000 if size is not None else 50

    def sample() -> float:
        (worker,) = agent.request(
            "speed",
            provider="libcrypto",
            tier="primitive",
            operation=operation,
            algorithm=algorithm,
            size_bytes=size,
            iterations=iterations,
        )["workers"]
        return float(worker["wall_ns"]) / float(worker["iterations"])

    return sample


def _repeat(call: Callable[[], object]) -> Callable[[int], None]:
    def perform(count: int) -> None:
        for _ in range(count):
            call()

    return perform


def bare_call(provider: str, algorithm: str, size: int) -> Callable[[], object] | None:
    """The library's shortest way to encrypt or authenticate, without the adapter."""
    message = bytes(size)
    if provider == "cryptography":
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.hmac import HMAC

        gcm, chacha, aes = AESGCM(KEY[:16]), ChaCha20Poly1305(KEY), algorithms.AES(KEY[:16])
        keyed = HMAC(KEY, SHA256())

        def authenticate() -> bytes:
            context = keyed.copy()
            context.update(message)
            return context.finalize()

        return {
            "aes128gcm16": lambda: gcm.encrypt(bytes(12), message, bytes(8)),
            "chacha20poly1305": lambda: chacha.encrypt(bytes(12), message, bytes(8)),
            "aes128": lambda: Cipher(aes, modes.CBC(bytes(16))).encryptor().update(message),
            "sha256": authenticate,
        }.get(algorithm)
    from Crypto.Cipher import AES, ChaCha20_Poly1305
    from Crypto.Hash import HMAC as OTHER_HMAC
    from Crypto.Hash import SHA256 as OTHER_SHA256

    def seal() -> tuple[bytes, bytes]:
        context = AES.new(KEY[:16], AES.MODE_GCM, nonce=bytes(12))
        context.update(bytes(8))
        return context.encrypt_and_digest(message)

    def seal_chacha() -> tuple[bytes, bytes]:
        context = ChaCha20_Poly1305.new(key=KEY, nonce=bytes(12))
        context.update(bytes(8))
        return context.encrypt_and_digest(message)

    return {
        "aes128gcm16": seal,
        "chacha20poly1305": seal_chacha,
        "aes128": lambda: AES.new(KEY[:16], AES.MODE_CBC, iv=bytes(16)).encrypt(message),
        "sha256": lambda: OTHER_HMAC.new(KEY, message, digestmod=OTHER_SHA256).digest(),
    }.get(algorithm)


def main() -> None:
    """Print the table."""
    with AgentClient() as agent:
        for name in PROVIDERS:
            print(library_info(name)["version"])
        libraries = {row["provider"]: row["version"] for row in agent.request("info")["libraries"]}
        print(libraries["libcrypto"])
        print(f"{'':30}{'agent':>10}" + "".join(f"{name + ' bare':>20}{'loop':>9}" for name in PROVIDERS))
        rows: list[tuple[str, str, int | None]] = [
            (operation, algorithm, size)
            for operation, algorithm in (
                ("encrypt", "null"),
                ("encrypt", "aes128gcm16"),
                ("encrypt", "chacha20poly1305"),
                ("encrypt", "aes128"),
                ("authenticate", "sha256"),
            )
            for size in SIZES_BYTES
        ]
        rows += [("agree", "x25519", None), ("agree", "ecp256", None), ("agree", "modp2048", None)]
        rows += [("agree", "modp1024", None), ("sign", "ecdsa-256", None), ("sign", "rsa-2048", None)]
        for operation, algorithm, size in rows:
            columns = [_agent_sample(agent, operation, algorithm, size)]
            for name in PROVIDERS:
                call = bare_call(name, algorithm, size) if size is not None else None
                columns.append(_calibrated(_repeat(call)) if call is not None else lambda: 0.0)
                columns.append(_calibrated(prepare(name, operation, algorithm, size)))
            # Interleaved, so that what else runs on the box hits all columns alike.
            best = [min(values) for values in zip(*([take() for take in columns] for _ in range(SAMPLES)), strict=True)]
            texts = [f"{value:.0f}" if value else "-" for value in best]
            cells = "".join(f"{text:>{width}}" for text, width in zip(texts, (10, 20, 9, 20, 9), strict=True))
            print(f"{algorithm:>18} {operation:>6.6} {size or '':>4}{cells}", flush=True)


if __name__ == "__main__":
    main()
