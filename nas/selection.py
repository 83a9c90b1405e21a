"""What a measurement means: to the strategy, for who is ahead, over several seeds."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import fmean, stdev
from typing import TypeVar

from nas import objectives
from nas.architecture import Architecture
from nas.evaluation.fidelity import percent
from nas.objectives import VALIDATION
from nas.plan import Plan
from nas.strategies.protocol import Failed, Outcome, Scored

Id = TypeVar("Id")
# What tells equals apart: the cheaper network is the better one.
COSTS = ("parameters", "multiply_adds")


def outcome(
    plan: Plan,
    number: int,
    architecture: Architecture,
    fidelity: int,
    metrics: Mapping[str, float] | None,
    *,
    rejected: bool = False,
) -> Outcome:
    """Return what the strategy is told of a measurement, or of a failure where there are no metrics.

    Of one that was `rejected` the metrics are but the proxy that spoke against it.
    """
    proxy = metrics.get(plan.policy.proxy) if metrics and plan.rejects_built else None
    scores = objectives.scores(plan.objectives, plan.limits, metrics) if metrics and not rejected else None
    if scores is None:
        return Failed(number, architecture, fidelity, proxy, rejected)
    return Scored(number, architecture, fidelity, scores, proxy)


def rank(plan: Plan, metrics: Mapping[str, float]) -> tuple[float, ...] | None:
    """Return what to order measurements by, the best first; None where a limit is broken.

    More training comes first, as numbers of different fidelities do not compare; then the objectives in their order,
    and of equals the network with fewer parameters, then with fewer multiply-adds.
    """
    scores = objectives.scores(plan.objectives, plan.limits, metrics)
    if scores is None:
        return None
    return (*(-amount for amount in trained(plan, metrics)), *scores, *(metrics.get(cost, 0.0) for cost in COSTS))


def trained(plan: Plan, metrics: Mapping[str, float]) -> tuple[float, ...]:
    """Return how much was trained, to compare like with like: the rung, where it is not of epochs, then the epochs."""
    whole = percent(plan.fidelity)
    rung = () if whole is None else (metrics.get(plan.fidelity.rungs, whole),)
    return (*rung, metrics.get("epochs", plan.epochs))


def best(plan: Plan, measured: Iterable[tuple[Id, Mapping[str, float]]]) -> Id | None:
    """Return who is ahead within the limits, None where nobody is; of equals in everything the earlier one."""
    return next(iter(ranking(plan, measured)), None)


def ranking(plan: Plan, measured: Iterable[tuple[Id, Mapping[str, float]]]) -> list[Id]:
    """Return those within the limits, best first; of equals in everything the earlier one."""
    placed = [(place, id) for id, found in measured if (place := rank(plan, found)) is not None]
    return [id for _, id in sorted(placed, key=lambda one: one[0])]


def finalists(
    plan: Plan, measured: Iterable[tuple[Id, Mapping[str, float]]], architecture: Callable[[Id], object]
) -> list[Id]:
    """Return the best of the search, as many different architectures as the plan has finalists."""
    found: dict[object, Id] = {}
    for id in ranking(plan, measured):
        found.setdefault(architecture(id), id)
    return list(found.values())[: plan.final_top]


def champion(plan: Plan, trained: Iterable[tuple[Id, Sequence[Mapping[str, float]]]]) -> Id | None:
    """Return which finalist has won: by the mean over its full trainings, on validation, never on the test split.

    Each comes with the metrics of its seeds, in the order of the search's ranking; one that was not measured is out,
    and where none keeps to the limits any more, the first that was measured has won.
    """
    means = [(id, _on_validation(rows)) for id, rows in trained if rows]
    if plan.final_top == 1 or not means:
        return means[0][0] if means else None
    ahead = best(plan, means)
    return means[0][0] if ahead is None else ahead


def _on_validation(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    means = {metric: about["mean"] for metric, about in summary(rows).items()}
    return means | {name.removeprefix(VALIDATION): mean for name, mean in means.items() if name.startswith(VALIDATION)}


def summary(rows: Sequence[Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Return mean, standard deviation (n - 1) and count of each metric over seeds."""
    found: dict[str, dict[str, float]] = {}
    for metric in rows[0] if rows else ():
        values = [row[metric] for row in rows if metric in row]
        spread = stdev(values) if len(values) > 1 else 0.0
        found[metric] = {"mean": fmean(values), "sd": spread, "count": len(values)}
    return found
