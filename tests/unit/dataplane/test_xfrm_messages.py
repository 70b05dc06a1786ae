"""XFRM messages: against iproute2's octets, and against damage."""

from __future__ import annotations

import os
import platform
import random
import shutil
import struct

import pytest

from ipsecbench.algorithms.suites import esp_suites, parse_esp_suite
from ipsecbench.dataplane import xfrm_messages as xfrm
from ipsecbench.dataplane.kernel import kernel_sa
from ipsecbench.dataplane.xfrm_algorithms import kernel_algorithms, kernel_names
from ipsecbench.dataplane.xfrm_messages import KernelPolicy, KernelSelector, Message, PolicyDirection, Template
from ipsecbench.errors import DataPlaneError, MalformedError
from ipsecbench.esp.configuration import (
    Direction,
    DontFragment,
    Layering,
    SaConfiguration,
    SaLimits,
    SelectorPair,
    UdpEncapsulation,
)
from ipsecbench.esp.mode import Mode
from ipsecbench.esp.traffic_selector import parse_traffic_selector
from ipsecbench.secret import Secret
from tests.unit.dataplane import xfrm_oracle

on_x86 = pytest.mark.skipif(platform.machine() != "x86_64", reason="the octets are those of x86-64")
KEY = bytes(range(1, 65))
INBOUND, OUTBOUND = Direction.INBOUND, Direction.OUTBOUND


def sa(suite: str = "aes128gcm16", **changes: object) -> SaConfiguration:
    chosen = parse_esp_suite(suite)
    fields: dict[str, object] = {
        "direction": OUTBOUND,
        "spi": 0x101,
        "reqid": 1,
        "suite": chosen,
        "encryption_key": Secret(KEY[: chosen.encryption.keymat_bytes]),
        "integrity_key": None if chosen.integrity is None else Secret(KEY[: chosen.integrity.key_bytes]),
        "mode": Mode.TUNNEL,
        "source": "192.0.2.1",
        "destination": "192.0.2.2",
        "replay_window_packets": 0,
        **changes,
    }
    return SaConfiguration(**fields)  # type: ignore[arg-type]


def prefix(text: str) -> tuple[int, int]:
    selector = parse_traffic_selector(text)
    width = 32 if selector.version == 4 else 128
    return selector.start, width - (selector.start ^ selector.end).bit_length()


def policy(
    direction: PolicyDirection,
    source: str,
    destination: str,
    priority: int,
    template: Template | None = None,
    action: int = xfrm.ALLOW,
    **ports: int,
) -> KernelPolicy:
    version = 6 if ":" in source else 4
    selector = KernelSelector(version, *prefix(source), *prefix(destination), **ports)
    return KernelPolicy(direction, selector, action, priority, template)


