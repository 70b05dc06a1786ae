"""Every text of the vendors' targets over the whole matrix, against grammars that know nothing of the renderers."""

import re

import pytest

from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.integrity import INTEGRITY
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.algorithms.prf import PRF
from ipsecbench.export.connection import PSK_PLACEHOLDER, Connection
from ipsecbench.export.target import Proof, find_target, target_names
from tests.unit.export.grammar import GRAMMARS, duration_seconds, faults, load_grammar, meaning, read_roles
from tests.unit.export.vendor_matrix import VENDORS, written

_STEP_OF_UNIT = {"seconds": 1, "minutes": 60, "hours": 3600}
_UNITS = tuple(_STEP_OF_UNIT)


def _number(encryption: str) -> str:
    row = ENCRYPTION[encryption]
    return f"{row.ikev2_id}/{row.key_bits}"


def _integrity_number(name: str) -> str:
    return str(INTEGRITY[name].ikev2_id)


def _prf_number(name: str) -> str:
    return str(PRF[name].ikev2_id)


def _group_number(name: str) -> str:
    return str(KEY_EXCHANGE[name].ikev2_id)


def _wanted(connection: Connection) -> dict[str, list[str]]:
    """The numbers of the IANA registries for each role of a connection."""
    ike, esp = connection.ike, connection.esp
    return {
        "ike_encryption": [_number(ike.encryption)],
        "ike_integrity": [] if ike.integrity is None else [_integrity_number(ike.integrity)],
        "prf": [_prf_number(ike.prf)],
        "ike_group": [_group_number(ike.key_exchange)],
        "esp_encryption": [_number(esp.encryption)],
        "esp_integrity": [] if esp.integrity is None else [_integrity_number(esp.integrity)],
        "pfs_group": [] if esp.key_exchange is None else [_group_number(esp.key_exchange)],
    }


def _proposal_roles(read: dict[str, list[str]]) -> dict[str, list[str]]:
    """The roles in OPNsense's proposals; a hash beside GCM in phase 1 is the PRF, as in strongSwan."""
    (ike,), (esp,) = (read.pop(f"{which}_proposal") for which in ("ike", "esp"))
    encryption, chosen, group = ike.split("-")
    esp_encryption, *rest = esp.split("-")
    integrity = [word for word in rest if word in INTEGRITY]
    roles = {"ike_encryption": encryption, "ike_integrity": chosen, "ike_group": group}
    words = {role: [word] for role, word in roles.items()}
    if ENCRYPTION[encryption].aead:
        words["prf"] = [f"prf{words.pop('ike_integrity')[0]}"]
        words["ike_integrity"] = []
    words |= {"esp_encryption": [esp_encryption], "esp_integrity": integrity}
    words["pfs_group"] = [word for word in rest if word not in integrity]
    tables = {"encryption": _number, "integrity": _integrity_number, "group": _group_number, "prf": _prf_number}
    return {role: [tables[role.rpartition("_")[2]](word) for word in found] for role, found in words.items()}


def _said(name: str, text: str, connection: Connection) -> dict[str, list[str]]:
    """The numbers that the words of a text stand for, by role, as far as the product has a setting for the role."""
    read = read_roles(name, text)
    if name == "opnsense":
        return _proposal_roles(read)
    said = {}
    for role, words in read.items():
        part, _, what = role.partition("_")
        if what in (*_UNITS, "octets"):
            continue
        if what == "hash":
            # Written whatever the cipher, with a meaning beside ciphers that need it alone.
            integrity = getattr(connection, part).integrity
            if integrity is not None:
                said[f"{part}_integrity"] = [meaning(name, role, word) for word in words]
            continue
        # Each network has an entry of its own in some products; they must be alike.
        joined = [re.sub(r"\n.*keylen=", "/", word) for word in dict.fromkeys(words)]
        said[role] = [meaning(name, role, word) for word in joined]
    if "prf" in said and connection.ike_version == 1:
        said.pop("prf")
    return said


@pytest.mark.parametrize("name", VENDORS)
def test_every_text_is_permitted_line_by_line(name: str) -> None:
    texts = written(name)
    assert len(texts) > 100
    for label, _, text in texts:
        assert faults(name, text) == [], label


