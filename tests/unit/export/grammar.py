"""A checker of vendors' configurations that knows nothing of our renderers: keywords, values and what they mean.

Each file of ``grammars/`` is transcribed from the documentation or the vendor's own schema that it names. It holds the
lines that the product takes, in the blocks that it takes them in, with the values and ranges of each; what every word
means, as a number of the IANA registry; and where in the text a role is to be read. A configuration is right if every
line is permitted where it stands, every block has what it needs, and the words read from it have the numbers of the
connection's algorithms.
"""

import ipaddress
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ipsecbench.export.connection import PSK_PLACEHOLDER

GRAMMARS = Path(__file__).parent / "grammars"
_TOKEN = re.compile(r"\{(\w+)(?::([^}]*))?\}")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return "/" in text


def _is_masked(text: str) -> bool:
    address, mask = text.split(" ")
    return _is_network(f"{address}/{mask}")


def _are_networks(text: str) -> bool:
    return all(_is_network(part) for part in text.replace("'", "").split(", " if ", " in text else ","))


def _are_networks_with_metric(text: str) -> bool:
    """As in ``'2001:db8:b::/48:100'``, the metric of the route behind the last colon."""
    return all(_is_network(part.strip("'").rpartition(":")[0]) for part in text.split(", "))


_DURATION = re.compile(r"(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_DURATION_STEPS = (604800, 86400, 3600, 60, 1)


def duration_seconds(text: str) -> int:
    """Seconds of a duration such as ``1d4h30m``; 0 where it is none."""
    found = _DURATION.fullmatch(text)
    if found is None:
        return 0
    return sum(int(part or 0) * step for part, step in zip(found.groups(), _DURATION_STEPS, strict=True))


_KINDS: dict[str, tuple[str, Callable[[str], bool]]] = {
    "pad": (r" +", lambda text: True),
    "time": (r"[0-9wdhms]+", lambda text: duration_seconds(text) > 0),
    "nets": (r"[0-9a-fA-F.:/, ]+", _are_networks),
    "strings": (r"'[0-9a-fA-F.:/]+'(?:, '[0-9a-fA-F.:/]+')*", _are_networks),
    "metrics": (r"'[0-9a-fA-F.:/]+:[0-9]+'(?:, '[0-9a-fA-F.:/]+:[0-9]+')*", _are_networks_with_metric),
    "name": (r"[A-Za-z][A-Za-z0-9-]*", lambda text: len(text) <= 40),
    "uci": (r"[A-Za-z][A-Za-z0-9_]*", lambda text: True),
    "ip": (r"[0-9a-fA-F.:]+", _is_address),
    "net": (r"[0-9a-fA-F.:]+/[0-9]+", _is_network),
    "mask": (r"[0-9.]+ [0-9.]+", _is_masked),
    "id": (r"[A-Za-z0-9._@:-]+", lambda text: True),
    "key": (re.escape(PSK_PLACEHOLDER), lambda text: True),
}


@dataclass
class Pattern:
    """One permitted line."""

    text: str
    expression: re.Pattern[str]
    prefix: str
    validators: list[Callable[[str], bool]]

    def matches(self, line: str) -> bool:
        """Whether the line is this one, all its values included."""
        if not line.startswith(self.prefix):
            return False
        found = self.expression.fullmatch(line)
        if found is None:
            return False
        return all(valid(text) for valid, text in zip(self.validators, found.groups(), strict=True))


@dataclass
class Block:
    """Lines that stand together below a head; without a head, the whole text."""

    head: Pattern | None
    lines: list[Pattern]
    required: list[str]
    end: str | None = None


@dataclass
class Grammar:
    """One product's."""

    name: str
    data: dict[str, Any]

    @property
    def sources(self) -> list[str]:
        """Where it was transcribed from."""
        sources: list[str] = self.data["source"]
        return sources

    @property
    def proposals(self) -> frozenset[str]:
        """The whole proposals of a product that has a fixed list of them."""
        parts = self.data["proposals"]
        combined = {
            "-".join((encryption, integrity, *group))
            for encryption in parts["encryption"]
            for integrity in parts["integrity"]
            for group in ((), *((group,) for group in parts["groups"]))
            if group or integrity
        }
        alone = {
            "-".join((encryption, group))
            for encryption in parts["encryption"]
            if "gcm" in encryption
            for group in parts["groups"]
        }
        return frozenset({*parts["common"], *parts["phase1"], *parts["phase2"], *combined, *alone})

    def pattern(self, text: str) -> Pattern:
        """A line with its values in braces, compiled."""
        expression, validators, position = "", [], 0
        for token in _TOKEN.finditer(text):
            expression += re.escape(text[position : token.start()])
            kind, argument = token.group(1), token.group(2)
            regex, valid = self._kind(kind, argument)
            expression += f"({regex})"
            validators.append(valid)
            position = token.end()
        expression += re.escape(text[position:])
        return Pattern(text, re.compile(expression), text.split("{", 1)[0], validators)

    def _kind(self, kind: str, argument: str | None) -> tuple[str, Callable[[str], bool]]:
        if kind == "int":
            assert argument is not None
            lowest, highest = map(int, argument.split("-"))
            return r"[0-9]+", lambda text: lowest <= int(text) <= highest
        if kind == "proposal":
            permitted = self.proposals
            return r"[a-z0-9-]+", lambda text: text in permitted
        if kind == "one":
            words: list[str] = self.data["values"][argument]
            return "|".join(map(re.escape, sorted(words, key=len, reverse=True))), lambda text: text in words
        return _KINDS[kind]

    def blocks(self) -> list[Block]:
        """The blocks, compiled."""
        return [
            Block(
                self.pattern(block["head"]) if "head" in block else None,
                [self.pattern(line) for line in block["lines"]],
                block.get("required", []),
                block.get("end"),
            )
            for block in self.data["block"]
        ]


@cache
def load_grammar(name: str) -> Grammar:
    """The grammar of a target."""
    return Grammar(name, tomllib.loads((GRAMMARS / f"{name}.toml").read_text()))


@cache
def _compiled(name: str) -> list[Block]:
    return load_grammar(name).blocks()


@cache
def _matching(name: str, number: int, line: str) -> str | None:
    """The pattern of a block that permits a line; None where none does."""
    found = (pattern.text for pattern in _compiled(name)[number].lines if pattern.matches(line))
    return next(found, None)


@cache
def _head(name: str, line: str) -> int | None:
    """The block that a line begins."""
    heads = enumerate(_compiled(name))
    return next((number for number, block in heads if block.head is not None and block.head.matches(line)), None)


def faults(name: str, text: str) -> list[str]:
    """What is wrong with a configuration, line by line; empty where nothing is."""
    grammar, blocks, found = load_grammar(name), _compiled(name), []
    plain = next((number for number, block in enumerate(blocks) if block.head is None), None)
    current, seen = plain, [] if plain is None else [(plain, set[str]())]
    for number, raw in enumerate(text.splitlines(), 1):
        if not raw.strip() or raw.startswith(grammar.data["comment"].rstrip()):
            continue
        line = "|".join(part.strip() for part in raw.split("|", 2)) if grammar.data.get("columns") else raw
        head = _head(name, line)
        if head is not None:
            current = head
            seen.append((head, set()))
            continue
        end = None if current is None else blocks[current].end
        if end is not None and line == end:
            current = plain
            continue
        permitted = None if current is None else _matching(name, current, line)
        if permitted is None and plain is not None and current != plain and end is None:
            # A block without an end is left by the first line that stands outside of blocks.
            permitted = _matching(name, plain, line)
            current = plain if permitted is not None else current
        if permitted is None:
            found.append(f"line {number} is not permitted here: {line!r}")
            continue
        next(texts for block, texts in reversed(seen) if block == current).add(permitted)
    for block, texts in seen:
        head_pattern = blocks[block].head
        where = "the text" if head_pattern is None else head_pattern.text
        for needed in blocks[block].required:
            if not any(text.startswith(needed) for text in texts):
                found.append(f"{where} has no {needed!r}")
    return found


@cache
def _body(name: str, text: str) -> str:
    comment = load_grammar(name).data["comment"].rstrip()
    return "\n".join(line for line in text.splitlines() if not line.startswith(comment))


def read_roles(name: str, text: str) -> dict[str, list[str]]:
    """The words of each role, as they stand in the text."""
    reads, body = load_grammar(name).data["reads"], _body(name, text)
    return {role: re.findall(expression, body, re.MULTILINE) for role, expression in reads.items()}


def meaning(name: str, role: str, word: str) -> str:
    """The number of the IANA registry that a word means, with the key length behind a slash where there is one.

    Raises:
        KeyError: the documentation gives it no meaning.
    """
    meanings: dict[str, dict[str, str]] = load_grammar(name).data["meaning"]
    if role in ("ike_group", "pfs_group", "additional"):
        if role in meanings:
            return meanings[role][word]
        found = re.fullmatch(meanings["group"][role].replace("N", "([0-9]+)"), word)
        if found is None:
            raise KeyError(word)
        return found.group(1)
    for table in (role, *_WIDER_TABLES.get(role, ())):
        if table in meanings:
            return meanings[table][word]
    raise KeyError(role)


_WIDER_TABLES = {
    "ike_encryption": ("encryption",),
    "esp_encryption": ("encryption",),
    "ike_integrity": ("integrity",),
    "esp_integrity": ("integrity",),
    "ike_hash": ("ike_integrity", "integrity"),
    "esp_hash": ("esp_integrity", "integrity"),
}
