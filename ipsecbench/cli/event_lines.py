"""Events of an IKE endpoint as lines for people and as fields for programs. Keys never appear."""

from __future__ import annotations

from typing import Any

from ipsecbench.ike import events
from ipsecbench.ike.events import ChildSaInfo, Event, IkeSaInfo


def _ike_fields(sa: IkeSaInfo) -> dict[str, Any]:
    return {
        "ike_sa": sa.unique_id,
        "version": sa.version,
        "connection": sa.connection,
        "role": "initiator" if sa.is_initiator else "responder",
        "spi_i": sa.spi_i.hex(),
        "spi_r": sa.spi_r.hex(),
        "local": str(sa.path.local),
        "remote": str(sa.path.remote),
        "local_identity": sa.local_identity.text,
        "remote_identity": sa.remote_identity.text,
        "proposal": sa.negotiated.text,
        "nat_local": sa.nat_local,
        "nat_remote": sa.nat_remote,
    }


def _child_fields(sa: ChildSaInfo) -> dict[str, Any]:
    return {
        "ike_sa": sa.ike_unique_id,
        "child": sa.name,
        "inbound_spi": sa.inbound_spi.hex(),
        "outbound_spi": sa.outbound_spi.hex(),
        "mode": str(sa.mode),
        "proposal": sa.negotiated.text,
        "local_ts": [str(selector) for selector in sa.local_ts],
        "remote_ts": [str(selector) for selector in sa.remote_ts],
        "udp_encapsulation": sa.udp_encapsulation,
        "hard_bytes": sa.expiry.hard_bytes,
        "hard_packets": sa.expiry.hard_packets,
    }


def event_fields(event: Event) -> dict[str, Any]:
    """An event for a program."""
    fields: dict[str, Any] = {"event": type(event).__name__}
    for name in event.__slots__:
        value = getattr(event, name)
        if isinstance(value, IkeSaInfo):
            fields |= _ike_fields(value)
        elif isinstance(value, ChildSaInfo):
            fields |= _child_fields(value)
        elif isinstance(value, bytes):
            fields[name] = value.hex()
        elif name == "path":
            fields |= {"local": str(value.local), "remote": str(value.remote)}
        else:
            fields["ike_sa" if name in ("unique_id", "ike_unique_id") else name] = value
    return fields


def event_line(event: Event) -> str:
    """An event for people, one line."""
    match event:
        case events.IkeSaEstablished(sa) | events.IkeSaKeysDerived(sa):
            behind = " (NAT)" if sa.nat_local or sa.nat_remote else ""
            word = "established" if isinstance(event, events.IkeSaEstablished) else "keyed"
            return (
                f"IKE SA {sa.unique_id} {word}: {sa.connection}, IKEv{sa.version}, {sa.negotiated.text}, "
                f"{sa.local_identity}@{sa.path.local} … {sa.remote_identity}@{sa.path.remote}{behind}"
            )
        case events.IkeSaRekeyed(old, sa):
            return f"IKE SA {old} rekeyed: now {sa.unique_id}, {sa.negotiated.text}"
        case events.IkeSaDeleted(number, connection, reason):
            return f"IKE SA {number} deleted: {connection}: {reason}"
        case events.IkeSaFailed(number, connection, _, reason):
            return f"IKE SA {number} failed: {connection}: {reason}"
        case events.PathChanged(number, path):
            return f"IKE SA {number}: the peer is at {path.remote} now"
        case events.PeerAlive(number):
            return f"IKE SA {number}: the peer is alive"
        case _:
            return _child_line(event)


def _child_line(event: events.ChildSaEvent) -> str:
    match event:
        case events.ChildSaPrepared(child):
            return f"Child SA {child.name} prepared: SPIs {child.inbound_spi.hex()} in, {child.outbound_spi.hex()} out"
        case events.ChildSaWithdrawn(_, name, inbound):
            return f"Child SA {name} withdrawn: SPI {inbound.hex()} in"
        case events.ChildSaEstablished(child):
            return f"Child SA {_child(child)}"
        case events.ChildSaRekeyed(old_spi, child):
            return f"Child SA rekeyed, {old_spi.hex()} replaced: {_child(child)}"
        case events.ChildSaDeleted(_, name, inbound, outbound, reason):
            return f"Child SA {name} deleted: SPIs {inbound.hex()} in, {outbound.hex()} out: {reason}"
        case events.ChildSaFailed(_, name, reason):
            return f"Child SA {name} failed: {reason}"


def _child(sa: ChildSaInfo) -> str:
    encapsulation = ", in UDP" if sa.udp_encapsulation else ""
    local, remote = (" ".join(map(str, selectors)) for selectors in (sa.local_ts, sa.remote_ts))
    return (
        f"{sa.name} established: {sa.mode} mode, {sa.negotiated.text}, SPIs {sa.inbound_spi.hex()} in, "
        f"{sa.outbound_spi.hex()} out{encapsulation}, {local} … {remote}"
    )
