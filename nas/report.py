"""The JSON lines that a search prints: one object per evaluation, and a last one with what came of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from nas import objectives
from nas.architecture import Architecture
from nas.plan import Plan, summary
from nas.spaces.protocol import SearchSpace

Metrics = Mapping[str, float]


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
    best: Mapping[str, Any],
    test: Sequence[Metrics],
    baseline: Sequence[Metrics],
    *,
    evaluations: int,
    seconds: float,
) -> dict[str, Any]:
    """Return the closing line: the architecture, and means over seeds of its and the baseline's test metrics.

    Of a rehearsal it has instead the columns that were asked for: `report` is the first one, of the best.
    """
    line: dict[str, Any] = {"best": dict(best), "evaluations": evaluations, "seconds": round(seconds, 3)}
    if plan.is_rehearsal:
        found = _means(test)
        report = {column: found[column] for column in plan.report}
        line["best"] |= {"metrics": {one.metric: found[one.metric] for one in plan.objectives}}
        return line | {"report": next(iter(report.values()), None), "reports": report}
    return line | {
        "test": _means(test),
        "baseline": _means(baseline),
        "test_sd": _spreads(test),
        "baseline_sd": _spreads(baseline),
    }


def _means(rows: Sequence[Metrics]) -> dict[str, float]:
    return {metric: about["mean"] for metric, about in summary(rows).items()}


def _spreads(rows: Sequence[Metrics]) -> dict[str, float]:
    return {metric: about["sd"] for metric, about in summary(rows).items()}
