"""Distinguished names: between text and DER, and compared (X.501, RFC 5280 sections 4.1.2.4 and 7.1, RFC 4514).

Names of attribute types are those that strongSwan takes in an identity; the order is that of the text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from ipsecbench.errors import UsageError
from ipsecbench.providers.der import DerError, element, elements, encode

_OBJECT_IDENTIFIER, _SEQUENCE, _SET = 0x06, 0x30, 0x31
_UTF8_STRING, _PRINTABLE_STRING, _IA5_STRING = 0x0C, 0x13, 0x16
_CODECS: Mapping[int, str] = MappingProxyType(
    {_UTF8_STRING: "utf-8", 0x12: "ascii", _PRINTABLE_STRING: "ascii", 0x14: "latin-1", _IA5_STRING: "ascii"}
    | {0x1A: "ascii", 0x1C: "utf-32-be", 0x1E: "utf-16-be"}
)
"""Tag to codec of the string types: UTF8, Numeric, Printable, Teletex, IA5, Visible, Universal and BMP."""

_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "CN": "2.5.4.3",
        "C": "2.5.4.6",
        "L": "2.5.4.7",
        "ST": "2.5.4.8",
        "O": "2.5.4.10",
        "OU": "2.5.4.11",
        "T": "2.5.4.12",
        "D": "2.5.4.13",
        "SN": "2.5.4.5",
        "G": "2.5.4.42",
        "I": "2.5.4.43",
        "DC": "0.9.2342.19200300.100.1.25",
        "UID": "0.9.2342.19200300.100.1.1",
        "E": "1.2.840.113549.1.9.1",
    }
)
"""Short name to object identifier."""
_OTHER_NAMES = {"EMAIL": "E", "EMAILADDRESS": "E", "SERIALNUMBER": "SN"}
_TYPE_NAMES = {identifier: name for name, identifier in _TYPES.items()}
_IA5_TYPES = (_TYPES["DC"], _TYPES["E"])
_PRINTABLE = re.compile(r"[A-Za-z0-9 '()+,./:=?-]*")
_LONGEST_TEXT = 1024
_LONGEST_NAME_BYTES = 4096


def _encode_identifier(dotted: str) -> bytes:
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    octets = bytearray()
    for arc in (40 * first + second, *rest):
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(0x80 | arc & 0x7F)
        octets += bytes(reversed(groups))
    return encode(_OBJECT_IDENTIFIER, bytes(octets))


def _dotted(content: bytes) -> str:
    """An object identifier as text; what is none, in hexadecimal."""
    if not content or content[-1] & 0x80 or len(content) > 64:
        return f"#{content[:64].hex()}"
    arcs, arc = [], 0
    for octet in content:
        arc = arc << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def _split(text: str) -> list[str]:
    """The parts between commas that no backslash stands before."""
    return re.findall(r"(?:\\.|[^\\,])+", text, re.S)


def _unescape(value: str) -> str:
    """RFC 4514 section 3: a backslash before a character, or before two hexadecimal digits of UTF-8."""

    def octets_or_character(match: re.Match[str]) -> str:
        digits = match[0].replace("\\", "")
        return bytes.fromhex(digits).decode("utf-8", "replace")

    value = re.sub(r"(?:\\[0-9A-Fa-f]{2})+", octets_or_character, value)
    return re.sub(r"\\(.)", r"\1", value, flags=re.S)


def encode_name(text: str) -> bytes:
    """See :meth:`ipsecbench.providers.interface.PublicKeyInfrastructure.distinguished_name`."""
    if not text.strip():
        raise UsageError("a distinguished name must not be empty; write it like C=CH, O=Lab, CN=moon")
    relative_names = []
    for part in _split(text):
        name, equals, value = part.strip().partition("=")
        name = name.strip()
        upper = name.upper()
        dotted = _TYPES.get(_OTHER_NAMES.get(upper, upper))
        if dotted is None and re.fullmatch(r"[0-2](\.\d{1,9}){1,20}", name):
            dotted = name
        if not equals or dotted is None:
            known = ", ".join(_TYPES)
            raise UsageError(f"{part.strip()!r} in a distinguished name is no TYPE=VALUE with a TYPE of {known}")
        value = _unescape(value.strip())
        if not value:
            raise UsageError(f"{name} has no value in the distinguished name {text!r}")
        relative_names.append(_relative_name(dotted, value))
    return encode(_SEQUENCE, b"".join(relative_names))


def _relative_name(dotted: str, value: str) -> bytes:
    if dotted in _IA5_TYPES and value.isascii():
        tag = _IA5_STRING
    else:
        tag = _PRINTABLE_STRING if _PRINTABLE.fullmatch(value) else _UTF8_STRING
    attribute = _encode_identifier(dotted) + encode(tag, value.encode("utf-8", "surrogatepass"))
    return encode(_SET, encode(_SEQUENCE, attribute))


def _attributes(name: bytes) -> list[list[tuple[bytes, int, bytes]]]:
    """Type, tag and value of each attribute of each relative distinguished name.

    Raises:
        DerError: the octets are no Name.
    """
    if len(name) > _LONGEST_NAME_BYTES:
        raise DerError(f"a Name of {len(name)} octets is longer than is read here")
    found = []
    for relative in elements(element(name, _SEQUENCE).content):
        if relative.tag != _SET:
            raise DerError("a relative distinguished name is no SET")
        attributes = []
        for attribute in elements(relative.content):
            parts = elements(attribute.content) if attribute.tag == _SEQUENCE else []
            if len(parts) != 2 or parts[0].tag != _OBJECT_IDENTIFIER:
                raise DerError("an attribute is no pair of type and value")
            attributes.append((parts[0].content, parts[1].tag, parts[1].content))
        if not attributes:
            raise DerError("a relative distinguished name is empty")
        found.append(attributes)
    return found


def _decode(tag: int, content: bytes) -> str | None:
    """A string value as text; None when it is none."""
    codec = _CODECS.get(tag)
    if codec is None:
        return None
    try:
        return content.decode(codec)
    except UnicodeDecodeError:
        return None


def _escape(text: str) -> str:
    """RFC 4514 section 2.4, and everything that does not print as hexadecimal octets of its UTF-8."""
    shown = []
    for character in text:
        if character in '\\,+"<>;=':
            shown.append("\\" + character)
        elif character.isprintable():
            shown.append(character)
        else:
            shown += [f"\\{octet:02x}" for octet in character.encode("utf-8", "surrogatepass")]
    escaped = "".join(shown)
    # A space at an end would be lost when the text is read again.
    if escaped.startswith(" "):
        escaped = "\\20" + escaped[1:]
    if escaped.endswith(" "):
        escaped = escaped[:-1] + "\\20"
    return escaped


def name_text(name: bytes) -> str:
    """See :meth:`ipsecbench.providers.interface.PublicKeyInfrastructure.distinguished_name_text`."""
    try:
        relative_names = _attributes(name)
    except DerError:
        return f"(no distinguished name: {name[:64].hex()})"
    parts = []
    for attributes in relative_names:
        shown = []
        for identifier, tag, content in attributes:
            dotted = _dotted(identifier)
            value = _decode(tag, content)
            text = f"#{content[:64].hex()}" if value is None else _escape(value)
            shown.append(f"{_TYPE_NAMES.get(dotted, dotted)}={text}")
        parts.append("+".join(shown))
    text = ", ".join(parts)
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"


def _comparable(name: bytes) -> list[list[tuple[bytes, object]]]:
    compared = []
    for attributes in _attributes(name):
        values: list[tuple[bytes, object]] = []
        for identifier, tag, content in attributes:
            text = _decode(tag, content)
            values.append((identifier, (tag, content) if text is None else " ".join(text.casefold().split())))
        # A relative distinguished name is a set.
        compared.append(sorted(values, key=repr))
    return compared


def names_equal(left: bytes, right: bytes) -> bool:
    """See :meth:`ipsecbench.providers.interface.PublicKeyInfrastructure.names_equal`."""
    if left == right:
        return True
    try:
        return _comparable(left) == _comparable(right)
    except DerError:
        return False


def is_empty(name: bytes) -> bool:
    """Whether a Name has no attributes, as that of a certificate whose subject is in subjectAltName only."""
    return name == b"\x30\x00"
