"""Traffic selectors and identities: text, narrowing, and odd octets."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsecbench.errors import UsageError
from ipsecbench.esp.traffic_selector import TrafficSelector, narrow, parse_traffic_selector, within
from ipsecbench.ike.identification import Identity, IdType, address_identity, parse_identity


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("10.1.0.0/16", "10.1.0.0/16"),
        ("10.1.0.1", "10.1.0.1/32"),
        ("10.1.0.1-10.1.0.9", "10.1.0.1-10.1.0.9"),
        ("10.1.0.0-10.1.0.255", "10.1.0.0/24"),
        ("10.1.0.0/16[tcp/23]", "10.1.0.0/16[tcp/23]"),
        ("10.1.0.0/16[udp]", "10.1.0.0/16[udp]"),
        ("10.1.0.0/16[/1024-65535]", "10.1.0.0/16[/1024-65535]"),
        ("10.1.0.0/16[47]", "10.1.0.0/16[gre]"),
        ("2001:db8::/32[icmpv6]", "2001:db8::/32[icmpv6]"),
        ("::/0", "::/0"),
    ],
)
def test_text(text: str, shown: str) -> None:
    selector = parse_traffic_selector(text)
    assert str(selector) == shown
    assert parse_traffic_selector(shown) == selector


@pytest.mark.parametrize(
    "text",
    [
        "",
        "10.1.0.0/33",
        "10.1.0.1/16",
        "10.1.0.9-10.1.0.1",
        "10.1.0.1-::1",
        "10.0.0.0/8[tcp",
        "10.0.0.0/8[carrier-pigeon]",
        "10.0.0.0/8[tcp/70000]",
        "10.0.0.0/8[tcp/9-1]",
        "10.0.0.0/8[256]",
        "example.net",
    ],
)
def test_what_is_no_selector(text: str) -> None:
    with pytest.raises(UsageError, match="traffic selector"):
        parse_traffic_selector(text)


def one(text: str) -> TrafficSelector:
    return parse_traffic_selector(text)


@pytest.mark.parametrize(
    ("own", "offered", "answer"),
    [
        (["10.1.0.0/16"], ["0.0.0.0/0"], ["10.1.0.0/16"]),
        (["10.1.0.0/16"], ["10.1.2.0/24"], ["10.1.2.0/24"]),
        (["10.1.0.0/16[tcp]"], ["10.1.2.0/24[/80]"], ["10.1.2.0/24[tcp/80]"]),
        (["10.1.0.0/16[tcp]"], ["10.1.0.0/16[udp]"], []),
        (["10.1.0.0/16"], ["10.2.0.0/16"], []),
        (["10.1.0.0/16"], ["2001:db8::/32"], []),
        (["10.1.0.0/16", "10.3.0.0/16"], ["10.0.0.0/8"], ["10.1.0.0/16", "10.3.0.0/16"]),
        # A single packet's selector in front of the whole offer is swallowed by the whole.
        (["10.1.0.0/16"], ["10.1.2.3[tcp/23]", "10.0.0.0/8"], ["10.1.0.0/16"]),
        (["10.1.0.0/16"], ["10.1.0.0/24", "10.1.0.0/24"], ["10.1.0.0/24"]),
    ],
)
def test_narrowing(own: list[str], offered: list[str], answer: list[str]) -> None:
    assert narrow([one(text) for text in own], [one(text) for text in offered]) == tuple(map(one, answer))


SELECTORS = st.builds(
    lambda first, last, protocol, low, high: TrafficSelector(
        4, min(first, last), max(first, last), protocol, min(low, high), max(low, high)
    ),
    st.integers(0, 20),
    st.integers(0, 20),
    st.sampled_from([0, 6, 17]),
    st.integers(0, 8),
    st.integers(0, 8),
)


@given(st.lists(SELECTORS, max_size=4), st.lists(SELECTORS, max_size=4))
def test_an_answer_is_exactly_what_both_select(own: list[TrafficSelector], offered: list[TrafficSelector]) -> None:
    answer = narrow(own, offered)
    assert within(own, answer)
    assert within(offered, answer)
    for address in range(21):
        for protocol in (6, 17):
            for port in range(9):
                packet = TrafficSelector(4, address, address, protocol, port, port)
                both = all(any(each.contains(packet) for each in side) for side in (own, offered))
                assert any(each.contains(packet) for each in answer) == both


@pytest.mark.parametrize(
    ("text", "id_type", "data"),
    [
        ("192.0.2.1", IdType.ID_IPV4_ADDR, b"\xc0\x00\x02\x01"),
        ("2001:db8::1", IdType.ID_IPV6_ADDR, ip_address("2001:db8::1").packed),
        ("moon.example.net", IdType.ID_FQDN, b"moon.example.net"),
        ("@moon", IdType.ID_FQDN, b"moon"),
        ("moon@example.net", IdType.ID_RFC822_ADDR, b"moon@example.net"),
        ("@#00ff", IdType.ID_KEY_ID, b"\x00\xff"),
        ("C=CH, CN=moon", IdType.ID_DER_ASN1_DN, b"DER of C=CH, CN=moon"),
    ],
)
def test_identities(text: str, id_type: IdType, data: bytes) -> None:
    assert parse_identity(text, lambda name: f"DER of {name}".encode()) == Identity(id_type, data)


@pytest.mark.parametrize("text", ["", "@#0", "mönch"])
def test_what_is_no_identity(text: str) -> None:
    with pytest.raises(UsageError, match="identity"):
        parse_identity(text, str.encode)


@given(st.integers(0, 255), st.binary(max_size=300))
def test_an_identity_is_always_printable_and_short(id_type: int, data: bytes) -> None:
    shown = str(Identity(id_type, data))
    assert shown.isprintable()
    assert len(shown) <= 400


def test_an_address_is_an_identity() -> None:
    assert str(address_identity("192.0.2.1")) == "192.0.2.1"
    with pytest.raises(UsageError):
        address_identity("example.net")
