"""How good an algorithm is apart from its speed: strength, standing in the RFCs, simplicity."""

from __future__ import annotations

from functools import cache

from ipsecbench.algorithms.authentication import AUTHENTICATION
from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.integrity import INTEGRITY
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.algorithms.prf import PRF
from ipsecbench.algorithms.requirement_levels import STANDARDS, Standing, standing
from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.recommend.reasons import Reason, Role

_SOURCE_OF_STANDARD = {"rfc8221_esp": "rfc8221", "rfc8247_ike": "rfc8247", "rfc9395": "rfc9395"}
_LEVELS = ("MUST", "SHOULD+", "SHOULD", "MUST-", "MAY", "MAY (not listed)", "not listed", "SHOULD NOT", "MUST NOT")
"""From the most to the least recommended; MUST- is expected to be downgraded (RFC 8247 section 1.3)."""


_STRENGTH_STEPS_BITS = (112, 128, 192, 256)
"""Strengths that NIST SP 800-57 sorts by."""


def next_step_bits(bits: int) -> int | None:
    """The next strength above one that is worth asking for; None at the top."""
    return next((step for step in _STRENGTH_STEPS_BITS if step > bits), None)


def strength_bits(role: Role, name: str) -> int | None:
    """Estimated classical strength; None for a pre-shared key, which is as strong as its entropy, and IKE versions.

    Raises:
        KeyError: nothing has that name.
    """
    if role is Role.ESP_SUITE:
        return esp_suites()[name].strength_bits
    if role is Role.IKE_ENCRYPTION:
        return ENCRYPTION[name].strength_bits
    if role is Role.PRF:
        return PRF[name].strength_bits
    if role in (Role.KEY_EXCHANGE, Role.ADDITIONAL_KEY_EXCHANGE):
        return KEY_EXCHANGE[name].strength_bits
    if role is Role.IKE_INTEGRITY:
        return INTEGRITY[name].strength_bits
    return None if role is Role.IKE_VERSION else AUTHENTICATION[name].strength_bits


def _standings(role: Role, name: str) -> tuple[tuple[Standing, tuple[str, ...]], ...]:
    """The standings that bear on a choice, each with the standards that count for the role."""
    if role is Role.ESP_SUITE:
        suite = esp_suites()[name]
        cipher = (standing("ENCR", suite.encryption.name), ("rfc8221_esp", "rfc9395"))
        if suite.integrity is None:
            return (cipher,)
        return (cipher, (standing("INTEG", suite.integrity.name), ("rfc8221_esp",)))
    if role is Role.IKE_ENCRYPTION:
        return ((standing("ENCR", name), ("rfc8247_ike", "rfc9395")),)
    if role is Role.PRF:
        return ((standing("PRF", name), ("rfc8247_ike",)),)
    if role is Role.IKE_INTEGRITY:
        return ((standing("INTEG", name), ("rfc8247_ike",)),)
    if role in (Role.KEY_EXCHANGE, Role.ADDITIONAL_KEY_EXCHANGE):
        return ((standing("KE", name), ("rfc8247_ike",)),)
    return ()


@cache
def forbidden(role: Role, name: str) -> Reason | None:
    """The standard that says MUST NOT, or has deprecated it; None where none does."""
    if role is Role.IKE_VERSION and name == "1":
        return Reason("RFC 9395 on IKEv1: deprecated, its documents are Historic", ("rfc9395",))
    for entry, standards in _standings(role, name):
        for key in standards:
            level = entry.levels.get(key)
            if level is not None and (level.forbids or level.text in ("deprecated", "already deprecated")):
                return Reason(f"{STANDARDS[key]} on {entry.name}: {level.text}", (_SOURCE_OF_STANDARD[key],))
    return None


def never_acceptable(role: Role, name: str) -> Reason | None:
    """What no policy can accept, whatever it says: packets that nobody authenticates, and IKE that hides nothing."""
    if role is Role.IKE_ENCRYPTION and name in ENCRYPTION and ENCRYPTION[name].mode in ("null", "gmac"):
        return Reason(f"IKE with {name} hides nothing, not even the identities", ("rfc8247",))
    encryption, _, integrity = name.partition("-")
    alone = role is Role.ESP_SUITE and encryption in ENCRYPTION and not ENCRYPTION[encryption].aead
    if alone and integrity in ("", "none"):
        text = f"{encryption} without an integrity transform: anyone on the way can change packets unnoticed"
        return Reason(text, ("rfc8221",))
    if role is Role.IKE_INTEGRITY and name == "none":
        return Reason("IKE without an integrity transform is open to whoever is on the way", ("rfc8247",))
    return None


@cache
def unregistered(role: Role, name: str) -> Reason | None:
    """That no registry has a number for it, so that two vendors do not mean the same by it; None where one has."""
    for entry, _ in _standings(role, name):
        if entry.iana_status.startswith("NOT IN REGISTRY"):
            text = f"{entry.name} has no transform number in the IANA registry: only private numbers, one per vendor"
            return Reason(text, ("rfc8221",))
    return None


def level(role: Role, name: str) -> tuple[str, str | None]:
    """The least favourable RFC level on its parts, and the key of its source (None where no RFC speaks of it)."""
    if role is Role.AUTHENTICATION:
        return AUTHENTICATION[name].level, "rfc8247"
    worst: tuple[int, str, str | None] = (-1, "", None)
    for entry, standards in _standings(role, name):
        found = entry.levels.get(standards[0])
        text = found.text if found is not None else "not listed"
        worst = max(worst, (_rank(text), text, _SOURCE_OF_STANDARD[standards[0]]))
    return worst[1], worst[2]


def _rank(text: str) -> int:
    matching = [index for index, word in enumerate(_LEVELS) if text == word or text.startswith(word + " ")]
    if text.startswith("MAY (not listed"):
        return _LEVELS.index("MAY (not listed)")
    return max(matching, default=_LEVELS.index("not listed"))


def security_order(role: Role, name: str) -> tuple[int, int, int, str]:
    """Sort key that breaks ties: strength first, then the RFC level, then fewer parts, then the name."""
    parts = len(_standings(role, name))
    return (-(strength_bits(role, name) or 0), _rank(level(role, name)[0]), parts, name)
