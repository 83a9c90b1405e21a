"""The JSON lines that a search prints: one object per evaluation, and a last one with what came of it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from nas import codec, objectives
from nas.architecture import Architecture
from nas.final import Final
from nas.plan import Plan
from nas.priors import Source
from nas.selection import summary
from nas.spaces.protocol import SearchSpace

Metrics = Mapping[str, float]
Id = TypeVar("Id")


def described(space: SearchSpace, architecture: Architecture) -> dict[str, Any]:
    """Return an architecture with its decisions in words and the costs that its graph tells."""
    decisions = {
        decision.name: decision.options[choice]
        for decision, choice in zip(space.decisions, architecture.choices, strict=True)
    }
    graph = space.graph(architecture)
    return {
        "space": architecture.space,
        "choices": list(architecture.choices),
        "key": architecture.key,
        "decisions": decisions,
        "parameters": graph.parameters,
        "multiply_adds": graph.multiply_adds,
    }


def evaluation_line(
    plan: Plan,
    number: int,
    stage: str,
    seed: int,
    choices: Sequence[int],
    *,
    metrics: Metrics | None = None,
    cause: str = "",
    sentence: str = "",
) -> dict[str, Any]:
    """Return the line of one evaluation: metrics where it was measured, cause and sentence where it failed.

    `scores` is what the strategy is told: a number per objective, all minimised; null where a limit is broken.
    """
    line: dict[str, Any] = {"number": number, "stage": stage, "seed": seed, "choices": list(choices)}
    if metrics is None:
        return line | {"status": "failed", "cause": cause, "sentence": sentence}
    if stage == "search":
        line["scores"] = objectives.scores(plan.objectives, plan.limits, metrics)
    return line | {"status": "measured", "metrics": dict(metrics)}


def last_line(
    plan: Plan,
    space: SearchSpace,
    final: Final,
    *,
    measured: Sequence[tuple[int, Metrics]],
    seconds: float,
    spent: Mapping[tuple[str, str], float],
) -> dict[str, Any]:
    """Return the closing line: the architecture, and means over seeds of its and the baseline's test metrics.

    Of several finalists each has its means; `significance` says whether the lead could be chance, `cost` the hours that
    evaluations took, by stage and device.

    Of a rehearsal it has instead the columns that were asked for: `report` is the first one, of the best. After a warm
    start it tells of each earlier search when its best was reached; `measured` are numbers and metrics, in order.
    """
    number = final.winner
    best, test, baseline = described(space, final.finalists[number]), final.metrics(number), final.metrics(0)
    line: dict[str, Any] = {"best": best, "evaluations": len(measured), "seconds": round(seconds, 3)}
    line["cost"] = _cost(spent)
    if plan.warm.sources:
        line["warm_start"] = [_warm(plan, source, measured) for source in plan.warm.sources if source.comparable]
    if plan.is_rehearsal:
        found = _means(test)
        report = {column: found[column] for column in plan.report}
        line["best"] |= {"metrics": {one.metric: found[one.metric] for one in plan.objectives}}
        return line | {"report": next(iter(report.values()), None), "reports": report}
    line["best"] |= {"number": number}
    line |= {
        "test": _means(test),
        "baseline": _means(baseline),
        "test_sd": _spreads(test),
        "baseline_sd": _spreads(baseline),
        "baseline_network": plan.baseline.network,
        "seeds": len(test),
        "significance": _significance(final),
    }
    if plan.final_top == 1:
        return line
    return line | {"finalists": [_finalist(final, each) for each in final.finalists]}


def _cost(spent: Mapping[tuple[str, str], float]) -> dict[str, Any]:
    hours = [
        {"stage": stage, "device": device, "hours": round(seconds / 3600, 5)}
        for (stage, device), seconds in spent.items()
    ]
    return {"device_hours": round(sum(spent.values()) / 3600, 5), "by": hours}


def _significance(final: Final) -> dict[str, Any] | None:
    found = final.verdict
    return codec.dump(found) | {"says": [str(one) for one in found.sentences]} if found else None


def _finalist(final: Final, number: int) -> dict[str, Any]:
    rows = final.metrics(number)
    about = {"number": number, "choices": list(final.finalists[number].choices), "seeds": len(rows)}
    return about | {"test": _means(rows), "test_sd": _spreads(rows)}


def reached(plan: Plan, source: Source, measured: Iterable[tuple[Id, Metrics]]) -> Id | None:
    """Return who was first as good as the best of an earlier search, None where nobody was or nobody can tell."""
    if not source.comparable:
        return None
    aim = plan.objectives[0]
    goal = aim.score({aim.metric: source.best})
    for id, metrics in measured:
        scores = objectives.scores(plan.objectives, plan.limits, metrics)
        if scores is not None and scores[0] <= goal:
            return id
    return None


def _warm(plan: Plan, source: Source, measured: Sequence[tuple[int, Metrics]]) -> dict[str, Any]:
    known = {"title": source.title, "best": source.best, "evaluations": source.evaluations}
    return known | {"reached": reached(plan, source, measured)}


def _means(rows: Sequence[Metrics]) -> dict[str, float]:
    return {metric: about["mean"] for metric, about in summary(rows).items()}


def _spreads(rows: Sequence[Metrics]) -> dict[str, float]:
    return {metric: about["sd"] for metric, about in summary(rows).items()}
