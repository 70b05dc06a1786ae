"""Texts of others are bounded, unpacked and decoded, or refused with the reason."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from ipsecbench.errors import DatasetError
from ipsecbench.importers import text as module
from ipsecbench.importers.text import LONGEST_LINE, read_text, text_of


def test_line_ends_and_marks_of_any_system() -> None:
    assert text_of(b"a\r\nb\rc\n").lines == ("a", "b", "c", "")
    assert text_of("\ufeffé".encode()).content == "é"
    assert text_of("\ufeffé".encode("utf-16-le")).content == "é"
    latin = text_of(b"caf\xe9")
    assert not latin.is_utf8
    assert latin.content == "caf\ufffd"


def test_the_header_says_where_a_text_comes_from() -> None:
    header = text_of(b"# source: https://example.org/a: b\n# Device: Box <1>\n\nnot: header\n# late: no\n").header
    assert header == {"source": "https://example.org/a: b", "device": "Box <1>"}


def test_gzip_is_unpacked_and_its_name_too(tmp_path: Path) -> None:
    path = tmp_path / "speed.txt.gz"
    path.write_bytes(gzip.compress(b"aes-128-cbc"))
    text = read_text(path)
    assert (text.content, text.name, text.sha256) == ("aes-128-cbc", "speed.txt", text_of(b"aes-128-cbc").sha256)


def test_a_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST_FILE_BYTES", 10_000)
    with pytest.raises(DatasetError, match="larger than"):
        text_of(gzip.compress(bytes([97]) * 20_000_000))
    with pytest.raises(DatasetError, match="larger than"):
        text_of(b"a" * 10_001)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (gzip.compress(b"hello", mtime=0)[:-9], "cut short"),
        (b"\x1f\x8bnonsense", "damaged gzip"),
        (b"ELF\0\0", "octets of value 0"),
    ],
)
def test_what_is_no_text_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(DatasetError, match=reason):
        text_of(content)


def test_a_line_without_end_is_cut_and_named() -> None:
    text = text_of(b"a" * (LONGEST_LINE + 5) + b"\nb")
    assert text.cut_lines == (1,)
    assert (len(text.lines[0]), text.lines[1]) == (LONGEST_LINE, "b")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"none.txt: No such file"):
        read_text(tmp_path / "none.txt")


def test_more_lines_than_anybody_writes_are_refused() -> None:
    assert len(text_of(b"a\r\n" * 1000).lines) == 1001
    for end in (b"\n", b"\r", b"\r\n"):
        with pytest.raises(DatasetError, match="more than 1,000,000 lines"):
            text_of(end * 1_000_001)
