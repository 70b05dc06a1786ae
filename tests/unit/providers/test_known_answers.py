"""The known answers in the package are those that were published."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ipsecbench.errors import CorrectnessError
from ipsecbench.providers.catalogue import Catalogue
from ipsecbench.providers.kinds import KINDS, Kind
from ipsecbench.providers.known_answers import check_known_answers, known_answers, signing_key
from ipsecbench.providers.modp_groups import modp_group

VECTORS = Path(__file__).parents[2] / "vectors" / "providers"
COMPUTED = ("computed:", "a key made with", "RFC 2410")


def test_they_stand_in_the_published_values() -> None:
    published = "".join(path.read_text(encoding="utf-8").lower() for path in VECTORS.rglob("*.json"))
    looked_up = 0
    for answers in known_answers().values():
        for answer in answers:
            if answer.source.startswith(COMPUTED):
                continue
            for name in ("output", "prf_plus", "signature", "input", "peer_public"):
                # The first octets of each value, since some values are printed in parts.
                octets = answer.values.get(name, b"")[:8]
                assert octets.hex() in published, (answer.algorithm, answer.source, name)
                looked_up += bool(octets)
    assert looked_up > 200


def test_few_are_our_own() -> None:
    own = {
        answer.algorithm for each in known_answers().values() for answer in each if answer.source.startswith(COMPUTED)
    }
    assert own == {"blowfish256", "null", "rsa-2048", "rsa-3072", "rsa-4096"}


def test_everything_but_the_safe_primes_has_one() -> None:
    without = set(KINDS) - set(known_answers())
    assert all(name.startswith(("modp", "twofish", "serpent")) for name in without)
    assert "modp2048s256" not in without


def test_subgroups_are_those_of_rfc5114(vectors: Callable[[str], Any]) -> None:
    domain = vectors("rfc/rfc5114_modp_subgroup.json")["domain"]
    for number, name in (("22", "modp1024s160"), ("23", "modp2048s224"), ("24", "modp2048s256")):
        group = modp_group(name)
        assert (group.prime, group.generator, group.order) == tuple(int(domain[number][k], 16) for k in "pgq")


def test_there_is_a_key_for_every_signature_algorithm() -> None:
    for name, kind in KINDS.items():
        if kind is Kind.SIGNATURE:
            assert len(signing_key(name)) > 40


def test_an_algorithm_without_known_answers_is_not_admitted(catalogue: Catalogue) -> None:
    with pytest.raises(CorrectnessError, match="no known answer"):
        check_known_answers(catalogue.provider("cryptography"), "twofish128")
