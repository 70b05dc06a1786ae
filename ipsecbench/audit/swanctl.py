"""strongSwan's swanctl.conf: what its connections offer, with the defaults that the daemon fills in.

Names, defaults and rules are those of strongSwan's ``swanctl.opt`` and ``vici_config.c`` (sources ``ss``, ``ssdoc``).
"""

from __future__ import annotations

from collections.abc import Mapping

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
from ipsecbench.audit.settings_file import Section, Value, read_settings
from ipsecbench.audit.strongswan_proposals import default_offers, parse_offer
from ipsecbench.audit.text import printable, unreadable
from ipsecbench.audit.values import COUNTS, OCTETS, SECONDS, amount, boolean, listed
from ipsecbench.errors import UsageError

MOST_CONNECTIONS = 10_000
"""Connections and Child SAs that are read from one file."""

_IKE_REKEY_SECONDS = 14_400
_CHILD_REKEY_SECONDS = 3600
_SHUNTS = ("pass", "drop")
# fmt: off
_CONNECTION_KEYS = frozenset((
    "local_addrs", "remote_addrs", "proposals", "vips", "pools", "version", "aggressive", "pull", "dscp", "encap",
    "mobike", "dpd_delay", "dpd_timeout", "fragmentation", "childless", "send_certreq", "send_cert", "ocsp",
    "keyingtries", "unique", "local_port", "remote_port", "reauth_time", "rekey_time", "over_time", "rand_time",
    "ppk_id", "ppk_required", "if_id_in", "if_id_out", "mediation", "mediated_by", "mediation_peer",
))
_CHILD_KEYS = frozenset((
    "ah_proposals", "esp_proposals", "local_ts", "remote_ts", "updown", "hostaccess", "mode", "policies",
    "policies_fwd_out", "replay_window", "rekey_time", "life_time", "rand_time", "rekey_bytes", "life_bytes",
    "rand_bytes", "rekey_packets", "life_packets", "rand_packets", "dpd_action", "start_action", "close_action",
    "ipcomp", "inactivity", "reqid", "mark_in", "mark_in_sa", "mark_out", "set_mark_in", "set_mark_out",
    "tfc_padding", "priority", "interface", "hw_offload", "sha256_96", "copy_df", "copy_ecn", "copy_dscp", "icmp",
    "if_id_in", "if_id_out", "label", "label_mode", "per_cpu_sas",
))
# fmt: on


def read_swanctl(text: str) -> Configuration:
    """The connections of a swanctl.conf.

    Raises:
        UsageError: it cannot be read; the message begins with the number of the line.
    """
    top, notes = read_settings(text)
    found = top.section("connections")
    connections = []
    count = 0
    for name, section in found.sections() if found is not None else ():
        connection = _connection(name, section, MOST_CONNECTIONS - count)
        count += 1 + len(connection.children)
        connections.append(connection)
    return Configuration(Format.SWANCTL, tuple(connections), notes)


def _connection(name: str, section: Section, most: int) -> Connection:
    if most <= 0:
        raise unreadable(section.line, f"more than {MOST_CONNECTIONS} connections and Child SAs")
    notes = [
        Note(f"strongSwan knows no '{printable(key)}' in a connection and would not load it", value.line)
        for key, value in section.settings()
        if key not in _CONNECTION_KEYS
    ]
    authentication: list[Authentication] = []
    children: list[Child] = []
    for part, content in section.sections():
        side = next((side for side in ("local", "remote") if part.lower().startswith(side)), None)
        if side is not None:
            authentication.append(_method(content, side))
        elif part.lower() == "children":
            for child_name, child in content.sections():
                if len(children) >= most:
                    raise unreadable(child.line, f"more than {MOST_CONNECTIONS} connections and Child SAs")
                read = _child(child_name, child, notes)
                if read is not None:
                    children.append(read)
        else:
            notes.append(Note(f"strongSwan knows no section '{printable(part)}' in a connection", content.line))
    version = _number(section, "version", 0)
    if version not in (0, 1, 2):
        raise unreadable(_line(section, "version"), "version: it is 0, 1 or 2")
    aggressive = _flag(section, "aggressive")
    sides = {method.side for method in authentication}
    authentication += [Authentication("pubkey", "pubkey", side) for side in ("local", "remote") if side not in sides]
    return Connection(
        name=printable(name),
        line=section.line,
        ike_versions=("2", "1") if version == 0 else (str(version),),
        exchange=None if version == 2 else Exchange.AGGRESSIVE if aggressive else Exchange.MAIN,
        authentication=tuple(authentication),
        offers=_offers(section, "proposals", ike=True),
        life=_ike_life(section),
        children=tuple(children),
        notes=tuple(notes),
    )