TELNET = SelectorPair(parse_traffic_selector("192.0.2.1/32[tcp]"), parse_traffic_selector("192.0.2.2/32[tcp/23]"))
OUT = policy(
    PolicyDirection.OUTBOUND,
    "10.1.0.0/16",
    "10.2.0.0/16",
    1000,
    Template("tunnel", "192.0.2.1", "192.0.2.2", 1),
)
OURS: dict[str, tuple[Message, bytes]] = {
    what: (kind, bytes(body))
    for what, kind, body in (
        ("combined mode, tunnel", Message.NEW_SA, xfrm.new_sa(kernel_sa(sa()))),
        (
            "two transforms, transport, selector",
            Message.NEW_SA,
            xfrm.new_sa(
                kernel_sa(
                    sa(
                        "aes128-sha256",
                        direction=INBOUND,
                        reqid=7,
                        mode=Mode.TRANSPORT,
                        replay_window_packets=32,
                        selectors=(TELNET,),
                    )
                )
            ),
        ),
        ("NULL", Message.NEW_SA, xfrm.new_sa(kernel_sa(sa("null-sha1")))),
        (
            "IPv6",
            Message.NEW_SA,
            xfrm.new_sa(
                kernel_sa(sa(source="2001:db8::1", destination="2001:db8::2", spi=0xFFFFFFFE, reqid=0xFFFFFFFF))
            ),
        ),
        (
            "ESN with a wide window",
            Message.NEW_SA,
            xfrm.new_sa(kernel_sa(sa(direction=INBOUND, esn=True, replay_window_packets=4096))),
        ),
        (
            "wide window without ESN",
            Message.NEW_SA,
            xfrm.new_sa(kernel_sa(sa(direction=INBOUND, replay_window_packets=100))),
        ),
        ("in UDP", Message.NEW_SA, xfrm.new_sa(kernel_sa(sa(encapsulation=UdpEncapsulation(4500, 61234))))),
        (
            "DF cleared, DSCP inside, lives",
            Message.NEW_SA,
            xfrm.new_sa(
                kernel_sa(
                    sa(
                        dont_fragment=DontFragment.CLEAR,
                        copy_dscp=False,
                        limits=SaLimits(1000, 2000, 3, 4, 49.2, 60.0),
                    )
                )
            ),
        ),
        ("new ports", Message.UPDATE_SA, xfrm.new_sa(kernel_sa(sa(encapsulation=UdpEncapsulation(4500, 61235))))),
        ("forget an SA", Message.DELETE_SA, xfrm.sa_id("192.0.2.2", 0x101)),
        ("ask about an SA", Message.GET_SA, xfrm.sa_id("192.0.2.2", 0x101)),
        ("PROTECT, outbound, tunnel", Message.NEW_POLICY, xfrm.new_policy(OUT)),
        (
            "PROTECT, inbound, transport, ports",
            Message.NEW_POLICY,
            xfrm.new_policy(
                policy(
                    PolicyDirection.INBOUND,
                    "192.0.2.2/32",
                    "192.0.2.1/32",
                    5,
                    Template("transport", "192.0.2.2", "192.0.2.1", 9),
                    protocol=6,
                    source_port=23,
                    source_port_mask=0xFFFF,
                )
            ),
        ),
        (
            "PROTECT, forwarded, IPv6",
            Message.NEW_POLICY,
            xfrm.new_policy(
                policy(
                    PolicyDirection.FORWARDED,
                    "2001:db8:2::/64",
                    "2001:db8:1::/48",
                    1000,
                    Template("tunnel", "2001:db8::2", "2001:db8::1", 1),
                )
            ),
        ),
        (
            "BYPASS",
            Message.NEW_POLICY,
            xfrm.new_policy(policy(PolicyDirection.OUTBOUND, "10.9.0.0/16", "10.2.0.0/16", 1)),
        ),
        (
            "DISCARD",
            Message.NEW_POLICY,
            xfrm.new_policy(policy(PolicyDirection.INBOUND, "0.0.0.0/0", "0.0.0.0/0", 4000, action=xfrm.BLOCK)),
        ),
        (
            "another template",
            Message.UPDATE_POLICY,
            xfrm.new_policy(
                policy(
                    PolicyDirection.OUTBOUND,
                    "10.1.0.0/16",
                    "10.2.0.0/16",
                    1000,
                    Template("tunnel", "192.0.2.1", "192.0.2.9", 1),
                )
            ),
        ),
        ("forget a policy", Message.DELETE_POLICY, xfrm.policy_id(OUT)),
    )
}
SOURCE_ADDRESS = 13
FIXED_BYTES = {
    Message.NEW_SA: 224,
    Message.UPDATE_SA: 224,
    Message.DELETE_SA: 24,
    Message.GET_SA: 24,
    Message.NEW_POLICY: 168,
    Message.UPDATE_POLICY: 168,
    Message.DELETE_POLICY: 64,
}


def parts(kind: int, body: bytes) -> tuple[str, dict[int, str]]:
    """The fixed part and the attributes, whose order means nothing."""
    fixed = FIXED_BYTES[Message(kind)]
    return body[:fixed].hex(), {number: content.hex() for number, content in xfrm.parse_attributes(body[fixed:])}


@on_x86
@pytest.mark.parametrize("what", xfrm_oracle.CASES)
def test_the_octets_are_those_of_iproute2(what: str) -> None:
    their_kind, theirs = xfrm_oracle.stored()[what]
    our_kind, ours = OURS[what]
    assert our_kind == their_kind
    our_fixed, our_attributes = parts(our_kind, ours)
    their_fixed, their_attributes = parts(their_kind, theirs)
    # It also says the source where the destination and the SPI say it all.
    if our_kind in (Message.DELETE_SA, Message.GET_SA):
        del their_attributes[SOURCE_ADDRESS]
    # It leaves the empty bitmap of the window out.
    window = our_attributes.get(xfrm.Attribute.REPLAY_ESN)
    if window is not None:
        assert len(window) // 2 == 24 + 4 * int.from_bytes(bytes.fromhex(window)[:4], "little")
        their_attributes[xfrm.Attribute.REPLAY_ESN] = their_attributes[xfrm.Attribute.REPLAY_ESN].ljust(
            len(window), "0"
        )
    assert (our_fixed, our_attributes) == (their_fixed, their_attributes)


