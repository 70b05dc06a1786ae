"""What is said of one part of a configuration: a grade, the reasons with their sources, the RFC level, the strength."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ipsecbench.recommend.reasons import Reason


class Grade(StrEnum):
    """How good or bad something is, from the best to the worst."""

    OK = "ok"
    """The policy allows it."""
    NOTE = "note"
    """Worth knowing; nothing against it."""
    WARN = "warn"
    """Replace it when you can."""
    FAIL = "fail"
    """Do not run this."""

    @property
    def rank(self) -> int:
        """Place in the order from the best to the worst."""
        return list(Grade).index(self)


def spoken(about: str) -> str:
    """What a finding is about, for people: ``ESP suite`` for ``esp-suite``."""
    words = {"esp": "ESP", "ike": "IKE", "prf": "PRF", "psk": "PSK"}
    return " ".join(words.get(word, word) for word in about.split("-"))


def worst(grades: Iterable[Grade]) -> Grade:
    """The worst of some grades, ``ok`` where there is none; a note is as good as ``ok``."""
    found = max(grades, key=lambda grade: grade.rank, default=Grade.OK)
    return Grade.OK if found is Grade.NOTE else found


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is to be said."""

    grade: Grade
    """How bad."""
    about: str
    """What kind of thing: a role such as ``key-exchange``, or ``exchange-mode``, ``perfect-forward-secrecy``,
    ``sequence-numbers``, ``life``, ``data-limit``, ``combination``."""
    subject: str
    """What exactly: an algorithm, an ESP suite, or whose life."""
    reasons: tuple[Reason, ...]
    """Why, the gravest first."""
    level: str = ""
    """What the RFC says of it: ``MUST``, ``SHOULD NOT`` …; empty where it says nothing."""
    strength_bits: int | None = None
    """Estimated classical strength; None where it has none of its own."""
    verified: bool = True
    """False where the policy's line rests on a source that was not read in its own text."""
    implied: bool = False
    """Whether only proposals that the program adds by itself have it."""
    lines: tuple[int, ...] = ()
    """Where it is written."""

    @property
    def reason(self) -> Reason:
        """The gravest reason."""
        return self.reasons[0]

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "grade": self.grade.value,
            "about": self.about,
            "subject": self.subject,
            "reasons": [{"text": reason.text, "sources": list(reason.sources)} for reason in self.reasons],
            "level": self.level or None,
            "strength_bits": self.strength_bits,
            "verified": self.verified,
            "implied": self.implied,
            "lines": list(self.lines),
        }
