"""Where figures come from that this program did not measure, and what they are worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

LONGEST_TEXT = 200
"""Characters kept of a line that was not read."""
MOST_UNREAD = 20
"""Lines kept that were not read; of the others only their number."""
UNKNOWN_DATE = "1970-01-01T00:00:00+00:00"
"""``created`` of a dataset whose source does not say when it was measured."""


@dataclass(frozen=True, slots=True)
class Unread:
    """A line of the source that gave no figure."""

    line: int
    """Its number, from 1."""
    text: str
    """Its beginning, printable."""
    reason: str
    """Why it gave none."""


@dataclass(frozen=True, slots=True)
class Source:
    """The text that the figures were read from."""

    format: str
    """Name of the format, as ``ipsecbench import`` takes it."""
    file: str | None
    """Name of the file, without its folder."""
    sha256: str
    """Digest of the file's octets, unpacked."""
    part: str | None = None
    """Which part of the file, where it holds several boxes or runs."""
    device: str | None = None
    """What the text says the box is."""
    url: str | None = None
    """Where it was published."""
    licence: str | None = None
    """Under which licence, in the publisher's words or as an SPDX identifier."""
    unread: tuple[Unread, ...] = ()
    """The first lines that gave no figure although they look as if they should."""
    unread_lines: int = 0
    """How many there are in all."""


class Worth(StrEnum):
    """How a verdict bears on the figures that it marks."""

    NOTE = "note"
    """To know; the figures are good for what they say."""
    DOUBT = "doubt"
    """To be read with care; they are compared, and the doubt is shown beside them."""
    UNFIT = "unfit"
    """Not what they seem to be: shown, never compared, never predicted from."""


@dataclass(frozen=True, slots=True)
class VerdictKind:
    """What a verdict's code means, whichever dataset it is in."""

    worth: Worth
    """How it bears on the figures."""
    title: str
    """A few words for tables."""
    is_meaning: bool = False
    """Whether a figure with this mark and one without are figures of different things, so that no ratio is drawn."""


