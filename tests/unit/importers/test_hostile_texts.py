"""Texts of other tools, damaged in every way: a dataset that can be stored, or one line that says why there is none."""

from __future__ import annotations

import random
import time

import pytest

from ipsecbench.dataset.codec import from_document, to_document
from ipsecbench.errors import DatasetError
from ipsecbench.importers.formats import MODULES, import_text, named_format
from ipsecbench.importers.text import text_of
from tests.unit.importers.reading import DATA, data

FORMATS = (
    "cryptsetup",
    "dpdk",
    "botan",
    "wolfcrypt",
    "iperf3",
    "tcrypt",
    "bssl-speed",
    "tunnel-table",
    "netbenches",
    "aesbench",
    "aesbench-table",
    "cryptobench",
)
EXAMPLES = {
    "tunnel-table": (
        b"device,cpu,source,algorithm,packet_bytes,mbps,kpps,note\n"
        b'A,"4x B",https://example.org,AES-128-CBC + SHA1,1400,100,8.9,"5/6 by direction"\n'
        b"A,C,,aes128gcm96 (EIP93),,45,,median of 5 min 44 max 46\n"
    ),
    "tcrypt": (
        b"testing speed of async cbc(aes) (cbc-aes-aesni) encryption\n"
        b"tcrypt: test 0 (128 bit key, 16 byte blocks): 4592322 operations in 1 seconds (73477152 bytes)\n"
        b"cipher | block size | a | b\naes-128-gcm | 64 | 4,262,144 | 352,512\n"
    ),
    "bssl-speed": b"Did 7084 AES-128-GCM (16 bytes) seal operations in 1000us (7084000.4 ops/sec): 113.3 MB/s\n",
}
"""Texts of formats that the test data has none of."""
ODD = (
    "1e999",
    "-1",
    "0",
    "NaN",
    "99999999999999999999",
    "\x1b[31m",
    "\u202e",
    "<script>",
    "",
    " ",
    '"',
    ",",
    "|",
    "\0x",
)


PIECES = (" ", "a", "1", "(", "[", "{", "-", "#", ",", "|", "aes ", "1.", "took ", '{"a":', "x 1 ops/sec ")
"""What patterns without bounds would try again and again."""


def texts() -> list[tuple[str, bytes]]:
    """A text of each format, and where the data has one each of its forms."""
    found = [(name, content) for name, content in EXAMPLES.items()]
    for path in sorted(DATA.iterdir()):
        if path.name == "README.md":
            continue
        text = data(path.name)
        best = max(FORMATS, key=lambda name: named_format(name).confidence(text))
        if named_format(best).confidence(text) > 0:
            found.append((best, text.content.encode()[:20_000]))
    return found


def damaged(content: bytes, chance: random.Random) -> bytes:
    """A text with one kind of damage."""
    lines = content.split(b"\n")
    place = chance.randrange(len(lines))
    kind = chance.randrange(7)
    if kind == 0:
        return content[: chance.randrange(len(content))]
    if kind == 1:
        del lines[place]
    elif kind == 2:
        lines.insert(place, lines[chance.randrange(len(lines))])
    elif kind == 3:
        words = lines[place].split(b" ")
        words[chance.randrange(len(words))] = chance.choice(ODD).encode()
        lines[place] = b" ".join(words)
    elif kind == 4:
        digits = bytearray(lines[place])
        for one, octet in enumerate(digits):
            if 48 <= octet < 58 and chance.random() < 0.3:
                digits[one] = 48 + chance.randrange(10)
        lines[place] = bytes(digits)
    elif kind == 5:
        lines[place] = bytes(chance.randrange(1, 256) for _ in range(40))
    else:
        chance.shuffle(lines)
    return b"\n".join(lines)


def held(name: str, content: bytes) -> bool:
    """Read a text; whether it gave a dataset. Whatever it gives can be stored; whatever it says is one line."""
    try:
        text = text_of(content, "x.txt")
        found = import_text(text, name)
    except DatasetError as error:
        said = str(error)
        found = ()
    else:
        said = ""
    assert said.isprintable()
    assert len(said) < 600
    for dataset in found:
        assert from_document(to_document(dataset)) == dataset
    return bool(found)


def test_every_format_has_an_example() -> None:
    assert {name for name, _ in texts()} == set(FORMATS)
    assert set(FORMATS) <= set(MODULES)


@pytest.mark.parametrize(("name", "content"), texts(), ids=lambda value: value if isinstance(value, str) else "")
def test_damage_gives_a_dataset_or_a_reason(name: str, content: bytes) -> None:
    chance = random.Random(f"{name} {len(content)}")
    read = sum(held(name, damaged(content, chance)) for _ in range(20))
    # Of a document most damage is damage to all of it; cycles alone give nothing when whole either.
    assert read > 0 or name == "iperf3" or not held(name, content)


