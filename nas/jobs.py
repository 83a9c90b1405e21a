"""The jobs that a plan comes to: of a candidate, of a search by gradient, of the final stage."""

from dataclasses import replace
from typing import Any

from nas import plan as planning
from nas.architecture import Architecture
from nas.evaluation import fidelity as fidelities
from nas.evaluation.protocol import Job
from nas.plan import Plan
from nas.spaces.catalogue import SpaceSpec


def search_job(plan: Plan, architecture: Architecture, *, fidelity: int, workdir: str, **where: Any) -> Job:
    """Return the job that measures a candidate on the validation split; `where` passes folders and fingerprint.

    `fidelity` is that of the proposal: epochs, or percent of what the rungs of the plan are of.
    """
    return Job(
        # Shared weights are trained on networks within the limits alone.
        space=planning.limited(plan) if plan.is_shared else plan.space,
        choices=architecture.choices,
        split=plan.split,
        training=plan.training,
        epochs=plan.epochs,
        until=fidelity if plan.fidelity.rungs == "epochs" else 0,
        seed=plan.seed,
        stage="search",
        workdir=workdir,
        evaluator=plan.evaluator,
        columns=columns(plan),
        rehearsal=plan.rehearsal,
        scoring=plan.scoring,
        fidelity=on_rung(plan, fidelity).fidelity,
        measuring=plan.measuring,
        supernet=plan.supernet,
        policy=plan.policy,
        **where,
    )


def on_rung(plan: Plan, fidelity: int) -> Plan:
    """Return the plan with what a rung leaves of the data or the network."""
    return replace(plan, fidelity=fidelities.on_rung(plan.fidelity, fidelity))


def epochs_of(plan: Plan, fidelity: int) -> int:
    """Return for how many epochs a candidate is trained that was proposed at a fidelity."""
    return fidelity if fidelity and plan.fidelity.rungs == "epochs" else plan.epochs


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
    """Return the job that trains a finalist fully and measures it on the test split, or asks the report."""
    return replace(
        _full(plan, plan.space, architecture.choices, seed=seed, workdir=workdir, **where),
        export=export and not plan.is_rehearsal,
    )


def baseline_job(plan: Plan, *, seed: int, workdir: str, seconds: float = 0.0, **where: Any) -> Job:
    """Return the job that trains the baseline as the winner is trained; `seconds` where it shall take as long."""
    return replace(
        _full(plan, plan.baseline.spec, plan.baseline.architecture.choices, seed=seed, workdir=workdir, **where),
        seconds=seconds,
    )


def _full(plan: Plan, space: SpaceSpec, choices: tuple[int, ...], *, seed: int, workdir: str, **where: Any) -> Job:
    return Job(
        space=space,
        choices=choices,
        split=plan.split,
        training=plan.training,
        epochs=plan.final_epochs,
        seed=seed,
        stage="final",
        workdir=workdir,
        evaluator=plan.evaluator if plan.is_rehearsal else "train",
        columns=(*columns(plan), *plan.report),
        measuring=plan.measuring,
        holds_validation=plan.final_top > 1,
        **where,
    )


def final_seeds(plan: Plan) -> tuple[int, ...]:
    """Return the seeds of the final stage, none of them the search's own; a table needs to be asked only once."""
    count = 1 if plan.is_rehearsal else plan.final_seeds
    return tuple(plan.seed + plan.policy.replicates + index for index in range(count))


def final_trainings(plan: Plan) -> int:
    """Return how many evaluations the final stage comes to: the finalists', and the baseline's where it can train."""
    return 1 if plan.is_rehearsal else len(final_seeds(plan)) * (plan.final_top + 1)
