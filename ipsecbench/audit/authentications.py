"""Grading how the ends prove who they are."""

from __future__ import annotations

from dataclasses import replace

from ipsecbench.algorithms.authentication import AUTHENTICATION
from ipsecbench.audit.configuration import Authentication, Connection, Exchange
from ipsecbench.audit.findings import Finding, Grade
from ipsecbench.audit.parts import against, grade_part
from ipsecbench.recommend.policies.policy import Policy
from ipsecbench.recommend.reasons import Reason, Role

_PREFIXES = {"rsa": ("rsa-",), "ecdsa": ("ecdsa-",), "eddsa": ("ed25519", "ed448"), "pubkey": ("rsa-", "ecdsa-", "ed")}
_LEAST_RSA_BITS = 2048
_ABOUT = Role.AUTHENTICATION.value
_SAID = {
    "eap": (Grade.NOTE, "EAP proves the user with a method of its own, which is not judged here", ("rfc7296",)),
    "xauth": (Grade.NOTE, "XAuth asks for a user's password inside IKEv1; IKEv2 has EAP for it", ("rfc9395",)),
    "hybrid": (Grade.NOTE, "hybrid: one end proves itself with a key, the other one with a password", ("rfc9395",)),
    "null": (Grade.FAIL, "nobody proves who they are: whoever is on the way can stand between the ends", ("rfc8247",)),
    "dss": (Grade.WARN, "DSS: SHOULD NOT", ("rfc8247",)),
    "other": (Grade.NOTE, "this way to authenticate is not known here and not judged", ("rfc8247",)),
}  # fmt: skip


def grade_authentications(policy: Policy, connection: Connection) -> list[Finding]:
    """What is to be said of the methods of both ends, each once, and of aggressive mode beside a pre-shared key."""
    found: list[Finding] = []
    seen: set[tuple[str, int | None, tuple[str, ...]]] = set()
    for method in connection.authentication:
        key = (method.method, method.key_bits, method.hashes)
        if key not in seen:
            seen.add(key)
            found += _grade(policy, method)
            found += _hashes(method, connection)
    return found + _exchange(policy, connection)


def _lines(method: Authentication) -> tuple[int, ...]:
    return () if method.line is None else (method.line,)


def _grade(policy: Policy, method: Authentication) -> list[Finding]:
    if method.method in _SAID:
        grade, text, sources = _SAID[method.method]
        return [Finding(grade, _ABOUT, method.text, (Reason(text, sources),), lines=_lines(method))]
    if method.method == "psk":
        return [grade_part(policy, Role.AUTHENTICATION, "psk", lines=_lines(method)), _entropy(policy, method)]
    if method.key_bits is not None:
        return [_sized(policy, method, method.key_bits)]
    allowed = [
        line.name for line in policy.lines[Role.AUTHENTICATION] if line.name.startswith(_PREFIXES[method.method])
    ]
    if not allowed:
        kind = "signature" if method.method == "pubkey" else method.method.upper()
        reason = Reason(f"policy {policy.label} allows no {kind} authentication")
        return [Finding(against(policy), _ABOUT, method.text, (reason,), lines=_lines(method))]
    text = f"the size of the key is not in this text; policy {policy.label} allows {', '.join(allowed)}"
    return [Finding(Grade.NOTE, _ABOUT, method.text, (Reason(text),), lines=_lines(method))]


def _entropy(policy: Policy, method: Authentication) -> Finding:
    bits = policy.optional_number("psk_minimum_bits") or policy.number("minimum_strength_bits")
    text = f"a pre-shared key is as strong as its entropy, which is not in this text: at least {bits} random bits"
    return Finding(Grade.NOTE, _ABOUT, "psk", (Reason(text, ("nist77",)),), lines=_lines(method))


def _sized(policy: Policy, method: Authentication, bits: int) -> Finding:
    name = f"{method.method}-{bits}"
    if name in AUTHENTICATION:
        return _with_hash(method, name, grade_part(policy, Role.AUTHENTICATION, name, lines=_lines(method)))
    if method.method == "rsa" and bits < _LEAST_RSA_BITS:
        reason = Reason(
            f"RSA keys below {_LEAST_RSA_BITS} bits: SHOULD NOT, and fewer than 112 bits", ("rfc8247", "nist57")
        )
        return Finding(Grade.FAIL, _ABOUT, name, (reason,), "SHOULD NOT", lines=_lines(method))
    known = [row for row in AUTHENTICATION.values() if row.name.startswith(f"{method.method}-")]
    below = [row.name for row in known if int(row.name.rpartition("-")[2]) <= bits]
    if not below:
        reason = Reason(f"{name} is a size of key that is not known here", ("rfc8247",))
        return Finding(Grade.WARN, _ABOUT, name, (reason,), lines=_lines(method))
    return grade_part(policy, Role.AUTHENTICATION, below[-1], lines=_lines(method))


def _with_hash(method: Authentication, name: str, finding: Finding) -> Finding:
    """A policy's word on a signature is on its usual hash; with another one it is not known to hold."""
    usual = AUTHENTICATION[name].hash_name
    if finding.grade is Grade.OK or usual is None or not method.hashes or usual in method.hashes:
        return finding
    text = f"{name} with {' or '.join(method.hashes)} is not judged; with {usual} it holds: {finding.reason.text}"
    return replace(finding, grade=Grade.NOTE, reasons=(Reason(text, finding.reason.sources),))


def _hashes(method: Authentication, connection: Connection) -> list[Finding]:
    """Hashes of signatures in IKEv2; in IKEv1 the hash is the PRF's."""
    bad = [name for name in method.hashes if name in ("md5", "sha1")]
    if not bad or connection.ike_versions == ("1",):
        return []
    alone = len(bad) == len(method.hashes)
    text = f"signatures may use {' and '.join(bad)}: MUST NOT; allow the SHA-2 hashes only"
    grade = Grade.FAIL if alone else Grade.WARN
    return [Finding(grade, _ABOUT, method.text, (Reason(text, ("rfc8247",)),), "MUST NOT", lines=_lines(method))]


def _exchange(policy: Policy, connection: Connection) -> list[Finding]:
    if connection.exchange is not Exchange.AGGRESSIVE:
        return []
    methods = {method.method for method in connection.authentication}
    if "psk" in methods:
        text = (
            "aggressive mode with a pre-shared key hands a hash of the key to whoever asks for it, and the identities "
            "with it: the key can be guessed without another packet; use main mode, or IKEv2"
        )
        return [Finding(Grade.FAIL, "exchange-mode", "aggressive", (Reason(text, ("nist77", "rfc2409")),))]
    text = "aggressive mode shows the identities and is easy to flood; use main mode, or IKEv2"
    return [Finding(Grade.WARN, "exchange-mode", "aggressive", (Reason(text, ("nist77", "rfc2409")),))]
