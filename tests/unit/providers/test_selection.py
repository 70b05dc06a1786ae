"""One provider out of several: which library is taken, what is refused, and that the choice is made once."""

from __future__ import annotations

import pytest

from ipsecbench.errors import UnsupportedError, UsageError
from ipsecbench.providers.catalogue import Catalogue
from ipsecbench.providers.interface import Provider
from ipsecbench.providers.kinds import KINDS
from ipsecbench.providers.pyca import PycaProvider
from ipsecbench.providers.pycryptodome import PycryptodomeProvider
from ipsecbench.providers.selection import ProviderSelection


class _CountingCatalogue(Catalogue):
    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, str]] = []

    def admit(self, name: str, algorithm: str) -> Provider:
        self.asked.append((name, algorithm))
        return super().admit(name, algorithm)


def test_the_first_library_that_has_it() -> None:
    selection = ProviderSelection(Catalogue())
    assert selection.library("aes128gcm16").name == "cryptography"
    assert selection.aead("aes128gcm16", bytes(16)).icv_bytes == 16
    assert selection.cipher("aes128", bytes(16)).block_bytes == 16
    assert selection.mac("sha256", bytes(32)).icv_bytes == 16
    assert selection.nonce_mac("aes128gmac", bytes(16)).icv_bytes == 16
    assert selection.prf("prfsha256", b"key").output_bytes == 32
    assert selection.key_exchange("modp2048", 300).exponent_bits == 300
    assert selection.library_info()["status"] == "loaded"


def test_an_algorithm_is_admitted_once() -> None:
    catalogue = _CountingCatalogue()
    selection = ProviderSelection(catalogue)
    for _ in range(3):
        selection.prf("prfaescmac", b"key")
        assert selection.supports("prfaescmac")
        assert not selection.supports("twofish128")
    assert catalogue.asked == [
        ("cryptography", "prfaescmac"),
        ("cryptography", "twofish128"),
        ("pycryptodome", "twofish128"),
    ]


def test_what_nobody_has_is_refused_with_the_reasons() -> None:
    selection = ProviderSelection(Catalogue())
    assert not selection.supports("serpent256")
    assert not selection.supports("no-such-thing")
    with pytest.raises(UnsupportedError, match=r"serpent256: cryptography has no Serpent; PyCryptodome"):
        selection.cipher("serpent256", bytes(32))
    with pytest.raises(UsageError, match="no algorithm known here"):
        selection.cipher("no-such-thing", b"")


def test_a_library_with_wrong_answers_is_passed_over() -> None:
    class Wrong(PycaProvider):
        def mac(self, algorithm: str, key: bytes):  # type: ignore[no-untyped-def]
            return super().mac(algorithm, key[:-1] + b"x")

    both = Catalogue({"cryptography": Wrong, "pycryptodome": PycryptodomeProvider})
    assert ProviderSelection(both).library("sha256").name == "pycryptodome"
    alone = ProviderSelection(both, libraries=("cryptography",))
    assert not alone.supports("sha256")
    with pytest.raises(UnsupportedError, match="sha256: the MAC is wrong"):
        alone.mac("sha256", bytes(32))


def test_the_order_can_be_another_for_some() -> None:
    selection = ProviderSelection(Catalogue(), preferred={"aes128": "pycryptodome"})
    assert selection.library("aes128").name == "pycryptodome"
    assert selection.library("aes256").name == "cryptography"


def test_what_the_stacks_are_given() -> None:
    selection = ProviderSelection()
    assert selection.library("prfsha256").name == "python"
    assert selection.library("modp1024").name == "pycryptodome"
    assert selection.library("ecp224bp").name == "python"
    # The oldest versions of the libraries that are allowed have no ML-KEM.
    missing = {name for name in KINDS if not name.startswith("mlkem") and not selection.supports(name)}
    assert missing == {f"{cipher}{bits}" for cipher in ("twofish", "serpent") for bits in (128, 192, 256)}
    assert repr(selection) == "ProviderSelection(cryptography, pycryptodome, python)"


def test_methods_without_a_key_are_built_once() -> None:
    selection = ProviderSelection()
    assert selection.key_exchange("x25519") is selection.key_exchange("x25519")
    assert selection.key_exchange("modp2048") is not selection.key_exchange("modp2048", 512)
    if selection.supports("mlkem512"):
        assert selection.library("mlkem512").name == "pycryptodome"
        assert selection.key_encapsulation("mlkem512") is selection.key_encapsulation("mlkem512")
        assert len(selection.key_encapsulation("mlkem512").generate().public) == 800
    one, other = selection.key_exchange("x25519").generate(), selection.key_exchange("x25519").generate()
    assert one.public != other.public
