"""The readable ESP against the agent's: each opens what the other sealed, and both refuse the same faults."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest

from ipsecbench.algorithms.suites import EspSuite, esp_suites
from ipsecbench.errors import CorrectnessError, DroppedError, MalformedError, RejectedError
from ipsecbench.esp.configuration import Direction, SaConfiguration
from ipsecbench.esp.mode import Mode
from ipsecbench.esp.packet import padded, unpadded
from ipsecbench.esp.security_association import InboundSa
from ipsecbench.esp.transform import Transform, build_transform
from ipsecbench.providers.selection import ProviderSelection
from ipsecbench.secret import Secret

pytestmark = pytest.mark.agent

Compute = Callable[..., bytes]
Offers = Mapping[tuple[str, str], tuple[str, ...]]

CRYPTOGRAPHY = ProviderSelection()
LENGTHS = (0, 1, 2, 13, 14, 15, 16, 20, 64, 255, 576, 1400, 1437, 4000)


def _has(suite: EspSuite) -> bool:
    names = [suite.encryption.name, *([suite.integrity.name] if suite.integrity else [])]
    return all(CRYPTOGRAPHY.supports(name) for name in names)


SUITES = [name for name, suite in esp_suites().items() if _has(suite)]


@dataclass(frozen=True)
class Sa:
    """One SA for both implementations."""

    suite: EspSuite
    encryption_key: bytes
    integrity_key: bytes
    spi: int
    esn: bool
    iv: bytes
    """What the random source gives."""

    @staticmethod
    def drawn(source: random.Random, name: str, esn: bool) -> Sa:
        """An SA with keys from a source."""
        suite = esp_suites()[name]
        integrity_bytes = suite.integrity.key_bytes if suite.integrity else 0
        return Sa(
            suite,
            source.randbytes(suite.encryption.keymat_bytes),
            source.randbytes(integrity_bytes),
            source.randrange(256, 2**32),
            esn,
            source.randbytes(suite.encryption.iv_bytes),
        )

    def transform(self) -> Transform:
        """The reference's."""
        return build_transform(
            CRYPTOGRAPHY,
            self.suite,
            Secret(self.encryption_key),
            Secret(self.integrity_key) if self.suite.integrity else None,
            esn=self.esn,
            random=lambda count: self.iv[:count],
        )

    def iv_of(self, sequence: int) -> bytes:
        """The IV that the reference takes: the sequence number, but for CBC."""
        row = self.suite.encryption
        return self.iv if row.mode in ("cbc", "null") else sequence.to_bytes(8)

    @property
    def fields(self) -> dict[str, object]:
        """What the agent is told of it."""
        keys: dict[str, object] = {"tier": "packet-loop", "encryption_key": self.encryption_key, "esn": self.esn}
        return keys | ({"integrity_key": self.integrity_key} if self.suite.integrity else {})

    def inbound(self, window: int = 64) -> InboundSa:
        """The reference's inbound SA."""
        configuration = SaConfiguration(
            Direction.INBOUND,
            self.spi,
            1,
            self.suite,
            Secret(self.encryption_key),
            Secret(self.integrity_key) if self.suite.integrity else None,
            Mode.TUNNEL,
            "192.0.2.1",
            "198.51.100.2",
            esn=self.esn,
            replay_window_packets=window,
        )
        return InboundSa(CRYPTOGRAPHY, configuration, 0.0)


def _providers(offers: Offers, name: str) -> tuple[str, ...]:
    providers = offers.get(("packet-loop", name), ())
    if not providers:
        pytest.skip(f"{name}: no library of the agent has it")
    return providers


@pytest.mark.parametrize("esn", [False, True], ids=["", "esn"])
@pytest.mark.parametrize("name", SUITES)
def test_each_opens_what_the_other_sealed(compute: Compute, offers: Offers, name: str, esn: bool) -> None:
    source = random.Random(f"{name} {esn} reference")
    for provider in _providers(offers, name):
        for length in LENGTHS:
            sa = Sa.drawn(source, name, esn)
            sequence = source.randrange(1, 2**64 if esn else 2**32)
            payload, next_header = source.randbytes(length), source.choice((4, 41, 17, 47, 59))
            plaintext = padded(payload, next_header, sa.suite.encryption.pad_align_bytes)
            packet = sa.transform().seal(sa.spi, sequence, plaintext)
            order = {**sa.fields, "spi": sa.spi, "sequence": sequence, "next_header": next_header}
            if length:  # the agent seals no packet of nothing
                made = compute(provider, "outbound", name, input=payload, iv=sa.iv_of(sequence), **order)
                assert made == packet, (provider, length)
                high = {"sequence_high": sequence >> 32} if esn else {}
                opened = compute(provider, "inbound", name, input=packet, **sa.fields, **high)
                assert opened == payload, (provider, length)
            assert unpadded(sa.transform().open(packet, sequence)) == (payload, next_header)


