"""What a search optimises: metrics with a goal and a limit, turned into scores that are always minimised."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from nas.sentences import Refused

Goal = Literal["min", "max"]
VALIDATION = "valid_"  # before the name of a metric that a full training has beside that of the test split


@dataclass(frozen=True)
class Metric:
    """A measured quantity: its usual goal, its unit, and the tasks that it says something of."""

    title: str
    goal: Goal
    unit: str
    costs_nothing: bool = False  # known from the graph, before any training
    of: Literal["any", "classes", "numbers"] = "any"
    fewest_classes: int = 2
    is_quality: bool = False  # of the answers, not of what they cost

    def fits(self, classes: int) -> bool:
        """Tell whether it can be measured where the answer is one of so many classes, or a number where there is 1."""
        if self.of == "classes":
            return classes >= self.fewest_classes
        return self.of == "any" or classes < 2


METRICS: dict[str, Metric] = {
    "accuracy": Metric("Accuracy", "max", "%", of="classes", is_quality=True),
    "top5_accuracy": Metric("Among the five likeliest", "max", "%", of="classes", fewest_classes=6, is_quality=True),
    "precision": Metric("Precision", "max", "%", of="classes", is_quality=True),
    "recall": Metric("Recall", "max", "%", of="classes", is_quality=True),
    "f1": Metric("F1", "max", "%", of="classes", is_quality=True),
    "roc_auc": Metric("ROC AUC", "max", "%", of="classes", is_quality=True),
    "calibration_error": Metric("Calibration error", "min", "%", of="classes", is_quality=True),
    "rmse": Metric("Root mean squared error", "min", "", of="numbers", is_quality=True),
    "mae": Metric("Mean absolute error", "min", "", of="numbers", is_quality=True),
    "r2": Metric("R²", "max", "", of="numbers", is_quality=True),
    "loss": Metric("Loss", "min", "", is_quality=True),
    "generalisation_gap": Metric("Generalisation gap", "min", "%", is_quality=True),
    "parameters": Metric("Parameters", "min", "", costs_nothing=True),
    "multiply_adds": Metric("Multiply-adds", "min", "", costs_nothing=True),
    "depth": Metric("Depth", "min", "", costs_nothing=True),
    "file_kb": Metric("File size", "min", "kB"),
    "latency_ms": Metric("Latency", "min", "ms"),
    "latency_p95_ms": Metric("Latency, 95th percentile", "min", "ms"),
    "images_per_second": Metric("Examples per second", "max", ""),
    "peak_memory_mb": Metric("Peak memory", "min", "MB"),
    "training_seconds": Metric("Training time", "min", "s"),
    "energy_joules": Metric("Energy", "min", "J"),
}


def fitting(classes: int) -> dict[str, Metric]:
    """Return what can be measured where the answer is one of so many classes, or a number where there is 1."""
    return {name: metric for name, metric in METRICS.items() if metric.fits(classes)}


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
