"""Lines of ``speed -mr``, and those of the children of ``-multi``, which are the same.

``+F:k:name:B/s:…`` below ``+H:sizes``, ``+F2:`` RSA, ``+F3:`` DSA, ``+F4:`` ECDSA, ``+F5:`` ECDH, then by version:
until 3.6 ``+F6:`` EdDSA,
``+F7:`` SM2, ``+F8:`` FFDH, ``+F9:`` encapsulation, ``+F10:`` signatures; since 4.0 ``+F7:`` FFDH, ``+F8:``
encapsulation, ``+F9:`` signatures.
``+DT:name:seconds:size`` and ``+R:count:name:seconds`` are the counts behind them.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass

from ipsecbench.bench.published import Unit
from ipsecbench.importers import names
from ipsecbench.importers.readers.openssl_speed.public_key import KeyFigure, curve_of
from ipsecbench.importers.readers.openssl_speed.runs import Figure, Run

_LINE = re.compile(r"^(?:Got: )?\+(H|F\d{0,2}|R\d{0,2}|DT|DTP|DN|DNP):(.*?)(?: from (\d+))?$")


_COARSE_SECONDS = 99.5e-6
"""Times are printed with six digits after the point: below this, fewer than three are left."""


@dataclass(frozen=True, slots=True)
class _Fields:
    line: int
    kind: str
    fields: list[str]
    child: int | None


def machine_line(text: str, number: int) -> tuple[int, str, list[str], int | None] | None:
    """The parts of a line of ``-mr``; None for any other line."""
    if "+" not in text[:6]:
        return None
    match = _LINE.match(text)
    if match is None:
        return None
    return number, match[1], match[2].split(":"), None if match[3] is None else int(match[3][:6])


def read_machine(run: Run) -> None:
    """Make figures of a run's lines of ``-mr``. Those of children count only where the text has no total of them."""
    lines = [_Fields(*one) for one in run.machine]
    by_child: dict[str, list[Figure]] = {}
    key_children: dict[tuple[str, str], list[KeyFigure]] = {}
    for one in lines:
        if one.kind == "F":
            for figure in _figures(run, one):
                if one.child is None:
                    run.figures.append(figure)
                else:
                    by_child.setdefault(f"{figure.name}:{figure.size}", []).append(figure)
        elif one.kind.startswith("F"):
            for key in _keys(run, one):
                if one.child is None:
                    run.keys.append(key)
                else:
                    key_children.setdefault((key.operation, key.algorithm), []).append(key)
    if not by_child and not key_children and not run.figures and not run.keys:
        _of_counts(run, lines)
    _add_children(run, by_child)
    _add_key_children(run, key_children)


def read_sizes(machine: list[tuple[int, str, list[str], int | None]]) -> tuple[int, ...] | None:
    """The sizes of a line ``+H``."""
    for _, kind, fields, _ in machine:
        if kind == "H" and all(word.isdecimal() and len(word) < 9 for word in fields):
            return tuple(int(word) for word in fields)
    return None


def _number(text: str) -> float:
    try:
        return float(text[:40])
    except ValueError:
        return float("nan")


def _figures(run: Run, one: _Fields) -> list[Figure]:
    name, values = one.fields[1:2], [_number(word) for word in one.fields[2:]]
    if not name or run.sizes is None or len(values) != len(run.sizes):
        run.unread.append((one.line, "as many figures as sizes are needed, and a line +H with the sizes"))
        return []
    return [Figure(one.line, name[0], size, value, Unit.BYTES) for size, value in zip(run.sizes, values, strict=True)]


