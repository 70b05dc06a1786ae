"""Sizes of IKEv2's large messages against what strongSwan sent: recorded exchanges of 5.9.8 and 6.0.6 with itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ipsecbench.algorithms.proposals import parse_ike
from ipsecbench.recommend.keys.ike_parameters import IkeParameters
from ipsecbench.recommend.keys.message_sizes import (
    INIT_WITHOUT_KEY_BYTES,
    INIT_WITHOUT_KEY_LEAST_BYTES,
    NON_ESP_MARKER_BYTES,
    additional_messages,
    fragments,
    init_messages,
    largest_message_bytes,
)
from ipsecbench.recommend.requirements.records import Requirements

TRANSCRIPTS = Path(__file__).parents[2] / "transcripts" / "ikev2"
SA_INIT, INTERMEDIATE = 34, 43
ENCRYPTED, FRAGMENT = 46, 53


def parameters(proposal: str, *, authentication: str = "psk") -> IkeParameters:
    ike = parse_ike(proposal)
    return IkeParameters(
        encryption=ike.encryption[0],
        integrity=ike.integrity[0] if ike.integrity else None,
        prf=ike.prf[0],
        key_exchange=ike.key_exchange[0],
        authentication=authentication,
        suite="aes128gcm16",
        additional_key_exchanges=tuple(step[0] for step in ike.additional_key_exchanges if step),
    )


def recorded(name: str) -> tuple[str, list[tuple[str, int, int, int]]]:
    """Proposal, and (sender, exchange, first payload, octets) of every message."""
    document = json.loads((TRANSCRIPTS / f"{name}.json").read_text())
    found = []
    for message in document["messages"]:
        octets = bytes.fromhex(message["octets"]).removeprefix(bytes(NON_ESP_MARKER_BYTES))
        found.append((message["from"], octets[18], octets[16], len(octets)))
    return document["ike_proposal"], found


def test_whole_messages_are_as_long_as_strongswans() -> None:
    proposal, messages = recorded("psk-x25519-mlkem512-mlkem768")
    given = parameters(proposal)
    whole = [octets for _, exchange, first, octets in messages if (exchange, first) == (INTERMEDIATE, ENCRYPTED)]
    ours = [
        message.udp_payload_bytes
        for method in ("mlkem512", "mlkem768")
        for message in additional_messages(method, given, Requirements())
    ]
    # strongSwan cuts the request of ML-KEM-768 in two, because it fills 1280 octets and no more.
    assert whole == [ours[0], ours[1], ours[3]] == [880, 848, 1168]
    _, messages = recorded("psk-aesxcbc-ecp256-mlkem512-modp1024")
    given = parameters("aes128-aesxcbc-prfaesxcbc-ecp256")
    whole = [octets for _, exchange, first, octets in messages if (exchange, first) == (INTERMEDIATE, ENCRYPTED)]
    ours = [
        message.udp_payload_bytes
        for method in ("mlkem512", "modp1024")
        for message in additional_messages(method, given, Requirements())
    ]
    assert whole == ours


@pytest.mark.parametrize(
    ("name", "method", "packet_bytes"),
    [
        ("psk-x25519-mlkem768", "mlkem768", 1280),
        ("psk-x25519-mlkem512-mlkem768", "mlkem512", 1280),
        ("ecdsa-aes256gcm16-ecp384-mlkem1024-fragmented", "mlkem1024", 576),
        ("rsa-ppk-x448-mlkem768-fragmented", "mlkem768", 700),
    ],
)
def test_there_are_as_many_fragments_as_strongswan_sent(name: str, method: str, packet_bytes: int) -> None:
    # packet_bytes is strongSwan's fragment_size, which takes the place of the link MTU.
    proposal, messages = recorded(name)
    wanted = Requirements(link_mtu_bytes=packet_bytes)
    first = [row for row in messages if row[1] == INTERMEDIATE]
    request_from = first[0][0]
    later = next((i for i, row in enumerate(first) if row[0] != request_from), 0)
    back = next((i for i, row in enumerate(first) if i > later and row[0] == request_from), len(first))
    request, response = additional_messages(method, parameters(proposal), wanted)
    assert (request.fragments, response.fragments) == (later, back - later)


def test_fragments_are_full_but_for_the_last() -> None:
    _, messages = recorded("ecdsa-aes256gcm16-ecp384-mlkem1024-fragmented")
    sizes = [octets for _, exchange, _, octets in messages if exchange == INTERMEDIATE][:4]
    assert sizes == [544, 544, 544, 188]
    assert largest_message_bytes(Requirements(link_mtu_bytes=576)) == 544


def test_ike_sa_init_is_no_longer_than_said() -> None:
    for path in sorted(TRANSCRIPTS.glob("*.json")):
        proposal, messages = recorded(path.stem)
        sizes = [octets for _, exchange, _, octets in messages if exchange == SA_INIT]
        bounds = init_messages(parameters(proposal), Requirements())
        for octets, bound in zip(sizes, bounds, strict=True):
            assert octets <= bound.udp_payload_bytes <= octets + 150, path.stem
            assert not bound.ip_fragmented, path.stem
            assert octets >= bound.udp_payload_bytes - INIT_WITHOUT_KEY_BYTES + INIT_WITHOUT_KEY_LEAST_BYTES, path.stem


def test_a_key_encapsulation_may_be_too_large_for_the_first_message() -> None:
    given = parameters("aes256gcm16-prfsha384-mlkem1024")
    assert [message.ip_fragmented for message in init_messages(given, Requirements())] == [True, True]
    small = parameters("aes256gcm16-prfsha384-mlkem768")
    assert not any(message.ip_fragmented for message in init_messages(small, Requirements()))
    assert all(message.ip_fragmented for message in init_messages(small, Requirements(link_mtu_bytes=1280)))
    assert not any(
        message.ip_fragmented for message in init_messages(parameters("aes128-sha256-x25519"), Requirements())
    )


def test_what_fits_is_not_cut() -> None:
    given = parameters("aes128gcm16-prfsha256-x25519")
    assert fragments(100, given, 157) == 1
    # Header 28, payload header 4, IV 8, one octet of padding length, ICV 16.
    assert fragments(101, given, 157) == 2
