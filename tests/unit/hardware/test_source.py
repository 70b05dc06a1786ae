"""The bounded file view: what it refuses to read, follow or wait for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsecbench.hardware.source import (
    MAX_TEXT_BYTES,
    Source,
    parse_integer,
    parse_processor_list,
    printable,
)


def test_what_cannot_be_read_is_none(tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir()
    os.mkfifo(tmp_path / "fifo")
    source = Source(tmp_path)
    for path in ("missing", "directory", "fifo", "a/b/c", "fifo/x"):
        assert source.read(path) is None
        assert source.read_line(path) is None
        assert source.read_integer(path) is None
    assert source.names("missing") == ()
    assert not source.exists("missing")


def test_long_text_is_cut_after_a_whole_line(tmp_path: Path) -> None:
    (tmp_path / "long").write_bytes(b"x" * 99 + b"\n" + (b"y" * 99 + b"\n") * (MAX_TEXT_BYTES // 100 + 10))
    found = Source(tmp_path).read("long")
    assert found is not None
    assert found.is_truncated
    assert found.text.endswith("y\n")
    assert MAX_TEXT_BYTES - 100 < len(found.text) <= MAX_TEXT_BYTES


def test_text_of_exactly_the_bound_is_whole(tmp_path: Path) -> None:
    (tmp_path / "exact").write_bytes(b"z" * MAX_TEXT_BYTES)
    found = Source(tmp_path).read("exact")
    assert found is not None
    assert not found.is_truncated
    assert len(found.text) == MAX_TEXT_BYTES


def test_bytes_that_are_not_utf8_are_replaced_and_told(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b"model name\t: caf\xe9\n")
    found = Source(tmp_path).read("latin")
    assert found is not None
    assert not found.is_utf8
    assert found.text == "model name\t: caf\ufffd\n"


def test_links_never_leave_the_root(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (root / "usr" / "lib").mkdir(parents=True)
    (tmp_path / "secret").write_text("outside\n")
    (root / "usr" / "lib" / "os-release").write_text("ID=inside\n")
    (root / "etc" / "absolute").symlink_to("/usr/lib/os-release")
    (root / "etc" / "relative").symlink_to("../usr/lib/os-release")
    (root / "etc" / "climbing").symlink_to("../../../../secret")
    (root / "etc" / "out").symlink_to(tmp_path / "secret")
    (root / "etc" / "self").symlink_to("self")
    source = Source(root)
    assert source.read_text("etc/absolute") == "ID=inside\n"
    assert source.read_text("etc/relative") == "ID=inside\n"
    assert source.real_path("etc/relative") == "usr/lib/os-release"
    for path in ("etc/climbing", "etc/out", "etc/self", "../secret", "etc/../../secret"):
        assert source.read_text(path) is None
    assert source.link_name("etc/out") == "secret"
    assert source.link_name("usr/lib/os-release") is None


def test_values_are_safe_to_show(tmp_path: Path) -> None:
    (tmp_path / "hostile").write_bytes(b"\x1b[31mred\x07 \xe2\x80\xae\x00tail\nsecond\n")
    line = Source(tmp_path).read_line("hostile")
    assert line == "\ufffd[31mred\ufffd \ufffd tail"


def test_names_are_sorted_and_decodable(tmp_path: Path) -> None:
    for name in (b"b", b"a", b"\xff\xfe", b"c\n"):
        with open(os.path.join(os.fsencode(tmp_path), name), "wb"):
            pass
    assert Source(tmp_path).names("") == ("a", "b")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        (" -7\n", -7),
        ("", None),
        ("1.5", None),
        ("0x10", None),
        ("９", None),
        ("9" * 21, None),
        (None, None),
    ],
)
def test_integers(text: str | None, value: int | None) -> None:
    assert parse_integer(text) == value


@pytest.mark.parametrize(
    ("text", "processors"),
    [("0-3", (0, 1, 2, 3)), ("0,2-3", (0, 2, 3)), ("5", (5,)), ("", ()), ("3-1", ()), ("0-99999999", ()), ("a", ())],
)
def test_processor_lists(text: str, processors: tuple[int, ...]) -> None:
    assert parse_processor_list(text) == processors


@given(st.text())
def test_printable_is_printable_and_one_line(text: str) -> None:
    assert printable(text).isprintable()
