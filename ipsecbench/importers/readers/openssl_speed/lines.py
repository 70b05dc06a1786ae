"""What one line of ``openssl speed`` says: rows, sizes, counts, commands; and how the markup of forums comes off."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_MARKUP = re.compile(
    r"</?[a-z]{1,10}/?>|\[/?[a-z]{1,8}(?:=[^\]]{0,80})?\]|\x1b\[[0-9;]*m|\*\*|`+|\ufeff", re.IGNORECASE
)
_QUOTE = re.compile(r"^\s*(?:>\s?)+")
_PIPES = re.compile(r"\s*\|+\s*")
_RULE = re.compile(r"^[\s|:+=-]+$")
_THOUSANDS = re.compile(r"(?<![\d.])\d{1,3}(?:,\d{3})+(?=\.\d|k|\s|$)")
_DECIMAL_COMMA = re.compile(r"(?<![\d.,])(\d+),(\d{1,2}k?)(?=\s|$)")
_NUMBER = r"-?(?:\d+(?:\.\d*)?|nan|inf)k?"
_ROW = re.compile(
    rf"^(?P<name>[A-Za-z][\w()/.+-]*(?: [A-Za-z][\w/-]*)?)\s+(?P<values>{_NUMBER}(?:\s+{_NUMBER})*)\s*"
    r"(?P<note>\([^()]*\))?$"
)
_VALUE = re.compile(r"^-?(?:\d+\.\d+|nan|inf)k?$")
_SIZES = re.compile(r"^type((?:\s+\d{1,9} ?bytes)+)$", re.IGNORECASE)
_BARE_SIZES = re.compile(r"^(?:type|block size)((?:\s+\d{1,9})+)$", re.IGNORECASE)
_COUNT = re.compile(
    r"^Doing (?P<name>.+?)(?: ops)? (?:for (?P<nominal>\d+)s|\d+ times) on (?P<size>\d+) (?:size|bytes?) blocks:"
    r"(?P<rest>.*)$"
)
_SECONDS = re.compile(r"^\d{1,9}\.\d{1,9}s$")
_KEY_COUNT = re.compile(
    r"^Doing (?:(?P<bits>\d+) (?P<word>bits?)\s+)?(?P<what>\S.*?)(?:'s| ops)? (?:for (?P<nominal>\d+)s|\d+ times):"
    r"(?P<rest>.*)$"
)
_COMMAND = re.compile(
    r"^(?P<before>.*?)\bopenssl(?:\.exe|[-\d.]*)?[\"']?\s+(?:speed|(?=-engine\b.*speed))(?P<options>(?:\s.*)?)$",
    re.IGNORECASE,
)
_PROMPT = re.compile(r"^\[?(?:[\w.-]+@(?P<host>[\w.-]{1,60})|(?P<name>[\w.-]{1,60})(?=:))\b[^#$%>]{0,80}[#$%>]")
_BARE_PROMPT = re.compile(r"^([\w.-]{2,40})[#$%>]$")
_ENVIRONMENT = re.compile(r"\bOPENSSL_(?:ia32cap|armcap|riscvcap|ppccap)=\S+")
_TIME = re.compile(r"^(real|user|sys)\s+(?:(\d{1,6})m\s*)?(\d{1,6}(?:\.\d{1,9})?)s?$")
_LOOKS_LIKE_FIGURE = re.compile(r"(?<![\w.])\d+\.\d+k\b|^\+(?:F|R)\d*:|\d's in \d|\d+\.\d+s +\d+\.\d+")
_FEWEST_OF_RESULT = 4
_MOST_WITHOUT_K = 10000
_CUT = re.compile(r"^\d+\.?\d?$")
_LONGEST = 600
"""No line of ``speed`` is longer."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the text, without markup."""

    number: int
    """From 1."""
    text: str
    """Without markup, quotation marks and surrounding space; empty where it is too long to be one of ``speed``."""


