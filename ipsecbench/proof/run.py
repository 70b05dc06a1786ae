"""Runs the recommended set and the runner-up in the laboratory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from ipsecbench.bench.plan import Request
from ipsecbench.bench.session import Session
from ipsecbench.dataset.model import Dataset
from ipsecbench.errors import LaboratoryError, MeasurementError, UsageError
from ipsecbench.export.connection import Connection
from ipsecbench.hardware import detect
from ipsecbench.hardware.same_box import other_processor
from ipsecbench.lab.trials.inner_packets import mix_cycle
from ipsecbench.lab.trials.plan import Size
from ipsecbench.lab.trials.proof_bed import ProofBed
from ipsecbench.lab.trials.proof_trial import Effort, SetTrial, carried, packets, session_pace, try_set
from ipsecbench.proof import judgement
from ipsecbench.proof.comparable import PROVIDER, Comparable, comparable, loops_then
from ipsecbench.proof.endpoints import endpoint_files, flow_of, lab_connection, not_here
from ipsecbench.proof.judgement import Comparison
from ipsecbench.proof.records import Proof, SetProof
from ipsecbench.proof.runner_up import runner_up_of
from ipsecbench.recommend.model import GoalVerdict, Recommendation
from ipsecbench.recommend.policy_records import Policy
from ipsecbench.recommend.traffic import Traffic

RECOMMENDED, RUNNER_UP = "recommended", "runner-up"
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

        def bed(encapsulated: bool | None) -> ProofBed:
            flow = flow_of(connection)
            return ProofBed(
                recommendation.phase2.suite,
                files,
                core=self.session.cores[0],
                encapsulated=encapsulated,
                flow=flow,
                library=found.library,
            )

        self.say(f"{record.name}: {record.ike_proposal}, {record.esp_proposal}")
        with bed(None) as exact:
            trial = try_set(self.session, exact, traffic, self.effort)
            if not exact.preferred:
                self.doubts[_NO_PRIORITY] = None
        compared = trial.traffic
        if (
            trial.traffic is not None
            and found.prediction is not None
            and record.encapsulation != record.compared_encapsulation
        ):
            self.say(f"{record.name}: with ESP travelling as in the prediction's evidence")
            with bed(found.encapsulation == "udp") as alike:
                try:
                    compared = carried(self.session, alike, traffic)
                except MeasurementError as error:
                    trial = replace(trial, traffic=None, trouble=str(error))
        then = loops_then(self.dataset, record.suite, found.library, traffic[0])
        return _finished(record, recommendation, connection, trial, Comparison(found.prediction, compared, then))


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


def _finished(
    record: SetProof,
    recommendation: Recommendation,
    connection: Connection,
    trial: SetTrial,
    comparison: Comparison,
) -> SetProof:
    views = (connection, connection.mirrored())
    different = {
        each: None
        for held, rekeyed in ((trial.held, False), (trial.rekeyed, True))
        for view, one in zip(views, held, strict=True)
        for each in judgement.differences(view, one, rekeyed=rekeyed)
    }
    negotiated = replace(
        record,
        differences=tuple(different),
        pfs=judgement.pfs_text(connection, trial.rekeyed[0]),
        set_up=judgement.set_up(recommendation.phase1.handshake, trial.set_up_ms),
        unmeasured=trial.trouble,
    )
    if trial.traffic is None:
        return negotiated
    goal = recommendation.goal
    return replace(
        negotiated,
        directions=judgement.directions(comparison, trial.traffic.rates),
        carried_mbit_per_second=judgement.carried_of_goal(recommendation.requirements, trial.traffic.rates),
        wanted_mbit_per_second=None if goal is None else goal.mbit_per_second / goal.cores,
    )


def _goal_open(first: Recommendation, proven: SetProof) -> bool:
    """Whether the goal is neither settled by one core's rate nor sure by the prediction."""
    goal = first.goal
    return goal is not None and goal.cores > 1 and proven.meets_goal is True and goal.verdict is not GoalVerdict.MET
