"""iperf3: real documents of 3.12; what they do not say is said beside the figure."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from ipsecbench.dataset.model import is_unfit
from ipsecbench.errors import DatasetError
from ipsecbench.importers.formats import import_text
from ipsecbench.importers.text import text_of
from tests.unit.importers.reading import codes, data, dataset_of, datasets_of, figures


def document(name: str) -> dict[str, Any]:
    """A real document, to be changed."""
    found: dict[str, Any] = json.loads(data(f"iperf3-3.12-{name}.json").content)
    return copy.deepcopy(found)


def test_tcp_through_what_its_title_says() -> None:
    dataset = dataset_of(data("iperf3-3.12-tcp.json"), "iperf3")
    assert figures(dataset) == {("outbound", "wireguard", 32768): ((20766144352.720654, "bit/s"),)}
    (found,) = dataset.measurements
    line = found.published[0].line
    assert line is not None
    assert "20766144352" in data("iperf3-3.12-tcp.json").lines[line - 1]
    assert dataset.created == "2026-11-27T21:05:54+00:00"
    assert dataset.environment["hardware"]["platform"]["kernel_release"] == "6.18.44-fc-v595"
    assert {"carrier-stated", "both-ends-on-one-box"} <= codes(dataset)
    assert found.detail["retransmits"] == 13


def test_without_a_title_nothing_is_known_of_the_carrier() -> None:
    dataset = dataset_of(data("iperf3-3.12-rev.json"), "iperf3")
    assert figures(dataset) == {("inbound", "unstated", 32768): ((14416831964.400927, "bit/s"),)}
    assert "carrier-unknown" in codes(dataset)


def test_both_directions_at_once_are_added_up() -> None:
    dataset = dataset_of(data("iperf3-3.12-bidir.json"), "iperf3")
    (found,) = dataset.measurements
    assert found.workload.operation == "both"
    assert found.published[0].value == pytest.approx(6766474090.698265 + 6124289209.070824)


def test_what_udp_lost_did_not_arrive() -> None:
    dataset = dataset_of(data("iperf3-3.12-udp.json"), "iperf3")
    assert figures(dataset) == {("outbound", "unstated", 1400): ((571740882.429992, "bit/s"),)}
    assert "packets-lost" in codes(dataset)
    assert "rate-limited" not in codes(dataset)


def test_udp_of_old_versions_has_what_was_sent_and_what_was_lost() -> None:
    changed = document("udp")
    del changed["end"]["sum_received"]
    (found,) = dataset_of(json.dumps(changed), "iperf3").measurements
    assert found.published[0].value == pytest.approx(599758709.5309736 * (1 - 0.04665558709291903))


def test_a_sender_that_was_held_back_says_nothing_of_the_box() -> None:
    changed = document("udp")
    for part in ("sum", "sum_received"):
        changed["end"][part].update(lost_percent=0, bits_per_second=599758709.5, bytes=149945600, seconds=2.000079)
    dataset = dataset_of(json.dumps(changed), "iperf3")
    assert all(is_unfit(one) for one in dataset.measurements)


@pytest.mark.parametrize(
    ("title", "algorithm"),
    [
        ("ESP aes256gcm16 over the Internet", "aes256gcm16"),
        ("ipsec AES-128-CBC SHA1", "aes128-sha1"),
        ("baseline, no encryption", "cleartext"),
        ("OpenVPN AES-256-GCM", "openvpn-aes256gcm16"),
        ("wg0", "wireguard"),
        ("run 5 in the office", "unstated"),
    ],
)
def test_what_titles_name(title: str, algorithm: str) -> None:
    changed = document("rev")
    changed["title"] = title
    (found,) = dataset_of(json.dumps(changed), "iperf3").measurements
    assert found.workload.algorithm == algorithm


def test_several_runs_in_one_text() -> None:
    both = (
        data("iperf3-3.12-rev.json").content
        + data("iperf3-3.12-error.json").content
        + data("iperf3-3.12-tcp.json").content
    )
    assert len(datasets_of(both, "iperf3")) == 2


def test_a_stream_of_events() -> None:
    whole = document("tcp")
    events = [{"event": name, "data": whole[name]} for name in ("start", "end")]
    dataset = dataset_of("\n".join(json.dumps(one) for one in events), "iperf3")
    assert figures(dataset) == {("outbound", "unstated", 32768): ((20766144352.720654, "bit/s"),)}


def test_a_failed_run_says_why() -> None:
    with pytest.raises(DatasetError, match="unable to connect to server: Connection refused"):
        import_text(data("iperf3-3.12-error.json"))


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        (("end",), {}, "no beginning or no end"),
        (("end", "sum_received", "bits_per_second"), "fast", "no sum of what was received"),
        (("end", "sum_received", "bits_per_second"), True, "no sum of what was received"),
        (("end", "sum_received", "bits_per_second"), 0, "rate is 0"),
        (("start", "test_start", "protocol"), "\x1b[31mQUIC", "no protocol that is known"),
        (("end",), [1], "no beginning or no end"),
    ],
)
def test_documents_without_a_rate_say_so(path: tuple[str, ...], value: object, reason: str) -> None:
    changed = document("rev")
    place = changed
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    with pytest.raises(DatasetError, match=reason) as caught:
        import_text(text_of(json.dumps(changed).encode()), "iperf3")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("number", ["1e999", "NaN", "-Infinity", "9" * 400])
def test_numbers_beyond_every_measure_are_refused(number: str) -> None:
    content = data("iperf3-3.12-rev.json").content.replace("14416831964.400927", number)
    assert number in content
    with pytest.raises(DatasetError, match="not JSON, or cut short"):
        import_text(text_of(content.encode()), "iperf3")


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(DatasetError, match="not JSON, or cut short"):
        import_text(text_of(b'{"start": {"version": "iperf 3.1"}, "end": ' + b"[" * 200_000), "iperf3")
