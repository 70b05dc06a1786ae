"""The JSON document: its keys are those that are documented, it asks for the same again, and it knows its sources."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from ipsecbench.dataset.model import Dataset
from ipsecbench.recommend import recommend
from ipsecbench.recommend.answer_file import FORMAT, FORMAT_VERSION, answer_document
from ipsecbench.recommend.peers.presets import load_peer
from ipsecbench.recommend.policies.policy import load_policy
from ipsecbench.recommend.requirements.records import Requirements
from ipsecbench.recommend.requirements.requirement_file import read_requirement_file
from ipsecbench.recommend.requirements.traffic import Traffic

MakeDataset = Callable[..., Dataset]
PAGE = Path(__file__).resolve().parents[3] / "docs" / "recommend-output.md"
WANTED = Requirements(
    goal_mbit_per_second=20.0,
    tunnels=40,
    traffic=Traffic(distribution=((64, 7.0), (1400, 1.0)), name="office"),
    peer=load_peer("aws"),
)


def keyed(value: object) -> Iterator[str]:
    """Every source that is named anywhere."""
    if isinstance(value, dict):
        for key, item in value.items():
            # A peer has pairs of a field and the keys of that field.
            pairs = key == "sources" and any(isinstance(each, list) for each in item)
            yield from (
                keyed(item) if key != "sources" else (each for _, keys in item for each in keys) if pairs else item
            )
    elif isinstance(value, list):
        for item in value:
            yield from keyed(item)


def test_the_keys_are_those_that_are_documented(make_dataset: MakeDataset) -> None:
    document = answer_document(recommend(make_dataset(), load_policy("modern")))
    table = PAGE.read_text(encoding="utf-8").split("## JSON")[1]
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", table, re.M)
    documented = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert len(documented) == len(set(documented))
    assert set(documented) - {"proof"} == set(document)
    assert (
        (document["format"], document["format_version"])
        == (FORMAT, FORMAT_VERSION)
        == (
            "ipsecbench-recommendation",
            1,
        )
    )


def test_its_requirement_file_asks_for_the_same(make_dataset: MakeDataset, tmp_path: Path) -> None:
    found = recommend(make_dataset(), load_policy("nist"), WANTED)
    document = answer_document(found, "nist")
    path = tmp_path / "again.toml"
    path.write_text(document["requirements_file"], encoding="utf-8")
    stored = read_requirement_file(path)
    assert stored.policy == "nist"
    again = recommend(make_dataset(), load_policy("nist"), Requirements(**stored.fields))  # type: ignore[arg-type]
    assert answer_document(again, "nist") == document


def test_every_source_that_is_named_is_explained_and_it_is_plain_json(make_dataset: MakeDataset) -> None:
    document = answer_document(recommend(make_dataset(), load_policy("legacy-interop"), WANTED))
    explained = document.pop("sources")
    named = set(keyed(document))
    assert named
    assert named == set(explained)
    assert all(entry is not None and entry["title"] for entry in explained.values())
    assert json.loads(json.dumps(document, allow_nan=False)) == document
