"""Domination and fronts over scores that are all minimised."""

from collections.abc import Sequence

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