def _method(section: Section, side: str) -> Authentication:
    value = section.value("auth") or Value("pubkey", section.line)
    method = strongswan_method(value.text or "", side, value.line)
    if method.method in ("other", "null", "dss"):
        raise unreadable(value.line, "auth: it is pubkey, rsa, ecdsa, psk, eap or xauth, perhaps with constraints")
    return method


def _child(name: str, section: Section, notes: list[Note]) -> Child | None:
    for key, value in section.settings():
        if key not in _CHILD_KEYS:
            notes.append(
                Note(f"strongSwan knows no '{printable(key)}' in a Child SA and would not load it", value.line)
            )
    mode = section.value("mode")
    if mode is not None and (mode.text or "").lower() in _SHUNTS:
        return None
    written = section.value("esp_proposals") or section.value("ah_proposals")
    offers = (
        *_offers(section, "ah_proposals", ike=False, carrier="ah", defaults=False),
        *_offers(section, "esp_proposals", ike=False, defaults=written is None),
    )
    return Child(
        name=printable(name),
        line=section.line,
        offers=offers,
        life=_child_life(section),
        truncated_sha256=_flag(section, "sha256_96"),
    )


def _offers(section: Section, key: str, *, ike: bool, carrier: str = "esp", defaults: bool = True) -> tuple[Offer, ...]:
    value = section.value(key)
    if value is None:
        return default_offers(ike=ike) if defaults else ()
    offers: list[Offer] = []
    section.effort.spend_on(value.text or "", value.line)
    for text in listed(value.text or ""):
        if text.lower() == "default":
            offers += default_offers(ike=ike)
            continue
        try:
            offers.append(parse_offer(text, ike=ike, line=value.line, carrier=carrier))
        except UsageError as error:
            raise unreadable(value.line, f"{key}: {error}") from None
    return tuple(offers) or (default_offers(ike=ike) if defaults else ())


def _ike_life(section: Section) -> Life:
    rekey, reauth = section.value("rekey_time"), section.value("reauth_time")
    if rekey is None and reauth is None:
        seconds = _IKE_REKEY_SECONDS
    else:
        seconds = max(_time(section, "rekey_time", 0), _time(section, "reauth_time", 0))
    over = _time(section, "over_time", seconds // 10)
    written = rekey or reauth
    return Life(
        seconds=seconds + over if seconds else None,
        known=True,
        line=None if written is None else written.line,
        implied=written is None,
    )


def _child_life(section: Section) -> Life:
    written = section.value("life_time") or section.value("rekey_time")
    return Life(
        seconds=_limit(section, "time", SECONDS, _CHILD_REKEY_SECONDS),
        bytes=_limit(section, "bytes", OCTETS, 0),
        packets=_limit(section, "packets", COUNTS, 0),
        known=True,
        line=None if written is None else written.line,
        implied=written is None,
    )


def _limit(section: Section, what: str, units: Mapping[str, int], otherwise: int) -> int | None:
    """The hard limit, which follows from the soft one where it is not set; the soft one where there is no hard one."""
    soft, hard = section.value(f"rekey_{what}"), section.value(f"life_{what}")
    hard_limit = None if hard is None else amount(hard.text or "", units, hard.line, f"life_{what}")
    if soft is not None:
        soft_limit = amount(soft.text or "", units, soft.line, f"rekey_{what}")
    else:
        soft_limit = otherwise if hard_limit is None else hard_limit * 10 // 11
    if hard_limit is None:
        hard_limit = soft_limit * 11 // 10
    return hard_limit or soft_limit or None


def _time(section: Section, key: str, otherwise: int) -> int:
    value = section.value(key)
    return otherwise if value is None else amount(value.text or "", SECONDS, value.line, key)


def _number(section: Section, key: str, otherwise: int) -> int:
    value = section.value(key)
    return otherwise if value is None else amount(value.text or "", COUNTS, value.line, key)


def _flag(section: Section, key: str) -> bool:
    value = section.value(key)
    return value is not None and boolean(value.text or "", value.line, key)


def _line(section: Section, key: str) -> int:
    value = section.value(key)
    return section.line if value is None else value.line
