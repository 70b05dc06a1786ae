"""The checker itself: what is wrong with a configuration is found."""

import pytest

from tests.unit.export.grammar import duration_seconds, faults, load_grammar, meaning, read_roles
from tests.unit.export.vendor_matrix import VENDORS, written


def _text(name: str, kind: str = "") -> str:
    return next(text for label, _, text in written(name) if kind in label)


@pytest.mark.parametrize(
    ("name", "kind", "right", "wrong"),
    [
        ("vyos", "aead", "encryption 'aes256gcm128'", "encryption 'aes256gcm16'"),
        ("vyos", "cbc", "replay-window '128'", "replay-window '2041'"),
        ("openwrt", "cbc", "\toption dh_group", "\toption dhgroup"),
        ("openwrt", "cbc", "\tlist crypto_proposal", "list crypto_proposal"),
        ("routeros", "cbc", "lifetime=4h24m", "lifetime=4.4h"),
        ("routeros", "cbc", "pfs-group=modp2048", "pfs-group=x25519"),
        ("ios-xe", "aead", " encryption aes-gcm-256", " encryption aes-256-gcm"),
        ("ios-xe", "cbc", " lifetime 15840", " lifetime 86401"),
        ("ios-ikev1", "legacy", " encryption aes 128", " encryption gcm 128"),
        ("asa", "aead", "prf sha384", "prf sha-384"),
        ("asa", "cbc", "protocol esp integrity sha-256", "protocol esp integrity sha-2"),
        ("junos", "cbc", "lifetime-seconds 3960", "lifetime-seconds 179"),
        ("junos", "cbc", "dh-group group14", "dh-group group31"),
        ("fortios", "cbc", "set dhgrp 14", "set dhgrp 33"),
        ("panos", "cbc", "dh-group group14", "dh-group group31"),
        ("panos", "cbc", "lifetime seconds 15840", "lifetime seconds 65536"),
        ("pfsense", "cbc", "hash-algorithm=sha256", "hash-algorithm=md5"),
        ("opnsense", "cbc", "aes256-sha256-modp2048", "aes256-sha256-modp768"),
        ("windows-rras", "cbc", "'SHA256128'", "'SHA512256'"),
        ("windows-netipsec", "legacy", "-ESPHash SHA1", "-ESPHash None"),
        ("windows-vpn-client", "cbc", "'AES256'", "'AES512'"),
    ],
)
def test_a_wrong_word_or_a_value_outside_its_range_is_found(name: str, kind: str, right: str, wrong: str) -> None:
    text = _text(name, kind)
    assert faults(name, text) == []
    assert right in text
    found = faults(name, text.replace(right, wrong))
    assert any("is not permitted here" in line for line in found), found


@pytest.mark.parametrize("name", VENDORS)
def test_an_unknown_line_is_found_wherever_it_stands(name: str) -> None:
    lines = _text(name).splitlines()
    for position in range(0, len(lines) + 1, 5):
        spoilt = [*lines[:position], "whatever this is", *lines[position:]]
        assert any("'whatever this is'" in fault for fault in faults(name, "\n".join(spoilt))), position


@pytest.mark.parametrize("name", VENDORS)
def test_every_required_line_is_missed_when_it_is_not_there(name: str) -> None:
    grammar, text = load_grammar(name), _text(name)
    for block in grammar.data["block"]:
        for needed in block.get("required", []):
            patterns = [grammar.pattern(line) for line in block["lines"] if line.startswith(needed)]
            assert patterns, f"{name} requires a line that it does not permit: {needed}"
            columns = grammar.data.get("columns")
            kept = [
                line
                for line in text.splitlines()
                if not any(
                    pattern.matches("|".join(part.strip() for part in line.split("|", 2)) if columns else line)
                    for pattern in patterns
                )
            ]
            if len(kept) < len(text.splitlines()):
                assert any("has no" in fault for fault in faults(name, "\n".join(kept))), needed


@pytest.mark.parametrize("name", VENDORS)
def test_every_meaning_has_a_word_that_the_grammar_permits(name: str) -> None:
    data = load_grammar(name).data
    permitted = {word.strip('"') for words in data.get("values", {}).values() for word in words}
    permitted |= {part for word in permitted for part in word.split("-")}
    lines = " ".join(line for block in data["block"] for line in block["lines"])
    for table in data["meaning"].values():
        for word, number in table.items():
            plain = word.split("/")[0]
            assert "N" in number or word in permitted or set(plain.split()) <= {*permitted, *lines.split()}, word


def test_a_line_in_the_wrong_block_is_found() -> None:
    text = _text("openwrt", "cbc")
    rows = text.splitlines()
    gateway = next(row for row in rows if "option gateway" in row)
    rows.remove(gateway)
    position = next(index for index, row in enumerate(rows) if row.startswith("config crypto_proposal"))
    rows.insert(position + 1, gateway)
    found = faults("openwrt", "\n".join(rows))
    assert any("option gateway" in fault and "not permitted here" in fault for fault in found)


def test_what_is_read_is_what_stands_there() -> None:
    read = read_roles("vyos", "set vpn ipsec ike-group a proposal 1 encryption 'aes256'\n# encryption 'des'\n")
    assert read["ike_encryption"] == ["aes256"]
    assert meaning("vyos", "ike_encryption", "aes256") == "12/256"
    assert meaning("vyos", "pfs_group", "dh-group14") == "14"
    for word in ("dh-groupx", "14"):
        with pytest.raises(KeyError):
            meaning("vyos", "pfs_group", word)
    with pytest.raises(KeyError):
        meaning("vyos", "colour", "red")


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("4h24m", 15_840), ("1d", 86_400), ("1w2d", 777_600), ("m", 0), ("", 0)]
)
def test_durations(text: str, seconds: int) -> None:
    assert duration_seconds(text) == seconds
