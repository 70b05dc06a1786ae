"""The key log on disk: Wireshark's tables in a folder, readable by their owner only."""

from __future__ import annotations

import os
from pathlib import Path

from ipsecbench.errors import UsageError
from ipsecbench.ike.events import Event
from ipsecbench.ike.key_log import TABLES, key_log_lines


class KeyLogFiles:
    """Appends to ``ikev2_decryption_table``, ``ikev1_decryption_table`` and ``esp_sa`` in a folder.

    Args:
        folder: is made where it does not exist; its files get mode 0600.

    Raises:
        UsageError: the folder or a file in it cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._descriptors: dict[str, int] = {}
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for name in TABLES:
                self._descriptors[name] = os.open(folder / name, flags, 0o600)
                os.fchmod(self._descriptors[name], 0o600)
        except OSError as error:
            self.close()
            raise UsageError(f"key log {folder}: {error.strerror}") from error

    def write(self, event: Event) -> None:
        """Write the lines of an event, if it has keys."""
        for line in key_log_lines(event):
            os.write(self._descriptors[line.table], f"{line.text}\n".encode("ascii"))

    def close(self) -> None:
        """Close the files."""
        for descriptor in self._descriptors.values():
            os.close(descriptor)
        self._descriptors.clear()
