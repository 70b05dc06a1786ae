"""The forms that output of ``openssl speed`` comes in: counts, processes, ``-mr``, several runs, forums, cuts."""

from __future__ import annotations

import pytest

from ipsecbench.errors import DatasetError
from ipsecbench.importers.readers.openssl_speed import Box, read_tables, reader
from ipsecbench.importers.sheet import Sheet
from ipsecbench.importers.text import text_of
from tests.unit.importers.readers.openssl.reading import dataset, datasets, flags, rate, row, value

HEAD = "The 'numbers' are in 1000s of bytes per second processed.\n"
SIZES = "type             16 bytes     64 bytes    256 bytes   1024 bytes   8192 bytes\n"
AES = "aes-128-cbc      86990.39k   159981.03k   203519.57k   213804.37k   230249.81k\n"


def unread(text: str) -> list[tuple[int, str]]:
    source = dataset(text).source
    assert source is not None
    assert len(source.unread) == source.unread_lines
    return [(one.line, one.reason) for one in source.unread]


def test_counts_are_the_figures_where_there_is_no_table() -> None:
    made = dataset(
        "Doing aes-128-cbc for 3s on 64 size blocks: 1140884 aes-128-cbc's in 2.97s\nOpenSSL 1.1.1c 28 May 2019"
    )
    # 1140884 / 2.97 calls a second.
    assert value(made, "encrypt", "aes128", 64) == (pytest.approx(384136.0269), "op/s")
    # An alarm ends the loop after 3 seconds: 2.97 can only be processor time.
    assert flags(made, "encrypt", "aes128", 64) == {"cpu-time"}


def test_counts_and_table_are_held_against_each_other() -> None:
    count = "Doing aes-128-cbc for 3s on {} size blocks: {} aes-128-cbc's in 3.00s\n"
    # 16310698 * 16 / 3 is 86990.389k; 7499111 * 64 / 3 is 159981.035k.
    good, bad = count.format(16, 16310698) + count.format(64, 7499111), count.format(256, 2384995)
    made = dataset(
        f"OpenSSL 1.1.1c\n{good}{bad}{HEAD}{SIZES}{AES}".replace("OpenSSL 1.1.1c\n", "", 1) + "OpenSSL 1.1.1c\n"
    )
    assert value(made, "encrypt", "aes128", 16) == (86990.39, "kB/s")
    assert "inconsistent" not in flags(made, "encrypt", "aes128", 16) | flags(made, "encrypt", "aes128", 64)
    # 2384995 * 256 / 3 is 203519.573k; a tenth more is not.
    assert "inconsistent" not in flags(made, "encrypt", "aes128", 256)
    worse = dataset(f"{count.format(256, 2623494)}{HEAD}{SIZES}{AES}")
    assert "inconsistent" in flags(worse, "encrypt", "aes128", 256)


def test_a_message_in_the_middle_of_a_count() -> None:
    text = "Doing AES-128-GCM ops for 3s on 16 size blocks: Error finalizing cipher loop\n"
    text += "78517825 AES-128-GCM ops in 2.99s\n"
    made = dataset(f"openssl speed -evp aes-128-gcm -decrypt\n{text}version: 3.3.2\n")
    assert value(made, "decrypt", "aes128gcm16", 16) == (pytest.approx(78517825 / 2.99), "op/s")
    assert {"tag-not-checked", "gcm-stream", "cpu-time"} <= flags(made, "decrypt", "aes128gcm16", 16)


