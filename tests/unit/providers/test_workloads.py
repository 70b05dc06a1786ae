"""The loops do what they say, and stop when the library does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from ipsecbench.errors import ProviderError, RejectedError, UnsupportedError, UsageError
from ipsecbench.providers import workloads
from ipsecbench.providers.catalogue import PROVIDERS, Catalogue, operations
from ipsecbench.providers.interface import Provider
from ipsecbench.providers.kinds import KINDS, OPERATIONS, Kind
from ipsecbench.providers.workloads import SIZE_MAXIMUM_BYTES, prepare

SIZED = {Kind.AEAD, Kind.CIPHER, Kind.MAC, Kind.NONCE_MAC, Kind.PRF}
SLOW = ("modp768", "modp1024", "modp6144", "modp8192", "rsa-4096")
"""Left to the check of all known answers, which goes through the same objects."""
WORKLOADS = [
    (row.provider, operation, row.algorithm)
    for provider in PROVIDERS
    for row in operations(provider)
    for operation in row.operations
    if row.algorithm not in SLOW
]


@pytest.mark.parametrize(("provider", "operation", "algorithm"), WORKLOADS)
def test_every_operation_runs(provider: str, operation: str, algorithm: str) -> None:
    size = 64 if KINDS[algorithm] in SIZED else None
    perform = prepare(provider, operation, algorithm, size)
    for count in (0, 1, 11):
        perform(count)


class Recorder:
    """An object that notes its calls and passes them on."""

    def __init__(self, original: Any, calls: list[tuple[str, tuple[Any, ...]]]) -> None:
        self._original = original
        self._calls = calls

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._original, name)
        if not callable(value):
            return value

        def call(*arguments: Any) -> Any:
            self._calls.append((name, arguments))
            result = value(*arguments)
            return Recorder(result, self._calls) if name in ("aead", "cipher", "nonce_mac", "mac", "prf") else result

        return call


Recorded = Callable[[str, str, int | None], tuple[workloads.Loop, list[tuple[str, tuple[Any, ...]]]]]


@pytest.fixture
def record(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> Recorded:
    """Prepare a workload of ``cryptography`` whose calls are noted."""

    def prepare_recorded(
        operation: str, algorithm: str, size: int | None
    ) -> tuple[workloads.Loop, list[tuple[str, tuple[Any, ...]]]]:
        calls: list[tuple[str, tuple[Any, ...]]] = []
        recorder: Any = Recorder(catalogue.provider("cryptography"), calls)
        monkeypatch.setattr(workloads, "default_catalogue", lambda: Catalogue({"cryptography": lambda: recorder}))
        loop = prepare("cryptography", operation, algorithm, size)
        calls.clear()
        return loop, calls

    return prepare_recorded


def test_so_many_operations_are_performed(record: Recorded) -> None:
    loop, calls = record("authenticate", "sha256", 100)
    loop(37)
    assert Counter(name for name, _ in calls) == {"authenticate": 37}
    assert {len(arguments[0]) for _, arguments in calls} == {100}
    assert len({arguments[0] for _, arguments in calls}) == 8, "messages rotate"


@pytest.mark.parametrize(
    ("operation", "algorithm", "call"),
    [
        ("encrypt", "aes128gcm16", "seal"),
        ("encrypt", "aes256ccm8", "seal"),
        ("encrypt", "chacha20poly1305", "seal"),
        ("encrypt", "aes128ctr", "encrypt"),
        ("encrypt", "aes128", "encrypt"),
        ("encrypt", "3des", "encrypt"),
        ("authenticate", "aes128gmac", "authenticate"),
    ],
)
def test_no_nonce_is_used_twice(record: Recorded, operation: str, algorithm: str, call: str) -> None:
    loop, calls = record(operation, algorithm, 64)
    loop(300)
    loop(300)
    nonces = [arguments[0] for name, arguments in calls if name == call]
    assert len(set(nonces)) == len(nonces) == 600


def test_prf_plus_gives_as_many_octets_as_asked_for(record: Recorded) -> None:
    loop, calls = record("prf-plus", "prfsha256", 333)
    loop(2)
    assert [arguments for name, arguments in calls if name == "expand"] == [
        (arguments[0], 333) for name, arguments in calls if name == "expand"
    ]
    assert {len(arguments[0]) for name, arguments in calls if name == "expand"} == {80}


class Failing:
    """A library one of whose objects starts to give wrong results after it was admitted."""

    def __init__(self, provider: Provider, factory: str, method: str, result: Callable[[Any], Any]) -> None:
        self._provider = provider
        self._factory = factory
        self._method = method
        self._result = result
        self.armed = False

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._provider, name)
        if name != self._factory:
            return value
        return lambda *arguments: _FailingObject(value(*arguments), self)


class _FailingObject:
    def __init__(self, original: Any, owner: Failing) -> None:
        self._original = original
        self._owner = owner

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._original, name)
        owner = self._owner
        if name != owner._method:
            return (lambda *a: _FailingObject(value(*a), owner)) if name == "generate" else value
        return lambda *arguments: owner._result(value(*arguments)) if owner.armed else value(*arguments)


def _reject(_: Any) -> Any:
    raise RejectedError("the ICV does not match")


@pytest.mark.parametrize(
    ("operation", "algorithm", "factory", "method", "result"),
    [
        ("decrypt", "aes128gcm16", "aead", "open", _reject),
        ("decrypt", "aes128", "cipher", "decrypt", lambda plaintext: plaintext[::-1]),
        ("encrypt", "aes128", "cipher", "encrypt", lambda ciphertext: bytes(len(ciphertext))),
        ("encrypt", "aes128ctr", "cipher", "encrypt", lambda ciphertext: bytes(len(ciphertext))),
        ("authenticate", "sha1", "mac", "authenticate", lambda tag: bytes(len(tag))),
        ("verify", "sha1", "mac", "verify", _reject),
        ("agree", "ecp256", "key_exchange", "agree", lambda secret: bytes(32)),
        ("decapsulate", "mlkem768", "key_encapsulation", "decapsulate", lambda secret: bytes(32)),
        ("sign", "ed25519", "signer", "sign", lambda signature: bytes(64)),
        ("verify", "ed25519", "verifier", "verify", _reject),
    ],
)
def test_a_wrong_result_in_the_loop_raises(
    catalogue: Catalogue,
    monkeypatch: pytest.MonkeyPatch,
    operation: str,
    algorithm: str,
    factory: str,
    method: str,
    result: Callable[[Any], Any],
) -> None:
    if ("cryptography", operation, algorithm) not in WORKLOADS:
        pytest.skip(f"this version of cryptography has no {algorithm}")
    failing: Any = Failing(catalogue.provider("cryptography"), factory, method, result)
    monkeypatch.setattr(workloads, "default_catalogue", lambda: Catalogue({"cryptography": lambda: failing}))
    loop = prepare("cryptography", operation, algorithm, 64 if KINDS[algorithm] in SIZED else None)
    loop(3)
    failing.armed = True
    with pytest.raises(ProviderError):
        loop(3)


@pytest.mark.parametrize("size", [None, 0, -1, SIZE_MAXIMUM_BYTES + 1])
def test_nonsense_sizes_are_refused(size: int | None) -> None:
    with pytest.raises(UsageError, match=f"takes 1 to {SIZE_MAXIMUM_BYTES} octets, not {size}"):
        prepare("cryptography", "encrypt", "aes128gcm16", size)


def test_sizes_have_to_fit_the_algorithm() -> None:
    with pytest.raises(UsageError, match="multiple of 16 octets"):
        prepare("cryptography", "encrypt", "aes128", 65)
    with pytest.raises(UsageError, match="at most 4080 octets"):
        prepare("cryptography", "prf-plus", "prfaescmac", 4081)
    with pytest.raises(UsageError, match="has no size"):
        prepare("cryptography", "sign", "ed25519", 64)


def test_nonsense_names_are_refused() -> None:
    with pytest.raises(UsageError, match="no Python provider"):
        prepare("libcrypto", "encrypt", "aes128gcm16", 64)
    with pytest.raises(UsageError, match="no operation 'outbound'; choose from encrypt, decrypt"):
        prepare("cryptography", "outbound", "aes128gcm16", 64)
    with pytest.raises(UsageError, match="no algorithm"):
        prepare("cryptography", "encrypt", "rc4", 64)
    with pytest.raises(UnsupportedError, match="no Twofish"):
        prepare("cryptography", "encrypt", "twofish128", 64)


def test_the_names_of_operations_are_those_of_the_protocol() -> None:
    assert OPERATIONS[Kind.KEY_ENCAPSULATION] == ("generate", "encapsulate", "decapsulate")
    assert {name for names in OPERATIONS.values() for name in names} == {
        "encrypt", "decrypt", "authenticate", "verify", "prf", "prf-plus",
        "generate", "agree", "encapsulate", "decapsulate", "sign",
    }  # fmt: skip