@on_x86
@pytest.mark.root
def test_iproute2_here_sends_what_is_stored() -> None:
    if os.geteuid() != 0 or shutil.which("strace") is None or shutil.which("ip") is None:
        pytest.skip("needs root, strace and iproute2")
    assert xfrm_oracle.recorded() == xfrm_oracle.stored()


def test_every_suite_has_names_and_a_key_layout() -> None:
    for suite in esp_suites().values():
        made = kernel_sa(sa(suite.name)).algorithms
        assert tuple(name for _, name, _, _ in reversed(made.parts)) == kernel_names(suite)
        combined = suite.integrity is None
        icvs = [icv for _, _, icv, _ in made.parts if icv is not None]
        assert icvs == [8 * suite.icv_bytes]
        assert len(made.parts) == (1 if combined else 2)
        assert KEY[:16].hex() not in repr(made)


@pytest.mark.parametrize(
    ("suite", "names"),
    [
        ("aes256gcm16", ("rfc4106(gcm(aes))",)),
        ("aes128ccm8", ("rfc4309(ccm(aes))",)),
        ("aes192gmac", ("rfc4543(gcm(aes))",)),
        ("chacha20poly1305", ("rfc7539esp(chacha20,poly1305)",)),
        ("aes128ctr-sha1", ("rfc3686(ctr(aes))", "hmac(sha1)")),
        ("3des-md5", ("cbc(des3_ede)", "hmac(md5)")),
        ("des-sha1", ("cbc(des)", "hmac(sha1)")),
        ("cast128-aesxcbc", ("cbc(cast5)", "xcbc(aes)")),
        ("blowfish256-aescmac", ("cbc(blowfish)", "cmac(aes)")),
        ("camellia192-sha384", ("cbc(camellia)", "hmac(sha384)")),
        ("serpent128-sha512", ("cbc(serpent)", "hmac(sha512)")),
        ("twofish192-sha256", ("cbc(twofish)", "hmac(sha256)")),
    ],
)
def test_the_kernels_names(suite: str, names: tuple[str, ...]) -> None:
    assert kernel_names(parse_esp_suite(suite)) == names


def test_keys_of_wrong_length_are_refused() -> None:
    gcm, cbc = parse_esp_suite("aes128gcm16"), parse_esp_suite("aes128-sha1")
    with pytest.raises(DataPlaneError, match="20 octets"):
        kernel_algorithms(gcm, Secret(KEY[:16]), None)
    with pytest.raises(DataPlaneError, match="takes no key for integrity"):
        kernel_algorithms(gcm, Secret(KEY[:20]), Secret(KEY[:20]))
    with pytest.raises(DataPlaneError, match="is missing"):
        kernel_algorithms(cbc, Secret(KEY[:16]), None)
    with pytest.raises(DataPlaneError, match="20 octets"):
        kernel_algorithms(cbc, Secret(KEY[:16]), Secret(KEY[:32]))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"direction": INBOUND, "replay_window_packets": 4097}, "at most 4096"),
        ({"direction": INBOUND, "esn": True}, "without an anti-replay window"),
        ({"layering": Layering.GRE, "mode": Mode.TRANSPORT}, "GRE device"),
        ({"dont_fragment": DontFragment.SET}, "cannot always set it"),
    ],
)
def test_what_the_kernel_cannot_do_is_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(DataPlaneError, match=words):
        kernel_sa(sa("aes128gcm16", **changes))


def test_ip_in_ip_over_transport_mode_is_tunnel_mode_of_the_kernel() -> None:
    assert kernel_sa(sa(mode=Mode.TRANSPORT, layering=Layering.IPIP)).mode == "tunnel"


def test_an_sa_that_is_read_back_is_the_one_that_was_sent() -> None:
    resumption = xfrm.Resumption(struct.pack("@4Q", 5000, 10, 1_700_000_000, 1_700_000_001), b"")
    body = bytes(xfrm.new_sa(kernel_sa(sa(spi=0xABCDEF01))))
    record = xfrm.parse_sa(
        body
        + xfrm.attribute(xfrm.Attribute.LAST_USED, struct.pack("@Q", 1_700_000_009))
        + xfrm.attribute(xfrm.Attribute.REPLAY_ESN, struct.pack("@6I", 1, 7, 3, 2, 0, 32) + bytes(4))
    )
    assert (record.source, record.destination, record.spi, record.reqid) == ("192.0.2.1", "192.0.2.2", 0xABCDEF01, 1)
    assert (record.used_at, record.sequence) == (1_700_000_009, (2 << 32) + 7)
    assert record.resumption.lifetime == bytes(32)
    assert len(resumption.lifetime) == len(record.resumption.lifetime)
    assert KEY[:16] not in record.resumption.replay