def test_counts_of_keys() -> None:
    made = dataset(
        "Doing 2048 bit private rsa's for 10s: 6073 2048 bit private RSA's in 10.00s\n"
        "Doing 2048 bits public rsa verify ops for 10s: 208015 2048 bits public RSA verify ops in 9.99s\n"
        "Doing 256 bit sign ecdsa's for 10s: 100000 256 bit ECDSA signs in 10.00s \n"
        "Doing 253 bits sign Ed25519's for 10s: 120000 253 bits Ed25519 signs in 10.00s \n"
        "Doing 521 bits  ecdh's for 10s: 57051 521-bits ECDH ops in 10.00s\n"
        "Doing 2048 bits ffdh ops for 10s: 4880 2048-bits FFDH ops in 10.00s\n"
        "Doing ML-KEM-768 encaps ops for 10s: 250000 ML-KEM-768 KEM encaps ops in 10.00s\n"
        "Doing 256 bits verify prime256v1 ops for 10s: 90000 prime256v1 verify ops in 10.00s\n"
    )
    assert value(made, "sign", "rsa-2048") == (pytest.approx(607.3), "op/s")
    assert value(made, "verify", "rsa-2048") == (pytest.approx(208015 / 9.99), "op/s")
    assert value(made, "sign", "ecdsa-256") == (10000.0, "op/s")
    assert value(made, "sign", "ed25519") == (12000.0, "op/s")
    assert value(made, "agree", "ecp521") == (5705.1, "op/s")
    assert value(made, "agree", "modp2048") == (488.0, "op/s")
    assert value(made, "encapsulate", "mlkem768") == (25000.0, "op/s")
    assert value(made, "verify", "ecdsa-256") == (9000.0, "op/s")


def test_a_count_that_does_not_say_its_curve() -> None:
    # Since 1.1.1 there are three curves of 256 bits.
    text = "Doing 256 bits  ecdh's for 10s: 295334 256-bits ECDH ops in 10.00s\n"
    with pytest.raises(DatasetError, match="the curve is not stated"):
        dataset(text)
    assert dataset(text.replace(" bits ", " bit ")).measurements[0].workload.algorithm == "ecp256"


CHILDREN = """Forked child 0
+DT:sha1:1:64
+DT:sha1:1:64
+R:1098702:sha1:1.010000
+DTP:1024:private:rsa:1
+R:1338032:sha1:1.000000
+DTP:1024:private:rsa:1
+R1:2304:1024:1.00
+R1:2277:1024:1.01
Forked child 1
Got: +H:64 from 0
Got: +F:4:sha1:69620720.79 from 0
Got: +F2:1:1024:2304.000000:38508.910891 from 0
Got: +H:64 from 1
Got: +F:4:sha1:85634048.00 from 1
Got: +F2:1:1024:2254.455446:38865.000000 from 1
"""


def test_processes_and_their_total() -> None:
    # What OpenSSL 3.0.19 prints with -multi 2: no line with the sizes above the table.
    text = (
        f"{CHILDREN}version: 3.0.19\nsha1            155254.77k\n                  sign    verify    sign/s verify/s\n"
    )
    made = dataset(text + "rsa 1024 bits 0.000219s 0.000013s   4558.5  77373.9\n")
    assert [one.workload.cores for one in made.measurements] == [2, 2, 2]
    assert value(made, "digest", "sha1", 64, 2) == (155254.77, "kB/s")
    assert value(made, "sign", "rsa-1024", None, 2) == (4558.5, "op/s")
    assert flags(made, "digest", "sha1", 64, 2) == {"divisor-unknown"}
    wrong = dataset(text.replace("155254.77k", "165254.77k"))
    assert "inconsistent" in flags(wrong, "digest", "sha1", 64, 2)


def test_processes_without_their_total() -> None:
    made = dataset(CHILDREN)
    assert rate(made, "digest", "sha1", 64, 2) == pytest.approx(69620720.79 + 85634048.00)
    assert rate(made, "verify", "rsa-1024", None, 2) == pytest.approx(38508.910891 + 38865)
    assert "multi-summed" in flags(made, "digest", "sha1", 64, 2)


def test_total_of_machine_readable_processes() -> None:
    made = dataset(f"{CHILDREN}+F:4:sha1:155254768.79\n+F2:1:1024:4558.455446:77373.910891\n")
    assert value(made, "digest", "sha1", 64, 2) == (155254768.79, "B/s")
    assert value(made, "verify", "rsa-1024", None, 2) == (77373.910891, "op/s")
    assert "multi-summed" not in flags(made, "digest", "sha1", 64, 2)


def test_counts_of_processes_alone_are_put_to_their_sizes_in_order() -> None:
    made = dataset(
        "openssl speed -multi 2 -evp aes-128-gcm\nForked child 0\nForked child 1\n"
        "+DT:AES-128-GCM:3:16\n+DT:AES-128-GCM:3:16\n+R:300:AES-128-GCM:3.000000\n+DT:AES-128-GCM:3:64\n"
        "+R:600:AES-128-GCM:3.000000\n+DT:AES-128-GCM:3:64\n+R:30:AES-128-GCM:3.000000\n"
    )
    # 100 and 200 calls a second. Of the 64 octets only one of two processes is there.
    assert value(made, "encrypt", "aes128gcm16", 16, 2) == (300.0, "op/s")
    assert len(made.measurements) == 1
    assert made.source is not None
    assert [one.line for one in made.source.unread] == [10]


