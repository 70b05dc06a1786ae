"""Output of ``openssl speed`` as its versions print it: the formats of ``apps/speed.c``, written again here.

1.1.0f, 1.1.1w, 3.0.17, 3.5.7 and 4.0.2; 1.0.2 and LibreSSL 2.1 print as 1.1.0 does, with five sizes.
"""

# ruff: noqa: UP031 - the formats are those of C, as they stand in apps/speed.c
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Layout:
    """How one version prints."""

    version_line: str
    version: str
    sizes: tuple[int, ...]
    bits: str
    """``bit`` or ``bits``."""
    seconds_in_mr: bool
    rsa_has_encryption: bool
    ec_word: str


OLD = Layout(
    "OpenSSL 1.0.2k-fips  26 Jan 2017",
    "OpenSSL 1.0.2k-fips 26 Jan 2017",
    (16, 64, 256, 1024, 8192),
    "bit",
    True,
    False,
    "ecdsa",
)
MIDDLE = Layout(
    "OpenSSL 1.1.1u  30 May 2023",
    "OpenSSL 1.1.1u 30 May 2023",
    (16, 64, 256, 1024, 8192, 16384),
    "bits",
    False,
    False,
    "ecdsa",
)
THREE = Layout("version: 3.0.17", "OpenSSL 3.0.17", MIDDLE.sizes, "bits", False, False, "ecdsa")
THREE_FIVE = Layout("version: 3.5.7", "OpenSSL 3.5.7", MIDDLE.sizes, "bits", False, True, "ecdsa")
FOUR = Layout("version: 4.0.2", "OpenSSL 4.0.2", MIDDLE.sizes, "bits", False, True, "EC")
LIBRESSL = Layout("LibreSSL 2.6.5", "LibreSSL 2.6.5", OLD.sizes, "bit", True, False, "ecdsa")
LAYOUTS = (OLD, MIDDLE, THREE, THREE_FIVE, FOUR, LIBRESSL)


def head(layout: Layout) -> str:
    """What is printed above the tables."""
    return f"{layout.version_line}\nbuilt on: Wed May 24 17:04:49 2023 UTC\noptions: bn(64,64)\ncompiler: gcc -O3\n"


def cipher_table(sizes: Sequence[int], rows: Mapping[str, Sequence[float]]) -> str:
    """The table of ciphers; rates in octets a second."""
    text = "The 'numbers' are in 1000s of bytes per second processed.\ntype        "
    text += "".join("%7d bytes" % size for size in sizes) + "\n"
    for name, rates in rows.items():
        text += "%-13s" % name
        text += "".join(" %11.2fk" % (rate / 1e3) if rate > 10000 else " %11.2f " % rate for rate in rates) + "\n"
    return text


def machine_ciphers(sizes: Sequence[int], rows: Mapping[str, Sequence[float]]) -> str:
    """The same with ``-mr``."""
    text = "+H" + "".join(":%d" % size for size in sizes) + "\n"
    for index, (name, rates) in enumerate(rows.items()):
        text += "+F:%d:%s" % (index, name) + "".join(":%.2f" % rate for rate in rates) + "\n"
    return text


def rsa_table(layout: Layout, rows: Mapping[int, Sequence[float]]) -> str:
    """Signatures and verifications a second, since 3.2 encryptions and decryptions too."""
    if layout.rsa_has_encryption:
        text = "%19ssign    verify    encrypt   decrypt   sign/s verify/s  encr./s  decr./s\n" % " "
        for bits, rates in rows.items():
            text += "rsa %5u bits" % bits + "".join(" %8.6fs" % (1 / rate) for rate in rates)
            text += "".join(" %8.1f" % rate for rate in rates) + "\n"
        return text
    text = "%18ssign    verify    sign/s verify/s\n" % " "
    for bits, rates in rows.items():
        text += "rsa %4u bits %8.6fs %8.6fs %8.1f %8.1f\n" % (bits, 1 / rates[0], 1 / rates[1], rates[0], rates[1])
    return text


def machine_rsa(layout: Layout, rows: Mapping[int, Sequence[float]]) -> str:
    """The same with ``-mr``."""
    text = ""
    for index, (bits, rates) in enumerate(rows.items()):
        shown = [1 / rate for rate in rates] if layout.seconds_in_mr else rates
        text += "+F2:%u:%u" % (index, bits) + "".join(":%f" % one for one in shown) + "\n"
    return text


def signature_table(layout: Layout, rows: Mapping[str, tuple[int, float, float]]) -> str:
    """ECDSA: bits, signatures and verifications a second by curve."""
    text = "%30ssign    verify    sign/s verify/s\n" % " "
    for curve, (bits, sign, verify) in rows.items():
        text += "%4u %s %s (%s) %8.4fs %8.4fs %8.1f %8.1f\n" % (
            bits,
            layout.bits,
            layout.ec_word,
            curve,
            1 / sign,
            1 / verify,
            sign,
            verify,
        )
    return text


def agreement_table(layout: Layout, rows: Mapping[str, tuple[int, float]]) -> str:
    """ECDH: bits and operations a second by curve."""
    text = "%30sop      op/s\n" % " "
    for curve, (bits, rate) in rows.items():
        text += "%4u %s ecdh (%s) %8.4fs %8.1f\n" % (bits, layout.bits, curve, 1 / rate, rate)
    return text


def named_table(heading: str, rows: Mapping[str, tuple[float, float, float]]) -> str:
    """Encapsulation and signatures since 3.2: three rates by name."""
    text = "%31s" % " " + heading + "\n"
    for name, rates in rows.items():
        text += "%27s" % name + "".join(" %8.6fs" % (1 / rate) for rate in rates)
        text += "".join(" %9.1f" % rate for rate in rates) + "\n"
    return text


KEM_HEADING = "keygen    encaps    decaps keygens/s  encaps/s  decaps/s"
SIGNATURE_HEADING = "keygen     signs    verify keygens/s    sign/s  verify/s"