def _keys(run: Run, one: _Fields) -> list[KeyFigure]:
    """The figures of one line; the reason why not is noted."""
    made = _named_keys(run, one.kind, one.fields)
    if isinstance(made, str):
        run.unread.append((one.line, made))
        return []
    operations, algorithm, values = made
    numbers = [_number(value) for value in values]
    unit = _unit(run, one.kind, numbers)
    if unit is None:
        run.unread.append((one.line, "seconds (until OpenSSL 1.1.0) or operations a second: the version is not stated"))
        return []
    coarse = _COARSE_SECONDS if unit is Unit.SECONDS else 0.0
    return [
        KeyFigure(one.line, operation, algorithm, value, unit, is_coarse=value < coarse)
        for operation, value in zip(operations, numbers, strict=False)
    ]


def _named_keys(run: Run, kind: str, fields: list[str]) -> tuple[tuple[str, ...], str, list[str]] | str:
    """Operations, algorithm and values of a line ``+F2`` to ``+F10``; or why they cannot be told."""
    if len(fields) < 3 or not fields[0].isdecimal() or len(fields[0]) > 5:
        return "too few fields"
    index, second = int(fields[0]), fields[1]
    bits = int(second) if second.isdecimal() and len(second) < 7 else None
    pair = ("sign", "verify")
    if kind in ("F2", "F3") and bits is not None:
        return (*pair, "encrypt", "decrypt"), f"{'rsa' if kind == 'F2' else 'dsa'}-{bits}", fields[2:6]
    if kind in ("F4", "F5") and bits is not None:
        curve = curve_of(index, bits) if kind == "F5" or index < _FIRST_NEW else _signing_curve(index, bits)
        if curve is None:
            return "the curve is not known from its place and size"
        return (
            (pair, names.signature(curve), fields[2:4])
            if kind == "F4"
            else (("agree",), names.key_exchange(curve), fields[2:3])
        )
    if kind in ("F6", "F7") and len(fields) == 5:
        return pair, names.signature(fields[2]), fields[3:5]
    if kind in ("F7", "F8") and bits is not None and len(fields) == 4:
        return ("agree",), f"modp{bits}", fields[2:3]
    if kind in ("F8", "F9", "F10") and len(fields) == 4:
        return _by_place(run, kind, index, fields[1:4])
    return "no known kind of line"


_FIRST_NEW = 22


def _signing_curve(index: int, bits: int) -> str | None:
    """Places behind the curves are signatures of their own since 4.0; nothing before signs with them."""
    return {253: "Ed25519", 456: "Ed448", 256: "SM2"}.get(bits) if index >= _FIRST_NEW else None


def _by_place(run: Run, kind: str, index: int, values: list[str]) -> tuple[tuple[str, ...], str, list[str]] | str:
    """Encapsulation and signatures are named by their place in a list that is not printed; the counts above have the
    names, in order."""
    anew = run.version.is_numbered_anew if run.version is not None else None
    steps = [fields for _, one, fields, _ in run.machine if one == "DTP" and len(fields) == 3]
    is_kem = kind == "F8" or (
        kind == "F9" and anew is not True and (anew is False or any("encaps" in step for step in steps))
    )
    listed = [step[0] for step in steps if step[1] == ("encaps" if is_kem else "signs")]
    same = [fields for _, one, fields, _ in run.machine if one == kind]
    place = next((at for at, fields in enumerate(same) if fields[:1] == [str(index)]), None)
    listed = list(dict.fromkeys(listed))
    if place is None or len(listed) != len({tuple(fields[:1]) for fields in same}):
        return "named by a place in a list only, and the text does not tell the names"
    order = list(dict.fromkeys(fields[0] for fields in same))
    name = listed[order.index(str(index))]
    if is_kem:
        return ("generate", "encapsulate", "decapsulate"), names.encapsulation(name), values
    return ("generate", "sign", "verify"), names.normal_name(name), values


