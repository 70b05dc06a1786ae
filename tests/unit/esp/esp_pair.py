"""Two ends of one pair of SAs, for the tests: what one seals goes straight to the other."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from ipaddress import ip_address

from ipsecbench.algorithms.suites import EspSuite, esp_suites
from ipsecbench.esp.configuration import (
    Action,
    Direction,
    Layering,
    PolicyConfiguration,
    SaConfiguration,
    SelectorPair,
    UdpEncapsulation,
)
from ipsecbench.esp.mode import Mode
from ipsecbench.esp.outer_packet import OuterPacket, parse_outer
from ipsecbench.esp.packet import padded
from ipsecbench.esp.processing import EspProcessing, Output
from ipsecbench.esp.traffic_selector import subnet
from ipsecbench.esp.transform import Transform, build_transform
from ipsecbench.providers.selection import ProviderSelection
from ipsecbench.secret import Secret
from ipsecbench.wire.ip import IpHeader

ENDS = {4: ("192.0.2.1", "198.51.100.2"), 6: ("2001:db8::1", "2001:db8:ffff::2")}
NETS = {4: ("10.1.0.0/16", "10.2.0.0/16"), 6: ("fd01::/16", "fd02::/16")}
PORTS = UdpEncapsulation(4500, 4500)
ANYTHING = (
    SelectorPair(subnet("0.0.0.0/0"), subnet("0.0.0.0/0")),
    SelectorPair(subnet("::/0"), subnet("::/0")),
)


@cache
def cryptography() -> ProviderSelection:
    """The libraries, once."""
    return ProviderSelection()


@cache
def available_suites() -> tuple[str, ...]:
    """Names of the suites that a library here has."""
    selection = cryptography()
    return tuple(
        name
        for name, suite in esp_suites().items()
        if selection.supports(suite.encryption.name)
        and (suite.integrity is None or selection.supports(suite.integrity.name))
    )


def keys_of(suite: EspSuite, seed: object = 1) -> tuple[Secret, Secret | None]:
    """Keys as KEYMAT gives them, the same for the same seed."""
    source = random.Random(f"{suite.name} {seed}")
    encryption = Secret(source.randbytes(suite.encryption.keymat_bytes))
    return encryption, None if suite.integrity is None else Secret(source.randbytes(suite.integrity.key_bytes))


def transform_of(sa: SaConfiguration) -> Transform:
    """The suite and keys of an SA without everything else."""
    return build_transform(
        cryptography(), sa.suite, sa.encryption_key, sa.integrity_key, esn=sa.esn, random=random.Random("IV").randbytes
    )


def opened(sa: SaConfiguration, content: bytes) -> tuple[bytes, int]:
    """Payload and Next Header inside an ESP packet, taken out by the transform alone."""
    plaintext = transform_of(sa).open(content, int.from_bytes(content[4:8]))
    return plaintext[: len(plaintext) - 2 - plaintext[-2]], plaintext[-1]


def sa_of(suite: EspSuite | str = "aes128gcm16", *, version: int = 4, **changes: object) -> SaConfiguration:
    """An outbound SA of the first end, in tunnel mode."""
    suite = esp_suites()[suite] if isinstance(suite, str) else suite
    encryption_key, integrity_key = keys_of(suite)
    source, destination = ENDS[version]
    sa = SaConfiguration(
        direction=Direction.OUTBOUND,
        spi=0xC0FFEE01,
        reqid=1,
        suite=suite,
        encryption_key=encryption_key,
        integrity_key=integrity_key,
        mode=Mode.TUNNEL,
        source=source,
        destination=destination,
    )
    return replace(sa, **changes)  # type: ignore[arg-type]


@dataclass
class Pair:
    """An end that seals and an end that opens."""

    sa: SaConfiguration
    inbound_changes: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        source = random.Random("pair")
        self.first = EspProcessing(cryptography(), source.randbytes)
        self.second = EspProcessing(cryptography(), source.randbytes)
        self.first.add_sa(self.sa, 0.0)
        self.inbound = replace(self.sa, direction=Direction.INBOUND, **self.inbound_changes)  # type: ignore[arg-type]
        self.second.add_sa(self.inbound, 0.0)
        self.first.add_policy(PolicyConfiguration(Direction.OUTBOUND, ANYTHING, Action.PROTECT, self.sa.reqid))
        self.second.add_policy(PolicyConfiguration(Direction.INBOUND, ANYTHING, Action.PROTECT, self.sa.reqid))

    def sealed(self, packet: bytes, now: float = 1.0) -> list[OuterPacket]:
        """The ESP packets of an inner packet; there is at least one."""
        output = self.first.protect(packet, now)
        assert output.outside, (self.first.dropped, output)
        return output.outside

    def on_the_wire(self, packet: bytes, now: float = 1.0) -> list[bytes]:
        """The outer IP packets of an inner packet."""
        return [octets for outer in self.sealed(packet, now) for octets in outer.packets()]

    def deliver(self, octets: bytes, now: float = 1.0) -> Output:
        """An outer IP packet arrives at the second end."""
        return self.second.receive(parse_outer(octets), now)

    def sent(self, payload: bytes, next_header: int, sequence: int = 1, plaintext: bytes | None = None) -> Output:
        """An authentic packet arrives with any payload, or even any plaintext, that ESP itself would not have made."""
        align = self.sa.suite.encryption.pad_align_bytes
        plaintext = padded(payload, next_header, align) if plaintext is None else plaintext
        content = transform_of(self.sa).seal(self.sa.spi, sequence, plaintext)
        source, destination = (ip_address(address).packed for address in (self.sa.source, self.sa.destination))
        return self.second.receive(OuterPacket(IpHeader(source, destination, 50), content, self.sa.encapsulation), 1.0)

    def carried(self, packet: bytes, now: float = 1.0) -> list[bytes]:
        """What comes out inside the second end of an inner packet of the first."""
        return [inner for octets in self.on_the_wire(packet, now) for inner in self.deliver(octets, now).inside]


def layerings() -> Sequence[tuple[Mode, Layering]]:
    """Every mode with every layering that it has."""
    return (Mode.TUNNEL, Layering.NONE), *((Mode.TRANSPORT, layering) for layering in Layering)
