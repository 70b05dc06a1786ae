"""Runs the recommended set and the runner-up in the laboratory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from ipsecbench.bench.plan import Request
from ipsecbench.bench.session import Session
from ipsecbench.dataset.model import Dataset
from ipsecbench.errors import LaboratoryError, MeasurementError, UsageError
from ipsecbench.export.connection import Connection, Life
from ipsecbench.hardware import detect
from ipsecbench.hardware.same_box import other_processor
from ipsecbench.lab.trials.inner_packets import mix_cycle
from ipsecbench.lab.trials.plan import Size
from ipsecbench.lab.trials.proof_bed import ProofBed
from ipsecbench.lab.trials.proof_trial import Carried, Effort, SetTrial, carried, negotiated, packets, session_pace
from ipsecbench.proof import judgement
from ipsecbench.proof.comparable import PROVIDER, Comparable, comparable, loops_then
from ipsecbench.proof.endpoints import endpoint_files, flow_of, lab_connection, not_here
from ipsecbench.proof.judgement import Comparison
from ipsecbench.proof.records import Proof, SetProof
from ipsecbench.proof.runner_up import runner_up_of
from ipsecbench.recommend.model import GoalVerdict, Recommendation
from ipsecbench.recommend.policies.records import Policy
from ipsecbench.recommend.requirements.traffic import Traffic

RECOMMENDED, RUNNER_UP = "recommended", "runner-up"
_TRIAL_BYTES, _TRIAL_PACKETS = 2**32, 10**6
"""More than one trial sends."""
_SHORT_LIVED = (
    "the Child SA's life in octets or packets ends within a second at such a rate, so that the traffic was measured "
    "without it; the sets were negotiated with it"
)
_NO_PRIORITY = "the data planes had no real-time priority, which root may give: whatever else ran took time from them"


@dataclass
class _Run:
    """What all sets of a proof share."""

    dataset: Dataset
    effort: Effort
    session: Session
    say: Callable[[str], None]
    doubts: dict[str, None]

    def one(self, name: str, recommendation: Recommendation) -> tuple[SetProof, str | None]:
        """One set, and why predicted and measured were not compared."""
        connection, found = lab_connection(recommendation), comparable(recommendation, self.dataset)
        record = _record(name, recommendation, connection, found)
        if reason := not_here(connection, self.session.offers(), found.library):
            return replace(record, skipped=reason), None
        try:
            return self._tried(record, recommendation, connection, found), found.reason
        except MeasurementError as error:
            return replace(record, failure=str(error)), found.reason

    def _tried(
        self, record: SetProof, recommendation: Recommendation, connection: Connection, found: Comparable
    ) -> SetProof:
        wanted = recommendation.requirements
        files = endpoint_files(connection, wanted.certificate_chain)
        traffic = _traffic(wanted.traffic)

        def bed(encapsulated: bool | None, *, counted: bool = True) -> ProofBed:
            return ProofBed(
                recommendation.phase2.suite,
                files,
                core=self.session.cores[0],
                encapsulated=encapsulated,
                flow=flow_of(connection),
                counted=counted,
                library=found.library,
            )

        self.say(f"{record.name}: {record.ike_proposal}, {record.esp_proposal}")
        lives_on = outlives_a_trial(connection.child_life)
        itself: Carried | str | None = None
        with bed(None) as exact:
            trial = negotiated(exact, self.effort)
            if not exact.preferred:
                self.doubts[_NO_PRIORITY] = None
            if lives_on:
                itself = self._carried(exact, traffic)
        if itself is None:
            self.doubts[_SHORT_LIVED] = None
            with bed(None, counted=False) as uncounted:
                itself = self._carried(uncounted, traffic)
        compared = itself
        if found.prediction is not None and record.encapsulation != record.compared_encapsulation:
            self.say(f"{record.name}: with ESP travelling as in the prediction's evidence")
            with bed(found.encapsulation == "udp", counted=lives_on) as alike:
                compared = self._carried(alike, traffic)
        finished = _negotiated(record, recommendation, connection, trial)
        if isinstance(itself, str) or isinstance(compared, str):
            return replace(finished, unmeasured=itself if isinstance(itself, str) else str(compared))
        then = loops_then(self.dataset, record.suite, found.library, traffic[0])
        return _measured(finished, recommendation, Comparison(found.prediction, compared, then), itself)

    def _carried(self, bed: ProofBed, traffic: tuple[Size, tuple[int, ...]]) -> Carried | str:
        """What a bed carries, or why that could not be measured."""
        try:
            return carried(self.session, bed, traffic)
        except MeasurementError as error:
            return str(error)


def prove(
    dataset: Dataset,
    policy: Policy,
    first: Recommendation,
    effort: Effort,
    say: Callable[[str], None] = lambda words: None,
) -> Proof:
    """Run the recommended set and the runner-up. To be called inside of an enclosure.

    Args:
        dataset: of this very box, as :func:`check` has found.
        policy: that the recommendation was made under.
        first: the recommendation.
        effort: how long each set is worked on.
        say: told what is being done.

    Raises:
        LaboratoryError: there is no processor to measure on.
        AgentError: there is no agent, or it died.
        KeyboardInterrupt: Ctrl-C; nothing is left of the laboratory.
    """
    second = runner_up_of(first, dataset, policy)
    known = [each for each in (first, second) if isinstance(each, Recommendation)]
    libraries = dict.fromkeys(comparable(each, dataset).library for each in known)
    with Session(Request(quick=True, providers=tuple(libraries)), session_pace(effort)) as session:
        if not session.cores:
            raise LaboratoryError("no processor to measure on")
        run = _Run(dataset, effort, session, say, {})
        proven, not_compared = run.one(RECOMMENDED, first)
        sets = [proven]
        if isinstance(second, str):
            sets.append(_absent(second))
        else:
            sets.append(run.one(RUNNER_UP, second)[0])
        core = session.cores[0]
        processor = str(session.hardware["cpu"]["model"])
    outcome, verdict = judgement.judge(sets, goal_open=_goal_open(first, proven))
    return Proof(
        box=processor,
        core=core,
        dataplane=PROVIDER,
        traffic=str(first.requirements.traffic),
        sets=tuple(sets),
        outcome=outcome,
        verdict=verdict,
        not_compared=not_compared,
        doubts=tuple(run.doubts),
        proves_not=judgement.PROVES_NOT,
    )


def check(dataset: Dataset, traffic: Traffic) -> None:
    """Refuse what cannot be proven before anything is made.

    Args:
        dataset: what the recommendation will be made from.
        traffic: what is to be sent.

    Raises:
        UsageError: the dataset is of another box, whose predictions say nothing about this one, or the laboratory has
            no such packets.
    """
    other = other_processor(dataset.environment.get("hardware"), detect(Path("/")).to_dict())
    if other is not None:
        raise UsageError(
            f"--prove: the dataset was measured on another box ({other[0]}, this is {other[1]}): "
            "measure this one with 'ipsecbench lab run'"
        )
    _traffic(traffic)


def _traffic(traffic: Traffic) -> tuple[Size, tuple[int, ...]]:
    if traffic.mix is not None:
        return Size(mix=traffic.mix), mix_cycle(traffic.mix)
    return packets(traffic.parts)


def _record(name: str, recommendation: Recommendation, connection: Connection, found: Comparable) -> SetProof:
    phase1, phase2 = recommendation.phase1, recommendation.phase2
    return SetProof(
        name,
        phase1.ike_version,
        phase1.proposal,
        phase1.authentication,
        phase2.suite,
        phase2.proposal,
        phase2.mode,
        skipped=None,
        encapsulation="udp" if connection.nat_traversal else "none",
        compared_encapsulation=found.encapsulation,
    )


def _absent(reason: str) -> SetProof:
    return SetProof(RUNNER_UP, 0, "", "", "", "", "", skipped=reason)


def _negotiated(record: SetProof, recommendation: Recommendation, connection: Connection, trial: SetTrial) -> SetProof:
    views = (connection, connection.mirrored())
    different = {
        each: None
        for held, rekeyed in ((trial.held, False), (trial.rekeyed, True))
        for view, one in zip(views, held, strict=True)
        for each in judgement.differences(view, one, rekeyed=rekeyed)
    }
    return replace(
        record,
        differences=tuple(different),
        pfs=judgement.pfs_text(connection, trial.rekeyed[0]),
        set_up=judgement.set_up(recommendation.phase1.handshake, trial.set_up_ms),
    )


def _measured(record: SetProof, recommendation: Recommendation, comparison: Comparison, itself: Carried) -> SetProof:
    goal = recommendation.goal
    return replace(
        record,
        directions=judgement.directions(comparison, itself.rates),
        carried_mbit_per_second=judgement.carried_of_goal(recommendation.requirements, itself.rates),
        wanted_mbit_per_second=None if goal is None else goal.mbit_per_second / goal.cores,
    )


def outlives_a_trial(life: Life) -> bool:
    """Whether an SA carries what a trial sends. Data planes are asked about once a second how much an SA has carried:
    one that has used up its life before ends."""
    octets, packets_left = life.soft_bytes, life.soft_packets
    return (octets is None or octets > _TRIAL_BYTES) and (packets_left is None or packets_left > _TRIAL_PACKETS)


def _goal_open(first: Recommendation, proven: SetProof) -> bool:
    """Whether the goal is neither settled by one core's rate nor sure by the prediction."""
    goal = first.goal
    return goal is not None and goal.cores > 1 and proven.meets_goal is True and goal.verdict is not GoalVerdict.MET
