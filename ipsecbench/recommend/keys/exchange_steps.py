"""Which cryptographic operations each exchange takes at each end, by RFC, with what they cost here.

IKEv2: RFC 7296 sections 1.2, 1.3 and 2.14 to 2.18, with RFC 9370 section 2.2 for additional key exchanges. IKEv1: RFC
2409 section 5 (SKEYID, SKEYID_d, SKEYID_a and SKEYID_e, HASH_I and HASH_R), section 5.5 (quick mode) and appendix B
(keys that are longer than the output of the PRF). Encryption and integrity of the messages are not in here: they are a
part of the protocol's own cost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.algorithms.prf import PRF
from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.bench.measurement import Estimate
from ipsecbench.recommend.keys.handshake_cost import Step, StepPart
from ipsecbench.recommend.keys.ike_operations import IkeOperations, child_key_bytes, ike_key_bytes
from ipsecbench.recommend.keys.ike_parameters import IkeParameters
from ipsecbench.recommend.prediction.arithmetic import scaled

Steps = tuple[Step, ...]
_PHASE1_KEYS = 4
"""SKEYID, SKEYID_d, SKEYID_a and SKEYID_e (RFC 2409 section 5)."""
_PHASE1_HASHES = 2
"""HASH_I and HASH_R, one made and one verified (RFC 2409 section 5)."""
_QUICK_MODE_HASHES = 3
"""HASH(1), HASH(2) and HASH(3) (RFC 2409 section 5.5)."""
_SIGNED_OCTETS = 2
"""prf(SK_p, identity) for each peer (RFC 7296 section 2.15)."""
_PRE_SHARED_KEY = 4
"""prf(secret, pad) and prf over the signed octets, for each peer (RFC 7296 section 2.15)."""
_INTERMEDIATE_AUTH = 2
"""IntAuth_i and IntAuth_r of each IKE_INTERMEDIATE exchange (RFC 9242 section 3.3.2)."""


class ExchangeSteps:
    """Steps of exchanges with one set of parameters; a step without a figure makes the exchange None."""

    def __init__(self, model: IkeOperations, parameters: IkeParameters) -> None:
        self._model = model
        self._given = parameters

    def unmeasured(self) -> tuple[str, ...]:
        """Additional key exchanges that this box has no figure for; they are left out of the sums."""
        return tuple(n for n in self._given.additional_key_exchanges if self._model.key_exchange(n) is None)

    def setup(self, *, initiator: bool) -> Steps | None:
        """IKE_SA_INIT and IKE_AUTH with the first Child SA, and IKE_INTERMEDIATE between them."""
        given = self._given
        extra = self._additional(initiator=initiator)
        rounds = len(given.additional_key_exchanges)
        return _all(
            self._exchange(given.key_exchange, initiator=initiator),
            extra,
            self._prf("SKEYSEED", 1 + rounds),
            self._expand("IKE SA keys", self._ike_key_bytes, 1 + rounds),
            self._prf("IntAuth", _INTERMEDIATE_AUTH * rounds),
            self._authentication(),
            self._expand("KEYMAT", child_key_bytes(given.suite), 1),
        )

    def child_rekey(self, *, initiator: bool, pfs: str | None) -> Steps | None:
        """CREATE_CHILD_SA for a Child SA, with a key exchange or without; IKE_FOLLOWUP_KE for additional ones."""
        keymat = self._expand("KEYMAT", child_key_bytes(self._given.suite), 1)
        if pfs is None:
            return _all(keymat)
        return _all(self._exchange(pfs, initiator=initiator), self._additional(initiator=initiator), keymat)

    def ike_rekey(self, *, initiator: bool) -> Steps | None:
        """CREATE_CHILD_SA for the IKE SA itself (RFC 7296 section 2.18)."""
        return _all(
            self._exchange(self._given.key_exchange, initiator=initiator),
            self._additional(initiator=initiator),
            self._prf("SKEYSEED", 1),
            self._expand("IKE SA keys", self._ike_key_bytes, 1),
        )

    def phase1(self, *, initiator: bool) -> Steps | None:
        """IKEv1's main mode; aggressive mode takes the same cryptography in three messages."""
        given = self._given
        longer = ENCRYPTION[given.encryption].keymat_bytes > PRF[given.prf].output_bytes
        blocks = -(-ENCRYPTION[given.encryption].keymat_bytes // PRF[given.prf].output_bytes) if longer else 0
        return _all(
            self._exchange(given.key_exchange, initiator=initiator),
            self._prf("SKEYID, SKEYID_d, SKEYID_a, SKEYID_e", _PHASE1_KEYS),
            self._prf("encryption key", blocks),
            self._prf("HASH_I, HASH_R", _PHASE1_HASHES),
            self._signatures() if given.signed else (),
        )

    def quick_mode(self, *, initiator: bool, pfs: str | None) -> Steps | None:
        """IKEv1's quick mode: three hashes, and KEYMAT for each direction by itself."""
        given = self._given
        parts = esp_suites()[given.suite]
        mac = 0 if parts.integrity is None else parts.integrity.key_bytes
        blocks = -(-(parts.encryption.keymat_bytes + mac) // PRF[given.prf].output_bytes)
        return _all(
            () if pfs is None else self._exchange(pfs, initiator=initiator),
            self._prf("HASH(1), HASH(2), HASH(3)", _QUICK_MODE_HASHES),
            self._prf("KEYMAT of both directions", 2 * max(1, blocks)),
        )

    @property
    def _ike_key_bytes(self) -> int:
        return ike_key_bytes(self._given.encryption, self._given.integrity, self._given.prf)

    def _exchange(self, name: str, *, initiator: bool) -> Steps | None:
        cost = self._model.key_exchange(name)
        return None if cost is None else key_exchange_steps(name, cost.generate_us, cost.initiator_secret_us,
                                                            cost.responder_us, initiator=initiator)  # fmt: skip

    def _additional(self, *, initiator: bool) -> Steps:
        found: list[Step] = []
        for name in self._given.additional_key_exchanges:
            found += self._exchange(name, initiator=initiator) or ()
        return tuple(found)

    def _prf(self, what: str, times: int) -> Steps | None:
        single = self._model.prf_us(self._given.prf)
        return _times(f"{self._given.prf}: {what}", times, single, lambda one: scaled(one, times))

    def _expand(self, what: str, output_bytes: int, times: int) -> Steps | None:
        whole = self._model.prf_plus_us(self._given.prf, output_bytes)
        return _times(f"{self._given.prf}+: {what}", times, whole, lambda one: scaled(one, times))

    def _authentication(self) -> Steps | None:
        if not self._given.signed:
            single = self._model.prf_us(self._given.prf)
            return _times(
                "pre-shared key: prf for both peers", _PRE_SHARED_KEY, single, lambda one: scaled(one, _PRE_SHARED_KEY)
            )
        return _all(self._signatures(), self._prf("both identities", _SIGNED_OCTETS))

    def _signatures(self) -> Steps | None:
        name = self._given.authentication
        pair = self._model.authentication_us(name)
        if pair is None:
            return None
        verified = 1 + self._given.certificate_chain
        what = "verify" if verified == 1 else f"verify, and {self._given.certificate_chain} certificates"
        return (
            Step(f"{name} sign", 1, pair[0], StepPart.AUTHENTICATION),
            Step(f"{name} {what}", verified, scaled(pair[1], verified), StepPart.AUTHENTICATION),
        )


def key_exchange_steps(
    name: str, generate_us: Estimate, initiator_secret_us: Estimate, responder_us: Estimate, *, initiator: bool
) -> Steps:
    """Key pair and secret of one end; a key encapsulation's responder encapsulates only."""
    part = StepPart.KEY_EXCHANGE
    if KEY_EXCHANGE[name].kem and not initiator:
        return (Step(f"{name} encapsulate", 1, responder_us, part),)
    second = "decapsulate" if KEY_EXCHANGE[name].kem else "agree"
    return (Step(f"{name} generate", 1, generate_us, part), Step(f"{name} {second}", 1, initiator_secret_us, part))


def _times(name: str, times: int, one: Estimate | None, cost: Callable[[Estimate], Estimate]) -> Steps | None:
    if times == 0:
        return ()
    return None if one is None else (Step(name, times, cost(one), StepPart.PRF),)


def _all(*parts: Iterable[Step] | None) -> Steps | None:
    """Everything together; None if something of it has no figure."""
    found: list[Step] = []
    for part in parts:
        if part is None:
            return None
        found += part
    return tuple(found)
