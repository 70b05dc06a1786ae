"""libreswan's ipsec.conf: what its connections offer, with the defaults that pluto fills in.

Names, defaults and rules are those of libreswan's ``d.ipsec.conf`` documents and ``conn.c`` (source ``lsw``). Before
version 5 ``ikev2=`` decided what ``keyexchange=`` does now, and older versions had further values, which are read as
the current documents map them.
"""

from __future__ import annotations

import re
from dataclasses import replace

from ipsecbench.audit.configuration import (
    Authentication,
    Child,
    Configuration,
    Connection,
    Exchange,
    Format,
    Life,
    Note,
    Offer,
)
from ipsecbench.audit.ipsec_conf import Conn, read_conns
from ipsecbench.audit.libreswan_proposals import default_offers, parse_offers
from ipsecbench.audit.text import printable, unreadable
from ipsecbench.audit.values import SECONDS, amount, boolean, listed
from ipsecbench.errors import UsageError

_SECONDS = 28_800
_VERSIONS = {
    "ikev2": "2", "yes": "2", "insist": "2", "propose": "2", "ike": "2",
    "ikev1": "1", "no": "1", "never": "1", "permit": "1",
}  # fmt: skip
_SHUNTS = ("passthrough", "drop", "reject")
_SIZES = {
    "": 1, "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40, "pib": 2**50, "eib": 2**60,
    "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "p": 10**15, "e": 10**18,
}  # fmt: skip
_PLAIN = {"secret": "psk", "null": "null", "never": "null", "eddsa": "eddsa", "eaponly": "eap"}
_HASHED = re.compile(r"(rsa|ecdsa)-(sha1|sha2(?:_(?:256|384|512))?)\Z")
_SHA2 = ("sha256", "sha384", "sha512")


def read_libreswan(text: str) -> Configuration:
    """The connections of a libreswan ipsec.conf.

    Raises:
        UsageError: it cannot be read; the message begins with the number of the line.
    """
    conns, notes = read_conns(text)
    return Configuration(Format.LIBRESWAN, tuple(_connection(conn) for conn in conns), notes)


def _connection(conn: Conn) -> Connection:
    key = "keyexchange" if conn.get("keyexchange") is not None else "ikev2"
    version = _VERSIONS.get(conn.word(key, "ikev2"))
    if version is None:
        raise unreadable(conn.line_of(key), f"{key}: it is ikev1 or ikev2, or yes or no")
    aggressive = _flag(conn, "aggressive", False) or _flag(conn, "aggrmode", False)
    shunt = conn.word("type", "tunnel") in _SHUNTS
    notes = list(conn.notes)
    if not _flag(conn, "rekey", True):
        notes.append(Note("rekey=no: this end never rekeys, the other one has to", conn.line_of("rekey")))
    return Connection(
        name=conn.name,
        line=conn.line,
        ike_versions=(version,),
        exchange=None if version == "2" else Exchange.AGGRESSIVE if aggressive else Exchange.MAIN,
        authentication=_authentication(conn),
        offers=_offers(conn, ("ike",), version, ike=True),
        life=_life(conn, ("ikelifetime",)),
        children=() if shunt else (_child(conn, version),),
        notes=tuple(notes),
    )


def _flag(conn: Conn, key: str, otherwise: bool) -> bool:
    value = conn.get(key)
    return otherwise if value is None else boolean(value.text or "", value.line, key)


def _authentication(conn: Conn) -> tuple[Authentication, ...]:
    own = [(end, value) for end in ("leftauth", "rightauth") if (value := conn.get(end)) is not None]
    if own:
        sides = {"leftauth": "local", "rightauth": "remote"}
        return tuple(_method(value.text or "", sides[end], value.line) for end, value in own)
    value = conn.get("authby")
    line = None if value is None else value.line
    words = listed((value.text if value is not None else None) or "rsasig,ecdsa")
    # Words with '|' are of old: both methods allowed.
    return tuple(_method(word, "", line) for part in words for word in part.split("|") if word.strip())


def _method(text: str, side: str, line: int | None) -> Authentication:
    text = printable(text.strip())
    word = text.lower()
    if word in _PLAIN:
        return Authentication(_PLAIN[word], text, side, line=line)
    if word in ("rsasig", "rsa"):
        return Authentication("rsa", text, side, hashes=("sha1", *_SHA2), line=line)
    if word == "ecdsa":
        return Authentication("ecdsa", text, side, hashes=_SHA2, line=line)
    match = _HASHED.match(word)
    if match is None:
        return Authentication("other", text, side, line=line)
    hashes = {"sha1": ("sha1",), "sha2": _SHA2}.get(match[2]) or (match[2].replace("sha2_", "sha"),)
    return Authentication(match[1], text, side, hashes=hashes, line=line)


def _offers(conn: Conn, keys: tuple[str, ...], version: str, *, ike: bool) -> tuple[Offer, ...]:
    value = conn.get(*keys)
    if value is None:
        return default_offers(ike=ike, version=version)
    conn.effort.spend_on(value.text or "", value.line)
    try:
        return parse_offers(value.text or "", ike=ike, version=version, line=value.line)
    except UsageError as error:
        raise unreadable(value.line, f"{keys[0]}: {error}") from None


def _child(conn: Conn, version: str) -> Child:
    carrier = "ah" if conn.get("ah") is not None or conn.word("phase2", "esp") == "ah" else "esp"
    pfs = _flag(conn, "pfs", True)
    keys = ("ah", "phase2alg") if carrier == "ah" else ("esp", "phase2alg")
    offers = _ah_offers(conn, keys) if carrier == "ah" else _offers(conn, keys, version, ike=False)
    esn = _sequence_numbers(conn, version)
    return Child(
        name=conn.name,
        line=conn.line,
        offers=tuple(
            replace(offer, key_exchange=offer.key_exchange if pfs else (), esn=offer.esn or esn) for offer in offers
        ),
        life=_life(conn, ("ipsec-lifetime", "salifetime", "keylife", "lifetime")),
        perfect_forward_secrecy=pfs,
        truncated_sha256=_flag(conn, "sha2-truncbug", False),
    )


def _ah_offers(conn: Conn, keys: tuple[str, ...]) -> tuple[Offer, ...]:
    """AH is refused whatever is in it, so that its algorithms are not read."""
    value = conn.get(*keys)
    text, line = ("libreswan's own proposal", None) if value is None else (printable(value.text or ""), value.line)
    return (Offer(text, line, (), implied=value is None, carrier="ah"),)


def _sequence_numbers(conn: Conn, version: str) -> tuple[bool, ...]:
    if version == "1":
        return (False,)
    found = {"either": (True, False), "yes": (True,), "no": (False,)}.get(conn.word("esn", "either"))
    if found is None:
        raise unreadable(conn.line_of("esn"), "esn: it is yes, no or either")
    return found


def _life(conn: Conn, keys: tuple[str, ...]) -> Life:
    value = conn.get(*keys)
    seconds = _SECONDS if value is None else amount(value.text or "", SECONDS, value.line, keys[0])
    child = keys[0] != "ikelifetime"
    return Life(
        seconds=seconds or None,
        bytes=_limit(conn, "ipsec-max-bytes") if child else None,
        packets=_limit(conn, "ipsec-max-packets") if child else None,
        known=True,
        line=None if value is None else value.line,
        implied=value is None,
    )


def _limit(conn: Conn, key: str) -> int | None:
    value = conn.get(key)
    return None if value is None else amount(value.text or "", _SIZES, value.line, key) or None
