"""OPNsense, field by field: VPN > IPsec > Connections, which is strongSwan's swanctl.conf on pages.

Labels and keys are those of OPNsense's own sources (``models/OPNsense/IPsec/Swanctl.xml``, August 2026). Proposals are
chosen from a list (``FieldTypes/IPsecProposalField.php``), and only what is in it can be set: with a combined mode in
phase 1 the hash in its name is the PRF. Lives in octets, the replay window and extended sequence numbers have no field.
"""

from __future__ import annotations

from ipsecbench.export.connection import PSK_PLACEHOLDER, Connection, End
from ipsecbench.export.documented import (
    GRAMMAR_PROOF,
    documented_files,
    fixed_replay_window,
    life_notes,
    life_refusals,
    segment_size,
)
from ipsecbench.export.fields import Field, Page, table
from ipsecbench.export.life_settings import FittedLife, LifeSettings, Setting, fit_life
from ipsecbench.export.target import Comment, File, Proof, Target
from ipsecbench.export.vocabulary import ECDSA, RSA, general_lines, implied_prf

_PRODUCT = "OPNsense"
_LARGEST_TIME = 500_000
_SOFT = Setting(1, _LARGEST_TIME, hard=False)
_IKE_LIFE = LifeSettings(_PRODUCT, "IKE SA", _SOFT)
_CHILD_LIFE = LifeSettings(_PRODUCT, "Child SA", _SOFT)
_HASHES = ("sha256", "sha384", "sha512", "aesxcbc")
_GROUPS = (
    *("modp2048", "modp3072", "modp4096", "modp6144", "modp8192", "ecp224", "ecp256", "ecp384", "ecp521"),
    *("ecp224bp", "ecp256bp", "ecp384bp", "ecp512bp", "x25519", "x448"),
)
_SIGNATURES = (*RSA, *ECDSA, "ed25519", "ed448")
_INSECURE = frozenset(
    {
        *(f"aes{bits}-sha1-modp2048" for bits in (128, 192, 256)),
        *("aes256-sha1-modp4096", "aes256-sha1-ecp521", "aes256-sha256-modp1024", "aes256-sha512-modp1024"),
        *("aes256-sha256-modp1536", "aes128-sha256-modp1536"),
    }
)
_IKE = (
    _INSECURE
    | {
        f"aes{bits}{mode}-{chosen}-{group}"
        for bits in (128, 192, 256)
        for mode in ("", "gcm16")
        for chosen in _HASHES
        for group in _GROUPS
    }
    | {
        f"chacha20poly1305-{chosen}-{group}"
        for chosen in ("sha256", "sha384", "sha512")
        for group in ("x25519", "x448")
    }
    | {"aes256gcm16-sha256-modp1536"}
)
_ESP = (
    _INSECURE
    | {f"aes{bits}-{chosen}-{group}" for bits in (128, 192, 256) for chosen in _HASHES for group in _GROUPS}
    | {f"aes{bits}gcm16-{group}" for bits in (128, 192, 256) for group in _GROUPS}
    | {"chacha20poly1305-x25519", "chacha20poly1305-x448"}
    | {"aes256gcm16", "chacha20poly1305", "aes256-sha1", "aes256-sha256"}
)


def refuse(connection: Connection, version: str) -> tuple[str, ...]:
    """What OPNsense has no entry or no field for."""
    ike, esp, lines = connection.ike, connection.esp, []
    if _ike_proposal(connection) not in _IKE:
        lines.append(f"OPNsense's list has no IKE proposal {_ike_proposal(connection)}")
    if _esp_proposal(connection) not in _ESP:
        lines.append(f"OPNsense's list has no ESP proposal {_esp_proposal(connection)}")
    if ike.integrity is not None and ike.prf != implied_prf(ike.integrity):
        lines.append(f"OPNsense takes the PRF from the integrity algorithm {ike.integrity}: {ike.prf} cannot be set")
    if ike.additional_key_exchanges or esp.additional_key_exchanges:
        lines.append("OPNsense's list has no additional key exchanges")
    if esp.esn:
        lines.append("OPNsense has no setting for extended sequence numbers")
    general = general_lines(
        connection, ike_versions=(1, 2), modes=("tunnel", "transport"), authentication=("psk", *_SIGNATURES)
    )
    lines += [f"OPNsense {line}" for line in general]
    return (*lines, *life_refusals(*_lives(connection)))


def render(connection: Connection, version: str) -> tuple[File, ...]:
    """The table of fields."""
    pages = [_connection(connection), *_authentication(connection), _child(connection), _segment_size(connection)]
    notes = [
        "Advanced mode has to be on for some fields; those that are not named keep their defaults. Column 3: the key "
        "of the model, as the API has it.",
        "The Child SA ends 10% after its rekey time: strongSwan's own margin.",
        f"Inner MTU {connection.inner_mtu_bytes} at link MTU {connection.link_mtu_bytes}.",
        fixed_replay_window(_PRODUCT, connection.replay_window_packets),
        *life_notes(*_lives(connection)),
    ]
    return documented_files(TARGET, connection, version, f"{connection.name}-opnsense.txt", table(pages), notes=notes)


