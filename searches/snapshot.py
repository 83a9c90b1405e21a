"""What the charts of a run page start from: one JSON value, with the number of the last event it knows."""

from collections.abc import Mapping, Sequence
from typing import Any

from nas import objectives, pareto
from searches.alpha import alpha_of
from searches.columns import figure_of
from searches.models import Evaluation, Event, Run
from searches.plane import plane_data
from searches.queries import Measurement, measurements
from searches.standing import optimum
from searches.traces import trace_rows
from searches.trust import watched

MOST_POINTS = 3000
BEST_KEPT, LATEST_KEPT = 200, 500
CURVE_FIELDS = ("epoch", "train_loss", "valid_loss", "valid_accuracy")


def snapshot_of(run: Run, measured: Sequence[Measurement] | None = None) -> dict[str, Any]:
    """Return points and curves. `run` must be read before what follows it: an event may then come twice, never not."""
    found = measurements(run) if measured is None else measured
    return {
        "seq": run.last_seq,
        "metric": run.plan.objectives[0].metric,
        "goal": run.plan.objectives[0].goal,
        "rungs": run.plan.fidelity.rungs,
        "optimum": optimum(run.plan),
        "plane": plane_data(run),
        "trust": [{"name": name, "title": str(figure_of(run.plan, name).title)} for name in watched(run.plan)],
        "trace": trace_rows(run),
        "alpha": alpha_of(run),
        "startedAt": run.started_at.isoformat() if run.started_at else None,
        "status": run.status,
        "stage": run.stage,
        "measured": len(found),
        "points": [_point(run, one) for one in thin(run, found)],
        "curves": _curves(run),
    }


def thin(run: Run, measured: Sequence[Measurement]) -> list[Measurement]:
    """Keep what a chart can bear: the front, the best, the latest and an even sample of the rest."""
    if len(measured) <= MOST_POINTS:
        return list(measured)
    asked = run.plan
    alive = [one for one in measured if not one.failed]
    scores = [objectives.scores(asked.objectives, (), one.metrics) or (float("inf"),) for one in alive]
    kept = {
        alive[index].evaluation
        for index in pareto.front([(*score, one.parameters) for score, one in zip(scores, alive, strict=True)])
    }
    ranked = sorted(range(len(alive)), key=lambda index: scores[index])
    kept.update(alive[index].evaluation for index in ranked[:BEST_KEPT])
    kept.update(one.evaluation for one in measured[-LATEST_KEPT:])
    rest = [one for one in measured if one.evaluation not in kept]
    room = max(MOST_POINTS - len(kept), 1)
    kept.update(one.evaluation for one in rest[:: -(-len(rest) // room)])
    return [one for one in measured if one.evaluation in kept]


def _point(run: Run, one: Measurement) -> dict[str, Any]:
    return {
        "evaluation": one.evaluation,
        "candidate": one.candidate,
        "generation": one.generation,
        "parameters": one.parameters,
        "seconds": (one.at - run.started_at).total_seconds() if one.at and run.started_at else None,
        "metrics": one.metrics or None,
    }


def _curves(run: Run) -> list[dict[str, Any]]:
    """List the learning curves of what trains now; of a run that is over, those of its final stage."""
    evaluations = run.evaluations.select_related("candidate")
    if run.is_over:
        final = evaluations.filter(stage=Run.Stage.FINAL, status=Evaluation.Status.MEASURED)
        return [curve_of(one, one.curve) for one in final]
    running = evaluations.filter(status=Evaluation.Status.RUNNING)
    found = {one.pk: curve_of(one, []) for one in running}
    epochs = Event.objects.filter(run=run, kind="epoch", evaluation_id__in=list(found)).order_by("seq")
    for evaluation, data in epochs.values_list("evaluation_id", "data"):
        if evaluation is not None:
            found[evaluation]["points"].append(_epoch(data))
    return list(found.values())


def curve_of(evaluation: Evaluation, points: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return one learning curve as the charts read it."""
    return {
        "evaluation": evaluation.pk,
        "candidate": evaluation.candidate.number if evaluation.candidate else None,
        "stage": evaluation.stage,
        "seed": evaluation.seed,
        "epochs": evaluation.epochs,
        "points": [_epoch(point) for point in points],
    }


def _epoch(data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: data.get(name) for name in CURVE_FIELDS}