@pytest.mark.parametrize("name", VENDORS)
def test_the_words_of_every_text_mean_the_algorithms_of_the_connection(name: str) -> None:
    for label, connection, text in written(name):
        wanted, said = _wanted(connection), _said(name, text, connection)
        assert {"ike_encryption", "ike_group", "esp_encryption", "pfs_group"} <= set(said), label
        for role, numbers in said.items():
            if role == "prf" and not numbers:
                # That of the hash: RouterOS' "auto", FortiOS beside a cipher without integrity, VyOS 1.4 always.
                chosen = connection.ike.integrity or read_roles(name, text)["ike_hash"][0]
                assert connection.ike.prf == f"prf{chosen}", label
                continue
            assert numbers == wanted[role], (label, role)


@pytest.mark.parametrize("name", VENDORS)
def test_no_life_is_longer_than_what_was_computed(name: str) -> None:
    lives = load_grammar(name).data["lives"]
    timed = {part for part in lives if part in ("ike", "child")} - {"ike" if name == "openwrt" else ""}
    for label, connection, text in written(name):
        read = read_roles(name, text)
        assert {role.split("_")[0] for role, words in read.items() if words and role.endswith(_UNITS)} == timed, label
        for role, words in read.items():
            part, _, unit = role.partition("_")
            if unit not in (*_UNITS, "octets"):
                continue
            life = connection.ike_life if part == "ike" else connection.child_life
            kind = "bytes" if unit == "octets" else "seconds"
            wanted = getattr(life, f"{lives[part]}_{kind}")
            step = lives["octets"] if unit == "octets" else _STEP_OF_UNIT[unit]
            for word in words:
                value = step * (int(word) if word.isdigit() else duration_seconds(word))
                assert value <= wanted, (label, role)
                plain = not re.search(r"shortened|sets no life", " ".join(text.split()))
                assert value > wanted - step or not plain, (label, role)


_BOTH_LIVES = {
    "openwrt": {
        r"^config remote [\s\S]*option rekeytime '(\d+)s'": ("ike_life", "soft_seconds"),
        r"_child'\n(?:\t.*\n)*?\toption rekeytime '(\d+)s'": ("child_life", "soft_seconds"),
        r"option rekeybytes '(\d+)'": ("child_life", "soft_bytes"),
        r"option rekeypackets '(\d+)'": ("child_life", "soft_packets"),
        r"option lifepackets '(\d+)'": ("child_life", "hard_packets"),
    },
    "vyos": {r"life-packets '(\d+)'": ("child_life", "hard_packets")},
    "pfsense": {r"phase1/rekey_time=(\d+)": ("ike_life", "soft_seconds")},
}
"""What products that set a soft and a hard life, or packets, have beside what the grammars read."""


@pytest.mark.parametrize("name", _BOTH_LIVES)
def test_a_soft_life_and_packets_are_what_was_computed(name: str) -> None:
    for label, connection, text in written(name):
        if not set(label.split()) & {"child", "IKE"}:
            for expression, (life, field) in _BOTH_LIVES[name].items():
                (value,) = set(re.findall(expression, text, re.MULTILINE))
                assert int(value) == getattr(getattr(connection, life), field), (label, expression)


def test_soft_and_hard_life_of_openwrts_and_opnsenses_ike_sa_are_apart_by_the_over_time() -> None:
    for name, expression in (("openwrt", r"option overtime '(\d+)s'"), ("opnsense", r"over_time=(\d+)")):
        for label, connection, text in written(name):
            life = connection.ike_life
            assert re.findall(expression, text) == [str(life.hard_seconds - life.soft_seconds)], label


@pytest.mark.parametrize("name", VENDORS)
def test_no_text_holds_a_secret_or_is_readable_by_others(name: str) -> None:
    target = find_target(name)
    for label, connection, text in written(name):
        assert (PSK_PLACEHOLDER in text) == connection.uses_psk, label
        assert text.isascii(), label
    for version in target.versions:
        for label, connection, _ in written(name):
            if f"@{version} " in label:
                files = target.render(connection, version)
                assert [file.mode for file in files] == [0o600, 0o644], label
                break


def test_every_target_without_a_parser_has_a_grammar_of_its_own_with_its_sources() -> None:
    assert {name for name in target_names() if find_target(name).proof is Proof.GRAMMAR} >= set(VENDORS)
    assert {path.stem for path in GRAMMARS.glob("*.toml")} == set(VENDORS)
    for name in VENDORS:
        assert load_grammar(name).sources
        assert "no device has read it" in find_target(name).proof_text