@dataclass(frozen=True, slots=True)
class Value:
    """One number of a table."""

    number: float
    """As printed; NaN where it was no number."""
    has_k: bool
    """Whether it counts thousands of octets: ``speed`` leaves the ``k`` out up to 10000 octets a second."""
    has_places: bool = True
    """Whether it has its two digits after the point."""

    @property
    def is_whole(self) -> bool:
        """Whether ``speed`` can have printed it so: without a ``k``, two digits after the point and at most 10000."""
        return self.has_k or (self.has_places and not self.number > _MOST_WITHOUT_K)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table of ciphers and hashes."""

    line: int
    name: str
    values: tuple[Value, ...]
    note: str | None
    """What stands in brackets behind the values."""


@dataclass(frozen=True, slots=True)
class Count:
    """What ``Doing … size blocks`` says: the exact count behind a figure."""

    line: int
    name: str
    size: int
    nominal: float | None
    """Seconds that the loop was to run."""
    count: int
    seconds: float
    """Seconds that were measured, two digits after the point."""


@dataclass(frozen=True, slots=True)
class KeyCount:
    """The same of signatures, key agreement and encapsulation."""

    line: int
    bits: int | None
    says_bits: bool
    """Whether it says ``bits`` (since OpenSSL 1.1.1) and not ``bit``."""
    what: str
    """Such as ``private rsa``, ``sign ecdsa``, ``ecdh``, ``sign Ed25519``, ``ML-KEM-768 encaps``."""
    nominal: float | None
    count: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Command:
    """What the command line asked for."""

    line: int
    is_elapsed: bool
    evp: str | None
    multi: int | None
    """Processes; 0 where the number is left to a shell."""
    is_aead: bool
    is_decrypt: bool
    engine: str | None
    host: str | None
    """Name of the box in the prompt."""
    prompt: str | None
    """A prompt that names no box, such as ``before#``."""
    environment: str | None
    """``OPENSSL_ia32cap=…`` before the command."""


def clean_lines(lines: Sequence[str], first_line: int = 1) -> list[Line]:
    """The lines without the markup that forums, mail and wikis add."""
    return [Line(number, clean(text)) for number, text in enumerate(lines, start=first_line)]


def clean(text: str) -> str:
    """A line without markup, quotation marks, table bars and surrounding space."""
    if len(text) > _LONGEST:
        return ""
    if text.isascii() and not set(text) & set("<[*`|>\x1b&,"):
        return text.strip()
    plain = text.replace("&nbsp;", " ").replace("&#39;", "'").replace("&gt;", ">").replace("\xa0", " ")
    plain = _QUOTE.sub("", _MARKUP.sub("", plain))
    if "|" in plain:
        plain = "" if _RULE.match(plain) else _PIPES.sub(" ", plain)
    plain = _THOUSANDS.sub(lambda match: match[0].replace(",", ""), plain)
    return _DECIMAL_COMMA.sub(r"\1.\2", plain).strip()


def row_of(line: Line, sizes: tuple[int, ...] | None) -> Row | None:
    """The row that a line is; without a ``k`` only below a line of as many sizes."""
    match = _ROW.match(line.text)
    if match is None:
        return None
    words = match["values"].split()
    is_cut = "k" in match["values"] and len(words) > 1 and _CUT.match(words[-1]) is not None
    if not all(_VALUE.match(word) for word in words[: len(words) - is_cut]):
        return None
    if "k" not in match["values"] and (sizes is None or len(sizes) != len(words)):
        return None
    values = tuple(Value(float(word.removesuffix("k")), word.endswith("k"), _CUT.match(word) is None) for word in words)
    note = match["note"]
    return Row(line.number, match["name"], values, None if note is None else note[1:-1])


def sizes_of(text: str) -> tuple[int, ...] | None:
    """The sizes that a line names for the columns below it."""
    match = _SIZES.match(text)
    if match is not None:
        return tuple(int(word) for word in re.findall(r"\d+", match[1]))
    match = _BARE_SIZES.match(text)
    return None if match is None else tuple(int(word) for word in match[1].split())


def count_of(text: str, number: int) -> Count | KeyCount | str | None:
    """The count that a line tells; ``""`` where it begins one and the result is still to come; None for any other
    line."""
    if not text.startswith("Doing "):
        return None
    match = _COUNT.match(text)
    if match is not None:
        result = _result(match["rest"])
        if result is None:
            return ""
        name = match["name"]
        return Count(
            number,
            name,
            int(match["size"][:9]),
            _seconds(match["nominal"]),
            result[0],
            result[1],
        )
    match = _KEY_COUNT.match(text)
    if match is None:
        return None
    result = _result(match["rest"])
    if result is None:
        return ""
    return KeyCount(
        number,
        None if match["bits"] is None else int(match["bits"][:6]),
        match["word"] == "bits",
        match["what"].strip(),
        _seconds(match["nominal"]),
        result[0],
        result[1],
    )


