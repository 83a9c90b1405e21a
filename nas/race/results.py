"""What is kept of a lane, and what is drawn and told of all lanes so far: a few numbers, however long the race."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from nas.objectives import Objective
from nas.race.contest import Lane
from nas.race.standings import Standing, default_marks, standings

MOST_POINTS = 150
DIGITS = 7


@dataclass(frozen=True)
class Point:
    """Best, report and epochs of a lane after `evaluation` evaluations."""

    evaluation: int
    best: float
    report: float
    epochs: float


@dataclass(frozen=True)
class Kept:
    """A lane by those points alone at which something changed, and those at the quarters of its budget."""

    strategy: str
    seed: int
    points: tuple[Point, ...]
    seconds: float


Numbers: TypeAlias = tuple[float, ...]


@dataclass(frozen=True)
class Curve:
    """One strategy in one column, "best" or "report": mean and 10 % and 90 % quantiles over its lanes so far."""

    strategy: str
    column: str
    mean: Numbers
    low: Numbers
    high: Numbers


@dataclass(frozen=True)
class Results:
    """What `lanes` lanes came to: curves with a point at each of `evaluations`, and standings at the quarters."""

    lanes: int
    evaluations: tuple[int, ...]
    curves: tuple[Curve, ...]
    standings: tuple[Standing, ...]


def kept(lane: Lane) -> Kept:
    """Return a lane without the points at which nothing changed."""
    steps = list(zip(lane.best, lane.report, strict=True))
    turns = [at for at, (before, after) in enumerate(pairwise(steps), start=2) if before != after]
    wanted = sorted({*([1] if steps else []), *turns, *(default_marks(len(steps)) if steps else ())})
    points = tuple(Point(at, *steps[at - 1], lane.epochs[at - 1]) for at in wanted)
    return Kept(lane.strategy, lane.seed, points, lane.seconds)


def whole(short: Kept) -> Lane:
    """Return the lane again; its epochs are exact at the points that were kept, and straight lines between."""
    budget = short.points[-1].evaluation if short.points else 0
    return _at(short, np.arange(1, budget + 1))


def results(lanes: Sequence[Kept], entrants: Sequence[str], objective: Objective, budget: int) -> Results:
    """Return curves and standings of the lanes that are over, strategies in the order of the entrants."""
    ordered = sorted((one for one in lanes if one.points), key=lambda one: (entrants.index(one.strategy), one.seed))
    drawn = np.unique(np.linspace(1, budget, min(budget, MOST_POINTS)).round().astype(int))
    curves = [
        _curve(name, column, [one for one in ordered if one.strategy == name], drawn)
        for name in dict.fromkeys(one.strategy for one in ordered)
        for column in ("best", "report")
    ]
    marks = default_marks(budget)
    # Lanes of the quarters alone: standings need no more of them, and a long race would not fit into memory.
    found = standings([_at(one, np.array(marks)) for one in ordered], objective, range(1, len(marks) + 1))
    told = tuple(replace(one, evaluations=marks[one.evaluations - 1]) for one in found)
    return Results(len(ordered), tuple(drawn.tolist()), tuple(curves), told)


def _curve(name: str, column: str, lanes: Sequence[Kept], at: NDArray[np.int64]) -> Curve:
    values = np.array([getattr(_at(one, at), column) for one in lanes])
    low, high = np.quantile(values, (0.1, 0.9), axis=0)
    return Curve(name, column, _numbers(values.mean(axis=0)), _numbers(low), _numbers(high))


def _numbers(values: NDArray[np.float64]) -> Numbers:
    return tuple(float(f"{value:.{DIGITS}g}") for value in values)


def _at(short: Kept, evaluations: NDArray[np.int64]) -> Lane:
    """Return a lane with an entry at each of these evaluations, and at no others."""
    points = short.points
    known = np.array([point.evaluation for point in points])
    index = (np.searchsorted(known, evaluations, side="right") - 1).tolist()
    epochs = np.interp(evaluations, known, [point.epochs for point in points]).tolist() if points else []
    return Lane(
        short.strategy,
        short.seed,
        tuple(points[one].best for one in index),
        tuple(points[one].report for one in index),
        tuple(epochs),
        short.seconds,
    )