def test_evp_is_the_cipher_that_the_command_names() -> None:
    text = "{}type 16 bytes 64 bytes\nevp 57102.53k 100105.00k\n"
    made = dataset(text.format("$ openssl speed -elapsed -multi 2 -evp aes-128-cbc\n"))
    assert value(made, "encrypt", "aes128", 64, 2) == (100105.0, "kB/s")
    with pytest.raises(DatasetError, match="which cipher"):
        dataset(text.format(""))


@pytest.mark.parametrize(
    ("version", "line", "workload", "expected"),
    [
        ("version: 3.5.7", "+F7:0:256:CurveSM2:2862.3:3079.5", ("sign", "sm2"), 2862.3),
        ("version: 3.5.7", "+F6:0:253:Ed25519:25270.2:7743.6", ("verify", "ed25519"), 7743.6),
        ("version: 3.5.7", "+F8:0:2048:488.000000:0.002049", ("agree", "modp2048"), 488.0),
        ("version: 4.0.2", "+F7:0:2048:488.000000:0.002049", ("agree", "modp2048"), 488.0),
        ("version: 4.0.2", "+F4:22:253:25270.2:7743.6", ("sign", "ed25519"), 25270.2),
        ("version: 4.0.2", "+F5:24:253:17662.000000:0.000057", ("agree", "x25519"), 17662.0),
        ("version: 3.0.17", "+F5:22:253:17662.000000:0.000057", ("agree", "x25519"), 17662.0),
        ("version: 3.0.17", "+F5:16:256:2482.300000:0.000403", ("agree", "ecp256bp"), 2482.3),
        ("version: 3.0.17", "+F4:3:256:34201.900000:11082.700000", ("verify", "ecdsa-256"), 11082.7),
        ("OpenSSL 1.0.2k  26 Jan 2017", "+F5:3:256:0.000062:16129.032258", ("agree", "ecp256"), 1 / 0.000062),
        ("OpenSSL 1.0.2k  26 Jan 2017", "+F3:2:2048:0.000263:0.000300", ("verify", "dsa-2048"), 1 / 0.0003),
    ],
)
def test_machine_readable_lines_of_keys(version: str, line: str, workload: tuple[str, str], expected: float) -> None:
    assert rate(dataset(f"{version}\n{line}\n"), *workload) == pytest.approx(expected)


def test_machine_readable_encapsulation_is_named_by_the_loops_before_it() -> None:
    loops = "".join(
        f"+DTP:{name}:{step}:10\n" for name in ("ML-KEM-512", "ML-KEM-768") for step in ("keygen", "encaps", "decaps")
    )
    figures = "+F9:5:10000.0:20000.0:30000.0\n+F9:6:1000.0:2000.0:3000.0\n"
    made = dataset(loops + figures)
    assert value(made, "decapsulate", "mlkem512") == (30000.0, "op/s")
    assert value(made, "encapsulate", "mlkem768") == (2000.0, "op/s")
    with pytest.raises(DatasetError, match="does not tell the names"):
        dataset(figures)


def test_seconds_or_rates_are_not_guessed_between_half_and_two() -> None:
    with pytest.raises(DatasetError, match="the version is not stated"):
        dataset("+F3:2:2048:0.9:1.1\n")


def test_several_boxes_and_settings_in_one_text() -> None:
    table = f"{SIZES}{AES}"
    tuned = table.replace("86990", "96990")
    text = f"=== Router A ===\nDefault:\n{table}Tuned:\n{tuned}\n=== Router B ===\nDefault:\n{table}"
    made = datasets(text)
    assert [one.source.part for one in made if one.source] == [
        "1 of 3: Router A; Default",
        "2 of 3: Router A; Tuned",
        "3 of 3: Router B; Default",
    ]
    assert [value(one, "encrypt", "aes128", 16)[0] for one in made] == [86990.39, 96990.39, 86990.39]


