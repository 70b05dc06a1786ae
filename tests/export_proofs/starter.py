"""strongSwan started by its starter, which reads ipsec.conf and ipsec.secrets and tells the daemon over stroke.

The starter, the daemon ``charon`` and the plugin stroke are unpacked and not installed. In a mount namespace of its own
the daemon sees them where they belong, over the installed ones, and the exported files as those of ``/etc``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ipsecbench.lab.namespaces import Host
from ipsecbench.lab.strongswan import PLUGINS, StrongSwan
from tests.export_proofs.unpacked import program

_SCRIPT = """#!/bin/sh
set -e
mount -t overlay overlay -o lowerdir={starter}/usr/lib/ipsec:{charon}/usr/lib/ipsec:/usr/lib/ipsec /usr/lib/ipsec
mount -t tmpfs tmpfs /run
mount -t overlay overlay -o lowerdir={etc}:/etc /etc
exec /usr/lib/ipsec/starter --nofork
"""


class StarterDaemon(StrongSwan):
    """A daemon whose connections and secrets come from files in :attr:`etc`."""

    def __init__(self, host: Host, folder: Path, plugins: Sequence[str] = PLUGINS) -> None:
        """
        Args:
            host: where it runs.
            folder: an empty folder; ``etc`` below it is laid over ``/etc``.
            plugins: what it loads beside stroke.
        """
        self.etc = folder / "etc"
        self.etc.mkdir()
        script = folder / "start"
        starter = program("strongswan-starter", "usr/lib/ipsec/starter").parents[3]
        charon = program("strongswan-charon", "usr/lib/ipsec/charon").parents[3]
        script.write_text(_SCRIPT.format(starter=starter, charon=charon, etc=self.etc))
        script.chmod(0o700)
        super().__init__(host, program=script, plugins=(*plugins, "stroke"))

    def _write_settings(self) -> None:
        super()._write_settings()
        path = self._directory / "strongswan.conf"
        # The line of the packages' strongswan.conf; the laboratory's own settings stand behind it.
        included = f"include {self.etc}/strongswan.d/*.conf\n"
        path.write_text(included + path.read_text().replace("charon-systemd {", "charon {"))