def _faulty(source: random.Random, sa: Sa, sequence: int, packet: bytes) -> bytes:
    """The packet with something wrong, or authentic with a trailer that is wrong, or now and then as it was."""
    align, kind = sa.suite.encryption.pad_align_bytes, source.randrange(9)
    if kind == 0:
        position = source.randrange(4, len(packet))
        return packet[:position] + bytes((packet[position] ^ 1 << source.randrange(8),)) + packet[position + 1 :]
    if kind == 1:
        return packet[: source.randrange(len(packet))]
    if kind == 2:
        return packet + source.randbytes(source.choice((1, 4, align)))
    if kind == 3:
        return packet[:8] + source.randbytes(len(packet) - 8)
    if kind == 4:
        cut = align * source.randrange(1, 4)
        return packet[: -sa.suite.icv_bytes - cut] + packet[-sa.suite.icv_bytes :]
    if kind in (5, 6, 7):
        body = bytearray(padded(source.randbytes(source.randrange(40)), 4, align))
        body += bytes(-len(body) % 16)
        wrong = {5: (-2, source.randrange(256)), 6: (-3, 0xEE), 7: (-2, len(body) - 2)}[kind]
        body[wrong[0]] = wrong[1]
        return sa.transform().seal(sa.spi, sequence, bytes(body))
    return packet


@pytest.mark.parametrize("name", SUITES)
def test_both_refuse_the_same_faults(compute: Compute, offers: Offers, name: str) -> None:
    source = random.Random(f"{name} faults")
    verdicts = {True: 0, False: 0}
    for provider in _providers(offers, name):
        for _ in range(25):
            esn = source.random() < 0.5
            sa = Sa.drawn(source, name, esn)
            sequence = source.randrange(1, 2**64 if esn else 2**32)
            plaintext = padded(source.randbytes(source.randrange(1, 100)), 4, sa.suite.encryption.pad_align_bytes)
            packet = _faulty(source, sa, sequence, sa.transform().seal(sa.spi, sequence, plaintext))
            high = {"sequence_high": (sequence >> 32) + source.choice((0, 0, 0, 1))} if esn else {}
            whole = high.get("sequence_high", 0) << 32 | int.from_bytes(packet[4:8])
            try:
                here: bytes | None = unpadded(sa.transform().open(packet, whole % 2**64))[0]
            except (MalformedError, RejectedError):
                here = None
            try:
                there: bytes | None = compute(provider, "inbound", name, input=packet, **sa.fields, **high)
            except CorrectnessError:
                there = None
            assert here == there, (provider, len(packet), packet.hex())
            verdicts[here is not None] += 1
    # Neither said yes or no to everything.
    assert min(verdicts.values()) > 0, verdicts


@pytest.mark.parametrize("name", ["aes128gcm16", "aes256-sha512", "chacha20poly1305"])
def test_both_windows_are_the_same(compute: Compute, offers: Offers, name: str) -> None:
    source = random.Random(f"{name} windows")
    provider = _providers(offers, name)[0]
    verdicts = {True: 0, False: 0}
    for _ in range(60):
        sa = Sa.drawn(source, name, False)
        base = source.choice((1, 60, 1000, 2**31, 2**32 - 200))
        received = [base + source.randrange(100) for _ in range(source.randrange(12))]
        sequence = base + source.randrange(100)
        inbound = sa.inbound()

        def opened(number: int, inbound: InboundSa = inbound, sa: Sa = sa) -> bytes | None:
            packet = sa.transform().seal(sa.spi, number, padded(b"window", 4, sa.suite.encryption.pad_align_bytes))
            try:
                return inbound.open(packet, 1.0)[0]
            except DroppedError:
                return None

        taken = [number for number in received if opened(number) is not None]
        packet = sa.transform().seal(sa.spi, sequence, padded(b"window", 4, sa.suite.encryption.pad_align_bytes))
        here = opened(sequence)
        try:
            there: bytes | None = compute(provider, "inbound", name, input=packet, replay=taken, **sa.fields)
        except CorrectnessError:
            there = None
        assert here == there, (sequence, received)
        verdicts[here is not None] += 1
    assert min(verdicts.values()) > 5, verdicts
