"""What every command does with an error: one line, its exit code, and nothing that steers the terminal."""

from __future__ import annotations

import pytest

from ipsecbench.cli import main


def test_names_of_others_do_not_steer_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "box\x1b]0;owned\x07\x1b[31m\u202e\x9b\n é.json"
    monkeypatch.setattr("sys.argv", ["ipsecbench", "recommend", name])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    line = capsys.readouterr().err
    assert line == ("ipsecbench: box\\x1b]0;owned\\x07\\x1b[31m\\u202e\\x9b é.json: No such file or directory\n")
