"""What a measurement means: to the strategy, for who is ahead, over several seeds."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, stdev
from typing import TypeVar

from nas import objectives
from nas.architecture import Architecture
from nas.plan import Plan
from nas.strategies.protocol import Failed, Outcome, Scored

Id = TypeVar("Id")
# What tells equals apart: the cheaper network is the better one.
COSTS = ("parameters", "multiply_adds")


def outcome(
    plan: Plan, number: int, architecture: Architecture, fidelity: int, metrics: Mapping[str, float] | None
) -> Outcome:
    """Return what the strategy is told of a measurement, or of a failure where there are no metrics."""
    scores = objectives.scores(plan.objectives, plan.limits, metrics) if metrics else None
    if scores is None:
        return Failed(number, architecture, fidelity)
    return Scored(number, architecture, fidelity, scores)


def rank(plan: Plan, metrics: Mapping[str, float]) -> tuple[float, ...] | None:
    """Return what to order measurements by, the best first; None where a limit is broken.

    More epochs come first, as numbers of different fidelities do not compare; then the objectives in their order, and
    of equals the network with fewer parameters, then with fewer multiply-adds.
    """
    scores = objectives.scores(plan.objectives, plan.limits, metrics)
    if scores is None:
        return None
    return (-metrics.get("epochs", plan.epochs), *scores, *(metrics.get(cost, 0.0) for cost in COSTS))


def best(plan: Plan, measured: Iterable[tuple[Id, Mapping[str, float]]]) -> Id | None:
    """Return who is ahead within the limits, None where nobody is; of equals in everything the earlier one."""
    ahead: tuple[tuple[float, ...], Id] | None = None
    for id, found in measured:
        place = rank(plan, found)
        if place is not None and (ahead is None or place < ahead[0]):
            ahead = (place, id)
    return ahead[1] if ahead else None


def summary(rows: Sequence[Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Return mean, standard deviation (n - 1) and count of each metric over seeds."""
    found: dict[str, dict[str, float]] = {}
    for metric in rows[0] if rows else ():
        values = [row[metric] for row in rows if metric in row]
        spread = stdev(values) if len(values) > 1 else 0.0
        found[metric] = {"mean": fmean(values), "sd": spread, "count": len(values)}
    return found
