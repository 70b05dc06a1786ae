"""ESP against the packets of the interoperability tests, written from the RFCs and proven with strongSwan."""

from __future__ import annotations

import random

import pytest
from cryptography.exceptions import InvalidTag

from ipsecbench.esp.configuration import SaConfiguration
from ipsecbench.esp.outer_packet import parse_outer
from ipsecbench.wire.ip import parse_ip
from tests.interop.esp_packets import NotAuthenticError, Sa
from tests.unit.esp.esp_pair import Pair, available_suites, sa_of
from tests.unit.esp.inner_packets import udp_packet

# It has no GMAC.
SUITES = [name for name in available_suites() if "gmac" not in name]


def other(sa: SaConfiguration) -> Sa:
    """The same SA in the other's hands."""
    return Sa(
        sa.spi.to_bytes(4),
        sa.suite.encryption.name,
        sa.suite.integrity.name if sa.suite.integrity else None,
        sa.encryption_key.reveal(),
        sa.integrity_key.reveal() if sa.integrity_key else b"",
        sa.esn,
    )


@pytest.mark.parametrize("esn", [False, True], ids=["", "esn"])
@pytest.mark.parametrize("name", SUITES)
def test_each_opens_what_the_other_sealed(name: str, esn: bool) -> None:
    sa = sa_of(name, esn=esn)
    pair, oracle = Pair(sa), other(sa)
    for number, size in enumerate((48, 49, 63, 64, 700, 1400), start=1):
        for version in (4, 6):
            packet = udp_packet(version, max(size, 48 if version == 4 else 60))
            content = pair.sealed(packet)[0].content
            sequence, inner, next_header = oracle.open(content)
            assert (inner, next_header) == (packet, {4: 4, 6: 41}[version])
            assert sequence == 2 * number - (version == 4)
            made = oracle.seal(sequence, packet, next_header)
            header = parse_ip(pair.on_the_wire(udp_packet(4, 60))[0]).header
            pair.first._sas.outbound[sa.spi].sequence.last -= 1
            outer = parse_outer(header.encode(made))
            assert pair.second.receive(outer, 1.0).inside == [packet]
    changed = random.Random(name).randrange(8, len(content))
    forged = content[:changed] + bytes((content[changed] ^ 4,)) + content[changed + 1 :]
    with pytest.raises((NotAuthenticError, InvalidTag)):
        oracle.open(forged)
