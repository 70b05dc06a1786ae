"""The requirement file: what it says, what it refuses, and that what is written is read back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsecbench.algorithms.authentication import AUTHENTICATION
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.algorithms.sources import sources
from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.bench.measurement import MIXES
from ipsecbench.errors import UsageError
from ipsecbench.recommend.peers.peer import Peer
from ipsecbench.recommend.peers.presets import load_peer
from ipsecbench.recommend.reasons import Reason
from ipsecbench.recommend.requirements.records import MODES, Objective, Requirements
from ipsecbench.recommend.requirements.requirement_file import (
    parse_requirement_file,
    read_requirement_file,
    write_requirements,
)
from ipsecbench.recommend.requirements.traffic import Traffic

NEED = Path("need.toml")


def read(content: str) -> Requirements:
    fields: dict[str, Any] = dict(parse_requirement_file(content, NEED).fields)
    return Requirements(**fields)


def test_a_whole_file() -> None:
    found = parse_requirement_file(
        """
        policy = "nist"
        goal = "500M"
        profile = "64:7,570:4,1518:1"
        min-bits = 128
        tunnels = 40
        cores = 2
        direction = "70:30"
        outer = "ipv6"
        mtu = 1280
        nat-t = true
        ike-version = 2
        mode = "gre"
        objective = "cpu"
        peer = "aes256-sha256-modp2048/aes256gcm16-aes128gcm16-modp2048"
        """,
        NEED,
    )
    assert found.policy == "nist"
    assert dict(found.fields) == {
        "goal_mbit_per_second": 500.0,
        "traffic": Traffic(distribution=((64, 7.0), (570, 4.0), (1518, 1.0))),
        "min_strength_bits": 128,
        "tunnels": 40,
        "cores": 2,
        "outbound_share": 0.7,
        "outer": "ipv6",
        "link_mtu_bytes": 1280,
        "nat_traversal": True,
        "ike_version": 2,
        "mode": "gre",
        "objective": Objective.CPU,
        "peer": load_peer("aes256-sha256-modp2048/aes256gcm16-aes128gcm16-modp2048"),
    }


def test_an_empty_file_asks_for_nothing() -> None:
    assert parse_requirement_file("", NEED).policy is None
    assert read("") == Requirements()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("goall = 1\n", ("need.toml:1", "'goall'", "did you mean 'goal'")),
        ("\nmin_bits = 128\n", ("need.toml:2", "did you mean 'min-bits'")),
        ("zzz = 1\n", ("need.toml:1", "'zzz'", "known here", "sas-per-tunnel")),
        ("tunnels = true\n", ("need.toml:1", "tunnels", "true")),
        ("tunnels = '4'\n", ("need.toml:1", "tunnels", "'4'")),
        ("goal = 500.5\n", ("need.toml:1", "goal", "500M")),
        ("goal = 'fast'\n", ("need.toml:1", "goal", "fast")),
        ("[goal]\nrate = 1\n", ("need.toml:1", "goal", "a table")),
        ("mode = ['gre']\n", ("need.toml:1", "mode", "a list")),
        ("mtu = 9\n", ("need.toml:1", "mtu", "576")),
        ("# v6\nouter = 'ipv6'\nmtu = 1000\n", ("need.toml", "MTU 1000", "1280")),
        ("cores = 0\n", ("need.toml:1", "cores", "1 to")),
        ("direction = 'up'\n", ("need.toml:1", "direction", "70:30")),
        ("direction = 1.5\n", ("need.toml:1", "direction", "0 to 1")),
        ("profile = 'jumbo'\n", ("need.toml:1", "profile", "jumbo")),
        ("profile = 1.5\n", ("need.toml:1", "profile", "1.5")),
        ("[profile]\nname = 'x'\n", ("need.toml:1", "sizes")),
        ("[profile]\nsizes = '1400'\n", ("need.toml:2", "sizes")),
        ("peer = 'nobody'\n", ("need.toml:1", "nobody")),
        ("peer = 'aes256-modp2048/'\n", ("need.toml:1", "integrity")),
        ("[peer]\ntitle = 'x'\n[peer.prf]\nhas = ['prfsha265']\n", ("need.toml:4", "did you mean 'prfsha256'")),
        ("policy = 1\n", ("need.toml:1", "text in quotes")),
        ("goal = \n", ("need.toml:1", "Invalid")),
        ("goal = '1G'\ngoal = '2G'\n", ("need.toml:2",)),
        ("a = " + "[" * 5000, ("need.toml:1",)),
        ("name = '" + "x" * 300 + "'\n", ("need.toml:1",)),
    ],
)
def test_a_mistake_is_one_line_with_file_and_key(content: str, words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError) as caught:
        parse_requirement_file(content, NEED)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message


@pytest.mark.parametrize("content", [b"\xff\xfe", b"goal = '\x00'", b"x" * (2 << 20)])
def test_a_file_that_is_no_text_is_one_line(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "need.toml"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"need\.toml") as caught:
        read_requirement_file(path)
    assert "\n" not in str(caught.value)


def test_paths_begin_at_the_folder_of_the_file(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "mine.toml").write_text("", encoding="utf-8")
    (folder / "need.toml").write_text('policy = "mine.toml"\n', encoding="utf-8")
    assert read_requirement_file(folder / "need.toml").policy == str(folder / "mine.toml")


def test_a_mistake_in_a_file_that_is_named_has_both_places(tmp_path: Path) -> None:
    (tmp_path / "sizes.csv").write_text("64 x\n", encoding="utf-8")
    (tmp_path / "other.toml").write_text("titel = 1\n", encoding="utf-8")
    for line, words in (
        ('profile = "sizes.csv"', ("need.toml:1: profile: ", "sizes.csv:1: '64 x'")),
        ('peer = "other.toml"', ("need.toml:1: peer: ", "other.toml:1: 'title' is missing")),
    ):
        (tmp_path / "need.toml").write_text(line, encoding="utf-8")
        with pytest.raises(UsageError) as caught:
            read_requirement_file(tmp_path / "need.toml")
        for word in words:
            assert word in str(caught.value)


names = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp", "Cf", "Co", "Cn")), min_size=1)
lines = names.filter(lambda text: bool(text.strip()) and text.isprintable())
traffics = st.one_of(
    st.integers(20, 65_535).map(lambda size: Traffic(size_bytes=size)),
    st.sampled_from(sorted(MIXES)).map(lambda mix: Traffic(mix=mix)),
    st.builds(
        Traffic,
        distribution=st.dictionaries(
            st.integers(20, 65_535), st.floats(1e-3, 1e12), min_size=1, max_size=30
        ).map(lambda found: tuple(sorted(found.items()))),
        name=st.none() | names,
    ),
)  # fmt: skip


@st.composite
def peers(draw: st.DrawFn) -> Peer:
    exchanges = draw(st.none() | st.frozensets(st.sampled_from(sorted(KEY_EXCHANGE))))
    suites = draw(st.none() | st.frozensets(st.sampled_from(sorted(esp_suites()))))
    uncertain = set()
    if exchanges:
        uncertain |= draw(st.sampled_from([{"key_exchange"}, {f"key_exchange.{min(exchanges)}"}, set()]))
    if suites:
        uncertain |= draw(
            st.sampled_from([{"esp_suites"}, {f"esp_suites.{name}" for name in (*suites, "others")}, set()])
        )
    keys = st.lists(st.sampled_from(sorted(sources())), unique=True).map(tuple)
    cited = draw(keys)
    return Peer(
        name=draw(lines),
        key_exchange=exchanges,
        esp_suites=suites,
        ike_versions=draw(st.none() | st.frozensets(st.sampled_from([1, 2]))),
        esn=draw(st.none() | st.booleans()),
        child_seconds=draw(st.none() | st.integers(60, 86_400)),
        uncertain=frozenset(uncertain),
        notes=tuple(draw(st.lists(st.builds(Reason, lines, keys), max_size=2))),
        describes=draw(st.none() | lines),
        sources=(("key_exchange", cited),) if exchanges is not None and cited else (),
    )


presets = st.sampled_from(["aes256-sha256-modp2048/aes128gcm16-modp2048", "/3des-sha1"]).map(load_peer)


@given(
    wanted=st.builds(
        Requirements,
        goal_mbit_per_second=st.none() | st.floats(1e-6, 9e8),
        traffic=traffics,
        min_strength_bits=st.none() | st.integers(1, 256),
        link_mtu_bytes=st.integers(1280, 65_535),
        nat_traversal=st.booleans(),
        outer=st.sampled_from(["ipv4", "ipv6"]),
        inner=st.sampled_from(["ipv4", "ipv6"]),
        authentication=st.none() | st.sampled_from(sorted(AUTHENTICATION)),
        tunnels=st.integers(1, 1_000_000),
        sas_per_tunnel=st.integers(1, 1000),
        cores=st.none() | st.integers(1, 1024),
        outbound_share=st.none() | st.floats(0, 1),
        mode=st.sampled_from(MODES),
        ike_version=st.sampled_from([None, 1, 2]),
        objective=st.sampled_from(list(Objective)),
        round_trip_ms=st.floats(0, 1000),
        reordering_ms=st.floats(0, 1000),
        certificate_chain=st.integers(0, 10),
        peer=st.none() | presets | peers(),
    ),
    policy=st.none() | names,
    other=st.none() | st.sampled_from(["there.json", "a b/ü.json"]),
)
def test_what_is_written_is_read_back(wanted: Requirements, policy: str | None, other: str | None) -> None:
    content = write_requirements(wanted, policy, other)
    assert read(content) == wanted
    assert parse_requirement_file(content, NEED).policy == policy
    assert parse_requirement_file(content, NEED).peer_dataset == (None if other is None else Path(other))
    assert write_requirements(read(content), policy, other) == content


def test_only_what_differs_from_the_default_is_written() -> None:
    assert write_requirements(Requirements()) == ""
    wanted = Requirements(goal_mbit_per_second=500.0, outbound_share=0.7, nat_traversal=True)
    assert write_requirements(wanted, "nist") == 'policy = "nist"\ngoal = "500M"\nnat-t = true\ndirection = "70:30"\n'