def test_runs_of_the_same_thing_are_repetitions() -> None:
    made = dataset(f"OpenSSL 1.1.1n  15 Mar 2022\n{SIZES}{AES}{AES.replace('86990', '87191')}")
    figures = row(made, "encrypt", "aes128", 16).published
    assert [(one.value, one.line) for one in figures] == [(86990.39, 3), (87191.39, 4)]


def test_calls_below_evp_and_through_it_do_not_mix() -> None:
    head = f"OpenSSL 1.1.1n  15 Mar 2022\n{SIZES}"
    below, through = datasets(f"{head}{AES.replace('aes-128-cbc', 'aes-128 cbc')}{head}{AES}")
    assert "instructions-unknown" in flags(below, "encrypt", "aes128", 16)
    assert "instructions-unknown" not in flags(through, "encrypt", "aes128", 16)


@pytest.mark.parametrize(
    "text",
    [
        f"[code]\n{SIZES}{AES}[/code]",
        f"```\n{SIZES}{AES}```",
        "".join(f"> {line}\n" for line in (SIZES + AES).splitlines()),
        (SIZES + AES).replace(" ", "&nbsp;"),
        (SIZES + AES).replace("  ", "\u00a0 "),
        (SIZES + AES).replace("86990.39k", "**86990.39k**"),
        (SIZES + AES).replace("86990.39k", "<b>86990.39k</b>"),
        f"<pre>{SIZES}{AES}</pre>",
        (SIZES + AES).replace("86990.39k", "86,990.39k").replace("230249.81k", "230,249.81k"),
        (SIZES + AES).replace(".39k", ",39k").replace(".81k", ",81k"),
        "\ufeff" + (SIZES + AES).replace("\n", "\r\n"),
        "| type | 16 bytes | 64 bytes | 256 bytes | 1024 bytes | 8192 bytes |\n|---|---|---|---|---|---|\n"
        "| aes-128-cbc | 86990.39k | 159981.03k | 203519.57k | 213804.37k | 230249.81k |",
        (SIZES + AES).replace("   8192 bytes", "\n   8192 bytes").replace("   230249.81k", "\n   230249.81k"),
        (SIZES + AES).replace("8192 bytes", "8192\nbytes").replace("230249.81k", "2302\n49.81k"),
        " ".join(SIZES.split()) + "\n" + " ".join(AES.split()),
    ],
)  # fmt: skip
def test_forums_mail_and_terminals(text: str) -> None:
    made = dataset(text)
    assert value(made, "encrypt", "aes128", 16) == (86990.39, "kB/s")
    assert value(made, "encrypt", "aes128", 8192) == (230249.81, "kB/s")
    assert len(made.measurements) == 5
    assert unread(text) == []


def test_a_text_that_ends_within_a_row() -> None:
    made = dataset(f"{SIZES}aes-128-cbc      86990.39k   159981.03k   2035")
    assert {one.workload.size_bytes for one in made.measurements} == {16, 64}
    assert "cut-short" in flags(made, "encrypt", "aes128", 16)
    assert unread(f"{SIZES}aes-128-cbc      86990.39k   159981.03k   2035") == [(2, "its last number is cut off")]


def test_a_row_with_a_value_missing_in_the_middle_is_not_guessed() -> None:
    short = AES.replace("   203519.57k", "")
    assert unread(f"{SIZES}{short}sha1  1000.00k 1000.00k 1000.00k 1000.00k 1000.00k\n") == [
        (2, "4 values below 5 sizes")
    ]


def test_sizes_that_are_not_stated_are_assumed_aloud() -> None:
    made = dataset(f"OpenSSL 1.0.2k  26 Jan 2017\n{AES}")
    assert "sizes-assumed" in flags(made, "encrypt", "aes128", 8192)


def test_what_was_not_built_in_is_not_measured() -> None:
    assert unread(f"{SIZES}{AES}idea cbc             0.00         0.00         0.00         0.00         0.00 \n") == [
        (3, "not measured: the library was built without it")
    ]


def test_a_few_octets_a_second_have_no_k() -> None:
    made = dataset(f"{SIZES}rc2 cbc          9999.50     10000.00         10.50k       11.00k       12.00k\n")
    assert value(made, "encrypt", "rc2-cbc", 16) == (9999.5, "B/s")
    assert value(made, "encrypt", "rc2-cbc", 256) == (10.5, "kB/s")