def command_of(line: Line) -> Command | None:
    """The command that a line runs or quotes."""
    match = _COMMAND.match(line.text) if "openssl" in line.text else None
    if match is None:
        return None
    words = match["options"].replace('"', " ").split()
    prompt = _PROMPT.match(match["before"].strip())
    bare = _BARE_PROMPT.match(match["before"].strip())
    environment = _ENVIRONMENT.search(match["before"])
    multi = _option(words, "multi")
    return Command(
        line.number,
        _has(words, "elapsed"),
        _option(words, "evp"),
        None if multi is None else int(multi) if multi.isdecimal() and len(multi) < 6 else 0,
        _has(words, "aead"),
        _has(words, "decrypt"),
        _option(words, "engine"),
        None if prompt is None else prompt["host"] or prompt["name"],
        None if bare is None else bare[1],
        None if environment is None else environment[0],
    )


def time_of(text: str) -> tuple[str, float] | None:
    """What a line of the shell's ``time`` says: which time, and how many seconds."""
    match = _TIME.match(text)
    return None if match is None else (match[1], int(match[2] or 0) * 60 + float(match[3]))


def looks_like_figure(text: str) -> bool:
    """Whether a line that nothing was made of seems to hold a figure of ``speed``."""
    return _LOOKS_LIKE_FIGURE.search(text) is not None


def joined_lines(lines: Sequence[Line]) -> Iterator[Line]:
    """The lines, with those put together again that a terminal has wrapped."""
    at = 0
    sizes: tuple[int, ...] | None = None
    while at < len(lines):
        line = lines[at]
        at += 1
        if at < len(lines) and line.text and lines[at].text:
            whole = _wrapped(line, lines[at], sizes)
            if whole is not None:
                line = Line(line.number, whole)
                at += 1
        sizes = sizes_of(line.text) or sizes
        yield line


def _wrapped(line: Line, following: Line, sizes: tuple[int, ...] | None) -> str | None:
    """A line and the one behind it as one, if that makes sense of both and neither makes sense alone."""
    both = (f"{line.text} {following.text}", line.text + following.text)
    if line.text.startswith("Doing "):
        if count_of(line.text, 0) == "" and not following.text.startswith("Doing "):
            return next((one for one in both if count_of(one, 0)), None)
        return None
    if line.text.startswith("type "):
        if following.text.endswith("bytes") and (following.text[:1].isdecimal() or following.text == "bytes"):
            return next((one for one in both if sizes_of(one)), None)
        return None
    if sizes is None or following.text[:1].isalpha():
        return None
    alone = row_of(line, None) or row_of(Line(line.number, f"{line.text}k"), None)
    if alone is None or (len(alone.values) >= len(sizes) and line.text.endswith("k")):
        return None
    for one in both:
        row = row_of(Line(line.number, one), sizes)
        if row is not None and len(row.values) == len(sizes):
            return one
    return None


def _option(words: list[str], name: str) -> str | None:
    for place, word in enumerate(words[:-1]):
        if word.lstrip("-") == name and word.startswith("-"):
            return words[place + 1].strip("'\"`;,)")
    return None


def _has(words: list[str], name: str) -> bool:
    return any(word.startswith("-") and word.strip("-;,)\"'") == name for word in words)


def _result(rest: str) -> tuple[int, float] | None:
    """The count and the seconds behind the colon; messages of the library may stand before them."""
    words = rest.split()
    if len(words) < _FEWEST_OF_RESULT or words[-2] != "in" or _SECONDS.match(words[-1]) is None:
        return None
    count = next((word for word in words[:-2] if word.isdecimal()), None)
    return None if count is None else (int(count[:15]), float(words[-1][:-1]))


def _seconds(text: str | None) -> float | None:
    return None if text is None else float(text[:6])
