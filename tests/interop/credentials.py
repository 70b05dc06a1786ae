"""Certificates and secrets of both ends for a scenario, the wrong ones too."""

from __future__ import annotations

import functools

from ipsecbench.lab.certificates import Credential, authority
from tests.interop.scenario import Scenario

PEER_SECRET = "k2;2.6TbYl+{/qa"
PPK_ID, PPK = "ppk.example", bytes(range(32))


@functools.cache
def _issue(kind: str, end: str, identity: str, authority_name: str, expired: bool) -> Credential:
    # A key ID cannot stand in a certificate; what can is its alternative name.
    names = [identity] if identity else []
    return authority(kind, authority_name).issue(*names, common_name=f"{end} {kind}", expired=expired)


def credential(scenario: Scenario, end: str) -> Credential:
    """The certificate of an end, ``our`` or ``their``, with what is wrong with it."""
    identity = scenario.identities[0 if end == "our" else 1]
    wrong = scenario.wrong.removeprefix(f"{end} ") if scenario.wrong.startswith(end) else ""
    if wrong == "identity is not in our certificate":
        identity = "nobody.example"
    name = "stranger" if wrong == "certificate is of a stranger" else "lab"
    return _issue(scenario.auth, end, identity, name, wrong == "certificate has expired")


def root(scenario: Scenario) -> bytes:
    """The trust anchor of both ends."""
    return authority(scenario.auth).root


def identity(scenario: Scenario, end: str) -> str:
    """The identity that an end sends; of a certificate's subject where the scenario names none."""
    return scenario.identities[0 if end == "our" else 1] or credential(scenario, end).subject


def expected_identity(scenario: Scenario, end: str) -> str:
    """The identity that the other end demands of an end."""
    if scenario.wrong == "they expect us.example" and end == "our":
        return "us.example"
    if scenario.wrong == "their identity is another" and end == "their":
        return "another.example"
    return identity(scenario, end)


def secret(scenario: Scenario) -> str:
    """Our pre-shared key."""
    return "something else" if scenario.wrong == "secret" else scenario.secret
