"""Rows for what becomes of SAs, for negotiation, paths and refusals."""

from __future__ import annotations

from collections.abc import Iterator

from tests.interop.rows import AGGRESSIVE, ESP1, ESP2, IKE1, IKE2, Fields, rows
from tests.interop.scenario import INITIATOR, RESPONDER, Scenario


def life() -> Iterator[Scenario]:
    """Rekeying, deleting, liveness, further Child SAs; perfect forward secrecy on and off."""
    for version, group in ((2, "ecp256"), (1, "modp1024")):
        esp = ESP1 if version == 1 else ESP2
        for who in ("us", "peer"):
            yield from rows(
                "Rekeying", version, [f"Child SA by {who}, without PFS"], actions=(f"rekey child by {who}",)
            )
            yield from rows(
                "Rekeying",
                version,
                [f"Child SA by {who}, with PFS"],
                esp=f"{esp}-{group}",
                actions=(f"rekey child by {who}",),
            )
            yield from rows("Rekeying", version, [f"IKE SA by {who}"], actions=(f"rekey IKE by {who}",))
            yield from rows("Deleting", version, [f"Child SA by {who}"], actions=(f"delete child by {who}",))
            yield from rows("Deleting", version, [f"IKE SA by {who}"], actions=(f"delete IKE by {who}",))
            yield from rows("Further Child SAs", version, [f"by {who}"], actions=(f"second child by {who}",))
        yield from rows("Liveness", version, ["by us"], actions=("liveness by us",))
        yield from rows("Liveness", version, ["by peer"], theirs={"dpd_delay": "1s"}, actions=("liveness by peer",))
        yield from rows(
            *("Rekeying", version, ["everything, twice, by both"]),
            actions=(
                "rekey child by us",
                "rekey IKE by peer",
                "rekey child by peer",
                "rekey IKE by us",
                "rekey child by us",
            ),
        )
        groups = ("modp2048", "ecp384", "x25519") if version == 2 else ("modp2048", "ecp256")
        for name in groups:
            yield from rows(
                "Perfect forward secrecy",
                version,
                [name],
                esp=f"{esp}-{name}",
                actions=("rekey child by us", "rekey child by peer"),
            )
    yield from rows("Rekeying", 2, ["Child SA by both at once"], actions=("rekey child by both",))
    yield from rows("Rekeying", 2, ["IKE SA by both at once"], actions=("rekey IKE by both",))
    timed: Fields = {"actions": ("rekeyed when its time has come",)}
    for version in (2, 1):
        yield from rows("Rekeying", version, ["by our clock"], our_child={"lifetime": 2.5}, **timed)
        # In IKEv1 strongSwan leaves it to the end that initiated.
        roles = (RESPONDER,) if version == 1 else (INITIATOR, RESPONDER)
        yield from rows("Rekeying", version, ["by the peer's clock"], roles, their_child={"rekey_time": "2s"}, **timed)