def test_a_moved_sa_leaves_numbers_out() -> None:
    short = xfrm.Resumption(b"", struct.pack("@III", 10, 20, 0xFF))
    assert xfrm.with_later_sequence(short, 1024).replay == struct.pack("@III", 1034, 20, 0xFF)
    end = xfrm.Resumption(b"", struct.pack("@III", 0xFFFFFFF0, 20, 0xFF))
    assert xfrm.with_later_sequence(end, 1024).replay == struct.pack("@III", 0xFFFFFFFF, 20, 0xFF)
    extended = xfrm.Resumption(b"", struct.pack("@7I", 1, 0xFFFFFFF0, 3, 1, 0, 32, 0xAA))
    assert xfrm.with_later_sequence(extended, 1024).replay == struct.pack("@7I", 1, 0x3F0, 3, 2, 0, 32, 0xAA)
    nothing = xfrm.Resumption(b"", b"")
    assert xfrm.with_later_sequence(nothing, 1024) == nothing


def test_events_are_understood() -> None:
    body = bytes(xfrm.new_sa(kernel_sa(sa())))[:224]
    for hard in (False, True):
        expiry = xfrm.parse_expiry(body + bytes([hard]) + bytes(7))
        assert (expiry.hard, expiry.record.spi, expiry.record.destination) == (hard, 0x101, "192.0.2.2")
    mapping = (
        xfrm.sa_id("192.0.2.1", 0x202)
        + struct.pack("@I", 9)
        + xfrm.address_octets("192.0.2.2")
        + xfrm.address_octets("198.51.100.7")
        + (4500).to_bytes(2)
        + (61234).to_bytes(2)
    )
    change = xfrm.parse_mapping(mapping)
    assert change == xfrm.AddressChange("192.0.2.1", 0x202, "198.51.100.7", 61234)


def test_the_kernels_words_are_found() -> None:
    words = xfrm.attribute(1, b"Requested type not found.\0")
    asked = struct.pack("@IHHII", 16, 0x10, 5, 1, 0)
    capped = xfrm.NetlinkMessage(2, 0x300, 1, struct.pack("@i", -93) + asked + words)
    assert xfrm.parse_error(capped) == (93, "Requested type not found.")
    whole = struct.pack("@IHHII", 24, 0x10, 5, 1, 0) + bytes(8)
    assert xfrm.parse_error(xfrm.NetlinkMessage(2, 0x200, 1, struct.pack("@i", -93) + whole + words)) == (
        93,
        "Requested type not found.",
    )
    assert xfrm.parse_error(xfrm.NetlinkMessage(2, 0, 1, struct.pack("@i", 0) + asked)) == (0, "")


def test_damaged_messages_are_malformed_and_nothing_else() -> None:
    choice = random.Random(4303)
    bodies = [bytes(body) for _, body in OURS.values()] + [bytes(224), bytes(232), bytes(64), b""]
    for _ in range(4000):
        octets = bytearray(choice.choice(bodies))
        for _ in range(choice.randrange(4)):
            if octets:
                octets[choice.randrange(len(octets))] = choice.randrange(256)
        damaged = bytes(octets[: choice.randrange(len(octets) + 1)])
        error = xfrm.NetlinkMessage(2, choice.randrange(0x400), 1, damaged)
        for parse in (
            lambda data: list(xfrm.parse_attributes(data)),
            xfrm.parse_frames,
            xfrm.parse_sa,
            xfrm.parse_expiry,
            xfrm.parse_mapping,
            lambda _, error=error: xfrm.parse_error(error),
        ):
            try:
                parse(damaged)
            except MalformedError:
                continue


def test_lengths_that_lie_are_malformed() -> None:
    header = struct.pack("@IHHII", 16, 2, 0, 1, 0)
    assert xfrm.parse_frames(header * 3) == [xfrm.NetlinkMessage(2, 0, 1, b"")] * 3
    for length in (0, 15, 17, 0xFFFFFFFF):
        with pytest.raises(MalformedError):
            xfrm.parse_frames(struct.pack("@IHHII", length, 2, 0, 1, 0))
    for length in (0, 3, 5, 0xFFFF):
        with pytest.raises(MalformedError):
            list(xfrm.parse_attributes(struct.pack("@HH", length, 1)))
