"""Figures of others become rows whose interval says how little is known of their spread."""

from __future__ import annotations

import math

import pytest

from ipsecbench.bench.measurement import Tier, Workload
from ipsecbench.bench.published import Unit
from ipsecbench.dataset.codec import from_document, to_document
from ipsecbench.importers.sheet import Sheet, printable
from ipsecbench.importers.text import text_of

WORK = Workload(Tier.PRIMITIVE, "openssl-speed", "encrypt", "aes128", 1000)


def sheet() -> Sheet:
    return Sheet(text_of(b"# device: Box\n# source: https://example.org\n1000k\nrubbish", "a.txt"), "openssl-speed")


def test_one_figure_is_given_an_assumed_interval_and_says_so() -> None:
    made = sheet()
    made.figure(WORK, 1000.0, Unit.KILOBYTES, 3)
    dataset = made.dataset()
    (row,) = dataset.measurements
    assert row.ns_per_operation is not None
    assert row.ns_per_operation.median == pytest.approx(1e6)
    assert (row.ns_per_operation.lower, row.ns_per_operation.upper) == pytest.approx((0.95e6, 1.05e6))
    assert row.flags == ("spread-assumed",)
    assert dataset.label == "Box"
    assert dataset.source is not None
    assert (dataset.source.device, dataset.source.url) == ("Box", "https://example.org")
    assert {verdict.code for verdict in dataset.verdicts} == {"spread-assumed", "date-unknown"}
    assert from_document(to_document(dataset)) == dataset


def test_repeated_figures_are_one_row_with_their_spread() -> None:
    made = sheet()
    for value in (1000.0, 1250.0):
        made.figure(WORK, value, Unit.KILOBYTES, 3)
    (row,) = made.dataset().measurements
    assert row.ns_per_operation is not None
    assert (row.ns_per_operation.lower, row.ns_per_operation.upper) == pytest.approx((0.8e6, 1e6))
    assert row.flags == ("spread-wide",)


@pytest.mark.parametrize("value", [math.nan, math.inf, -1.0, 0.0, 1e300, 5e-324])
def test_impossible_figures_are_named_and_not_taken(value: float) -> None:
    made = sheet()
    made.figure(WORK, value, Unit.KILOBYTES, 4)
    dataset = made.dataset()
    assert dataset.measurements == ()
    assert dataset.source is not None
    assert dataset.source.unread_lines == 1
    assert (dataset.source.unread[0].line, dataset.source.unread[0].text) == (4, "rubbish")


def test_text_of_others_cannot_steer_a_terminal() -> None:
    assert printable("a\x1b[31m\nb\u202ec") == "a\ufffd[31m b\ufffdc"


@pytest.mark.parametrize(
    ("line", "url", "licence"),
    [
        ("source: https://a.example/b (BSD-3-Clause, (c) 2018 A)", "https://a.example/b", "BSD-3-Clause, (c) 2018 A"),
        ("source: https://a.example/b (2019; a board)", "https://a.example/b", None),
        ("source: https://a.example/b\n# licence: MIT", "https://a.example/b", "MIT"),
        ("source: the owner's own words", "the owner's own words", None),
    ],
)
def test_address_and_licence_are_told_apart(line: str, url: str, licence: str | None) -> None:
    source = Sheet(text_of(f"# {line}\n".encode()), "openssl-speed").dataset().source
    assert source is not None
    assert (source.url, source.licence) == (url, licence)