def negotiation() -> Iterator[Scenario]:
    """Choice among proposals, groups guessed wrong, narrowing, transport mode."""
    area = "Negotiation"
    yield from rows(
        *(area, 2, ["wrong group first"], (INITIATOR,)),
        ike="aes128-sha256-modp2048-ecp256",
        peer_ike="aes128-sha256-ecp256",
        agreed_ike="aes128-sha256-ecp256",
    )
    yield from rows(
        *(area, 2, ["wrong group first"], (RESPONDER,)),
        ike="aes128-sha256-ecp256",
        peer_ike="aes128-sha256-modp2048-ecp256",
        agreed_ike="aes128-sha256-ecp256",
    )
    yield from rows(
        *(area, 2, ["wrong group first in a Child SA's rekey"]),
        esp="aes128gcm16-modp2048-ecp256",
        peer_esp="aes128gcm16-ecp256",
        agreed_esp="aes128gcm16-ecp256",
        actions=("rekey child by us", "rekey child by peer"),
    )
    for version, group in ((2, "x25519"), (1, "modp2048")):
        yield from rows(
            *(area, version, ["second of two proposals"]),
            ike=f"aes256-sha512-{group},aes128-sha256-{group}",
            peer_ike=f"aes128-sha256-{group}",
            agreed_ike=f"aes128-sha256-{group}",
            esp="aes256-sha512,aes128-sha256",
            peer_esp="aes128-sha256",
            agreed_esp="aes128-sha256",
        )
    yield from rows(
        *(area, 2, ["one of many transforms in a proposal"]),
        ike="aes256-camellia256-aes128-sha512-sha256-x25519-ecp256",
        peer_ike="aes128-sha256-x25519",
        agreed_ike="aes128-sha256-x25519",
        esp="aes256gcm16-aes128gcm16-chacha20poly1305",
        peer_esp="chacha20poly1305",
        agreed_esp="chacha20poly1305",
    )
    area = "Traffic selectors"
    wide: Fields = {"local_ts": ("10.1.0.0/16",), "remote_ts": ("10.2.0.0/16",)}
    yield from rows(
        *(area, 2, ["peer narrows"], (INITIATOR,)),
        **wide,
        peer_local_ts=("10.2.0.0/24",),
        peer_remote_ts=("10.1.0.0/24",),
        agreed_ts=("10.1.0.0/24", "10.2.0.0/24"),
    )
    yield from rows(
        *(area, 2, ["we narrow"], (RESPONDER,)),
        local_ts=("10.1.0.0/24",),
        remote_ts=("10.2.0.0/24",),
        peer_local_ts=("10.2.0.0/16",),
        peer_remote_ts=("10.1.0.0/16",),
        agreed_ts=("10.1.0.0/24", "10.2.0.0/24"),
    )
    yield from rows(
        area, 2, ["several subnets"], local_ts=("10.1.0.0/24", "10.1.7.0/24"), remote_ts=("10.2.0.0/24", "10.2.7.0/24")
    )
    yield from rows(
        *(area, 2, ["narrowed to UDP port 5000"]),
        **wide,
        peer_local_ts=("10.2.0.1/32[udp/5000]",),
        peer_remote_ts=("10.1.0.1/32[udp/5000]",),
        agreed_ts=("10.1.0.1/32[udp/5000]", "10.2.0.1/32[udp/5000]"),
    )
    yield from rows(
        area, 1, ["proxy IDs, UDP port 5000"], local_ts=("10.1.0.1/32[udp/5000]",), remote_ts=("10.2.0.1/32[udp/5000]",)
    )
    yield from rows(area, 1, ["proxy IDs, subnets"], **wide)
    for version in (2, 1):
        yield from rows(area, version, ["IPv6 in IPv4"], local_ts=("2001:db8:1::/64",), remote_ts=("2001:db8:2::/64",))
        yield from rows("IPv6", version, ["IPv4 in IPv6"], topology="ipv6")
        yield from rows(
            "IPv6",
            version,
            ["IPv6 in IPv6"],
            topology="ipv6",
            local_ts=("2001:db8:1::/64",),
            remote_ts=("2001:db8:2::/64",),
        )
    yield from rows(
        area,
        2,
        ["IPv4 and IPv6 in one"],
        local_ts=("10.1.0.0/16", "2001:db8:1::/64"),
        remote_ts=("10.2.0.0/16", "2001:db8:2::/64"),
    )


def kernel() -> Iterator[Scenario]:
    """What strongSwan does with a kernel's ESP only: transport mode, extended sequence numbers, no NAT at all."""
    hosts: Fields = {"local_ts": ("192.0.2.1/32",), "remote_ts": ("192.0.2.2/32",), "kernel": True}
    transport: Fields = {"our_child": {"mode": "transport"}, "their_child": {"mode": "transport"}}
    for version in (2, 1):
        by_us, by_peer = ("rekey child by us",), ("rekey child by peer",)
        area = "Transport mode"
        yield from rows(area, version, ["between the hosts"], **hosts, **transport, actions=by_us)
        selectors: Fields = {"local_ts": ("192.0.2.1/32[udp]",), "remote_ts": ("192.0.2.2/32[udp]",)}
        yield from rows(area, version, ["for UDP alone"], **(hosts | selectors), **transport, actions=by_peer)
        area = "Protocol 50, without a NAT"
        yield from rows(area, version, ["tunnel mode on port 500"], kernel=True, actions=("rekey IKE by us", *by_peer))
    yield from rows(
        *("Transport mode", 2, ["asked for by us, tunnel mode by the peer"], (INITIATOR,)),
        **hosts,
        our_child={"mode": "transport"},
        outcome="the mode is not acceptable",
    )
    area = "Extended sequence numbers"
    for esp in ("aes128-sha256-esn", "aes256gcm16-esn"):
        yield from rows(area, 2, [esp.removesuffix("-esn")], esp=esp, kernel=True)
    yield from rows(
        area,
        2,
        ["offered and not wanted"],
        esp="aes128-sha256-esn-noesn",
        peer_esp="aes128-sha256-noesn",
        agreed_esp="aes128-sha256",
        kernel=True,
    )


