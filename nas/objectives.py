"""What a search optimises: metrics with a goal and a limit, turned into scores that are always minimised."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from nas.sentences import Refused

Goal = Literal["min", "max"]


@dataclass(frozen=True)
class Metric:
    """A measured quantity: its usual goal, its unit, and how a number of it is shown."""

    title: str
    goal: Goal
    unit: str
    costs_nothing: bool = False  # known from the graph, before any training


METRICS: dict[str, Metric] = {
    "accuracy": Metric("Accuracy", "max", "%"),
    "loss": Metric("Loss", "min", ""),
    "parameters": Metric("Parameters", "min", "", costs_nothing=True),
    "multiply_adds": Metric("Multiply-adds", "min", "", costs_nothing=True),
    "depth": Metric("Depth", "min", "", costs_nothing=True),
    "latency_ms": Metric("Latency", "min", "ms"),
    "training_seconds": Metric("Training time", "min", "s"),
}


@dataclass(frozen=True)
class Objective:
    """A metric to bring down or up."""

    metric: str
    goal: Goal

    def score(self, metrics: Mapping[str, float]) -> float:
        """Return the metric's value, turned so that smaller is better."""
        value = metrics[self.metric]
        return -value if self.goal == "max" else value


@dataclass(frozen=True)
class Limit:
    """A hard constraint: the metric may not pass `bound`, from above where the goal is "min", from below for "max".

    Without a goal of its own it has the metric's.
    """

    metric: str
    bound: float
    goal: Literal["", "min", "max"] = ""

    def holds(self, metrics: Mapping[str, float]) -> bool:
        """Tell whether the metric keeps to the bound; a metric that is not known yet does."""
        if self.metric not in metrics:
            return True
        value = metrics[self.metric]
        return value >= self.bound if (self.goal or METRICS[self.metric].goal) == "max" else value <= self.bound


def scores(
    objectives: Sequence[Objective], limits: Sequence[Limit], metrics: Mapping[str, float]
) -> tuple[float, ...] | None:
    """Return one score per objective, all minimised, or None where a limit is broken."""
    if not all(limit.holds(metrics) for limit in limits):
        return None
    return tuple(objective.score(metrics) for objective in objectives)


def objective(text: str, among: Mapping[str, Metric] = METRICS) -> Objective:
    """Read "accuracy", "min:loss" or, as tables head their columns, "loss:min"; raises Refused for what is unknown."""
    goal, _, metric = text.rpartition(":")
    if metric in ("min", "max") and metric not in among:
        goal, metric = metric, goal
    usual = known(metric, among).goal
    if goal not in ("", "min", "max"):
        raise Refused("The goal of {metric} is {goal}; it must be min or max.", metric=metric, goal=goal)
    return Objective(metric, "max" if (goal or usual) == "max" else "min")


def limit(text: str, among: Mapping[str, Metric] = METRICS) -> Limit:
    """Read "parameters=20000"; raises Refused for an unknown metric or a bound that is no number."""
    metric, _, bound = text.partition("=")
    goal = known(metric, among).goal
    try:
        return Limit(metric, float(bound), "" if metric in METRICS else goal)
    except ValueError as error:
        raise Refused(
            "The limit of {metric} cannot be {bound}; it must be a number.", metric=metric, bound=bound
        ) from error


def known(metric: str, among: Mapping[str, Metric] = METRICS) -> Metric:
    """Return the metric of that name; raises Refused with the nearest names there are."""
    if metric not in among:
        near = ", ".join(get_close_matches(metric, among, n=3, cutoff=0))
        raise Refused("There is no metric {name}; the nearest are {names}.", name=metric, names=near)
    return among[metric]
