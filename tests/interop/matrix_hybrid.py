"""Rows with several key exchanges and ML-KEM, which strongSwan has from version 6 on (RFC 9370, RFC 9242).

The version that the test run has cannot do them; :mod:`tests.interop.strongswan6` runs them with one that can.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.interop.matrix_algorithms import SIGNATURES
from tests.interop.rows import Fields, rows
from tests.interop.scenario import INITIATOR, RESPONDER, Scenario

SEVEN = "x25519-ke1_mlkem512-ke2_ecp256-ke3_ecp384-ke4_ecp521-ke5_modp2048-ke6_x448-ke7_mlkem1024"
PLAIN, HYBRID = "aes128-sha256-x25519", "aes128-sha256-x25519-ke1_mlkem768"
BOTH: Fields = {"ike": HYBRID, "esp": "aes128gcm16-x25519-ke1_mlkem768"}
IKE_BY_BOTH = ("rekey IKE by us", "rekey IKE by peer")
CHILD_BY_BOTH = ("rekey child by us", "rekey child by peer")
EVERYTHING = (*CHILD_BY_BOTH, "rekey IKE by us", "rekey child by us", "rekey IKE by peer", "rekey child by peer")


def key_exchanges() -> Iterator[Scenario]:
    """Of the IKE SA and of Child SAs, alone and together, beside every kind of other transform."""
    methods = (
        *(f"x25519-ke1_mlkem{size}" for size in (512, 768, 1024)),
        *(f"{name}-ke1_mlkem768" for name in ("ecp256", "modp2048", "x448")),
        *("x25519-ke1_mlkem512-ke2_mlkem768", "x25519-ke1_mlkem512-ke2_mlkem768-ke3_mlkem1024"),
        *("x25519-ke3_mlkem768", "x25519-ke2_mlkem768-ke7_ecp384", SEVEN),
        *("modp2048-ke1_ecp256", "ecp256-ke1_x25519", "mlkem768-ke1_x25519"),
        *(f"mlkem{size}" for size in (512, 768, 1024)),
    )
    yield from rows("Key exchange methods, hybrid", 2, methods, ike="aes128-sha256-{}", actions=IKE_BY_BOTH)
    others = (
        *("aes256gcm16-prfsha384", "aes256ctr-sha512", "chacha20poly1305-prfsha256", "aes128ccm8-prfsha256"),
        *("3des-sha1", "aes128-md5", "aes128-aesxcbc", "aes128-aescmac-prfaescmac"),
    )
    yield from rows("Other transforms, hybrid", 2, others, ike="{}-x25519-ke1_mlkem768", actions=IKE_BY_BOTH)
    of_child = (
        *("x25519-ke1_mlkem768", "ecp384-ke1_mlkem1024", "x25519-ke1_mlkem512-ke2_mlkem768"),
        *("x25519-ke3_mlkem768", "mlkem768", "mlkem768-ke1_x25519", SEVEN),
    )
    area = "Child SAs, hybrid"
    yield from rows(area, 2, of_child, ike=HYBRID, esp="aes128gcm16-{}", actions=EVERYTHING)
    yield from rows("Child SAs, hybrid alone", 2, of_child, esp="aes128-sha256-{}", actions=CHILD_BY_BOTH)
    for who in ("us", "peer"):
        yield from rows(area, 2, [f"further Child SA by {who}"], **BOTH, actions=(f"second child by {who}",))
        for what in ("child", "IKE"):
            actions = ("rekey IKE by us", "rekey child by peer", f"delete {what} by {who}")
            yield from rows("Deleting, hybrid", 2, [f"{what} by {who}"], **BOTH, actions=actions)


def authentication() -> Iterator[Scenario]:
    """What IKE_INTERMEDIATE adds to AUTH, with every kind of signature; post-quantum pre-shared keys."""
    area = "Authentication, hybrid"
    for kind, scheme, word in SIGNATURES:
        yield from rows(area, 2, [f"{kind} with {scheme}"], auth=kind, schemes=(scheme,), peer_auth=word, **BOTH)
    old: Fields = {"daemon": {"signature_authentication": False}, "ours": {"allow_sha1": True}}
    for kind in ("rsa-2048", "ecdsa-256"):
        yield from rows(area, 2, [f"{kind} without RFC 7427"], auth=kind, **old, **BOTH)
    theirs: dict[str, Fields] = {
        "required": {"ppk_id": "ppk.example", "ppk_required": True},
        "optional": {"ppk_id": "ppk.example", "ppk_required": False},
        "unknown": {},
    }
    for ours in ("required", "optional", "unknown"):
        for peers, options in theirs.items():
            fields: Fields = {"ours": {} if ours == "unknown" else {"ppk": ours}, "theirs": options}
            if {ours, peers} == {"required", "unknown"}:
                fields["outcome"] = "no ppk"
            else:
                fields["actions"] = ("rekey IKE by us",)
            for auth in ("psk", "ecdsa-256"):
                title = f"{auth}: {ours} for us, {peers} for the peer"
                yield from rows("Post-quantum pre-shared keys", 2, [title], auth=auth, **fields)
                yield from rows("Post-quantum pre-shared keys, hybrid", 2, [title], auth=auth, **fields, **BOTH)


def paths() -> Iterator[Scenario]:
    """Fragments, a NAT, IPv6, cookies, childless IKE SAs, restarts."""
    small: Fields = {"ours": {"fragment_bytes": 576}, "daemon": {"fragment_size": 576}}
    used, area = ("fragments were used", *EVERYTHING), "Fragmentation, hybrid"
    yield from rows(area, 2, ["RSA-4096"], auth="rsa-4096", **small, **BOTH, actions=used)
    wide: Fields = {"ike": "aes256gcm16-prfsha384-ecp384-ke1_mlkem1024", "esp": "aes256gcm16-ecp384-ke1_mlkem1024"}
    yield from rows(area, 2, ["ML-KEM-1024"], auth="ecdsa-384", **small, **wide, actions=used)
    without: Fields = {**BOTH, "actions": ("no fragments were used", *EVERYTHING)}
    yield from rows(area, 2, ["switched off by us"], ours={"fragmentation": False}, **without)
    yield from rows(area, 2, ["switched off by the peer"], theirs={"fragmentation": "no"}, **without)
    area = "Paths and begins, hybrid"
    yield from rows(area, 2, ["behind a real NAT"], (INITIATOR,), topology="nat", **BOTH, actions=EVERYTHING)
    yield from rows(area, 2, ["IPv4 in IPv6"], topology="ipv6", **BOTH, actions=EVERYTHING)
    childless: Fields = {"ours": {"childless": "force"}, "theirs": {"childless": "force"}, **BOTH}
    for who, other in (("us", "peer"), ("peer", "us")):
        actions: tuple[str, ...] = (f"first child by {who}", f"rekey child by {other}")
        yield from rows(area, 2, [f"childless, Child SA by {who}"], **childless, actions=actions)
    cookie: Fields = {**BOTH, "actions": ("a cookie was used",)}
    yield from rows(area, 2, ["cookie asked for by us"], (RESPONDER,), our_endpoint={"cookie_threshold": 0}, **cookie)
    busy: Fields = {"daemon": {"cookie_threshold": 1, "cookie_threshold_ip": 1}, "theirs": {"half-open": True}}
    yield from rows(area, 2, ["cookie asked for by the peer"], (INITIATOR,), **busy, **cookie)
    yield from rows(area, 2, ["we begin anew"], (INITIATOR,), **BOTH, actions=("we begin anew",))
    yield from rows(area, 2, ["the peer begins anew"], (RESPONDER,), **BOTH, actions=("the peer begins anew",))


def negotiation() -> Iterator[Scenario]:
    """Choices with and without additional key exchanges, wrong methods first."""
    area, either, agreed = "Negotiation, hybrid", f"{HYBRID}-ke1_none", {"agreed_ike": HYBRID}
    yield from rows(area, 2, ["ML-KEM or none, the peer has none"], ike=either, peer_ike=PLAIN, agreed_ike=PLAIN)
    yield from rows(area, 2, ["the peer has ML-KEM or none, we none"], ike=PLAIN, peer_ike=either)
    yield from rows(area, 2, ["both have ML-KEM or none"], ike=either, **agreed, actions=IKE_BY_BOTH)
    two: Fields = {"ike": f"{HYBRID},{PLAIN}", "peer_ike": PLAIN, "agreed_ike": PLAIN}
    yield from rows(area, 2, ["two proposals, the peer without"], **two)
    yield from rows(area, 2, ["two proposals, the peer with"], ike=f"{PLAIN},{HYBRID}", peer_ike=HYBRID, **agreed)
    yield from rows(area, 2, ["two proposals of the peer"], ike=HYBRID, peer_ike=f"{PLAIN},{HYBRID}")
    wrong, second = "aes128-sha256-ecp256-x25519-ke1_mlkem768", "aes128-sha256-x25519-ke1_mlkem512-ke1_mlkem768"
    yield from rows(area, 2, ["our wrong method first"], ike=wrong, peer_ike=HYBRID, **agreed)
    yield from rows(area, 2, ["the peer's wrong method first"], ike=HYBRID, peer_ike=wrong)
    yield from rows(area, 2, ["the second of two"], ike=second, peer_ike=HYBRID, **agreed, actions=IKE_BY_BOTH)
    twice = {"ike": f"{HYBRID}-ke1_mlkem512-ke2_mlkem768-ke2_mlkem512", "agreed_ike": f"{HYBRID}-ke2_mlkem512"}
    yield from rows(area, 2, ["no method twice"], **twice, actions=IKE_BY_BOTH)
    child: Fields = {"ike": HYBRID, "actions": CHILD_BY_BOTH}
    esp, alone, wrong = (
        f"aes128gcm16-{name}" for name in ("x25519-ke1_mlkem768", "x25519", "ecp256-x25519-ke1_mlkem768")
    )
    none: Fields = {"esp": f"{esp}-ke1_none", "peer_esp": alone, "agreed_esp": alone}
    yield from rows(area, 2, ["Child SA: the peer has none"], **none, **child)
    yield from rows(area, 2, ["Child SA: our wrong method first"], esp=wrong, peer_esp=esp, agreed_esp=esp, **child)
    yield from rows(area, 2, ["Child SA: the peer's wrong method first"], esp=esp, peer_esp=wrong, **child)


def refusals() -> Iterator[Scenario]:
    """What must not come about."""
    area, refused = "Refusals, hybrid", "no common IKE proposal"
    yield from rows(area, 2, ["ML-KEM wanted by us alone"], ike=HYBRID, peer_ike=PLAIN, outcome=refused)
    yield from rows(area, 2, ["ML-KEM wanted by the peer alone"], ike=PLAIN, peer_ike=HYBRID, outcome=refused)
    yield from rows(area, 2, ["wrong pre-shared key"], ike=HYBRID, wrong="secret", outcome="wrong secret")
    for who, outcome in (("our", "we are not accepted"), ("their", "they are not accepted")):
        wrong = f"{who} certificate is of a stranger"
        yield from rows(area, 2, [wrong], ike=HYBRID, auth="ecdsa-256", wrong=wrong, outcome=outcome)


ROWS = tuple(row for part in (key_exchanges, authentication, paths, negotiation, refusals) for row in part())
"""Every row."""