def _body(name: str, text: str) -> str:
    comment = load_grammar(name).data["comment"]
    return "\n".join(line for line in text.splitlines() if not line.startswith(comment))


def test_openwrt_has_no_hash_beside_a_combined_mode_and_always_one_beside_others() -> None:
    for label, connection, text in written("openwrt"):
        hashes = _body("openwrt", text).count("option hash_algorithm")
        assert hashes == (connection.ike.integrity is not None) + (connection.esp.integrity is not None), label


def test_vyos_has_a_hash_in_every_proposal() -> None:
    for label, _, text in written("vyos"):
        assert len(re.findall(r"^set vpn ipsec ike-group \S+ proposal 1 hash", text, re.MULTILINE)) == 1, label
        assert len(re.findall(r"^set vpn ipsec esp-group \S+ proposal 1 hash", text, re.MULTILINE)) == 1, label


def test_routeros_has_an_empty_authentication_with_combined_modes_alone() -> None:
    for label, connection, text in written("routeros"):
        assert ('auth-algorithms=""' in text) == connection.esp.transform.aead, label


@pytest.mark.parametrize(
    ("name", "without"),
    [
        ("panos", r"esp authentication none"),
        ("asa", r"protocol esp integrity null"),
        ("windows-rras", r"AuthenticationTransformConstants\s+= 'GCM"),
        ("windows-vpn-client", r"AuthenticationTransformConstants\s+= 'GCM"),
        ("windows-netipsec", r"-ESPHash AESGMAC"),
    ],
)
def test_integrity_is_only_left_out_beside_a_combined_mode(name: str, without: str) -> None:
    for label, connection, text in written(name):
        assert bool(re.search(without, text)) == connection.esp.transform.aead, label


@pytest.mark.parametrize("name", ["windows-rras", "windows-vpn-client", "windows-netipsec"])
def test_windows_never_has_an_esp_transform_without_integrity(name: str) -> None:
    for label, _, text in written(name):
        assert not re.search(r"(AuthenticationTransformConstants|-ESPHash|-Encryption)\s+=?\s*'?None", text), label
        cipher = re.findall(r"CipherTransformConstants\s+= '(GCM\w+)'", text)
        assert re.findall(r"AuthenticationTransformConstants\s+= '(GCM\w+)'", text) == cipher, label


def test_fortios_never_has_a_proposal_without_integrity() -> None:
    for label, _, text in written("fortios"):
        assert not re.search(r"set proposal \S+-null", text), label


def test_panos_sets_no_more_octets_than_were_computed() -> None:
    sizes = {"kb": 2**10, "mb": 2**20, "gb": 2**30, "tb": 2**40}
    for label, connection, text in written("panos"):
        for unit, value in re.findall(r"lifesize (\w+) (\d+)", text):
            wanted = connection.child_life.hard_bytes
            assert wanted is not None
            assert int(value) * sizes[unit] <= wanted, label
            assert int(value) * sizes[unit] > wanted * 0.9 or "sets no life" in text, label


@pytest.mark.parametrize("name", VENDORS)
def test_the_verifying_command_stands_in_the_file(name: str) -> None:
    _, connection, text = written(name)[0]
    joined = re.sub(r"\n\S+ +", " ", text)
    assert find_target(name).verify(connection) in joined


_NOT_WRITTEN = {("ios-xe", "ike_encryption", "des")}
"""What only one of two sources has."""


@pytest.mark.parametrize("name", [name for name in VENDORS if name != "opnsense"])
def test_every_word_that_has_a_meaning_is_written_for_some_connection(name: str) -> None:
    used: dict[str, set[str]] = {}
    for _, _, text in written(name):
        for role, words in read_roles(name, text).items():
            table = role.replace("hash", "integrity")
            joined = {re.sub(r"\n.*keylen=", "/", word) for word in words}
            for key in (table, table.rpartition("_")[2]):
                used.setdefault(key, set()).update(joined)
    for table, words in load_grammar(name).data["meaning"].items():
        if table != "group":
            missing = {(name, table, word) for word in words if word not in used[table]}
            assert missing <= _NOT_WRITTEN, table