def test_tables_in_the_text_of_another_tool() -> None:
    lines = (
        "Executing benchmark on all clusters",
        SIZES.rstrip(),
        f"{AES.rstrip()} (Cortex-A53)",
        f"{AES.replace('86990', '186990').rstrip()} (Cortex-A73)",
        f"{AES.replace('86990', '486990').rstrip()} (fully parallel)",
        "System health while running: 10:00:01: 1800MHz",
    )
    text = text_of("\n".join(("title", *lines)).encode())
    sheets = {name: Sheet(text, "sbc-bench") for name in ("Cortex-A53", "Cortex-A73", "fully parallel")}

    def place(note: str | None) -> tuple[Sheet, int | None]:
        assert note is not None
        return sheets[note], 6 if note == "fully parallel" else None

    read_tables(place, lines, 2, version="OpenSSL 3.0.2 15 Mar 2022", is_elapsed=True, box=Box(has_aes=True))
    made = {name: sheet.dataset() for name, sheet in sheets.items()}
    assert row(made["Cortex-A53"], "encrypt", "aes128", 16).published[0].line == 4
    assert row(made["Cortex-A53"], "encrypt", "aes128", 16).detail["note"] == "Cortex-A53"
    assert value(made["Cortex-A73"], "encrypt", "aes128", 16) == (186990.39, "kB/s")
    assert value(made["fully parallel"], "encrypt", "aes128", 16, 6) == (486990.39, "kB/s")
    assert flags(made["Cortex-A53"], "encrypt", "aes128", 16) == set()


def test_machine_readable_lines_of_a_known_command() -> None:
    sheet = Sheet(text_of(b"x"), "probe")
    read_tables(
        sheet,
        ("+H:64", "+F:25:AES-128-GCM:1000000.00"),
        10,
        version="OpenSSL 3.0.15",
        command="openssl speed -mr -elapsed -evp aes-128-gcm -decrypt",
    )
    assert flags(sheet.dataset(), "decrypt", "aes128gcm16", 64) == {"gcm-stream", "tag-not-checked"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "openssl speed\n",
        "The 'numbers' are in 1000s of bytes per second processed.\n" + SIZES,
        "+F:\n+F2:\n+R:::\n+H:\n+DT:x\n",
        "+H:999999999999:16\n+F:1:aes-128-cbc:1:2\n",
        "+F2:0:2048:nan:inf\n",
        SIZES + "aes-128-cbc nan nan nan infk nank\n",
        "Doing x for 3s on 16 size blocks: 0 x's in 0.00s\n",
        "Doing " * 5000,
        "type" + " 1 bytes" * 5000,
        "a " + "1.00k " * 5000,
        "aes-128-cbc " + "9" * 400 + ".00k\n",
        "openssl speed -multi $(nproc) -evp aes-128-cbc\n" + SIZES + AES,
        (SIZES + "x " + "1.0s " * 100 + "\n") * 500,
    ],
)
def test_what_holds_no_figure_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(DatasetError) as refused:
        datasets(text)
    assert "\n" not in str(refused.value)


def test_far_too_many_lines_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MOST_LINES", 100)
    with pytest.raises(DatasetError, match="more than 100 lines"):
        datasets("aes-128-cbc 10.00k 20.00k\n" * 101)


def test_figures_far_apart_are_of_two_boxes_that_nothing_tells_apart() -> None:
    twice = AES.replace("86990", "186990")
    assert [value(one, "encrypt", "aes128", 16)[0] for one in datasets(SIZES + AES + SIZES + twice)] == [
        86990.39,
        186990.39,
    ]


def test_how_many_processes_ran_is_not_guessed() -> None:
    text = "openssl speed -multi $(nproc) -evp aes-128-cbc\n" + SIZES + AES
    with pytest.raises(DatasetError, match="how many processes"):
        datasets(text)


def test_markup_of_others_stays_text() -> None:
    made = dataset(
        f"root@<script>alert(1)</script>:~# openssl speed aes-128-cbc\n=== <img src=x> \x1b[31m ===\n{SIZES}{AES}"
    )
    assert value(made, "encrypt", "aes128", 16) == (86990.39, "kB/s")
    assert made.source is not None
    assert "\x1b" not in (made.label or "") + (made.source.part or "") + (made.source.device or "")
