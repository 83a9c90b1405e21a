"""Domination, fronts, crowding and hypervolume, over scores that are all minimised."""

from bisect import bisect_left
from collections.abc import Sequence
from math import inf, prod

import numpy as np
from numpy.typing import NDArray

Scores = Sequence[float]


def dominates(a: Scores, b: Scores) -> bool:
    """Tell whether `a` is nowhere worse than `b` and somewhere better."""
    return all(x <= y for x, y in zip(a, b, strict=True)) and any(x < y for x, y in zip(a, b, strict=True))


def front(points: Sequence[Scores]) -> list[int]:
    """Return the indices of the points that no other point dominates, in order of the first score.

    Equal points are all kept. Sorting first means that a point can only be dominated by an earlier one.
    """
    order = sorted(range(len(points)), key=lambda index: tuple(points[index]))
    kept: list[int] = []
    for index in order:
        if not any(dominates(points[other], points[index]) for other in kept):
            kept.append(index)
    return kept


def fronts(points: Sequence[Scores]) -> list[list[int]]:
    """Sort indices into fronts: the first is dominated by nothing, each next one only by those before it.

    Deb, Pratap, Agarwal and Meyarivan, "A fast and elitist multiobjective genetic algorithm: NSGA-II", 2002, III.A.
    """
    if not points:
        return []
    values = np.asarray(points, float)
    a, b = values[:, None], values[None]
    dominated: NDArray[np.bool] = np.asarray((a <= b).all(2) & (a < b).any(2))
    above, left = dominated.sum(0), np.ones(len(values), bool)
    found = []
    while left.any():
        now = left & (above == 0)
        left &= ~now
        above = above - dominated[now].sum(0)
        found.append(np.flatnonzero(now).tolist())
    return found


def crowding(points: Sequence[Scores]) -> list[float]:
    """Return for each point of one front the size of the gap around it, infinite at the ends (Deb et al., III.B)."""
    distances = [0.0] * len(points)
    for scores in zip(*points, strict=True):
        order = sorted(range(len(points)), key=lambda index: scores[index])
        low, high = scores[order[0]], scores[order[-1]]
        distances[order[0]] = distances[order[-1]] = inf
        for before, index, after in zip(order, order[1:], order[2:], strict=False):
            distances[index] += (scores[after] - scores[before]) / (high - low) if high > low else 0.0
    return distances


def hypervolume(points: Sequence[Scores], reference: Scores) -> float:
    """Return the volume that the points dominate, up to `reference`; exact, for any number of objectives.

    Points that are not better than the reference everywhere add nothing. Two objectives are swept in order, three in
    slices of two, more by exclusive volumes (While, Bradstreet and Barone, "A fast way of calculating exact
    hypervolumes", 2012).
    """
    inside = [tuple(point) for point in points if all(x < r for x, r in zip(point, reference, strict=True))]
    if not inside:
        return 0.0
    best = sorted({inside[index] for index in front(inside)}, key=lambda point: point[-1])
    if len(reference) == 1:
        return float(reference[0] - best[0][0])
    if len(reference) == 2:
        return _area(best, reference)
    return _slices(best, reference) if len(reference) == 3 else _exclusive(best, reference)


def _area(points: Sequence[Scores], reference: Scores) -> float:
    area, edge = 0.0, reference[0]
    for x, y in sorted(points, key=lambda point: point[1]):
        if x < edge:
            area, edge = area + (edge - x) * (reference[1] - y), x
    return float(area)


def _slices(points: Sequence[Scores], reference: Scores) -> float:
    # The staircase of the first two scores grows point by point, in order of the third: xs rise, ys fall.
    xs, ys = [-inf, reference[0]], [reference[1], -inf]
    volume = area = 0.0
    for index, (x, y, z) in enumerate(points):
        at = bisect_left(xs, x)
        if ys[at - 1] > y and not (xs[at] == x and ys[at] <= y):
            left, top = x, ys[at - 1]
            end = at
            while ys[end] >= y:
                area += (xs[end] - left) * (top - y)
                left, top, end = xs[end], ys[end], end + 1
            area += (xs[end] - left) * (top - y)
            xs[at:end], ys[at:end] = [x], [y]
        above = points[index + 1][2] if index + 1 < len(points) else reference[2]
        volume += area * (above - z)
    return float(volume)


def _exclusive(points: Sequence[Scores], reference: Scores) -> float:
    volume = 0.0
    for index, point in enumerate(points):
        limited = [tuple(max(x, y) for x, y in zip(point, other, strict=True)) for other in points[index + 1 :]]
        volume += prod(r - x for x, r in zip(point, reference, strict=True)) - hypervolume(limited, reference)
    return float(volume)
