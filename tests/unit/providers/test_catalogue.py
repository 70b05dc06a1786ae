"""What is listed, what is admitted, and what is barred."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from ipsecbench.errors import CorrectnessError, ProviderError, RejectedError, UnsupportedError, UsageError
from ipsecbench.providers import catalogue as module
from ipsecbench.providers.catalogue import PROVIDERS, Catalogue
from ipsecbench.providers.interface import Provider
from ipsecbench.providers.kinds import KINDS, OPERATIONS
from ipsecbench.providers.known_answers import known_answers


class Altered:
    """A library in which one factory gives something else."""

    def __init__(self, provider: Provider, method: str, replacement: Callable[..., Any]) -> None:
        self._provider = provider
        self._method = method
        self._replacement = replacement
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        original = getattr(self._provider, name)
        if name != self._method:
            return original

        def build(*arguments: Any) -> Any:
            self.calls += 1
            return self._replacement(original(*arguments))

        return build


class Object:
    """Something with other methods than the object that it stands for."""

    def __init__(self, original: Any, **methods: Callable[..., Any]) -> None:
        self._original = original
        self._methods = methods

    def __getattr__(self, name: str) -> Any:
        return self._methods.get(name) or getattr(self._original, name)


def _accept(*_: Any) -> None:
    return None


WRONG: dict[str, tuple[str, str, Callable[[Any], Any]]] = {
    "an AEAD that seals wrongly": (
        "aead",
        "aes128gcm16",
        lambda o: Object(o, seal=lambda *a: bytes(len(o.seal(*a)))),
    ),
    "an AEAD that takes anything": ("aead", "chacha20poly1305", lambda o: Object(o, open=lambda n, s, a: s[:-16])),
    "an AEAD that ignores associated data": (
        "aead",
        "aes128gcm16",
        lambda o: Object(o, open=lambda n, s, a: o.open(n, s, a[:-1] if a.endswith(b"\0") else a)),
    ),
    "an AEAD that refuses what is valid": ("aead", "aes128ccm8", lambda o: Object(o, open=_refuse)),
    "a cipher that decrypts wrongly": ("cipher", "aes128", lambda o: Object(o, decrypt=o.encrypt)),
    "a cipher that keeps state": ("cipher", "3des", lambda o: Object(o, encrypt=_Once(o.encrypt))),
    "a MAC that is wrong": ("mac", "sha256", lambda o: Object(o, authenticate=lambda m: o.authenticate(m + b"."))),
    "a MAC that takes anything": ("mac", "sha1", lambda o: Object(o, verify=_accept)),
    "a MAC that takes a short ICV": (
        "mac",
        "md5",
        lambda o: Object(o, verify=lambda m, i: o.verify(m, i.ljust(12, o.authenticate(m)[11:12]))),
    ),
    "a GMAC that takes anything": ("nonce_mac", "aes256gmac", lambda o: Object(o, verify=_accept)),
    "a wrong prf+": ("prf", "prfsha256", lambda o: Object(o, expand=lambda s, n: o.expand(s + b"\0", n))),
    "a wrong PRF": ("prf", "prfaesxcbc", lambda o: Object(o, compute=lambda s: o.compute(b""))),
    "a key exchange with a wrong secret": (
        "key_exchange",
        "ecp256",
        lambda o: Object(o, load=lambda x: Object(o.load(x), agree=lambda p: p[:32])),
    ),
    "a MODP group that takes 1": (
        "key_exchange",
        "modp1536",
        lambda o: Object(o, generate=lambda: _patient(o.generate())),
    ),
    "always the same key pair": ("key_exchange", "x25519", lambda o: Object(o, generate=lambda: o.load(bytes(32)))),
    "a wrong ML-KEM secret": (
        "key_encapsulation",
        "mlkem768",
        lambda o: Object(o, load=lambda x: Object(o.load(x), decapsulate=lambda c: bytes(32))),
    ),
    "a verifier that takes anything": ("verifier", "ed25519", lambda o: Object(o, verify=_accept)),
    "a verifier that refuses everything": ("verifier", "ecdsa-256", lambda o: Object(o, verify=_refuse)),
    "a signer that signs something else": (
        "signer",
        "rsa-2048",
        lambda o: Object(o, sign=lambda m: o.sign(m + b".")),
    ),
}


def _refuse(*_: Any) -> None:
    raise RejectedError("no")


def _patient(pair: Any) -> Any:
    return Object(pair, agree=lambda p: pair.agree(p) if int.from_bytes(p) > 1 else p)


class _Once:
    """The right answer for the first message only."""

    def __init__(self, encrypt: Callable[[bytes, bytes], bytes]) -> None:
        self._encrypt = encrypt
        self._used = False

    def __call__(self, iv: bytes, plaintext: bytes) -> bytes:
        used, self._used = self._used, True
        return self._encrypt(bytes(len(iv)) if used else iv, plaintext)


@pytest.mark.parametrize("what", WRONG)
def test_a_library_with_a_wrong_answer_is_barred(catalogue: Catalogue, what: str) -> None:
    method, algorithm, replacement = WRONG[what]
    if not any(row.operations for row in catalogue.operations("cryptography") if row.algorithm == algorithm):
        pytest.skip(f"this version of cryptography has no {algorithm}")
    altered: Any = Altered(catalogue.provider("cryptography"), method, replacement)
    barring = Catalogue({"cryptography": lambda: altered})
    with pytest.raises(CorrectnessError, match=algorithm) as caught:
        barring.admit("cryptography", algorithm)
    calls = altered.calls
    with pytest.raises(CorrectnessError) as again:
        barring.admit("cryptography", algorithm)
    assert str(again.value) == str(caught.value)
    assert altered.calls == calls, "what was barred is not tried again"
    (row,) = (row for row in barring.operations("cryptography") if row.algorithm == algorithm)
    assert row.operations == ()
    assert row.reason == str(caught.value)
    result = barring.check("cryptography", algorithm)
    assert (result.passed, result.failed) == (0, 1)
    assert result.failures[0].algorithm == algorithm


def test_every_algorithm_is_listed_once_with_operations_or_a_reason(catalogue: Catalogue) -> None:
    for name in PROVIDERS:
        rows = catalogue.operations(name)
        assert [row.algorithm for row in rows] == list(KINDS)
        for row in rows:
            assert (row.provider, row.tier) == (name, "primitive")
            assert bool(row.operations) != bool(row.reason)
            assert row.operations in ((), OPERATIONS[KINDS[row.algorithm]])


def test_what_the_libraries_lack_is_said(catalogue: Catalogue) -> None:
    reasons = {(name, row.algorithm): row.reason for name in PROVIDERS for row in catalogue.operations(name)}
    assert reasons["cryptography", "twofish128"] == "cryptography has no Twofish"
    assert reasons["pycryptodome", "camellia256"] == "PyCryptodome has no Camellia"
    assert reasons["cryptography", "ecp224bp"] == "cryptography has no curve brainpoolP224r1"
    assert reasons["pycryptodome", "aes256gcm16"] is None


def test_everything_that_is_offered_passes(catalogue: Catalogue) -> None:
    result = catalogue.check()
    assert result.failures == ()
    offered = sum(bool(row.operations) for name in PROVIDERS for row in catalogue.operations(name))
    assert result.passed >= offered


def test_known_answers_have_sources() -> None:
    answers = [answer for each in known_answers().values() for answer in each]
    assert len(answers) > 100
    assert all(answer.source for answer in answers)
    assert set(known_answers()) <= set(KINDS)


def test_naming_the_providers_imports_no_library() -> None:
    code = (
        "import sys; from ipsecbench.providers.catalogue import PROVIDERS; import ipsecbench.providers.workloads; "
        "print(','.join(PROVIDERS), 'cryptography' in sys.modules, 'Crypto' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["cryptography,pycryptodome", "False", "False"]


@pytest.mark.parametrize("name", PROVIDERS)
def test_library_info_has_the_shape_of_the_agents(name: str) -> None:
    info = module.library_info(name)
    assert set(info) == {"provider", "status", "path", "version", "modules", "cpu_settings", "note"}
    assert (info["provider"], info["status"]) == (name, "loaded")
    assert info["version"] is not None


def test_the_bundled_libcrypto_is_named() -> None:
    assert "OpenSSL" in str(module.library_info("cryptography")["version"])


def test_processor_settings_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENSSL_ia32cap", "~0x200000200000000")
    assert module.library_info("cryptography")["cpu_settings"] == "OPENSSL_ia32cap=~0x200000200000000"


def _absent(name: str) -> Callable[[], Provider]:
    def build() -> Provider:
        try:
            __import__(name)
        except ImportError as error:
            raise ProviderError(f"the Python library {name} cannot be loaded: {error}") from error
        raise AssertionError(name)

    return build


def test_a_missing_library_is_said_and_listed() -> None:
    missing = Catalogue({"gone": _absent("no_such_library_anywhere")})
    info = missing.library_info("gone")
    assert (info["status"], info["path"], info["version"]) == ("missing", None, None)
    assert "no_such_library_anywhere" in str(info["note"])
    rows = missing.operations("gone")
    assert len(rows) == len(KINDS)
    assert all("cannot be loaded" in str(row.reason) for row in rows)
    with pytest.raises(ProviderError, match="cannot be loaded"):
        missing.admit("gone", "aes128")
    with pytest.raises(ProviderError, match="cannot be loaded"):
        missing.check()


def test_a_library_that_fails_to_load_is_unusable() -> None:
    def build() -> Provider:
        raise ProviderError("the Python library broken cannot be loaded: bad ELF") from OSError("bad ELF")

    assert Catalogue({"broken": build}).library_info("broken")["status"] == "unusable"


def test_nonsense_names_are_refused(catalogue: Catalogue) -> None:
    with pytest.raises(UsageError, match="'openssl' is no Python provider"):
        catalogue.provider("openssl")
    with pytest.raises(UsageError, match="'aes512' is no algorithm"):
        catalogue.admit("cryptography", "aes512")
    with pytest.raises(UnsupportedError, match="no Serpent"):
        catalogue.admit("pycryptodome", "serpent256")