def verify(connection: Connection) -> str:
    """Shows encryption, integrity, PRF, groups and lives of the SAs that are up; also Status Overview."""
    return "swanctl --list-sas"


def _lives(connection: Connection) -> tuple[FittedLife, FittedLife]:
    return fit_life(connection.ike_life, _IKE_LIFE), fit_life(connection.child_life, _CHILD_LIFE)


def _ike_proposal(connection: Connection) -> str:
    ike = connection.ike
    return f"{ike.encryption}-{ike.integrity or ike.prf.removeprefix('prf')}-{ike.key_exchange}"


def _esp_proposal(connection: Connection) -> str:
    esp = connection.esp
    return "-".join(part for part in (esp.encryption, esp.integrity, esp.key_exchange) if part is not None)


def _connection(connection: Connection) -> Page:
    life, proposal = _lives(connection)[0], _ike_proposal(connection)
    over = max(0, connection.ike_life.hard_seconds - connection.ike_life.soft_seconds)
    version = connection.ike_version
    fields = [
        Field("Enabled", "checked", "connection.enabled=1"),
        Field("Proposals", f"{proposal} only", f"connection.proposals={proposal}"),
        Field("Unique", "Replace", "connection.unique=replace"),
        Field("Aggressive", "not checked", "connection.aggressive=0"),
        Field("Version", f"IKEv{version}", f"connection.version={version}"),
        Field("MOBIKE", "not checked", "connection.mobike=0"),
        Field("Local addresses", connection.local.address, f"connection.local_addrs={connection.local.address}"),
        Field("Remote addresses", connection.peer.address, f"connection.remote_addrs={connection.peer.address}"),
        Field(
            "UDP encapsulation",
            "checked" if connection.nat_traversal else "not checked",
            f"connection.encap={int(connection.nat_traversal)}",
        ),
        Field("Rekey time (s)", str(life.seconds), f"connection.rekey_time={life.seconds}"),
        Field("Over time (s)", str(over), f"connection.over_time={over}"),
        Field("DPD delay (s)", "30", "connection.dpd_delay=30"),
        Field("Description", connection.name, f"connection.description={connection.name}"),
    ]
    return Page("VPN > IPsec > Connections > Add", tuple(fields))


def _authentication(connection: Connection) -> list[Page]:
    pages = [
        _round("local", "Local Authentication", connection.local, connection),
        _round("remote", "Remote Authentication", connection.peer, connection),
    ]
    if connection.uses_psk:
        fields = (
            Field("Local Identifier", connection.local.identity, f"preSharedKey.ident={connection.local.identity}"),
            Field(
                "Remote Identifier", connection.peer.identity, f"preSharedKey.remote_ident={connection.peer.identity}"
            ),
            Field("Pre-Shared Key", PSK_PLACEHOLDER, f"preSharedKey.Key={PSK_PLACEHOLDER}"),
            Field("Type", "PSK", "preSharedKey.keyType=PSK"),
        )
        pages.append(Page("VPN > IPsec > Pre-Shared Keys > Add", fields))
    return pages


def _round(side: str, title: str, end: End, connection: Connection) -> Page:
    method = ("Pre-Shared Key", "psk") if connection.uses_psk else ("Public Key", "pubkey")
    certificate = [] if connection.uses_psk or side == "remote" else [Field("Certificates", "this end's", "")]
    fields = (
        Field("Round", "0", f"{side}.round=0"),
        Field("Authentication", method[0], f"{side}.auth={method[1]}"),
        Field("ID", end.identity, f"{side}.id={end.identity}"),
        *certificate,
    )
    return Page(f"{title} > Add", fields)


def _child(connection: Connection) -> Page:
    life, proposal = _lives(connection)[1], _esp_proposal(connection)
    selectors = [
        Field("Local", ", ".join(connection.local.networks), f"child.local_ts={','.join(connection.local.networks)}"),
        Field("Remote", ", ".join(connection.peer.networks), f"child.remote_ts={','.join(connection.peer.networks)}"),
    ]
    fields = [
        Field("Mode", connection.esp_mode.capitalize(), f"child.mode={connection.esp_mode}"),
        Field("Use sha256_96", "not checked", "child.sha256_96=0"),
        Field("Policies", "checked", "child.policies=1"),
        Field("Start action", "Trap+start", "child.start_action=trap|start"),
        Field("DPD action", "Trap", "child.dpd_action=trap"),
        Field("ESP proposals", f"{proposal} only", f"child.esp_proposals={proposal}"),
        *(selectors if connection.mode == "tunnel" else []),
        Field("Rekey time (s)", str(life.seconds), f"child.rekey_time={life.seconds}"),
    ]
    return Page("Children > Add", tuple(fields))


def _segment_size(connection: Connection) -> Page:
    size = segment_size(connection)
    return Page(
        "Firewall > Settings > Normalization > Add",
        (
            Field("Interface", "IPsec", "rule.interface=enc0"),
            Field("Max mss", str(size), f"rule.max-mss={size}"),
        ),
    )


TARGET = Target(
    name="opnsense",
    title="OPNsense (field by field)",
    versions=("26.7",),
    proof=Proof.GRAMMAR,
    proof_text=GRAMMAR_PROOF,
    comment=Comment("# "),
    refuse=refuse,
    render=render,
    verify=verify,
)
