"""An end whose configuration is an exported swanctl.conf, loaded with swanctl as its own comment says."""

from __future__ import annotations

import shutil
from pathlib import Path

from ipsecbench.export.connection import PSK_PLACEHOLDER, Connection
from ipsecbench.export.target import find_target
from ipsecbench.lab import certificates
from ipsecbench.lab.strongswan import StrongSwan
from tests.export_proofs.between_hosts import SECRET

OTHERS = ("ecdsa-256", "ecdsa-384")
"""Kinds of keys whose authorities every end trusts."""


def load_swanctl(daemon: StrongSwan, view: Connection, folder: Path) -> None:
    """Write the file below ``folder``, which stands for ``/etc/swanctl``, and load it; what was loaded is forgotten."""
    file = find_target("swanctl").files(view, "5.9", accept_legacy=True)[0]
    path = folder / file.name.removeprefix("swanctl/")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(file.text.replace(PSK_PLACEHOLDER, SECRET))
    # swanctl.conf of the packages has this line and nothing else.
    (folder / "swanctl.conf").write_text("include conf.d/*.conf\n")
    for name in ("x509", "x509ca", "private"):
        shutil.rmtree(folder / name, ignore_errors=True)
    if not view.uses_psk:
        write_credentials(folder, view)
    done = daemon.host.run(
        *("env", f"SWANCTL_DIR={folder}", "swanctl", "--load-all", "--noprompt", "--clear"),
        *("--uri", f"unix://{daemon.control_socket}"),
    )
    assert done.returncode == 0, done.stderr + done.stdout
    assert f"loaded connection '{view.name}'" in done.stdout
    assert "successfully loaded 1 connections, 0 unloaded" in done.stdout


def write_credentials(folder: Path, view: Connection) -> None:
    """Certificate, key and authorities where the file's comment says that they go; two more authorities are trusted."""
    credential = certificates.authority(view.authentication).issue(view.local.identity, common_name=view.end_name)
    places = {"x509/local.pem": credential.certificate, "private/local.pem": credential.private_key}
    for kind in {view.authentication, *OTHERS}:
        trusted = certificates.authority(kind).issue(common_name="nobody")
        places |= {f"x509ca/{kind}.pem": trusted.root, f"x509ca/{kind}-sub.pem": trusted.intermediates[0]}
    for name, octets in places.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(octets)
