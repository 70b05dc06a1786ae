"""Tables of tunnels: what a row and its note say, one dataset for each device and way of running."""

from __future__ import annotations

import pytest

from ipsecbench.bench.measurement import Tier
from ipsecbench.errors import DatasetError
from ipsecbench.importers.formats import import_text
from ipsecbench.importers.readers.tunnels.names import Protection, protection
from ipsecbench.importers.readers.tunnels.notes import read_note
from ipsecbench.importers.text import text_of
from tests.unit.importers.reading import codes, data, dataset_of, datasets_of, figures, row

COLUMNS = "device,cpu,source,algorithm,packet_bytes,mbps,kpps,note\n"


@pytest.mark.parametrize(
    ("printed", "algorithm", "variants"),
    [
        ("AES-128-CBC + SHA1, single tunnel", "aes128-sha1", ("single tunnel",)),
        ("aes128gcm96 (software)", "aes128gcm12", ("software",)),
        ("aes-256-cbc-hmac-sha256 (EIP93)", "aes256-sha256", ("EIP93",)),
        ("AES_CBC-256/HMAC_SHA2_256_128, L2TP transport in UDP", "aes256-sha256", ("L2TP transport in UDP",)),
        ("DES3 SHA256", "3des-sha256", ()),
        ("AES256 SHA1", "aes256-sha1", ()),
        ("GCMAES256", "aes256gcm16", ()),
        ("IPsec, algorithm not stated", "unstated", ("algorithm not stated",)),
        ("ipsec aes-cbc-256-hmac-sha2-256", "aes256-sha256", ()),
        ("ipsec 309881.aes-cbc-128-hmac-sha1", "aes128-sha1", ("309881",)),
        ("ipsec IPSec.aes-cbc-128-hmac-sha1", "aes128-sha1", ("IPSec",)),
        ("ipsec null-netisr", "null", ("netisr",)),
        ("openvpn bf-cbc-128-hmac-sha1", "openvpn-blowfish128-sha1", ()),
        ("openvpn null", "openvpn-null", ()),
        ("ChaCha20-Poly1305", "chacha20poly1305", ()),
        ("camellia-256-cbc md5", "camellia256-md5", ()),
    ],
)
def test_what_tables_call_a_protection(printed: str, algorithm: str, variants: tuple[str, ...]) -> None:
    assert protection(printed) == Protection(algorithm, variants)


def test_what_notes_say() -> None:
    assert read_note("30/33 Mbit/s by direction").others == (30.0, 33.0)
    assert read_note("69–72 Mbit/s; midpoint entered").others == (69.0, 72.0)
    assert not read_note("2019-2020").others
    assert read_note("(median of 5, min 64 max 66)").others == (64.0, 66.0)
    assert read_note("uses the EIP-93 engine").is_engine
    assert not read_note("acceleration not in use; 130 Mbit/s without encryption").is_engine
    assert read_note("130 Mbit/s without encryption on the path").detail["without_encryption_mbps"] == 130.0
    assert [code for code, _ in read_note("vendor figure").verdicts] == ["vendor-figure"]
    assert [code for code, _ in read_note("Highest of 10 runs").verdicts] == ["best-of-runs"]


def test_a_device_has_its_rows_and_what_they_are_worth() -> None:
    table = (
        COLUMNS
        + 'Box A,"SoC, 4x Cortex-A15 1.4 GHz",https://example.org/a,AES-128-CBC + SHA1,1400,1031.5,92.1,vendor figure\n'
        + 'Box A,"SoC, 4x Cortex-A15 1.4 GHz",https://example.org/a,AES-128-CBC + SHA1,64,,92.3,vendor figure\n'
        + "Box B,not stated,,GCMAES256,,300,,\n"
        + "Box B,not stated,,GCMAES128,1000,80,20,\n"
        + "Box B,not stated,,AES256 SHA1,1000,rubbish,,\n"
    )
    first, second = datasets_of(table, "tunnel-table")
    assert figures(first) == {
        ("both", "aes128-sha1", 1400): ((1031.5, "Mbit/s"),),
        ("both", "aes128-sha1", 64): ((92300.0, "op/s"),),
    }
    small = row(first, "both", "aes128-sha1", 64).megabits_per_second
    assert small is not None
    assert small.median == pytest.approx(92.3 * 64 * 8 / 1000)
    assert first.environment["hardware"]["cpu"] == {"model": "SoC, 4x Cortex-A15 1.4 GHz", "cores": 4}
    assert first.source is not None
    assert (first.source.device, first.source.url) == ("Box A", "https://example.org/a")
    assert codes(first) >= {"vendor-figure", "table-of-others"}
    assert row(second, "both", "aes256gcm16", 1400).flags[0] == "size-assumed"
    assert "inconsistent" in row(second, "both", "aes128gcm16").flags  # 20 kpps of 1000 octets are 160 Mbit/s
    assert second.source is not None
    assert [(one.line, one.reason) for one in second.source.unread] == [(6, "neither mbps nor kpps is a number")]


