"""The configuration of each end that an arrangement gives: it is in order, and the two mirror each other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ipsecbench.errors import UsageError
from ipsecbench.esp.configuration import Layering
from ipsecbench.esp.mode import Mode
from ipsecbench.lab.arrangement import ARTICLE, MODERN, MODERN_IKEV1, Arrangement
from ipsecbench.lab.driver import system_environment
from ipsecbench.lab.end_configuration import endpoint_text
from ipsecbench.lab.endpoint_file import EndpointFile, read_endpoint_file
from ipsecbench.lab.namespaces import Host

A = Host("ipsb-1-1-1-a", "192.0.2.1", "2001:db8::1", "10.1.0.1", "2001:db8:1::1", "192.0.2.1")
B = Host("ipsb-1-1-1-b", "192.0.2.2", "2001:db8::2", "10.2.0.1", "2001:db8:2::1", "192.0.2.2")
BEHIND = replace(A, ipv4="198.51.100.2", ipv6="")


def read(arrangement: Arrangement, here: Host, there: Host, folder: Path) -> EndpointFile:
    path = folder / "endpoint.toml"
    path.write_text(endpoint_text(arrangement, here, there, "00" * 32, initiates=here is not B))
    return read_endpoint_file(path, system_environment().certificates)


@pytest.mark.parametrize(
    "arrangement",
    [
        Arrangement(),
        Arrangement(version=1, ike=MODERN_IKEV1[0], esp=MODERN_IKEV1[1]),
        Arrangement(version=1, ike=ARTICLE[0], esp=ARTICLE[1]),
        Arrangement(mode=Mode.TRANSPORT),
        Arrangement(mode=Mode.TRANSPORT, outer=6, inner=6),
        Arrangement(outer=4, inner=6),
        Arrangement(outer=6, inner=4),
        Arrangement(encap=True),
        Arrangement(nat=True),
        Arrangement(selectors=("192.0.2.1/32[tcp]", "192.0.2.2/32[tcp/23]"), mode=Mode.TRANSPORT),
    ],
    ids=str,
)
def test_the_two_files_mirror_each_other(arrangement: Arrangement, tmp_path: Path) -> None:
    first_host = BEHIND if arrangement.nat else A
    first, second = read(arrangement, first_host, B, tmp_path), read(arrangement, B, first_host, tmp_path)
    (mine,), (other,) = first.configuration.connections, second.configuration.connections
    assert mine.version == other.version == arrangement.version
    assert mine.proposals == other.proposals
    assert mine.psk == other.psk
    assert mine.local.identity == other.remote.identity != mine.remote.identity
    assert mine.force_encapsulation is arrangement.encap
    assert (mine.children[0].local_ts, mine.children[0].remote_ts) == (
        other.children[0].remote_ts,
        other.children[0].local_ts,
    )
    assert mine.children[0].mode is other.children[0].mode is arrangement.mode
    assert mine.remote_addresses == other.local_addresses
    assert first.start
    assert not second.start
    if arrangement.nat:
        assert other.remote_addresses == ("192.0.2.1",) != mine.local_addresses


def test_a_layer_selects_its_protocol() -> None:
    def selector(layering: Layering, inner: int) -> str:
        return Arrangement(mode=Mode.TRANSPORT, layering=layering, inner=inner).selector(A)

    assert selector(Layering.GRE, 6) == "192.0.2.1/32[gre]"
    assert selector(Layering.IPIP, 4) == "192.0.2.1/32[ipip]"
    assert selector(Layering.IPIP, 6) == "192.0.2.1/32[41]"


def test_the_default_is_what_the_policy_recommends() -> None:
    default = Arrangement()
    assert (default.ike, default.esp) == MODERN
    assert default.version == 2


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        ({"version": 3}, "1 or 2"),
        ({"outer": 5}, "4 and 6"),
        ({"version": 1, "ike": "aes128-sha256-ecp256-ke1_mlkem768"}, "IKEv1"),
        ({"layering": Layering.GRE}, "transport"),
        ({"mode": Mode.TRANSPORT, "inner": 6}, "ipip"),
        ({"nat": True, "outer": 6, "inner": 6}, "IPv4"),
        ({"nat": True, "initiator": "B"}, "behind the NAT"),
        ({"mtu": 575}, "576"),
        ({"mtu": 70000}, "65535"),
        ({"strongswan": "C"}, "at AB"),
        ({"strongswan": "A"}, "extended sequence numbers"),
        ({"strongswan": "A", "esp": "aes128gcm16", "mode": Mode.TRANSPORT}, "tunnel mode only"),
    ],
)
def test_what_cannot_be_is_refused(wishes: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Arrangement(**wishes)  # type: ignore[arg-type]
