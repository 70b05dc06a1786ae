"""The limited log, and the key log on disk."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from ipsecbench.errors import UsageError
from ipsecbench.lab.key_log_files import KeyLogFiles
from ipsecbench.lab.limited_log import LimitedLog


def test_a_cause_is_logged_once_a_second_and_the_rest_is_counted() -> None:
    lines: list[str] = []
    now = [100.0]
    log = LimitedLog(lines.append, lambda: now[0])
    for step in range(1000):
        now[0] = 100.0 + step / 400
        log("bad-icv", f"number {step}")
        if step == 500:
            log("unknown-spi", "another cause")
    assert lines == [
        "bad-icv: number 0",
        "bad-icv: number 400 (399 more since the last line)",
        "unknown-spi: another cause",
        "bad-icv: number 800 (399 more since the last line)",
    ]


def test_the_key_log_is_for_its_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    old = os.umask(0)
    try:
        log = KeyLogFiles(folder)
        log.close()
    finally:
        os.umask(old)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for name in ("ikev2_decryption_table", "ikev1_decryption_table", "esp_sa"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600


def test_a_link_in_the_key_log_s_place_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "esp_sa").symlink_to(victim)
    with pytest.raises(UsageError, match="key log"):
        KeyLogFiles(tmp_path / "keys")
    assert victim.read_text() == "untouched"