def test_an_engine_is_another_run_of_the_device() -> None:
    table = COLUMNS + "R,SoC,,aes128gcm96 (software),,30,,30/33 Mbit/s by direction\nR,SoC,,aes128gcm96 (EIP93),,45,,\n"
    software, engine = datasets_of(table, "tunnel-table")
    assert [figure.value for figure in software.measurements[0].published] == [30.0, 33.0]
    assert "offload-engine" in engine.measurements[0].flags
    assert "offload-engine" not in codes(software)


def test_wireguard_on_one_box() -> None:
    table = (
        "# source: https://example.org/wg\ndevice_cpu,os_kernel,mbps,note\n"
        "Router / SoC X,OpenWrt 23.05.2 / 5.15.137,82.5,\nRouter / SoC X,OpenWrt 24.10 / 6.6.73,90,Highest of 10 runs\n"
    )
    old, new = datasets_of(table, "tunnel-table")
    assert figures(old) == {("both", "wireguard", 1420): ((82.5, "Mbit/s"),)}
    assert old.measurements[0].workload.tier is Tier.KERNEL
    assert old.environment["hardware"] == {
        "cpu": {"model": "SoC X"},
        "platform": {"device_model": "Router", "kernel_release": "5.15.137", "operating_system": "OpenWrt 23.05.2"},
    }
    assert codes(old) >= {"both-ends-on-one-box", "size-assumed"}
    assert "best-of-runs" in codes(new)


def test_results_of_netbenches() -> None:
    dataset = dataset_of(data("netbenches-atom-c2558.txt"), "netbenches")
    assert figures(dataset)["both", "aes128gcm16", 542] == ((401.0, "Mbit/s"), (397.0, "Mbit/s"), (402.0, "Mbit/s"))
    assert figures(dataset)["both", "null", 542][0] == (588.0, "Mbit/s")
    assert len(dataset.measurements) == 5
    found = row(dataset, "both", "aes128-sha1").ns_per_operation
    assert found is not None
    assert found.median == pytest.approx(542 * 8 / 0.230)  # 230 Mbit/s of frames of 542 octets
    assert dataset.environment["hardware"]["cpu"]["cores"] == 4
    assert dataset.source is not None
    assert dataset.source.device == "Netgate RCC-VE 4860"
    assert str(dataset.source.licence).startswith("BSD-2-Clause")
    assert dataset.source.unread_lines == 0


def test_two_builds_of_a_kernel_are_two_runs() -> None:
    first, second = datasets_of(data("netbenches-atom-c2558-projects.txt"), "netbenches")
    assert [figure.value for figure in row(first, "both", "aes128-sha1").published] == [239.0, 208.0, 245.0]
    assert [figure.value for figure in row(second, "both", "aes128-sha1").published] == [259.0, 258.0, 259.0]
    assert "spread-wide" in codes(first)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (COLUMNS, "without a row"),
        (COLUMNS + 'a,b,"c\nd,e\n', "not CSV"),
        (COLUMNS + "a,b,c,aes128,1400,0,,\n", "no row"),
        ("Product name,CPU\nx,y\n", "list of products"),
        ("#index median minimum maximum\n", "no line with a median"),
    ],
)
def test_tables_that_give_nothing_say_why(text: str, reason: str) -> None:
    with pytest.raises(DatasetError, match=reason):
        import_text(text_of(text.encode()))


def test_a_row_of_another_width_is_named() -> None:
    dataset = dataset_of(COLUMNS + "A,b,,aes256 sha1,1000,80,,\nA,b,,aes128\n", "tunnel-table")
    assert dataset.source is not None
    assert [one.line for one in dataset.source.unread] == [3]
