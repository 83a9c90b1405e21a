"""The jobs that a plan comes to: of a candidate, of a search by gradient, of the final stage."""

from typing import Any

from nas.architecture import Architecture
from nas.evaluation.protocol import Job
from nas.plan import Plan
from nas.spaces.baseline import BASELINE, Baseline
from nas.spaces.catalogue import SpaceSpec


def search_job(plan: Plan, architecture: Architecture, *, fidelity: int, workdir: str, **where: Any) -> Job:
    """Return the job that measures a candidate on the validation split; `where` passes data_dirs and fingerprint."""
    return Job(
        space=plan.space,
        choices=architecture.choices,
        split=plan.split,
        training=plan.training,
        epochs=plan.epochs,
        until=fidelity,
        seed=plan.seed,
        stage="search",
        workdir=workdir,
        evaluator=plan.evaluator,
        columns=columns(plan),
        rehearsal=plan.rehearsal,
        scoring=plan.scoring,
        fidelity=plan.fidelity,
        measuring=plan.measuring,
        policy=plan.policy,
        **where,
    )


def gradient_job(plan: Plan, *, workdir: str, **where: Any) -> Job:
    """Return the one job of a search by gradient; `where` passes data_dirs and fingerprint."""
    return Job(
        space=plan.space,
        choices=(),
        split=plan.split,
        training=plan.training,
        epochs=plan.budget,
        seed=plan.seed,
        stage="search",
        workdir=workdir,
        evaluator="relaxed",
        strategy=plan.strategy,
        strategy_settings=plan.strategy_settings,
        **where,
    )


def columns(plan: Plan) -> tuple[str, ...]:
    """Return the metrics that the run compares by."""
    asked = [*(one.metric for one in plan.objectives), *(one.metric for one in plan.limits)]
    if plan.is_rehearsal and plan.policy.proxy:
        asked.append(plan.policy.proxy)  # for the page, which shows how well it ranks
    return tuple(dict.fromkeys(asked))


def final_job(plan: Plan, architecture: Architecture, *, seed: int, export: bool, workdir: str, **where: Any) -> Job:
    """Return the job that trains winner or baseline fully and measures it on the test split, or asks the report."""
    spec = SpaceSpec(Baseline.name, {}) if architecture == BASELINE else plan.space
    return Job(
        space=spec,
        choices=architecture.choices,
        split=plan.split,
        training=plan.training,
        epochs=plan.final_epochs,
        seed=seed,
        stage="final",
        workdir=workdir,
        export=export and not plan.is_rehearsal,
        evaluator="train" if plan.is_scored else plan.evaluator,
        columns=(*columns(plan), *plan.report),
        measuring=plan.measuring,
        **where,
    )


def final_seeds(plan: Plan) -> tuple[int, ...]:
    """Return the seeds of the final stage, none of them the search's own; a table needs to be asked only once."""
    count = 1 if plan.is_rehearsal else plan.final_seeds
    return tuple(plan.seed + plan.policy.replicates + index for index in range(count))


def contestants(plan: Plan, winner: Architecture) -> tuple[Architecture, ...]:
    """Return who is measured in the final stage: the winner, and the hand-made network where one can be trained."""
    return (winner,) if plan.is_rehearsal else (winner, BASELINE)
