"""strongSwan's ipsec.conf: what its connections offer, with the defaults that the daemon fills in.

Names, defaults and rules are those of strongSwan's ``starter`` and ``stroke_config.c`` (sources ``ss``, ``ssdoc``).
"""

from __future__ import annotations

from ipsecbench.audit.authentication_methods import strongswan_method
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
from ipsecbench.audit.strongswan_proposals import default_offers, parse_offer
from ipsecbench.audit.text import unreadable
from ipsecbench.audit.values import COUNTS, SECONDS, amount, boolean, listed
from ipsecbench.errors import UsageError

_IKE_SECONDS = 10_800
_CHILD_SECONDS = 3600
_VERSIONS = {"ike": ("2", "1"), "ikev2": ("2",), "ikev1": ("1",)}
_SHUNTS = ("passthrough", "pass", "drop", "reject")
_AUTHBY = {
    "psk": ("psk",),
    "secret": ("psk",),
    "pubkey": ("pubkey",),
    "rsa": ("rsa",),
    "rsasig": ("rsa",),
    "ecdsa": ("ecdsa",),
    "ecdsasig": ("ecdsa",),
    "xauthpsk": ("psk", "xauth"),
    "xauthrsasig": ("rsa", "xauth"),
    "never": ("null",),
}


def read_strongswan(text: str) -> Configuration:
    """The connections of a strongSwan ipsec.conf.

    Raises:
        UsageError: it cannot be read; the message begins with the number of the line.
    """
    conns, notes = read_conns(text)
    return Configuration(Format.STRONGSWAN, tuple(_connection(conn) for conn in conns), notes)


def _connection(conn: Conn) -> Connection:
    versions = _VERSIONS.get(conn.word("keyexchange", "ike"))
    if versions is None:
        raise unreadable(conn.line_of("keyexchange"), "keyexchange: it is ike, ikev1 or ikev2")
    notes = list(conn.notes)
    for key in ("pfs", "pfsgroup"):
        if conn.get(key) is not None:
            text = f"strongSwan ignores {key}=: a key exchange in esp= is what makes perfect forward secrecy"
            notes.append(Note(text, conn.line_of(key)))
    aggressive = conn.get("aggressive")
    shunt = conn.word("type", "tunnel") in _SHUNTS
    return Connection(
        name=conn.name,
        line=conn.line,
        ike_versions=versions,
        exchange=None
        if versions == ("2",)
        else Exchange.AGGRESSIVE
        if aggressive is not None and boolean(aggressive.text or "", aggressive.line, "aggressive")
        else Exchange.MAIN,
        authentication=_authentication(conn),
        offers=_offers(conn, "ike"),
        life=_life(conn, ("ikelifetime",), _IKE_SECONDS),
        children=() if shunt else (_child(conn),),
        notes=tuple(notes),
    )


def _authentication(conn: Conn) -> tuple[Authentication, ...]:
    found: list[Authentication] = []
    authby = conn.get("authby")
    words = _AUTHBY.get(conn.word("authby", "pubkey"))
    if words is None:
        raise unreadable(conn.line_of("authby"), f"authby: it is one of {', '.join(_AUTHBY)}")
    for side, ends in (("local", ("leftauth", "leftauth2")), ("remote", ("rightauth", "rightauth2"))):
        own = [value for end in ends if (value := conn.get(end)) is not None]
        if own:
            found += [strongswan_method(value.text or "", side, value.line) for value in own]
        else:
            found += [strongswan_method(word, side, None if authby is None else authby.line) for word in words]
    return tuple(found)


def _offers(conn: Conn, key: str) -> tuple[Offer, ...]:
    """The proposals of a key; without ``!`` at the end strongSwan appends its own."""
    ike = key == "ike"
    value = conn.get(key)
    if value is None or value.text is None:
        return default_offers(ike=ike)
    conn.effort.spend_on(value.text, value.line)
    strict = value.text.endswith("!")
    offers = []
    for text in listed(value.text.removesuffix("!")):
        try:
            offers.append(parse_offer(text, ike=ike, line=value.line, carrier="ah" if key == "ah" else "esp"))
        except UsageError as error:
            raise unreadable(value.line, f"{key}: {error}") from None
    if not offers:
        raise unreadable(value.line, f"{key}: it names no proposal")
    return (*offers, *(() if strict else default_offers(ike=ike)))


def _child(conn: Conn) -> Child:
    truncated = conn.get("sha256_96")
    return Child(
        name=conn.name,
        line=conn.line,
        offers=_offers(conn, "ah" if conn.get("ah") is not None else "esp"),
        life=_life(conn, ("lifetime", "keylife"), _CHILD_SECONDS),
        truncated_sha256=truncated is not None and boolean(truncated.text or "", truncated.line, "sha256_96"),
    )


def _life(conn: Conn, keys: tuple[str, ...], default_seconds: int) -> Life:
    value = conn.get(*keys)
    seconds = default_seconds if value is None else amount(value.text or "", SECONDS, value.line, keys[0])
    limits: dict[str, int | None] = {}
    for what in ("lifebytes", "lifepackets"):
        limit = conn.get(what) if keys[0] == "lifetime" else None
        limits[what] = None if limit is None else amount(limit.text or "", COUNTS, limit.line, what) or None
    return Life(
        seconds=seconds or None,
        bytes=limits["lifebytes"],
        packets=limits["lifepackets"],
        known=True,
        line=None if value is None else value.line,
        implied=value is None,
    )
