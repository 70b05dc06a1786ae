"""The two endpoints of a recommended set: the files that ``ipsecbench export --to endpoint`` writes, read again."""

from __future__ import annotations

import base64
import secrets
import shutil
from pathlib import Path

from ipsecbench import __version__
from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.bench.measurement import Tier
from ipsecbench.bench.runner import Offer
from ipsecbench.errors import RefusedError, UnsupportedError
from ipsecbench.export.connection import PSK_PLACEHOLDER, Connection, End
from ipsecbench.export.from_recommendation import connection_of
from ipsecbench.export.target import find_target
from ipsecbench.lab import certificates
from ipsecbench.lab.driver import system_environment
from ipsecbench.lab.endpoint_file import EndpointFile, read_endpoint_file
from ipsecbench.lab.namespaces import private_folder
from ipsecbench.lab.trials.burst import Flow
from ipsecbench.lab.trials.own_bed import CONNECTION
from ipsecbench.recommend.model import Recommendation

_ADDRESSES = {"ipv4": ("192.0.2.1", "192.0.2.2"), "ipv6": ("2001:db8::1", "2001:db8::2")}
"""Of the laboratory's hosts."""
_LOOP = Tier.PACKET_LOOP
_NETWORKS = ("10.1.0.0/16", "10.2.0.0/16")
"""What is protected: the packets of the trials are IPv4, whatever the outer header is."""


def lab_connection(recommendation: Recommendation) -> Connection:
    """The recommended connection between the laboratory's two hosts."""
    addresses = _ADDRESSES[recommendation.requirements.outer]
    local, peer = (End(address, (network,), address) for address, network in zip(addresses, _NETWORKS, strict=True))
    return connection_of(recommendation, local, peer, name=CONNECTION)


def flow_of(connection: Connection) -> Flow | None:
    """Where packets come from and go to in plain transport mode: the hosts themselves; None otherwise."""
    return Flow(connection.local.address, connection.peer.address) if connection.mode == "transport" else None


def not_here(connection: Connection, offers: tuple[Offer, ...], library: str) -> str | None:
    """Why the laboratory cannot run a connection, or None.

    Args:
        connection: which.
        offers: what the agent's libraries offer on this box.
        library: the one that the data plane is to use.
    """
    target = find_target("endpoint")
    if refused := target.refusals(connection, __version__, accept_legacy=True):
        return refused[0]
    if connection.mode == "transport" and connection.local.ip_version == 6:
        return "the laboratory's packets are IPv4, and transport mode with an outer IPv6 header carries IPv6 only"
    if not connection.uses_psk and connection.authentication not in certificates.KEY_KINDS:
        return f"the laboratory makes no certificates for {connection.authentication}"
    cryptography = system_environment().cryptography
    ike = connection.ike
    transforms = (ike.encryption, ike.integrity, ike.prf, *connection.key_exchange_methods)
    for name in filter(None, transforms):
        try:
            cryptography.library(name)
        except UnsupportedError as error:
            return str(error)
    suite = connection.esp.suite
    name = "-".join(filter(None, (connection.esp.encryption, connection.esp.integrity)))
    if suite is None or suite.name not in esp_suites():
        return f"{name} is no ESP suite"
    offered = [each for each in offers if (each.tier, each.provider, each.algorithm) == (_LOOP, library, name)]
    if not offered:
        return f"{library} does not have {name}"
    return next((each.reason for each in offered if each.reason is not None), None)


def endpoint_files(connection: Connection, chain: int) -> tuple[EndpointFile, EndpointFile]:
    """Both ends' configurations as the endpoint reads them, with a secret or certificates made for it.

    Args:
        connection: the local end's view.
        chain: certificates of a peer that are verified; with one its issuer is trusted itself, with more the root.

    Raises:
        RefusedError: the endpoint cannot express it.
    """
    secret = f"0x{secrets.token_hex(32)}"
    views = (connection, connection.mirrored())
    local, peer = (_read(view, secret, chain) for view in views)
    return local, peer


def _read(view: Connection, secret: str, chain: int) -> EndpointFile:
    files = find_target("endpoint").files(view, __version__, accept_legacy=True)
    if len(files) != 1:
        raise RefusedError("ipsecbench endpoint", ("it has one file",))
    folder = private_folder()
    try:
        if not view.uses_psk:
            _write_certificates(folder, view, chain)
        path = folder / files[0].name
        path.touch(mode=0o600)
        path.write_text(files[0].text.replace(PSK_PLACEHOLDER, secret))
        return read_endpoint_file(path, system_environment().certificates)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write_certificates(folder: Path, view: Connection, chain: int) -> None:
    credential = certificates.authority(view.authentication).issue(view.local.identity, common_name=view.end_name)
    sent = [credential.certificate, *(credential.intermediates if chain > 1 else ())]
    trusted = credential.root if chain > 1 else credential.intermediates[0]
    (folder / "local.pem").write_text("".join(_pem("CERTIFICATE", each) for each in sent))
    (folder / "local.key").write_text(_pem("PRIVATE KEY", credential.private_key))
    (folder / "ca.pem").write_text(_pem("CERTIFICATE", trusted))


def _pem(what: str, octets: bytes) -> str:
    return f"-----BEGIN {what}-----\n{base64.encodebytes(octets).decode()}-----END {what}-----\n"