VERDICT_KINDS: Mapping[str, VerdictKind] = MappingProxyType(
    {
        "spread-assumed": VerdictKind(Worth.NOTE, "published without a spread: the interval is assumed"),
        "mixed-text": VerdictKind(Worth.DOUBT, "the text has figures of another format too, which are not in here"),
        "clock-unknown": VerdictKind(
            Worth.DOUBT, "the clock of the box is not stated: what the data plane's cycles take is a wide guess"
        ),
        "version-unknown": VerdictKind(Worth.DOUBT, "the library's version is not stated"),
        "samples-left-out": VerdictKind(Worth.NOTE, "raw samples were left out: medians with their intervals remain"),
        "date-unknown": VerdictKind(Worth.NOTE, "the day of the measurement is not stated"),
        "device-unknown": VerdictKind(Worth.NOTE, "the box is not stated"),
        "cut-short": VerdictKind(Worth.DOUBT, "the text is an excerpt or was cut off"),
        "text-damaged": VerdictKind(Worth.DOUBT, "lines of the text are damaged and were not read"),
        "gcm-per-record": VerdictKind(Worth.NOTE, "AEAD: one record with its own IV per operation", is_meaning=True),
        "gcm-stream": VerdictKind(
            Worth.DOUBT, "AEAD: one endless stream, the cost of a record's IV and tag left out", is_meaning=True
        ),
        "gcm-unknown": VerdictKind(Worth.DOUBT, "AEAD: a record or an endless stream, unknown", is_meaning=True),
        "key-per-record": VerdictKind(
            Worth.DOUBT, "every operation sets the key anew, which no packet of an SA does", is_meaning=True
        ),
        "cpu-time": VerdictKind(Worth.DOUBT, "divided by processor time, not by elapsed time"),
        "divisor-unknown": VerdictKind(Worth.DOUBT, "divided by processor time or by elapsed time, unknown"),
        "engine-cpu-time": VerdictKind(Worth.UNFIT, "an engine's work over this processor's time", is_meaning=True),
        "instructions-ignored": VerdictKind(
            Worth.DOUBT, "the processor's AES instructions were not used", is_meaning=True
        ),
        "instructions-unknown": VerdictKind(
            Worth.DOUBT, "whether AES instructions were used is unknown", is_meaning=True
        ),
        "size-not-whole-blocks": VerdictKind(Worth.DOUBT, "the size is no multiple of the block", is_meaning=True),
        "calls-fail": VerdictKind(Worth.UNFIT, "the calls fail and are counted"),
        "above-instruction-set": VerdictKind(Worth.UNFIT, "faster than the processor's instructions allow"),
        "tag-not-checked": VerdictKind(Worth.DOUBT, "decryption without the tag being checked", is_meaning=True),
        "offload-engine": VerdictKind(Worth.NOTE, "an engine beside the processor did the work", is_meaning=True),
        "digest-stream": VerdictKind(
            Worth.DOUBT, "hash: one long message, the cost of a message's end left out", is_meaning=True
        ),
        "size-assumed": VerdictKind(Worth.DOUBT, "the size of a packet is not stated: full packets are assumed"),
        "unit-unclear": VerdictKind(Worth.DOUBT, "powers of 2 or of 10: the text does not say"),
        "range-midpoint": VerdictKind(Worth.NOTE, "the middle of a range that was published"),
        "best-of-runs": VerdictKind(Worth.DOUBT, "the best of several runs"),
        "overstated": VerdictKind(Worth.DOUBT, "the tool counts more work than it did"),
        "carrier-unknown": VerdictKind(
            Worth.DOUBT, "what carried the traffic, and whether it was encrypted, is unknown", is_meaning=True
        ),
        "carrier-stated": VerdictKind(Worth.NOTE, "what carried the traffic is what a title or note says"),
        "packets-lost": VerdictKind(Worth.DOUBT, "more packets were lost than a tunnel is rated with"),
        "rate-limited": VerdictKind(Worth.UNFIT, "the sender was held back: what was asked for, no limit of the box"),
        "latency-of-burst": VerdictKind(
            Worth.NOTE, "how long a burst was under way, not the time for one packet", is_meaning=True
        ),
        "calls-refused": VerdictKind(Worth.NOTE, "the queue was full at times: the device was the limit"),
        "cipher-unknown": VerdictKind(Worth.UNFIT, "which cipher was measured is not stated"),
        "result-unchecked": VerdictKind(Worth.DOUBT, "whether the operations succeeded was not looked at"),
        "both-ends-on-one-box": VerdictKind(Worth.DOUBT, "both ends ran on the same box", is_meaning=True),
        "table-of-others": VerdictKind(Worth.DOUBT, "copied by hand from another publication"),
        "vendor-figure": VerdictKind(Worth.DOUBT, "the vendor's own figure"),
        "emulated": VerdictKind(Worth.UNFIT, "measured on an emulated processor"),
        "box-busy": VerdictKind(Worth.DOUBT, "other work ran on the box during the measurement"),
        "clock-throttled": VerdictKind(Worth.DOUBT, "the clock fell during the measurement"),
        "spread-wide": VerdictKind(Worth.DOUBT, "repeated figures differ by more than a tenth"),
        "multi-summed": VerdictKind(Worth.NOTE, "the sum of processes that ran at once"),
        "few-digits": VerdictKind(Worth.DOUBT, "printed with one or two digits only"),
        "sizes-assumed": VerdictKind(Worth.DOUBT, "the sizes are not stated: the tool's usual ones are assumed"),
        "inconsistent": VerdictKind(Worth.DOUBT, "figures of the text contradict each other"),
    }
)
"""Every code that an importer may give. One that is not here is treated as a doubt."""


@dataclass(frozen=True, slots=True)
class DatasetVerdict:
    """What is to be said of the worth of a dataset's figures; rows that it is about have its code in their flags."""

    code: str
    """Key of :data:`VERDICT_KINDS`."""
    message: str
    """One line for people: what was seen, and what it does to the figures."""

    @property
    def kind(self) -> VerdictKind:
        """What the code means."""
        return VERDICT_KINDS.get(self.code, VerdictKind(Worth.DOUBT, self.code))