@pytest.mark.parametrize("name", FORMATS)
def test_a_text_of_another_format_is_refused(name: str) -> None:
    for other, content in texts():
        if other != name:
            held(name, content)


@pytest.mark.parametrize("name", FORMATS)
def test_lines_without_end_take_no_time(name: str) -> None:
    chosen = named_format(name)
    head = next(content for other, content in texts() if other == name).decode()[:2000]
    for piece in PIECES:
        line = piece * (60_000 // len(piece))
        text = text_of(f"{head}\n{line}x\n{line}\n".encode())
        begun = time.process_time()
        chosen.confidence(text)
        held(name, text.content.encode())
        assert time.process_time() - begun < 2, repr(piece)


def test_no_format_claims_a_text_of_another() -> None:
    for name, content in texts():
        text = text_of(content)
        claims = {other: named_format(other).confidence(text) for other in MODULES}
        best = max(claims.values())
        assert claims[name] == best
        assert [other for other, value in claims.items() if value == best] == [name]


def many(name: str, count: int) -> str:
    """A text of so many runs, boxes or algorithms."""
    made = {
        "cryptsetup": "PBKDF2-sha1 5 iterations per second\naes-cbc 128b 5.0 MiB/s 6.0 MiB/s\n",
        "netbenches": "x@.aes-cbc-128-hmac-sha1 5 4 6\n",
        "cryptobench": "l@: aes-128: decrypt=1,000: iterations=1: usec-total=5@: usec/iter=1: score=1\n",
        "wolfcrypt": "wolfCrypt Benchmark (block bytes 9, min 1.0 sec)\nA 12 MB took 1.0 seconds, 1.2 MB/s\n",
        "aesbench": "openssl: 3\nalgo: SHA1\ndata-size: 100\nhash-microsec: 5\nhash-size: 100\n",
    }
    head = "#index median minimum maximum\n" if name == "netbenches" else ""
    return head + "".join(made[name].replace("@", str(one)) for one in range(count))


@pytest.mark.parametrize("name", ["cryptsetup", "netbenches", "cryptobench", "wolfcrypt", "aesbench"])
def test_many_runs_take_time_in_proportion(name: str) -> None:
    def seconds(count: int) -> float:
        begun = time.process_time()
        import_text(text_of(many(name, count).encode()), name)
        return time.process_time() - begun

    seconds(50)
    # 8 in proportion, 64 if each run looked at all of the text; the least of three, for a busy box
    assert min(seconds(1600) for _ in range(3)) < 20 * max(min(seconds(200) for _ in range(3)), 0.005)


def test_more_runs_than_anybody_keeps_are_refused() -> None:
    with pytest.raises(DatasetError, match="more than 10000 runs"):
        import_text(text_of(("wolfCrypt Benchmark (min 1.0 sec)\n" * 10_001).encode()), "wolfcrypt")


@pytest.mark.parametrize(
    "piece", ["\n", "| \n", " ", "openssl-", "openssl ", "Doing \n", "type ", "a\n \n", "|[x ", "+F:\n"]
)
def test_openssl_speed_is_told_from_anything_in_no_time(piece: str) -> None:
    chosen = named_format("openssl-speed")
    for line in (piece * (300_000 // len(piece)), (piece * (500 // len(piece)) + "\n") * 600):
        text = text_of(f"{line}x".encode())
        begun = time.process_time()
        chosen.confidence(text)
        assert time.process_time() - begun < 2, repr(piece)


HUGE = ("9" * 5000, "9" * 400, "1e999", "٣", "²")
"""Numbers that Python reads as text, as infinity, or not at all."""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("openssl-speed", "type 16 bytes 64 bytes\naes-128-cbc 1.00k 2.00k\nreal {}m 18.08s\nOpenSSL 1.0.{}\n"),
        ("openssl-speed", "OpenSSL {}.0.1\ntype {} bytes 64 bytes\naes-128-cbc {}.00k 2.00k\n+F:1:aes:{}:1\n"),
        ("tunnel-table", "device,algorithm,packet_bytes,mbps\nA,aes128gcm16,{},100\nB,aes128gcm16,512,{}\n"),
        ("tcrypt", "cipher | block size | a | b\naes-128-gcm | {} | 4,262,144 | {}\n"),
        ("bssl-speed", "Did {} AES-128-GCM ({} bytes) seal operations in {}us ({} ops/sec): 113.3 MB/s\n"),
    ],
)
def test_numbers_beyond_every_measure_are_no_crash(name: str, text: str) -> None:
    for huge in HUGE:
        held(name, text.replace("{}", huge).encode())
