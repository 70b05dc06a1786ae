"""Public values of a peer that must be refused (RFC 6989, RFC 7748, FIPS 203), for every method and every library.

Failures of the past: values of 0 (CVE-2015-3240), far too long values (CVE-2023-41913).
"""

from __future__ import annotations

from functools import cache

import pytest

from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.errors import RejectedError, UnsupportedError
from ipsecbench.providers.catalogue import stack_catalogue
from ipsecbench.providers.interface import KeyExchange
from ipsecbench.providers.modp_groups import modp_group
from ipsecbench.providers.selection import ProviderSelection

# p of each curve (SEC 2, RFC 5639, RFC 7748).
PRIMES = {
    "ecp192": 2**192 - 2**64 - 1,
    "ecp224": 2**224 - 2**96 + 1,
    "ecp256": 2**256 - 2**224 + 2**192 + 2**96 - 1,
    "ecp384": 2**384 - 2**128 - 2**96 + 2**32 - 1,
    "ecp521": 2**521 - 1,
    "ecp224bp": 0xD7C134AA264366862A18302575D1D787B09F075797DA89F57EC8C0FF,
    "ecp256bp": 0xA9FB57DBA1EEA9BC3E660A909D838D726E3BF623D52620282013481D1F6E5377,
    "ecp384bp": 0x8CB91E82A3386D280F5D6F7E50E641DF152F7109ED5456B412B1DA197FB71123ACD3A729901D1A71874700133107EC53,
    "ecp512bp": int(
        "aadd9db8dbe9c48b3fd4e6ae33c9fc07cb308db3b3c9d20ed6639cca70330871"
        "7d4d9b009bc66842aecda12ae6a380e62881ff2f2d82c68528aa6056583a48f3",
        16,
    ),
    "x25519": 2**255 - 19,
    "x448": 2**448 - 2**224 - 1,
}
LOW_ORDER = {
    "x25519": (
        325606250916557431795983626356110631294008115727848805560023387167927233504,
        39382357235489614581723060781553021112529911719440698176882885853963445705823,
    ),
    "x448": (),
}
"""u coordinates of points of order 8 of Curve25519 (RFC 7748 section 7 with its errata; cr.yp.to/ecdh.html)."""


@cache
def _selection() -> ProviderSelection:
    return ProviderSelection()


def method_of(library: str, name: str) -> KeyExchange:
    provider = _selection() if library == "selection" else stack_catalogue().provider(library)
    return provider.key_exchange(name)


def offered(*kinds: str) -> list[tuple[str, str]]:
    """Library and method, for every library that has the method."""
    found = []
    for name in (name for name, row in KEY_EXCHANGE.items() if row.kind in kinds):
        for library in (*stack_catalogue().names, "selection"):
            try:
                method_of(library, name)
            except UnsupportedError:
                continue
            found.append((library, name))
    return found


def lengths(public: bytes) -> list[bytes]:
    return [
        b"",
        public[:1],
        public[:-1],
        public[1:],
        public + b"\0",
        b"\0" + public,
        b"\x04" + public,
        public + public,
        public.ljust(65535, b"\0"),
        public.rjust(65535, b"\0"),
    ]


@pytest.mark.parametrize(("library", "name"), offered("ffdh", "ffdh-subgroup"))
def test_modp(library: str, name: str) -> None:
    method = method_of(library, name)
    group = modp_group(name)
    pair, good = method.generate(), method.generate().public
    values = [0, 1, group.prime - 1, group.prime, group.prime + 1, 2 ** (8 * group.bytes) - 1]
    if group.order is not None:
        # RFC 6989 section 2.2: quadratic non-residues among them, and other values outside the subgroup.
        values += [y for y in range(2, 60) if pow(y, group.order, group.prime) != 1][:3]
        # The inverse of a member times an element of order 2 is outside as well.
        values.append(group.prime - int.from_bytes(good))
    for value in values:
        with pytest.raises(RejectedError):
            pair.agree(value.to_bytes(group.bytes))
    for octets in lengths(good):
        with pytest.raises(RejectedError):
            pair.agree(octets)
    assert len(pair.agree(good)) == group.bytes


@pytest.mark.parametrize(("library", "name"), offered("ecdh"))
def test_ecp(library: str, name: str) -> None:
    method = method_of(library, name)
    prime, half = PRIMES[name], KEY_EXCHANGE[name].initiator_bytes // 2
    pair, good = method.generate(), method.generate().public
    x, y = int.from_bytes(good[:half]), int.from_bytes(good[half:])
    points = [
        (0, 0),
        (0, 1),
        (1, 0),
        (x, (y + 1) % prime),
        (x, y ^ 1),
        ((x + 1) % prime, y),
        (prime, y),
        (x, prime),
        (prime - 1, prime - 1),
        (2 ** (8 * half) - 1, 2 ** (8 * half) - 1),
    ]
    if x + prime < 2 ** (8 * half):
        points.append((x + prime, y))
    for one, other in points:
        with pytest.raises(RejectedError):
            pair.agree(one.to_bytes(half) + other.to_bytes(half))
    compressed = bytes([2 + (y & 1)]) + good[:half]
    for octets in (*lengths(good), b"\0", compressed, compressed.ljust(2 * half, b"\0")):
        with pytest.raises(RejectedError):
            pair.agree(octets)
    assert len(pair.agree(good)) == half


@pytest.mark.parametrize(("library", "name"), offered("ecdh-montgomery"))
def test_montgomery_curves(library: str, name: str) -> None:
    method = method_of(library, name)
    prime, size = PRIMES[name], KEY_EXCHANGE[name].initiator_bytes
    pair, good = method.generate(), method.generate().public
    # Each of these would give the all-zero secret.
    for value in (0, 1, prime - 1, prime, prime + 1, *LOW_ORDER[name]):
        with pytest.raises(RejectedError):
            pair.agree(value.to_bytes(size, "little"))
    for octets in lengths(good):
        with pytest.raises(RejectedError):
            pair.agree(octets)
    assert len(pair.agree(good)) == size


@pytest.mark.parametrize("name", ["mlkem512", "mlkem768", "mlkem1024"])
def test_ml_kem(name: str) -> None:
    row = KEY_EXCHANGE[name]
    if not _selection().supports(name):
        pytest.skip(f"no library here is new enough for {name}")
    mechanism = _selection().key_encapsulation(name)
    own = mechanism.generate()
    ciphertext, secret = mechanism.encapsulate(own.public)
    assert (len(own.public), len(ciphertext)) == (row.initiator_bytes, row.responder_bytes)
    assert own.decapsulate(ciphertext) == secret
    for octets in lengths(own.public):
        with pytest.raises(RejectedError):
            mechanism.encapsulate(octets)
    for octets in lengths(ciphertext):
        with pytest.raises(RejectedError):
            own.decapsulate(octets)
    # FIPS 203 section 7.2: a coefficient of q or more.
    with pytest.raises(RejectedError):
        mechanism.encapsulate(b"\xff" * 384 + own.public[384:])
    # A forged ciphertext of the right length gives another secret (section 6.3).
    assert own.decapsulate(bytes(len(ciphertext))) != secret


def test_every_method_of_the_stacks_is_tested_here() -> None:
    numbers = {row.ikev2_id for name, row in KEY_EXCHANGE.items() if _selection().supports(name)}
    assert numbers - {35, 36, 37} == {1, 2, 5, *range(14, 33)}
