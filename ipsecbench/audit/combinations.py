"""Grading what the parts come to together: what the weakest of them leaves of the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.algorithms.proposals import NO_KEY_EXCHANGE
from ipsecbench.audit.configuration import Child, Connection, Offer
from ipsecbench.audit.findings import Finding, Grade
from ipsecbench.audit.parts import against
from ipsecbench.recommend.formats import seconds
from ipsecbench.recommend.policies.policy import Policy
from ipsecbench.recommend.reasons import Reason

LOGJAM_BITS = 90
"""Strength up to which the precomputation attack of the Logjam authors matters (groups of 1536 bits and below)."""


def written(offers: Sequence[Offer]) -> tuple[Offer, ...]:
    """The proposals that stand in the text; those of the program itself where none does."""
    return tuple(offer for offer in offers if not offer.implied) or tuple(offers)


def _methods(offers: Iterable[Offer]) -> list[str]:
    names = (name for offer in offers for name in offer.key_exchange)
    return list(dict.fromkeys(name for name in names if name in KEY_EXCHANGE))


def _weakest(methods: Iterable[str]) -> str | None:
    return min(methods, key=lambda name: KEY_EXCHANGE[name].strength_bits, default=None)


def known_prime(name: str) -> tuple[Reason, ...]:
    """What precomputation does to a MODP group that the whole world shares."""
    if name not in KEY_EXCHANGE or KEY_EXCHANGE[name].kind != "ffdh" or KEY_EXCHANGE[name].strength_bits > LOGJAM_BITS:
        return ()
    text = (
        f"{name} is a fixed prime that the whole world shares, so that one precomputation serves against every "
        "exchange with it, past ones included: short key lives do not help. 768 bits are in reach of academics, "
        "1024 bits of a state; a second broken 1024-bit prime would open 66% of IPsec servers to passive listening"
    )
    return (Reason(text, ("logjam", "rfc8247")),)


def grade_tunnel(connection: Connection) -> list[Finding]:
    """A cipher that is stronger than the key exchange before it."""
    offers = written(connection.offers)
    weakest = _weakest(_methods(offers))
    if weakest is None:
        return []
    exchange = KEY_EXCHANGE[weakest]
    ciphers = [
        ENCRYPTION[name].strength_bits
        for offer in (*offers, *(offer for child in connection.children for offer in written(child.offers)))
        for name in offer.encryption
        if name in ENCRYPTION
    ]
    cipher = max(ciphers, default=0)
    if cipher <= exchange.strength_bits:
        return []
    text = (
        f"a {cipher}-bit cipher behind {exchange.name} is a tunnel of about {exchange.strength_bits} bits: "
        "whoever breaks the exchange has the keys"
    )
    return [Finding(Grade.NOTE, "combination", exchange.name, (Reason(text, ("nist57",)),))]


def grade_forward_secrecy(policy: Policy, connection: Connection, child: Child) -> list[Finding]:
    """Whether Child SAs have a key exchange of their own, and one that is no way in."""
    offers = [offer for offer in written(child.offers) if offer.carrier == "esp"]
    if not offers:
        return []
    without = [offer for offer in offers if not offer.key_exchange or NO_KEY_EXCHANGE in offer.key_exchange]
    if child.perfect_forward_secrecy is True and not _methods(offers):
        text = "perfect forward secrecy with the key exchange of the IKE SA"
        return [Finding(Grade.OK, "perfect-forward-secrecy", child.name, (Reason(text, ("lsw",)),))]
    wanted = policy.word("perfect_forward_secrecy")
    if without and wanted == "off":
        return []
    if without:
        optional = any(offer.key_exchange for offer in without) or len(without) < len(offers)
        text = (
            "perfect forward secrecy is optional: the other end can leave it out"
            if optional
            else "no perfect forward secrecy: every Child SA under one IKE SA falls with its one key exchange; put the "
            "key exchange into the ESP proposal"
        )
        if connection.life.seconds is not None:
            text += f"; one exchange opens the traffic of {seconds(connection.life.seconds)}"
        grade = against(policy) if wanted == "required" else Grade.WARN
        return [Finding(grade, "perfect-forward-secrecy", child.name, (Reason(text, ("nist77", "rfc7296")),))]
    return _compared(policy, connection, offers, child)


def _compared(policy: Policy, connection: Connection, offers: Sequence[Offer], child: Child) -> list[Finding]:
    inner, outer = _methods(offers), _methods(written(connection.offers))
    weak, base = _weakest(inner), _weakest(outer)
    if weak is None:
        return []
    if base is not None and KEY_EXCHANGE[weak].strength_bits < KEY_EXCHANGE[base].strength_bits:
        text = f"{weak} for perfect forward secrecy is weaker than {base} of phase 1"
        return [Finding(against(policy), "perfect-forward-secrecy", weak, (Reason(text, ("nist77",)),))]
    if policy.word("child_key_exchange") == "same" and outer and set(inner) - set(outer):
        other = sorted(set(inner) - set(outer))[0]
        sources = policy.settings["child_key_exchange"].reason.sources
        text = f"{other} for perfect forward secrecy: policy {policy.label} asks for the key exchange of the IKE SA"
        return [Finding(against(policy), "perfect-forward-secrecy", other, (Reason(text, sources),))]
    text = f"perfect forward secrecy with {', '.join(inner)}"
    return [Finding(Grade.OK, "perfect-forward-secrecy", child.name, (Reason(text, ("nist77",)),))]


def grade_additional_exchanges(policy: Policy, connection: Connection) -> list[Finding]:
    """Whether a key exchange that a quantum computer does not break stands beside the classical one."""
    wanted = policy.word("additional_key_exchange")
    offers = written(connection.offers)
    if wanted == "off" or not offers:
        return []
    without = [
        offer
        for offer in offers
        if not any(methods and NO_KEY_EXCHANGE not in methods for methods in offer.additional_key_exchanges)
        and not any(KEY_EXCHANGE[name].kem for name in offer.key_exchange if name in KEY_EXCHANGE)
    ]
    if not without:
        return []
    text = "no additional key exchange is demanded: what is recorded today can be opened by a quantum computer later"
    setting = policy.settings.get("additional_key_exchange")
    sources = () if setting is None else setting.reason.sources
    lines = tuple(dict.fromkeys(offer.line for offer in without if offer.line is not None))
    grade = against(policy) if wanted == "required" else Grade.NOTE
    return [Finding(grade, "additional-key-exchange", "none", (Reason(text, sources),), lines=lines)]
