"""The JSON lines that a search prints: one object per evaluation, and a last one with what came of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from nas.architecture import Architecture
from nas.plan import summary
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
    number: int,
    stage: str,
    seed: int,
    choices: Sequence[int],
    *,
    metrics: Metrics | None = None,
    cause: str = "",
    sentence: str = "",
) -> dict[str, Any]:
    """Return the line of one evaluation: metrics where it was measured, cause and sentence where it failed."""
    line: dict[str, Any] = {"number": number, "stage": stage, "seed": seed, "choices": list(choices)}
    if metrics is None:
        return line | {"status": "failed", "cause": cause, "sentence": sentence}
    return line | {"status": "measured", "metrics": dict(metrics)}


def last_line(
    best: Mapping[str, Any], test: Sequence[Metrics], baseline: Sequence[Metrics], *, evaluations: int, seconds: float
) -> dict[str, Any]:
    """Return the closing line: the architecture, and means over seeds of its and the baseline's test metrics."""
    return {
        "best": dict(best),
        "test": _means(test),
        "baseline": _means(baseline),
        "test_sd": _spreads(test),
        "baseline_sd": _spreads(baseline),
        "evaluations": evaluations,
        "seconds": round(seconds, 3),
    }


def _means(rows: Sequence[Metrics]) -> dict[str, float]:
    return {metric: about["mean"] for metric, about in summary(rows).items()}


def _spreads(rows: Sequence[Metrics]) -> dict[str, float]:
    return {metric: about["sd"] for metric, about in summary(rows).items()}
