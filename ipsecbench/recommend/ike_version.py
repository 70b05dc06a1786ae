"""Which version of IKE: the policy's first that is asked for and that the peer has; and what IKEv1 cannot name.

RFC 9395 deprecated IKEv1 and closed its registries: what has no number there cannot be negotiated. Its phase 1 has no
combined modes (RFC 2409 appendix A); one hash serves as integrity and, as its HMAC, as the PRF (RFC 2409 section 4).
"""

from __future__ import annotations

from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.ikev1 import PHASE1_AUTHENTICATION, PHASE1_HASHES
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.errors import PolicyError
from ipsecbench.recommend.policies.records import Policy
from ipsecbench.recommend.reasons import Reason, Role
from ipsecbench.recommend.requirements.records import Requirements

_LAST_GROUP_OF_IKEV1 = 30
"""brainpoolP512r1 (RFC 6932); Curve25519 and what followed was registered for IKEv2 only (RFC 8031)."""


def choose_ike_version(policy: Policy, wanted: Requirements) -> int:
    """The version that the connection uses.

    Raises:
        PolicyError: the policy does not allow the one that was asked for, or the peer has none that it allows.
    """
    allowed = [int(line.name) for line in policy.ike_versions]
    asked, peer = wanted.ike_version, wanted.peer
    if asked is not None and asked not in allowed:
        reason = policy.why_not_listed(Role.IKE_VERSION, str(asked)).text
        remedy = "legacy-interop accepts IKEv1 with a warning" if asked == 1 else "use another policy"
        raise PolicyError(f"IKEv{asked}: {reason}: {remedy}")
    possible = [version for version in allowed if asked in (None, version)]
    for version in possible:
        if peer is None or peer.has("ike_versions", version) is not False:
            return version
    name = "the peer" if peer is None else peer.name
    versions = " or ".join(f"IKEv{version}" for version in possible)
    remedy = "ask for another version" if asked is not None and len(allowed) > 1 else "use another policy"
    if 1 not in allowed:
        remedy = "legacy-interop accepts IKEv1 with a warning"
    raise PolicyError(f"{name} does not have {versions}, which is all that policy {policy.label} leaves: {remedy}")


def exchange_mode(policy: Policy, version: int, authentication: str) -> str | None:
    """IKEv1's exchange for phase 1, ``main`` or ``aggressive``; None for IKEv2, which has one.

    Raises:
        PolicyError: aggressive mode with a pre-shared key, whose hash anyone may then try offline.
    """
    if version == 2:
        return None
    mode = policy.word("ikev1_exchange_mode")
    if mode == "aggressive" and authentication == "psk":
        raise PolicyError(
            "aggressive mode with a pre-shared key gives anyone who asks a hash to try keys on offline: use main mode, "
            "or signatures"
        )
    return mode


def not_in_ikev1(role: Role, name: str) -> Reason | None:
    """That IKEv1 has no number for something; None where it has."""
    if _numbered_in_ikev1(role, name):
        return None
    text = f"IKEv1 has no number for {name}"
    if role is Role.IKE_ENCRYPTION and ENCRYPTION[name].aead:
        text = f"phase 1 of IKEv1 has no combined modes such as {name}"
    return Reason(text, ("rfc9395",))


def _numbered_in_ikev1(role: Role, name: str) -> bool:
    if role is Role.KEY_EXCHANGE:
        return KEY_EXCHANGE[name].ikev2_id <= _LAST_GROUP_OF_IKEV1
    if role is Role.IKE_ENCRYPTION:
        return ENCRYPTION[name].ikev1_phase1_id is not None
    if role is Role.PRF:
        return any(row.prf == name for row in PHASE1_HASHES.values())
    if role is Role.IKE_INTEGRITY:
        return name in PHASE1_HASHES
    if role is Role.AUTHENTICATION:
        return name in PHASE1_AUTHENTICATION or name.startswith("rsa-")
    if role is Role.ESP_SUITE:
        suite = esp_suites()[name]
        integrity = suite.integrity is None or suite.integrity.ikev1_esp_id is not None
        return suite.encryption.ikev1_esp_id is not None and integrity
    return role is not Role.ADDITIONAL_KEY_EXCHANGE
