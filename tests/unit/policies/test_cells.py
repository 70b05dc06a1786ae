"""Every algorithm under every policy, against a table written from the standards (``cells.csv``) and not from the code.

``columns.csv`` says for each policy which document a column is from and by which rule; ``narrower.csv`` has the cells
where a policy is narrower than its document on purpose. The cells:

====================  =========================================================================================
``allowed``           the document allows it, and the policy may choose it or at least lets it pass
``accepted``          a document forbids it or advises against it, and the policy sets it with a warning
``fallback``          only in a proposal for old peers, after the first choice
``refused``           the document does not allow it
``narrower``          the document allows it, and the policy refuses it all the same
====================  =========================================================================================
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from ipsecbench.algorithms.authentication import AUTHENTICATION
from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.integrity import INTEGRITY
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.algorithms.prf import PRF
from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.recommend.policies.policy import POLICIES, Permission, load_policy
from ipsecbench.recommend.reasons import Role

HERE = Path(__file__).parent
KNOWN: Mapping[Role, Iterable[str]] = {
    Role.IKE_VERSION: ("1", "2"),
    Role.KEY_EXCHANGE: KEY_EXCHANGE,
    Role.ADDITIONAL_KEY_EXCHANGE: KEY_EXCHANGE,
    Role.PRF: PRF,
    Role.IKE_ENCRYPTION: ENCRYPTION,
    Role.IKE_INTEGRITY: INTEGRITY,
    Role.AUTHENTICATION: AUTHENTICATION,
    Role.ESP_SUITE: esp_suites(),
}


def read(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


CELLS = {(Role(row["role"].replace("_", "-")), row["algorithm"]): row for row in read("cells.csv")}
NARROWER = read("narrower.csv")


def test_the_table_has_every_algorithm_once_and_no_other() -> None:
    assert len(CELLS) == len(read("cells.csv"))
    assert set(CELLS) == {(role, name) for role, names in KNOWN.items() for name in names}


def test_every_policy_has_a_column_that_names_its_source() -> None:
    columns = {row["policy"]: row for row in read("columns.csv")}
    assert tuple(columns) == POLICIES
    assert all(row["source"] and row["where"] and row["rule"] for row in columns.values())
    assert all(set(POLICIES) <= set(row) for row in CELLS.values())
    values = {row[policy] for row in CELLS.values() for policy in POLICIES}
    assert values == {"allowed", "accepted", "fallback", "refused", "narrower"}


@pytest.mark.parametrize("name", POLICIES)
def test_every_cell_agrees_with_its_source(name: str) -> None:
    policy = load_policy(name)
    wrong = []
    for (role, algorithm), row in CELLS.items():
        expected = "refused" if row[name] == "narrower" else row[name]
        found = policy.permission(role, algorithm)
        if found != expected:
            wrong.append(f"{role} {algorithm}: {found}, and the source says {row[name]}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", POLICIES)
def test_where_a_policy_is_narrower_than_its_source_it_says_why(name: str) -> None:
    policy = load_policy(name)
    patterns = [row for row in NARROWER if row["policy"] == name]
    used = set()
    for (role, algorithm), row in CELLS.items():
        if row[name] != "narrower":
            continue
        matching = [
            number
            for number, each in enumerate(patterns)
            if each["role"].replace("_", "-") == role and fnmatchcase(algorithm, each["algorithm"]) and each["why"]
        ]
        assert len(matching) == 1, (role, algorithm)
        used |= set(matching)
        assert policy.why_not_listed(role, algorithm).sources
    assert len(used) == len(patterns), "a line of narrower.csv that is for nothing"


def test_what_is_accepted_is_a_warning_and_what_is_allowed_is_none() -> None:
    for name in POLICIES:
        policy = load_policy(name)
        for (role, algorithm), row in CELLS.items():
            warning = policy.accepts(role, algorithm)
            assert (warning is not None) == (row[name] == "accepted"), (name, role, algorithm)
            assert policy.permission(role, algorithm) in Permission