def paths() -> Iterator[Scenario]:
    """A real NAT, fragmentation, cookies, childless IKE SAs."""
    for version in (2, 1):
        yield from rows(
            *("NAT traversal", version, ["behind a real NAT"], (INITIATOR,)),
            topology="nat",
            actions=("rekey child by peer", "rekey child by us", "rekey IKE by us", "delete IKE by us"),
        )
        yield from rows(
            "NAT traversal",
            version,
            ["rekeyed by the peer through the NAT"],
            (INITIATOR,),
            topology="nat",
            actions=("rekey IKE by peer",),
        )
        yield from rows("NAT traversal", version, ["with certificates"], (INITIATOR,), topology="nat", auth="ecdsa-256")
        behind: Fields = {"topology": "peer nat"}
        acts = ("rekey child by peer", "rekey child by us", "rekey IKE by us", "delete IKE by us")
        yield from rows("NAT traversal", version, ["the peer behind a real NAT"], (RESPONDER,), **behind, actions=acts)
    yield from rows(
        *("NAT traversal", 2, ["our NAT changes"], (INITIATOR,)),
        topology="nat",
        actions=("the nat changes", "rekey child by peer"),
    )
    yield from rows(
        *("NAT traversal", 2, ["the peer's NAT changes"], (RESPONDER,)), **behind, actions=("the nat changes",)
    )
    small: Fields = {
        "ours": {"fragment_bytes": 576},
        "theirs": {"fragmentation": "yes"},
        "daemon": {"fragment_size": 576},
    }
    area = "Fragmentation"
    yield from rows(
        area,
        2,
        ["RSA-4096 certificates in fragments"],
        auth="rsa-4096",
        **small,
        actions=("fragments were used", "rekey IKE by us"),
    )
    yield from rows(
        area,
        2,
        ["combined mode in fragments"],
        auth="rsa-2048",
        ike="aes256gcm16-prfsha384-x25519",
        **small,
        actions=("fragments were used",),
    )
    yield from rows(
        area,
        2,
        ["switched off by us"],
        auth="rsa-2048",
        ours={"fragmentation": False},
        actions=("no fragments were used",),
    )
    yield from rows(
        area,
        2,
        ["switched off by the peer"],
        auth="rsa-2048",
        theirs={"fragmentation": "no"},
        actions=("no fragments were used",),
    )
    area = "Cookies"
    yield from rows(
        area, 2, ["asked for by us"], (RESPONDER,), our_endpoint={"cookie_threshold": 0}, actions=("a cookie was used",)
    )
    yield from rows(
        area,
        2,
        ["asked for by the peer"],
        (INITIATOR,),
        daemon={"cookie_threshold": 1, "cookie_threshold_ip": 1},
        theirs={"half-open": True},
        actions=("a cookie was used",),
    )
    area = "Childless IKE SAs"
    yield from rows(
        area,
        2,
        ["forced by both"],
        ours={"childless": "force"},
        theirs={"childless": "force"},
        actions=("first child by us",),
    )
    yield from rows(
        area,
        2,
        ["the peer makes the Child SA"],
        ours={"childless": "force"},
        theirs={"childless": "force"},
        actions=("first child by peer",),
    )
    for version in (2, 1):
        yield from rows(
            "Restart", version, ["we begin anew: INITIAL_CONTACT replaces"], (INITIATOR,), actions=("we begin anew",)
        )
        yield from rows(
            "Restart",
            version,
            ["the peer begins anew: INITIAL_CONTACT replaces"],
            (RESPONDER,),
            actions=("the peer begins anew",),
        )


def refusals() -> Iterator[Scenario]:
    """What must not come about, and how it is said."""
    for version in (2, 1):
        group = (IKE1 if version == 1 else IKE2).rsplit("-", 1)[1]
        area = "Refusals"
        yield from rows(
            area,
            version,
            ["no common IKE proposal"],
            peer_ike=f"aes256-sha512-{group}",
            outcome="no common IKE proposal",
        )
        yield from rows(
            area, version, ["no common ESP proposal"], peer_esp="aes256-sha512", outcome="no common ESP proposal"
        )
        yield from rows(area, version, ["wrong pre-shared key"], wrong="secret", outcome="wrong secret")
        yield from rows(
            area,
            version,
            ["selectors that exclude each other"],
            peer_local_ts=("10.9.0.0/16",),
            peer_remote_ts=("10.8.0.0/16",),
            outcome="no common selectors",
        )
        for wrong in (
            "our certificate is of a stranger",
            "our certificate has expired",
            "our identity is not in our certificate",
        ):
            yield from rows(area, version, [wrong], auth="ecdsa-256", wrong=wrong, outcome="we are not accepted")
        for wrong in (
            "their certificate is of a stranger",
            "their certificate has expired",
            "their identity is another",
        ):
            yield from rows(area, version, [wrong], auth="ecdsa-256", wrong=wrong, outcome="they are not accepted")
        yield from rows(
            area,
            version,
            ["our identity is not the one they expect"],
            identities=("somebody.example", "peer.example"),
            wrong="they expect us.example",
            outcome="we are not accepted",
        )
    yield from rows(
        "Refusals",
        1,
        ["wrong pre-shared key, aggressive mode"],
        **AGGRESSIVE,
        wrong="secret",
        outcome="wrong secret aggressive",
    )
    yield from rows(
        "Refusals", 2, ["post-quantum pre-shared key required by us"], ours={"ppk": "required"}, outcome="no ppk"
    )