def _unit(run: Run, kind: str, numbers: list[float]) -> Unit | None:
    """Seconds or operations a second.

    Without a version: RSA signs more slowly than it verifies; all others take less than a second and are made more
    often than once in one, unless the box is very slow.
    """
    if kind not in ("F2", "F3", "F4", "F5"):
        return Unit.OPERATIONS
    if run.version is not None:
        return Unit.SECONDS if run.version.has_seconds_in_mr else Unit.OPERATIONS
    if len(numbers) >= 4:
        return Unit.OPERATIONS
    if kind == "F2" and len(numbers) > 1 and numbers[0] != numbers[1]:
        return Unit.OPERATIONS if numbers[0] < numbers[1] else Unit.SECONDS
    if all(number >= 2 for number in numbers):
        return Unit.OPERATIONS
    return Unit.SECONDS if all(number < 0.5 for number in numbers) else None


def _add_children(run: Run, by_child: dict[str, list[Figure]]) -> None:
    """Sums of what children did, for what has no total; where it has one, they are held against it."""
    totals = {(figure.name.lower(), figure.size): figure for figure in run.figures}
    for figures in by_child.values():
        first, summed = figures[0], sum(figure.value for figure in figures)
        total = totals.get((first.name.lower(), first.size))
        if total is None:
            run.figures.append(Figure(first.line, first.name, first.size, summed, Unit.BYTES, is_total_of=len(figures)))
        elif abs(_bytes_per_second(total) - summed) > 0.001 * summed + 10:
            run.contradicted.add((total.line, total.size))


def _bytes_per_second(figure: Figure) -> float:
    return figure.value * (1000.0 if figure.unit is Unit.KILOBYTES else 1.0)


def _add_key_children(run: Run, key_children: dict[tuple[str, str], list[KeyFigure]]) -> None:
    totals = {(key.operation, key.algorithm): key for key in run.keys}
    for workload, found in key_children.items():
        summed = sum(_rate(key) for key in found)
        total = totals.get(workload)
        if total is None:
            run.keys.append(KeyFigure(found[0].line, *workload, summed, Unit.OPERATIONS, is_total_of=len(found)))
        elif abs(_rate(total) - summed) > 0.001 * summed + 0.1 * len(found):
            run.contradicted.add((total.line, 0))


def _rate(key: KeyFigure) -> float:
    """Operations a second; 0 for what is no figure."""
    return key.value if key.unit is Unit.OPERATIONS else 1 / key.value if key.value > 0 else 0.0


def _of_counts(run: Run, lines: list[_Fields]) -> None:
    """Figures of ``+DT`` and ``+R`` where nothing else is left of a run.

    Children run side by side, each through the sizes in order and each for the same time, so that the results come
    in the order in which the loops were begun.
    """
    begun: deque[tuple[str, int]] = deque()
    done: dict[tuple[str, int], list[tuple[int, float]]] = {}
    started: dict[tuple[str, int], int] = {}
    for one in lines:
        if one.kind == "DT" and len(one.fields) == 3 and one.fields[2].isdecimal():
            key = (one.fields[0], int(one.fields[2][:9]))
            begun.append(key)
            started[key] = started.get(key, 0) + 1
        elif one.kind == "R" and len(one.fields) == 3:
            if not begun or begun[0][0] != one.fields[1]:
                run.unread.append((one.line, "a count whose size is not stated"))
                continue
            seconds = _number(one.fields[2])
            rate = _number(one.fields[0]) / seconds if seconds > 0 else float("nan")
            done.setdefault(begun.popleft(), []).append((one.line, rate))
        elif one.kind.startswith("R"):
            run.unread.append((one.line, "a count of a key operation without its result"))
    expected = max(run.children, 1)
    for (name, size), rates in done.items():
        if len(rates) < max(expected, started[name, size]):
            run.unread.extend(
                (line, f"{len(rates)} of {expected} processes only: the others are cut off") for line, _ in rates
            )
            continue
        value = sum(rate for _, rate in rates)
        run.figures.append(
            Figure(rates[0][0], name, size, value, Unit.OPERATIONS, is_total_of=len(rates) if expected > 1 else 0)
        )
